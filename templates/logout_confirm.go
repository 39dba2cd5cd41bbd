package templates

import "net/http"

// LogoutConfirmPage asks before signing out (O2). Elements: button id="submit"
// with autofocus, button id="cancel" (its own form, sends cancel=1).
type LogoutConfirmPage struct {
	App        App
	Email      string // who is signed in, or ""
	Action     string // where the confirmation is posted
	Cancel     string // where "stay signed in" is posted; "" leaves it out
	CSRF       string
	Fields     []Field // the logout request, carried along
	FormAction FormAction
}

// LogoutConfirm draws the page.
func (t *Templates) LogoutConfirm(w http.ResponseWriter, status int, p LogoutConfirmPage) error {
	return t.render(w, status, "logout_confirm", policyTo(p.FormAction), p)
}
