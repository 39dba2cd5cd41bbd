package templates

import "net/http"

// ListPage is any list of the console: organizations, connections, users, …
type ListPage struct {
	Frame   Frame
	Title   string
	Intro   string   // one sentence on what this is, or ""
	Links   []Link   // buttons that lead on
	Search  *Search  // above the list, or nil
	Columns []string // the first names the row
	Rows    []Row
	Next    string // address of the next page, or ""
	First   string // address of the first page when this is a later one, or ""
	Empty   Empty  // shown when there are no rows
}

// Search is a form that narrows a list: it asks for the page again.
type Search struct {
	Action, Label, Value string // of the input q
	Selects              []SearchSelect
	Hidden               []Field
}

// SearchSelect is a choice of a Search.
type SearchSelect struct {
	Name, Label, Value string
	Options            []Option
}

// Row is one line. A short row is filled up with empty cells.
type Row struct {
	URL   string // page of the thing, linked from the first cell; or ""
	Cells []Cell
}

// Empty explains the first step when a list has nothing in it yet.
type Empty struct {
	Title, Text string
	Command     string // command line that makes the first one, or ""
	Action, URL string // button text and address; "" leaves it out
}

// labelled is a cell with its column, which a phone shows beside it.
type labelled struct {
	Cell
	Label string
}

// Table is the rows as the template draws them.
func (p ListPage) Table() [][]labelled {
	table := make([][]labelled, len(p.Rows))
	for i, row := range p.Rows {
		line := make([]labelled, len(p.Columns))
		for j, column := range p.Columns {
			line[j].Label = column
			if j < len(row.Cells) {
				line[j].Cell = row.Cells[j]
			}
		}
		if len(line) > 0 && row.URL != "" && line[0].URL == "" {
			line[0].URL = row.URL
		}
		table[i] = line
	}
	return table
}

// List draws the page.
func (t *Templates) List(w http.ResponseWriter, status int, p ListPage) error {
	return t.framed(p.Frame).render(w, status, "list", policySelf(), p)
}
