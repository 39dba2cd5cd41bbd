package templates

import (
	"net/http"
	"strings"
	"unicode"
)

// FormPage is a form of the console: groups of inputs, all faults at once,
// above the form and beside their inputs. Elements: form id="form", inputs with
// the id of their name, button id="submit", further buttons id="do-VALUE".
type FormPage struct {
	Frame     Frame
	Title     string
	Intro     string
	Back      string
	BackTitle string
	Links     []Link   // buttons that lead elsewhere
	Notes     []string // to know before filling it in
	// NotesTitle stands above them in place of the usual words.
	NotesTitle string
	Action     string // where it is posted
	Submit     string
	Danger     bool     // the button removes something
	More       []Button // further ways to post the same form
	Hidden     []Field
	Faults     []InputFault // all of them; those of an input are also beside it
	Groups     []FormGroup
}

// Button posts the form with do=Value.
type Button struct{ Value, Title string }

// InputFault is one fault. Input is the name of the input it is about, or "";
// Label is put before the text where the fault does not stand beside its input.
type InputFault struct{ Input, Text, Label string }

// Said is the fault by itself.
func (f InputFault) Said() string {
	if f.Label == "" {
		return f.Text
	}
	return f.Label + ": " + f.Text
}

// Beside is the fault beside its input.
func (f InputFault) Beside() string {
	if f.Label == "" || f.Text == "" {
		return f.Text
	}
	return upperFirst(f.Text)
}

// FormGroup is a titled part of a form.
type FormGroup struct {
	Title, Intro string
	Inputs       []Input
}

// InputKind is what an input looks like; the empty kind is a line of text.
type InputKind string

// Kinds of inputs.
const (
	InputLine   InputKind = ""
	InputSecret InputKind = "secret" // never shows what it was sent
	InputArea   InputKind = "area"   // several lines
	InputCode   InputKind = "code"   // many lines of exact text
	InputSelect InputKind = "select"
	InputCheck  InputKind = "check"
)

// Input of a form. Name is also its id.
type Input struct {
	Name, Label, Hint string
	Kind              InputKind
	Value             string
	Options           []Option // of a select
	Checked           bool
	Required          bool
	Faults            []string
}

// Described names the elements that describe the input.
func (i Input) Described() string {
	var ids []string
	if i.Hint != "" {
		ids = append(ids, "hint-"+i.Name)
	}
	if len(i.Faults) > 0 {
		ids = append(ids, "fault-"+i.Name)
	}
	return strings.Join(ids, " ")
}

// saidFaults are faults in the language of the page.
func (t *Templates) saidFaults(faults []InputFault) []InputFault {
	said := make([]InputFault, len(faults))
	for i, f := range faults {
		said[i] = InputFault{f.Input, t.sayFault(f.Text), t.say(f.Label)}
	}
	return said
}

// Form draws the page. Faults are put beside their inputs.
func (t *Templates) Form(w http.ResponseWriter, status int, p FormPage) error {
	t = t.framed(p.Frame)
	p.Faults = t.saidFaults(p.Faults)
	groups := make([]FormGroup, len(p.Groups))
	for i, g := range p.Groups {
		g.Inputs = append([]Input(nil), g.Inputs...)
		for j := range g.Inputs {
			for _, f := range p.Faults {
				if f.Input != "" && f.Input == g.Inputs[j].Name {
					g.Inputs[j].Faults = append(g.Inputs[j].Faults, f.Beside())
				}
			}
		}
		groups[i] = g
	}
	p.Groups = groups
	return t.render(w, status, "form", policySelf(), p)
}

// cleanDraft is text that people go on writing at: whole, without what cannot
// be seen.
func cleanDraft(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (!unicode.IsPrint(r) || r == unicode.ReplacementChar) {
			return -1
		}
		return r
	}, s)
}
