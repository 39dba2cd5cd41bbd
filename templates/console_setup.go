package templates

import "net/http"

// SetupPage makes the first owner, reached by the one-time link. Elements:
// inputs name="email", name="password", name="password_again", button
// id="submit".
type SetupPage struct {
	Action    string
	CSRF      string
	Email     string
	MinLength int     // of the password; 12 if zero
	Error     string  // one sentence, or ""
	Fields    []Field // the link's secret
}

// Setup draws the page.
func (t *Templates) Setup(w http.ResponseWriter, status int, p SetupPage) error {
	if p.MinLength == 0 {
		p.MinLength = 12
	}
	return t.render(w, status, "setup", policySelf(), p)
}
