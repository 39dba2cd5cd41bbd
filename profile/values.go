package profile

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Caps of what one person's attributes may hold (SECURITY-CASES X8).
const (
	maxFederationID = 255 // bytes, as a sub (OpenID Connect Core §2)
	maxName         = 256
	maxPhone        = 64
	maxPicture      = 2048
	maxCustomValue  = 512
	maxCustomValues = 500
	maxCustomBytes  = 64 << 10 // of all custom attributes together
)

// set puts a value where its attribute goes; a non-empty answer says why it
// was not usable.
func (s *selection) set(name string, v any) (why string) {
	a := &s.attributes
	switch name {
	case nameFederationID:
		a.FederationID, why = federationID(v)
	case nameFirstName:
		a.FirstName, why = s.display(name, v, maxName)
	case nameLastName:
		a.LastName, why = s.display(name, v, maxName)
	case nameDisplayName:
		a.DisplayName, why = s.display(name, v, maxName)
	case namePhone:
		a.Phone, why = s.display(name, v, maxPhone)
	case nameEmail:
		text, ok := v.(string)
		if !ok {
			return notText
		}
		e, err := ParseEmail(text)
		if err != nil {
			s.warn("email: left out: %v", err)
			return "is not an e-mail address"
		}
		a.Email = e.String()
	case nameEmailVerified:
		switch v {
		case true:
			s.result.EmailVerified = True
		case false:
			s.result.EmailVerified = False
		default:
			s.warn("email_verified: counts as absent: only the JSON values true and false are read")
			return "is neither true nor false"
		}
	case namePicture:
		a.Picture, why = picture(v)
	}
	return why
}

const notText = "is not a text"

func (s *selection) warn(format string, args ...any) {
	if w := fmt.Sprintf(format, args...); !slices.Contains(s.result.Warnings, w) {
		s.result.Warnings = append(s.result.Warnings, w)
	}
}

// federationID is the canonical, typed form of an identifier. A text is itself,
// byte for byte: never folded, trimmed or normalized (J14). A whole number is
// "number:" and its digits, so that 1 and "1" are two people (U4); texts that
// look like that are told apart by "string:". Anything else (fractions,
// exponents, true, null, lists, objects, nothing) identifies nobody.
func federationID(v any) (id, why string) {
	switch v := v.(type) {
	case string:
		switch {
		case v == "":
			return "", "is empty"
		case len(v) > maxFederationID:
			return "", fmt.Sprintf("has more than %d bytes", maxFederationID)
		case strings.ContainsFunc(v, func(r rune) bool { return hidden(r) || r == utf8.RuneError }):
			return "", "has control or invalid characters"
		case strings.HasPrefix(v, "number:") || strings.HasPrefix(v, "string:"):
			return "string:" + v, ""
		}
		return strings.Clone(v), "" // else it would keep the whole document
	case json.Number:
		digits := strings.TrimPrefix(v.String(), "-")
		if len(digits) > 64 || v == "-0" || strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }) >= 0 {
			return "", "is a number that is not whole, or too long"
		}
		return "number:" + v.String(), ""
	}
	return "", "is neither a text nor a whole number"
}

// display is text for people: cleaned and cut, with a warning when cut.
func (s *selection) display(name string, v any, max int) (text, why string) {
	text, ok := scalar(v)
	if !ok {
		return "", notText
	}
	clean := Untrusted(text).Clean(max)
	if clean == "" {
		return "", "has no visible character"
	}
	if len(text) > max {
		s.warn("%s: cut to %d bytes", name, max)
	}
	return clean, ""
}

func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	}
	return "", false
}

// picture takes https URLs only: pages show them (SECURITY-CASES V1).
func picture(v any) (string, string) {
	text, ok := v.(string)
	if !ok {
		return "", notText
	}
	if len(text) > maxPicture {
		return "", fmt.Sprintf("has more than %d bytes", maxPicture)
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.Opaque != "" ||
		strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || hidden(r) || strings.ContainsRune("\"'<>\\`{|}^", r) }) {
		return "", "is not an https URL"
	}
	return u.String(), ""
}

// setCustom keeps a custom attribute's values: texts, numbers and booleans. Apps decide by them, so a value is kept exactly
// or not at all, and an attribute over a cap is left out whole: never a
// shortened list, never another group's name.
func (s *selection) setCustom(sel *selector, nodes []any) (kept []any, why string) {
	var values []string
	seen := make(map[string]bool, min(len(nodes), maxCustomValues))
	size := 0
	for _, v := range nodes {
		text, ok := scalar(v)
		if b, isBool := v.(bool); isBool {
			text, ok = strconv.FormatBool(b), true
		} else if sel.name == namePhoneVerified {
			ok = false // as email_verified: the text "true" proves nothing
		}
		switch {
		case !ok:
			s.warn("%s: a value that is not a text, number or boolean is left out", sel.label)
		case len(text) > maxCustomValue || strings.ContainsFunc(text, func(r rune) bool { return hidden(r) || r == utf8.RuneError }):
			s.warn("%s: a value over %d bytes or with control characters is left out", sel.label, maxCustomValue)
		case !seen[text]:
			seen[text] = true
			values = append(values, strings.Clone(text))
			size += len(text)
		}
		if len(values) > maxCustomValues {
			s.warn("%s: more than %d values: left out", sel.label, maxCustomValues)
			return nil, fmt.Sprintf("has more than %d values", maxCustomValues)
		}
	}
	if s.customSize += size; s.customSize > maxCustomBytes {
		s.warn("%s: custom attributes over %d bytes together: left out", sel.label, maxCustomBytes)
		return nil, "is too large together with the other custom attributes"
	}
	if len(values) == 0 {
		return nil, "has no usable value"
	}
	if s.attributes.Custom == nil {
		s.attributes.Custom = map[string][]string{}
	}
	s.attributes.Custom[sel.name] = values
	return nodes[:len(values)], ""
}
