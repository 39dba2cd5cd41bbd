package templates

import (
	"net/http"
	"time"
)

// TracesPage lists the traces of logins. Its form is posted to Find, which
// leads to the filtered list: inputs words, connection, user, since, until,
// select outcome, button id="find".
type TracesPage struct {
	Frame  Frame
	Find   string // where the form is posted
	Filter TraceFilter
	List   ListPage // its own Frame is not drawn
}

// TraceFilter is what the form shows again.
type TraceFilter struct {
	Words, Connection, User string
	Since, Until            string // as in <input type="date">
	Outcomes                []Option
}

// Option of a select.
type Option struct {
	Value, Title string
	Selected     bool
}

// Traces draws the page.
func (t *Templates) Traces(w http.ResponseWriter, status int, p TracesPage) error {
	return t.framed(p.Frame).render(w, status, "traces", policySelf(), p)
}

// TracePage is one login as a picture of hops and, below it, step by step.
// Elements: link id="back", p id="verdict", ol id="hops", ol id="steps".
type TracePage struct {
	Frame   Frame
	Words   string
	State   Cell
	Back    string
	Started time.Time
	Verdict Verdict
	Facts   []Item
	Hops    []Hop
	Steps   []TraceStep
	Omitted int
}

// Verdict is why it failed, whose fault it is, and what to do. Empty when
// nothing failed.
type Verdict struct{ Title, Blame, Means, Do string }

// Hop is one place the login passes through.
type Hop struct {
	Title string
	State string // what happened there, in a word or two
	Tone  Tone
	Steps []Fact // titles and times of its steps
	More  int    // further ones
}

// TraceStep is one step.
type TraceStep struct {
	Title   string // as "Redeem"
	Way     string // as "Gatehouse → Provider"
	State   Cell
	Took    string
	At      time.Time
	Code    string
	Why     string
	Verdict Verdict
	Details []Fact
}

// Trace draws the page.
func (t *Templates) Trace(w http.ResponseWriter, status int, p TracePage) error {
	return t.framed(p.Frame).render(w, status, "trace", policySelf(), p)
}
