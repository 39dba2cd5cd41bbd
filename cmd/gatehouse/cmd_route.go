package main

import (
	"fmt"
	"net/url"

	"github.com/spf13/cobra"

	"gatehouse/federation"
)

func newRouteCommand(r *remote) *cobra.Command {
	return group("route", "Routes: which connection an address leads to", r.newRouteExplainCommand(), r.newRouteLintCommand())
}

func (r *remote) newRouteExplainCommand() *cobra.Command {
	var client, connection, organization string
	cmd := &cobra.Command{
		Use: "explain [ADDRESS]", Short: "Explain where a login goes, and why not elsewhere", Args: cobra.MaximumNArgs(1),
		Example: `  gatehouse route explain alice@eu.acme.test --client wiki`,
	}
	calls(cmd, "GET /routes/explain")
	cmd.RunE = r.run(func(cmd *cobra.Command, args []string) error {
		query := url.Values{}
		if len(args) > 0 {
			query.Set("address", args[0])
		}
		for name, value := range map[string]string{"client": client, "connection": connection, "organization": organization} {
			if value != "" {
				query.Set(name, value)
			}
		}
		var out map[string]any
		if err := r.call(cmd.Context(), "GET", "/routes/explain?"+query.Encode(), nil, &out); err != nil {
			return err
		}
		w := cmd.OutOrStdout()
		if r.json {
			return printJSON(w, out)
		}
		considered := members(out["considered"])
		if _, err := fmt.Fprintln(w, routeSentence(out)); err != nil || len(considered) == 0 {
			return err
		}
		return r.printList(w, []column{{"rule", "rule"}, {"connection", "connection"}, {"organization", "organization"}, {"reason", "reason"}, {"in words", "sentence"}}, considered)
	})
	f := cmd.Flags()
	f.StringVar(&client, "client", "", "app the login is for; its allow-lists count")
	f.StringVar(&connection, "connection", "", "connection the app asks for")
	f.StringVar(&organization, "organization", "", "organization the app asks for")
	return cmd
}

func routeSentence(out map[string]any) string {
	candidates, _ := out["candidates"].([]any)
	rule := readable(out["rule"])
	switch {
	case rule == "":
		return "No rule covers it: the login ends on a page that says so."
	case len(candidates) == 0:
		return "The rule " + rule + " wins, and nothing is open there: the login ends on a page that says so."
	case len(candidates) == 1:
		return "The rule " + rule + " wins: the login goes to " + readable(candidates[0]) + "."
	}
	return "The rule " + rule + " wins: the person chooses between " + readable(out["candidates"]) + "."
}

func (r *remote) newRouteLintCommand() *cobra.Command {
	var strict bool
	cmd := &cobra.Command{Use: "lint", Short: "Look for rules that deserve a second look", Args: cobra.NoArgs}
	calls(cmd, "GET /routes/lint")
	cmd.RunE = r.run(func(cmd *cobra.Command, _ []string) error {
		var out map[string]any
		if err := r.call(cmd.Context(), "GET", "/routes/lint", nil, &out); err != nil {
			return err
		}
		items := members(out["items"])
		columns := []column{{"level", "level"}, {"code", "code"}, {"rule", "rule"}, {"connections", "connections"}, {"problem", "problem"}, {"what to do", "fix"}}
		if err := r.printList(cmd.OutOrStdout(), columns, items); err != nil {
			return err
		}
		warnings := 0
		for _, item := range items {
			if item["level"] == federation.LevelWarning {
				warnings++
			}
		}
		if strict && warnings > 0 {
			return fmt.Errorf("there are %d warnings", warnings)
		}
		return nil
	})
	cmd.Flags().BoolVar(&strict, "strict", false, "end with status 1 when there is a warning")
	return cmd
}

// members are the objects of a list in an answer.
func members(v any) []map[string]any {
	list, _ := v.([]any)
	out := make([]map[string]any, 0, len(list))
	for _, x := range list {
		if m, ok := x.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

func newConnectionSchemaCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "schema", Short: "Print the JSON schema of a connection, for editors", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(federation.ConnectionSchema())
			return err
		},
	}
	calls(cmd, "GET /schemas/connection.json") // it has the same here
	return cmd
}
