package session

import (
	"errors"
	"net/http"

	"github.com/gorilla/sessions"

	"gatehouse/store"
)

type recordKey struct{}

// browserStore implements sessions.Store over our store: the cookie carries a
// random value, the record is found by its hash and lives in the store.
type browserStore struct{ m *Manager }

func (m *Manager) browser() sessions.Store { return browserStore{m} }

// Get implements sessions.Store: one lookup per request and name.
func (b browserStore) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(b, name)
}

// New implements sessions.Store: it finds the live session the cookie names.
// A missing, unknown or expired one gives a new, empty session.
func (b browserStore) New(r *http.Request, name string) (*sessions.Session, error) {
	s := sessions.NewSession(b, name)
	s.IsNew = true
	c, err := r.Cookie(name)
	if err != nil || c.Value == "" {
		return s, nil
	}
	var rec store.Session
	err = b.m.cfg.Store.View(r.Context(), func(tx store.Tx) error {
		rec, err = b.m.cfg.Store.Sessions.Get(tx, store.HashToken(c.Value))
		return err
	})
	if errors.Is(err, store.ErrNotFound) || (err == nil && (rec.Console || !rec.Valid(b.m.cfg.Now()))) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	s.IsNew = false
	s.ID = c.Value
	s.Values[recordKey{}] = rec
	return s, nil
}

// Save implements sessions.Store: it sends the cookie. The record itself is
// kept by the request's one Update.
func (b browserStore) Save(_ *http.Request, w http.ResponseWriter, s *sessions.Session) error {
	http.SetCookie(w, sessions.NewCookie(s.Name(), s.ID, s.Options))
	return nil
}
