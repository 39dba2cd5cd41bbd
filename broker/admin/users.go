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

// userDetail adds where the person comes from and belongs to.
type userDetail struct {
	User        userView         `json:"user"`
	Identities  []identityView   `json:"identities"`
	Memberships []membershipView `json:"memberships"`
	Login       string           `json:"login,omitempty" doc:"Address of the console account, if there is one"`
}

type identityView struct {
	Connection    string     `json:"connection"`
	Issuer        string     `json:"issuer"`
	Subject       string     `json:"subject"`
	Email         string     `json:"email,omitempty"`
	EmailVerified bool       `json:"email_verified"`
	LastLoginAt   *time.Time `json:"last_login_at,omitempty"`
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
	endpoint(t, Admin, operation{Method: "GET", Path: "/users", Name: "list-users", Summary: "List users", Tag: "users"},
		func(ctx context.Context, _ Principal, in *Paging) (*pageOutput[userView], error) {
			page, err := list(ctx, h, "users", *in, h.store.Users.List, plain(viewUser))
			return &pageOutput[userView]{page}, err
		})
	endpoint(t, Admin, operation{Method: "GET", Path: "/users/{user}", Name: "get-user", Summary: "Show a user", Tag: "users"},
		func(ctx context.Context, _ Principal, in *UserPath) (*one[userDetail], error) {
			d, err := h.userDetail(ctx, in.ID)
			return &one[userDetail]{etag(d.User.Revision), d}, err
		})
	endpoint(t, Owner, operation{Method: "POST", Path: "/users", Name: "create-user", Summary: "Add a console account; its first password is shown once", Status: http.StatusCreated, Tag: "users"}, h.createUser)
	endpoint(t, Admin, operation{Method: "POST", Path: "/users/{user}/disable", Name: "disable-user", Summary: "Disable a user: sessions, grants and tokens die at once", Tag: "users"},
		func(ctx context.Context, p Principal, in *userChangeInput) (*one[userView], error) {
			return h.setUserStatus(ctx, p, in, store.UserDisabled)
		})
	endpoint(t, Admin, operation{Method: "POST", Path: "/users/{user}/enable", Name: "enable-user", Summary: "Enable a user again", Tag: "users"},
		func(ctx context.Context, p Principal, in *userChangeInput) (*one[userView], error) {
			return h.setUserStatus(ctx, p, in, store.UserActive)
		})
	endpoint(t, Admin, operation{Method: "POST", Path: "/users/{user}/sign-out", Name: "sign-out-user", Summary: "Sign a user out everywhere", Status: http.StatusNoContent, Tag: "users"}, h.signOutUser)
	endpoint(t, Owner, operation{Method: "PUT", Path: "/users/{user}/platform-role", Name: "set-user-role", Summary: "Give or take a platform role", Tag: "users"}, h.setUserRole)
	endpoint(t, Owner, operation{Method: "POST", Path: "/users/{user}/password", Name: "reset-user-password", Summary: "Replace a console account's password; the new one is shown once", Status: http.StatusCreated, Tag: "users"}, h.resetPassword)
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
			d.Identities = append(d.Identities, identityView{
				Connection: i.ConnectionID, Issuer: i.Issuer, Subject: i.Subject, Email: i.Attributes.Email,
				EmailVerified: i.EmailVerified, LastLoginAt: moment(i.LastLoginAt),
			})
		}
		memberships, _, err := h.store.Memberships.ByIndex(tx, "user", id, store.Page{Limit: 100})
		if err != nil {
			return err
		}
		for _, m := range memberships {
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
		if rank(before.PlatformRole) > rank(p.Role) {
			return errForbidden
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
			return h.endUser(ch.Tx, u.ID, "user_disabled")
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
		if rank(u.PlatformRole) > rank(p.Role) {
			return errForbidden
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
