package main

import "github.com/spf13/cobra"

func newTokenCommand(r *remote) *cobra.Command {
	return group("token", "API tokens of admins",
		r.newListCommand(listing{
			use: "list", short: "List your API tokens; owners see everyone's", path: "/tokens",
			columns: []column{{"id", "id"}, {"name", "name"}, {"user", "user"}, {"scopes", "scopes"}, {"made", "created_at"}, {"expires", "expires_at"}},
		}),
		r.newActionCommand(action{
			use: "create NAME", short: "Make an API token for a user, shown once (on the server, with --config)", method: "POST", path: fixed("/tokens"), args: 1,
			fromArgs: []string{"name"},
			fields: []field{
				{"user", "user", flagText, "whose role the token has"},
				{"days", "days", flagNumber, "until it expires; 90 when absent"},
				{"scope", "scopes", flagList, "what it may do of what the role may, such as connections:read (repeatable)"},
			},
			once: "secret", onceSentence: "The token is shown this once:",
		}),
		r.newActionCommand(action{
			use: "delete ID", short: "Revoke an API token", method: "DELETE", path: below("/tokens/", 0, ""), args: 1,
			done: "Token %s is revoked.",
		}),
	)
}

func newWhoamiCommand(r *remote) *cobra.Command {
	return r.newShowCommand("whoami", "Show who the server takes you for", fixed("/whoami"), 0)
}
