package provisioning

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var updateDocs = flag.Bool("update", false, "rewrite the table of docs/admission.md")

// TestDocsAdmissionTable: the table people read is the table that decides.
func TestDocsAdmissionTable(t *testing.T) {
	const file, begin, end = "../docs/admission.md", "<!-- table -->\n", "<!-- end of table -->\n"
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(raw), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no marks for the table", file)
	}
	want := before + begin + "\n" + newTable().markdown() + "\n" + end + after
	if want == string(raw) {
		return
	}
	if !*updateDocs {
		t.Fatalf("%s does not show the table of decide.go: run go test ./provisioning -run TestDocs -update", file)
	}
	if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
