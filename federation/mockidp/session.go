package mockidp

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"
)

// session is a browser in which a person signed in.
type session struct {
	person   string
	authTime time.Time
}

// cookieName differs per issuer, because cookies ignore the port: several providers
// on localhost would overwrite each other's session.
func cookieName(issuer string) string {
	sum := sha256.Sum256([]byte(issuer))
	return "mockidp_" + hex.EncodeToString(sum[:4])
}

func (p *Provider) session(r *http.Request) *session {
	c, err := r.Cookie(p.cookie)
	if err != nil {
		return nil
	}
	s, ok := p.sessions.get(c.Value)
	if !ok {
		return nil
	}
	return s
}

// startSession signs a person in at this browser; the session before, if any, ends.
func (p *Provider) startSession(w http.ResponseWriter, r *http.Request, name string) session {
	if c, err := r.Cookie(p.cookie); err == nil {
		p.sessions.remove(c.Value)
	}
	s := &session{person: strings.TrimSpace(name), authTime: p.cfg.Now()}
	p.setCookie(w, p.sessions.add(s), int(p.cfg.SessionTTL/time.Second))
	return *s
}

func (p *Provider) endSession(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(p.cookie); err == nil {
		p.sessions.remove(c.Value)
	}
	p.setCookie(w, "", -1)
}

func (p *Provider) setCookie(w http.ResponseWriter, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: p.cookie, Value: value, Path: p.prefix + "/", MaxAge: maxAge, HttpOnly: true,
		Secure: strings.HasPrefix(p.issuer, "https://"), SameSite: http.SameSiteLaxMode,
	})
}
