package notify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gatehouse/store"
	"gatehouse/templates"
)

const (
	drainBatch = 50
	// maxStuck is how often an event is tried that cannot be told; then it is
	// dropped, so that it does not hold up all that come after it.
	maxStuck = 10
)

// made are the ids of what a drain put into the queues.
type made struct{ mails, deliveries []string }

// drain turns the events there are into mails and deliveries, in their order,
// each in one Update.
func (n *Notifier) drain(ctx context.Context) (all made, err error) {
	for {
		var events []store.Event
		err := n.store.View(ctx, func(tx store.Tx) (err error) {
			events, _, err = n.store.Events.List(tx, store.Page{Limit: drainBatch})
			return err
		})
		if err != nil {
			return all, err
		}
		n.metrics.waiting.WithLabelValues("events").Set(float64(len(events)))
		for _, e := range events {
			some, err := n.tell(ctx, e)
			if err == nil {
				delete(n.stuck, e.ID)
				all.mails = append(all.mails, some.mails...)
				all.deliveries = append(all.deliveries, some.deliveries...)
				continue
			}
			if errors.Is(err, store.ErrUnavailable) || ctx.Err() != nil {
				return all, err
			}
			if n.stuck[e.ID]++; n.stuck[e.ID] < maxStuck {
				return all, fmt.Errorf("event %s %s: %w", e.Kind, e.ID, err)
			}
			if err := n.forget(ctx, e, err); err != nil {
				return all, err
			}
		}
		if len(events) < drainBatch {
			return all, nil
		}
	}
}

// forget drops an event that cannot be told.
func (n *Notifier) forget(ctx context.Context, e store.Event, cause error) error {
	n.log.Error("event dropped: it cannot be told", "kind", e.Kind, "id", e.ID, "error", cause)
	n.metrics.dropped.WithLabelValues("events").Inc()
	delete(n.stuck, e.ID)
	err := n.store.Update(ctx, func(tx store.Tx) error { return n.store.Events.Delete(tx, e.ID) })
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// plan is what follows from one event. It is made outside of the Update, for it
// holds random choices.
type plan struct {
	mails      []store.Mail
	links      []store.DecisionLink
	deliveries []store.Delivery
	// digested: the mails go to approvers one by one only while few come; digest
	// are those that are sent instead.
	digested bool
	digest   []store.Mail
}

// tell makes the mails and deliveries of one event and deletes it. Of several
// processes one wins; the others make nothing.
func (n *Notifier) tell(ctx context.Context, e store.Event) (out made, err error) {
	var p plan
	if err := n.store.View(ctx, func(tx store.Tx) (err error) {
		p, err = n.plan(tx, e)
		return err
	}); err != nil {
		return made{}, err
	}
	err = n.store.Update(ctx, func(tx store.Tx) error {
		out = made{}
		err := n.store.Events.Delete(tx, e.ID)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return n.keep(tx, e, p, &out)
	})
	if err != nil {
		return made{}, err
	}
	return out, nil
}

// keep inserts what a plan holds.
func (n *Notifier) keep(tx store.Tx, e store.Event, p plan, out *made) error {
	mails, links := p.mails, p.links
	if p.digested && len(mails) > 0 {
		w, err := n.window(tx, e.OrganizationID)
		if err != nil {
			return err
		}
		if w.Count > digestAfter {
			mails, links = nil, nil
			if err := n.keepDigest(tx, w, p.digest); err != nil {
				return err
			}
		}
	}
	for _, l := range links {
		if err := n.store.DecisionLinks.Insert(tx, l); err != nil {
			return err
		}
	}
	for _, m := range mails {
		if err := n.store.Mails.Insert(tx, m); err != nil {
			return err
		}
		out.mails = append(out.mails, m.ID)
	}
	for _, d := range p.deliveries {
		if err := n.store.Deliveries.Insert(tx, d); err != nil {
			return err
		}
		out.deliveries = append(out.deliveries, d.ID)
	}
	return nil
}

// More requests of one organization than digestAfter within digestWindow are
// told of in one mail at its end.
const (
	digestAfter  = 10
	digestWindow = 10 * time.Minute
)

// window counts one more request of an organization.
func (n *Notifier) window(tx store.Tx, organization string) (store.NoticeWindow, error) {
	now := n.now().UTC()
	w, err := n.store.NoticeWindows.Get(tx, organization)
	switch {
	case errors.Is(err, store.ErrNotFound) || err == nil && now.Sub(w.Since) >= digestWindow:
		w = store.NoticeWindow{OrganizationID: organization, Since: now, ExpiresAt: now.Add(2 * digestWindow)}
	case err != nil:
		return w, err
	}
	w.Count++
	return w, n.store.NoticeWindows.Upsert(tx, w)
}

// keepDigest sees that each approver has one digest for the window. Its id is
// made of window and approver, so that the second is the first.
func (n *Notifier) keepDigest(tx store.Tx, w store.NoticeWindow, mails []store.Mail) error {
	for _, m := range mails {
		m.ID = fmt.Sprintf("digest-%s-%d-%s", w.OrganizationID, w.Since.Unix(), m.ID)
		m.NextAt = w.Since.Add(digestWindow)
		if err := n.store.Mails.Insert(tx, m); err != nil && !errors.Is(err, store.ErrExists) {
			return err
		}
	}
	return nil
}

// plan decides what follows from an event.
func (n *Notifier) plan(tx store.Tx, e store.Event) (p plan, err error) {
	if n.transport != nil {
		switch e.Kind {
		case store.EventRequested:
			err = n.planRequested(tx, e, &p)
		case store.EventAnswered:
			err = n.planAnswered(tx, e, &p)
		case store.EventAsked, store.EventApproved, store.EventRefused:
			err = n.planPerson(tx, e, &p)
		case store.EventInvited:
			err = n.planInvited(tx, e, &p)
		case store.EventDomainLapse:
			err = n.planLapsing(tx, e, &p)
		}
		// What it is about was deleted in the meantime: nobody needs a mail.
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return p, err
		}
	}
	p.deliveries, err = n.planDeliveries(tx, e)
	return p, err
}

// newMail is a mail of a kind that is due at once.
func (n *Notifier) newMail(kind, to, language string, data store.MailData, expires time.Time) store.Mail {
	now := n.now().UTC()
	if most := now.Add(mailLife); expires.IsZero() || expires.After(most) {
		expires = most
	}
	return store.Mail{
		ID: store.NewID(), Kind: kind, To: to, Language: templates.MailLanguage(language), Data: data.Seal(),
		CreatedAt: now, NextAt: now, ExpiresAt: expires,
	}
}
