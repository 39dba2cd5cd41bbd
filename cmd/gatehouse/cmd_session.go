package main

import "github.com/spf13/cobra"

func newSessionCommand(r *remote) *cobra.Command {
	return group("session", "Sessions: browsers that are signed in",
		r.newListCommand(listing{
			use: "list", short: "List sessions", path: "/sessions",
			columns: []column{{"id", "id"}, {"user", "user"}, {"console", "console"}, {"since", "created_at"}, {"last seen", "last_seen_at"}, {"live", "live"}},
			filters: []column{{"user", "user"}},
		}),
		r.newActionCommand(action{
			use: "end ID", short: "End a session and the grants made in it", method: "DELETE", path: below("/sessions/", 0, ""), args: 1,
			done: "Session %s has ended.",
		}),
	)
}

func newGrantCommand(r *remote) *cobra.Command {
	return group("grant", "Grants: what users gave apps on their devices",
		r.newListCommand(listing{
			use: "list", short: "List grants", path: "/grants",
			columns: []column{{"id", "id"}, {"user", "user"}, {"client", "client"}, {"scopes", "scopes"}, {"since", "created_at"}, {"live", "live"}},
			filters: []column{{"user", "user"}},
		}),
		r.newActionCommand(action{
			use: "end ID", short: "End a grant: its tokens die at once", method: "DELETE", path: below("/grants/", 0, ""), args: 1,
			done: "Grant %s has ended.",
		}),
	)
}
