package templates

import "net/http"

// TestPage is a test login as its admin sees it: the link while it waits, then
// the result, section by section, with links to each on top. Elements: link
// id="back", code id="link", link id="again", p id="outcome", sections with the
// ids token, profile, identity, admission, claims, warnings; buttons
// id="reveal-NUMBER".
type TestPage struct {
	Frame   Frame
	Words   string
	State   Cell
	Back    string
	Title   string // of the connection
	Facts   []Item
	Link    string // shown once, when the test was made
	Again   string // address of this page, while the test is not done
	Outcome string // one sentence
	Good    bool
	Fault   Verdict
	Code    string
	Why     string
	Reveal  string // where values are asked for; "" for who may not
	// Revealed is a value that was just asked for.
	Revealed Revealed

	Done      bool
	Token     []TestDocument
	Profile   []TestDocument
	Identity  []Item
	Selectors []TestSelector
	Admission []Item
	Claims    []TestDocument
	ClaimNote string
	Warnings  []string
}

// Revealed is what was behind the mask.
type Revealed struct {
	Number      int
	Path, Value string
}

// TestDocument is an answer, or a set of claims.
type TestDocument struct {
	Title  string
	Note   string
	Values []TestValue
}

// TestValue is one value; Number is what reveals it, 0 when nothing does.
type TestValue struct {
	Path, Shown string
	Number      int
}

// TestSelector is one selector and what it found.
type TestSelector struct {
	Attribute string
	Path      string
	Source    string
	State     Cell
	Why       string
	Values    []TestValue
	Proposals []TestProposal
}

// TestProposal is a selector that would match.
type TestProposal struct{ Path, Source, Sample string }

// valueView is a value with what its button needs.
type valueView struct {
	TestValue
	Reveal, CSRF string
	Revealed     Revealed
}

// View pairs a value with the page's form token, for the template.
func (p TestPage) View(v TestValue) valueView {
	return valueView{v, p.Reveal, p.Frame.CSRF, p.Revealed}
}

// ViewAll does so for many.
func (p TestPage) ViewAll(values []TestValue) []valueView {
	out := make([]valueView, len(values))
	for i, v := range values {
		out[i] = p.View(v)
	}
	return out
}

// Test draws the page.
func (t *Templates) Test(w http.ResponseWriter, status int, p TestPage) error {
	return t.framed(p.Frame).render(w, status, "test_login", policySelf(), p)
}
