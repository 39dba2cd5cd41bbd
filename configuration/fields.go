package configuration

import (
	"reflect"
	"slices"
	"strings"
)

// member is one field of a record as documents name it.
type member struct {
	name string
	kind reflect.Type
}

// membersOf lists the fields of a struct as encoding/json names them: those of
// embedded structs too, unless a field further out has the name.
func membersOf(t reflect.Type) (out []member) {
	taken := map[string]bool{}
	for level := []reflect.Type{t}; len(level) > 0; {
		var next []reflect.Type
		here := map[string]bool{}
		for _, s := range level {
			for i := range s.NumField() {
				f := s.Field(i)
				name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
				switch {
				case f.Anonymous && name == "":
					next = append(next, f.Type)
				case name == "" || name == "-" || taken[name]:
				default:
					here[name] = true
					if f.Type != reflect.TypeFor[*absent]() {
						out = append(out, member{name, f.Type})
					}
				}
			}
		}
		for name := range here {
			taken[name] = true
		}
		level = next
	}
	return out
}

// meant is the known name that a wrong one was probably meant to be, or "".
func meant(name string, known []member) string {
	best, least := "", 3
	for _, m := range known {
		if d := distance(strings.ToLower(name), m.name); d < least && d < len(m.name) {
			best, least = m.name, d
		}
	}
	if best == "" {
		return ""
	}
	return "did you mean " + best + "?"
}

// distance counts the letters to add, drop or change; "-" and "_" are the same.
func distance(a, b string) int {
	if len(a) > 64 {
		return len(a)
	}
	x, y := []rune(strings.ReplaceAll(a, "-", "_")), []rune(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		before := row[0]
		row[0] = i + 1
		for j := range y {
			cost := before
			if x[i] != y[j] {
				cost = 1 + slices.Min([]int{before, row[j], row[j+1]})
			}
			before, row[j+1] = row[j+1], cost
		}
	}
	return row[len(y)]
}
