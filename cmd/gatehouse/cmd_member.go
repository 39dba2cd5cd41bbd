package main

import (
	"net/url"

	"github.com/spf13/cobra"
)

// memberAt is the path of a member: organization and user.
func memberAt(args []string) string {
	return "/organizations/" + url.PathEscape(args[0]) + "/members/" + url.PathEscape(args[1])
}

func memberFlags() []field {
	return []field{
		{"role", "role", flagText, "user, admin or owner"},
		{"group", "groups", flagList, "group (repeat; replaces all)"},
		{"client", "clients", flagList, "app that has to be given (repeat; replaces all)"},
	}
}

func newMemberCommand(r *remote) *cobra.Command {
	return group("member", "Members: people of an organization",
		r.newListCommand(listing{
			use: "list ORGANIZATION", short: "List and search the members of an organization", below: below("/organizations/", 0, "/members"), args: 1,
			columns: []column{{"user", "user"}, {"name", "name"}, {"e-mail", "email"}, {"role", "role"}, {"groups", "groups"}, {"apps", "clients"}, {"status", "status"}},
			filters: []column{{"search", "q"}, {"role", "role"}, {"state", "state"}, {"connection", "connection"}, {"client", "client"}},
		}),
		r.newShowCommand("show ORGANIZATION USER", "Show a member", memberAt, 2),
		r.newActionCommand(action{
			use: "add ORGANIZATION USER", short: "Make a known person a member", method: "POST", path: below("/organizations/", 0, "/members"), args: 2,
			fromArgs: []string{"", "user"}, fields: memberFlags(), done: "The person is a member of %s.",
		}),
		r.newActionCommand(action{
			use: "update ORGANIZATION USER", short: "Change a member's role, groups and apps", method: "PATCH", path: memberAt, args: 2,
			fields: memberFlags(), revision: true, done: "The membership in %s is changed.",
		}),
		r.newActionCommand(action{
			use: "remove ORGANIZATION USER", short: "End a membership: what was opened through the organization ends at once", method: "DELETE", path: memberAt, args: 2,
			revision: true, done: "The person is no member of %s any more.",
		}),
	)
}
