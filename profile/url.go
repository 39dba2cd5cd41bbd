package profile

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrNoURL: a response does not hold the URL of the profile. The error says
// why and repeats nothing of the response.
var ErrNoURL = errors.New("profile: no URL in the response")

// maxProfileURL bounds a URL taken out of a response, in bytes.
const maxProfileURL = 2048

// URLSelector finds the URL of a profile inside a response: immutable, safe to
// use from many goroutines.
type URLSelector struct{ query *query }

// CompileURL checks the path that finds the URL of the profile inside the token
// response or inside another answer. The path must be singular: which URL is
// asked with the person's access token is never a matter of order. All faults
// are joined, each a *[FieldError] at field.
func CompileURL(field, path string) (*URLSelector, error) {
	if path == "" {
		return nil, &FieldError{field, "is required", "name the member that holds the URL, such as id or urls.profile"}
	}
	q, problems := compileQuery(path)
	var faults []error
	for _, p := range problems {
		faults = append(faults, &FieldError{field, p.problem, p.fix})
	}
	if q != nil && !q.singular {
		faults = append(faults, &FieldError{
			field, "can select several values, and one URL is asked",
			"name one, as in urls.profile or links[0], without *, filters, slices, unions and ..",
		})
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return &URLSelector{q}, nil
}

// Find returns the text at the path, as the provider wrote it: whether it is a
// URL of an origin that may be asked is the caller's to check (SECURITY-CASES
// H4). The error is ErrNoURL, or ErrJSON for a response that is not acceptable.
func (u *URLSelector) Find(response json.RawMessage) (string, error) {
	v, depth, err := parseJSON(response, WideLimits())
	if err != nil {
		return "", fmt.Errorf("profile: %w", err)
	}
	found, err := u.query.run(&document{value: v, bytes: len(response), depth: depth})
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoURL, err)
	}
	if len(found) == 0 || found[0] == nil || found[0] == "" {
		return "", fmt.Errorf("%w: the path matched nothing", ErrNoURL)
	}
	text, ok := found[0].(string)
	switch {
	case !ok:
		return "", fmt.Errorf("%w: the value is not a text", ErrNoURL)
	case len(text) > maxProfileURL:
		return "", fmt.Errorf("%w: the value has more than %d bytes", ErrNoURL, maxProfileURL)
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == utf8.RuneError || r == '\\' || hidden(r) }):
		return "", fmt.Errorf("%w: the value has a character that no URL has", ErrNoURL)
	}
	return strings.Clone(text), nil
}
