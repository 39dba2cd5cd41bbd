package main

import (
	"net/url"

	"github.com/spf13/cobra"
)

func webhookFields() []field {
	return []field{
		{"url", "url", flagText, "https address that is called"},
		{"event", "events", flagList, "kind of event it is told of (repeat; gatehouse webhook events lists them)"},
		{"disabled", "disabled", flagYesNo, "it is not called"},
		{"allow-private-network", "allow_private_network", flagYesNo, "owners only: reach what network.allow_private lists"},
	}
}

func newWebhookCommand(r *remote) *cobra.Command {
	return group("webhook", "Webhooks: addresses that are called when something happens",
		r.newListCommand(listing{
			use: "list", short: "List webhooks", path: "/webhooks",
			columns: []column{{"id", "id"}, {"organization", "organization"}, {"url", "url"}, {"events", "events"}, {"disabled", "disabled"}},
			filters: []column{{"organization", "organization"}},
		}),
		r.newListCommand(listing{
			use: "events", short: "List the kinds of events; --json shows the schema of each", path: "/webhook-events",
			columns: []column{{"kind", "kind"}, {"summary", "summary"}},
		}),
		r.newShowCommand("show ID", "Show a webhook", below("/webhooks/", 0, ""), 1),
		r.newActionCommand(action{
			use: "create", short: "Add a webhook; its secret is shown once", method: "POST", path: fixed("/webhooks"),
			fields: append([]field{{"organization", "organization", flagText, "only this organization's events; none: everybody's"}}, webhookFields()...),
			once:   "secret", onceSentence: "The webhook is there. Its secret is shown this once:",
		}),
		r.newActionCommand(action{
			use: "update ID", short: "Change a webhook", method: "PATCH", path: below("/webhooks/", 0, ""), args: 1,
			fields: webhookFields(), revision: true, done: "Webhook %s is changed.",
		}),
		r.newActionCommand(action{
			use: "rotate-secret ID", short: "Make a new secret, shown once", method: "POST", path: below("/webhooks/", 0, "/secret"), args: 1,
			fields: []field{{"keep-old-seconds", "keep_old_seconds", flagNumber, "how long the old secret signs as well; 0 ends it now"}},
			body:   true, revision: true, once: "secret", onceSentence: "The new secret is shown this once:",
		}),
		r.newActionCommand(action{
			use: "test ID", short: "Send a test event", method: "POST", path: below("/webhooks/", 0, "/test"), args: 1,
			done: "A test event is on its way to webhook %s; gatehouse webhook deliveries says what came of it.",
		}),
		r.newActionCommand(action{
			use: "delete ID", short: "Remove a webhook", method: "DELETE", path: below("/webhooks/", 0, ""), args: 1,
			revision: true, done: "Webhook %s is gone.",
		}),
		r.newDeliveriesCommand(),
		r.newShowCommand("delivery ID DELIVERY", "Show a delivery with its body and attempts", deliveryPath(""), 2),
		r.newActionCommand(action{
			use: "redeliver ID DELIVERY", short: "Send a delivery again", method: "POST", path: deliveryPath("/redeliver"), args: 2,
			done: "The delivery of webhook %s is on its way again.",
		}),
	)
}

func deliveryPath(suffix string) func([]string) string {
	return func(args []string) string {
		return "/webhooks/" + url.PathEscape(args[0]) + "/deliveries/" + url.PathEscape(args[1]) + suffix
	}
}

// newDeliveriesCommand lists the deliveries of one webhook.
func (r *remote) newDeliveriesCommand() *cobra.Command {
	var limit int
	cmd := &cobra.Command{Use: "deliveries ID", Short: "List a webhook's deliveries, oldest first", Args: cobra.ExactArgs(1)}
	calls(cmd, "GET /webhooks/~/deliveries")
	cmd.RunE = r.run(func(cmd *cobra.Command, args []string) error {
		items, _, err := r.pages(cmd.Context(), below("/webhooks/", 0, "/deliveries")(args), url.Values{}, limit)
		if err != nil {
			return err
		}
		return r.printList(cmd.OutOrStdout(), []column{{"id", "id"}, {"kind", "kind"}, {"state", "state"}, {"created", "created_at"}, {"tries", "tries"}}, items)
	})
	cmd.Flags().IntVar(&limit, "limit", 1000, "how many at most")
	calls(cmd, "GET "+below("/webhooks/", 0, "/deliveries")(names(1)))
	return cmd
}
