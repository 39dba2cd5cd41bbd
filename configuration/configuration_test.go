package configuration_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"gatehouse/configuration"
	"gatehouse/profile"
)

// filler fills every field of a document with something.
type filler struct {
	r    *rand.Rand
	full bool // nothing is left out
}

func hostile() []string {
	return []string{
		"", " ", "a", "Acme Corp", "https://idp.acme.test/x?y=1&z=<2>", "off", "Yes", "NULL", "~", "true", "1", "0x1f", "1e3", ".inf", "-", "- a", "a: b", "a #b", "#", "&a", "*a",
		"!t", "!!str", "|", ">", "%", "@", "`", "'", `"`, `\`, `\n`, "[a", "a]", "{a", "}", ",", "?", "? a", ":", "a:", "::", "<<", "---", "...", "--- a", "=",
		"line\nbreak", "line\n  indented\n", "\n", "tab\there", "\r\n", "cr\rhere", "\x00", "\x1b[2J", "\u0085", "\u2028", "\u202e", "\ufeff", "\u00a0", "é", "😀", "日本語", "\U000e0001",
		"2024-01-01", "12:30:45", "007", "+1", "1_000", "0o7", "env:X", strings.Repeat("[", 40), strings.Repeat("long ", 60), " lead", "trail ", "${X}", "{{x}}", "a\\", "\ufffd", "a  b",
	}
}

func (f *filler) text() string {
	all := hostile()
	s := all[f.r.IntN(len(all))]
	if f.r.IntN(4) == 0 {
		s += all[f.r.IntN(len(all))]
	}
	return s
}

func (f *filler) fill(v reflect.Value) {
	if !f.full && f.r.IntN(3) == 0 {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(f.text())
	case reflect.Bool:
		v.SetBool(f.full || f.r.IntN(2) == 0)
	case reflect.Int, reflect.Int64:
		v.SetInt(f.r.Int64() >> f.r.IntN(60))
		if f.full || f.r.IntN(8) == 0 {
			v.SetInt(-7)
		}
	case reflect.Pointer:
		if v.Type().Elem().Kind() == reflect.Struct && v.Type().Elem().NumField() == 0 {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Slice:
		n := f.r.IntN(4)
		if f.full {
			n = 2
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			f.fill(v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 1 + f.r.IntN(3) {
			value := reflect.New(v.Type().Elem()).Elem()
			f.fill(value)
			v.SetMapIndex(reflect.ValueOf(f.text()), value)
		}
	case reflect.Struct:
		if strings.HasSuffix(v.Type().Name(), "Sealed") || v.Type().Name() == "Time" || v.Type().Name() == "Meta" || v.Type().Name() == "noMeta" {
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() || v.Type().Field(i).Anonymous {
				f.fill(v.Field(i))
			}
		}
	}
}

func (f *filler) document() (doc configuration.Document) {
	v := reflect.ValueOf(&doc).Elem()
	for i := range v.NumField() {
		f.fill(v.Field(i))
	}
	doc.Version = configuration.Version
	return doc
}

// settled is a document after a trip to the disk.
func settled(t *testing.T, doc configuration.Document) (out configuration.Document) {
	t.Helper()
	raw, err := json.Marshal(doc)
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func parsed(t *testing.T, text []byte) configuration.Document {
	t.Helper()
	doc, _, err := configuration.Parse(text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return doc
}

// TestWriteParse: whatever stands in a document comes back as it was, and is
// written again in the same bytes. GATEHOUSE_TEST_CONFIGURATIONS makes it many.
func TestWriteParse(t *testing.T) {
	t.Parallel()
	n := 300
	if more, err := strconv.Atoi(os.Getenv("GATEHOUSE_TEST_CONFIGURATIONS")); err == nil {
		n = more
	}
	for seed := range n {
		f := filler{r: rand.New(rand.NewPCG(uint64(seed), 1)), full: seed == 0} //nolint:gosec // repeatable
		doc := f.document()
		text, err := configuration.Write(doc)
		if err != nil {
			t.Fatal(err)
		}
		back := parsed(t, text)
		want, err1 := json.Marshal(settled(t, doc))
		got, err2 := json.Marshal(back)
		// A list that is not there is written as an empty one.
		plain := strings.NewReplacer(":null", ":[]")
		if err1 != nil || err2 != nil || plain.Replace(string(got)) != plain.Replace(string(want)) {
			g, w := plain.Replace(string(got)), plain.Replace(string(want))
			at := 0
			for at < min(len(g), len(w)) && g[at] == w[at] {
				at++
			}
			t.Fatalf("seed %d: %v %v\n%.200q\nbecame\n%.200q", seed, err1, err2, w[max(at-40, 0):], g[max(at-40, 0):])
		}
		again, err := configuration.Write(back)
		if err != nil || !bytes.Equal(again, text) {
			t.Fatalf("seed %d: %v\n%s\n---\n%s", seed, err, text, again)
		}
	}
}

// TestParseFaults: all faults at once, each with path, line and column, a
// suggestion where there is one, and never a value.
func TestParseFaults(t *testing.T) {
	t.Parallel()
	const text = `version: 1
organisations: []
organizations:
  - id: acme
    titel: canary
    title: [canary]
    disabled: "canary"
    request_days: canary
    title: second
    revision: 3
    texts:
      - key: waiting
        sentense: canary
connections:
  - id: acme
    domains: canary
    client_secret: canary
    selectors: {custom: {groups: {path: x, pth: y}}}
    apple: &a {team_id: x}
webhooks: *a
`
	_, _, err := configuration.Parse([]byte(text))
	var got []string
	var walk func(error)
	walk = func(err error) {
		if many, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range many.Unwrap() {
				walk(e)
			}
			return
		}
		var f *profile.FieldError
		if errors.As(err, &f) {
			got = append(got, f.Path+"|"+f.Problem+"|"+f.Fix)
		}
	}
	walk(err)
	want := []string{
		"organisations|is not a field (line 2, column 1)|did you mean organizations?",
		"organizations[0].titel|is not a field (line 5, column 5)|did you mean title?",
		"organizations[0].title|is not a single value (line 6, column 12)|",
		"organizations[0].disabled|is neither true nor false (line 7, column 15)|",
		"organizations[0].request_days|is not a whole number (line 8, column 19)|",
		"organizations[0].title|is there twice (line 9, column 5)|",
		"organizations[0].revision|is not a field (line 10, column 5)|",
		"organizations[0].texts[0].sentense|is not a field (line 13, column 9)|did you mean sentence?",
		"connections[0].domains|is not a list (line 16, column 14)|",
		"connections[0].client_secret|is not what is expected here: fields, written `name: value` (line 17, column 20)|",
		"connections[0].selectors.custom.groups.pth|is not a field (line 18, column 44)|did you mean path?",
		"connections[0].apple|is not what is expected here",
		"webhooks|is not a list (line 20",
	}
	if len(got) != len(want) {
		t.Fatalf("got %d faults: %s", len(got), strings.Join(got, "\n"))
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("got %s, want %s", got[i], want[i])
		}
		if strings.Contains(got[i], "canary") {
			t.Errorf("a value is quoted: %s", got[i])
		}
	}
}

// TestX1_DocumentBounds: what is too large, too deep or nothing at all is
// refused at once.
func TestX1_DocumentBounds(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"empty": "", "comment": "# nothing\n", "scalar": "hello", "list": "- a", "no version": "organizations: []", "other version": "version: 2", "version text": `version: "1"`,
		"two documents": "version: 1\n---\nversion: 1\n", "deep": "version: 1\norganizations: " + strings.Repeat("[", 50_000), "dashes": "a: \n" + strings.Repeat("- ", 50_000),
		"large": "version: 1\n#" + strings.Repeat("x", configuration.MaxBytes), "latin1": "version: 1 # \xe9", "tab": "version: 1\n\torganizations: []", "merge": "<<: {version: 1}", "null": "version: 1\norganizations:\n",
		"alias bomb": "version: &v 1\norganizations: [*v]",
	} {
		if _, _, err := configuration.Parse([]byte(text)); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// FuzzParse: what is taken is written, and read again as the same.
func FuzzParse(f *testing.F) {
	full := filler{r: rand.New(rand.NewPCG(1, 2)), full: true} //nolint:gosec // repeatable
	text, err := configuration.Write(full.document())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("version: 1\norganizations: [{id: a, title: 'it''s', texts: []}]\nwebhooks: []\n"))
	f.Add([]byte("{\"version\": 1, \"clients\": [{\"id\": \"x\"}]}"))
	f.Add([]byte("version: 1\norganizations:\n- id: |\n    a\n  title: >\n    b\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		doc, _, err := configuration.Parse(text)
		if err != nil {
			return
		}
		first, err := configuration.Write(doc)
		if err != nil {
			t.Fatal(err)
		}
		second, err := configuration.Write(parsed(t, first))
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%v\n%s\n---\n%s", err, first, second)
		}
	})
}
