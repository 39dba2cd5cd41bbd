package gatehouse

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNobodyIsFoundByAddressInALogin holds DESIGN §9.1: the search over people is
// read by the admin surface, and by the one file of provisioning whose answers
// only suggest. Nothing else looks a person up by name or address.
func TestNobodyIsFoundByAddressInALogin(t *testing.T) {
	t.Parallel()
	allowed := func(path string) bool {
		return strings.HasPrefix(path, "broker/admin/") || path == "store/prefix.go" || path == "provisioning/namesakes.go"
	}
	found := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		path = filepath.ToSlash(path)
		for _, call := range []string{".ByPrefix(", `"search"`} {
			if !strings.Contains(string(raw), call) || path == "store/kinds.go" || path == "store/search.go" {
				continue
			}
			found++
			if strings.Contains(string(raw), "Users."+strings.TrimPrefix(call, ".")) || call == ".ByPrefix(" {
				if !allowed(path) {
					t.Errorf("%s looks people up by name or address", path)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found == 0 {
		t.Error("no reader of the search found: the test looks for the wrong thing")
	}
}
