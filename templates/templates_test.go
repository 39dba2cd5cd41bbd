package templates

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

func TestNew_RefusesBadBasePath(t *testing.T) {
	t.Parallel()
	for base, ok := range map[string]bool{"": true, "/auth": true, "/a/b": true, "/": false, "/auth/": false, "auth": false, "/a/../b": false, "//x": false} {
		if _, err := New(Config{BasePath: base}); (err == nil) != ok {
			t.Errorf("base path %q: %v", base, err)
		}
	}
}

func TestRender_Response(t *testing.T) {
	t.Parallel()
	pages, err := New(Config{Product: "Acme <Login> {{.}}"})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range samples() {
		w := drawn(t, pages, s)
		if got := w.Header().Get("Content-Type"); got != "text/html; charset=utf-8" {
			t.Errorf("%s: type %q", s.name, got)
		}
		if got := w.Header().Get("Content-Length"); got != strconv.Itoa(w.Body.Len()) {
			t.Errorf("%s: length %s of %d", s.name, got, w.Body.Len())
		}
		if !utf8.Valid(w.Body.Bytes()) || !strings.HasPrefix(w.Body.String(), "<!doctype html>") {
			t.Errorf("%s is not an HTML page", s.name)
		}
		if !strings.Contains(w.Body.String(), "Acme &lt;Login&gt; &#123;&#123;.}}") {
			t.Errorf("%s does not carry the product's name", s.name)
		}
		if strings.Contains(w.Body.String(), "[[") || strings.Contains(w.Body.String(), "ZgotmplZ") {
			t.Errorf("%s: an unfilled place or a refused value", s.name)
		}
	}
}

// TestRender_Parallel: pooled buffers never mix two people's pages.
func TestRender_Parallel(t *testing.T) {
	t.Parallel()
	pages := newTemplates(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			mine := fmt.Sprintf("person%d@acme.test", i)
			for range 50 {
				w := httptest.NewRecorder()
				if err := pages.EmailEntry(w, 200, EmailEntryPage{Email: mine}); err != nil {
					t.Error(err)
				}
				if body := w.Body.String(); strings.Count(body, "@acme.test") != 1 || !strings.Contains(body, mine) {
					t.Errorf("%s sees another page", mine)
				}
			}
		})
	}
	wg.Wait()
}

func TestList_ShortRows(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	p := ListPage{Title: "Things", Columns: []string{"A", "B"}, Rows: []Row{{URL: "/a", Cells: []Cell{TextCell("one"), TextCell("two"), TextCell("three")}}, {}}}
	if err := newTemplates(t).List(w, 200, p); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(w.Body.String(), "<td "); got != 4 {
		t.Errorf("%d cells, want 4", got)
	}
	if body := w.Body.String(); strings.Contains(body, "three") || !strings.Contains(body, `<a href="/a"><bdi>one</bdi></a>`) {
		t.Error("row is not drawn as its columns say")
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "a", "\u202e", "e\u0301\u0301\u0301\u0301", "\xff", "a\u200db"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := clean(s, 20)
		if n := utf8.RuneCountInString(got); n > 21 || !utf8.ValidString(got) {
			t.Errorf("%q became %q, %d characters", s, got, n)
		}
		if strings.ContainsAny(got, "\x00\r\n\t\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c") {
			t.Errorf("%q became %q", s, got)
		}
	})
}

// FuzzV4_FormSource: whatever a client registered, at most one CSP source comes out.
func FuzzV4_FormSource(f *testing.F) {
	for _, s := range []string{"https://a.example/x", "com.example.app:/cb", "http://[::1]:1/", "a:b;c", "https://a;b", "https://*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := formSource(s)
		if strings.ContainsAny(got, " ;,'\"*\r\n\t") || strings.Contains(strings.ToLower(got), "javascript") {
			t.Errorf("%q became %q", s, got)
		}
	})
}

// FuzzV1_Links: no executable scheme passes.
func FuzzV1_Links(f *testing.F) {
	for _, s := range []string{"https://a", "javascript:x", "JAVASCRIPT://a.b", "com.example:/x", "data:,", "\x01javascript:x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, got := range []string{httpsOnly(s), string(appLink(s)), contactLink(s)} {
			scheme, _, _ := strings.Cut(strings.ToLower(got), ":")
			switch scheme {
			case "", "https", "http", "mailto":
			default:
				if !strings.Contains(scheme, ".") {
					t.Errorf("%q passed as %q", s, got)
				}
			}
		}
	})
}

// discard is a ResponseWriter that keeps nothing.
type discard struct{ h http.Header }

func (d discard) Header() http.Header         { return d.h }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

func BenchmarkEmailEntry(b *testing.B) {
	pages := newTemplates(b)
	w := discard{http.Header{}}
	p := EmailEntryPage{App: sampleApp(), Action: "/login?tx=1", Cancel: "/login/cancel?tx=1", CSRF: "token", Email: "alice@acme.test"}
	b.ReportAllocs()
	for b.Loop() {
		if err := pages.EmailEntry(w, 200, p); err != nil {
			b.Fatal(err)
		}
	}
}
