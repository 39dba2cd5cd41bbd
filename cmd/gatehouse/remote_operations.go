package main

import (
	"net/http"
	"strings"

	"github.com/spf13/cobra"
)

// operationsNote is the annotation of a command that says which routes of the
// admin API it calls, as "GET /tokens": a test compares them with the table.
const operationsNote = "gatehouse/operations"

// anyName stands for an argument in such a route.
const anyName = "~"

// calls notes the routes a command calls; ~ stands for a name in a path.
func calls(cmd *cobra.Command, routes ...string) {
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[operationsNote] = strings.Join(routes, "\n")
}

// names are stand-ins for n arguments.
func names(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = anyName
	}
	return out
}

// Exit statuses besides 0 (done), 1 (failed) and 2 (typed wrongly).
const (
	exitNotFound  = 3
	exitForbidden = 4
	exitConflict  = 5
)

// answerError is a refusal of the admin API; its exit status tells scripts what
// kind.
type answerError struct {
	status int
	text   string
}

func (e answerError) Error() string { return e.text }

// ExitCode is what the process ends with.
func (e answerError) ExitCode() int {
	switch e.status {
	case http.StatusNotFound, http.StatusGone:
		return exitNotFound
	case http.StatusUnauthorized, http.StatusForbidden:
		return exitForbidden
	case http.StatusConflict, http.StatusPreconditionFailed:
		return exitConflict
	}
	return 1
}
