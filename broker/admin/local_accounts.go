package admin

import (
	"context"
	"errors"
	"net/http"

	"gatehouse/broker/local"
	"gatehouse/profile"
	"gatehouse/store"
)

type createLocalAccountInput struct {
	ID   string `path:"connection" maxLength:"63"`
	Body struct {
		User     string `json:"user,omitempty" maxLength:"64" doc:"A member of the connection's organization who gets the account; a new person when absent"`
		Email    string `json:"email,omitempty" maxLength:"254" doc:"Login of a new person; a member's own address is taken"`
		Name     string `json:"name,omitempty" maxLength:"200"`
		Role     string `json:"role,omitempty" enum:"user,admin,owner" doc:"Of a new person; user when absent"`
		Language string `json:"language,omitempty" maxLength:"35" doc:"Of the mail, such as de"`
	}
}

type localAccountView struct {
	User  string `json:"user"`
	Login string `json:"login"`
}

type localAccountOutput struct {
	Body localAccountView
}

// credentialsPath names the user whose local credentials a route is about.
type credentialsPath struct {
	ID string `path:"user" maxLength:"64"`
}

// routeLocalAccounts is what admins do with other people's local accounts. They
// never see or choose a password: its owner sets it by a mailed link.
func (h *Handler) routeLocalAccounts(t *table) {
	endpoint(t, Admin, operation{
		Method: "POST", Path: "/connections/{connection}/accounts", In: byObject, Name: "create-local-account",
		Summary: "Make a local account; its owner gets a mail and sets the password", Status: http.StatusCreated, Tag: "local-accounts",
	}, h.createLocalAccount)
	endpoint(t, Admin, operation{
		Method: "POST", Path: "/users/{user}/password-link", In: byObject, Name: "send-password-link",
		Summary: "Mail a user a link to set a new password", Status: http.StatusNoContent, Tag: "local-accounts",
	}, h.sendPasswordLink)
	endpoint(t, Admin, operation{
		Method: "DELETE", Path: "/users/{user}/second-factor", In: byObject, Name: "reset-second-factor",
		Summary: "Remove a user's passkeys, authenticator app and recovery codes", Status: http.StatusNoContent, Tag: "local-accounts", Dangerous: true,
	}, h.resetSecondFactor)
	endpoint(t, Admin, operation{
		Method: "DELETE", Path: "/users/{user}/credentials", In: byObject, Name: "remove-local-credentials",
		Summary: "Remove a user's password and factors; sessions and API tokens end", Status: http.StatusNoContent, Tag: "local-accounts", Dangerous: true,
	}, h.removeLocalCredentials)

	page(t, Admin, "GET", "/new/local-accounts", "local-connection-new", h.showNewLocalConnection).in(anywhere).does("create-connection")
	page(t, Admin, "POST", "/new/local-accounts", "local-connection-new-post", h.doNewLocalConnection).in(anywhere).does("create-connection")
	page(t, Admin, "GET", "/connections/{connection}/accounts", "local-account-new", h.showNewLocalAccount).in(byObject).does("create-local-account")
	page(t, Admin, "POST", "/connections/{connection}/accounts", "local-account-new-post", h.doNewLocalAccount).in(byObject).does("create-local-account")
	page(t, Admin, "POST", "/users/{user}/password-link", "user-password-link", h.doCredentials).in(byObject).does("send-password-link")
	page(t, Admin, "POST", "/users/{user}/reset-factor", "user-reset-factor", h.doCredentials).in(byObject).does("reset-second-factor").dangerous()
	page(t, Admin, "POST", "/users/{user}/remove-credentials", "user-remove-credentials", h.doCredentials).in(byObject).does("remove-local-credentials").dangerous()
}

// createLocalAccount keeps user, identity, membership and a credential without
// password, and mails the link that sets one. Until the link is used the
// address counts as unproven and nobody gets in (SECURITY-CASES N3).
func (h *Handler) createLocalAccount(ctx context.Context, p Principal, in *createLocalAccountInput) (*localAccountOutput, error) {
	if in.Body.Role == "" {
		in.Body.Role = store.RoleUser
	}
	var f faults
	f.text("name", in.Body.Name, 200, false)
	if err := f.join(); err != nil {
		return nil, err
	}
	id, token := store.NewID(), local.NewToken()
	out := &localAccountOutput{}
	err := h.change(ctx, p, func(ch *store.Change) error {
		c, err := h.store.Connections.Get(ch.Tx, in.ID)
		if err != nil {
			return err
		}
		if c.Kind != store.KindLocal {
			return problem(http.StatusConflict, "This connection has a provider of its own: its accounts are made there.")
		}
		a := localAccount{conn: c, userID: id, name: in.Body.Name, role: in.Body.Role, language: in.Body.Language}
		if in.Body.User != "" {
			err = h.accountOfMember(ch.Tx, p, in.Body.User, &a)
		} else if a.email, err = profile.ParseEmail(in.Body.Email); err != nil {
			err = fault("email", "is not an e-mail address")
		} else if !p.mayGive(a.role, c.OrganizationID) {
			err = errForbidden
		}
		if err != nil {
			return err
		}
		if err := h.keepLocalAccount(ch.Tx, p, a); err != nil {
			return err
		}
		if err := h.accounts.MailReset(ch.Tx, a.userID, a.language, token); err != nil {
			return err
		}
		out.Body = localAccountView{User: a.userID, Login: a.email.Key()}
		return ch.Record("local_account.create", "user/"+a.userID, difference(nil, struct {
			localAccountView
			Connection string `json:"connection"`
			Role       string `json:"role,omitempty"`
		}{out.Body, c.ID, a.role}))
	})
	return out, err
}

