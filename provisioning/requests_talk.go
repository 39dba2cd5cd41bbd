package provisioning

import (
	"gatehouse/profile"
	"gatehouse/store"
)

// Bounds of what is said about a request.
const (
	maxTyped    = 500 // bytes of a sentence
	maxMessages = 20  // questions and answers together
)

// waits returns a request that nobody has decided yet.
func (p *Provisioner) waits(tx store.Tx, id string) (store.AccessRequest, error) {
	r, err := p.store.AccessRequests.Get(tx, id)
	switch {
	case err != nil:
		return r, err
	case r.State != store.RequestPending:
		return r, &DecidedError{State: r.State, By: r.DecidedBy, At: r.DecidedAt}
	case !p.now().Before(r.ExpiresAt):
		return r, ErrExpired
	}
	return r, nil
}

// Say keeps who the waiting person says they are, once. Nobody vouches for it.
// Whoever calls it has proven that the request is this browser's.
func (p *Provisioner) Say(tx store.Tx, id, text string) error {
	r, err := p.waits(tx, id)
	if err != nil {
		return err
	}
	text = profile.Untrusted(text).Clean(maxTyped)
	if r.Typed != "" || text == "" {
		return ErrTalk
	}
	r.Typed = text
	return p.store.AccessRequests.Put(tx, r)
}

// Question is what an approver asked and the person has not answered, or "".
func Question(r store.AccessRequest) string {
	if n := len(r.Messages); n > 0 && r.Messages[n-1].By != "" {
		return r.Messages[n-1].Text
	}
	return ""
}

// Ask asks the waiting person back. The request goes on waiting.
func (p *Provisioner) Ask(ch *store.Change, id, approverID, question string) (store.AccessRequest, error) {
	r, err := p.undecided(ch.Tx, id, approverID)
	if err != nil {
		return r, err
	}
	question = profile.Untrusted(question).Clean(maxTyped)
	if question == "" || len(r.Messages) >= maxMessages {
		return r, ErrTalk
	}
	r.Messages = append(r.Messages, store.RequestMessage{By: approverID, Text: question, At: p.now().UTC()})
	if err := p.store.AccessRequests.Put(ch.Tx, r); err != nil {
		return r, err
	}
	if err := p.tell(ch.Tx, store.EventAsked, r); err != nil {
		return r, err
	}
	if err := ch.Record("access_request.ask", "access_request/"+r.ID, map[string]any{"question": question, "organization": r.OrganizationID}); err != nil {
		return r, err
	}
	return p.store.AccessRequests.Get(ch.Tx, r.ID)
}

// Answer keeps the waiting person's answer to the question that is open.
// Whoever calls it has proven that the request is this browser's.
func (p *Provisioner) Answer(tx store.Tx, id, text string) error {
	r, err := p.waits(tx, id)
	if err != nil {
		return err
	}
	text = profile.Untrusted(text).Clean(maxTyped)
	if Question(r) == "" || text == "" {
		return ErrTalk
	}
	r.Messages = append(r.Messages, store.RequestMessage{Text: text, At: p.now().UTC()})
	if err := p.store.AccessRequests.Put(tx, r); err != nil {
		return err
	}
	return p.tell(tx, store.EventAnswered, r)
}

// Told are the user ids who are told of a request: the approvers of the
// address's domain, else of the organization, else its owners and admins. Who
// may decide is for the console's access rule.
func (p *Provisioner) Told(tx store.Tx, r store.AccessRequest) ([]string, error) {
	if e, err := profile.ParseEmail(r.Snapshot.Email); err == nil {
		d, err := p.domainOf(tx, r.OrganizationID, e)
		if err != nil || len(d.Approvers) > 0 {
			return d.Approvers, err
		}
	}
	org, err := p.store.Organizations.Get(tx, r.OrganizationID)
	if found, err := present(err); err != nil || !found || len(org.Approvers) > 0 {
		return org.Approvers, err
	}
	return p.admins(tx, r.OrganizationID)
}
