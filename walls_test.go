// Package gatehouse holds no code: this test keeps the walls between the
// packages (ARCHITECTURE.md) and the few rules of style a machine can see.
package gatehouse

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "gatehouse"

// mayImport lists what of ours each package may import. A package that is not
// here may not exist; tests are free, for they stand outside.
func mayImport() map[string][]string {
	all := []string{"broker/keys", "broker/local", "broker/session", "federation", "federation/rehearsal", "provisioning", "provisioning/ownership", "profile", "store", "templates"}
	return map[string][]string{
		"profile":                {},
		"templates":              {},
		"store":                  {"profile"},
		"configuration":          {"profile", "store"}, // the text of a whole configuration
		"store/bolt":             {"store"},
		"store/postgres":         {"store"},
		"store/storetest":        {"profile", "store", "store/bolt"}, // gives every package's tests a store
		"federation":             {"profile", "store"},
		"federation/rehearsal":   {"federation", "profile", "store"}, // where the two listeners meet
		"federation/mockidp":     {},                                 // an outside party that happens to live here
		"provisioning":           {"federation", "profile", "store"},
		"provisioning/ownership": {"federation", "store"},
		"notify":                 {"profile", "store", "templates"},
		"broker/keys":            {"store"},
		"broker/local":           {"profile", "store"}, // both listeners' credentials
		"broker/session":         {"store"},
		"broker":                 all,
		"broker/admin":           append([]string{"configuration", "notify"}, all...), // and not broker: neither listener knows the other
		"demo":                   {},                                                  // an outside party
		"e2e":                    {},                                                  // sees the program from outside only
		"bench":                  {},                                                  // so does this
		"cmd/gatehouse": append([]string{
			"broker", "broker/admin", "configuration", "demo", "federation/mockidp", "notify", "store/bolt", "store/postgres",
		}, all...),
	}
}

// onlyIn lists the libraries that are wrapped in one place, by import path
// prefix. demo and federation/mockidp are parties of their own.
func onlyIn() map[string][]string {
	return map[string][]string{
		"go.etcd.io/bbolt":                 {"store/bolt"},
		"github.com/jackc/pgx":             {"store/postgres"},
		"github.com/ory/fosite":            {"broker"},
		"github.com/coreos/go-oidc":        {"federation", "demo", "e2e"},
		"github.com/gorilla/":              {"broker/session"},
		"html/template":                    {"templates", "demo", "federation/mockidp"},
		"github.com/danielgtaylor/huma":    {"broker/admin"},
		"github.com/theory/jsonpath":       {"profile"},
		"github.com/spf13/":                {"cmd/gatehouse"},
		"github.com/goccy/go-yaml":         {"cmd/gatehouse", "configuration", "federation", "federation/mockidp"},
		"github.com/go-jose/go-jose/v3":    {"broker"}, // fosite's types only
		"github.com/go-jose/go-jose/v4":    {"broker", "broker/keys", "federation", "federation/mockidp", "e2e"},
		"github.com/stretchr/":             {}, // tests use the standard library
		"github.com/golang/mock":           {},
		"github.com/dgrijalva/jwt-go":      {},
		"github.com/golang-jwt/":           {},
		"golang.org/x/crypto/argon2":       {"broker/local"},
		"github.com/go-webauthn/":          {"broker/local"},
		"rsc.io/qr":                        {"broker/local"},
		"github.com/prometheus/client_gol": {"broker", "federation", "notify", "cmd/gatehouse"},
		"github.com/wneessen/go-mail":      {"notify"},
	}
}

const maxLines = 600

// judge names what a source file of a package breaks.
func judge(pkg, name string, source []byte) (found []string) {
	report := func(format string, args ...any) {
		found = append(found, path.Join(pkg, name)+": "+fmt.Sprintf(format, args...))
	}
	if lines := strings.Count(string(source), "\n"); lines > maxLines {
		report("%d lines are more than %d", lines, maxLines)
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return append(found, err.Error())
	}
	if strings.HasSuffix(name, "_test.go") {
		return found
	}
	allowed, known := mayImport()[pkg]
	if !known {
		report("the package is not in the plan: add it to mayImport with its walls")
	}
	for _, spec := range file.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		if ours, ok := strings.CutPrefix(imported, module+"/"); ok && !slices.Contains(allowed, ours) {
			report("may not import %s", imported)
		}
		for library, places := range onlyIn() {
			if strings.HasPrefix(imported, library) && !slices.Contains(places, pkg) {
				report("may not import %s: that is for %s", imported, strings.Join(places, ", "))
			}
		}
	}
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.Name == "init" {
				report("no init functions: wiring happens in cmd/gatehouse/serve.go")
			}
		case *ast.GenDecl:
			if d.Tok == token.VAR {
				for _, spec := range d.Specs {
					if v := spec.(*ast.ValueSpec); !fixed(d, v) {
						report("package variable %s is neither an error, a regular expression nor an embedded file", v.Names[0].Name)
					}
				}
			}
		}
	}
	return found
}

