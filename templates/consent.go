package templates

import "net/http"

// ConsentPage asks whether a third party's app may have what it asks for.
// Elements: button id="submit", button id="cancel" (its own form, sends cancel=1).
type ConsentPage struct {
	App        App
	Person     string   // name or address of who is signed in
	Scopes     []string // asked for; each is explained in words
	Action     string   // where consent is posted
	Cancel     string   // where the refusal is posted
	CSRF       string
	FormAction FormAction
}

// Consent draws the page.
func (t *Templates) Consent(w http.ResponseWriter, status int, p ConsentPage) error {
	return t.render(w, status, "consent", policyTo(p.FormAction), p)
}

// explainScope gives the words for a scope; "" when we have none and the page
// shows the bare name.
func (t *Templates) explainScope(scope string) string { return t.words["scope."+scope] }
