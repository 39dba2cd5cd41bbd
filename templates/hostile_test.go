package templates

import (
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// fill sets every string that can be reached from v to s, and makes every slice
// two long, so that a field added tomorrow is attacked tomorrow.
func fill(v reflect.Value, s string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(s)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int:
		v.SetInt(3)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), s)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1700000000, 0)))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), s)
		}
	}
}

// drawAll calls every render method Templates has with a page filled with s.
func drawAll(t *testing.T, pages *Templates, s string, each func(name string, w *httptest.ResponseRecorder)) {
	t.Helper()
	found := 0
	value := reflect.ValueOf(pages)
	for i := range value.NumMethod() {
		method := value.Type().Method(i)
		if method.Type.NumIn() != 4 { // receiver, w, status, page
			continue
		}
		found++
		page := reflect.New(method.Type.In(3)).Elem()
		fill(page, s)
		w := httptest.NewRecorder()
		out := value.Method(i).Call([]reflect.Value{reflect.ValueOf(w), reflect.ValueOf(200), page})
		if err, _ := out[0].Interface().(error); err != nil {
			if method.Name == "FormPost" && w.Body.Len() == 0 {
				continue // refuses such a target, see TestV5
			}
			t.Errorf("%s: %v", method.Name, err)
			continue
		}
		each(method.Name, w)
	}
	if found < 17 {
		t.Fatalf("found %d render methods", found)
	}
}

// TestV1_HostileTextStaysText puts attacks into every field of every page. The
// page must have the same elements and attributes as with harmless text there.
func TestV1_HostileTextStaysText(t *testing.T) {
	t.Parallel()
	pages := newTemplates(t)
	skeleton := map[string]string{}
	drawAll(t, pages, "harmless", func(name string, w *httptest.ResponseRecorder) {
		skeleton[name] = outline(parsePage(t, w))
	})
	attacks := map[string]string{
		"image with onerror": `<img src=x onerror=alert(1)>`,
		"end of attribute":   `"' onfocus=alert(1) autofocus x="`,
		"script":             `</title></textarea></p><script>alert(1)</script>`,
		"template":           `{{.}}{{template "main" .}}[[cancel]]`,
		"script address":     `javascript:alert(1)`,
		"script in disguise": "java\tscript:alert(1)",
		"data address":       `data:text/html,<script>alert(1)</script>`,
		"comment":            `<!--`,
		"reordered":          "evil\u202egnp.exe\u2066\u200f",
		"control characters": "a\x00b\x1b[31m\r\nSet-Cookie: x=1",
		"not UTF-8":          "\xff\xfe\xc0\xaf",
		"long":               strings.Repeat("Ä", 10_000),
		"pile of marks":      "Z" + strings.Repeat("\u0301", 5000),
	}
	for name, attack := range attacks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			drawAll(t, pages, attack, func(page string, w *httptest.ResponseRecorder) {
				nodes := parsePage(t, w)
				checkInert(t, nodes)
				if got := outline(nodes); got != skeleton[page] {
					t.Errorf("%s has other elements than with harmless text:\n%s\nwant\n%s", page, got, skeleton[page])
				}
				checkShown(t, page, nodes)
			})
		})
	}
}

