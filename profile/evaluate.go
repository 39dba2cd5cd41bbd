package profile

import (
	"encoding/json"
	"fmt"

	"github.com/theory/jsonpath/spec"
)

// maxNodesFound bounds what one query may select.
const maxNodesFound = 10_000

var errManyNodes = fmt.Errorf("matched more than %d values", maxNodesFound)

// document is one decoded answer.
type document struct {
	value        any
	bytes, depth int

	// exact is value with numbers as float64, for queries that compute: the
	// library compares 1 and 1.0 inside lists as text otherwise.
	exact      any
	exactErr   error
	exactReady bool
}

// run evaluates the query. Several values come in document order, members of
// objects by name, each node once.
func (q *query) run(doc *document) ([]any, error) {
	if q.descends && (doc.bytes > strictBytes || doc.depth > strictDepth) {
		return nil, fmt.Errorf("the document has %d bytes and %d levels, with .. at most %d and %d are searched: write out the path",
			doc.bytes, doc.depth, strictBytes, strictDepth)
	}
	if q.steps != nil {
		found := walk(doc.value, q.steps, nil, maxNodesFound)
		if len(found) > maxNodesFound {
			return nil, errManyNodes
		}
		return found, nil
	}
	return q.runLibrary(doc)
}

// runLibrary evaluates any query.
func (q *query) runLibrary(doc *document) ([]any, error) {
	input := doc.value
	if q.computed {
		if !doc.exactReady {
			doc.exact, doc.exactErr = toFloats(doc.value)
			doc.exactReady = true
		}
		if doc.exactErr != nil {
			return nil, doc.exactErr
		}
		input = doc.exact
	}
	located := q.path.SelectLocated(input)
	if len(located) > maxNodesFound {
		return nil, errManyNodes
	}
	located.Sort()
	located = located.Deduplicate()
	nodes := make([]any, len(located))
	for i, n := range located {
		nodes[i] = n.Node
		if q.computed {
			nodes[i] = at(doc.value, n.Path)
		}
	}
	return nodes, nil
}

// toFloats copies v with every number as float64; an error when that would
// lose digits.
func toFloats(v any) (any, error) {
	switch v := v.(type) {
	case json.Number:
		if !exactNumber(v.String()) {
			return nil, errInexact
		}
		f, err := v.Float64()
		return f, err
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			var err error
			if out[i], err = toFloats(e); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			f, err := toFloats(e)
			if err != nil {
				return nil, err
			}
			out[k] = f
		}
		return out, nil
	}
	return v, nil
}

// at is the value of v at a normalized path that exists.
func at(v any, path spec.NormalizedPath) any {
	for _, step := range path {
		switch step := step.(type) {
		case spec.Name:
			v = v.(map[string]any)[string(step)]
		case spec.Index:
			v = v.([]any)[int(step)]
		}
	}
	return v
}
