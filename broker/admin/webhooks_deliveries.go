package admin

import (
	"context"
	"net/http"
	"time"

	"gatehouse/store"
)

// deliveryView is one event on its way to one webhook.
type deliveryView struct {
	ID        string                `json:"id" doc:"The webhook-id header"`
	Webhook   string                `json:"webhook"`
	Kind      string                `json:"kind"`
	State     string                `json:"state" enum:"pending,delivered,failed"`
	CreatedAt time.Time             `json:"created_at"`
	NextAt    *time.Time            `json:"next_at,omitempty" doc:"When it is tried next"`
	Tries     int                   `json:"tries"`
	Attempts  []deliveryAttemptView `json:"attempts" doc:"The newest ten, oldest first"`
	Payload   string                `json:"payload" doc:"The body, as it was signed"`
}

type deliveryAttemptView struct {
	At     time.Time `json:"at"`
	Status int       `json:"status,omitempty" doc:"HTTP status of the answer; absent: there was none"`
	Error  string    `json:"error,omitempty"`
	Millis int64     `json:"millis"`
}

func viewDelivery(d store.Delivery) deliveryView {
	v := deliveryView{
		ID: d.ID, Webhook: d.WebhookID, Kind: d.Kind, State: d.State, CreatedAt: d.CreatedAt, Tries: d.Tries,
		Attempts: []deliveryAttemptView{}, Payload: string(d.Payload),
	}
	if !d.NextAt.IsZero() {
		v.NextAt = &d.NextAt
	}
	for _, a := range d.Attempts {
		v.Attempts = append(v.Attempts, deliveryAttemptView(a))
	}
	return v
}

// DeliveryPath names a delivery of a webhook.
type DeliveryPath struct {
	WebhookPath
	Delivery string `path:"delivery" maxLength:"100"`
}

func (h *Handler) routeDeliveries(t *table) {
	endpoint(t, Admin, operation{Method: "GET", Path: "/webhooks/{webhook}/deliveries", In: byObject, Name: "list-deliveries", Summary: "List a webhook's deliveries, oldest first", Tag: "webhooks"},
		func(ctx context.Context, _ Principal, in *listDeliveriesInput) (*pageOutput[deliveryView], error) {
			page, err := h.listDeliveries(ctx, in.ID, in.Paging)
			return &pageOutput[deliveryView]{page}, err
		})
	endpoint(t, Admin, operation{Method: "GET", Path: "/webhooks/{webhook}/deliveries/{delivery}", In: byObject, Name: "get-delivery", Summary: "Show a delivery", Tag: "webhooks"},
		func(ctx context.Context, _ Principal, in *DeliveryPath) (*one[deliveryView], error) {
			d, err := h.delivery(ctx, in.ID, in.Delivery)
			return &one[deliveryView]{Body: viewDelivery(d)}, err
		})
	endpoint(t, Admin, operation{Method: "POST", Path: "/webhooks/{webhook}/deliveries/{delivery}/redeliver", In: byObject, Name: "redeliver", Summary: "Send a delivery again, with the same webhook-id", Tag: "webhooks"}, h.redeliver)
}

type listDeliveriesInput struct {
	WebhookPath
	Paging
}

func (h *Handler) listDeliveries(ctx context.Context, webhook string, in Paging) (Page[deliveryView], error) {
	return listOf(ctx, h, in, listing[store.Delivery]{
		name: "deliveries\n" + webhook, checked: true,
		all: func(tx store.Tx, p store.Page) ([]store.Delivery, string, error) {
			return h.store.Deliveries.ByIndex(tx, "webhook", webhook, p)
		},
	}, plain(viewDelivery))
}

func (h *Handler) delivery(ctx context.Context, webhook, id string) (d store.Delivery, err error) {
	err = h.store.View(ctx, func(tx store.Tx) (err error) {
		d, err = h.deliveryOf(tx, webhook, id)
		return err
	})
	return d, err
}

// deliveryOf is a delivery of this webhook: another's is not found.
func (h *Handler) deliveryOf(tx store.Tx, webhook, id string) (store.Delivery, error) {
	d, err := h.store.Deliveries.Get(tx, id)
	if err == nil && d.WebhookID != webhook {
		return store.Delivery{}, store.ErrNotFound
	}
	return d, err
}

// redeliver starts a delivery anew. Receivers that have seen its id may ignore it.
func (h *Handler) redeliver(ctx context.Context, p Principal, in *DeliveryPath) (*one[deliveryView], error) {
	var saved store.Delivery
	err := h.change(ctx, p, func(ch *store.Change) error {
		w, err := h.store.Webhooks.Get(ch.Tx, in.ID)
		if err != nil {
			return err
		}
		d, err := h.deliveryOf(ch.Tx, in.ID, in.Delivery)
		switch {
		case err != nil:
			return err
		case w.Disabled:
			return problem(http.StatusConflict, "The webhook is switched off. Switch it on first.")
		}
		d.State, d.Tries, d.NextAt = store.DeliveryPending, 0, h.now().UTC()
		if err := h.store.Deliveries.Put(ch.Tx, d); err != nil {
			return err
		}
		saved = d
		return ch.Record("webhook.redeliver", "webhook/"+in.ID, map[string]any{"delivery": d.ID})
	})
	if err == nil {
		h.notifier.Wake()
	}
	return &one[deliveryView]{Body: viewDelivery(saved)}, err
}

// testWebhook sends a test event to one webhook.
func (h *Handler) testWebhook(ctx context.Context, p Principal, in *WebhookPath) (*one[deliveryView], error) {
	w, err := h.webhook(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	d, err := h.notifier.TestDelivery(w)
	if err != nil {
		return nil, err
	}
	err = h.change(ctx, p, func(ch *store.Change) error {
		w, err := h.store.Webhooks.Get(ch.Tx, in.ID)
		if err != nil {
			return err
		}
		if w.Disabled {
			return problem(http.StatusConflict, "The webhook is switched off. Switch it on first.")
		}
		if err := h.store.Deliveries.Insert(ch.Tx, d); err != nil {
			return err
		}
		return ch.Record("webhook.test", "webhook/"+in.ID, map[string]any{"delivery": d.ID})
	})
	if err == nil {
		h.notifier.Wake()
	}
	return &one[deliveryView]{Body: viewDelivery(d)}, err
}
