package main

import "github.com/spf13/cobra"

func newUserCommand(r *remote) *cobra.Command {
	return group("user", "Users: people, and the accounts of admins",
		r.newListCommand(listing{
			use: "list", short: "List and search users", path: "/users",
			filters: []column{{"search", "q"}, {"organization", "organization"}, {"role", "role"}, {"state", "state"}, {"connection", "connection"}, {"client", "client"}},
			columns: []column{{"id", "id"}, {"name", "attributes.display_name"}, {"e-mail", "attributes.email"}, {"role", "platform_role"}, {"status", "status"}, {"last sign-in", "last_login_at"}},
		}),
		r.newShowCommand("show ID", "Show a user with identities and memberships", below("/users/", 0, ""), 1),
		r.newActionCommand(action{
			use: "create EMAIL", short: "Add a console account; its first password is shown once", method: "POST", path: fixed("/users"), args: 1,
			fromArgs: []string{"email"},
			fields: []field{
				{"name", "name", flagText, "name people read"},
				{"role", "platform_role", flagText, "owner or admin"},
			},
			once: "password", onceSentence: "The account is there. Its first password is shown this once:",
		}),
		r.newActionCommand(action{
			use: "disable ID", short: "Disable a user: sessions and tokens die at once", method: "POST", path: below("/users/", 0, "/disable"), args: 1,
			revision: true, done: "User %s is disabled.",
		}),
		r.newActionCommand(action{
			use: "enable ID", short: "Enable a user again", method: "POST", path: below("/users/", 0, "/enable"), args: 1,
			revision: true, done: "User %s is enabled.",
		}),
		r.newActionCommand(action{
			use: "sign-out ID", short: "Sign a user out everywhere", method: "POST", path: below("/users/", 0, "/sign-out"), args: 1,
			done: "User %s is signed out everywhere.",
		}),
		r.newActionCommand(action{
			use: "remove ID", short: "Remove a user and everything of theirs; the id is never given out again", method: "DELETE", path: below("/users/", 0, ""), args: 1,
			revision: true, done: "User %s is gone.",
		}),
		r.newActionCommand(action{
			use: "unlink ID IDENTITY", short: "Take an identity (its id from show) from a user", method: "POST", path: below("/users/", 0, "/unlink"), args: 2,
			fromArgs: []string{"", "identity"}, body: true, revision: true, done: "The identity is no longer one of user %s.",
		}),
		r.newActionCommand(action{
			use: "set-role ID ROLE", short: "Give a platform role: owner, admin or none", method: "PUT", path: below("/users/", 0, "/platform-role"), args: 2,
			fromArgs: []string{"", "platform_role"}, body: true, revision: true, done: "The role of %s is changed.",
		}),
		r.newActionCommand(action{
			use: "reset-password ID", short: "Replace a console account's password; shown once", method: "POST", path: below("/users/", 0, "/password"), args: 1,
			revision: true, once: "password", onceSentence: "The new password is shown this once:",
		}),
	)
}
