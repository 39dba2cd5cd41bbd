package templates

import "net/http"

// WaitingPage is shown while an admin decides. It goes on by itself: its script
// listens at Events (server-sent events) and goes to Next on the event
// "decided", or "asked" when an approver has a question; without JavaScript the page reloads every four seconds, so Next is
// also what a GET of the page itself should redirect to once decided.
// Elements: p id="status", code id="correlation", button id="cancel".
type WaitingPage struct {
	App          App
	Organization string // whose admins decide
	Email        string // who is asking
	Events       string // same-origin address of the event stream
	Next         string // same-origin address to go to
	Cancel       string // where cancel is posted; "" leaves the button out
	CSRF         string
	Correlation  string
	FormAction   FormAction
	Own          OwnText // the organization's wording, or empty
	// Say is where a sentence of the person is posted, as "typed", or as
	// "answer" when an approver's Question is open; "" leaves the field out.
	// Elements: input id="typed" or "answer", button id="send".
	Say      string
	Question string
	// Said is what the person said about themselves before, or "".
	Said string
}

// Waiting draws the page.
func (t *Templates) Waiting(w http.ResponseWriter, status int, p WaitingPage) error {
	return t.render(w, status, "waiting", policyTo(p.FormAction), p)
}
