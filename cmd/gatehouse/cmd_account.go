package main

import "github.com/spf13/cobra"

func newAccountCommand(r *remote) *cobra.Command {
	return group("account", "Local accounts: passwords and second factors that are kept here",
		r.newActionCommand(action{
			use: "create CONNECTION", short: "Make a local account; its owner gets a mail and sets the password", method: "POST", path: below("/connections/", 0, "/accounts"), args: 1,
			fields: []field{
				{"email", "email", flagText, "address of a new person"},
				{"name", "name", flagText, "name people read"},
				{"role", "role", flagText, "user, admin or owner of the organization"},
				{"user", "user", flagText, "a member who gets the account, instead of a new person"},
				{"language", "language", flagText, "language of the mail, such as de"},
			},
			done: "The account at %s is made, and the mail is on its way.",
		}),
		r.newActionCommand(action{
			use: "send-link USER", short: "Mail a user a link to set a new password", method: "POST", path: below("/users/", 0, "/password-link"), args: 1,
			done: "A link is on its way to user %s.",
		}),
		r.newActionCommand(action{
			use: "reset-factor USER", short: "Remove a user's passkeys, authenticator app and recovery codes", method: "DELETE", path: below("/users/", 0, "/second-factor"), args: 1,
			done: "User %s has no second factor any more, and was told by mail.",
		}),
		r.newActionCommand(action{
			use: "remove USER", short: "Remove a user's password and factors; sessions and API tokens end", method: "DELETE", path: below("/users/", 0, "/credentials"), args: 1,
			done: "User %s has no local account any more.",
		}),
	)
}
