package templates

import (
	"html/template"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Longest texts a page shows, in characters.
const (
	maxName = 80   // names of people, apps, companies, connections
	maxLine = 254  // addresses, ids, one-line values
	maxText = 1000 // sentences an admin wrote
)

func cleanName(s string) string { return clean(s, maxName) }
func cleanLine(s string) string { return clean(s, maxLine) }
func cleanText(s string) string { return clean(s, maxText) }

// clean makes outside text fit to stand between ours (V1): white space becomes
// a plain space; control, direction-override, invisible and unassigned
// characters go; piles of combining marks are cut to three; what is longer than
// limit ends in an ellipsis.
func clean(s string, limit int) string {
	if plain(s) && len(s) <= limit {
		return s
	}
	var b strings.Builder
	kept, marks := 0, 0
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			r, marks = ' ', 0
		case r == utf8.RuneError, !unicode.IsPrint(r) && r != '\u200c' && r != '\u200d':
			// IsPrint is false for Cc, Cf (bidi controls, BOM, tags), Co, Cs and
			// unassigned; the two joiners stay, Persian and emoji need them.
			continue
		case unicode.In(r, unicode.Mn, unicode.Me):
			if marks++; marks > 3 {
				continue
			}
		default:
			marks = 0
		}
		if kept == limit {
			b.WriteRune('…')
			break
		}
		b.WriteRune(r)
		kept++
	}
	return b.String()
}

// plain reports that s is printable ASCII, which needs no cleaning.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// httpsOnly returns raw when it is an absolute https URL with a host and no
// user name in it, else "". Pictures, logos and links go through it.
func httpsOnly(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || len(raw) > 2048 || !plain(raw) {
		return ""
	}
	return raw
}

// appLink returns the address of an app for an href: http, https, or a
// private-use scheme, which has a dot in it (RFC 8252 section 7.1). No scheme a
// browser executes has one. Callers pass registered addresses only.
func appLink(raw string) template.URL {
	u, err := url.Parse(raw)
	if err != nil || !plain(raw) {
		return ""
	}
	web := (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
	if !web && !strings.Contains(u.Scheme, ".") {
		return ""
	}
	return template.URL(raw) //nolint:gosec // scheme proven above; html/template still escapes for the attribute
}

// stamp is a moment for people, iso the same for <time datetime>.
func stamp(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04 UTC") }
func iso(t time.Time) string   { return t.UTC().Format(time.RFC3339) }

// stampIn is a moment for people who read a language.
func stampIn(language string) func(time.Time) string {
	if language == "de" {
		return func(t time.Time) string { return t.UTC().Format("2.1.2006, 15:04 UTC") }
	}
	return stamp
}
