package templates

import "net/http"

// RefusedPage tells a person that an admin said no, with the admin's sentence
// as a quotation. Elements: blockquote id="reason", button id="submit" (back to
// the app, its own form), code id="correlation".
type RefusedPage struct {
	App          App
	Organization string
	Reason       string // the admin's sentence, or ""
	Action       string // where "back to the app" is posted; "" leaves it out
	CSRF         string
	Correlation  string
	FormAction   FormAction
	Own          OwnText // the organization's wording, or empty
}

// Refused draws the page.
func (t *Templates) Refused(w http.ResponseWriter, status int, p RefusedPage) error {
	return t.render(w, status, "refused", policyTo(p.FormAction), p)
}