// fixed reports whether a package variable is one of those that nobody changes:
// an error, a compiled regular expression, an embedded file, or a check that a
// type implements an interface.
func fixed(d *ast.GenDecl, v *ast.ValueSpec) bool {
	for _, doc := range []*ast.CommentGroup{d.Doc, v.Doc} {
		if doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed") }) {
			return true
		}
	}
	if v.Names[0].Name == "_" {
		return true
	}
	for i, value := range v.Values {
		call, ok := value.(*ast.CallExpr)
		if ok {
			if fn, isSel := call.Fun.(*ast.SelectorExpr); isSel {
				from, _ := fn.X.(*ast.Ident)
				if from != nil && (from.Name == "errors" || from.Name == "regexp" || from.Name == "fmt" && fn.Sel.Name == "Errorf") {
					continue
				}
			}
		}
		// Other constructors of errors: the name says it, as in errRefused.
		if name := strings.ToLower(v.Names[i].Name); strings.HasPrefix(name, "err") {
			continue
		}
		return false
	}
	return len(v.Values) > 0
}

func TestWalls(t *testing.T) {
	t.Parallel()
	seen := 0
	err := filepath.WalkDir(".", func(p string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name := entry.Name(); p != "." && (strings.HasPrefix(name, ".") || slices.Contains([]string{"node_modules", "testdata", "tools", "var", "bin"}, name)) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") || p == "walls_test.go" {
			return nil
		}
		source, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		seen++
		for _, f := range judge(filepath.ToSlash(filepath.Dir(p)), filepath.Base(p), source) {
			t.Error(f)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 100 {
		t.Errorf("only %d files were seen: the test looks in the wrong place", seen)
	}
}

// TestWallsHold shows that each rule can fail.
func TestWallsHold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ pkg, source, want string }{
		"upwards":            {"store", `import "gatehouse/broker"`, "may not import gatehouse/broker"},
		"sideways":           {"broker", `import "gatehouse/broker/admin"`, "may not import gatehouse/broker/admin"},
		"inwards":            {"demo", `import "gatehouse/store"`, "may not import gatehouse/store"},
		"bbolt":              {"store", `import "go.etcd.io/bbolt"`, "that is for store/bolt"},
		"fosite below":       {"provisioning", `import "github.com/ory/fosite/handler/oauth2"`, "that is for broker"},
		"go-oidc":            {"broker", `import "github.com/coreos/go-oidc/v3/oidc"`, "that is for federation"},
		"gorilla":            {"broker", `import "github.com/gorilla/sessions"`, "that is for broker/session"},
		"templates":          {"broker", `import "html/template"`, "that is for templates"},
		"unknown package":    {"util", ``, "not in the plan"},
		"init":               {"store", `func init() {}`, "no init functions"},
		"variable":           {"store", `var cache = map[string]int{}`, "package variable cache"},
		"variable, no value": {"store", `var counter int`, "package variable counter"},
		"long file":          {"store", strings.Repeat("\n", maxLines+1), "lines are more than"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := judge(c.pkg, "x.go", []byte("package x\n"+c.source+"\n"))
			if len(found) != 1 || !strings.Contains(found[0], c.want) {
				t.Errorf("got %q, want one fault with %q", found, c.want)
			}
		})
	}
	good := "package x\nimport (\n\"errors\"\n\"regexp\"\n)\nvar errX = errors.New(\"x\")\nvar re = regexp.MustCompile(`x`)\n\n//go:embed x\nvar file string\nvar _ error = errX\n"
	if found := judge("store", "x.go", []byte(good)); len(found) > 0 {
		t.Errorf("good code is refused: %q", found)
	}
}
