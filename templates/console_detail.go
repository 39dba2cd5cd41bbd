package templates

import "net/http"

// DetailPage shows one thing of the console: groups of keys and values, and
// what can be done with it.
type DetailPage struct {
	Frame     Frame
	Title     string
	Word      bool   // the title is ours, in the language of the page
	State     Cell   // a badge beside the title; zero for none
	Back      string // address of the list it is in
	BackTitle string
	Links     []Link   // buttons that lead on
	Warnings  []string // worth a second look
	Groups    []Group
	Actions   []Action
}

// Link is a button that leads to another page of the console, id="go-ID".
type Link struct{ ID, Title, URL string }

// Group is a titled block of items.
type Group struct {
	Title  string
	Items  []Item
	Copies []Copy
}

// Copy is exact text to take elsewhere, shown whole.
type Copy struct{ Label, Text string }

// Item is one key and its values; none shows as a dash.
type Item struct {
	Label  string
	Values []Cell
}

// Action is one POST form with one button, id="action-ID". With Warning set
// the button is behind a disclosure that shows the warning first.
type Action struct {
	ID      string
	Title   string
	URL     string // where it is posted
	Warning string // what this will do, if it cannot be undone
	Danger  bool
	Fields  []Field
}

// actionView is an action with what its form needs.
type actionView struct {
	Action
	CSRF string
}

// Forms pairs each action with the token of its form, for the template.
func (p DetailPage) Forms() []actionView {
	forms := make([]actionView, len(p.Actions))
	for i, a := range p.Actions {
		forms[i] = actionView{a, p.Frame.CSRF}
	}
	return forms
}

// Detail draws the page.
func (t *Templates) Detail(w http.ResponseWriter, status int, p DetailPage) error {
	return t.framed(p.Frame).render(w, status, "detail", policySelf(), p)
}
