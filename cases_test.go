package gatehouse

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var updateCases = flag.Bool("update-cases", false, "rewrite the test column of docs/security-cases.md")

const casesFile = "docs/security-cases.md"

var (
	caseID  = regexp.MustCompile(`\A(?:DB|FT|[A-Z])[0-9]{1,2}\z`)
	caseRow = regexp.MustCompile(`\A\| ((?:DB|FT|[A-Z])[0-9]{1,2}) \| (.*) \| (.*) \|\z`)
)

// docs/security-cases.md says which test holds which case. Every case has a
// test or a reason, and the tests it names are the ones that exist.
func TestSecurityCasesAreListed(t *testing.T) {
	found := caseTests(t)
	raw, err := os.ReadFile(casesFile)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	lines := strings.Split(string(raw), "\n")
	for i, line := range lines {
		m := caseRow.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		id, what, cell := m[1], m[2], m[3]
		seen[id] = true
		want := strings.Join(found[id], ", ")
		reason := ""
		if at := strings.Index(cell, "*"); at >= 0 { // a remark stands in italics
			reason = strings.TrimSpace(cell[at:])
		}
		if want != "" && reason != "" {
			want += " " + reason
		} else if want == "" {
			want = reason
		}
		if want == "" {
			t.Errorf("%s has neither a test nor a reason in italics", id)
		}
		if cell == want {
			continue
		}
		if !*updateCases {
			t.Errorf("%s: the table says %q, the tests are %q: run go test . -update-cases", id, cell, want)
		}
		lines[i] = fmt.Sprintf("| %s | %s | %s |", id, what, want)
	}
	for id, tests := range found {
		if !seen[id] {
			t.Errorf("%v name the case %s, which %s does not list", tests, id, casesFile)
		}
	}
	if *updateCases {
		if err := os.WriteFile(casesFile, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// caseTests finds the cases in the names of tests and in the names of their
// table rows ("A5 token", "R4").
func caseTests(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || (strings.HasPrefix(d.Name(), ".") && path != ".")) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || !strings.HasPrefix(fn.Name.Name, "Test") {
				continue
			}
			name := "`" + filepath.Dir(path) + "." + fn.Name.Name + "`"
			for _, id := range casesOf(fn) {
				if !slices.Contains(found[id], name) {
					found[id] = append(found[id], name)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tests := range found {
		slices.Sort(tests)
	}
	return found
}

func casesOf(fn *ast.FuncDecl) (ids []string) {
	for part := range strings.SplitSeq(strings.TrimPrefix(fn.Name.Name, "Test"), "_") {
		if caseID.MatchString(part) {
			ids = append(ids, part)
		}
	}
	ast.Inspect(fn, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil {
				if id, _, _ := strings.Cut(s, " "); caseID.MatchString(id) && (len(s) == len(id) || len(s) > len(id)+2) {
					ids = append(ids, id)
				}
			}
		}
		return true
	})
	return ids
}
