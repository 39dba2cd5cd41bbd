package provisioning

import (
	"fmt"
	"slices"

	"gatehouse/federation"
	"gatehouse/profile"
	"gatehouse/store"
)

// Preview answers what Admit would decide, and writes nothing.
func (p *Provisioner) Preview(tx store.Tx, id federation.VerifiedIdentity, client store.Client, pr Prepared) (Decision, error) {
	d, _, err := p.decision(tx, id, client, pr)
	return d, err
}

// Admit decides about a verified identity that came for client and writes what
// follows: a newcomer's user, identity and membership, or an access request; a
// known person's refreshed attributes. A refusal writes nothing. It belongs
// into the one Update that also writes session, grant and code.
func (p *Provisioner) Admit(tx store.Tx, id federation.VerifiedIdentity, client store.Client, pr Prepared) (Decision, error) {
	d, s, err := p.decision(tx, id, client, pr)
	if err != nil {
		return Decision{}, err
	}
	switch {
	case d.Kind == SignedIn:
		err = p.refresh(tx, id, s)
	case d.Kind == Created:
		err = p.create(tx, id, s, pr.UserID)
	case d.Kind == Pending && s.request == requestNone:
		err = p.enqueue(tx, s, d.Request)
	}
	if err != nil {
		return Decision{}, fmt.Errorf("provisioning: admit (%s): %w", d.Kind, err)
	}
	return d, nil
}

func (p *Provisioner) decision(tx store.Tx, id federation.VerifiedIdentity, client store.Client, pr Prepared) (Decision, situation, error) {
	s, err := p.factsOf(tx, id, client.ID)
	if err != nil {
		return Decision{}, s, fmt.Errorf("provisioning: facts: %w", err)
	}
	d := Decision{OrganizationID: s.conn.OrganizationID}
	d.Kind, d.Reason, d.Why = decide(s.facts)
	switch {
	case d.Kind == SignedIn:
		d.UserID = s.person.ID
		if s.identity.Attributes.Email != id.Email().String() {
			d.Why += "; its e-mail address changed since the last login" // N11
		}
	case d.Kind == Created:
		d.UserID = pr.UserID
	case d.Kind == Pending && s.request == requestNone:
		d.Request = p.newRequest(id, s, client.ID, pr.RequestID)
	case d.Kind == Pending, d.Reason == ReasonRefused:
		d.Request = s.waiting
	}
	return d, s, nil
}

// refresh puts this login's attributes in the place of the last one's: what
// upstream took away is gone here too (DESIGN §8). Roles, groups and state are
// ours and stay.
func (p *Provisioner) refresh(tx store.Tx, id federation.VerifiedIdentity, s situation) error {
	now := p.now().UTC()
	i := s.identity
	i.Attributes, i.EmailVerified, i.LastLoginAt = id.Attributes(), s.trusted, now
	if err := p.store.Identities.Put(tx, i); err != nil {
		return err
	}
	u := s.person
	u.Attributes, u.EmailVerified, u.LastLoginAt = id.Attributes(), s.trusted, now
	return p.store.Users.Put(tx, u)
}

func (p *Provisioner) create(tx store.Tx, id federation.VerifiedIdentity, s situation, userID string) error {
	by := s.org.JoinActor
	if by == "" {
		by = "system"
	}
	n := newcomer{
		userID: userID, conn: s.conn, issuer: id.Issuer(), subject: id.Subject(),
		attributes: id.Attributes(), emailVerified: s.trusted, loginAt: true,
		role: store.RoleUser, groups: s.org.AutomaticGroups, by: by,
	}
	if err := p.join(tx, n); err != nil {
		return err
	}
	if s.expired != nil {
		return p.expire(tx, *s.expired)
	}
	if s.request != requestPending {
		return nil
	}
	// The organization lets everybody in by now: what waited is decided.
	r := s.waiting
	r.State, r.UserID, r.DecidedBy, r.DecidedAt = store.RequestApproved, userID, by, p.now().UTC()
	return p.store.AccessRequests.Put(tx, r)
}

// newcomer is what join makes a user of.
type newcomer struct {
	userID          string
	conn            store.Connection
	issuer, subject string
	attributes      profile.Attributes
	emailVerified   bool
	loginAt         bool // this is a login, not an approval
	role            string
	groups          []string
	by              string
}

// join writes user, identity and membership: the only place that makes people.
// The user is new always; no attribute finds an existing one (N3, N9, E13).
func (p *Provisioner) join(tx store.Tx, n newcomer) error {
	u := store.User{
		ID: n.userID, Status: store.UserActive, Attributes: n.attributes,
		EmailVerified: n.emailVerified, CreatedBy: n.by,
	}
	i := store.Identity{
		ConnectionID: n.conn.ID, Issuer: n.issuer, Subject: n.subject, UserID: n.userID,
		Attributes: n.attributes, EmailVerified: n.emailVerified,
	}
	if n.loginAt {
		now := p.now().UTC()
		u.LastLoginAt, i.LastLoginAt = now, now
	}
	if err := p.store.Users.Insert(tx, u); err != nil {
		return err
	}
	if err := p.store.Identities.Insert(tx, i); err != nil {
		return err
	}
	return p.store.Memberships.Insert(tx, store.Membership{
		OrganizationID: n.conn.OrganizationID, UserID: n.userID, Role: n.role, Groups: slices.Clone(n.groups),
	})
}
