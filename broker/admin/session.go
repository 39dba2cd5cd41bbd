package admin

import (
	"context"
	"time"

	"gatehouse/store"
)

// What a console session lasts when the configuration does not say.
const (
	sessionIdle     = 30 * time.Minute
	sessionAbsolute = 12 * time.Hour
	// renewEvery is how old LastSeenAt gets before it is written again.
	renewEvery = time.Minute
)

// validSession is the one reader of console sessions (L5): ErrNotFound for
// unknown, expired and foreign ones. Sessions of the public listener do not
// open the console, even with the same id.
func (h *Handler) validSession(tx store.Tx, hash string) (store.Session, error) {
	s, err := h.store.Sessions.Get(tx, hash)
	if err != nil {
		return store.Session{}, err
	}
	if !s.Console || !s.Valid(h.now()) {
		return store.Session{}, store.ErrNotFound
	}
	if s.Parent != "" || s.ConnectionID != "" {
		if err := h.throughCompany(tx, s); err != nil {
			return store.Session{}, err
		}
	}
	return s, nil
}

// draftSession makes a session with a new id (L1); the value is for the cookie.
func (h *Handler) draftSession(userID string) (s store.Session, value string) {
	value = randomValue()
	now := h.now().UTC()
	return store.Session{
		KeyHash: store.HashToken(value), SID: store.NewID(), UserID: userID, Console: true,
		AuthTime: now, AMR: []string{"pwd"}, CreatedAt: now, LastSeenAt: now,
		IdleExpiresAt: now.Add(h.policy.idle), ExpiresAt: now.Add(h.policy.absolute),
	}, value
}

// touch moves the idle limit, at most once a minute. A session that ended in
// the meantime stays ended: there is no record to write.
func (h *Handler) touch(ctx context.Context, hash string) {
	due := false
	if err := h.store.View(ctx, func(tx store.Tx) error {
		s, err := h.validSession(tx, hash)
		due = err == nil && h.now().Sub(s.LastSeenAt) >= renewEvery
		return nil
	}); err != nil || !due {
		return
	}
	err := h.store.Update(ctx, func(tx store.Tx) error {
		s, err := h.validSession(tx, hash)
		if err != nil {
			return err
		}
		s.LastSeenAt = h.now().UTC()
		s.IdleExpiresAt = s.LastSeenAt.Add(h.policy.idle)
		return h.store.Sessions.Put(tx, s)
	})
	if err != nil {
		h.log.DebugContext(ctx, "console session not renewed", "error", err)
	}
}

// endSessions deletes a user's console sessions but one, inside a change.
func (h *Handler) endSessions(tx store.Tx, userID, except string) error {
	for s, err := range h.store.Sessions.AllByIndex(tx, "user", userID) {
		if err != nil {
			return err
		}
		if s.Console && s.KeyHash != except {
			if err := h.store.Sessions.Delete(tx, s.KeyHash); err != nil {
				return err
			}
		}
	}
	return nil
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
