package profile

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// maxCustomText bounds the text form of all custom attributes, in bytes.
const maxCustomText = 64 << 10

// ParseCustom reads custom attributes in their text form, one to a line:
//
//	groups=user.groups
//	department(profile, first, missing="N/A")=$['https://example.com/dept'][*]
//
// In parentheses stand, in any order, a source (id_token, profile,
// token_response), a cardinality (one, first, list), optional, and any number
// of missing="…". Empty lines and spaces around the parts are free. The
// attributes are checked as [Compile] does; all faults are reported at once,
// each a *[FieldError], those of a line's form with the line's number.
func ParseCustom(text string) (map[string]Selector, error) {
	if len(text) > maxCustomText {
		return nil, &FieldError{fieldPrefix + "custom", fmt.Sprintf("has %d bytes, at most %d are read", len(text), maxCustomText), "write one attribute to a line, as in groups=user.groups"}
	}
	custom := map[string]Selector{}
	var faults []error
	attributes := 0
	for n, line := range strings.Split(text, "\n") {
		if strings.TrimSpace(line) == "" {
			continue
		}
		if attributes++; attributes > maxCustom {
			faults = append(faults, &FieldError{fieldPrefix + "custom", fmt.Sprintf("has more than %d attributes", maxCustom), "remove some"})
			break
		}
		name, sel, problems := parseCustomLine(line)
		path := fieldPrefix + "custom"
		switch _, twice := custom[name]; {
		case name == "":
		case !customName.MatchString(name):
			faults = append(faults, badCustomName(name))
		default:
			path = fieldPrefix + customPrefix + name
			if twice {
				problems = append(problems, fault{"is there twice", "write each attribute once, with a path that selects all its values"})
				break
			}
			custom[name] = sel
		}
		for _, p := range problems {
			faults = append(faults, &FieldError{path, fmt.Sprintf("line %d: %s", n+1, p.problem), p.fix})
		}
	}
	_, errs := compileCustom(custom)
	if faults = append(faults, errs...); len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return custom, nil
}

// parseCustomLine reads one line; name is empty when there is none to speak of.
func parseCustomLine(line string) (name string, sel Selector, faults []fault) {
	end := strings.IndexAny(line, "(=")
	if end < 0 {
		return "", sel, []fault{{"has no =", "write name=path, as in groups=user.groups"}}
	}
	if name = strings.TrimSpace(line[:end]); name == "" {
		faults = append(faults, fault{"has no name before " + line[end:end+1], "write name=path, as in groups=user.groups"})
	}
	rest := line[end:]
	if rest[0] == '(' {
		var more []fault
		rest, more = sel.options(rest[1:])
		faults = append(faults, more...)
		if rest == "" {
			return name, sel, faults
		}
	}
	path, ok := strings.CutPrefix(rest, "=")
	if !ok {
		return name, sel, append(faults, fault{"has no = after )", "write name(options)=path"})
	}
	sel.Path = strings.TrimSpace(path)
	return name, sel, faults
}

// options reads what stands between the parentheses and returns what follows
// them; it is empty when they are not closed, which is a fault.
func (s *Selector) options(text string) (rest string, faults []fault) {
	for {
		text = strings.TrimSpace(text)
		end := strings.IndexAny(text, `,)="`)
		if end < 0 {
			return "", append(faults, fault{"has a ( without its )", "write name(options)=path"})
		}
		word := strings.TrimSpace(text[:end])
		text = text[end:]
		if word == "missing" && text[0] == '=' {
			text = strings.TrimSpace(text[1:])
			quoted, err := strconv.QuotedPrefix(text)
			value, unquoted := strconv.Unquote(quoted)
			if err != nil || unquoted != nil || quoted[0] != '"' {
				return "", append(faults, fault{"has a value of missing that is not in double quotes", `write missing="N/A"`})
			}
			s.Missing = append(s.Missing, value)
			text = strings.TrimSpace(text[len(quoted):])
		} else if !s.option(word) {
			faults = append(faults, fault{
				"has an option that is not known, or one twice",
				`use one of id_token, profile, token_response; one of one, first, list; optional; missing="N/A"`,
			})
		}
		switch {
		case strings.HasPrefix(text, ","):
			text = text[1:]
		case strings.HasPrefix(text, ")"):
			if rest = strings.TrimSpace(text[1:]); rest == "" {
				faults = append(faults, fault{"has no = after )", "write name(options)=path"})
			}
			return rest, faults
		default:
			return "", append(faults, fault{"has an option that is not followed by , or )", "write name(options)=path"})
		}
	}
}

func (s *Selector) option(word string) (ok bool) {
	switch word {
	case string(FromIDToken), string(FromProfile), string(FromTokenResponse):
		ok, s.Source = s.Source == "", Source(word)
	case string(One), string(First), string(List):
		ok, s.Cardinality = s.Cardinality == "", Cardinality(word)
	case "optional":
		ok, s.Optional = !s.Optional, true
	}
	return ok
}

// FormatCustom is the text form that [ParseCustom] reads, sorted by name. Line
// breaks between the parts of a path become spaces.
func FormatCustom(custom map[string]Selector) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(custom)) {
		sel := custom[name]
		var options []string
		for _, word := range []string{string(sel.Source), string(sel.Cardinality)} {
			if word != "" {
				options = append(options, word)
			}
		}
		if sel.Optional {
			options = append(options, "optional")
		}
		for _, m := range sel.Missing {
			options = append(options, "missing="+strconv.Quote(m))
		}
		b.WriteString(name)
		if len(options) > 0 {
			b.WriteString("(" + strings.Join(options, ", ") + ")")
		}
		b.WriteString("=" + strings.NewReplacer("\n", " ", "\r", " ").Replace(sel.Path) + "\n")
	}
	return b.String()
}
