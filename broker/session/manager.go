package session

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/gorilla/sessions"

	"gatehouse/store"
)

// Config of a Manager. Store and Issuer are required.
type Config struct {
	Store *store.Store
	// Issuer decides about cookie names: https gives __Host- and Secure.
	Issuer   string
	Now      func() time.Time
	Idle     time.Duration // default 8 hours
	Absolute time.Duration // default 7 days
	// LoginLifetime bounds a login in progress, waiting included. Default 8 hours.
	LoginLifetime time.Duration
}

// Manager reads and writes the cookies of the public listener.
type Manager struct {
	cfg    Config
	secure bool
	prefix string
	sealer *store.Sealer
}

// New returns a Manager.
func New(cfg Config) (*Manager, error) {
	u, err := url.Parse(cfg.Issuer)
	if err != nil || u.Host == "" {
		return nil, errors.New("session: issuer is not a URL")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Idle <= 0 {
		cfg.Idle = 8 * time.Hour
	}
	if cfg.Absolute <= 0 {
		cfg.Absolute = 7 * 24 * time.Hour
	}
	if cfg.LoginLifetime <= 0 {
		cfg.LoginLifetime = 8 * time.Hour
	}
	m := &Manager{cfg: cfg, secure: u.Scheme == "https", prefix: "gh_", sealer: cfg.Store.Keyring().Sealer("login-cookie")}
	if m.secure {
		m.prefix = "__Host-gh_"
	}
	return m, nil
}

// options are the attributes of every cookie we set (SECURITY-CASES W10).
func (m *Manager) options(maxAge int) *sessions.Options {
	return &sessions.Options{Path: "/", MaxAge: maxAge, Secure: m.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// Draft is a session made before the transaction that keeps it, together with
// the cookie value only the browser will know.
type Draft struct {
	Record store.Session
	value  string
}

// Draft makes a new session id for a person who has just signed in: never an
// id the browser brought along (SECURITY-CASES L1).
func (m *Manager) Draft(rec store.Session) Draft {
	value := randomValue()
	now := m.cfg.Now().UTC()
	rec.KeyHash = store.HashToken(value)
	rec.SID = store.NewID()
	rec.CreatedAt, rec.LastSeenAt = now, now
	rec.ExpiresAt = now.Add(m.cfg.Absolute)
	rec.IdleExpiresAt = now.Add(m.cfg.Idle)
	return Draft{Record: rec, value: value}
}

// Touch extends the idle lifetime of a session that was used. It reports false
// when the last extension is so recent that writing it is not worth a commit.
func (m *Manager) Touch(rec *store.Session) bool {
	now := m.cfg.Now().UTC()
	if now.Sub(rec.LastSeenAt) < m.cfg.Idle/60 {
		return false
	}
	rec.LastSeenAt, rec.IdleExpiresAt = now, now.Add(m.cfg.Idle)
	return true
}

// ErrNone: the browser has no live session.
var ErrNone = errors.New("session: none")

// Load returns the browser's live session. It is the only reader: nonce, idle
// and absolute lifetime are checked here (SECURITY-CASES L5).
func (m *Manager) Load(r *http.Request) (store.Session, error) {
	s, err := m.browser().New(r, m.prefix+"session")
	if err != nil {
		return store.Session{}, err
	}
	if s.IsNew {
		return store.Session{}, ErrNone
	}
	return s.Values[recordKey{}].(store.Session), nil
}

// Set sends the cookie of a session that was committed.
func (m *Manager) Set(w http.ResponseWriter, r *http.Request, d Draft) error {
	s := sessions.NewSession(m.browser(), m.prefix+"session")
	s.ID = d.value
	s.Options = m.options(int(m.cfg.Absolute / time.Second))
	return s.Store().Save(r, w, s)
}

// Clear removes the session cookie from the browser.
func (m *Manager) Clear(w http.ResponseWriter) {
	http.SetCookie(w, sessions.NewCookie(m.prefix+"session", "", m.options(-1)))
}

func randomValue() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b[:])
}
