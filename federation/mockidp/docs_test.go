package mockidp

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of faults into docs/mockidp.md")

// TestDocs holds the table of docs/mockidp.md to the one in the code.
func TestDocs(t *testing.T) {
	t.Parallel()
	const file, begin, end = "../../docs/mockidp.md", "<!-- faults: begin -->\n", "<!-- faults: end -->\n"
	doc, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(doc), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no marks around the table", file)
	}
	var table strings.Builder
	stage := Stage("")
	for _, f := range Faults() {
		if f.Stage != stage {
			stage = f.Stage
			fmt.Fprintf(&table, "\n### %s\n\n| fault | what it does | value |\n|---|---|---|\n", stage)
		}
		value := ""
		if f.Value != "" {
			value = "`" + f.Value + "`"
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", f.Name, f.Description, value)
	}
	want := before + begin + table.String() + "\n" + end + after
	if want == string(doc) {
		return
	}
	if !*update {
		t.Fatalf("%s is behind the table of faults; run go test ./federation/mockidp -run TestDocs -update", file)
	}
	if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
