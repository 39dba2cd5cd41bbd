package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

func grantFields() []field {
	return []field{
		{"role", "role", flagText, "within the organization: user, admin or owner"},
		{"group", "groups", flagList, "group to put the person into (repeat)"},
		{"app", "clients", flagList, "client id of an app to give (repeat)"},
	}
}

func newRequestCommand(r *remote) *cobra.Command {
	return group("request", "Access requests: people waiting for a decision",
		r.newListCommand(listing{
			use: "list", short: "List access requests; --state approved, refused or expired for others than the waiting", path: "/access-requests",
			columns: []column{{"id", "id"}, {"kind", "kind"}, {"name", "attributes.display_name"}, {"e-mail", "attributes.email"}, {"verified", "email_verified"}, {"organization", "organization"}, {"app", "client"}, {"state", "state"}, {"since", "created_at"}},
			filters: []column{{"state", "state"}, {"organization", "organization"}},
		}),
		r.newShowCommand("show ID", "Show an access request", below("/access-requests/", 0, ""), 1),
		r.newActionCommand(action{
			use: "approve ID", short: "Let the person in, or give them the app", method: "POST", path: below("/access-requests/", 0, "/approve"), args: 1,
			fields:   append(grantFields(), field{"snapshot", "snapshot", flagText, "the request's snapshot that was looked at: fails when the provider has said something else since"}),
			revision: true, done: "Request %s is approved. The person goes on by themselves.",
		}),
		r.newShowCommand("candidates ID", "People of the organization whose proven address is the request's", below("/access-requests/", 0, "/candidates"), 1),
		r.newActionCommand(action{
			use: "link ID USER", short: "Say whose request it is: the new sign-in becomes that person's", method: "POST", path: below("/access-requests/", 0, "/link"), args: 2,
			fromArgs: []string{"", "user"}, body: true,
			fields:   []field{{"snapshot", "snapshot", flagText, "the request's snapshot that was looked at"}},
			revision: true, done: "Request %s is decided: the sign-in is that person's.",
		}),
		r.newActionCommand(action{
			use: "refuse ID", short: "Refuse, with a reason the person sees", method: "POST", path: below("/access-requests/", 0, "/refuse"), args: 1,
			fields:   []field{{"reason", "reason", flagText, "one sentence, shown to the person"}},
			revision: true, done: "Request %s is refused. The person sees your reason.",
		}),
		r.newActionCommand(action{
			use: "ask ID", short: "Ask the person back; the request goes on waiting", method: "POST", path: below("/access-requests/", 0, "/ask"), args: 1,
			fields:   []field{{"question", "question", flagText, "one sentence; the person answers on the waiting page"}},
			revision: true, done: "Asked. `gatehouse request show %s` has the answer once it is there.",
		}),
		r.newDecideCommand(),
	)
}

// newDecideCommand decides many requests, each in its own right. It fails when
// one of them could not be decided, after all have been tried.
func (r *remote) newDecideCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "decide approve|refuse ID...", Short: "Decide up to 100 requests, each in its own right", Args: cobra.MinimumNArgs(2),
		Example: `  gatehouse request decide refuse 4H2K… 9QWE… --reason "Use the contractor portal."`,
	}
	calls(cmd, "POST /access-requests/decide")
	given := bind(cmd, append(grantFields(), field{"reason", "reason", flagText, "of a refusal; each person sees it"}))
	cmd.RunE = r.run(func(cmd *cobra.Command, args []string) error {
		body, err := given.body(cmd)
		if err != nil {
			return err
		}
		body["decision"], body["ids"] = args[0], args[1:]
		var out map[string]any
		if err := r.call(cmd.Context(), "POST", "/access-requests/decide", body, &out); err != nil {
			return err
		}
		results := members(out["results"])
		if r.json {
			err = printJSON(cmd.OutOrStdout(), out)
		} else {
			err = r.printList(cmd.OutOrStdout(), []column{{"id", "id"}, {"status", "status"}, {"state", "state"}, {"why", "detail"}}, results)
		}
		failed := 0
		for _, result := range results {
			if result["status"] != float64(200) {
				failed++
			}
		}
		if failed > 0 {
			err = errors.Join(err, fmt.Errorf("%d of %d could not be decided", failed, len(results)))
		}
		return err
	})
	return cmd
}
