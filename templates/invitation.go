package templates

import (
	"net/http"
	"time"
)

// InvitationPage shows who invites, from the mailed link. Opening it uses
// nothing up, for mail programs open links too; the button begins a sign-in.
// Elements: button id="submit".
type InvitationPage struct {
	Organization string
	Inviter      string // who invites, or ""
	Email        string // the invited address
	Expires      time.Time
	Action       string
	CSRF         string // the link's token
}

// Invitation draws the page.
func (t *Templates) Invitation(w http.ResponseWriter, status int, p InvitationPage) error {
	// The provider may send the browser on through hosts nobody can list.
	return t.render(w, status, "invitation", policyTo(nil), p)
}

// WelcomePage ends an invitation that no app waits for: the person is in.
// Elements: ul id="apps".
type WelcomePage struct {
	Organization string
	Person       string   // name or address
	Apps         []string // names of the apps the person may use
}

// Welcome draws the page.
func (t *Templates) Welcome(w http.ResponseWriter, status int, p WelcomePage) error {
	return t.render(w, status, "welcome", policySelf(), p)
}
