package admin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
)

// userView is a person as the API shows them.
type userView struct {
	ID            string             `json:"id"`
	Revision      int64              `json:"revision"`
	CreatedAt     time.Time          `json:"created_at"`
	UpdatedAt     time.Time          `json:"updated_at"`
	Status        string             `json:"status" enum:"active,disabled"`
	PlatformRole  string             `json:"platform_role,omitempty" enum:"owner,admin"`
	Attributes    profile.Attributes `json:"attributes"`
	EmailVerified bool               `json:"email_verified"`
	CreatedBy     string             `json:"created_by,omitempty"`
	LastLoginAt   *time.Time         `json:"last_login_at,omitempty"`
}

// sourceView is where a person's attributes came from.
type sourceView struct {
	Connection string    `json:"connection"`
	At         time.Time `json:"at" doc:"When the connection last said so"`
}

// userDetail adds where the person comes from and belongs to.
type userDetail struct {
	User        userView         `json:"user"`
	Identities  []identityView   `json:"identities"`
	Memberships []membershipView `json:"memberships"`
	Source      *sourceView      `json:"source,omitempty" doc:"Who says what stands in attributes; absent: nobody, or somebody outside your organizations"`
	Login       string           `json:"login,omitempty" doc:"Address of the console account, if there is one"`
}

type identityView struct {
	ID            string     `json:"id" doc:"Names the identity of this user"`
	Connection    string     `json:"connection"`
	Issuer        string     `json:"issuer"`
	Subject       string     `json:"subject"`
	Email         string     `json:"email,omitempty"`
	EmailVerified bool       `json:"email_verified" doc:"The connection owns the domain and vouches for the address"`
	LastLoginAt   *time.Time `json:"last_login_at,omitempty" doc:"When it last vouched for what it says"`
	// Attributes are what this provider says, whatever the others do.
	Attributes profile.Attributes `json:"attributes"`
	Source     bool               `json:"source" doc:"The user's attributes are this one's"`
	LinkedBy   string             `json:"linked_by,omitempty" doc:"self, or the user id of the admin who linked it; absent: it came with the user"`
	LinkedAt   *time.Time         `json:"linked_at,omitempty"`
}

type membershipView struct {
	Organization string   `json:"organization"`
	Role         string   `json:"role"`
	Groups       []string `json:"groups"`
}

// moment is a time that may never have been.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func viewUser(u store.User) userView {
	return userView{
		ID: u.ID, Revision: u.Revision, CreatedAt: u.CreatedAt, UpdatedAt: u.UpdatedAt, Status: u.Status,
		PlatformRole: u.PlatformRole, Attributes: u.Attributes, EmailVerified: u.EmailVerified,
		CreatedBy: u.CreatedBy, LastLoginAt: moment(u.LastLoginAt),
	}
}

// UserPath names a user.
type UserPath struct {
	ID string `path:"user" maxLength:"64"`
}

type userChangeInput struct {
	UserPath
	Precondition
}

type userRoleInput struct {
	UserPath
	Precondition
	Body struct {
		Role string `json:"platform_role" enum:"owner,admin,none"`
	}
}

