package profile

import (
	"maps"
	"slices"

	"github.com/theory/jsonpath"
	"github.com/theory/jsonpath/spec"
)

// step is one child segment with one selector: a name, an index or *.
type step struct {
	kind  stepKind
	name  string
	index int
}

type stepKind uint8

const (
	stepName stepKind = iota
	stepIndex
	stepAll
)

// stepsOf returns the steps of a query that has no others, and nil of one that
// needs the library: with filters, slices, unions or "..". Most selectors are
// user.name or groups[*], at a tenth of what the library takes; TestWalk and
// FuzzWalk hold it to the library's answers.
func stepsOf(path *jsonpath.Path) []step {
	steps := []step{}
	for _, seg := range path.Query().Segments() {
		if seg.IsDescendant() || len(seg.Selectors()) != 1 {
			return nil
		}
		switch sel := seg.Selectors()[0].(type) {
		case spec.Name:
			steps = append(steps, step{kind: stepName, name: string(sel)})
		case spec.Index:
			steps = append(steps, step{kind: stepIndex, index: int(sel)})
		case spec.WildcardSelector:
			steps = append(steps, step{kind: stepAll})
		default:
			return nil
		}
	}
	return steps
}

// walk appends to found what the steps select of v, in the order of [query.run],
// and stops soon after most.
func walk(v any, steps []step, found []any, most int) []any {
	for i, s := range steps {
		switch s.kind {
		case stepName:
			object, ok := v.(map[string]any)
			if !ok {
				return found
			}
			if v, ok = object[s.name]; !ok {
				return found
			}
		case stepIndex:
			list, ok := v.([]any)
			n := s.index
			if n < 0 {
				n += len(list)
			}
			if !ok || n < 0 || n >= len(list) {
				return found
			}
			v = list[n]
		case stepAll:
			switch v := v.(type) {
			case []any:
				for _, e := range v {
					if found = walk(e, steps[i+1:], found, most); len(found) > most {
						return found
					}
				}
			case map[string]any:
				for _, name := range slices.Sorted(maps.Keys(v)) {
					if found = walk(v[name], steps[i+1:], found, most); len(found) > most {
						return found
					}
				}
			}
			return found
		}
	}
	return append(found, v)
}
