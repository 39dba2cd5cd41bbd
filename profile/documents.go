package profile

import "encoding/json"

// Documents are what a provider answered, still as bytes. IDToken is the
// verified claims set, TokenResponse the whole token response, Profile the
// userinfo or profile. Nil is "there was none".
type Documents struct{ IDToken, Profile, TokenResponse json.RawMessage }

// Tristate is a claim that can be absent, which is neither true nor false.
type Tristate int8

// Tristates. Only the JSON value true is True; false is False; anything else,
// also the string "true", is Absent.
const (
	Absent Tristate = iota
	False
	True
)

// String is "absent", "false" or "true".
func (t Tristate) String() string { return [...]string{"absent", "false", "true"}[t] }

// Miss is a selector that gave nothing.
type Miss struct {
	Attribute string // as in FieldError.Path, without "selectors."
	Path      string // as the admin wrote it
	Source    Source // where it looked last
	Why       string
}

// Hit is a selector that gave a value.
type Hit struct {
	Attribute string // as in Miss
	Path      string
	Source    Source // the document it was found in
	Values    int    // how many were taken
}

// Result is what a trace shows of a selection beside the attributes.
type Result struct {
	EmailVerified Tristate
	Hits          []Hit
	Misses        []Miss
	Warnings      []string // values left out or cut, in fixed words
}

// FieldError is one fault of a configuration record, with how to cure it.
type FieldError struct {
	Path    string // of the field in the record, e.g. "selectors.email"
	Problem string
	Fix     string
}

// Error implements error.
func (e *FieldError) Error() string {
	if e.Fix == "" {
		return e.Path + ": " + e.Problem
	}
	return e.Path + ": " + e.Problem + "; " + e.Fix
}
