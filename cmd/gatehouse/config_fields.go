package main

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// fieldNames lists the YAML names of a struct's fields, in their order.
func fieldNames(t reflect.Type) []string {
	var names []string
	for f := range t.Fields() {
		if name := f.Tag.Get("yaml"); name != "" {
			names = append(names, name)
		}
	}
	return names
}

func fieldNamed(v reflect.Value, name string) reflect.Value {
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("yaml") == name {
			return v.Field(i)
		}
	}
	return reflect.Value{}
}

// leaves calls fn with the path and place of every field that is not a group.
func leaves(v reflect.Value, path string, fn func(path string, field reflect.Value)) {
	for _, name := range fieldNames(v.Type()) {
		field := fieldNamed(v, name)
		if field.Kind() == reflect.Struct {
			leaves(field, join(path, name), fn)
			continue
		}
		fn(join(path, name), field)
	}
}

func isDuration(t reflect.Type) bool { return t == reflect.TypeFor[time.Duration]() }

// setScalar reads text into a field and says what is wrong with it, if anything.
func setScalar(into reflect.Value, text string) (problem string) {
	switch {
	case isDuration(into.Type()):
		d, err := parseDuration(text)
		if err != nil {
			return err.Error()
		}
		into.SetInt(int64(d))
	case into.Kind() == reflect.Bool:
		if text != "true" && text != "false" {
			return fmt.Sprintf("%q is neither true nor false", text)
		}
		into.SetBool(text == "true")
	case into.Kind() == reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Sprintf("%q is not a whole number", text)
		}
		into.SetInt(int64(n))
	default:
		into.SetString(text)
	}
	return ""
}

// wanted is how a value of the field's type is written.
func wanted(field reflect.Value) string {
	switch {
	case isDuration(field.Type()):
		return "a number with a unit, such as 90s, 15m, 12h or 30d"
	case field.Kind() == reflect.Bool:
		return "true or false"
	case field.Kind() == reflect.Int:
		return "a whole number"
	case field.Kind() == reflect.Slice:
		return "a list"
	}
	return "a text, in quotes if it holds special characters"
}

// parseDuration reads Go's notation with days ("1d12h") in front. Zero,
// negative and overflowing values are read as such or refused, never wrapped:
// the check decides what fits a field (SECURITY-CASES K7).
func parseDuration(text string) (time.Duration, error) {
	bad := fmt.Errorf("%q is not a length of time", text)
	var total time.Duration
	rest := text
	if days, after, ok := strings.Cut(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 63)
		if err != nil {
			return 0, bad
		}
		if n > uint64(math.MaxInt64/day) {
			return 0, fmt.Errorf("%q is longer than 292 years", text)
		}
		total, rest = time.Duration(n)*day, after
		if rest == "" {
			return total, nil
		}
	}
	d, err := time.ParseDuration(rest)
	if err != nil || (total > 0 && d < 0) {
		return 0, bad
	}
	if d > math.MaxInt64-total {
		return 0, fmt.Errorf("%q is longer than 292 years", text)
	}
	return total + d, nil
}

// suggest names the field that was probably meant.
func suggest(got string, names []string) string {
	best, distance := "", 4
	for _, name := range names {
		if d := editDistance(got, name); d < distance {
			best, distance = name, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %s?", best)
	}
	return "the fields here are " + strings.Join(names, ", ")
}

// editDistance is Levenshtein's.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
