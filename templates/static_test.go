package templates

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestStatic_EveryFileAPageNames(t *testing.T) {
	t.Parallel()
	pages, err := New(Config{BasePath: "/auth"})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, s := range samples() {
		for _, n := range parsePage(t, drawn(t, pages, s)) {
			url, _ := attr(n, "src")
			if n.Data == "link" {
				url, _ = attr(n, "href")
			}
			if n.Data != "link" && n.Data != "script" {
				continue
			}
			seen[url] = true
		}
	}
	if len(seen) != len(pages.assets.urls) {
		t.Errorf("pages name %d files, there are %d", len(seen), len(pages.assets.urls))
	}
	for url := range seen {
		w := httptest.NewRecorder()
		pages.Static().ServeHTTP(w, httptest.NewRequest("GET", url, nil))
		if w.Code != 200 || w.Body.Len() == 0 || w.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s: status %d, %d bytes, %s", url, w.Code, w.Body.Len(), w.Header().Get("Cache-Control"))
		}
		if !strings.HasPrefix(url, "/auth/static/") || strings.Count(url, ".") != 2 {
			t.Errorf("%s is not a hashed name below the base path", url)
		}
	}
}

func TestStatic_OnlyExactNames(t *testing.T) {
	t.Parallel()
	pages := newTemplates(t)
	url := pages.assets.urls["app.css"]
	for _, tc := range []struct {
		method, path string
		want         int
	}{
		{"GET", url, 200},
		{"HEAD", url, 200},
		{"POST", url, 405},
		{"GET", "/static/", 404},
		{"GET", "/static/app.css", 404},
		{"GET", "/static/../static/" + strings.TrimPrefix(url, "/static/"), 200}, // cleaned by path.Base and path.Dir
		{"GET", "/static/../templates.go", 404},
		{"GET", "/other/" + strings.TrimPrefix(url, "/static/"), 404},
		{"GET", "/static/x/" + strings.TrimPrefix(url, "/static/"), 404},
	} {
		w := httptest.NewRecorder()
		pages.Static().ServeHTTP(w, httptest.NewRequest(tc.method, tc.path, nil))
		if w.Code != tc.want {
			t.Errorf("%s %s: %d, want %d", tc.method, tc.path, w.Code, tc.want)
		}
		if tc.method == "HEAD" && w.Body.Len() != 0 {
			t.Error("HEAD has a body")
		}
	}
}
