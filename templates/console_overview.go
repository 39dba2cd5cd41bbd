package templates

import (
	"net/http"
	"time"
)

// OverviewPage is the console's first page: a few figures, logins over time,
// then what to do. Elements: section id="logins", id="failing", id="steps".
type OverviewPage struct {
	Frame Frame
	Tiles []Tile
	Steps []Step // first steps of a new installation; none when all is done
	// Logins over time, oldest first; nil draws no chart. ByDay: one point is a day.
	Logins []LoginPoint
	ByDay  bool
	Other  string // address of the other span of time
	// Failing connections to look at.
	Failing []FailingConnection
}

// Tile is one figure.
type Tile struct {
	Title string
	Value int
	URL   string // "" makes it a figure without a link
	Tone  Tone
}

// Step is one thing to do, as "Add an organization".
type Step struct {
	Title, Text, URL string
	Done             bool
}

// LoginPoint counts the logins of one hour or day.
type LoginPoint struct {
	At                               time.Time
	SignedIn, Waiting, Refused, Lost int64 // Lost: failed or cancelled
}

// Total is all of them.
func (p LoginPoint) Total() int64 { return p.SignedIn + p.Waiting + p.Refused + p.Lost }

// Gone are those that led nowhere.
func (p LoginPoint) Gone() int64 { return p.Refused + p.Lost }

// FailingConnection is a connection to look at.
type FailingConnection struct {
	Title, URL, Logs string // Logs leads to its failed logins
	Failed, Logins   int64
	Silent           bool // its provider does not answer
}

// Size of the chart in its own units.
const (
	chartWidth  = 600
	chartHeight = 120
)

// LoginBar is one drawn bar: three parts on top of each other.
type LoginBar struct {
	X, Width               int
	GoodY, GoodHeight      int // signed in
	WaitingY, WaitingShare int
	BadY, BadHeight        int // refused, failed, cancelled
}

// Chart is the viewBox of the bars.
func (OverviewPage) Chart() [2]int { return [2]int{chartWidth, chartHeight} }

// Most is the highest bar's count.
func (p OverviewPage) Most() int64 {
	var most int64
	for _, l := range p.Logins {
		most = max(most, l.Total())
	}
	return most
}

// All is the sum of all logins.
func (p OverviewPage) All() int64 {
	var n int64
	for _, l := range p.Logins {
		n += l.Total()
	}
	return n
}

// Bars lays the chart out.
func (p OverviewPage) Bars() []LoginBar {
	most := max(p.Most(), 1)
	step := chartWidth / max(len(p.Logins), 1)
	high := func(n int64) int { return int(n * chartHeight / most) }
	bars := make([]LoginBar, len(p.Logins))
	for i, l := range p.Logins {
		b := LoginBar{X: i * step, Width: max(step-2, 1), GoodHeight: high(l.SignedIn), WaitingShare: high(l.Waiting), BadHeight: high(l.Refused + l.Lost)}
		b.GoodY = chartHeight - b.GoodHeight
		b.WaitingY = b.GoodY - b.WaitingShare
		b.BadY = b.WaitingY - b.BadHeight
		bars[i] = b
	}
	return bars
}

// Overview draws the page.
func (t *Templates) Overview(w http.ResponseWriter, status int, p OverviewPage) error {
	return t.framed(p.Frame).render(w, status, "overview", policySelf(), p)
}
