package notify

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"gatehouse/templates"
)

var update = flag.Bool("update", false, "write made documents anew")

// TestDocs holds docs/webhooks.md to the kinds of events, and docs/mail.md to
// the kinds of mails.
func TestDocs(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, k := range append(EventKinds(), TestKind()) {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n| member | always | |\n|---|---|---|\n", k.Kind, k.Summary)
		for _, f := range k.Fields {
			always := ""
			if f.Always {
				always = "yes"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.Name, always, f.Summary)
		}
	}
	const path, begin, end = "../docs/webhooks.md", "<!-- made by go test ./notify -run TestDocs -update -->\n", "<!-- end -->"
	raw, err := os.ReadFile(path)
	must(t, err)
	head, rest, ok1 := strings.Cut(string(raw), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s has lost its marks", path)
	}
	want := head + begin + b.String() + "\n" + end + tail
	switch {
	case *update:
		must(t, os.WriteFile(path, []byte(want), 0o644))
	case want != string(raw):
		t.Errorf("%s is not what payload.go says: run go test ./notify -run TestDocs -update", path)
	}
	mails, err := os.ReadFile("../docs/mail.md")
	must(t, err)
	for _, kind := range templates.MailKinds() {
		if !strings.Contains(string(mails), "`"+kind+"`") {
			t.Errorf("docs/mail.md does not name %s", kind)
		}
	}
}
