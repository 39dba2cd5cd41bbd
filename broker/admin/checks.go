package admin

import (
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"gatehouse/profile"
	"gatehouse/store"
)

var slugPattern = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$`)

// faults collects everything that is wrong with a record, in order.
type faults []error

func (f *faults) add(path, format string, args ...any) { *f = append(*f, fault(path, format, args...)) }

func (f *faults) join() error { return errors.Join(*f...) }

// slug: ids of organizations and connections appear in URLs and file names.
func (f *faults) slug(path, v string) {
	if !slugPattern.MatchString(v) {
		f.add(path, "must be 1 to 63 lower-case letters, digits and inner hyphens")
	}
}

// text is a line people read: no control or direction characters (V1, V4).
func (f *faults) text(path, v string, most int, required bool) {
	switch {
	case required && strings.TrimSpace(v) == "":
		f.add(path, "is required")
	case !utf8.ValidString(v) || utf8.RuneCountInString(v) > most:
		f.add(path, "must be text of at most %d characters", most)
	case strings.ContainsFunc(v, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }):
		f.add(path, "must not hold control or text-direction characters")
	}
}

// webURL is an address our pages may link to: https only, so never
// javascript: or data:. Empty is none.
func (f *faults) webURL(path, v string) {
	if v == "" {
		return
	}
	u, err := url.Parse(v)
	if err != nil || len(v) > 2048 || !visibleASCII(v) {
		f.add(path, "must be a URL of at most 2048 visible ASCII characters")
		return
	}
	if u.Scheme != "https" || u.Host == "" || u.User != nil || u.Opaque != "" {
		f.add(path, "must be an https URL without user name or password")
	}
}

func visibleASCII(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f || s[i] == '"' || s[i] == '<' || s[i] == '>' || s[i] == '\\' || s[i] == '^' || s[i] == '`' || s[i] == '{' || s[i] == '|' || s[i] == '}' {
			return false
		}
	}
	return s != ""
}

// nameOf is how pages call a person.
func nameOf(u store.User) string {
	if name := attributesName(u.Attributes); name != "" {
		return name
	}
	return u.ID
}

func attributesName(a profile.Attributes) string {
	for _, v := range []string{a.DisplayName, strings.TrimSpace(a.FirstName + " " + a.LastName), a.Email} {
		if v != "" {
			return profile.Untrusted(v).Clean(80)
		}
	}
	return ""
}

func indexed(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// has reports whether a record exists.
func has[T any](tx store.Tx, c *store.Collection[T], key string) (bool, error) {
	_, err := c.Get(tx, key)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
