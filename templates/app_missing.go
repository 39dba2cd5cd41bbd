package templates

import "net/http"

// AppMissingPage tells a person that the app has to be given to them, and lets
// them ask for it with one button. Elements: input id="typed"
// (optional), button id="submit", button id="cancel", code id="correlation".
type AppMissingPage struct {
	App          App
	Organization string
	Action       string // where asking is posted
	Cancel       string // where cancel is posted
	CSRF         string
	Correlation  string
	FormAction   FormAction
	Own          OwnText // the organization's wording, or empty
}

// AppMissing draws the page.
func (t *Templates) AppMissing(w http.ResponseWriter, status int, p AppMissingPage) error {
	return t.render(w, status, "app_missing", policyTo(p.FormAction), p)
}
