package templates

import "net/http"

// OverviewPage is the console's first page: a few figures, then what to do.
type OverviewPage struct {
	Frame Frame
	Tiles []Tile
	Steps []Step // first steps of a new installation; none when all is done
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

// Overview draws the page.
func (t *Templates) Overview(w http.ResponseWriter, status int, p OverviewPage) error {
	return t.render(w, status, "overview", policySelf(), p)
}
