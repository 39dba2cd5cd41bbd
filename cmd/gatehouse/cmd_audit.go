package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

func newAuditCommand(r *remote) *cobra.Command {
	verify := &cobra.Command{Use: "verify", Short: "Check the whole chain for altered, missing or moved entries", Args: cobra.NoArgs}
	verify.RunE = r.run(func(cmd *cobra.Command, _ []string) error {
		var out map[string]any
		if err := r.call(cmd.Context(), "GET", "/audit/verify", nil, &out); err != nil {
			return err
		}
		if r.json {
			if err := printJSON(cmd.OutOrStdout(), out); err != nil {
				return err
			}
		}
		if out["intact"] != true {
			return errors.New(readable(out["problem"]))
		}
		if r.json {
			return nil
		}
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "The audit is intact: %s entries.\n", readable(out["entries"]))
		return err
	})
	return group("audit", "Audit: who changed what",
		r.newListCommand(listing{
			use: "list", short: "List audit entries, newest first", path: "/audit",
			columns: []column{{"seq", "seq"}, {"when", "at"}, {"who", "actor"}, {"what", "action"}, {"on", "target"}, {"via", "via"}, {"from", "from"}},
		}),
		verify,
	)
}
