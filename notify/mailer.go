package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
	"gatehouse/templates"
)

// mailServer is the one receiver of mails, as the queue counts.
const mailServer = "smtp"

// waitingMail is what a look through the queue remembers of one.
type waitingMail struct {
	id      string
	created time.Time
}

// mail sends what was made just now, and looks through what waits.
func (n *Notifier) mail(ctx context.Context, sending *sync.WaitGroup, fresh []string) error {
	now := n.now()
	if !n.mailQueue.due(now) {
		return nil // the fresh ones wait in the store like all others
	}
	var all, failed []waitingMail
	var due []string
	if err := n.store.View(ctx, func(tx store.Tx) error {
		all, failed, due = nil, nil, nil
		for m, err := range n.store.Mails.All(tx) {
			if err != nil {
				return err
			}
			w := waitingMail{m.ID, m.CreatedAt}
			all = append(all, w)
			switch {
			case m.Failed:
				failed = append(failed, w)
			case !m.NextAt.After(now) && !slices.Contains(fresh, m.ID):
				due = append(due, m.ID)
			}
		}
		return nil
	}); err != nil {
		return err
	}
	n.metrics.waiting.WithLabelValues("mails").Set(float64(len(all) - len(failed)))
	n.mailQueue.rest(now, len(all))
	if err := n.dropMails(ctx, all); err != nil || n.transport == nil {
		return err
	}
	n.mailQueue.run(ctx, sending, n.log, mailServer, append(slices.Clone(fresh), due...), n.sendMail)
	return nil
}

