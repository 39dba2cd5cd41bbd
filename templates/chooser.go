package templates

import "net/http"

// ChooserPage lets the person pick one of several connections. Elements: one
// button name="connection" value=ID id="connection-ID" each, link id="restart",
// button id="cancel" (its own form, sends cancel=1).
type ChooserPage struct {
	App        App
	Action     string // where the choice is posted
	Cancel     string // where cancel is posted; "" leaves the button out
	Restart    string // address of the e-mail page; "" leaves the link out
	CSRF       string
	Email      string // the address typed, if any
	Choices    []Choice
	Error      string // one sentence, or ""
	FormAction FormAction
}

// Choice is one connection to pick.
type Choice struct {
	ID         string // slug
	Title      string
	PictureURL string // https, or a letter stands in
}

// Initial is the letter that stands in for a missing picture.
func (c Choice) Initial() string { return initial(c.Title) }

// Chooser draws the page.
func (t *Templates) Chooser(w http.ResponseWriter, status int, p ChooserPage) error {
	return t.render(w, status, "chooser", policyTo(p.FormAction), p)
}
