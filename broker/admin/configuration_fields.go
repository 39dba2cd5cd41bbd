package admin

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// differingFields compares two objects as documents say them, field by field.
// Lists of plain values are one field; of objects, each has its own. A text of
// nil is an object that is not there.
func differingFields(before, after []byte) []plannedField {
	was, is := map[string]any{}, map[string]any{}
	flatten(was, "", decoded(before))
	flatten(is, "", decoded(after))
	out := []plannedField{}
	for path, b := range was {
		if a, ok := is[path]; !ok || !reflect.DeepEqual(a, b) {
			out = append(out, plannedField{Path: path, Before: b, After: is[path]})
		}
	}
	for path, a := range is {
		if _, ok := was[path]; !ok {
			out = append(out, plannedField{Path: path, After: a})
		}
	}
	slices.SortFunc(out, func(a, b plannedField) int { return strings.Compare(a.Path, b.Path) })
	return out
}

func decoded(text []byte) any {
	var v any
	_ = json.Unmarshal(text, &v) // it was made here
	return v
}

func flatten(into map[string]any, path string, v any) {
	switch v := v.(type) {
	case nil:
	case map[string]any:
		if _, secret := v["from"]; secret && len(v) == 1 { // a reference says nothing by itself
			return
		}
		for name, member := range v {
			at := name
			if path != "" {
				at = path + "." + name
			}
			flatten(into, at, member)
		}
	case []any:
		for _, item := range v {
			if _, object := item.(map[string]any); object {
				for i, item := range v {
					flatten(into, indexed(path, i), item)
				}
				return
			}
		}
		if len(v) > 0 {
			into[path] = v
		}
	default:
		into[path] = v
	}
}
