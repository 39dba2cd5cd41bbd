package templates

import "time"

// Frame is what surrounds every console page.
type Frame struct {
	Language string // of Languages; "" is English
	Person   string // who is signed in
	Role     string // shown beside it, or ""
	Account  string // address of the person's own page, or ""
	SignOut  string // where sign-out is posted
	CSRF     string // for every form on the page
	Nav      []NavItem
	Notice   string // one sentence about what was just done, or ""
	Problem  string // one sentence about what did not work, or ""
}

// framed gives the pages in the language of the frame.
func (t *Templates) framed(f Frame) *Templates {
	if f.Language == "" {
		return t
	}
	return t.In(f.Language)
}

// NavItem is one entry of the navigation.
type NavItem struct {
	Title, URL string
	Current    bool
	Count      int // waiting things; 0 shows nothing
}

// Tone colours a badge; the words must carry the meaning alone.
type Tone string

// Tones.
const (
	ToneNone Tone = ""
	ToneGood Tone = "good"
	ToneWarn Tone = "warn"
	ToneBad  Tone = "bad"
)

// Cell is one value in a list or detail page. Use TextCell, WordCell, LinkCell, CodeCell,
// BadgeCell or TimeCell.
type Cell struct {
	Text  string
	URL   string // same-origin path
	Code  bool
	Badge bool
	Word  bool // ours, in the language of the page
	Tone  Tone
	Time  time.Time
}

// TextCell is plain text.
func TextCell(s string) Cell { return Cell{Text: s} }

// WordCell is a word or sentence of ours, said in the language of the page.
func WordCell(s string) Cell { return Cell{Text: s, Word: true} }

// LinkCell is text that leads to a page of the console.
func LinkCell(s, path string) Cell { return Cell{Text: s, URL: path} }

// CodeCell is an id, a domain, a URL: something exact.
func CodeCell(s string) Cell { return Cell{Text: s, Code: true} }

// BadgeCell is a state.
func BadgeCell(s string, tone Tone) Cell { return Cell{Text: s, Badge: true, Tone: tone} }

// TimeCell is a moment; the zero time shows as a dash.
func TimeCell(t time.Time) Cell { return Cell{Time: t} }
