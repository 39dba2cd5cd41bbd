package main

import "github.com/spf13/cobra"

func newOverviewCommand(r *remote) *cobra.Command {
	return r.newShowCommand("overview", "What waits, logins of the last day, and connections that fail", func([]string) string { return "/overview" }, 0)
}

func newSettingsCommand(r *remote) *cobra.Command {
	return r.newShowCommand("settings", "What the configuration file of the server says, without secrets", func([]string) string { return "/settings" }, 0)
}

func newKeyCommand(r *remote) *cobra.Command {
	return group("key", "Keys that sign our tokens",
		r.newListCommand(listing{
			use: "list", short: "List signing keys", path: "/keys",
			columns: []column{{"id", "id"}, {"algorithm", "algorithm"}, {"state", "state"}, {"signs from", "active_at"}, {"retired", "retired_at"}, {"removed", "remove_at"}},
		}),
		r.newActionCommand(action{
			use: "rotate ALGORITHM", short: "Publish the successor of the key of an algorithm (ES256 or RS256) now", method: "POST",
			path: func([]string) string { return "/keys/rotate" }, args: 1, fromArgs: []string{"algorithm"}, body: true,
			done: "The successor of the %s key is published. It signs in a day, when apps have met it.",
		}),
	)
}
