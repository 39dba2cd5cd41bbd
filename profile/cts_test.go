package profile

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestCompliance runs the JSONPath compliance suite of RFC 9535
// (testdata/jsonpath-cts.json, github.com/jsonpath-standard) through the
// engine as connections use it. Each valid query must give the suite's answer
// or be refused at save with a sentence; each invalid one must be refused.
func TestCompliance(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/jsonpath-cts.json")
	if err != nil {
		t.Fatal(err)
	}
	var suite struct {
		Tests []struct {
			Name     string
			Selector string
			Document json.RawMessage
			Result   []any
			Results  [][]any
			Invalid  bool `json:"invalid_selector"`
		}
	}
	if err := json.Unmarshal(raw, &suite); err != nil {
		t.Fatal(err)
	}
	same, invalid, walked := 0, 0, 0
	refused := map[string]int{}
	for _, c := range suite.Tests {
		// The shorthand is ours; the suite's texts without $ are invalid.
		var q *query
		var faults []fault
		if strings.HasPrefix(c.Selector, "$") {
			q, faults = compileQuery(c.Selector)
		} else {
			faults = []fault{{"is not JSONPath", ""}}
		}
		_, syntax := recognise(c.Selector)
		if c.Invalid {
			if q != nil || len(faults) == 0 || syntax == nil {
				t.Errorf("%s: invalid %q was accepted (grammar says: %v)", c.Name, c.Selector, syntax)
				continue
			}
			invalid++
			continue
		}
		if syntax != nil {
			t.Errorf("%s: valid %q: %v", c.Name, c.Selector, syntax)
			continue
		}
		if q == nil {
			for _, f := range faults {
				if f.problem == "" || f.fix == "" {
					t.Errorf("%s: refused without a sentence: %+v", c.Name, f)
				}
			}
			refused[faults[0].problem]++
			continue
		}
		v, depth, err := parseJSON(c.Document, WideLimits())
		if err != nil {
			t.Errorf("%s: document: %v", c.Name, err)
			continue
		}
		doc := &document{value: v, bytes: len(c.Document), depth: depth}
		input := v
		if q.computed {
			if input, err = toFloats(v); err != nil {
				t.Errorf("%s: %v", c.Name, err)
				continue
			}
		}
		want := c.Results
		if want == nil {
			want = [][]any{c.Result}
		}
		if got := q.path.Select(input); !slices.ContainsFunc(want, func(w []any) bool { return equalJSON(t, got, w) }) {
			t.Errorf("%s: %q gave %v, want one of %v", c.Name, c.Selector, got, want)
			continue
		}
		// What connections see: the same values, each node once, in order.
		got, err := q.run(doc)
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		if !slices.ContainsFunc(want, func(w []any) bool { return sameValues(t, got, w) }) {
			t.Errorf("%s: run gave %v, want one of %v", c.Name, got, want)
			continue
		}
		if q.steps != nil {
			walked++
		}
		same++
	}
	total := 0
	for why, n := range refused {
		t.Logf("refused at save: %3d × %s", n, why)
		total += n
	}
	differ := len(suite.Tests) - same - invalid - total
	t.Logf("compliance suite: %d cases: %d give the suite's answer (%d of them without the library), %d invalid are refused, %d valid are refused at save by policy, %d silently differ",
		len(suite.Tests), same, walked, invalid, total, differ)
	if differ != 0 || len(suite.Tests) != 703 || total > 20 {
		t.Errorf("%d cases of %d differ (0 may), %d are refused by policy (20 may)", differ, len(suite.Tests), total)
	}
}

// sameValues reports whether got holds the values of want in any order, those
// that a path names twice once or twice.
func sameValues(t *testing.T, got, want []any) bool {
	t.Helper()
	covers := func(a, b []any) bool {
		return !slices.ContainsFunc(b, func(v any) bool {
			return !slices.ContainsFunc(a, func(w any) bool { return equalJSON(t, v, w) })
		})
	}
	return len(got) <= len(want) && covers(got, want) && covers(want, got)
}

func equalJSON(t *testing.T, a, b any) bool {
	t.Helper()
	var x, y any
	for _, p := range []struct {
		from any
		to   *any
	}{{a, &x}, {b, &y}} {
		raw, err := json.Marshal(p.from)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, p.to); err != nil {
			t.Fatal(err)
		}
	}
	if l, ok := x.([]any); ok && len(l) == 0 {
		if m, ok := y.([]any); ok && len(m) == 0 {
			return true
		}
	}
	return reflect.DeepEqual(x, y)
}
