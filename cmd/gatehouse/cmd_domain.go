package main

import (
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
			columns: []column{{"domain", "name"}, {"organization", "organization"}, {"state", "state"}, {"TXT value", "challenge"}},
			filters: []column{{"organization", "organization"}},
		}),
		r.newShowCommand("show ORGANIZATION DOMAIN", "Show a domain", path(""), 2),
		r.newActionCommand(action{
			use: "create ORGANIZATION DOMAIN", short: "Claim a domain for an organization", method: "POST",
			path: below("/organizations/", 0, "/domains"), args: 2, fromArgs: []string{"", "name"},
			fields: []field{{"asserted", "asserted", flagYesNo, "vouch for the claim without DNS proof (owners only)"}},
			done:   "The domain is claimed for %s.",
		}),
		r.newActionCommand(action{
			use: "assert ORGANIZATION DOMAIN", short: "Vouch for a claim without DNS proof (owners only)", method: "POST",
			path: path("/assert"), args: 2, revision: true, done: "The domain of %s is asserted.",
		}),
		r.newActionCommand(action{
			use: "delete ORGANIZATION DOMAIN", short: "Give a domain up", method: "DELETE", path: path(""), args: 2,
			revision: true, done: "%s no longer holds the domain.",
		}),
	)
}
