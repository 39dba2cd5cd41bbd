package profile

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/theory/jsonpath"
)

// Bounds of a query (SECURITY-CASES X2–X6; LIBRARIES.md says why these).
const (
	maxQuery    = 512 // bytes
	maxSegments = 16
	maxUnion    = 8
)

// fault is what is wrong with a query and how to cure it.
type fault struct{ problem, fix string }

// query is a selector's path, ready to run.
type query struct {
	path     *jsonpath.Path
	singular bool
	steps    []step // when names, indexes and * are all there is
	// descends: reads documents within the strict limits only.
	descends bool
	// computed: compares numbers, which the library does as float64.
	computed bool
}

// compileQuery checks and compiles an admin's path; all faults are returned.
func compileQuery(text string) (*query, []fault) {
	if len(text) > maxQuery {
		return nil, []fault{{fmt.Sprintf("has %d bytes, at most %d are allowed", len(text), maxQuery), "select less, or select in several attributes"}}
	}
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return nil, []fault{{"is not UTF-8 text", ""}}
	}
	if !strings.HasPrefix(text, "$") {
		long, f := expandShorthand(text)
		if f != nil {
			return nil, []fault{*f}
		}
		text = long
	}
	g, err := recognise(text)
	if err != nil && strings.Contains(text, "://") && !strings.ContainsAny(text, `'"`) {
		return nil, []fault{*urlName(text[1:])}
	}
	if err != nil {
		return nil, []fault{{err.Error(), "write a path such as $.name.first or name.first"}}
	}
	if faults := g.policy(); len(faults) > 0 {
		return nil, faults
	}
	reg, err := register(g.patterns)
	if err != nil {
		return nil, []fault{{err.Error(), ""}}
	}
	path, err := jsonpath.NewParser(jsonpath.WithRegistry(reg)).Parse(g.out.String())
	if err != nil {
		// E.g. $..true, which RFC 9535 allows.
		return nil, []fault{{
			"is JSONPath that the library Gatehouse uses does not take: " + strings.TrimPrefix(err.Error(), jsonpath.ErrPathParse.Error()+": "),
			"write names in brackets, as in $..['true']",
		}}
	}
	return &query{
		path: path, singular: path.Query().Singular() != nil, steps: stepsOf(path),
		descends: g.descents > 0, computed: g.computed,
	}, nil
}

// policy lists what is valid RFC 9535 and still refused: what could cost more
// than it is worth, or would be answered otherwise than the RFC says.
func (g *grammar) policy() []fault {
	faults := g.faults
	add := func(when bool, problem, fix string) {
		if when {
			faults = append(faults, fault{problem, fix})
		}
	}
	add(g.segments > maxSegments, fmt.Sprintf("has %d segments, at most %d are allowed", g.segments, maxSegments), "select with fewer steps")
	add(g.descents > 1, "has .. more than once", "write out the way to the value and keep one ..")
	add(g.rootInFilter, "uses $ inside a filter, which reads the whole document for every element", "compare with @ or with a constant")
	add(g.nested, "has a filter inside a filter", "filter once, on the innermost list")
	add(g.union > maxUnion, fmt.Sprintf("has unions that multiply to %d, at most %d are allowed", g.union, maxUnion), "use several attributes, or *")
	add(g.bigNumber, "compares with a number of more than 15 digits, which is not exact", "compare with fewer digits")
	return faults
}

// exactNumber reports whether float64 tells the number from its neighbours: a
// whole number up to 2⁵³, or at most 15 significant digits in range.
func exactNumber(text string) bool {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n <= 1<<53 && n >= -(1<<53)
	}
	mantissa := text
	if e := strings.IndexAny(mantissa, "eE"); e >= 0 {
		mantissa = mantissa[:e]
	}
	digits := strings.TrimLeft(strings.Replace(strings.TrimPrefix(mantissa, "-"), ".", "", 1), "0")
	f, err := strconv.ParseFloat(text, 64)
	return err == nil && len(digits) <= 15 && (f != 0) == (digits != "")
}

// errInexact: the document has a number float64 cannot hold and the query
// compares numbers.
var errInexact = errors.New("the document has a number of more than 15 digits and the filter compares numbers: compare with a text or select without a filter")
