package templates

import (
	"net/url"
	"strings"
	"unicode"
)

// initial is the first letter or digit of s, in capitals; "·" if there is none.
func initial(s string) string {
	for _, r := range s {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return strings.ToUpper(string(r))
		}
	}
	return "·"
}

// contactLink returns raw if it is an https or mailto address, else "".
func contactLink(raw string) string {
	if u, err := url.Parse(raw); err == nil && u.Scheme == "mailto" && plain(raw) {
		return "mailto:" + u.Opaque // without ?subject=, which is somebody else's text (V3)
	}
	return httpsOnly(raw)
}
