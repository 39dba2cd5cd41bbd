package main

import (
	"fmt"
	"net/url"

	"github.com/spf13/cobra"
)

func newMailCommand(r *remote) *cobra.Command {
	return group("mail", "Mails that wait to be sent, previews and a test",
		r.newListCommand(listing{
			use: "list", short: "List mails that wait to be sent", path: "/mails",
			columns: []column{{"id", "id"}, {"kind", "kind"}, {"to", "to"}, {"state", "state"}, {"attempts", "attempts"}, {"last error", "last_error"}},
		}),
		r.newShowCommand("show ID", "Show a mail that waits", below("/mails/", 0, ""), 1),
		r.newActionCommand(action{
			use: "retry ID", short: "Send a mail now", method: "POST", path: below("/mails/", 0, "/retry"), args: 1, done: "Mail %s is on its way.",
		}),
		r.newActionCommand(action{
			use: "delete ID", short: "Give a mail up", method: "DELETE", path: below("/mails/", 0, ""), args: 1, done: "Mail %s is not sent.",
		}),
		r.newActionCommand(action{
			use: "test", short: "Send a test mail to yourself", method: "POST", path: fixed("/mails"), body: true,
			fields: []field{{"to", "to", flagText, "owners only: another address than your own"}, {"language", "language", flagText, "en or de"}},
			done:   "A test mail is on its way; gatehouse mail list shows it while it waits.",
		}),
		r.newShowCommand("kinds", "Show the kinds of mails, their languages, and how mails are sent", fixed("/mail-kinds"), 0),
		r.newPreviewCommand(),
	)
}

// newPreviewCommand prints a mail with made-up content.
func (r *remote) newPreviewCommand() *cobra.Command {
	var language, organization string
	var html bool
	cmd := &cobra.Command{Use: "preview KIND", Short: "Show a kind of mail with made-up content", Args: cobra.ExactArgs(1)}
	calls(cmd, "GET /mail-kinds/~/preview")
	cmd.RunE = r.run(func(cmd *cobra.Command, args []string) error {
		var out map[string]any
		query := url.Values{"language": {language}, "organization": {organization}}
		if err := r.call(cmd.Context(), "GET", below("/mail-kinds/", 0, "/preview")(args)+"?"+query.Encode(), nil, &out); err != nil {
			return err
		}
		switch {
		case r.json:
			return printJSON(cmd.OutOrStdout(), out)
		case html:
			_, err := fmt.Fprintln(cmd.OutOrStdout(), out["html"])
			return err
		}
		_, err := fmt.Fprintf(cmd.OutOrStdout(), "Subject: %s\n\n%s", out["subject"], out["text"])
		return err
	})
	calls(cmd, "GET "+below("/mail-kinds/", 0, "/preview")(names(1)))
	cmd.Flags().StringVar(&language, "language", "en", "en or de")
	cmd.Flags().StringVar(&organization, "organization", "", "with this organization's title and contact")
	cmd.Flags().BoolVar(&html, "html", false, "the HTML part instead of the text")
	return cmd
}
