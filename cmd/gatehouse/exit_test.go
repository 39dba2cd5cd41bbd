package main

import (
	"strings"
	"testing"
)

// TestExitStatus: scripts can tell a thing that is not there from one they may
// not touch and from one somebody else changed. docs/admin.md lists them.
func TestExitStatus(t *testing.T) {
	t.Parallel()
	_, state := startDev(t, t.TempDir())
	environ := []string{"GATEHOUSE_TOKEN=" + state.APIToken, "GATEHOUSE_ADMIN_URL=" + state.Admin}
	for _, c := range []struct {
		args    string
		environ []string
		want    int
	}{
		{"org list", environ, 0},
		{"org list --json", environ, 0},
		{"overview --json", environ, 0},
		{"settings", environ, 0},
		{"key list", environ, 0},
		{"completion bash", nil, 0},
		{"org show nothing", environ, 3},
		{"org list", []string{"GATEHOUSE_TOKEN=gh_" + strings.Repeat("A", 43), "GATEHOUSE_ADMIN_URL=" + state.Admin}, 4},
		{"org create acme --title Acme", environ, 5},
		{"org create Bad_Id --title X", environ, 1},
		{"org", environ, 0},
		{"org nonsense", environ, 2},
		{"org show", environ, 2},
		{"org list --nonsense", environ, 2},
		{"org list", nil, 2},
	} {
		var out, errs syncBuffer
		if got := run(t.Context(), strings.Fields(c.args), c.environ, &out, &errs); got != c.want {
			t.Errorf("gatehouse %s: exit status %d, want %d: %s", c.args, got, c.want, errs.String())
		}
	}
}
