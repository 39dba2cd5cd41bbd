package templates

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sources are the files whose sentences the console shows.
func sources(t *testing.T) (files []string) {
	t.Helper()
	for _, pattern := range []string{
		"../broker/admin/*.go", "../store/trace_codes.go", "../federation/check*.go", "../federation/warnings.go", "../federation/lint.go",
		"../federation/lookalike.go", "../federation/explain.go", "../federation/presets.go", "../federation/schema_check.go",
		"../broker/local/strength.go", "accent.go", "../provisioning/ownership/*.go", "../federation/rehearsal/*.go", "../provisioning/*.go", "../profile/*.go",
	} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("no files at %s: %v", pattern, err)
		}
		files = append(files, slices.DeleteFunc(found, func(name string) bool { return strings.HasSuffix(name, "_test.go") })...)
	}
	return files
}

// collector gathers the sentences and labels of one file.
type collector struct {
	found map[string]token.Position
	files *token.FileSet
	wrong []string // words of ours where a value belongs
}

var (
	sentence = regexp.MustCompile(`[\p{L}’'".,:;)%…] [\p{L}“"(@%]`)
	label    = regexp.MustCompile(`^[A-Z][a-z][A-Za-z-]*( ?…)?$`)
)

// silent are calls whose words no page shows: causes in logs, formats, routes.
func silent(call *ast.CallExpr) bool {
	var name, of string
	switch f := call.Fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		name = f.Sel.Name
		if x, ok := f.X.(*ast.Ident); ok {
			of = x.Name
		}
	}
	switch name {
	case "Errorf", "ErrorContext", "WarnContext", "InfoContext", "DebugContext", "MustCompile", "page", "endpoint", "does", "Record", "Parse", "Set", "Get", "Add", "Index",
		"HasPrefix", "HasSuffix", "TrimPrefix", "TrimSuffix", "ReplaceAll", "Cut", "Contains", "ContainsAny", "Split", "SplitSeq", "Format", "panic":
		return true
	}
	return of == "errors" || of == "slog"
}

// visit collects what stands below a node.
func (c *collector) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.ImportSpec, *ast.Field:
		return false
	case *ast.CallExpr:
		if silent(n) {
			return false
		}
		if s, ok := n.Fun.(*ast.SelectorExpr); ok && len(n.Args) == 1 && s.Sel.Name == "TextCell" {
			if text, ok := flat(n.Args[0]); ok && sentence.MatchString(text) && !unseen("", text) {
				c.wrong = append(c.wrong, c.files.Position(n.Pos()).String()+": a TextCell is a value and not said: make "+strconv.Quote(text)+" a WordCell")
			}
		}
		if s, ok := n.Fun.(*ast.SelectorExpr); ok && len(n.Args) > 0 && (s.Sel.Name == "BadgeCell" || s.Sel.Name == "WordCell" || s.Sel.Name == "badge") {
			for _, a := range n.Args {
				c.take(a, true)
			}
		}
	case *ast.CompositeLit:
		name, _ := n.Type.(*ast.Ident)
		switch {
		case name != nil && name.Name == "operation":
			return false
		case name != nil && name.Name == "table": // of decisions: rows say when, which is for the docs, and why
			for _, row := range n.Elts {
				if cells, ok := row.(*ast.CompositeLit); ok && len(cells.Elts) > 4 {
					c.take(cells.Elts[4], false)
				}
			}
			return false
		}
	case *ast.KeyValueExpr:
		ast.Inspect(n.Value, c.visit)
		return false
	case *ast.IndexExpr:
		ast.Inspect(n.X, c.visit)
		return false
	case *ast.CaseClause:
		for _, s := range n.Body {
			ast.Inspect(s, c.visit)
		}
		return false
	case *ast.BinaryExpr:
		if n.Op != token.ADD {
			return n.Op == token.LAND || n.Op == token.LOR
		}
		c.take(n, false)
		return false
	case *ast.BasicLit:
		c.take(n, false)
	}
	return true
}

// take notes an expression when it is a text; all says that any word is.
func (c *collector) take(e ast.Expr, all bool) {
	text, ok := flat(e)
	if ok && (sentence.MatchString(text) || label.MatchString(text) || all && strings.ContainsFunc(text, func(r rune) bool { return r >= 'a' && r <= 'z' })) {
		if _, known := c.found[text]; !known {
			c.found[text] = c.files.Position(e.Pos())
		}
	}
}