// localAccount is one to be made.
type localAccount struct {
	conn           store.Connection
	userID         string
	member         *store.User // who has a membership already
	email          profile.Email
	name, language string
	role           string
}

// accountOfMember fills in a member who gets an account besides what they have.
func (h *Handler) accountOfMember(tx store.Tx, p Principal, userID string, a *localAccount) error {
	m, err := h.store.Memberships.Get(tx, store.MembershipKey(a.conn.OrganizationID, userID))
	if errors.Is(err, store.ErrNotFound) {
		return fault("user", "is not a member of the connection's organization")
	}
	if err != nil {
		return err
	}
	u, err := h.store.Users.Get(tx, userID)
	if err != nil {
		return err
	}
	if rank(u.PlatformRole) > rank(p.Role) || !p.mayTouch(m.Role, a.conn.OrganizationID) {
		return errForbidden
	}
	if a.email, err = profile.ParseEmail(u.Attributes.Email); err != nil {
		return fault("user", "has no e-mail address to sign in with")
	}
	a.member, a.userID, a.name, a.role = &u, u.ID, attributesName(u.Attributes), ""
	if a.language == "" {
		a.language = u.Language
	}
	return nil
}

func (h *Handler) keepLocalAccount(tx store.Tx, p Principal, a localAccount) error {
	attributes := profile.Attributes{FederationID: a.userID, Email: a.email.String(), DisplayName: a.name}
	identity := store.Identity{ConnectionID: a.conn.ID, Issuer: h.issuer, Subject: a.userID, UserID: a.userID, Attributes: attributes}
	if a.member == nil {
		u := store.User{
			ID: a.userID, Status: store.UserActive, Attributes: attributes, CreatedBy: p.UserID, Language: a.language,
			Source: []byte(store.IdentityKey(identity.ConnectionID, identity.Issuer, identity.Subject)),
		}
		m := store.Membership{OrganizationID: a.conn.OrganizationID, UserID: a.userID, Role: a.role, ConnectionID: a.conn.ID}
		if err := errors.Join(h.store.Users.Insert(tx, u), h.store.Memberships.Insert(tx, m)); err != nil {
			return err
		}
		if err := h.store.Tell(tx, store.Event{
			Kind: store.EventUserCreated, OrganizationID: a.conn.OrganizationID, Subject: a.userID,
			Detail: map[string]string{"connection": a.conn.ID, "created_by": p.UserID},
		}); err != nil {
			return err
		}
	} else {
		identity.LinkedBy, identity.LinkedAt = p.UserID, h.now().UTC()
	}
	if err := h.store.Identities.Insert(tx, identity); err != nil {
		return err
	}
	err := h.accounts.Insert(tx, a.userID, a.email, "")
	if errors.Is(err, local.ErrTaken) {
		return problem(http.StatusConflict, "There is an account with this address already.")
	}
	return err
}

// aboutCredentials runs a change of somebody else's credentials.
func (h *Handler) aboutCredentials(ctx context.Context, p Principal, userID, action string, fn func(store.Tx, store.User) error) (*none, error) {
	return nil, h.change(ctx, p, func(ch *store.Change) error {
		u, err := h.store.Users.Get(ch.Tx, userID)
		if err != nil {
			return err
		}
		if rank(u.PlatformRole) > rank(p.Role) {
			return errForbidden
		}
		if err := fn(ch.Tx, u); errors.Is(err, local.ErrNoAccount) {
			return problem(http.StatusConflict, "This person has no local account.")
		} else if err != nil {
			return err
		}
		return ch.Record(action, "user/"+userID, nil)
	})
}

func (h *Handler) sendPasswordLink(ctx context.Context, p Principal, in *credentialsPath) (*none, error) {
	token := local.NewToken()
	return h.aboutCredentials(ctx, p, in.ID, "user.password_link", func(tx store.Tx, u store.User) error {
		return h.accounts.MailReset(tx, u.ID, u.Language, token)
	})
}

// resetSecondFactor is for people whose device is lost. They are told by mail:
// if they did not ask for it, somebody is after their account.
func (h *Handler) resetSecondFactor(ctx context.Context, p Principal, in *credentialsPath) (*none, error) {
	return h.aboutCredentials(ctx, p, in.ID, "user.reset_second_factor", func(tx store.Tx, u store.User) error {
		if err := h.accounts.ResetFactors(tx, u.ID, u.Language); err != nil {
			return err
		}
		return h.provisioner.EndUser(tx, u.ID, "second_factor_reset")
	})
}

func (h *Handler) removeLocalCredentials(ctx context.Context, p Principal, in *credentialsPath) (*none, error) {
	return h.aboutCredentials(ctx, p, in.ID, "user.remove_credentials", func(tx store.Tx, u store.User) error {
		if _, _, err := h.accounts.Login(tx, u.ID); err != nil {
			return err
		}
		if u.ID == p.UserID {
			return problem(http.StatusConflict, "This is your own account. Ask another admin.")
		}
		return h.accounts.Remove(tx, u.ID)
	})
}
