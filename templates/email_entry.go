package templates

import "net/http"

// EmailEntryPage asks for the work e-mail address. Elements: input name="email",
// button id="submit", button id="cancel" (its own form, sends cancel=1).
type EmailEntryPage struct {
	App        App
	Action     string // where the address is posted
	Cancel     string // where cancel is posted; "" leaves the button out
	CSRF       string
	Email      string // what is in the field already (login_hint, last try)
	Error      string // one sentence, or ""
	FormAction FormAction
}

// EmailEntry draws the page.
func (t *Templates) EmailEntry(w http.ResponseWriter, status int, p EmailEntryPage) error {
	return t.render(w, status, "email_entry", policyTo(p.FormAction), p)
}
