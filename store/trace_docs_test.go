package store_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"gatehouse/store"
)

var updateDocs = flag.Bool("update-docs", false, "write the list of codes into docs/traces.md")

// TestDocs_TraceCodes: docs/traces.md lists the codes as they are.
func TestDocs_TraceCodes(t *testing.T) {
	t.Parallel()
	const path, begin, end = "../docs/traces.md", "<!-- codes -->\n", "<!-- end of codes -->"
	var b strings.Builder
	b.WriteString("\n| code | blame | what it means | what to do |\n|---|---|---|---|\n")
	seen := map[string]bool{}
	for _, c := range store.TraceCodes() {
		if seen[c.Code] || c.Means == "" || c.Do == "" {
			t.Errorf("%s is there twice, or says too little", c.Code)
		}
		switch c.Blame {
		case "ours", "provider", "app", "user":
		default:
			t.Errorf("%s blames %q", c.Code, c.Blame)
		}
		seen[c.Code] = true
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", c.Code, c.Blame, c.Means, c.Do)
	}
	b.WriteString("\n")
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(doc), begin)
	have, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("docs/traces.md has no place for the codes")
	}
	if *updateDocs {
		if err := os.WriteFile(path, []byte(before+begin+b.String()+end+after), 0o644); err != nil { //nolint:gosec // a document
			t.Fatal(err)
		}
		return
	}
	if have != b.String() {
		t.Error("docs/traces.md is out of date: go test ./store -run TestDocs -update-docs")
	}
	for _, s := range store.StepNames() {
		if !strings.Contains(string(doc), "| `"+string(s)+"` |") {
			t.Errorf("docs/traces.md does not explain the step %s", s)
		}
	}
	for _, o := range store.Outcomes() {
		if !strings.Contains(string(doc), "`"+string(o)+"`") {
			t.Errorf("docs/traces.md does not name the outcome %s", o)
		}
	}
}
