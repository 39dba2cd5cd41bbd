package profile

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// expandShorthand turns name.first, email[0], preferred-username and
// groups[*] into RFC 9535. It reads tokens, never just puts $. in front: .name
// would become $..name. What is not plainly names, [number] and [*] is refused
// with the way to write it.
func expandShorthand(text string) (string, *fault) {
	var b strings.Builder
	b.WriteByte('$')
	if text == "" {
		return "", &fault{"is empty", "write a path such as name.first"}
	}
	if strings.Contains(text, "://") {
		return "", urlName(text)
	}
	if strings.Contains(text, "..") {
		return "", &fault{"has .. in the shorthand", "write it as " + "$" + prefixed(text)}
	}
	for i := 0; i < len(text); {
		switch {
		case text[i] == '[':
			end := strings.IndexByte(text[i:], ']')
			if i == 0 || end < 0 || !plainIndex(text[i+1:i+end]) {
				return "", &fault{"is not the shorthand: only [number] and [*] can stand in brackets, after a name", "write the whole path, as in $" + prefixed(text)}
			}
			b.WriteString(text[i : i+end+1])
			i += end + 1
			if i < len(text) && text[i] != '.' && text[i] != '[' {
				return "", notShorthand(text)
			}
		case text[i] == '.' && i == 0:
			return "", &fault{"begins with a dot", "leave the dot out: " + strings.TrimLeft(text, ".")}
		default:
			if text[i] == '.' {
				i++
			}
			name := shortName(text[i:])
			if name == "" {
				if i < len(text) && digit(text[i]) {
					return "", &fault{"has a number as a name", "write an element of a list as groups[0], a member with a number as its name as $['0']"}
				}
				return "", notShorthand(text)
			}
			i += len(name)
			if i < len(text) && text[i] != '.' && text[i] != '[' {
				return "", notShorthand(text)
			}
			b.WriteString(memberStep(name))
		}
	}
	return b.String(), nil
}

func prefixed(text string) string {
	if text[0] == '[' || text[0] == '.' {
		return text
	}
	return "." + text
}

func notShorthand(text string) *fault {
	if strings.ContainsAny(text, "[?*'\"") {
		return &fault{"is not the shorthand", "write the whole path beginning with $"}
	}
	return &fault{
		"has a character that the shorthand does not know",
		"if it is one member's name, write " + memberPath(text),
	}
}

// urlName is the fault of a claim's name that is a URL and stands bare.
func urlName(text string) *fault {
	for _, around := range [...][2]string{{"['", "']"}, {`["`, `"]`}, {"'", "'"}, {`"`, `"`}, {".", ""}} {
		if name, ok := strings.CutPrefix(text, around[0]); ok {
			text = strings.TrimSuffix(name, around[1])
			break
		}
	}
	return &fault{"has a URL as a name, and : and / cannot stand bare in a path", "write " + memberPath(text)}
}

// memberPath is the path of a member whose name may hold any character.
func memberPath(name string) string { return "$" + memberStep(name) }

func memberStep(name string) string {
	var b strings.Builder
	b.WriteString("['")
	for _, r := range name {
		switch {
		case r == '\'' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteString("']")
	return b.String()
}

func plainIndex(s string) bool {
	if s == "*" {
		return true
	}
	if s == "" || len(s) > 6 || len(s) > 1 && s[0] == '0' {
		return false
	}
	for i := range len(s) {
		if !digit(s[i]) {
			return false
		}
	}
	return true
}

// shortName is the longest name at the start of s: letters, digits, _ and -,
// not beginning with a digit or -.
func shortName(s string) string {
	end := 0
	for end < len(s) {
		r, size := utf8.DecodeRuneInString(s[end:])
		if !nameFirst(r) && (end == 0 || r != '-' && (r < '0' || r > '9')) {
			break
		}
		end += size
	}
	return s[:end]
}
