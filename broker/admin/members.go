package admin

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"gatehouse/provisioning"
	"gatehouse/store"
)

// memberView is a person in an organization.
type memberView struct {
	Organization string    `json:"organization"`
	User         string    `json:"user"`
	Name         string    `json:"name,omitempty"`
	Email        string    `json:"email,omitempty"`
	Status       string    `json:"status" enum:"active,disabled"`
	Role         string    `json:"role" enum:"owner,admin,user"`
	Groups       []string  `json:"groups"`
	Clients      []string  `json:"clients" doc:"Apps that were given, for apps that have to be"`
	Connection   string    `json:"connection,omitempty" doc:"Through which the membership was made; it ends with the person's last identity there"`
	Revision     int64     `json:"revision"`
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`
}

func viewMember(m store.Membership, u store.User) memberView {
	return memberView{
		Organization: m.OrganizationID, User: m.UserID, Name: attributesName(u.Attributes), Email: u.Attributes.Email, Status: u.Status,
		Role: m.Role, Groups: listed(m.Groups), Clients: listed(m.Clients), Connection: m.ConnectionID,
		Revision: m.Revision, CreatedAt: m.CreatedAt, UpdatedAt: m.UpdatedAt,
	}
}

// MemberPath names a member.
type MemberPath struct {
	Organization string `path:"organization" maxLength:"63"`
	User         string `path:"user" maxLength:"64"`
}

type listMembersInput struct {
	Organization string `path:"organization" maxLength:"63"`
	Paging
	UserFilter
}

// MemberFields are what admins set; absent fields stay. A list that is there
// replaces the whole list.
type MemberFields struct {
	Role    *string  `json:"role,omitempty" enum:"owner,admin,user" doc:"Nobody gives more than they have"`
	Groups  []string `json:"groups,omitempty" maxItems:"100"`
	Clients []string `json:"clients,omitempty" maxItems:"100" doc:"Apps that have to be given"`
}

type addMemberInput struct {
	Organization string `path:"organization" maxLength:"63"`
	Body         struct {
		User string `json:"user" maxLength:"64" doc:"Id of a person who is known"`
		MemberFields
	}
}

type updateMemberInput struct {
	MemberPath
	Precondition
	Body struct {
		Revision *int64 `json:"revision,omitempty" doc:"As read; 409 when it is no longer the stored one"`
		MemberFields
	}
}

type removeMemberInput struct {
	MemberPath
	Precondition
}

func (h *Handler) routeMembers(t *table) {
	const tag = "members"
	endpoint(t, Admin, operation{Method: "GET", Path: "/organizations/{organization}/members", In: inOrganization, Name: "list-members", Summary: "List and search the members of an organization", Tag: tag},
		func(ctx context.Context, _ Principal, in *listMembersInput) (*pageOutput[memberView], error) {
			page, err := h.listMembers(ctx, in.Organization, in.Paging, in.UserFilter)
			return &pageOutput[memberView]{page}, err
		})
	endpoint(t, Admin, operation{Method: "GET", Path: "/organizations/{organization}/members/{user}", In: inOrganization, Name: "get-member", Summary: "Show a member", Tag: tag},
		func(ctx context.Context, _ Principal, in *MemberPath) (*one[memberView], error) {
			var v memberView
			err := h.store.View(ctx, func(tx store.Tx) (err error) {
				v, err = h.member(tx, in.Organization, in.User)
				return err
			})
			return &one[memberView]{etag(v.Revision), v}, err
		})
	endpoint(t, Admin, operation{Method: "POST", Path: "/organizations/{organization}/members", In: inOrganization, Name: "add-member", Summary: "Make a known person a member", Status: http.StatusCreated, Tag: tag}, h.addMember)
	endpoint(t, Admin, operation{Method: "PATCH", Path: "/organizations/{organization}/members/{user}", In: inOrganization, Name: "update-member", Summary: "Change a member's role, groups and apps", Tag: tag}, h.updateMember)
	endpoint(t, Admin, operation{Method: "DELETE", Path: "/organizations/{organization}/members/{user}", In: inOrganization, Name: "remove-member", Summary: "End a membership: what was opened through the organization ends at once", Status: http.StatusNoContent, Tag: tag}, h.removeMember)
}

func (h *Handler) member(tx store.Tx, organization, user string) (memberView, error) {
	m, err := h.store.Memberships.Get(tx, store.MembershipKey(organization, user))
	if err != nil {
		return memberView{}, err
	}
	u, err := h.store.Users.Get(tx, user)
	return viewMember(m, u), err
}

func (h *Handler) listMembers(ctx context.Context, organization string, in Paging, f UserFilter) (Page[memberView], error) {
	return listOf(ctx, h, in, listing[found]{
		name: "members of " + organization + "\n" + f.name(), checked: true,
		all: func(tx store.Tx, p store.Page) ([]found, string, error) { return h.searchUsers(tx, organization, f, p) },
	}, plain(func(c found) memberView { return viewMember(*c.member, *c.user) }))
}

// apply sets the fields, and says whether the caller may.
func (h *Handler) applyMember(tx store.Tx, p Principal, m *store.Membership, in MemberFields) error {
	var f faults
	if in.Role != nil && *in.Role != m.Role {
		if !provisioning.Role(*in.Role) {
			f.add("role", "is no role")
		} else if !p.mayGive(*in.Role, m.OrganizationID) {
			return errForbidden
		}
		m.Role = *in.Role
	}
	setList(&m.Groups, in.Groups)
	setList(&m.Clients, in.Clients)
	if err := exist(tx, "clients", m.Clients, "client", h.store.Clients); err != nil {
		return err
	}
	for i, g := range m.Groups {
		if g == "" || len(g) > 200 {
			f.add(indexed("groups", i), "must have 1 to 200 characters")
		}
	}
	return f.join()
}

func (h *Handler) addMember(ctx context.Context, p Principal, in *addMemberInput) (*one[memberView], error) {
	var saved memberView
	err := h.change(ctx, p, func(ch *store.Change) error {
		if _, err := h.store.Organizations.Get(ch.Tx, in.Organization); err != nil {
			return err
		}
		if err := h.mayAdd(ch.Tx, p, in.Organization, in.Body.User); err != nil {
			return err
		}
		m := store.Membership{OrganizationID: in.Organization, UserID: in.Body.User, Role: store.RoleUser}
		if err := h.applyMember(ch.Tx, p, &m, in.Body.MemberFields); err != nil {
			return err
		}
		if err := h.store.Memberships.Insert(ch.Tx, m); err != nil {
			return err
		}
		if err := h.endSessionsOf(ch.Tx, in.Body.User, m.Role != store.RoleUser); err != nil {
			return err
		}
		var err error
		if saved, err = h.member(ch.Tx, in.Organization, in.Body.User); err != nil {
			return err
		}
		return ch.Record("member.add", "user/"+in.Body.User, difference(nil, saved))
	})
	return &one[memberView]{etag(saved.Revision), saved}, err
}

// endSessionsOf ends console sessions when a role changed: a new one needs a new
// sign-in (L1).
func (h *Handler) endSessionsOf(tx store.Tx, user string, changed bool) error {
	if !changed {
		return nil
	}
	return h.endSessions(tx, user, "")
}

// mayAdd: a company admin adds only people whom the organization knows already, by
// an identity at one of its connections, or whom they see in another organization
// of theirs. Everybody else is invited. Who may not is told that there is nobody.
func (h *Handler) mayAdd(tx store.Tx, p Principal, organization, user string) error {
	if _, err := h.store.Users.Get(tx, user); err != nil {
		return err
	}
	if Admin.Allows(p, Object{}) {
		return nil
	}
	for i, err := range h.store.Identities.AllByIndex(tx, "user", user) {
		if err != nil {
			return err
		}
		c, err := h.store.Connections.Get(tx, i.ConnectionID)
		if err == nil && c.OrganizationID == organization {
			return nil
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	for m, err := range h.store.Memberships.AllByIndex(tx, "user", user) {
		if err != nil {
			return err
		}
		if p.sees(m.OrganizationID) {
			return nil
		}
	}
	return store.ErrNotFound
}

func (h *Handler) updateMember(ctx context.Context, p Principal, in *updateMemberInput) (*one[memberView], error) {
	var saved memberView
	err := h.change(ctx, p, func(ch *store.Change) error {
		m, err := h.store.Memberships.Get(ch.Tx, store.MembershipKey(in.Organization, in.User))
		if err != nil {
			return err
		}
		if err := in.match(m.Meta, in.Body.Revision); err != nil {
			return err
		}
		before, err := h.member(ch.Tx, in.Organization, in.User)
		if err != nil {
			return err
		}
		if !p.mayTouch(before.Role, in.Organization) {
			return errForbidden
		}
		m.Groups, m.Clients = slices.Clone(m.Groups), slices.Clone(m.Clients)
		if err := h.applyMember(ch.Tx, p, &m, in.Body.MemberFields); err != nil {
			return err
		}
		if err := h.store.Memberships.Put(ch.Tx, m); err != nil {
			return err
		}
		if before.Role == store.RoleOwner && m.Role != store.RoleOwner {
			if err := h.provisioner.OwnerStays(ch.Tx, in.Organization); err != nil {
				return err
			}
		}
		if err := h.endSessionsOf(ch.Tx, in.User, before.Role != m.Role); err != nil {
			return err
		}
		if saved, err = h.member(ch.Tx, in.Organization, in.User); err != nil {
			return err
		}
		return ch.Record("member.update", "user/"+in.User, difference(before, saved))
	})
	return &one[memberView]{etag(saved.Revision), saved}, err
}

func (h *Handler) removeMember(ctx context.Context, p Principal, in *removeMemberInput) (*none, error) {
	return nil, h.change(ctx, p, func(ch *store.Change) error {
		m, err := h.store.Memberships.Get(ch.Tx, store.MembershipKey(in.Organization, in.User))
		if err != nil {
			return err
		}
		if err := in.match(m.Meta, nil); err != nil {
			return err
		}
		before, err := h.member(ch.Tx, in.Organization, in.User)
		if err != nil {
			return err
		}
		if !p.mayTouch(before.Role, in.Organization) {
			return errForbidden
		}
		if err := h.provisioner.RemoveMember(ch.Tx, in.Organization, in.User); err != nil {
			return err
		}
		if err := h.endSessionsOf(ch.Tx, in.User, before.Role != store.RoleUser); err != nil {
			return err
		}
		return ch.Record("member.remove", "user/"+in.User, difference(before, nil))
	})
}
