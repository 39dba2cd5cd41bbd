package profile

import (
	"log/slog"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// untrustedShown is how much of an Untrusted a log line or message shows.
const untrustedShown = 200

// Untrusted is text a provider or a stranger wrote: an error_description, a
// claim, a header. It can be printed anywhere without breaking the line it
// stands on: String and LogValue quote it and cut it. Pages show [Untrusted.Clean].
type Untrusted string

// Clean returns the text for people: control characters, line breaks and
// characters that change direction or take no room are gone, invalid UTF-8 is
// U+FFFD, and it has at most max bytes (cut between characters, marked with …).
// Escaping for HTML is the page's business.
func (u Untrusted) Clean(max int) string {
	ellipsis := "…"
	if max < len(ellipsis) {
		ellipsis = ""
	}
	var b strings.Builder
	for _, r := range string(u) {
		switch {
		case r == '\t' || r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029':
			r = ' '
		case hidden(r):
			continue
		}
		if b.Len()+utf8.RuneLen(r) > max {
			s := b.String()
			for len(s)+len(ellipsis) > max && s != "" {
				_, size := utf8.DecodeLastRuneInString(s)
				s = s[:len(s)-size]
			}
			return s + ellipsis
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

// hidden reports characters without a picture of their own: controls, format
// characters (bidi marks and overrides, zero-width space, tags) and what is
// unassigned or private. The joiners U+200C and U+200D stay: names and emoji
// are written with them.
func hidden(r rune) bool {
	if r < 0x7f {
		return r < ' '
	}
	return r != '\u200c' && r != '\u200d' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs)) ||
		r&0xfffe == 0xfffe
}

// String quotes and cuts: one line of ASCII.
func (u Untrusted) String() string {
	s := string(u)
	if len(s) <= untrustedShown {
		return strconv.QuoteToASCII(s)
	}
	return strconv.QuoteToASCII(s[:untrustedShown]) + "… (" + strconv.Itoa(len(s)) + " bytes)"
}

// LogValue implements slog.LogValuer.
func (u Untrusted) LogValue() slog.Value { return slog.StringValue(u.String()) }
