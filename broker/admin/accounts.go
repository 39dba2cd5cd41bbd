package admin

import (
	"context"
	"errors"
	"net/http"

	"gatehouse/broker/local"
	"gatehouse/profile"
	"gatehouse/store"
)

type createUserInput struct {
	Body struct {
		Email string `json:"email" maxLength:"254" doc:"What the person types at the console's sign-in"`
		Name  string `json:"name,omitempty" maxLength:"200"`
		Role  string `json:"platform_role" enum:"owner,admin"`
	}
}

type passwordOutput struct {
	ETag string `header:"ETag"`
	Body struct {
		User     userView `json:"user"`
		Password string   `json:"password" doc:"Shown this once; the person changes it after signing in"`
	}
}

// createUser adds a console account with a made-up first password.
func (h *Handler) createUser(ctx context.Context, p Principal, in *createUserInput) (*passwordOutput, error) {
	email, err := profile.ParseEmail(in.Body.Email)
	if err != nil {
		return nil, fault("email", "is not an e-mail address")
	}
	plain := randomValue()
	hash, err := h.accounts.Hash(ctx, plain)
	if err != nil {
		return nil, err
	}
	u := store.User{
		ID: store.NewID(), Status: store.UserActive, PlatformRole: in.Body.Role, CreatedBy: p.UserID,
		Attributes: profile.Attributes{Email: email.String(), DisplayName: in.Body.Name},
	}
	out := &passwordOutput{}
	err = h.change(ctx, p, func(ch *store.Change) error {
		if err := h.insertAccount(ch.Tx, u, email, hash); err != nil {
			return err
		}
		saved, err := h.store.Users.Get(ch.Tx, u.ID)
		if err != nil {
			return err
		}
		out.ETag, out.Body.User, out.Body.Password = etag(saved.Revision), viewUser(saved), plain
		return ch.Record("user.create", "user/"+u.ID, difference(nil, viewUser(saved)))
	})
	return out, err
}

// insertAccount keeps a user with a password; the login is unique.
func (h *Handler) insertAccount(tx store.Tx, u store.User, login profile.Email, hash string) error {
	if err := h.store.Users.Insert(tx, u); err != nil {
		return err
	}
	return h.accounts.Insert(tx, u.ID, login, hash)
}

func (h *Handler) resetPassword(ctx context.Context, p Principal, in *userChangeInput) (*passwordOutput, error) {
	plain := randomValue()
	hash, err := h.accounts.Hash(ctx, plain)
	if err != nil {
		return nil, err
	}
	out := &passwordOutput{}
	saved, err := h.editUser(ctx, p, in.ID, "user.reset_password", in.Precondition, func(ch *store.Change, u *store.User) error {
		return h.accounts.SetPassword(ch.Tx, u.ID, hash, "", u.Language)
	})
	out.ETag, out.Body.User, out.Body.Password = etag(saved.Revision), viewUser(saved), plain
	return out, err
}

type changePasswordInput struct {
	Body struct {
		Current string `json:"current_password" maxLength:"256" writeOnly:"true"`
		New     string `json:"new_password" maxLength:"256" writeOnly:"true"`
	}
}

// changeOwnPassword asks for the current one: a session left open is not enough.
// Everything else that was signed in as this person ends.
func (h *Handler) changeOwnPassword(ctx context.Context, p Principal, in *changePasswordInput) (*none, error) {
	if err := ownCredentials(p); err != nil {
		return nil, err
	}
	proof, err := h.accounts.Again(ctx, p.UserID, in.Body.Current, p.from)
	switch {
	case errors.Is(err, local.ErrPaused):
		return nil, errPaused
	case errors.Is(err, local.ErrWrong):
		return nil, fault("current_password", "is not right")
	case err != nil:
		return nil, err
	}
	var login, language string
	if err := h.store.View(ctx, func(tx store.Tx) (err error) {
		if login, _, err = h.accounts.Login(tx, p.UserID); err != nil {
			return err
		}
		u, err := h.store.Users.Get(tx, p.UserID)
		language = u.Language
		return err
	}); err != nil {
		return nil, err
	}
	if wrong := local.PasswordFault(in.Body.New, login); wrong != "" {
		return nil, fault("new_password", "%s", wrong)
	}
	hash, err := h.accounts.Hash(ctx, in.Body.New)
	if err != nil {
		return nil, err
	}
	return nil, h.change(ctx, p, func(ch *store.Change) error {
		if err := h.accounts.Arrived(ch.Tx, proof); errors.Is(err, local.ErrWrong) {
			return store.ErrStale // someone else changed it while we hashed
		} else if err != nil {
			return err
		}
		if err := h.accounts.SetPassword(ch.Tx, p.UserID, hash, p.credential.sessionHash, language); err != nil {
			return err
		}
		return ch.Record("user.change_password", "user/"+p.UserID, nil)
	})
}

// ownCredentials refuses who is not a person at a browser: a token that leaked
// must not become an account.
func ownCredentials(p Principal) error {
	switch {
	case p.UserID == Operator:
		return problem(http.StatusConflict, "The operator has no account.")
	case p.Via != viaConsole:
		return problem(http.StatusForbidden, "An API token cannot look after credentials. Sign in to the console.")
	}
	return nil
}
