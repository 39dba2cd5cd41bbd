package main

import (
	"bufio"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// newApplyCommand makes the configuration what a document says.
func newApplyCommand(r *remote) *cobra.Command {
	var prune, dryRun, yes bool
	cmd := &cobra.Command{
		Use: "apply FILE", Short: "Make the configuration what a document says", Args: cobra.ExactArgs(1),
		Long: `Show what a document would change, ask, and do all of it at once or nothing.
When somebody changes something between the plan and the answer, nothing is
applied (exit status 5). Without --prune nothing is removed. Ids of what is
removed are never given out again.`,
		Example: "  gatehouse apply gatehouse-config.yaml\n  gatehouse apply --yes --prune gatehouse-config.yaml",
	}
	calls(cmd, "POST /configuration/plan", "POST /configuration/apply")
	cmd.Flags().BoolVar(&prune, "prune", false, "also remove what the document's sections do not name")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only show the plan")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	cmd.RunE = r.run(func(cmd *cobra.Command, args []string) error {
		if args[0] == "-" && !yes && !dryRun {
			return usagef("a document from standard input leaves nothing to answer with: give --yes or --dry-run")
		}
		body, err := r.document(cmd, args[0], prune)
		if err != nil {
			return err
		}
		if r.json && !dryRun { // one JSON text: the plan is part of the answer
			return r.applyPlan(cmd, body, yes)
		}
		plan, err := r.plan(cmd, body)
		if err != nil || dryRun || len(plan.Changes) == 0 {
			return err
		}
		if !yes {
			_, _ = fmt.Fprint(r.env.Stderr, "Apply this? Type yes: ")
			answer, _ := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
			if strings.TrimSpace(answer) != "yes" {
				return errors.New("nothing was applied")
			}
		}
		body["fingerprint"] = plan.Fingerprint
		if err := r.call(cmd.Context(), "POST", "/configuration/apply", body, nil); err != nil {
			return err
		}
		_, err = fmt.Fprintln(cmd.OutOrStdout(), "Applied.")
		return err
	})
	return cmd
}

// applyPlan applies without a word, for programs.
func (r *remote) applyPlan(cmd *cobra.Command, body map[string]any, yes bool) error {
	if !yes {
		return usagef("--json asks nothing: give --yes or --dry-run")
	}
	var plan configurationPlan
	if err := r.call(cmd.Context(), "POST", "/configuration/apply", body, &plan); err != nil {
		return err
	}
	return printJSON(cmd.OutOrStdout(), plan)
}