// flat is an expression of literals and values as one format; ok is false when
// there is no literal in it.
func flat(e ast.Expr) (text string, ok bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			s, err := strconv.Unquote(e.Value)
			return s, err == nil
		}
	case *ast.ParenExpr:
		return flat(e.X)
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			a, isA := flat(e.X)
			b, isB := flat(e.Y)
			return a + b, isA || isB
		}
	}
	return "%s", false
}

func collected(t *testing.T) map[string]token.Position {
	t.Helper()
	c := collector{found: map[string]token.Position{}, files: token.NewFileSet()}
	for _, name := range sources(t) {
		file, err := parser.ParseFile(c.files, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, c.visit)
	}
	for _, w := range c.wrong {
		t.Error(w)
	}
	return c.found
}

// presetWords adds what the presets ask for and note.
func presetWords(t *testing.T, found map[string]token.Position) {
	t.Helper()
	files, err := filepath.Glob("../federation/presets/*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("presets: %q, %v", files, err)
	}
	title := regexp.MustCompile(`^  - \{.*title: ([^,}]+),`)
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		noting := false
		for i, line := range strings.Split(string(raw), "\n") {
			at := token.Position{Filename: name, Line: i + 1}
			if m := title.FindStringSubmatch(line); m != nil {
				found[m[1]], found[upperFirst(m[1])] = at, at
			}
			if noting = line == "notes:" || noting && strings.HasPrefix(line, "  - "); !noting || line == "notes:" {
				continue
			}
			note := strings.TrimPrefix(line, "  - ")
			if quoted, err := strconv.Unquote(note); err == nil {
				note = quoted
			}
			found[note] = at
		}
	}
}

// unseen are texts that no page shows, with the reason, by file or by text.
func unseen(file, text string) bool {
	for _, name := range []string{
		"admin/api.go", "admin/table.go", "admin/idempotency.go", "admin/principal.go", "admin/admin.go", "admin/audit_export.go", // the API's own answers and headers
		"admin/configuration_stored.go", // what revisions are made of
		"profile/text.go",               // the text form of selectors, which the command line reads
		"profile/documents.go", "profile/untrusted.go", "provisioning/requests.go",
		"provisioning/waiting.go", "provisioning/apps.go", "provisioning/invitations.go", // causes, for traces
	} {
		if strings.HasSuffix(file, name) {
			return true
		}
	}
	return strings.HasPrefix(text, "gatehouse ") || // a command to copy
		slices.Contains([]string{
			"%s (%s)", "%s: %s", "%s %s: %s", "%s %s", "%s %s.", "%s: %s.", "%s × %s: %s", "\n%s: %s.", ", %s", "members of %s\n%s", // values, or parts that are said each
			"%d µs", "%.1f ms", "%d ms", "%d s", "%s ms", // the same in German
			"; its e-mail address changed since the last login", ", to one that another person of the organization has", "; by the rule %s", // ends of a sentence, said in its parts
			"The e-mail address", "The new password", "The password", "The current password", "The reason", // begin a sentence that is said whole
			"provisioning: not allowed: %s", // an error for the log
			"attachment; filename=\"invitations.csv\"", "text/csv; charset=utf-8", "own organizations", "access requests", "Gatehouse console",
			":root{%s}\n@supports (color:light-dark(#000,#fff)){:root{%s}}\n", "%s response", "claims of the ID token", "claims of userinfo", "correct horse battery staple", "a %s", "%d members", "%d elements", // names for the audit; values
		}, text)
}

// covered says that a text has German: itself, or for a format all that it can become.
func covered(german map[string]string, text string) bool {
	if _, ok := german[text]; ok {
		return true
	}
	p := newPattern(text, "")
	if !strings.Contains(text, "%") || p.weight < 3 {
		return false
	}
	for word := range german {
		if _, ok := p.match(word); ok {
			return true
		}
	}
	return false
}

// TestSay_EverythingHasGerman reads the sentences and labels that Go code shows
// on the console's pages, and wants each in words_de_*.go.
func TestSay_EverythingHasGerman(t *testing.T) {
	t.Parallel()
	german, found := germanWords(), collected(t)
	if len(found) < 1000 {
		t.Fatalf("only %d texts were found", len(found))
	}
	presetWords(t, found)
	var missing []string
	for text, at := range found {
		if !covered(german, text) && !unseen(filepath.ToSlash(at.Filename), text) {
			missing = append(missing, at.Filename+":"+strconv.Itoa(at.Line)+": "+strconv.Quote(text))
		}
	}
	slices.Sort(missing)
	for _, m := range missing {
		t.Errorf("no German for %s", m)
	}
}
