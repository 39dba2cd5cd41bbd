package templates

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestSay_Patterns: each sentence with values is found by its own key, and the
// German one has the same values.
func TestSay_Patterns(t *testing.T) {
	t.Parallel()
	german := spokenIn("de")
	for key, said := range german.exact {
		if !strings.Contains(key, "%") {
			if strings.Contains(said, "%s") {
				t.Errorf("%q has a value in German only", key)
			}
			continue
		}
		p := newPattern(key, said)
		if p.weight < 3 {
			t.Errorf("%q has too few words of its own", key)
		}
		n := len(p.literals) - 1
		var values []string
		for i := range n {
			values = append(values, fmt.Sprintf("Wert%d", i))
		}
		english := p.literals[0]
		for i, v := range values {
			english += v + p.literals[i+1]
		}
		want := p.fill(values, func(s string) string { return s })
		if got := german.say(english, 0); got != want {
			t.Errorf("%q is said as %q, want %q", english, got, want)
		}
		for i, v := range values {
			if !strings.Contains(want, v) {
				t.Errorf("%q leaves value %d out in German", key, i+1)
			}
		}
		for _, part := range p.said {
			if part.value >= n {
				t.Errorf("%q has no value %d", key, part.value+1)
			}
		}
	}
}

// TestSay_OneGermanForOneWord: areas may share a word, and then agree on it.
func TestSay_OneGermanForOneWord(t *testing.T) {
	t.Parallel()
	all := map[string]string{}
	for _, area := range germanAreas() {
		for word, said := range area {
			if before, known := all[word]; known && before != said {
				t.Errorf("%q is %q and %q", word, before, said)
			}
			all[word] = said
		}
	}
}

func TestSay_Pattern(t *testing.T) {
	t.Parallel()
	s := &spoken{exact: map[string]string{"off": "aus"}}
	for key, said := range map[string]string{
		"must be from %d to %d": "muss von %s bis %s sein", "%s stands in line %d of %q": "in Zeile %[2]s von %[3]s steht %[1]s",
		"is not used: %s": "gilt nicht: %w", "100 %% of %s": "100 %% von %s", "must be %s": "muss %s sein",
	} {
		s.patterns = append(s.patterns, newPattern(key, said))
	}
	sortPatterns(s.patterns)
	for _, tc := range []struct{ in, want string }{
		{"must be from 1 to 90", "muss von 1 bis 90 sein"},
		{`off stands in line 3 of "x y"`, `in Zeile 3 von "x y" steht off`},
		{"is not used: off", "gilt nicht: aus"},
		{"is not used: on", "gilt nicht: on"},
		{"is not used: must be off", "gilt nicht: muss off sein"},
		{"100 % of it", "100 % von it"},
		{"must be <b>", "muss <b> sein"},
		{"must be ", "must be "},
		{"says: must be x", "says: must be x"},
		{"", ""},
		{"off", "aus"},
		{"OFF", "OFF"},
	} {
		if got := s.say(tc.in, 0); got != tc.want {
			t.Errorf("%q is said as %q, want %q", tc.in, got, tc.want)
		}
	}
	deep := strings.Repeat("is not used: ", 10) + "off"
	if got := s.say(deep, 0); strings.Count(got, "gilt nicht") != maxNested+1 {
		t.Errorf("nested without bound: %q", got)
	}
}

func TestSay_Fault(t *testing.T) {
	t.Parallel()
	pages := &Templates{catalogue: &catalogue{spoken: &spoken{exact: map[string]string{"use it": "nehmen Sie es", "is missing": "fehlt", "write the URL": "schreiben Sie die URL", "is bad; very": "ist sehr schlecht"}}}}
	for in, want := range map[string]string{
		"is missing":                            "fehlt",
		"endpoints.token: is missing":           "endpoints.token: fehlt",
		"a.b: is missing; write the URL":        "a.b: fehlt; schreiben Sie die URL",
		"is bad; very":                          "ist sehr schlecht",
		"is bad; very; write the URL":           "ist sehr schlecht; schreiben Sie die URL",
		"is unheard of; write the URL":          "is unheard of; write the URL",
		"a.b: is missing (write the URL).":      "a.b: fehlt (schreiben Sie die URL).",
		"is missing (use it)":                   "fehlt (nehmen Sie es)",
		"a: is missing.\nb: is missing; use it": "a: fehlt.\nb: fehlt; nehmen Sie es",
		"is missing; call somebody; quick":      "fehlt; call somebody; quick",
		"no fault at all: is missing":           "no fault at all: is missing",
	} {
		if got := pages.sayFault(in); got != want {
			t.Errorf("%q is said as %q, want %q", in, got, want)
		}
	}
	english := newTemplates(t)
	if got := english.sayFault("a: is missing; b"); got != "a: is missing; b" {
		t.Errorf("English is changed to %q", got)
	}
}

// FuzzSay: words of the console can hold what a stranger wrote; saying them
// must end, and keep what is not ours.
func FuzzSay(f *testing.F) {
	german := spokenIn("de")
	f.Add("must be from 1 to 90")
	f.Add("%s %[9]w %")
	f.Fuzz(func(t *testing.T, s string) {
		_ = verbs(s)
		said := german.say(s, 0)
		if i := slices.IndexFunc(german.patterns, func(p pattern) bool { _, ok := p.match(s); return ok }); i < 0 && german.exact[s] == "" && said != s {
			t.Errorf("%q became %q", s, said)
		}
	})
}
