package session

import (
	"net/http"
	"time"

	"github.com/gorilla/sessions"
)

// Known returns what Know left in this browser, or "".
func (m *Manager) Known(r *http.Request) string {
	c, err := r.Cookie(m.prefix + "known")
	if err != nil || len(c.Value) > 1024 {
		return ""
	}
	return c.Value
}

// Know leaves in the browser that a person has signed in from it: a sealed
// value of package local, for how long it says.
func (m *Manager) Know(w http.ResponseWriter, value string, lasts time.Duration) {
	http.SetCookie(w, sessions.NewCookie(m.prefix+"known", value, m.options(int(lasts/time.Second))))
}
