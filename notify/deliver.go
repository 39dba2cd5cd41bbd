package notify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"gatehouse/store"
)

const (
	// callFor is how long one call of a webhook may take.
	callFor = 10 * time.Second
	// maxLine is how many deliveries of one webhook one look takes up.
	maxLine = 500
	// trimEvery is how often the logs of deliveries are cut to size.
	trimEvery = time.Minute
	// maxAttempts is how many tries of a delivery are remembered.
	maxAttempts = 10
)

// deliver calls for what was made just now, and looks through what waits.
func (n *Notifier) deliver(ctx context.Context, sending *sync.WaitGroup, fresh []string) error {
	if n.poster == nil {
		return nil
	}
	now := n.now()
	lines := map[string][]string{} // by webhook
	waiting := 0
	full := n.hookQueue.due(now)
	if !full && len(fresh) == 0 {
		return nil
	}
	if err := n.store.View(ctx, func(tx store.Tx) error {
		clear(lines)
		waiting = 0
		for _, id := range fresh {
			d, err := n.store.Deliveries.Peek(tx, id)
			if err != nil {
				return err
			}
			if d != nil {
				lines[d.WebhookID] = append(lines[d.WebhookID], id)
			}
		}
		if !full {
			return nil
		}
		taken := map[string]bool{}
		for _, id := range fresh {
			taken[id] = true
		}
		for d, err := range n.store.Deliveries.AllByIndex(tx, "pending", "yes") {
			if err != nil {
				return err
			}
			waiting++
			if !d.NextAt.After(now) && !taken[d.ID] && len(lines[d.WebhookID]) < maxLine {
				lines[d.WebhookID] = append(lines[d.WebhookID], d.ID)
			}
		}
		return nil
	}); err != nil {
		return err
	}
	if full {
		n.metrics.waiting.WithLabelValues("deliveries").Set(float64(waiting))
		n.hookQueue.rest(now, waiting)
	}
	for webhook, ids := range lines {
		n.hookQueue.run(ctx, sending, n.log, webhook, ids, n.call)
	}
	return n.trim(ctx, now)
}

