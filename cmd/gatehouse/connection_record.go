package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"gatehouse/federation"
	"gatehouse/store"
)

func connectionPath(id, rest string) string { return "/connections/" + url.PathEscape(id) + rest }

// readRecord reads a connection as people write it, in JSON or YAML.
func readRecord(cmd *cobra.Command, path string) (record json.RawMessage, id string, err error) {
	raw, err := readInput(cmd, path)
	if err != nil {
		return nil, "", err
	}
	if !strings.HasPrefix(strings.TrimSpace(string(raw)), "{") {
		if raw, err = yaml.YAMLToJSON(raw); err != nil {
			return nil, "", fmt.Errorf("%s is neither JSON nor YAML", path) // the cause quotes the text, and secrets with it
		}
	}
	var names struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(raw, &names); err != nil {
		return nil, "", fmt.Errorf("%s is not an object", path)
	}
	return raw, names.ID, nil
}

// newConnectionApplyCommand adds or replaces a connection by its whole record.
func (r *remote) newConnectionApplyCommand() *cobra.Command {
	var file string
	var revision int64
	cmd := &cobra.Command{
		Use: "apply [ID]", Short: "Add or replace a connection by its whole record; secrets that are left out stay", Args: cobra.MaximumNArgs(1),
		Example: "  gatehouse connection record acme > acme.json\n  gatehouse connection apply --file acme.json",
	}
	calls(cmd, "PUT /connections/~")
	cmd.RunE = r.run(func(cmd *cobra.Command, args []string) error {
		record, id, err := readRecord(cmd, file)
		if err != nil {
			return err
		}
		if len(args) > 0 {
			id = args[0]
		}
		if id == "" {
			return usagef("say which connection: give its id as argument, or in the file")
		}
		match := ""
		if revision > 0 {
			match = `"` + strconv.FormatInt(revision, 10) + `"`
		}
		var out map[string]any
		if err := r.call(cmd.Context(), "PUT", connectionPath(id, ""), record, &out, "If-Match", match); err != nil {
			return err
		}
		if r.json {
			return printJSON(cmd.OutOrStdout(), out)
		}
		_, _ = fmt.Fprintf(cmd.OutOrStdout(), "Connection %s is as in the file. Register at the provider: %s\n", line(id), readable(out["redirect_uris"]))
		for _, w := range members(out["warnings"]) {
			_, _ = fmt.Fprintf(cmd.OutOrStdout(), "warning: %s: %s\n", readable(w["path"]), readable(w["problem"]))
		}
		return nil
	})
	cmd.Flags().StringVarP(&file, "file", "f", "-", "JSON or YAML file (- for standard input)")
	cmd.Flags().Int64Var(&revision, "revision", 0, "fail unless this is still the stored revision")
	return cmd
}

// newConnectionRecordCommand prints what apply takes.
func (r *remote) newConnectionRecordCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "record ID", Short: "Print a connection's record without its secrets, for `apply`", Args: cobra.ExactArgs(1)}
	calls(cmd, "GET /connections/~/record")
	cmd.RunE = r.run(func(cmd *cobra.Command, args []string) error {
		var out json.RawMessage
		if err := r.call(cmd.Context(), "GET", connectionPath(args[0], "/record"), nil, &out); err != nil {
			return err
		}
		return printJSON(cmd.OutOrStdout(), out)
	})
	return cmd
}

func (r *remote) newConnectionSwitchCommand(verb, short string, off bool, done string) *cobra.Command {
	cmd := &cobra.Command{Use: verb + " ID", Short: short, Args: cobra.ExactArgs(1)}
	calls(cmd, "PATCH /connections/~")
	cmd.RunE = r.run(func(cmd *cobra.Command, args []string) error {
		if err := r.call(cmd.Context(), "PATCH", connectionPath(args[0], ""), map[string]any{"disabled": off}, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "Connection %s: %s.\n", line(args[0]), strings.ToLower(done[:1])+done[1:])
		return err
	})
	return cmd
}

func (r *remote) newConnectionDeleteCommand() *cobra.Command {
	var force bool
	var revision int64
	cmd := &cobra.Command{
		Use: "delete ID", Short: "Remove a connection", Args: cobra.ExactArgs(1),
		Long: "Remove a connection. While routes, apps, people or other connections refer to it, they are listed and nothing happens, unless --force is given. Its id is never given out again.",
	}
	calls(cmd, "DELETE /connections/~")
	cmd.RunE = r.run(func(cmd *cobra.Command, args []string) error {
		match, query := "", ""
		if revision > 0 {
			match = `"` + strconv.FormatInt(revision, 10) + `"`
		}
		if force {
			query = "?force=true"
		}
		if err := r.call(cmd.Context(), "DELETE", connectionPath(args[0], query), nil, nil, "If-Match", match); err != nil {
			return err
		}
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "Connection %s is gone. Its id is never given out again.\n", line(args[0]))
		return err
	})
	cmd.Flags().BoolVar(&force, "force", false, "remove it although something refers to it")
	cmd.Flags().Int64Var(&revision, "revision", 0, "fail unless this is still the stored revision")
	return cmd
}

// newPresetCommand prints what is known of a provider, filled in, as a record
// to go on with.
func newPresetCommand() *cobra.Command {
	var values []string
	cmd := &cobra.Command{
		Use: "preset [NAME]", Short: "List the presets, or print one as a record to begin with", Args: cobra.MaximumNArgs(1),
		Example: "  gatehouse connection preset okta --set domain=acme.okta.com > acme.json",
		RunE: func(cmd *cobra.Command, args []string) error {
			w := cmd.OutOrStdout()
			if len(args) == 0 {
				for _, p := range federation.Presets() {
					blanks := make([]string, len(p.Blanks))
					for i, b := range p.Blanks {
						blanks[i] = b.Name + "=" + b.Example
					}
					_, _ = fmt.Fprintf(w, "%-12s %s  %s\n", p.Name, p.Title, strings.Join(blanks, " "))
				}
				return nil
			}
			p, ok := federation.PresetNamed(args[0])
			if !ok {
				return usagef("there is no preset %q", args[0])
			}
			given := map[string]string{}
			for _, v := range values {
				name, value, ok := strings.Cut(v, "=")
				if !ok {
					return usagef("--set takes name=value")
				}
				given[name] = value
			}
			var conn store.Connection
			if err := p.Apply(given, &conn); err != nil {
				return usageError{err}
			}
			raw, err := federation.EncodeConnection(conn)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(w, string(raw))
			return err
		},
	}
	calls(cmd, "GET /presets") // it has the same here
	cmd.Flags().StringArrayVar(&values, "set", nil, "name=value of a blank (repeat)")
	return cmd
}

// errTestFailed makes the exit status tell how a test login went.
var errTestFailed = errors.New("the test login did not go well")

// ended reports whether ctx is over, to stop waiting.
func ended(ctx context.Context) bool { return ctx.Err() != nil }
