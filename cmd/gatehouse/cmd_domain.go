package main

import (
	"fmt"
	"net/url"

	"github.com/spf13/cobra"
)

func newDomainCommand(r *remote) *cobra.Command {
	path := func(suffix string) func([]string) string {
		return func(args []string) string {
			return "/organizations/" + url.PathEscape(args[0]) + "/domains/" + url.PathEscape(args[1]) + suffix
		}
	}
	return group("domain", "Domains: e-mail domains of organizations",
		r.newListCommand(listing{
			use: "list", short: "List domains", path: "/domains",
			columns: []column{{"domain", "name"}, {"organization", "organization"}, {"state", "state"}, {"missing since", "missing_since"}, {"TXT record", "record_name"}, {"TXT value", "challenge"}},
			filters: []column{{"organization", "organization"}},
		}),
		r.newShowCommand("show ORGANIZATION DOMAIN", "Show a domain", path(""), 2),
		r.newActionCommand(action{
			use: "create ORGANIZATION DOMAIN", short: "Claim a domain for an organization", method: "POST",
			path: below("/organizations/", 0, "/domains"), args: 2, fromArgs: []string{"", "name"},
			fields: []field{{"asserted", "asserted", flagYesNo, "vouch for the claim without DNS proof (owners of the platform only)"}},
			done:   "The domain is claimed for %s. `gatehouse domain show` tells which DNS record proves it.",
		}),
		r.newActionCommand(action{
			use: "update ORGANIZATION DOMAIN", short: "Change what holds for newcomers of a domain", method: "PATCH", path: path(""), args: 2,
			fields: []field{
				{"join", "join", flagText, "off, request or automatic; empty takes the connection's or the organization's"},
				{"approver", "approvers", flagList, "user id told of its access requests (repeat; none: the organization's)"},
			},
			revision: true, done: "The domain of %s is changed.",
		}),
		r.newCheckDomainCommand(path("/check")),
		r.newActionCommand(action{
			use: "assert ORGANIZATION DOMAIN", short: "Vouch for a claim without DNS proof (owners of the platform only)", method: "POST",
			path: path("/assert"), args: 2, revision: true, done: "The domain of %s is asserted.",
		}),
		r.newActionCommand(action{
			use: "delete ORGANIZATION DOMAIN", short: "Give a domain up", method: "DELETE", path: path(""), args: 2,
			revision: true, done: "%s no longer holds the domain.",
		}),
	)
}

// newCheckDomainCommand looks for the record now and says what was found. It
// fails when the domain is not proven, so that scripts can wait for it.
func (r *remote) newCheckDomainCommand(path func([]string) string) *cobra.Command {
	cmd := &cobra.Command{Use: "check ORGANIZATION DOMAIN", Short: "Look for the TXT record of a domain now", Args: cobra.ExactArgs(2)}
	calls(cmd, "POST "+path(names(2)))
	cmd.RunE = r.run(func(cmd *cobra.Command, args []string) error {
		var out map[string]any
		if err := r.call(cmd.Context(), "POST", path(args), nil, &out); err != nil {
			return err
		}
		if r.json {
			if err := printJSON(cmd.OutOrStdout(), out); err != nil {
				return err
			}
		}
		says, _ := out["check_error"].(string)
		switch {
		case out["state"] == "verified" && says == "":
			if r.json {
				return nil
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), line(args[1])+" is verified: leave the record where it is.")
			return err
		case out["state"] == "verified":
			return fmt.Errorf("%s is verified, but the record was not seen now: %s", line(args[1]), line(says))
		}
		return fmt.Errorf("%s is not proven: %s\nThe record belongs at %s with the value %s",
			line(args[1]), line(says), line(fmt.Sprint(out["record_name"])), line(fmt.Sprint(out["challenge"])))
	})
	return cmd
}
