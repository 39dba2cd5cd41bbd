package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"gatehouse/broker/admin"
)

// pagesWithoutOperation are console pages that stand for no operation of the
// API, and why.
func pagesWithoutOperation() map[string]string {
	const signIn = "signing in is for browsers; the API and the command line have tokens"
	const own = "factors and sessions of one's own sign-in at the console are proven in the browser that has them"
	const form = "an empty form; its POST is the operation"
	return map[string]string{
		"static": "files", "sign-in": signIn, "sign-in-post": signIn, "sign-in-passkey": signIn, "sign-in-factor": signIn, "sign-in-factor-post": signIn,
		"sign-in-enrol": signIn, "sign-in-enrol-post": signIn, "sign-in-company": signIn, "sign-in-callback": signIn, "setup": signIn, "setup-post": signIn,
		"sign-out": signIn, "forgot": signIn, "forgot-post": signIn, "confirm": signIn, "confirm-post": signIn, "recovery-kept": signIn,
		"account": own, "account-password": form, "account-totp": own, "account-totp-post": own, "account-totp-remove": own, "account-passkey": own,
		"account-passkey-post": own, "account-passkey-remove": own, "account-recovery": own, "account-session-end": own,
		"account-language": "the language of one's own pages is chosen where they are read",
		"set-password":     signIn, "set-password-post": signIn,
	}
}

// operationsWithoutPage and operationsWithoutCommand are operations of the API
// that the console or the command line does not offer, and why.
func operationsWithoutPage() map[string]string {
	const api = "about the API itself"
	const missing = "MISSING: the console shows apps and cannot change them yet"
	const accounts = "MISSING: platform roles and console accounts are given with the command line or the API"
	return map[string]string{
		"whoami": "the header of every page says it", "openapi": api,
		"create-client": missing, "get-client": missing, "update-client": missing, "delete-client": missing, "rotate-client-secret": missing,
		"create-user": accounts, "set-user-role": accounts, "reset-user-password": accounts,
	}
}

func operationsWithoutCommand() map[string]string {
	return map[string]string{
		"openapi":             "a document for programs; curl …/api/v1/openapi.json",
		"change-own-password": "an operator has no password, and a token must not change its owner's",
	}
}

var wildcard = regexp.MustCompile(`\{[^}]*\}|` + anyName)

func shape(route string) string { return wildcard.ReplaceAllString(route, "{}") }

// leafCommands are the commands that do something.
func leafCommands(cmd *cobra.Command) []*cobra.Command {
	if !cmd.HasSubCommands() {
		return []*cobra.Command{cmd}
	}
	var out []*cobra.Command
	if cmd.Annotations[operationsNote] != "" {
		out = append(out, cmd)
	}
	for _, sub := range cmd.Commands() {
		out = append(out, leafCommands(sub)...)
	}
	return out
}

// TestParity_ConsoleAPICommandLine: whatever one of console, API and command
// line has, the others have, but for the reasoned exceptions above.
func TestParity_ConsoleAPICommandLine(t *testing.T) {
	t.Parallel()
	g, _, _ := assembled(t)
	byRoute, byName := map[string]string{}, map[string]bool{}
	var pages []admin.Route
	for _, r := range g.console.Routes() {
		if r.Page {
			pages = append(pages, r)
			continue
		}
		byRoute[shape(r.Method+" "+strings.TrimPrefix(r.Path, "/api/v1"))] = r.Name
		byName[r.Name] = true
	}

	onPages := map[string]bool{}
	for _, p := range pages {
		reason := pagesWithoutOperation()[p.Name]
		if (len(p.Does) == 0) == (reason == "") {
			t.Errorf("console page %s (%s %s): either does(operation…) or a reason in pagesWithoutOperation", p.Name, p.Method, p.Path)
		}
		for _, op := range p.Does {
			onPages[op] = true
			if !byName[op] {
				t.Errorf("console page %s stands for %s, which the API does not have", p.Name, op)
			}
		}
	}

	inCommands := map[string]bool{}
	for _, top := range adminCommands(environment{}) {
		for _, cmd := range leafCommands(top) {
			note := cmd.Annotations[operationsNote]
			if note == "" {
				t.Errorf("command %q does not say which routes it calls: calls(cmd, …)", cmd.CommandPath())
				continue
			}
			for route := range strings.SplitSeq(note, "\n") {
				op := byRoute[shape(strings.TrimSpace(route))]
				if op == "" {
					t.Errorf("command %q calls %s, which the API does not have", cmd.CommandPath(), route)
				}
				inCommands[op] = true
			}
		}
	}

	var names []string
	for name := range byName {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, op := range names {
		if onPages[op] == (operationsWithoutPage()[op] != "") {
			t.Errorf("operation %s: on a console page %t; exactly one of a page and a reason in operationsWithoutPage", op, onPages[op])
		}
		if inCommands[op] == (operationsWithoutCommand()[op] != "") {
			t.Errorf("operation %s: in a command %t; exactly one of a command and a reason in operationsWithoutCommand", op, inCommands[op])
		}
	}
}
