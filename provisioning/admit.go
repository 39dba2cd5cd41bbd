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
	switch d.Kind {
	case SignedIn:
		err = p.signIn(tx, id, s, pr)
	case Created:
		err = p.create(tx, id, s, pr)
	case Activated:
		err = p.activate(tx, id, s, pr)
	case Pending:
		err = p.enqueue(tx, s, d.Request)
	case Refused, Linked:
	}
	if err != nil {
		return Decision{}, fmt.Errorf("provisioning: admit (%s): %w", d.Kind, err)
	}
	return d, nil
}

func (p *Provisioner) decision(tx store.Tx, id federation.VerifiedIdentity, client store.Client, pr Prepared) (Decision, situation, error) {
	s, err := p.factsOf(tx, id, client.ID, pr)
	if err != nil {
		return Decision{}, s, fmt.Errorf("provisioning: facts: %w", err)
	}
	d := p.decideAbout(s)
	switch {
	case d.Kind == SignedIn:
		d.UserID = s.person.ID
		if s.identity.Attributes.Email != id.Email().String() {
			d.Why += "; its e-mail address changed since the last login" // N11
			if s.conflict, err = p.conflicts(tx, id, s); err != nil {
				return Decision{}, s, err
			}
			if s.conflict {
				d.Why += ", to one that another person of the organization has"
			}
		}
	case d.Kind == Activated && s.facts.person == personStranger:
		d.UserID = s.person.ID
	case d.Kind == Created, d.Kind == Activated:
		d.UserID = pr.UserID
	case d.Kind == Pending && s.request == requestNone:
		d.Request = p.newRequest(id, s, pr)
	case d.Kind == Pending, d.Reason == ReasonRefused:
		d.Request = p.refreshed(s.waiting, id, s)
	case d.MayAsk:
		d.Asker = s.person.ID
	}
	return d, s, nil
}

// decideAbout asks the table and adds which rule spoke.
func (p *Provisioner) decideAbout(s situation) Decision {
	d := p.table.decide(s.facts)
	d.OrganizationID = s.conn.OrganizationID
	if s.rule != ruleNone && s.closed == closedNothing && s.facts.person == personNew && s.facts.invitation == invitationNone {
		d.Why += "; by the rule " + s.ruleName
	}
	return d
}

// signIn refreshes a known person. A member who was invited besides gets the
// groups and apps of the invitation; roles of members are changed by admins.
func (p *Provisioner) signIn(tx store.Tx, id federation.VerifiedIdentity, s situation, pr Prepared) error {
	if err := p.refresh(tx, id, s); err != nil || s.facts.invitation != invitationProven {
		return err
	}
	m, err := p.store.Memberships.Get(tx, store.MembershipKey(s.conn.OrganizationID, s.person.ID)) // new names may have changed what it is found by
	if err != nil {
		return err
	}
	m.Groups, m.Clients = union(m.Groups, s.invitation.Groups), union(m.Clients, s.invitation.Clients)
	if err := p.store.Memberships.Put(tx, m); err != nil {
		return err
	}
	return p.accept(tx, s.invitation, s.person.ID, howProven(s, pr))
}

// refresh puts this login's attributes in the place of the last one's: what
// upstream took away is gone here too (DESIGN §8). Roles, groups and state are
// ours and stay.
func (p *Provisioner) refresh(tx store.Tx, id federation.VerifiedIdentity, s situation) error {
	now := p.now().UTC()
	i := s.identity
	i.Attributes, i.EmailVerified, i.LastLoginAt = id.AttributesAfter(i.Attributes), s.trusted, now
	if err := p.store.Identities.Put(tx, i); err != nil {
		return err
	}
	u := s.person
	u.Attributes, u.EmailVerified, u.LastLoginAt = i.Attributes, s.trusted, now
	u.Source = []byte(store.IdentityKey(i.ConnectionID, i.Issuer, i.Subject))
	if err := p.store.Users.Put(tx, u); err != nil || !s.conflict {
		return err
	}
	return p.store.Record(tx, store.Actor{UserID: u.ID, Via: "login"}, "identity.conflict", "user/"+u.ID, map[string]any{
		"connection": i.ConnectionID, "organization": s.conn.OrganizationID, "note": "the provider's e-mail address is now one that another person has; nothing was switched",
	})
}

// activate accepts the invitation: for a newcomer it makes the user, for
// somebody known the membership.
func (p *Provisioner) activate(tx store.Tx, id federation.VerifiedIdentity, s situation, pr Prepared) error {
	userID := pr.UserID
	if s.facts.person == personStranger {
		userID = s.person.ID
		if err := p.refresh(tx, id, s); err != nil {
			return err
		}
		if err := p.store.Memberships.Insert(tx, s.grant.membership(s.conn, userID)); err != nil {
			return err
		}
	} else if err := p.create(tx, id, s, pr); err != nil {
		return err
	}
	return p.accept(tx, s.invitation, userID, howProven(s, pr))
}

func (p *Provisioner) create(tx store.Tx, id federation.VerifiedIdentity, s situation, pr Prepared) error {
	n := newcomer{
		userID: pr.UserID, conn: s.conn, issuer: id.Issuer(), subject: id.Subject(),
		attributes: id.Attributes(), emailVerified: s.trusted, loginAt: true,
		language: pr.Language, grant: s.grant,
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
	// The person gets in by another way by now: what waited is decided.
	r := s.waiting
	r.State, r.UserID, r.DecidedBy, r.Role, r.Groups, r.Clients = store.RequestApproved, pr.UserID, s.grant.by, s.grant.role, s.grant.groups, s.grant.clients
	return p.close(tx, r, store.EventApproved)
}

// newcomer is what join makes a user of.
type newcomer struct {
	userID          string
	conn            store.Connection
	issuer, subject string
	attributes      profile.Attributes
	emailVerified   bool
	loginAt         bool // this is a login, not an approval
	language        string
	grant           grant
}

func (g grant) membership(conn store.Connection, userID string) store.Membership {
	return store.Membership{
		OrganizationID: conn.OrganizationID, UserID: userID, Role: g.role, ConnectionID: conn.ID,
		Groups: slices.Clone(g.groups), Clients: slices.Clone(g.clients),
	}
}

// join writes user, identity and membership: the only place that makes people.
// The user is new always; no attribute finds an existing one (N3, N9, E13).
func (p *Provisioner) join(tx store.Tx, n newcomer) error {
	u := store.User{
		ID: n.userID, Status: store.UserActive, Attributes: n.attributes,
		EmailVerified: n.emailVerified, CreatedBy: n.grant.by, Language: n.language,
		Source: []byte(store.IdentityKey(n.conn.ID, n.issuer, n.subject)),
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
	if err := p.store.Memberships.Insert(tx, n.grant.membership(n.conn, n.userID)); err != nil {
		return err
	}
	return p.store.Tell(tx, store.Event{
		Kind: store.EventUserCreated, OrganizationID: n.conn.OrganizationID, Subject: n.userID,
		Detail: map[string]string{"connection": n.conn.ID, "created_by": n.grant.by},
	})
}
