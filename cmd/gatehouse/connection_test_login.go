package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// newConnectionTestCommand prepares a test login, prints its link, waits until
// somebody has signed in with it, and shows what happened.
func (r *remote) newConnectionTestCommand() *cobra.Command {
	var file, client, email string
	var wait time.Duration
	cmd := &cobra.Command{
		Use: "test [ID]", Short: "Try a sign-in at a connection; nobody is signed in by it", Args: cobra.MaximumNArgs(1),
		Long: `Try a real sign-in at a connection that may be saved, switched off, changed
(--file) or new (--file). Open the link that is printed, or send it to the company's
IT person: it works once, for half an hour. The result shows masked values.`,
		Example: "  gatehouse connection test acme --client wiki\n  gatehouse connection test --file acme.yaml --wait 0",
	}
	calls(cmd, "POST /connections/~/test", "GET /tests/~")
	cmd.RunE = r.run(func(cmd *cobra.Command, args []string) error {
		body, id := map[string]any{}, ""
		if file != "" {
			record, name, err := readRecord(cmd, file)
			if err != nil {
				return err
			}
			body["connection"], id = record, name
		}
		if len(args) > 0 {
			id = args[0]
		}
		if id == "" {
			return usagef("say which connection: give its id, or --file with a record")
		}
		if client != "" {
			body["client"] = client
		}
		if email != "" {
			body["email"] = email
		}
		var test map[string]any
		if err := r.call(cmd.Context(), "POST", connectionPath(id, "/test"), body, &test); err != nil {
			return err
		}
		if wait <= 0 {
			if r.json {
				return printJSON(cmd.OutOrStdout(), test)
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "Test %s. Open this link, once, within half an hour:\n%s\n", readable(test["words"]), readable(test["link"]))
			return err
		}
		_, _ = fmt.Fprintf(r.env.Stderr, "Test %s. Open this link, once, within half an hour:\n\n  %s\n\nWaiting …\n", readable(test["words"]), readable(test["link"]))
		done, err := r.awaitTest(cmd.Context(), readable(test["words"]), wait)
		if err != nil {
			return err
		}
		if r.json {
			err = printJSON(cmd.OutOrStdout(), done)
		} else {
			err = printTest(cmd.OutOrStdout(), done)
		}
		if err == nil && !strings.HasPrefix(readable(member(done, "result.outcome")), "would_") {
			err = errTestFailed
		}
		return err
	})
	f := cmd.Flags()
	f.StringVarP(&file, "file", "f", "", "record to test in place of the stored one, JSON or YAML (- for standard input); it is not saved")
	f.StringVar(&client, "client", "", "app whose claims are shown")
	f.StringVar(&email, "email", "", "address for the provider's login hint")
	f.DurationVar(&wait, "wait", 10*time.Minute, "how long to wait for the result; 0 only prints the link")
	return cmd
}

func (r *remote) awaitTest(ctx context.Context, words string, wait time.Duration) (map[string]any, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		var test map[string]any
		if err := r.call(ctx, "GET", "/tests/"+url.PathEscape(words), nil, &test); err != nil && !ended(ctx) {
			return nil, err
		}
		if test["state"] == "done" {
			return test, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("nobody finished the test in time; if somebody still does, the console shows it as %s", words)
		case <-tick.C:
		}
	}
}

// printTest shows a result for people, tab by tab.
func printTest(w io.Writer, test map[string]any) error {
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	result, _ := test["result"].(map[string]any)
	text := func(path string) string { return readable(member(result, path)) }
	say("Test %s of %s: %s", readable(test["words"]), readable(test["connection"]), strings.ReplaceAll(text("outcome"), "_", " "))
	if text("fault.code") != "" {
		say("\n%s (at fault: %s): %s", text("fault.code"), text("fault.blame"), text("fault.means"))
		if why := text("fault.why"); why != "" {
			say("  %s", why)
		}
		say("  What to do: %s", text("fault.do"))
	}
	for _, part := range []struct{ title, member string }{{"Token response", "token_response"}, {"Profile response", "profile_response"}} {
		for _, doc := range members(result[part.member]) {
			say("\n%s · %s · %s · %s bytes", part.title, readable(doc["from"]), readable(doc["status"]), readable(doc["bytes"]))
			printValues(w, doc["values"])
			if note := readable(doc["note"]); note != "" {
				say("  %s", note)
			}
		}
	}
	if selectors := members(member(result, "identity.selectors")); len(selectors) > 0 {
		say("\nIdentity")
		for _, s := range selectors {
			if s["matched"] == true {
				say("  ✓ %s = %s (%s)", readable(s["attribute"]), readable(s["path"]), readable(s["source"]))
				printValues(w, s["values"])
				continue
			}
			say("  ✗ %s = %s: %s", readable(s["attribute"]), readable(s["path"]), readable(s["why"]))
			for _, p := range members(s["proposals"]) {
				say("      would match: %s in %s: %s", readable(p["path"]), readable(p["source"]), readable(p["sample"]))
			}
		}
	}
	if text("admission.decision") != "" {
		say("\nAdmission: %s: %s", text("admission.decision"), text("admission.why"))
	}
	if text("claims.client") != "" {
		say("\nClaims for %s %s\nID token", text("claims.client"), text("claims.note"))
		printValues(w, member(result, "claims.id_token"))
		say("Userinfo")
		printValues(w, member(result, "claims.userinfo"))
	}
	if list, _ := result["warnings"].([]any); len(list) > 0 {
		say("\nWarnings")
		for _, warning := range list {
			say("  %s", readable(warning))
		}
	}
	return nil
}

func printValues(w io.Writer, values any) {
	for _, v := range members(values) {
		_, _ = fmt.Fprintf(w, "    %s  %s\n", readable(v["path"]), readable(v["shown"]))
	}
}
