package admin_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the route table into docs/admin.md")

// TestDocs_RouteTable: docs/admin.md shows the route table as it is.
func TestDocs_RouteTable(t *testing.T) {
	t.Parallel()
	const path, begin, end = "../../docs/admin.md", "<!-- routes -->\n", "<!-- end of routes -->"
	var b strings.Builder
	for _, part := range []struct {
		title string
		page  bool
	}{{"API", false}, {"Console", true}} {
		fmt.Fprintf(&b, "\n| %s | who | name |\n|---|---|---|\n", part.title)
		for _, r := range newSite(t).handler.Routes() {
			if r.Page == part.page {
				fmt.Fprintf(&b, "| `%s %s` | %s | %s |\n", r.Method, r.Path, r.Level, r.Name)
			}
		}
	}
	b.WriteString("\n")
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(doc), begin)
	have, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("docs/admin.md has no place for the route table")
	}
	if *update {
		if err := os.WriteFile(path, []byte(before+begin+b.String()+end+after), 0o644); err != nil { //nolint:gosec // a document
			t.Fatal(err)
		}
		return
	}
	if have != b.String() {
		t.Error("docs/admin.md is out of date: go test ./broker/admin -run TestDocs -update")
	}
}

// TestMethods: 404 and 405 with Allow, as problems for the API.
func TestMethods(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := &caller{s: s}
	a := want(t, c.api("DELETE", "/whoami", nil), http.StatusMethodNotAllowed)
	if a.header.Get("Allow") != "GET" || a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("got %v", a.header)
	}
	want(t, c.api("GET", "/nothing", nil), http.StatusNotFound)
	want(t, raw(c, "PUT", "/users", "", ""), http.StatusMethodNotAllowed)
	want(t, raw(c, "TRACE", "/", "", ""), http.StatusMethodNotAllowed)
}
