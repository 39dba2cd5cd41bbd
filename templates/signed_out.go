package templates

import "net/http"

// SignedOutPage says "You are signed out". Element: link id="back".
type SignedOutPage struct {
	App  App
	Back string // registered address of the app; "" leaves the link out
}

// SignedOut draws the page.
func (t *Templates) SignedOut(w http.ResponseWriter, status int, p SignedOutPage) error {
	return t.render(w, status, "signed_out", policySelf(), p)
}
