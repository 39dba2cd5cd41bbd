package main

import "github.com/spf13/cobra"

func newRequestCommand(r *remote) *cobra.Command {
	return group("request", "Access requests: newcomers waiting for a decision",
		r.newListCommand(listing{
			use: "list", short: "List access requests; --state approved, refused or expired for others than the waiting", path: "/access-requests",
			columns: []column{{"id", "id"}, {"name", "attributes.display_name"}, {"e-mail", "attributes.email"}, {"verified", "email_verified"}, {"organization", "organization"}, {"app", "client"}, {"state", "state"}, {"since", "created_at"}},
			filters: []column{{"state", "state"}},
		}),
		r.newShowCommand("show ID", "Show an access request", below("/access-requests/", 0, ""), 1),
		r.newActionCommand(action{
			use: "approve ID", short: "Let the person in", method: "POST", path: below("/access-requests/", 0, "/approve"), args: 1,
			fields: []field{
				{"role", "role", flagText, "within the organization: user, admin or owner"},
				{"group", "groups", flagList, "group to put the person into (repeat)"},
			},
			done: "Request %s is approved. The person goes on by themselves.",
		}),
		r.newActionCommand(action{
			use: "refuse ID", short: "Refuse, with a reason the person sees", method: "POST", path: below("/access-requests/", 0, "/refuse"), args: 1,
			fields: []field{{"reason", "reason", flagText, "one sentence, shown to the person"}},
			done:   "Request %s is refused. The person sees your reason.",
		}),
	)
}
