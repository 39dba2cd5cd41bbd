package templates

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCheckAccent(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"#0b5c63": "", "#a1231a": "", "#000000": "", "#1b6338": "",
		"#ffcc00": "too light", "#ffffff": "too light", "#7ed3c9": "too light",
		"": "must be a colour", "red": "must be a colour", "#0B5C63": "must be a colour", "#fff": "must be a colour", "#12345g": "must be a colour", "#0b5c63;}body{display:none": "must be a colour",
	} {
		problem, nearest := CheckAccent(s)
		if want == "" && problem != "" || !strings.Contains(problem, want) {
			t.Errorf("%q: %q, want %q", s, problem, want)
		}
		if want == "too light" {
			if again, _ := CheckAccent(nearest); again != "" {
				t.Errorf("%q: the nearest colour %q is refused itself: %s", s, nearest, again)
			}
		}
	}
}

var sheetShape = regexp.MustCompile(`^:root\{(--[a-z-]+:#[0-9a-f]{6};){4}\}\n` +
	`@supports \(color:light-dark\(#000,#fff\)\)\{:root\{(--[a-z-]+:light-dark\(#[0-9a-f]{6},#[0-9a-f]{6}\);){4}\}\}\n$`)

// TestAccent_Readable: whatever colour passes, text in it and text on it can be
// read by day and by night; whatever does not, its proposal does.
func TestAccent_Readable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := colour{}
		for i := range c {
			c[i] = float64(rapid.IntRange(0, 255).Draw(t, "part")) / 255
		}
		s := c.String()
		problem, nearest := CheckAccent(s)
		if problem != "" {
			if s = nearest; s == "" {
				t.Fatalf("%s: no proposal", c)
			}
		}
		css, ok := accentSheet(s)
		if !ok {
			t.Fatalf("%s has no sheet", s)
		}
		light := rgb(s)
		dark := towards(light, colour{1, 1, 1}, night())
		for _, side := range []struct {
			c      colour
			ground [2]colour
		}{{light, day()}, {dark, night()}} {
			for _, ground := range []colour{side.ground[0], side.ground[1], tint(side.c, side.ground)} {
				if r := contrast(side.c, ground); r < 4.5 {
					t.Fatalf("%s: %s on %s is %.2f", s, side.c, ground, r)
				}
			}
			if r := max(contrast(side.c, colour{}), contrast(side.c, colour{1, 1, 1})); r < 4.5 {
				t.Fatalf("%s: text on a button is %.2f", s, r)
			}
		}
		if !sheetShape.MatchString(css) {
			t.Fatalf("%s: the sheet holds %q", s, css)
		}
	})
}

func TestStatic_Accent(t *testing.T) {
	t.Parallel()
	pages, err := New(Config{BasePath: "/auth"})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{
		"/auth/static/accent-0b5c63.css": 200, "/auth/static/accent-ffcc00.css": 404, "/auth/static/accent-0b5c63": 404,
		"/auth/static/accent-0b5c63.js": 404, "/auth/static/accent-.css": 404, "/auth/static/accent-0b5c63;}*{.css": 404, "/static/accent-0b5c63.css": 404,
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/x", nil)
		r.URL.Path = path
		pages.Static().ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
		if want == 200 && (w.Header().Get("Content-Type") != "text/css; charset=utf-8" || !strings.Contains(w.Body.String(), "--accent:#0b5c63;")) {
			t.Errorf("%s: %s %s", path, w.Header().Get("Content-Type"), w.Body)
		}
	}
}