// dropMails throws the oldest away when too many wait.
func (n *Notifier) dropMails(ctx context.Context, all []waitingMail) error {
	if len(all) <= maxMails {
		return nil
	}
	slices.SortFunc(all, func(a, b waitingMail) int { return a.created.Compare(b.created) })
	oldest := all[:len(all)-maxMails]
	n.log.Warn("too many mails wait: the oldest are dropped", "dropped", len(oldest), "waiting", len(all))
	n.metrics.dropped.WithLabelValues("mails").Add(float64(len(oldest)))
	for some := range slices.Chunk(oldest, 500) {
		if err := n.store.Update(ctx, func(tx store.Tx) error {
			for _, m := range some {
				if err := n.store.Mails.Delete(tx, m.id); err != nil && !errors.Is(err, store.ErrNotFound) {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// sendMail claims one mail, sends it, and writes down what came of it. false
// means that the server is not well.
func (n *Notifier) sendMail(ctx context.Context, id string) bool {
	m, ok, err := n.claimMail(ctx, id)
	if err != nil {
		n.metrics.failed("mail")
		n.log.Error("mail cannot be claimed", "id", id, "error", err)
		return false
	}
	if !ok {
		return true
	}
	message, err := n.message(ctx, m)
	if err == nil {
		err = n.transport.Send(ctx, message)
	}
	var why *SendError
	if err != nil && !errors.As(err, &why) {
		why = &SendError{Err: err}
	}
	if why != nil && ctx.Err() != nil {
		return false // we are stopping; the lease ends by itself
	}
	if err := n.settleMail(ctx, m, why); err != nil {
		n.metrics.failed("mail")
		n.log.Error("what came of a mail cannot be written down", "kind", m.Kind, "id", m.ID, "error", err)
	}
	if why != nil && why.Unreachable {
		n.mailQueue.hold(n.now().Add(mailRest))
		return false
	}
	return true
}

// claimMail takes a mail for one try: whoever comes second finds it leased.
func (n *Notifier) claimMail(ctx context.Context, id string) (m store.Mail, ok bool, err error) {
	err = n.store.Update(ctx, func(tx store.Tx) (err error) {
		ok = false
		now := n.now().UTC()
		m, err = n.store.Mails.Get(tx, id)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return nil
		case err != nil:
			return err
		case m.Failed || m.NextAt.After(now):
			return nil
		}
		if m.ExpiresAt.IsZero() {
			m.ExpiresAt = now.Add(mailLife) // whoever made it forgot: nothing waits for ever
		}
		if !now.Before(m.ExpiresAt) {
			n.metrics.mails.WithLabelValues(m.Kind, "expired").Inc()
			return n.store.Mails.Delete(tx, id)
		}
		m.Attempts++
		m.NextAt = now.Add(mailLease)
		ok = true
		return n.store.Mails.Put(tx, m)
	})
	return m, ok, err
}

// settleMail writes down what came of a try: why is nil when it was sent.
func (n *Notifier) settleMail(ctx context.Context, m store.Mail, why *SendError) error {
	result := "sent"
	switch {
	case why == nil:
		n.log.Info("mail sent", "kind", m.Kind, "id", m.ID, "domain", domainOf(m.To))
	case why.Permanent:
		result = "refused"
		n.log.Warn("mail refused for good; the queue's page says why", "kind", m.Kind, "id", m.ID, "domain", domainOf(m.To))
	default:
		result = "deferred"
		n.log.Warn("mail not sent; it will be tried again", "kind", m.Kind, "id", m.ID, "domain", domainOf(m.To), "attempt", m.Attempts, "unreachable", why.Unreachable)
	}
	n.metrics.mails.WithLabelValues(m.Kind, result).Inc()
	// The word of the server is kept even while we stop: else it is sent twice.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return n.store.Update(ctx, func(tx store.Tx) error {
		now, err := n.store.Mails.Get(tx, m.ID)
		if errors.Is(err, store.ErrNotFound) || err == nil && now.Attempts != m.Attempts {
			return nil // deleted by an admin, or our lease ran out and another took it
		}
		if err != nil {
			return err
		}
		if why == nil {
			return n.store.Mails.Delete(tx, m.ID)
		}
		now.LastError = profile.Untrusted(why.Error()).Clean(300)
		now.Failed = why.Permanent
		now.NextAt = n.now().UTC().Add(mailPause(m.Attempts))
		return n.store.Mails.Put(tx, now)
	})
}

func domainOf(address string) string {
	e, err := profile.ParseEmail(address)
	if err != nil {
		return ""
	}
	return e.Domain()
}

// message draws a mail.
func (n *Notifier) message(ctx context.Context, m store.Mail) (Message, error) {
	to, err := profile.ParseEmail(m.To)
	if err != nil {
		return Message{}, &SendError{Permanent: true, Err: err}
	}
	secret, err := m.Data.Reveal()
	if err != nil {
		return Message{}, &SendError{Permanent: true, Err: err}
	}
	var data store.MailData
	if secret != "" {
		if err := json.Unmarshal([]byte(secret.Reveal()), &data); err != nil {
			return Message{}, &SendError{Permanent: true, Err: errors.New("the mail's data is not what a mail is made of")} // the cause would quote it
		}
	}
	drawn, err := n.draw(ctx, m.Kind, m.Language, to.String(), data)
	if errors.Is(err, templates.ErrMailKind) {
		return Message{}, &SendError{Permanent: true, Err: err}
	}
	if err != nil {
		return Message{}, err
	}
	return Message{ID: m.ID, Kind: m.Kind, To: to, Subject: drawn.Subject, Text: drawn.Text, HTML: drawn.HTML, At: m.CreatedAt}, nil
}

// draw fills a mail with what the store knows of its organization.
func (n *Notifier) draw(ctx context.Context, kind, language, to string, data store.MailData) (templates.Mail, error) {
	d := templates.MailData{
		To: to, Account: cmp.Or(data.Account, to), Person: cmp.Or(data.Person, data.Inviter), Connection: data.Connection,
		Sentence: cmp.Or(data.Sentence, data.Reason, data.Question), Domain: data.Domain, Link: data.Link, Expires: data.Expires,
		Organization: data.OrganizationID,
	}
	for _, f := range data.Facts {
		d.Facts = append(d.Facts, templates.MailFact(f))
	}
	if err := n.store.View(ctx, func(tx store.Tx) error {
		o, err := n.store.Organizations.Peek(tx, data.OrganizationID)
		if err != nil {
			return err
		}
		if o != nil {
			d.Organization, d.Contact = cmp.Or(o.Title, o.ID), o.Contact
		}
		if kind == templates.MailRequestDigest {
			d.Count, err = n.store.AccessRequests.CountByIndex(tx, "organization_state", store.OrganizationState(data.OrganizationID, store.RequestPending), 10_000)
		}
		return err
	}); err != nil {
		return templates.Mail{}, fmt.Errorf("notify: %w", err)
	}
	return n.mails.Draw(kind, language, d)
}
