package e2e

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestNode has the npm parties judge the running program: openid-client and
// oauth4webapi as apps, oidc-provider as a company's identity provider. Each of
// their tests is a sub-test here.
func TestNode(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal("node is missing: install Node.js 20 or newer (Debian: apt-get install nodejs npm); `make test` does it for you")
	}
	if _, err := os.Stat(filepath.Join("node", "node_modules", "openid-client")); err != nil {
		t.Fatal("e2e/node/node_modules is missing: run `npm ci` in e2e/node; `make test` does it for you")
	}
	files, err := filepath.Glob(filepath.Join("node", "*.test.mjs"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests in e2e/node: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".test.mjs")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runNode(t, node, filepath.Base(file))
		})
	}
}

// nodeEvent is a line of e2e/node/reporter.mjs.
type nodeEvent struct {
	Name   string  `json:"name"`
	Passed bool    `json:"passed"`
	Millis float64 `json:"ms"`
	Error  string  `json:"error"`
}

func runNode(t *testing.T, node, file string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), node, "--test", "--test-reporter=./reporter.mjs", file)
	cmd.Dir = "node"
	cmd.Env = append(os.Environ(), "GATEHOUSE_DEV_JSON="+filepath.Join(shared.Data, "dev.json"), "NODE_NO_WARNINGS=1")
	cmd.SysProcAttr = dieWithUs()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	said := newOutput("")
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	seen := 0
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var e nodeEvent
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Errorf("node said: %s", lines.Text())
			continue
		}
		seen++
		t.Run(e.Name, func(t *testing.T) {
			if !e.Passed {
				t.Errorf("%s", e.Error)
			}
			t.Logf("%.0f ms", e.Millis)
		})
	}
	if err := cmd.Wait(); err != nil || seen == 0 {
		t.Errorf("node --test %s: %v, %d tests\n%s", file, err, seen, said)
	}
}