// TestV1_BrandIsInert: an organization's look can neither run nor load anything
// but a picture over https, and breaks no page.
func TestV1_BrandIsInert(t *testing.T) {
	t.Parallel()
	pages := newTemplates(t)
	evil := `"><script>alert(1)</script><img src=x onerror=alert(1)>` + "\u202e"
	for name, b := range map[string]Brand{
		"texts":   {Organization: evil, Contact: evil},
		"scripts": {LogoURL: "javascript:alert(1)", PrivacyURL: "javascript:alert(1)", HelpURL: "data:text/html,x", RequestURL: "vbscript:x", Accent: "#0b5c63;}"},
		"http":    {LogoURL: "http://acme.test/x.png", PrivacyURL: "http://acme.test"},
		"quotes":  {LogoURL: `https://acme.test/"onload="alert(1)`, HelpURL: `https://acme.test/" onclick="x`, RequestURL: "mailto:a@acme.test?subject=x&body=y"},
	} {
		for _, s := range samples() {
			w := httptest.NewRecorder()
			if err := s.draw(pages.With(b), w); err != nil {
				t.Fatalf("%s, %s: %v", name, s.name, err)
			}
			nodes := parsePage(t, w)
			checkInert(t, nodes)
			for _, n := range nodes {
				for _, a := range []string{"src", "href"} {
					v, _ := attr(n, a)
					for _, bad := range []string{"javascript:", "data:", "vbscript:", "http://", "subject="} {
						if strings.HasPrefix(s.name, "error") || strings.HasPrefix(s.name, "signed_out") {
							continue // lead back to apps of any scheme
						}
						if strings.Contains(strings.ToLower(v), bad) && strings.Contains(v, "acme.test") {
							t.Errorf("%s, %s: %s=%q", name, s.name, a, v)
						}
					}
				}
			}
		}
	}
}

func TestBrand_Drawn(t *testing.T) {
	t.Parallel()
	b := Brand{
		Organization: "Acme", LogoURL: "https://acme.test/logo.svg", Accent: "#a1231a", PrivacyURL: "https://acme.test/privacy",
		HelpURL: "https://acme.test/help", RequestURL: "mailto:it@acme.test", Contact: "IT desk, +49 30 123",
	}
	w := httptest.NewRecorder()
	if err := newTemplates(t).With(b).EmailEntry(w, 200, EmailEntryPage{Action: "/login"}); err != nil {
		t.Fatal(err)
	}
	nodes := parsePage(t, w)
	for id, want := range map[string]string{"brand-privacy": b.PrivacyURL, "brand-help": b.HelpURL, "brand-request": b.RequestURL} {
		n := byID(nodes, id)
		if n == nil {
			t.Errorf("no link %s", id)
			continue
		}
		if got, _ := attr(n, "href"); got != want {
			t.Errorf("%s leads to %q", id, got)
		}
	}
	if n := byID(nodes, "brand-contact"); n == nil || !strings.Contains(textOf(n), b.Contact) {
		t.Error("the contact is not there")
	}
	if body := w.Body.String(); !strings.Contains(body, "/static/accent-a1231a.css") || !strings.Contains(body, `src="https://acme.test/logo.svg" alt="Acme"`) {
		t.Errorf("look is missing: %s", body)
	}
	if csp := w.Header().Get("Content-Security-Policy"); strings.Contains(csp, "unsafe") || strings.Contains(csp, "nonce") {
		t.Errorf("CSP %q", csp)
	}
}

// TestOwnText: the organization's words stand in place of ours, as text.
func TestOwnText(t *testing.T) {
	t.Parallel()
	own := OwnText{Title: "Einen <b>Moment</b>", Sentence: "Wir sehen uns das an.", Next: "Rufen Sie an.", Contact: "IT: 4711"}
	pages := newTemplates(t)
	for _, s := range []sample{
		{"waiting", func(t *Templates, w http.ResponseWriter) error { return t.Waiting(w, 200, WaitingPage{Own: own}) }},
		{"refused", func(t *Templates, w http.ResponseWriter) error { return t.Refused(w, 403, RefusedPage{Own: own}) }},
		{"error", func(t *Templates, w http.ResponseWriter) error {
			return t.Error(w, 403, ErrorPage{Kind: ErrorNotAdmitted, Own: own})
		}},
	} {
		body := drawn(t, pages, s).Body.String()
		for _, want := range []string{"<h1><bdi>Einen &lt;b&gt;Moment&lt;/b&gt;</bdi></h1>", own.Sentence, own.Next, own.Contact} {
			if !strings.Contains(body, want) {
				t.Errorf("%s lacks %q", s.name, want)
			}
		}
		if strings.Contains(body, "declined your request") || strings.Contains(body, "An admin of") && s.name != "waiting" {
			t.Errorf("%s has our words, too", s.name)
		}
	}
}
