package admin

import (
	"context"

	"gatehouse/broker/local"
	"gatehouse/profile"
	"gatehouse/store"
)

// NewAccount keeps a console account of any role.
func NewAccount(ctx context.Context, s *store.Store, email, password, role string) (store.User, error) {
	e, err := profile.ParseEmail(email)
	if err != nil {
		return store.User{}, err
	}
	hash, err := local.NewHasher().Hash(ctx, password)
	if err != nil {
		return store.User{}, err
	}
	u := store.User{ID: store.NewID(), Status: store.UserActive, PlatformRole: role, Attributes: profile.Attributes{Email: e.String()}}
	return u, s.Update(ctx, func(tx store.Tx) error {
		if err := s.Users.Insert(tx, u); err != nil {
			return err
		}
		return s.Passwords.Insert(tx, store.Password{UserID: u.ID, Login: e.Key(), Hash: hash, ChangedAt: s.Now()})
	})
}

// Redirect and cursor internals for fuzzing.
var (
	RedirectFault = redirectFault
	NewCursors    = newCursors
)

func (c cursors) Encode(list, key string) string             { return c.encode(list, key) }
func (c cursors) Decode(list, cursor string) (string, error) { return c.decode(list, cursor) }

// ChangeAs resolves a token as a request would, runs between, and then changes.
func (h *Handler) ChangeAs(ctx context.Context, token string, level Level, between func(), fn func(*store.Change) error) error {
	var p Principal
	if err := h.store.View(ctx, func(tx store.Tx) (err error) {
		p, err = h.resolve(tx, credential{tokenHash: store.HashToken(token)})
		return err
	}); err != nil {
		return err
	}
	p.gate = gate{level: level}
	between()
	return h.change(ctx, p, fn)
}

// ChangeWithin does so for a change that was bound to an organization; with ""
// it was forgotten to.
func (h *Handler) ChangeWithin(ctx context.Context, token string, level Level, organization string, between func(), fn func(*store.Change) error) error {
	var p Principal
	if err := h.store.View(ctx, func(tx store.Tx) (err error) {
		p, err = h.resolve(tx, credential{tokenHash: store.HashToken(token)})
		return err
	}); err != nil {
		return err
	}
	p.gate = gate{level: level, scope: anywhere}
	if organization != "" {
		p = p.within(organization)
	}
	between()
	return h.change(ctx, p, fn)
}
