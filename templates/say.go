package templates

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// say gives the words of this language for words of the console that are
// written in Go: titles, columns, labels, hints, states, buttons, sentences. The
// English words are the key, so that Go code stays readable and new words work
// at once; the other languages are in words_de_*.go, one file per area. A key
// with %s in it stands for a sentence with values (see pattern). What has no
// entry (names, ids) stays as it is.
func (t *Templates) say(word string) string { return t.spoken.say(word, 0) }

// sayFault says a fault: "path: problem; fix", "path: problem (fix).", or parts
// of it; several stand on lines of their own.
func (t *Templates) sayFault(fault string) string {
	lines := strings.Split(fault, "\n")
	for i := range lines {
		lines[i] = t.spoken.fault(lines[i], 0)
	}
	return strings.Join(lines, "\n")
}

// sayMask says what stands for a value that is masked; a value as such is nobody's
// to translate.
func (t *Templates) sayMask(shown string) string {
	if strings.Contains(shown, "•••") || strings.HasPrefix(shown, "(") || strings.HasSuffix(shown, " characters)") {
		return t.say(shown)
	}
	return shown
}

// saySentence says a fault as a sentence of its own: upper case, full stop.
func (t *Templates) saySentence(fault string) string {
	said := t.sayFault(fault)
	if said == "" {
		return ""
	}
	return upperFirst(said) + "."
}

func upperFirst(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[size:]
}

// spoken are the words of say in a language; nil in English.
type spoken struct {
	exact    map[string]string
	patterns []pattern
}

// spokenIn makes the words of say in a language.
func spokenIn(language string) *spoken {
	if language != "de" {
		return nil
	}
	s := &spoken{exact: germanWords()}
	for word, said := range s.exact {
		if strings.Contains(word, "%") {
			s.patterns = append(s.patterns, newPattern(word, said))
		}
	}
	sortPatterns(s.patterns)
	return s
}

// maxNested bounds sentences within sentences.
const maxNested = 3

func (s *spoken) say(word string, depth int) string {
	if s == nil || word == "" || depth > maxNested {
		return word
	}
	if said, ok := s.exact[word]; ok {
		return said
	}
	for i := range s.patterns {
		if values, ok := s.patterns[i].match(word); ok {
			return s.patterns[i].fill(values, func(inner string) string { return s.fault(inner, depth+1) })
		}
	}
	return word
}

func (s *spoken) fault(fault string, depth int) string {
	if said := s.say(fault, depth); said != fault || s == nil || depth > maxNested {
		return said
	}
	if inner, ok := strings.CutSuffix(fault, "."); ok {
		if said := s.fault(inner, depth+1); said != inner {
			return said + "."
		}
		return fault
	}
	if path, rest, ok := strings.Cut(fault, ": "); ok && !strings.Contains(path, " ") {
		return path + ": " + s.fault(rest, depth+1)
	}
	for i := range fault {
		problem, rest := fault[:i], fault[i:]
		fix, ok := strings.CutPrefix(rest, "; ")
		bracketed, inBrackets := strings.CutPrefix(strings.TrimSuffix(rest, ")"), " (")
		if !ok && !inBrackets {
			continue
		}
		said := s.say(problem, depth)
		switch {
		case said == problem:
		case ok:
			return said + "; " + s.fault(fix, depth+1)
		default:
			return said + " (" + s.fault(bracketed, depth+1) + ")"
		}
	}
	return fault
}

// germanWords are the words of say in German, of all areas.
func germanWords() map[string]string {
	all := map[string]string{}
	for _, area := range germanAreas() {
		for word, said := range area {
			all[word] = said
		}
	}
	return all
}

// germanAreas are the files of German words, each one for some pages.
func germanAreas() []map[string]string {
	return []map[string]string{
		germanChrome(), germanOrganizationWords(), germanAdmissionWords(), germanNotices(), germanLocalWords(),
		germanConnectionWords(), germanPresetWords(), germanRoutingWords(), germanTraceWords(), germanTestWords(), germanPeopleWords(),
		germanProblems(), germanFaults(), germanConnectionFaults(), germanSelectorFaults(), germanConfigurationWords(),
	}
}