// outline lists elements and attribute names in order.
func outline(nodes []*html.Node) string {
	var b strings.Builder
	for _, n := range nodes {
		b.WriteString(n.Data)
		for _, a := range n.Attr {
			b.WriteString(" " + a.Key)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// checkShown looks at what a person sees and where links lead.
func checkShown(t *testing.T, page string, nodes []*html.Node) {
	t.Helper()
	for _, n := range nodes {
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			if c.Type == html.TextNode && n.Data != "textarea" && n.Data != "code" && !inRevealed(n) {
				checkText(t, page, c.Data)
			}
		}
		hidden, _ := attr(n, "type")
		for _, a := range n.Attr {
			switch a.Key {
			case "value":
				if n.Data == "input" && hidden != "hidden" {
					checkText(t, page, a.Val)
				}
			case "data-label", "alt", "aria-label":
				checkText(t, page, a.Val)
			case "href", "src", "action", "data-events-url", "data-next-url":
				scheme, _, _ := strings.Cut(strings.ToLower(strings.Map(printable, a.Val)), ":")
				if scheme == "javascript" || scheme == "data" || scheme == "vbscript" {
					t.Errorf("%s: %s=%q", page, a.Key, a.Val)
				}
			}
		}
	}
}

// inRevealed: a value that an owner asked to see is shown whole; so is what
// people copy or go on writing at. None of it may hide anything.
func inRevealed(n *html.Node) bool {
	class, _ := attr(nodeOrNone(n.Parent), "class")
	return class == "revealed"
}

// TestV1_WholeTextHidesNothing: text that is not cut is cleaned all the same.
func TestV1_WholeTextHidesNothing(t *testing.T) {
	t.Parallel()
	got := cleanDraft("a\x00b\x1b[31m\u202e\u2066\u200f\ufeff\r\n\tc\xff" + strings.Repeat("Ä", 5000))
	if got != "ab[31m\n\tc"+strings.Repeat("Ä", 5000) {
		t.Errorf("got %.40q", got)
	}
}

func printable(r rune) rune {
	if r <= ' ' {
		return -1
	}
	return r
}

func checkText(t *testing.T, page, s string) {
	t.Helper()
	if utf8.RuneCountInString(s) > maxText+200 {
		t.Errorf("%s: a text of %d characters", page, utf8.RuneCountInString(s))
	}
	if strings.ContainsAny(s, "\x00\x1b\r\u202e\u2066\u200f\ufeff") {
		t.Errorf("%s: control or direction characters in %q", page, s)
	}
}

// TestV1_OnlyHTTPSLinks: pictures, logos and links of others.
func TestV1_OnlyHTTPSLinks(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ in, want string }{
		{"https://app.example/logo.png?a=1&b=2", "https://app.example/logo.png?a=1&b=2"},
		{"HTTPS://app.example/", "HTTPS://app.example/"},
		{"http://app.example/", ""},
		{"//app.example/", ""},
		{"/local", ""},
		{"javascript:alert(1)", ""},
		{" javascript:alert(1)", ""},
		{"java\nscript:alert(1)", ""},
		{"data:image/svg+xml,<svg/>", ""},
		{"https:", ""},
		{"https:///x", ""},
		{"https://user:pw@app.example/", ""},
		{"https://app.example/\u202egpj", ""},
		{"https://app.example/" + strings.Repeat("a", 3000), ""},
	} {
		if got := httpsOnly(tc.in); got != tc.want {
			t.Errorf("httpsOnly(%q) = %q, want %q", tc.in, got, tc.want)
		}
	}
}

// TestV1_WayBackToTheApp: private-use schemes work, executable ones never.
func TestV1_WayBackToTheApp(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		in string
		ok bool
	}{
		{"https://app.example/cb", true},
		{"http://127.0.0.1:4711/cb", true},
		{"com.example.app:/cb?error=access_denied", true},
		{"javascript:alert(1)", false},
		{"JavaScript:alert(1)", false},
		{"javascript://a.b/%0aalert(1)", false},
		{"data:text/html,x", false},
		{"vbscript:x", false},
		{"file:///etc/passwd", false},
		{"blob:https://a.b/1", false},
		{"/relative", false},
		{"", false},
	} {
		if got := appLink(tc.in); (got != "") != tc.ok {
			t.Errorf("appLink(%q) = %q, want a link: %v", tc.in, got, tc.ok)
		}
	}
	w := httptest.NewRecorder()
	p := ErrorPage{Kind: ErrorProviderDenied, Back: `com.example.app:/cb?error=access_denied&state=%22"><script>`}
	if err := newTemplates(t).Error(w, 400, p); err != nil {
		t.Fatal(err)
	}
	nodes := parsePage(t, w)
	checkInert(t, nodes)
	if got, _ := attr(byID(nodes, "back"), "href"); !strings.HasPrefix(got, "com.example.app:/cb?error=access_denied&state=%22") {
		t.Errorf("way back is %q", got)
	}
}

