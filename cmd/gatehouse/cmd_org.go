package main

import (
	"net/url"

	"github.com/spf13/cobra"
)

// below makes the path of a thing named by an argument.
func below(prefix string, argument int, suffix string) func([]string) string {
	return func(args []string) string { return prefix + url.PathEscape(args[argument]) + suffix }
}

// fixed is a path without arguments.
func fixed(path string) func([]string) string { return func([]string) string { return path } }

func orgFields() []field {
	return []field{
		{"title", "title", flagText, "name people read"},
		{"join", "join", flagText, "what happens to newcomers: off, request or automatic"},
		{"contact", "contact", flagText, "shown to people who wait or were refused"},
		{"group", "automatic_groups", flagList, "group every newcomer gets (repeat)"},
		{"client", "automatic_clients", flagList, "app every newcomer gets (repeat)"},
		{"disabled", "disabled", flagYesNo, "nobody of the organization gets in"},
	}
}

func newOrgCommand(r *remote) *cobra.Command {
	return group("org", "Organizations: companies whose people sign in",
		r.newListCommand(listing{
			use: "list", short: "List organizations", path: "/organizations",
			columns: []column{{"id", "id"}, {"title", "title"}, {"join", "join"}, {"disabled", "disabled"}},
		}),
		r.newShowCommand("show ID", "Show an organization", below("/organizations/", 0, ""), 1),
		r.newActionCommand(action{
			use: "create ID", short: "Add an organization", method: "POST", path: fixed("/organizations"), args: 1,
			fields: orgFields(), fromArgs: []string{"id"}, done: "Organization %s is there.",
		}),
		r.newActionCommand(action{
			use: "update ID", short: "Change an organization", method: "PATCH", path: below("/organizations/", 0, ""), args: 1,
			fields: orgFields(), revision: true, done: "Organization %s is changed.",
		}),
		r.newActionCommand(action{
			use: "delete ID", short: "Remove an organization that nothing belongs to", method: "DELETE",
			path: below("/organizations/", 0, ""), args: 1, revision: true, done: "Organization %s is gone. Its id is never given out again.",
		}),
	)
}
