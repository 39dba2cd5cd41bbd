package templates

import "net/http"

// TestStartPage begins a test login from its one-time link. Opening the page
// uses nothing up, for mail programs open links too; the button does.
// Elements: button id="submit".
type TestStartPage struct {
	Connection string // title of the connection
	Action     string
	CSRF       string // the link's token
}

// TestStart draws the page.
func (t *Templates) TestStart(w http.ResponseWriter, status int, p TestStartPage) error {
	// The provider may send the browser on through hosts nobody can list.
	return t.render(w, status, "test_start", policyTo(nil), p)
}

// TestEndPage ends a test login: whether it went well, and the words by which
// the admin finds the result. It shows nothing of the result itself.
// Elements: code id="correlation".
type TestEndPage struct {
	Connection string
	Words      string
	Works      bool   // the provider's part went well
	Say        string // one sentence of ours on what would happen, or what went wrong
}

// TestEnd draws the page.
func (t *Templates) TestEnd(w http.ResponseWriter, status int, p TestEndPage) error {
	return t.render(w, status, "test_end", policySelf(), p)
}
