package templates

import "net/http"

// SignInPage is the console's own sign-in. Elements: inputs name="email" and
// name="password", button id="submit", links id="company" and id="forgot", the passkey form.
type SignInPage struct {
	Action string
	CSRF   string
	Email  string  // typed before
	Error  string  // one sentence, or ""
	Fields []Field // carried along, as where to go afterwards
	// Company is where people sign in with their company instead, or "".
	Company string
	Forgot  string // address of the page for a forgotten password, or ""

	Passkey *Passkey
}

// SignIn draws the page.
func (t *Templates) SignIn(w http.ResponseWriter, status int, p SignInPage) error {
	return t.render(w, status, "sign_in", policySelf(), p)
}
