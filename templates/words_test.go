package templates

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

// errorKinds reads the kinds out of error.go, so that a new one without words fails.
func errorKinds(t *testing.T) []ErrorKind {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "error.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []ErrorKind
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) == 1 {
			s, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			kinds = append(kinds, ErrorKind(s))
		}
		return true
	})
	return kinds
}

// TestO7_ErrorWordsAreFixed: every kind has its own words, and an error page
// shows nothing but them and the correlation id.
func TestO7_ErrorWordsAreFixed(t *testing.T) {
	t.Parallel()
	pages, seen := newTemplates(t), map[string]ErrorKind{}
	kinds := errorKinds(t)
	if len(kinds) < 20 {
		t.Fatalf("found only %d kinds", len(kinds))
	}
	for _, kind := range kinds {
		w := httptest.NewRecorder()
		if err := pages.Error(w, 400, ErrorPage{Kind: kind, Correlation: "c1"}); err != nil {
			t.Fatal(err)
		}
		nodes := parsePage(t, w)
		var title string
		for _, n := range nodes {
			if n.Data == "h1" {
				title = textOf(n)
			}
		}
		if title == "" || pages.words["error."+string(kind)+".say"] == "" {
			t.Errorf("%s has no words", kind)
		}
		if other, twice := seen[title]; twice {
			t.Errorf("%s and %s have the same title", kind, other)
		}
		seen[title] = kind
		if got := textOf(byID(nodes, "correlation")); got != "c1" {
			t.Errorf("%s: correlation %q", kind, got)
		}
	}
	w := httptest.NewRecorder()
	if err := pages.Error(w, 500, ErrorPage{Kind: "pq: relation users does not exist"}); err != nil {
		t.Fatal(err)
	}
	if body := w.Body.String(); strings.Contains(body, "pq:") || !strings.Contains(body, pages.words["error.internal.title"]) {
		t.Error("an unknown kind is not shown as an internal error")
	}
}

// TestErrorPhrases: the conformance suite's reviewers look for these names.
func TestErrorPhrases(t *testing.T) {
	t.Parallel()
	pages := newTemplates(t)
	for _, kind := range []ErrorKind{ErrorRedirectURI, ErrorRequestURI, ErrorPostLogoutRedirectURI, ErrorIDTokenHint} {
		w := httptest.NewRecorder()
		if err := pages.Error(w, 400, ErrorPage{Kind: kind}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(w.Body.String(), string(kind)) {
			t.Errorf("page of %s does not name it", kind)
		}
	}
}

// TestWords_AllUsed: no sentence without a page, so translators do no idle work.
func TestWords_AllUsed(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	entries, err := fs.ReadDir(htmlFiles, "html")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := htmlFiles.ReadFile("html/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	kinds := map[string]bool{}
	for _, kind := range errorKinds(t) {
		kinds[string(kind)] = true
	}
	for key, value := range english() {
		if value == "" {
			t.Errorf("%s is empty", key)
		}
		if kind, ok := strings.CutPrefix(key, "error."); ok && strings.Contains(kind, ".") {
			if name, _, _ := strings.Cut(kind, "."); !kinds[name] {
				t.Errorf("%s: words of no kind", key)
			}
			continue
		}
		if !strings.HasPrefix(key, "scope.") && !strings.Contains(all.String(), "[["+key+"]]") {
			t.Errorf("%s is on no page", key)
		}
	}
}

func TestO1_SignedOutPhrase(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	if err := newTemplates(t).SignedOut(w, 200, SignedOutPage{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(w.Body.String(), "<h1>You are signed out</h1>") {
		t.Error("the fixed phrase is missing")
	}
}

func TestO2_LogoutAsksWithOneDefaultButton(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	p := LogoutConfirmPage{Action: "/oauth2/logout", Cancel: "/oauth2/logout", CSRF: "t", Fields: []Field{{"state", `a"b<c`}}}
	if err := newTemplates(t).LogoutConfirm(w, 200, p); err != nil {
		t.Fatal(err)
	}
	var focused []string
	nodes := parsePage(t, w)
	for _, n := range nodes {
		if _, ok := attr(n, "autofocus"); ok {
			id, _ := attr(n, "id")
			focused = append(focused, n.Data+"#"+id)
		}
		if name, _ := attr(n, "name"); name == "state" {
			if got, _ := attr(n, "value"); got != `a"b<c` {
				t.Errorf("state carried as %q", got)
			}
		}
	}
	if len(focused) != 1 || focused[0] != "button#submit" {
		t.Errorf("autofocus on %v, want button#submit alone", focused)
	}
}