// trim cuts the logs of deliveries to size, the oldest first: their ids begin
// with the time.
func (n *Notifier) trim(ctx context.Context, now time.Time) error {
	if now.Before(n.trimmed.Add(trimEvery)) {
		return nil
	}
	n.trimmed = now
	over := map[string]int{}
	if err := n.store.View(ctx, func(tx store.Tx) error {
		for w, err := range n.store.Webhooks.All(tx) {
			if err != nil {
				return err
			}
			kept, err := n.store.Deliveries.CountByIndex(tx, "webhook", w.ID, 4*maxDeliveries)
			if err != nil {
				return err
			}
			if kept > maxDeliveries {
				over[w.ID] = kept - maxDeliveries
			}
		}
		return nil
	}); err != nil {
		return err
	}
	for webhook, many := range over {
		n.log.Warn("too many deliveries of a webhook: the oldest are dropped", "webhook", webhook, "dropped", many)
		n.metrics.dropped.WithLabelValues("deliveries").Add(float64(many))
		for ; many > 0; many -= 500 {
			if err := n.store.Update(ctx, func(tx store.Tx) error {
				oldest, _, err := n.store.Deliveries.ByIndex(tx, "webhook", webhook, store.Page{Limit: min(many, 500)})
				for _, d := range oldest {
					err = errors.Join(err, n.store.Deliveries.Delete(tx, d.ID))
				}
				return err
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

// call claims one delivery, makes the request, and writes down what came of
// it. false means that the receiver is not well.
func (n *Notifier) call(ctx context.Context, id string) bool {
	d, w, ok, err := n.claimDelivery(ctx, id)
	if err != nil {
		n.metrics.failed("webhook")
		n.log.Error("delivery cannot be claimed", "id", id, "error", err)
		return false
	}
	if !ok {
		return true
	}
	start := n.now()
	status, answer, err := n.post(ctx, d, w, start)
	if err != nil && ctx.Err() != nil {
		return false // we are stopping; the lease ends by itself
	}
	end := n.now()
	try := store.DeliveryAttempt{At: start.UTC(), Status: status, Millis: end.Sub(start).Milliseconds()}
	switch {
	case err != nil:
		try.Error = err.Error()
	case status == http.StatusGone:
		try.Error = "it answered 410: the receiver wants no more, and the webhook was switched off"
	case status < 200 || status > 299:
		try.Error = fmt.Sprintf("it answered %d", status)
	}
	if err := n.settleDelivery(ctx, d, w, try, retryAfter(answer, end)); err != nil {
		n.metrics.failed("webhook")
		n.log.Error("what came of a delivery cannot be written down", "kind", d.Kind, "id", d.ID, "webhook", w.ID, "error", err)
	}
	return try.Error == ""
}

func (n *Notifier) post(ctx context.Context, d store.Delivery, w store.Webhook, at time.Time) (int, http.Header, error) {
	secrets, err := secretsOf(w, at)
	if err != nil {
		return 0, nil, errSecret
	}
	signed, err := signature(d.ID, at, d.Payload, secrets...)
	if err != nil {
		return 0, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, callFor)
	defer cancel()
	return n.poster.Post(ctx, w.URL, w.AllowPrivateNetwork, http.Header{
		"Content-Type": {"application/json"},
		headerID:       {d.ID}, headerTimestamp: {strconv.FormatInt(at.Unix(), 10)}, headerSignature: {signed},
	}, d.Payload)
}

// claimDelivery takes a delivery for one try: whoever comes second finds it
// leased.
func (n *Notifier) claimDelivery(ctx context.Context, id string) (d store.Delivery, w store.Webhook, ok bool, err error) {
	err = n.store.Update(ctx, func(tx store.Tx) (err error) {
		ok = false
		now := n.now().UTC()
		d, err = n.store.Deliveries.Get(tx, id)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return nil
		case err != nil:
			return err
		case d.State != store.DeliveryPending || d.NextAt.After(now):
			return nil
		}
		w, err = n.store.Webhooks.Get(tx, d.WebhookID)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return n.store.Deliveries.Delete(tx, id)
		case err != nil:
			return err
		case w.Disabled:
			d.State, d.NextAt = store.DeliveryFailed, time.Time{}
			d.Attempts = remember(d.Attempts, store.DeliveryAttempt{At: now, Error: "the webhook is switched off"})
			return n.store.Deliveries.Put(tx, d)
		}
		d.Tries++
		d.NextAt = now.Add(deliveryLease)
		ok = true
		return n.store.Deliveries.Put(tx, d)
	})
	return d, w, ok, err
}

func remember(attempts []store.DeliveryAttempt, one store.DeliveryAttempt) []store.DeliveryAttempt {
	attempts = append(attempts, one)
	return attempts[max(0, len(attempts)-maxAttempts):]
}

// settleDelivery writes down one try and what follows from it.
func (n *Notifier) settleDelivery(ctx context.Context, d store.Delivery, w store.Webhook, try store.DeliveryAttempt, after time.Duration) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	result := "delivered"
	err := n.store.Update(ctx, func(tx store.Tx) error {
		now, err := n.store.Deliveries.Get(tx, d.ID)
		if errors.Is(err, store.ErrNotFound) || err == nil && (now.Tries != d.Tries || now.State != store.DeliveryPending) {
			return nil // deleted, or sent anew in the meantime
		}
		if err != nil {
			return err
		}
		now.Attempts = remember(now.Attempts, try)
		pause, again := deliveryPause(now.Tries)
		switch {
		case try.Error == "":
			now.State, now.NextAt = store.DeliveryDelivered, time.Time{}
		case try.Status == http.StatusGone || !again:
			result = "failed"
			now.State, now.NextAt = store.DeliveryFailed, time.Time{}
		default:
			result = "deferred"
			now.NextAt = n.now().UTC().Add(max(pause, after))
		}
		return n.store.Deliveries.Put(tx, now)
	})
	if err != nil {
		return err
	}
	n.metrics.deliveries.WithLabelValues(d.Kind, result).Inc()
	n.log.Info("webhook called", "kind", d.Kind, "id", d.ID, "webhook", w.ID, "status", try.Status, "result", result, "ms", try.Millis)
	if try.Status == http.StatusGone {
		return n.switchOff(ctx, w.ID)
	}
	return nil
}

// switchOff disables a webhook whose receiver said that it wants no more.
func (n *Notifier) switchOff(ctx context.Context, id string) error {
	actor := store.Actor{UserID: "system", Via: "system"}
	err := n.store.Change(ctx, actor, func(c *store.Change) error {
		w, err := n.store.Webhooks.Get(c.Tx, id)
		if err != nil {
			return err
		}
		if w.Disabled {
			return errOff
		}
		w.Disabled = true
		if err := n.store.Webhooks.Put(c.Tx, w); err != nil {
			return err
		}
		return c.Record("webhook.disable", "webhook/"+id, map[string]any{"reason": "the receiver answered 410"})
	})
	if errors.Is(err, errOff) || errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

var errOff = errors.New("notify: it is off already")
