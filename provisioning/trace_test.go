package provisioning

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"gatehouse/store"
)

// TestReasons_AreInTheTraceList: a trace names each reason by its own code.
func TestReasons_AreInTheTraceList(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "reason.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(file, func(node ast.Node) bool {
		v, ok := node.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 {
			return true
		}
		if lit, ok := v.Values[0].(*ast.BasicLit); ok {
			code, _ := strconv.Unquote(lit.Value)
			n++
			if known := store.TraceCodeOf(code); known.Code != code || known.Do == "" {
				t.Errorf("%s is not in store.TraceCodes", code)
			}
		}
		return true
	})
	if n < 15 {
		t.Errorf("found only %d reasons", n)
	}
}
