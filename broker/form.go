package broker

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"sort"
	"unicode/utf8"
)

const (
	// maxForm bounds query and body of every request (bytes).
	maxForm = 64 << 10
	// maxParam bounds a single parameter (bytes).
	maxParam = 16 << 10
)

// form is a request's parameters, each present once, empty ones left out
// (RFC 6749 §3.1: "parameters sent without a value MUST be treated as if they
// were omitted").
type form struct {
	url.Values
	// repeated names, sorted; a request that has any is not looked at further.
	repeated []string
	// empty names were sent without a value.
	empty []string
}

// Sentinels of readForm, by the answer they get.
var (
	errTooLarge  = errors.New("broker: request too large")
	errMediaType = errors.New("broker: media type")
	errMalformed = errors.New("broker: malformed parameters")
)

// readForm reads query and, for POST, body strictly: no other media type than
// application/x-www-form-urlencoded, no broken escapes, no invalid UTF-8 or
// NUL, bounded sizes. A parameter in query and body counts as repeated.
func readForm(r *http.Request) (form, error) {
	f := form{Values: url.Values{}}
	if len(r.URL.RawQuery) > maxForm {
		return f, errTooLarge
	}
	parts := []string{r.URL.RawQuery}
	if r.Method == http.MethodPost {
		if mt, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || mt != "application/x-www-form-urlencoded" {
			return f, errMediaType
		}
		body, err := io.ReadAll(io.LimitReader(r.Body, maxForm+1))
		if err != nil {
			return f, errors.Join(errMalformed, err)
		}
		if len(body) > maxForm {
			return f, errTooLarge
		}
		parts = append(parts, string(body))
	}
	seen := map[string]int{}
	for _, p := range parts {
		values, err := url.ParseQuery(p)
		if err != nil {
			return f, errors.Join(errMalformed, err)
		}
		for name, vs := range values {
			seen[name] += len(vs)
			for _, v := range vs {
				if len(v) > maxParam {
					return f, errTooLarge
				}
				if !clean(name) || !clean(v) {
					return f, errMalformed
				}
				if v == "" {
					f.empty = append(f.empty, name)
					continue
				}
				f.Values[name] = append(f.Values[name], v)
			}
		}
	}
	for name, n := range seen {
		if n > 1 {
			f.repeated = append(f.repeated, name)
		}
	}
	sort.Strings(f.repeated)
	return f, nil
}

// clean refuses what no parameter of ours may hold: invalid UTF-8 and control
// characters.
func clean(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, c := range s {
		if c < 0x20 || c == 0x7f {
			return false
		}
	}
	return true
}

// readBodyForm is readForm for endpoints that take parameters from the body
// only: nothing may be in the query (SECURITY-CASES I11, Z2).
func readBodyForm(w http.ResponseWriter, r *http.Request) (form, *oauthError) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return form{}, &oauthError{Code: "invalid_request", Description: "Use POST.", Status: http.StatusMethodNotAllowed}
	}
	f, err := readForm(r)
	switch {
	case errors.Is(err, errTooLarge):
		return f, &oauthError{Code: "invalid_request", Description: "The request is too large.", Status: http.StatusRequestEntityTooLarge}
	case errors.Is(err, errMediaType):
		return f, &oauthError{Code: "invalid_request", Description: "Send the parameters as application/x-www-form-urlencoded.", Status: http.StatusUnsupportedMediaType}
	case err != nil:
		return f, errInvalidRequest("The parameters cannot be read: check their encoding.").because(err)
	case r.URL.RawQuery != "":
		return f, errInvalidRequest("Send all parameters in the body, none in the URL.")
	case len(f.repeated) > 0:
		return f, errInvalidRequest("A parameter was sent more than once.")
	}
	return f, nil
}
