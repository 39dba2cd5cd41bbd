package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

// newExportCommand writes the whole configuration as one document.
func newExportCommand(r *remote) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "export", Short: "Write the whole configuration as one YAML document", Args: cobra.NoArgs,
		Long: `Write organizations, domains, connections, apps and webhooks as one YAML
document. Equal configurations are equal bytes. Secrets are not in it: each
stands as {from: keep}, which leaves the stored one as it is.`,
		Example: "  gatehouse export --out gatehouse-config.yaml",
	}
	calls(cmd, "GET /configuration")
	cmd.Flags().StringVarP(&out, "out", "o", "-", "file that is made anew (- for standard output)")
	cmd.RunE = r.run(func(cmd *cobra.Command, _ []string) error {
		var got map[string]any
		if err := r.call(cmd.Context(), "GET", "/configuration", nil, &got); err != nil {
			return err
		}
		text, _ := got["document"].(string)
		switch {
		case r.json:
			return printJSON(cmd.OutOrStdout(), got)
		case text == "":
			return errors.New("the server sent no document: is it of another version?")
		case out != "-":
			return os.WriteFile(out, []byte(text), 0o600)
		}
		_, err := io.WriteString(cmd.OutOrStdout(), text)
		return err
	})
	return cmd
}

// configurationPlan is what the API says a document would change.
type configurationPlan struct {
	Fingerprint string          `json:"fingerprint"`
	Applied     bool            `json:"applied"`
	Changes     []plannedChange `json:"changes"`
}

type plannedChange struct {
	Kind   string         `json:"kind"`
	ID     string         `json:"id"`
	Action string         `json:"action"`
	Fields []plannedField `json:"fields"`
	Notes  []string       `json:"notes"`
}

type plannedField struct {
	Path   string `json:"path"`
	Before any    `json:"before,omitempty"`
	After  any    `json:"after,omitempty"`
	Secret bool   `json:"secret,omitempty"`
}

// print is the plan for people: a line per object, and below it one per field.
func (p configurationPlan) print(w io.Writer) {
	mark := map[string]string{"create": "+", "change": "~", "remove": "-"}
	count := map[string]int{}
	for _, c := range p.Changes {
		count[c.Action]++
		_, _ = fmt.Fprintf(w, "%s %s %s\n", mark[c.Action], line(c.Kind), line(c.ID))
		for _, f := range c.Fields {
			was, is := shown(f.Before), shown(f.After)
			switch {
			case f.Secret:
				_, _ = fmt.Fprintf(w, "    %s: changes\n", line(f.Path))
			case c.Action == "create":
				_, _ = fmt.Fprintf(w, "    %s: %s\n", line(f.Path), is)
			default:
				_, _ = fmt.Fprintf(w, "    %s: %s → %s\n", line(f.Path), was, is)
			}
		}
		for _, n := range c.Notes {
			_, _ = fmt.Fprintf(w, "    note: %s\n", line(n))
		}
	}
	if len(p.Changes) == 0 {
		_, _ = fmt.Fprintln(w, "Nothing changes.")
		return
	}
	_, _ = fmt.Fprintf(w, "%d to create, %d to change, %d to remove.\n", count["create"], count["change"], count["remove"])
}

// shown is a value of a plan; what is not there is a dash.
func shown(v any) string {
	if v == nil {
		return "–"
	}
	if s, ok := v.(string); ok {
		return fmt.Sprintf("%q", s)
	}
	return readable(v)
}
