package notify

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
	"gatehouse/templates"
)

// recipient is a person with a proven address.
type recipient struct {
	userID, language string
	address          profile.Email
}

// reach finds the proven address of an active person; ok is false when there
// is none, for then nothing is mailed.
func (n *Notifier) reach(tx store.Tx, userID string) (to recipient, ok bool, err error) {
	u, err := n.store.Users.Get(tx, userID)
	if errors.Is(err, store.ErrNotFound) || err == nil && u.Status != store.UserActive {
		return to, false, nil
	}
	if err != nil {
		return to, false, err
	}
	to = recipient{userID: u.ID, language: u.Language}
	if u.EmailVerified {
		if to.address, err = profile.ParseEmail(u.Attributes.Email); err == nil {
			return to, true, nil
		}
	}
	for i, err := range n.store.Identities.AllByIndex(tx, "user", userID) {
		if err != nil {
			return to, false, err
		}
		if i.EmailVerified {
			if to.address, err = profile.ParseEmail(i.Attributes.Email); err == nil {
				return to, true, nil
			}
		}
	}
	return to, false, nil
}

// approvers are who is told of a request: as configured, and when none of
// those can be reached the platform's owners. Never who asks (G8).
func (n *Notifier) approvers(tx store.Tx, r store.AccessRequest) ([]recipient, error) {
	ids, err := n.told(tx, r)
	if err != nil {
		return nil, err
	}
	found, err := n.reachable(tx, ids, r)
	if err != nil || len(found) > 0 {
		return found, err
	}
	if ids, err = n.platformOwners(tx); err != nil {
		return nil, err
	}
	return n.reachable(tx, ids, r)
}

func (n *Notifier) reachable(tx store.Tx, ids []string, r store.AccessRequest) ([]recipient, error) {
	var out []recipient
	asks, _ := profile.ParseEmail(r.Snapshot.Email) // none: nobody has the zero address
	own, err := n.store.Identities.Peek(tx, store.IdentityKey(r.ConnectionID, r.Issuer, r.Subject))
	if err != nil {
		return nil, err
	}
	told := map[string]bool{}
	for _, id := range ids {
		if id == r.UserID || own != nil && own.UserID == id {
			continue
		}
		to, ok, err := n.reach(tx, id)
		if err != nil {
			return nil, err
		}
		if ok && to.address.Key() != asks.Key() && !told[to.address.Key()] {
			told[to.address.Key()] = true
			out = append(out, to)
		}
	}
	return out, nil
}

func (n *Notifier) platformOwners(tx store.Tx) (ids []string, err error) {
	owners, err := n.store.Users.PeekByIndex(tx, "platform_role", store.RoleOwner)
	for _, u := range owners {
		ids = append(ids, u.ID)
	}
	return ids, err
}

// organizationOwners are the owners of an organization.
func (n *Notifier) organizationOwners(tx store.Tx, organization string) (ids []string, err error) {
	for m, err := range n.store.Memberships.AllByIndex(tx, "organization", organization) {
		if err != nil {
			return nil, err
		}
		if m.Role == store.RoleOwner {
			ids = append(ids, m.UserID)
		}
	}
	return ids, nil
}

// languages of a mail, best first.
func (n *Notifier) language(tx store.Tx, own, organization string) string {
	wanted := []string{own}
	if o, err := n.store.Organizations.Peek(tx, organization); err == nil && o != nil {
		wanted = append(wanted, o.Languages...)
	}
	return templates.MailLanguage(wanted...)
}

// planRequested: each approver gets a link of their own to the one decision.
func (n *Notifier) planRequested(tx store.Tx, e store.Event, p *plan) error {
	r, err := n.store.AccessRequests.Get(tx, e.Subject)
	if err != nil || r.State != store.RequestPending {
		return err
	}
	to, err := n.approvers(tx, r)
	if err != nil {
		return err
	}
	data := store.MailData{OrganizationID: r.OrganizationID, Expires: r.ExpiresAt, Facts: n.facts(tx, r)}
	p.digested = true
	for _, person := range to {
		language := n.language(tx, person.language, r.OrganizationID)
		link, kept := n.decisionLink(r, person.userID)
		p.links = append(p.links, kept)
		data.Link = link
		p.mails = append(p.mails, n.newMail(templates.MailRequestWaiting, person.address.String(), language, data, r.ExpiresAt))
		digest := n.newMail(templates.MailRequestDigest, person.address.String(), language, store.MailData{
			OrganizationID: r.OrganizationID, Link: n.adminURL + "/requests?" + url.Values{"organization": {r.OrganizationID}}.Encode(),
		}, time.Time{})
		digest.ID = person.userID // keepDigest makes the id of it
		p.digest = append(p.digest, digest)
	}
	return nil
}

// decisionLink makes the mailed way to one decision for one approver.
func (n *Notifier) decisionLink(r store.AccessRequest, userID string) (string, store.DecisionLink) {
	token := newToken()
	return n.adminURL + "/decide/" + token, store.DecisionLink{
		Hash: store.HashToken(token), RequestID: r.ID, UserID: userID, ExpiresAt: r.ExpiresAt,
	}
}

// newToken is 256 random bits.
func newToken() string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails; the process ends instead (FT26)
	return base64.RawURLEncoding.EncodeToString(raw)
}

