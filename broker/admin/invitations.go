package admin

import (
	"context"
	"errors"
	"time"

	"gatehouse/profile"
	"gatehouse/provisioning"
	"gatehouse/store"
)

// invitationView is an invitation as the API shows it. Its link is in the mail
// alone: not even an admin sees it, for it proves the address.
type invitationView struct {
	ID           string     `json:"id"`
	Revision     int64      `json:"revision"`
	CreatedAt    time.Time  `json:"created_at"`
	UpdatedAt    time.Time  `json:"updated_at"`
	Organization string     `json:"organization"`
	Email        string     `json:"email"`
	Name         string     `json:"name,omitempty"`
	Role         string     `json:"role" enum:"user,admin,owner"`
	Groups       []string   `json:"groups"`
	Clients      []string   `json:"clients"`
	Language     string     `json:"language,omitempty"`
	InvitedBy    string     `json:"invited_by"`
	State        string     `json:"state" enum:"open,accepted,revoked,expired"`
	Sends        int        `json:"sends" doc:"How often it was mailed"`
	SentAt       time.Time  `json:"sent_at"`
	ExpiresAt    time.Time  `json:"expires_at"`
	AcceptedBy   string     `json:"accepted_by,omitempty"`
	AcceptedAt   *time.Time `json:"accepted_at,omitempty"`
}

func (h *Handler) viewInvitation(i store.Invitation) invitationView {
	v := invitationView{
		ID: i.ID, Revision: i.Revision, CreatedAt: i.CreatedAt, UpdatedAt: i.UpdatedAt, Organization: i.OrganizationID, Email: i.Email,
		Name: i.Name, Role: i.Role, Groups: listed(i.Groups), Clients: listed(i.Clients), Language: i.Language, InvitedBy: i.InvitedBy,
		State: i.State, Sends: i.Sends, SentAt: i.SentAt, ExpiresAt: i.ExpiresAt, AcceptedBy: i.AcceptedBy, AcceptedAt: moment(i.AcceptedAt),
	}
	if v.State == store.InvitationOpen && !h.now().Before(i.ExpiresAt) {
		v.State = store.InvitationExpired
	}
	return v
}

// InvitationPath names an invitation.
type InvitationPath struct {
	ID string `path:"invitation" maxLength:"64"`
}

type listInvitationsInput struct {
	Paging
	State        string `query:"state" enum:"open,accepted,revoked,expired" doc:"As kept: an open one whose time is over is listed as open and shown as expired"`
	Organization string `query:"organization" maxLength:"63" doc:"Only this organization's"`
}

// InviteDefaults hold for one invitation, or for every line of an import that
// says nothing itself.
type InviteDefaults struct {
	Role     string   `json:"role,omitempty" enum:"user,admin,owner" doc:"user when absent. Nobody gives more than they have"`
	Groups   []string `json:"groups,omitempty" maxItems:"100"`
	Clients  []string `json:"clients,omitempty" maxItems:"100" doc:"Apps that have to be given"`
	Language string   `json:"language,omitempty" maxLength:"35" doc:"Of the mail, such as en or de"`
	Days     int      `json:"days,omitempty" minimum:"1" maximum:"60" doc:"How long it is good for; 14 when absent"`
}

type inviteInput struct {
	Body struct {
		Organization string `json:"organization" maxLength:"63"`
		Email        string `json:"email" maxLength:"254"`
		Name         string `json:"name,omitempty" maxLength:"200"`
		InviteDefaults
	}
}

func (in *inviteInput) organization() string { return in.Body.Organization }

type resendInput struct {
	InvitationPath
	Precondition
	Body struct {
		Days int `json:"days,omitempty" minimum:"1" maximum:"60" doc:"How long it is good for from now on; 14 when absent"`
	}
}

type revokeInput struct {
	InvitationPath
	Precondition
}

func (h *Handler) routeInvitations(t *table) {
	const tag = "invitations"
	endpoint(t, Admin, operation{Method: "GET", Path: "/invitations", In: anywhere, Name: "list-invitations", Summary: "List invitations", Tag: tag},
		func(ctx context.Context, _ Principal, in *listInvitationsInput) (*pageOutput[invitationView], error) {
			page, err := h.listInvitations(ctx, in.Paging, in.State, in.Organization)
			return &pageOutput[invitationView]{page}, err
		})
	endpoint(t, Admin, operation{Method: "POST", Path: "/invitations", In: byBody, Status: 201, Name: "create-invitation", Summary: "Invite an address; it gets a mail", Tag: tag},
		func(ctx context.Context, p Principal, in *inviteInput) (*one[invitationView], error) {
			return h.oneInvitation(h.invite(ctx, p, in))
		})
	endpoint(t, Admin, operation{
		Method: "POST", Path: "/invitations/import", In: byBody, Name: "import-invitations", MaxBody: maxImportBody,
		Summary: "Check a CSV text line by line, or invite everybody in it", Tag: tag,
	}, h.importInvitations)
	endpoint(t, Admin, operation{Method: "GET", Path: "/organizations/{organization}/invitations.csv", In: inOrganization, Name: "export-invitations", Summary: "All invitations of an organization as CSV, safe for spreadsheets", Tag: tag}, h.exportInvitations)
	endpoint(t, Admin, operation{Method: "GET", Path: "/invitations/{invitation}", In: byObject, Name: "get-invitation", Summary: "Show an invitation", Tag: tag},
		func(ctx context.Context, _ Principal, in *InvitationPath) (*one[invitationView], error) {
			return h.oneInvitation(h.getInvitation(ctx, in.ID))
		})
	endpoint(t, Admin, operation{Method: "POST", Path: "/invitations/{invitation}/resend", In: byObject, Name: "resend-invitation", Summary: "Mail it again with a new link; the link before is dead", Tag: tag},
		func(ctx context.Context, p Principal, in *resendInput) (*one[invitationView], error) {
			return h.oneInvitation(h.resendInvitation(ctx, p, in.ID, in.Body.Days, in.Precondition))
		})
	endpoint(t, Admin, operation{Method: "POST", Path: "/invitations/{invitation}/revoke", In: byObject, Name: "revoke-invitation", Summary: "Withdraw it; its link is dead", Tag: tag},
		func(ctx context.Context, p Principal, in *revokeInput) (*one[invitationView], error) {
			return h.oneInvitation(h.revokeInvitation(ctx, p, in.ID, in.Precondition))
		})
}

