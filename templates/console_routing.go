package templates

import "net/http"

// RoutingPage asks where a login goes, shows the answer, and lists what deserves
// a second look among the rules. Elements: form id="form", input id="address",
// select id="client", button id="submit"; section id="answer" with p
// id="outcome"; section id="findings".
type RoutingPage struct {
	Frame   Frame
	Action  string // where the question is posted
	Address string
	Clients []Option
	Faults  []InputFault // of the inputs address and client, or of none
	Links   []Link
	Answer  RoutingAnswer
	// Findings of the linter, at most as many as fit; Omitted are not shown.
	Findings []RoutingFinding
	Omitted  int
	Empty    Empty // shown in place of the form when there is nothing to route to
}

// RoutingAnswer says where a login goes and why not elsewhere. Empty before
// anything was asked.
type RoutingAnswer struct {
	Outcome string // one sentence
	Tone    Tone
	Do      string   // what helps, when nobody gets in; or ""
	List    ListPage // all that a rule brought up; its own Frame is not drawn
}

// RoutingFinding is something about the rules that deserves a look.
type RoutingFinding struct {
	Level   Cell
	Rule    string
	Problem string // these two are no sentences yet: small letter, no full stop
	Do      string
	Code    string
	Where   []Cell // connections and organizations it is about
}

// FaultsOf are the texts that belong to one input.
func (p RoutingPage) FaultsOf(input string) []string {
	var out []string
	for _, f := range p.Faults {
		if f.Input == input {
			out = append(out, f.Beside())
		}
	}
	return out
}

// Routing draws the page.
func (t *Templates) Routing(w http.ResponseWriter, status int, p RoutingPage) error {
	t = t.framed(p.Frame)
	p.Faults = t.saidFaults(p.Faults)
	return t.render(w, status, "routing", policySelf(), p)
}
