package federation

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"gatehouse/store"
)

// TestCodes_AreInTheTraceList: a trace names each fault by its own code.
func TestCodes_AreInTheTraceList(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(file, func(node ast.Node) bool {
		v, ok := node.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 || !strings.HasPrefix(v.Names[0].Name, "Code") {
			return true
		}
		if lit, ok := v.Values[0].(*ast.BasicLit); ok {
			code, _ := strconv.Unquote(lit.Value)
			n++
			if known := store.TraceCodeOf(code); known.Code != code || known.Do == "" {
				t.Errorf("%s is not in store.TraceCodes: add it with what it means and what to do", code)
			}
		}
		return true
	})
	if n < 50 {
		t.Errorf("found only %d codes", n)
	}
}
