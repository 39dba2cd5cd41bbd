package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"gatehouse/broker/local"
	"gatehouse/profile"
	"gatehouse/store"
	"gatehouse/templates"
)

// setupFor is how long a set-up link works; the next start makes a new one.
const setupFor = 24 * time.Hour

// ErrOwnerExists: there is an owner already, so none can be set up.
var ErrOwnerExists = errors.New("admin: there is an owner already")

// EnsureSetupLink makes a new one-time set-up token when the store has no
// owner; earlier ones stop working. needed is false, and plain empty, when an
// owner exists. Show plain to whoever starts the process (see SetupURL): it is
// stored as a hash and cannot be shown again.
func EnsureSetupLink(ctx context.Context, s *store.Store) (plain string, needed bool, err error) {
	token := randomValue()
	system := store.Actor{UserID: "system", Via: "system"}
	var exists bool
	err = s.View(ctx, func(tx store.Tx) (err error) {
		exists, err = anyOwner(tx, s)
		return err
	})
	if err != nil || exists {
		return "", false, err
	}
	err = s.Change(ctx, system, func(ch *store.Change) error {
		if exists, err := anyOwner(ch.Tx, s); err != nil || exists {
			return errors.Join(err, ErrOwnerExists)
		}
		if err := dropSetupLinks(ch.Tx, s); err != nil {
			return err
		}
		expires := s.Now().UTC().Add(setupFor)
		if err := s.SetupLinks.Insert(ch.Tx, store.SetupLink{Hash: store.HashToken(token), ExpiresAt: expires}); err != nil {
			return err
		}
		return ch.Record("setup.link", "setup", map[string]any{"expires_at": expires})
	})
	switch {
	case errors.Is(err, ErrOwnerExists):
		return "", false, nil
	case err != nil:
		return "", false, fmt.Errorf("admin: set-up link: %w", err)
	}
	return token, true, nil
}

// SetupURL is the address to open for a token of EnsureSetupLink.
func SetupURL(baseURL, token string) string {
	return baseURL + "/setup?" + url.Values{"token": {token}}.Encode()
}

func anyOwner(tx store.Tx, s *store.Store) (bool, error) {
	owners, _, err := s.Users.ByIndex(tx, "platform_role", store.RoleOwner, store.Page{Limit: 1})
	return len(owners) > 0, err
}

func dropSetupLinks(tx store.Tx, s *store.Store) error {
	links, _, err := s.SetupLinks.List(tx, store.Page{Limit: 100})
	for _, l := range links {
		if err := s.SetupLinks.Delete(tx, l.Hash); err != nil {
			return err
		}
	}
	return err
}

// newOwner is the first owner.
type newOwner struct {
	email, password string
	actor           store.Actor
}

// createOwner makes the first owner: exactly one caller of many succeeds, the
// others get ErrOwnerExists, and every set-up link dies. claim, which must find
// the caller's link, runs in the same Update.
func createOwner(ctx context.Context, s *store.Store, accounts *local.Accounts, o newOwner, claim func(store.Tx) error) (store.User, error) {
	email, err := profile.ParseEmail(o.email)
	if err != nil {
		return store.User{}, fault("email", "is not an e-mail address")
	}
	if wrong := local.PasswordFault(o.password, email.String()); wrong != "" {
		return store.User{}, fault("password", "%s", wrong)
	}
	hash, err := accounts.Hash(ctx, o.password)
	if err != nil {
		return store.User{}, err
	}
	u := store.User{
		ID: store.NewID(), Status: store.UserActive, PlatformRole: store.RoleOwner, CreatedBy: "system",
		Attributes: profile.Attributes{Email: email.String()},
	}
	err = s.Change(ctx, o.actor, func(ch *store.Change) error {
		if err := claim(ch.Tx); err != nil {
			return err
		}
		if exists, err := anyOwner(ch.Tx, s); err != nil {
			return err
		} else if exists {
			return ErrOwnerExists
		}
		if err := dropSetupLinks(ch.Tx, s); err != nil {
			return err
		}
		if err := s.Users.Insert(ch.Tx, u); err != nil {
			return err
		}
		if err := accounts.Insert(ch.Tx, u.ID, email, hash); err != nil {
			return err
		}
		return ch.Record("user.create_owner", "user/"+u.ID, difference(nil, viewUser(u)))
	})
	return u, err
}

// setupLink finds a link that still works; ErrNotFound otherwise.
func (h *Handler) setupLink(tx store.Tx, token string) error {
	link, err := h.store.SetupLinks.Get(tx, store.HashToken(token))
	if err != nil {
		return err
	}
	if !h.now().Before(link.ExpiresAt) {
		return store.ErrNotFound
	}
	return nil
}

func (h *Handler) showSetup(w http.ResponseWriter, r *http.Request, p Principal) {
	token := r.URL.Query().Get("token")
	err := h.store.View(r.Context(), func(tx store.Tx) error { return h.setupLink(tx, token) })
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	h.drawSetup(w, r, http.StatusOK, templates.SetupPage{Fields: []templates.Field{{Name: "token", Value: token}}})
}

func (h *Handler) drawSetup(w http.ResponseWriter, r *http.Request, status int, page templates.SetupPage) {
	page.Action, page.MinLength = "/setup", local.MinPassword
	_, page.CSRF = h.anonymous(w, r)
	h.drawn(r, h.in(r, Principal{}).Setup(w, status, page))
}

// doSetup makes the first owner and signs them in.
func (h *Handler) doSetup(w http.ResponseWriter, r *http.Request, p Principal) {
	if !h.accounts.MayTry(remoteHost(r)) {
		h.pageProblem(w, r, p, problem(http.StatusTooManyRequests, ""))
		return
	}
	token, email, password := r.PostForm.Get("token"), r.PostForm.Get("email"), r.PostForm.Get("password")
	again := templates.SetupPage{Email: clip(email), Fields: []templates.Field{{Name: "token", Value: token}}}
	if password != r.PostForm.Get("password_again") {
		again.Error = "The two passwords differ."
		h.drawSetup(w, r, http.StatusUnprocessableEntity, again)
		return
	}
	// Look before hashing, so that a guess costs nothing; the transaction looks again.
	if err := h.store.View(r.Context(), func(tx store.Tx) error { return h.setupLink(tx, token) }); err != nil {
		h.pageError(w, r, p, err)
		return
	}
	u, err := createOwner(r.Context(), h.store, h.accounts, newOwner{
		email: email, password: password,
		actor: store.Actor{UserID: "system", Via: viaConsole, From: remoteHost(r), RequestID: r.Header.Get("X-Request-Id")},
	}, func(tx store.Tx) error { return h.setupLink(tx, token) })
	if faults := fieldErrors(err); len(faults) > 0 {
		again.Error = sentence(faults[0])
		h.drawSetup(w, r, http.StatusUnprocessableEntity, again)
		return
	}
	if errors.Is(err, ErrOwnerExists) {
		err = store.ErrNotFound
	}
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	h.arrive(w, r, local.Proof{UserID: u.ID}, "/")
}

// sentence makes words for a form of a field error.
func sentence(f *profile.FieldError) string {
	names := map[string]string{
		"email": "The e-mail address", "password": "The password", "new_password": "The new password",
		"current_password": "The current password", "reason": "The reason",
	}
	name, ok := names[f.Path]
	if !ok {
		name = f.Path
	}
	return name + " " + f.Problem + "."
}
