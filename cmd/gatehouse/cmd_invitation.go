package main

import (
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/cobra"
)

func inviteFields() []field {
	return append([]field{
		{"organization", "organization", flagText, "organization that invites"},
	}, append(grantFields(), []field{
		{"language", "language", flagText, "of the mail, such as en or de"},
		{"days", "days", flagNumber, "how long it is good for, 1 to 60; 14 when absent"},
	}...)...)
}

func newInvitationCommand(r *remote) *cobra.Command {
	return group("invitation", "Invitations: promises to let an address in",
		r.newListCommand(listing{
			use: "list", short: "List invitations", path: "/invitations",
			columns: []column{{"id", "id"}, {"e-mail", "email"}, {"organization", "organization"}, {"role", "role"}, {"state", "state"}, {"mailed", "sent_at"}, {"good until", "expires_at"}},
			filters: []column{{"state", "state"}, {"organization", "organization"}},
		}),
		r.newShowCommand("show ID", "Show an invitation", below("/invitations/", 0, ""), 1),
		r.newActionCommand(action{
			use: "create EMAIL", short: "Invite an address; it gets a mail", method: "POST", path: fixed("/invitations"), args: 1,
			fromArgs: []string{"email"}, fields: append(inviteFields(), field{"name", "name", flagText, "name people read"}),
			done: "%s is invited. The mail is on its way.",
		}),
		r.newActionCommand(action{
			use: "resend ID", short: "Mail it again with a new link; the link before is dead", method: "POST", path: below("/invitations/", 0, "/resend"), args: 1,
			fields: []field{{"days", "days", flagNumber, "how long it is good for from now on, 1 to 60"}}, revision: true, done: "Invitation %s is mailed again.",
		}),
		r.newActionCommand(action{
			use: "revoke ID", short: "Withdraw it; its link is dead", method: "POST", path: below("/invitations/", 0, "/revoke"), args: 1,
			revision: true, done: "Invitation %s is revoked.",
		}),
		r.newImportCommand(), r.newExportInvitationsCommand(),
	)
}

// newImportCommand invites everybody of a CSV file, or says with --dry-run what
// would become of each line.
func (r *remote) newImportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "import FILE", Short: "Invite everybody of a CSV file (- for standard input)", Args: cobra.ExactArgs(1),
		Long:    "The first line names the columns: email, and any of name, role, groups, apps, language. Several groups or apps are separated by |.",
		Example: "  gatehouse invitation import people.csv --organization acme --dry-run",
	}
	calls(cmd, "POST /invitations/import")
	given := bind(cmd, inviteFields())
	var dry, skip bool
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only say what would become of each line")
	cmd.Flags().BoolVar(&skip, "skip-bad", false, "invite the good lines although others are bad")
	cmd.RunE = r.run(func(cmd *cobra.Command, args []string) error {
		body, err := given.body(cmd)
		if err != nil {
			return err
		}
		raw, err := readInput(cmd, args[0])
		if err != nil {
			return err
		}
		if len(raw) >= 1<<20 { // readInput stops there: half a file must not pass for the whole
			return fmt.Errorf("%s is longer than 1 MiB: split it", args[0])
		}
		body["csv"], body["dry_run"] = string(raw), true
		var out map[string]any
		if err := r.call(cmd.Context(), "POST", "/invitations/import", body, &out); err != nil {
			return err
		}
		bad, _ := out["bad"].(float64)
		if !dry && (bad == 0 || skip) {
			body["dry_run"], body["skip_bad"] = false, skip
			out = nil
			if err := r.call(cmd.Context(), "POST", "/invitations/import", body, &out); err != nil {
				return err
			}
		}
		w := cmd.OutOrStdout()
		if r.json {
			if err := printJSON(w, out); err != nil {
				return err
			}
		} else if err := r.printImport(w, out); err != nil {
			return err
		}
		if bad > 0 && !skip {
			return fmt.Errorf("%.0f lines are bad, and nobody was invited; --skip-bad invites the others", bad)
		}
		return nil
	})
	return cmd
}

func (r *remote) printImport(w io.Writer, out map[string]any) error {
	problems := members(out["problems"])
	if len(problems) > 0 {
		if err := r.printList(w, []column{{"line", "line"}, {"column", "column"}, {"what", "message"}, {"warning only", "warning"}}, problems); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "%s good, %s bad, %s invited.\n", readable(out["good"]), readable(out["bad"]), readable(out["invited"]))
	return err
}

// newExportInvitationsCommand prints all invitations of an organization as CSV.
func (r *remote) newExportInvitationsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "export ORGANIZATION", Short: "Print all invitations of an organization as CSV, safe for spreadsheets", Args: cobra.ExactArgs(1)}
	calls(cmd, "GET /organizations/~/invitations.csv")
	cmd.RunE = r.run(func(cmd *cobra.Command, args []string) error {
		var raw []byte
		if err := r.call(cmd.Context(), "GET", "/organizations/"+url.PathEscape(args[0])+"/invitations.csv", nil, &raw); err != nil {
			return err
		}
		_, err := cmd.OutOrStdout().Write(raw)
		return err
	})
	return cmd
}
