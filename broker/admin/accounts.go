package admin

import (
	"context"
	"errors"
	"net/http"

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
	hash, err := h.passwords.hash(ctx, plain)
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
	return h.store.Passwords.Insert(tx, store.Password{UserID: u.ID, Login: login.Key(), Hash: hash, ChangedAt: h.now().UTC()})
}

func (h *Handler) resetPassword(ctx context.Context, p Principal, in *userChangeInput) (*passwordOutput, error) {
	plain := randomValue()
	hash, err := h.passwords.hash(ctx, plain)
	if err != nil {
		return nil, err
	}
	out := &passwordOutput{}
	saved, err := h.editUser(ctx, p, in.ID, "user.reset_password", in.Precondition, func(ch *store.Change, u *store.User) error {
		return h.writePassword(ch.Tx, u.ID, hash, "")
	})
	out.ETag, out.Body.User, out.Body.Password = etag(saved.Revision), viewUser(saved), plain
	return out, err
}

// writePassword replaces a hash and ends every other console session and all
// API tokens of the account: who knew the old password is out (L4).
func (h *Handler) writePassword(tx store.Tx, userID, hash, keepSession string) error {
	pw, err := h.store.Passwords.Get(tx, userID)
	if errors.Is(err, store.ErrNotFound) {
		return problem(http.StatusConflict, "This user has no console account.")
	}
	if err != nil {
		return err
	}
	pw.Hash, pw.ChangedAt, pw.Failures = hash, h.now().UTC(), 0
	if err := h.store.Passwords.Put(tx, pw); err != nil {
		return err
	}
	if err := h.endTokens(tx, userID); err != nil {
		return err
	}
	return h.endSessions(tx, userID, keepSession)
}

// endTokens deletes a user's API tokens.
func (h *Handler) endTokens(tx store.Tx, userID string) error {
	for t, err := range h.store.APITokens.AllByIndex(tx, "user", userID) {
		if err != nil {
			return err
		}
		if err := h.store.APITokens.Delete(tx, t.Hash); err != nil {
			return err
		}
	}
	return nil
}

type changePasswordInput struct {
	Body struct {
		Current string `json:"current_password" maxLength:"256" writeOnly:"true"`
		New     string `json:"new_password" maxLength:"256" writeOnly:"true"`
	}
}

// changeOwnPassword asks for the current one: a session left open is not enough.
func (h *Handler) changeOwnPassword(ctx context.Context, p Principal, in *changePasswordInput) (*none, error) {
	if p.UserID == Operator {
		return nil, problem(http.StatusConflict, "The operator has no password.")
	}
	if !h.limits.network(p.from) {
		return nil, problem(http.StatusTooManyRequests, "Too many tries from your network. Wait a minute.")
	}
	var pw store.Password
	if err := h.store.View(ctx, func(tx store.Tx) (err error) {
		pw, err = h.store.Passwords.Get(tx, p.UserID)
		return err
	}); err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	ok, err := h.passwords.verify(ctx, pw.Hash, in.Body.Current)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fault("current_password", "is not right")
	}
	if err := checkPassword("new_password", in.Body.New, pw.Login); err != nil {
		return nil, err
	}
	hash, err := h.passwords.hash(ctx, in.Body.New)
	if err != nil {
		return nil, err
	}
	return nil, h.change(ctx, p, func(ch *store.Change) error {
		now, err := h.store.Passwords.Get(ch.Tx, p.UserID)
		if err != nil {
			return err
		}
		if now.Hash != pw.Hash { // someone else changed it while we hashed
			return store.ErrStale
		}
		if err := h.writePassword(ch.Tx, p.UserID, hash, p.credential.sessionHash); err != nil {
			return err
		}
		return ch.Record("user.change_password", "user/"+p.UserID, nil)
	})
}
