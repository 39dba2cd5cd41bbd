package templates

import (
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestWish_Language(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		wish Wish
		want string
	}{
		{"nothing known", Wish{}, "en"},
		{"browser", Wish{Accept: "de-AT,de;q=0.9,en;q=0.8"}, "de"},
		{"browser, weights", Wish{Accept: "de;q=0.1,en;q=0.9"}, "en"},
		{"browser, refused", Wish{Accept: "de;q=0"}, "en"},
		{"browser, any", Wish{Accept: "*"}, "en"},
		{"browser, another first", Wish{Accept: "fr-FR,fr;q=0.9,de;q=0.5"}, "de"},
		{"app before browser", Wish{UILocales: "de", Accept: "en"}, "de"},
		{"app's list", Wish{UILocales: "fr-CA fr de-CH", Accept: "en"}, "de"},
		{"app asks for what is not there", Wish{UILocales: "fr", Accept: "de"}, "de"},
		{"account before all", Wish{Chosen: "en", UILocales: "de", Accept: "de"}, "en"},
		{"organization's default", Wish{Accept: "fr", Offered: []string{"de"}}, "de"},
		{"organization's list is preferred", Wish{Accept: "en;q=0.9,de;q=0.5", Offered: []string{"de"}}, "de"},
		{"but nobody has to read it", Wish{Accept: "en", Offered: []string{"de"}}, "en"},
		{"organization offers what we have not", Wish{Accept: "fr", Offered: []string{"fr", "de"}}, "de"},
		{"not tags", Wish{UILocales: "; drop table", Accept: "x\x00y"}, "en"},
		{"too long", Wish{Accept: "de," + strings.Repeat("x-", 400)}, "en"},
		{"script and region", Wish{Accept: "de-Latn-DE-1996"}, "de"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := tc.wish.Language(); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func FuzzWish(f *testing.F) {
	f.Add("de fr", "en;q=0.5,*")
	f.Add("", "de-DE")
	f.Fuzz(func(t *testing.T, locales, accept string) {
		if got := (Wish{UILocales: locales, Accept: accept}).Language(); !slices.Contains(Languages(), got) {
			t.Errorf("%q, %q: %q", locales, accept, got)
		}
	})
}

// values are the places of a sentence where data goes in: what is drawn, not
// what is asked.
var values = regexp.MustCompile(`\{\{(?:name|line|text|template "[a-z_]+"|)\s*([.$][A-Za-z.]*)\s*\}\}`)

// TestLanguages_SameKeys: every language has every word, and each word draws the
// same data in every language.
func TestLanguages_SameKeys(t *testing.T) {
	t.Parallel()
	en, de := english(), german()
	for key, word := range en {
		other, ok := de[key]
		if !ok {
			t.Errorf("%s has no German words", key)
			continue
		}
		if a, b := drawnValues(word), drawnValues(other); !slices.Equal(a, b) {
			t.Errorf("%s draws %q in English and %q in German", key, a, b)
		}
	}
	for key := range de {
		if _, ok := en[key]; !ok {
			t.Errorf("%s has German words only", key)
		}
	}
}

func drawnValues(word string) (found []string) {
	for _, m := range values.FindAllStringSubmatch(word, -1) {
		found = append(found, m[0])
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// TestLanguages_NoEnglishLeft draws every page in German and looks for English
// words of the catalogue.
func TestLanguages_NoEnglishLeft(t *testing.T) {
	t.Parallel()
	english, german := newTemplates(t), newTemplates(t).In("de")
	same := map[string]bool{}
	for key, word := range german.words {
		if english.words[key] == word {
			same[word] = true
		}
	}
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			if err := s.draw(german, w); err != nil {
				t.Fatal(err)
			}
			if got := w.Header().Get("Content-Language"); got != "de" {
				t.Errorf("Content-Language %q", got)
			}
			if got := w.Header().Get("Vary"); got != "Accept-Language" {
				t.Errorf("Vary %q", got)
			}
			body := w.Body.String()
			if !strings.Contains(body, `<html lang="de">`) {
				t.Error("the page does not say that it is German")
			}
			for key, word := range english.words {
				if len(word) < 12 || strings.Contains(word, "{{") || same[word] || key == "product" {
					continue
				}
				if strings.Contains(body, ">"+word+"<") || strings.Contains(body, `"`+word+`"`) {
					t.Errorf("%s stands in English: %q", key, word)
				}
			}
		})
	}
}

// TestIn_SharesWhatIsTheSame: another language is no second set of everything.
func TestIn_SharesWhatIsTheSame(t *testing.T) {
	t.Parallel()
	pages := newTemplates(t)
	if pages.In("en") != pages || pages.In("xx") != pages || pages.In("de").In("en") != pages {
		t.Error("English is made again")
	}
	if german := pages.In("de"); german.In("de") != german || german.site != pages.site {
		t.Error("German is made again")
	}
	if pages.With(Brand{}) != pages {
		t.Error("no brand makes a copy")
	}
}

func TestSay_Console(t *testing.T) {
	t.Parallel()
	pages := newTemplates(t)
	w := httptest.NewRecorder()
	frame := sampleFrame("Domains")
	frame.Language = "de"
	if err := pages.List(w, 200, ListPage{Frame: frame, Title: "Organizations", Columns: []string{"Domains"}, Rows: []Row{{Cells: []Cell{TextCell("People")}}}}); err != nil {
		t.Fatal(err)
	}
	body := w.Body.String()
	for _, want := range []string{"<h1>Organisationen</h1>", "<bdi>People</bdi>", `lang="de"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}
