package admin

import (
	"encoding/json"
	"maps"
	"reflect"
	"strconv"
	"strings"

	"gatehouse/store"
)

// one is the answer that holds a single thing.
type one[T any] struct {
	ETag string `header:"ETag"`
	Body T
}

// none is an answer without a body.
type none struct{}

func etag(revision int64) string { return `"` + strconv.FormatInt(revision, 10) + `"` }

// Precondition is how a change names what it was made from. Both are optional;
// either one makes the change fail when the record has moved on.
type Precondition struct {
	IfMatch string `header:"If-Match" maxLength:"256" doc:"ETag of the version this change was made from: 412 when it is no longer the stored one"`
}

// match compares If-Match (412) and a body's revision (409) with the record.
func (p Precondition) match(have store.Meta, revision *int64) error {
	if p.IfMatch != "" && strings.TrimSpace(p.IfMatch) != "*" {
		found := false
		for tag := range strings.SplitSeq(p.IfMatch, ",") {
			found = found || strings.TrimSpace(tag) == etag(have.Revision)
		}
		if !found {
			return errPrecondition
		}
	}
	if revision != nil && *revision != have.Revision {
		return store.ErrStale
	}
	return nil
}

// difference is the Detail of an audit entry: the members of two views that
// differ. Views never hold secrets, so neither does the audit.
func difference(before, after any) map[string]any {
	b, a := members(before), members(after)
	for _, name := range []string{"revision", "updated_at"} {
		delete(b, name)
		delete(a, name)
	}
	if before == nil {
		return map[string]any{"after": a}
	}
	if after == nil {
		return map[string]any{"before": b}
	}
	from, to := map[string]any{}, map[string]any{}
	for name := range maps.Keys(a) {
		if !reflect.DeepEqual(b[name], a[name]) {
			to[name] = a[name]
			from[name] = b[name]
		}
	}
	for name := range maps.Keys(b) {
		if _, ok := a[name]; !ok {
			from[name] = b[name]
		}
	}
	return map[string]any{"before": from, "after": to}
}

func members(v any) map[string]any {
	out := map[string]any{}
	if v == nil {
		return out
	}
	raw, err := json.Marshal(v)
	if err == nil {
		_ = json.Unmarshal(raw, &out) // views marshal to objects
	}
	return out
}

// set copies what a change names; nil leaves the field as it is.
func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

// setList does so for lists: absent leaves the field, [] empties it.
func setList[T any](field *[]T, value []T) {
	if value != nil {
		*field = value
	}
}

// listed makes nil lists [], so that arrays are never null in answers.
func listed(l []string) []string {
	if l == nil {
		return []string{}
	}
	return l
}
