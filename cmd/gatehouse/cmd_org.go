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
		{"join-actor", "join_actor", flagText, "user id of the admin in whose name newcomers are made"},
		{"default-role", "default_role", flagText, "role of newcomers: user, or admin or owner (owners only)"},
		{"group", "automatic_groups", flagList, "group every newcomer gets (repeat)"},
		{"client", "automatic_clients", flagList, "app every newcomer gets (repeat)"},
		{"approver", "approvers", flagList, "user id told of access requests (repeat; none: every admin and owner)"},
		{"request-days", "request_days", flagNumber, "how long a request waits, 1 to 90; 0 is the server's default"},
		{"app-requests", "app_requests", flagYesNo, "people may ask for apps that require assignment"},
		{"rules-file", "rules", flagJSON, "JSON file with the admission rules, in place of all (- for standard input)"},
		{"contact", "contact", flagText, "shown to people who wait or were refused"},
		{"brand-file", "brand", flagJSON, `JSON file with logo and accent: {"logo": "https://…", "accent": "#0b5c63"}`},
		{"links-file", "links", flagJSON, `JSON file with links shown before sign-in: {"privacy": "https://…", "help": "…", "request_access": "mailto:…"}`},
		{"language", "languages", flagList, "language of its people, the first is the default (repeat)"},
		{"texts-file", "texts", flagJSON, "JSON file with own sentences on pages, in place of all"},
		{"sign-in-off", "sign_in_off", flagYesNo, "nobody signs in through its connections"},
		{"disabled", "disabled", flagYesNo, "nobody of the organization gets in (platform only)"},
	}
}

func newOrgCommand(r *remote) *cobra.Command {
	return group("org", "Organizations: companies whose people sign in",
		r.newListCommand(listing{
			use: "list", short: "List organizations", path: "/organizations",
			columns: []column{{"id", "id"}, {"title", "title"}, {"join", "join"}, {"sign-in off", "sign_in_off"}, {"disabled", "disabled"}},
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
