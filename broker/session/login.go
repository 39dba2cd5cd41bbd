package session

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net/http"
	"sort"
	"strings"
	"time"

	"github.com/gorilla/sessions"

	"gatehouse/store"
)

const (
	// maxLogins bounds the logins one browser has under way: the oldest go
	// (SECURITY-CASES S7), so that cookies never outgrow a header.
	maxLogins = 24
	// maxCookie is what browsers keep of one cookie, name and attributes included.
	maxCookie = 3800
)

// Errors about login cookies.
var (
	// ErrNoLogin: no such login in this browser, or it expired.
	ErrNoLogin = errors.New("session: no such login in this browser")
	// ErrTooBig: the app's request does not fit in a cookie.
	ErrTooBig = errors.New("session: the request is too big for a login cookie")
)

// NewLoginID makes the id of a login: it starts with the time, so that the
// oldest can be told, and is random otherwise.
func (m *Manager) NewLoginID() string {
	var t [4]byte
	binary.BigEndian.PutUint32(t[:], uint32(m.cfg.Now().Unix()))
	// base32hex keeps the order of the bytes (RFC 4648 §7).
	enc := base32.HexEncoding.WithPadding(base32.NoPadding)
	return strings.ToLower(enc.EncodeToString(t[:]) + store.NewID()[:20])
}

func (m *Manager) loginName(id string) string { return m.prefix + "login_" + id }

// sealedLogin is what the box holds.
type sealedLogin struct {
	Expires int64           `json:"x"` // Unix seconds
	Payload json.RawMessage `json:"p"`
}

// SaveLogin seals payload into the login's cookie; ErrTooBig when it does not fit.
func (m *Manager) SaveLogin(w http.ResponseWriter, r *http.Request, id string, started time.Time, payload any) error {
	raw, err := json.Marshal(payload)
	if err != nil {
		return err
	}
	expires := started.Add(m.cfg.LoginLifetime)
	raw, err = json.Marshal(sealedLogin{Expires: expires.Unix(), Payload: raw})
	if err != nil {
		return err
	}
	box := base64.RawURLEncoding.EncodeToString(m.sealer.Seal(raw, []byte(id)))
	name := m.loginName(id)
	if len(name)+len(box) > maxCookie {
		return ErrTooBig
	}
	m.dropOldest(w, r, name)
	maxAge := int(expires.Sub(m.cfg.Now()) / time.Second)
	http.SetCookie(w, sessions.NewCookie(name, box, m.options(max(maxAge, 1))))
	return nil
}

// dropOldest expires the oldest login cookies when there are too many.
func (m *Manager) dropOldest(w http.ResponseWriter, r *http.Request, keep string) {
	var names []string
	for _, c := range r.Cookies() {
		if strings.HasPrefix(c.Name, m.prefix+"login_") && c.Name != keep {
			names = append(names, c.Name)
		}
	}
	sort.Strings(names) // ids start with the time
	for len(names) >= maxLogins {
		http.SetCookie(w, sessions.NewCookie(names[0], "", m.options(-1)))
		names = names[1:]
	}
}

// LoadLogin opens the login's cookie into payload; ErrNoLogin when this browser
// does not hold it, or it expired or was altered.
func (m *Manager) LoadLogin(r *http.Request, id string, payload any) error {
	if !validLoginID(id) {
		return ErrNoLogin
	}
	c, err := r.Cookie(m.loginName(id))
	if err != nil {
		return ErrNoLogin
	}
	box, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil {
		return ErrNoLogin
	}
	raw, _, err := m.sealer.Open(box, []byte(id))
	if err != nil {
		return ErrNoLogin
	}
	var sealed sealedLogin
	if err := json.Unmarshal(raw, &sealed); err != nil || m.cfg.Now().Unix() >= sealed.Expires {
		return ErrNoLogin
	}
	if err := json.Unmarshal(sealed.Payload, payload); err != nil {
		return ErrNoLogin
	}
	return nil
}

// Logins lists the logins this browser has under way, the newest first.
func (m *Manager) Logins(r *http.Request) []string {
	var ids []string
	for _, c := range r.Cookies() {
		if id, ok := strings.CutPrefix(c.Name, m.prefix+"login_"); ok && validLoginID(id) && len(ids) <= maxLogins {
			ids = append(ids, id)
		}
	}
	sort.Sort(sort.Reverse(sort.StringSlice(ids))) // ids start with the time
	return ids
}

// ClearLogin removes the login's cookie.
func (m *Manager) ClearLogin(w http.ResponseWriter, id string) {
	if validLoginID(id) {
		http.SetCookie(w, sessions.NewCookie(m.loginName(id), "", m.options(-1)))
	}
}

// validLoginID keeps foreign bytes out of cookie names.
func validLoginID(id string) bool {
	if len(id) == 0 || len(id) > 40 {
		return false
	}
	for _, c := range []byte(id) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// LoginExpiry is when a login begun at started is over.
func (m *Manager) LoginExpiry(started time.Time) time.Time {
	return started.Add(m.cfg.LoginLifetime).UTC()
}