func (h *Handler) routeUsers(t *table) {
	endpoint(t, Admin, operation{Method: "GET", Path: "/users", In: anywhere, Name: "list-users", Summary: "List and search users", Tag: "users"},
		func(ctx context.Context, _ Principal, in *listUsersInput) (*pageOutput[userView], error) {
			page, err := h.listUsers(ctx, *in)
			return &pageOutput[userView]{page}, err
		})
	endpoint(t, Admin, operation{Method: "GET", Path: "/users/{user}", In: byObject, Name: "get-user", Summary: "Show a user", Tag: "users"},
		func(ctx context.Context, _ Principal, in *UserPath) (*one[userDetail], error) {
			d, err := h.userDetail(ctx, in.ID)
			return &one[userDetail]{etag(d.User.Revision), d}, err
		})
	endpoint(t, Owner, operation{Method: "POST", Path: "/users", Name: "create-user", Dangerous: true, Summary: "Add a console account; its first password is shown once", Status: http.StatusCreated, Tag: "users"}, h.createUser)
	endpoint(t, Admin, operation{Method: "POST", Path: "/users/{user}/disable", In: byObject, Name: "disable-user", Summary: "Disable a user: sessions, grants and tokens die at once", Tag: "users"},
		func(ctx context.Context, p Principal, in *userChangeInput) (*one[userView], error) {
			return h.setUserStatus(ctx, p, in, store.UserDisabled)
		})
	endpoint(t, Admin, operation{Method: "POST", Path: "/users/{user}/enable", In: byObject, Name: "enable-user", Summary: "Enable a user again", Tag: "users"},
		func(ctx context.Context, p Principal, in *userChangeInput) (*one[userView], error) {
			return h.setUserStatus(ctx, p, in, store.UserActive)
		})
	endpoint(t, Admin, operation{Method: "POST", Path: "/users/{user}/sign-out", In: byObject, Name: "sign-out-user", Summary: "Sign a user out everywhere", Status: http.StatusNoContent, Tag: "users"}, h.signOutUser)
	endpoint(t, Admin, operation{Method: "DELETE", Path: "/users/{user}", In: byObject, Name: "remove-user", Summary: "Remove a user: identities, memberships, credentials and tokens go, and the id is never given out again", Status: http.StatusNoContent, Tag: "users", Dangerous: true}, h.removeUser)
	endpoint(t, Admin, operation{Method: "POST", Path: "/users/{user}/unlink", In: byObject, Name: "unlink-identity", Summary: "Take an identity from a user; the last one stays", Status: http.StatusNoContent, Tag: "users", Dangerous: true}, h.unlinkIdentity)
	endpoint(t, Owner, operation{Method: "PUT", Path: "/users/{user}/platform-role", Name: "set-user-role", Dangerous: true, Summary: "Give or take a platform role", Tag: "users"}, h.setUserRole)
	endpoint(t, Owner, operation{Method: "POST", Path: "/users/{user}/password", Name: "reset-user-password", Dangerous: true, Summary: "Replace a console account's password; the new one is shown once", Status: http.StatusCreated, Tag: "users"}, h.resetPassword)
}

type listUsersInput struct {
	Paging
	UserFilter
	Organization string `query:"organization" maxLength:"63" doc:"Only its members"`
}

func (h *Handler) listUsers(ctx context.Context, in listUsersInput) (Page[userView], error) {
	p := principalFrom(ctx)
	if in.Connection != "" && !Admin.Allows(p, Object{}) { // who has an identity elsewhere is not theirs to know
		var c store.Connection
		err := h.store.View(ctx, func(tx store.Tx) (err error) {
			c, err = h.store.Connections.Get(tx, in.Connection)
			return err
		})
		if err != nil {
			return Page[userView]{}, err
		}
		if !p.sees(c.OrganizationID) {
			return Page[userView]{}, store.ErrNotFound
		}
	}
	return listOf(ctx, h, in.Paging, listing[store.User]{
		name: "users\n" + in.UserFilter.name(), organization: in.Organization,
		all: func(tx store.Tx, p store.Page) ([]store.User, string, error) {
			return usersOf(h.searchUsers(tx, "", in.UserFilter, p))
		},
		of: func(tx store.Tx, organization string, p store.Page) ([]store.User, string, error) {
			return usersOf(h.searchUsers(tx, organization, in.UserFilter, p))
		},
	}, plain(viewUser))
}