func (h *Handler) oneInvitation(i store.Invitation, err error) (*one[invitationView], error) {
	return &one[invitationView]{etag(i.Revision), h.viewInvitation(i)}, err
}

func (h *Handler) listInvitations(ctx context.Context, in Paging, state, organization string) (Page[invitationView], error) {
	l := listing[store.Invitation]{name: "invitations?state=" + state, organization: organization}
	if state == "" {
		l.all = h.store.Invitations.List
		l.of = func(tx store.Tx, organization string, p store.Page) ([]store.Invitation, string, error) {
			return h.store.Invitations.ByIndex(tx, "organization", organization, p)
		}
	} else {
		l.all = func(tx store.Tx, p store.Page) ([]store.Invitation, string, error) {
			return h.store.Invitations.ByIndex(tx, "state", state, p)
		}
		l.of = func(tx store.Tx, organization string, p store.Page) ([]store.Invitation, string, error) {
			return h.store.Invitations.ByIndex(tx, "organization_state", store.OrganizationState(organization, state), p)
		}
	}
	return listOf(ctx, h, in, l, plain(h.viewInvitation))
}

func (h *Handler) getInvitation(ctx context.Context, id string) (i store.Invitation, err error) {
	err = h.store.View(ctx, func(tx store.Tx) (err error) {
		i, err = h.store.Invitations.Get(tx, id)
		return err
	})
	return i, err
}

// invitee reads what an admin typed; the role is checked against the caller's.
func invitee(p Principal, organization, address, name string, d InviteDefaults) (who provisioning.Invitee, err error) {
	var f faults
	e, err := profile.ParseEmail(address)
	if err != nil {
		f.add("email", "is not an e-mail address")
	}
	f.text("name", name, 200, false)
	for i, g := range d.Groups {
		f.text(indexed("groups", i), g, 100, true)
	}
	if d.Language != "" && !visibleASCII(d.Language) {
		f.add("language", "must be a language tag such as en or de")
	}
	if err := f.join(); err != nil {
		return who, err
	}
	who = provisioning.Invitee{Email: e, Name: name, Role: d.Role, Groups: d.Groups, Clients: d.Clients, Language: d.Language, Days: d.Days}
	if who.Role == "" {
		who.Role = store.RoleUser
	}
	if who.Role != store.RoleUser && !p.mayGive(who.Role, organization) {
		return who, errForbidden
	}
	return who, nil
}

func (h *Handler) invite(ctx context.Context, p Principal, in *inviteInput) (saved store.Invitation, err error) {
	organization := in.Body.Organization
	who, err := invitee(p, organization, in.Body.Email, in.Body.Name, in.Body.InviteDefaults)
	if err != nil {
		return saved, err
	}
	made := provisioning.NewInvitationToken()
	err = h.change(ctx, p.within(organization), func(ch *store.Change) error {
		if ok, err := has(ch.Tx, h.store.Organizations, organization); err != nil || !ok {
			return errors.Join(err, fault("organization", "does not exist"))
		}
		if err := h.appsFor(ch.Tx, "clients", organization, who.Clients); err != nil {
			return err
		}
		saved, err = h.provisioner.Invite(ch, organization, who, p.UserID, made)
		return err
	})
	return saved, err
}

func (h *Handler) editInvitation(ctx context.Context, p Principal, id string, pre Precondition, do func(*store.Change) (store.Invitation, error)) (saved store.Invitation, err error) {
	err = h.change(ctx, p, func(ch *store.Change) error {
		i, err := h.store.Invitations.Get(ch.Tx, id)
		if err != nil {
			return err
		}
		if !p.mayTouch(i.Role, i.OrganizationID) {
			return errForbidden
		}
		if err := pre.match(i.Meta, nil); err != nil {
			return err
		}
		saved, err = do(ch)
		return err
	})
	return saved, err
}

func (h *Handler) resendInvitation(ctx context.Context, p Principal, id string, days int, pre Precondition) (store.Invitation, error) {
	made := provisioning.NewInvitationToken()
	return h.editInvitation(ctx, p, id, pre, func(ch *store.Change) (store.Invitation, error) {
		return h.provisioner.Resend(ch, id, days, made)
	})
}

func (h *Handler) revokeInvitation(ctx context.Context, p Principal, id string, pre Precondition) (store.Invitation, error) {
	return h.editInvitation(ctx, p, id, pre, func(ch *store.Change) (store.Invitation, error) {
		return h.provisioner.Revoke(ch, id)
	})
}