func TestV1_Clean(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, in, want string }{
		{"plain", "Ada Lovelace", "Ada Lovelace"},
		{"accents", "Zoë Müller-Łukasz", "Zoë Müller-Łukasz"},
		{"Hebrew stays", "שלום", "שלום"},
		{"family emoji stays", "👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"},
		{"newline becomes space", "a\nb", "a b"},
		{"override goes", "a\u202eb", "ab"},
		{"NUL goes", "a\x00b", "ab"},
		{"three marks stay", "e\u0301\u0302\u0303\u0304\u0305", "e\u0301\u0302\u0303"},
		{"cut", strings.Repeat("x", maxName+1), strings.Repeat("x", maxName) + "…"},
		{"not cut", strings.Repeat("ß", maxName), strings.Repeat("ß", maxName)},
	} {
		if got := cleanName(tc.in); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

// TestA8_ScopeOnConsent: scope text is shown escaped and bounded.
func TestA8_ScopeOnConsent(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	p := ConsentPage{Scopes: []string{"openid", `<script>alert(1)</script>`, strings.Repeat("s", 9000)}}
	if err := newTemplates(t).Consent(w, 200, p); err != nil {
		t.Fatal(err)
	}
	checkInert(t, parsePage(t, w))
	body := w.Body.String()
	if !strings.Contains(body, "recognise you") || !strings.Contains(body, "&lt;script&gt;") || strings.Contains(body, strings.Repeat("s", maxName+1)) {
		t.Error("scopes are not shown as they should be")
	}
}

// TestA15_LoginHint: whatever the hint, the field holds a bounded, escaped value.
func TestA15_LoginHint(t *testing.T) {
	t.Parallel()
	pages := newTemplates(t)
	for hint, want := range map[string]string{
		"alice@acme.test":                "alice@acme.test",
		`"><script>alert(1)</script>`:    `"><script>alert(1)</script>`,
		"a\r\nSet-Cookie: x":             "a  Set-Cookie: x",
		strings.Repeat("a", 1<<20) + "@": strings.Repeat("a", maxLine) + "…",
	} {
		w := httptest.NewRecorder()
		if err := pages.EmailEntry(w, 200, EmailEntryPage{Action: "/login", Email: hint}); err != nil {
			t.Fatal(err)
		}
		nodes := parsePage(t, w)
		checkInert(t, nodes)
		if got, _ := attr(byID(nodes, "email"), "value"); got != want {
			t.Errorf("field holds %.80q, want %.80q", got, want)
		}
	}
}

// TestY1_NoRouteIsAboutTheDomain: two people of one domain get the same page.
func TestY1_NoRouteIsAboutTheDomain(t *testing.T) {
	t.Parallel()
	pages := newTemplates(t)
	draw := func(email string) string {
		w := httptest.NewRecorder()
		if err := pages.NoRoute(w, 200, NoRoutePage{Email: email, Domain: "x.test", Action: "/login"}); err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(w.Body.String(), email, "WHO")
	}
	if a, b := draw("known@x.test"), draw("other@x.test"); a != b {
		t.Errorf("pages differ:\n%s\n%s", a, b)
	}
}

// nodeOrNone lets attr be asked about an element that is not there.
func nodeOrNone(n *html.Node) *html.Node {
	if n == nil {
		return &html.Node{}
	}
	return n
}

// TestV3_ContactHasNoSubject: a mailto link carries an address only.
func TestV3_ContactHasNoSubject(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"mailto:help@app.example?subject=x&bcc=y": "mailto:help@app.example",
		"https://help.example/":                   "https://help.example/",
		"javascript:alert(1)":                     "",
	} {
		if got := contactLink(in); got != want {
			t.Errorf("contactLink(%q) = %q, want %q", in, got, want)
		}
		w := httptest.NewRecorder()
		if err := newTemplates(t).NoRoute(w, 200, NoRoutePage{Action: "/login", ContactURL: in}); err != nil {
			t.Fatal(err)
		}
		link := byID(parsePage(t, w), "contact")
		if (link != nil) != (want != "") {
			t.Errorf("contact %q: link is there: %v", in, link != nil)
		} else if got, _ := attr(nodeOrNone(link), "href"); got != want {
			t.Errorf("contact %q links to %q", in, got)
		}
	}
}