func (h *Handler) userDetail(ctx context.Context, id string) (userDetail, error) {
	d := userDetail{Identities: []identityView{}, Memberships: []membershipView{}}
	err := h.store.View(ctx, func(tx store.Tx) error {
		u, err := h.store.Users.Get(tx, id)
		if err != nil {
			return err
		}
		d.User = viewUser(u)
		identities, _, err := h.store.Identities.ByIndex(tx, "user", id, store.Page{Limit: 100})
		if err != nil {
			return err
		}
		for _, i := range identities {
			if c, err := h.store.Connections.Get(tx, i.ConnectionID); err == nil && !principalFrom(ctx).sees(c.OrganizationID) {
				continue
			}
			source := string(u.Source) == store.IdentityKey(i.ConnectionID, i.Issuer, i.Subject)
			if source {
				d.Source = &sourceView{i.ConnectionID, i.LastLoginAt}
			}
			d.Identities = append(d.Identities, identityView{
				ID: identityID(i), Connection: i.ConnectionID, Issuer: i.Issuer, Subject: i.Subject, Email: i.Attributes.Email,
				EmailVerified: i.EmailVerified, LastLoginAt: moment(i.LastLoginAt), Attributes: i.Attributes, Source: source,
				LinkedBy: i.LinkedBy, LinkedAt: moment(i.LinkedAt),
			})
		}
		memberships, _, err := h.store.Memberships.ByIndex(tx, "user", id, store.Page{Limit: 100})
		if err != nil {
			return err
		}
		p := principalFrom(ctx)
		for _, m := range memberships {
			if !p.sees(m.OrganizationID) {
				continue
			}
			d.Memberships = append(d.Memberships, membershipView{Organization: m.OrganizationID, Role: m.Role, Groups: listed(m.Groups)})
		}
		pw, err := h.store.Passwords.Get(tx, id)
		if err == nil {
			d.Login = pw.Login
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return nil
	})
	return d, err
}

// editUser changes a user nobody below them may touch (B6), keeps the last
// owner, and records it.
func (h *Handler) editUser(ctx context.Context, p Principal, id, action string, pre Precondition, edit func(*store.Change, *store.User) error) (saved store.User, err error) {
	err = h.change(ctx, p, func(ch *store.Change) error {
		before, err := h.store.Users.Get(ch.Tx, id)
		if err != nil {
			return err
		}
		if err := pre.match(before.Meta, nil); err != nil {
			return err
		}
		if err := h.mayTouchUser(ch.Tx, p, before); err != nil {
			return err
		}
		after := before
		if err := edit(ch, &after); err != nil {
			return err
		}
		if err := h.store.Users.Put(ch.Tx, after); err != nil {
			return err
		}
		if before.PlatformRole == store.RoleOwner {
			if err := h.ownerStays(ch.Tx); err != nil {
				return err
			}
		}
		if saved, err = h.store.Users.Get(ch.Tx, id); err != nil {
			return err
		}
		return ch.Record(action, "user/"+id, difference(viewUser(before), viewUser(saved)))
	})
	return saved, err
}

// ownerStays is checked at the end of every change that could take the last
// active owner away, inside its transaction, so two owners who demote each
// other at once cannot both succeed.
func (h *Handler) ownerStays(tx store.Tx) error {
	for u, err := range h.store.Users.AllByIndex(tx, "platform_role", store.RoleOwner) {
		if err != nil {
			return err
		}
		if u.Status == store.UserActive {
			return nil
		}
	}
	return errLastOwner
}

func (h *Handler) setUserStatus(ctx context.Context, p Principal, in *userChangeInput, status string) (*one[userView], error) {
	action := "user.enable"
	if status == store.UserDisabled {
		action = "user.disable"
	}
	saved, err := h.editUser(ctx, p, in.ID, action, in.Precondition, func(ch *store.Change, u *store.User) error {
		u.Status = status
		if status == store.UserDisabled {
			return h.disabled(ch.Tx, p, u)
		}
		return nil
	})
	return &one[userView]{etag(saved.Revision), viewUser(saved)}, err
}

// endUser ends every session, grant and API token of a user.
func (h *Handler) endUser(tx store.Tx, id, reason string) error {
	if err := h.provisioner.EndUser(tx, id, reason); err != nil {
		return err
	}
	if err := h.endSessions(tx, id, ""); err != nil {
		return err
	}
	return h.endTokens(tx, id)
}

func (h *Handler) signOutUser(ctx context.Context, p Principal, in *UserPath) (*none, error) {
	return nil, h.change(ctx, p, func(ch *store.Change) error {
		u, err := h.store.Users.Get(ch.Tx, in.ID)
		if err != nil {
			return err
		}
		if err := h.mayTouchUser(ch.Tx, p, u); err != nil {
			return err
		}
		if err := h.provisioner.EndUser(ch.Tx, in.ID, "signed_out_by_admin"); err != nil {
			return err
		}
		if err := h.endSessions(ch.Tx, in.ID, ""); err != nil {
			return err
		}
		return ch.Record("user.sign_out", "user/"+in.ID, nil)
	})
}

// setUserRole ends the person's console sessions: a role change makes a new
// sign-in necessary (L1).
func (h *Handler) setUserRole(ctx context.Context, p Principal, in *userRoleInput) (*one[userView], error) {
	saved, err := h.editUser(ctx, p, in.ID, "user.set_role", in.Precondition, func(ch *store.Change, u *store.User) error {
		u.PlatformRole = in.Body.Role
		if in.Body.Role == "none" {
			u.PlatformRole = ""
		}
		return h.endSessions(ch.Tx, u.ID, "")
	})
	return &one[userView]{etag(saved.Revision), viewUser(saved)}, err
}