// facts are what an approver has to know, what the provider vouches for apart
// from what the person typed.
func (n *Notifier) facts(tx store.Tx, r store.AccessRequest) []store.MailFact {
	var out []store.MailFact
	add := func(label, value string) {
		if value = strings.TrimSpace(value); value != "" {
			out = append(out, store.MailFact{Label: label, Value: value})
		}
	}
	add("name", personName(r.Snapshot))
	if address, err := profile.ParseEmail(r.Snapshot.Email); err == nil {
		label := "email_unproven"
		if r.EmailVerified {
			label = "email"
		}
		out = append(out, store.MailFact{Label: label, Value: address.String(), Address: true})
	} else {
		add("email_unproven", r.Snapshot.Email)
	}
	if out == nil {
		add("provider_id", r.Subject)
	}
	if c, err := n.store.Connections.Peek(tx, r.ConnectionID); err == nil && c != nil {
		add("connection", c.Title)
	}
	if c, err := n.store.Clients.Peek(tx, r.ClientID); err == nil && c != nil {
		add("app", c.Name)
	}
	add("typed", r.Typed)
	return out
}

func personName(a profile.Attributes) string {
	if a.DisplayName != "" {
		return a.DisplayName
	}
	return strings.TrimSpace(a.FirstName + " " + a.LastName)
}

// planAnswered: who asked last hears the answer.
func (n *Notifier) planAnswered(tx store.Tx, e store.Event, p *plan) error {
	r, err := n.store.AccessRequests.Get(tx, e.Subject)
	if err != nil || r.State != store.RequestPending {
		return err
	}
	var asker, answer string
	for _, m := range r.Messages {
		if m.By != "" {
			asker, answer = m.By, ""
		} else {
			answer = m.Text
		}
	}
	if asker == "" || answer == "" {
		return nil
	}
	to, err := n.reachable(tx, []string{asker}, r)
	if err != nil || len(to) == 0 {
		return err
	}
	link, kept := n.decisionLink(r, to[0].userID)
	p.links = append(p.links, kept)
	p.mails = append(p.mails, n.newMail(templates.MailRequestAnswered, to[0].address.String(), n.language(tx, to[0].language, r.OrganizationID),
		store.MailData{OrganizationID: r.OrganizationID, Person: personName(r.Snapshot), Sentence: answer, Link: link}, r.ExpiresAt))
	return nil
}

// planPerson: the person hears what became of their request, at an address
// that somebody vouched for.
func (n *Notifier) planPerson(tx store.Tx, e store.Event, p *plan) error {
	r, err := n.store.AccessRequests.Get(tx, e.Subject)
	if err != nil {
		return err
	}
	var to profile.Email
	language := r.Language
	if r.Kind == store.RequestApp {
		person, ok, err := n.reach(tx, r.UserID)
		if err != nil || !ok {
			return err
		}
		if to = person.address; language == "" {
			language = person.language
		}
	} else if to, err = profile.ParseEmail(r.Snapshot.Email); err != nil || !r.EmailVerified {
		return nil //nolint:nilerr // nobody vouched for an address: nobody is written to
	}
	data := store.MailData{OrganizationID: r.OrganizationID, Account: to.String(), Link: e.Detail["link"]}
	kind := map[string]string{
		store.EventApproved: templates.MailRequestApproved, store.EventRefused: templates.MailRequestRefused, store.EventAsked: templates.MailRequestAsked,
	}[e.Kind]
	switch e.Kind {
	case store.EventRefused:
		data.Sentence = r.Reason
	case store.EventAsked:
		for _, m := range r.Messages {
			if m.By != "" {
				data.Sentence = m.Text
			}
		}
	}
	p.mails = append(p.mails, n.newMail(kind, to.String(), n.language(tx, language, r.OrganizationID), data, time.Time{}))
	return nil
}

// planInvited: the link goes to the invited address only.
func (n *Notifier) planInvited(tx store.Tx, e store.Event, p *plan) error {
	i, err := n.store.Invitations.Get(tx, e.Subject)
	if err != nil || i.State != store.InvitationOpen {
		return err
	}
	token, err := e.Secret.Reveal()
	if err != nil {
		return err
	}
	to, err := profile.ParseEmail(i.Email)
	if err != nil || store.HashToken(token.Reveal()) != i.Hash {
		return nil //nolint:nilerr // sent again since: the newer event carries the newer link
	}
	data := store.MailData{
		OrganizationID: i.OrganizationID, Account: to.String(), Expires: i.ExpiresAt,
		Link: n.issuer + "/invitation?" + url.Values{"t": {token.Reveal()}}.Encode(),
	}
	if u, err := n.store.Users.Peek(tx, i.InvitedBy); err == nil && u != nil {
		data.Inviter = personName(u.Attributes)
	}
	p.mails = append(p.mails, n.newMail(templates.MailInvitation, to.String(), n.language(tx, i.Language, i.OrganizationID), data, i.ExpiresAt))
	return nil
}

// planLapsing: the owners of the organization and of the platform can put the
// record back.
func (n *Notifier) planLapsing(tx store.Tx, e store.Event, p *plan) error {
	d, err := n.store.Domains.Get(tx, e.Subject)
	if err != nil {
		return err
	}
	ids, err := n.organizationOwners(tx, d.OrganizationID)
	if err != nil {
		return err
	}
	owners, err := n.platformOwners(tx)
	if err != nil {
		return err
	}
	to, err := n.reachable(tx, append(ids, owners...), store.AccessRequest{})
	if err != nil {
		return err
	}
	data := store.MailData{OrganizationID: d.OrganizationID, Domain: d.Name, Link: n.adminURL + "/domains"}
	data.Expires, _ = time.Parse(time.RFC3339, e.Detail["until"]) // zero when it is not told
	data.Facts = []store.MailFact{{Label: "value", Value: d.Challenge, Address: true}}
	for _, person := range to {
		p.mails = append(p.mails, n.newMail(templates.MailDomainLapsing, person.address.String(), n.language(tx, person.language, d.OrganizationID), data, time.Time{}))
	}
	return nil
}
