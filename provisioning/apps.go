package provisioning

import (
	"gatehouse/profile"
	"gatehouse/store"
)

// Wish is a member's wish for an app that has to be given, made by a browser
// that has just proven who they are.
type Wish struct {
	RequestID                      string // from Prepare
	UserID, ConnectionID, ClientID string
	Typed                          string // an optional sentence; nobody vouches for it
	Language                       string
}

// AskForApp keeps the wish, or finds the one that waits already. The answer is
// Pending, or Refused with what became of the person, the app or the way there
// in the meantime: the table decides, on the facts of this transaction.
func (p *Provisioner) AskForApp(tx store.Tx, wish Wish) (Decision, error) {
	s, err := p.wishFacts(tx, wish)
	if err != nil {
		return Decision{}, err
	}
	d := p.decideAbout(s)
	switch {
	case d.Kind == SignedIn:
		d.UserID = s.person.ID
		return d, nil
	case d.Kind == Pending, d.Reason == ReasonRefused:
		d.Request = s.waiting
		return d, nil
	case !d.MayAsk:
		return d, nil
	}
	r := store.AccessRequest{
		ID: wish.RequestID, Kind: store.RequestApp, OrganizationID: s.conn.OrganizationID, ConnectionID: s.conn.ID,
		Issuer: s.identity.Issuer, Subject: s.identity.Subject, ClientID: s.client.ID, UserID: s.person.ID,
		Snapshot: s.identity.Attributes, EmailVerified: s.identity.EmailVerified, Language: wish.Language,
		Typed: profile.Untrusted(wish.Typed).Clean(maxTyped), State: store.RequestPending, ExpiresAt: p.expiry(s.org),
	}
	r.SnapshotHash = snapshotHash(r)
	d.Kind, d.Reason, d.Why, d.Request = Pending, "", "the person asks for the app", r
	return d, p.enqueue(tx, s, r)
}

// wishFacts are the facts of a member whose login ended before the app.
func (p *Provisioner) wishFacts(tx store.Tx, wish Wish) (s situation, err error) {
	standing, reason, err := p.standing(tx, wish.UserID, wish.ClientID, wish.ConnectionID, false)
	if err != nil {
		return s, err
	}
	s.conn, s.org, s.client, s.person, s.member = standing.connection, standing.org, standing.client, standing.user, standing.membership
	s.facts.person = personMember
	if s.email = emailOwned; reason == ReasonForeignEmail {
		s.email = emailForeign
	}
	switch reason {
	case "", ReasonAppNotAssigned, ReasonForeignEmail:
	case ReasonConnection:
		s.closed = closedConnection
	case ReasonOrganization:
		s.closed = closedOrganization
	case ReasonSignInOff:
		s.closed = closedSignIn
	case ReasonClient:
		s.closed = closedClient
	case ReasonClientNotAllowed:
		s.closed = closedClientFor
	case ReasonUserDisabled:
		s.facts.person = personDisabled
	case ReasonNotMember:
		s.facts.person = personStranger
	default:
		s.facts.person = personRemoved
	}
	if s.closed != closedNothing || s.facts.person != personMember {
		return s, nil
	}
	found := false
	for i, err := range p.store.Identities.AllByIndex(tx, "user", wish.UserID) {
		if err != nil {
			return s, err
		}
		if i.ConnectionID == wish.ConnectionID && (!found || i.LastLoginAt.After(s.identity.LastLoginAt)) {
			s.identity, found = i, true
		}
	}
	if !found {
		s.facts.person = personRemoved
		return s, nil
	}
	p.appFacts(&s)
	return s, p.requestFacts(tx, "", &s)
}

// give puts the apps of an approved wish on the person's membership.
func (p *Provisioner) give(tx store.Tx, r store.AccessRequest) error {
	u, err := p.store.Users.Get(tx, r.UserID)
	switch found, err := present(err); {
	case err != nil:
		return err
	case !found:
		return notAllowed(ReasonUserRemoved)
	case u.Status != store.UserActive:
		return notAllowed(ReasonUserDisabled)
	}
	m, err := p.store.Memberships.Get(tx, store.MembershipKey(r.OrganizationID, r.UserID))
	switch found, err := present(err); {
	case err != nil:
		return err
	case !found:
		return notAllowed(ReasonNotMember)
	}
	m.Clients, m.Groups = union(m.Clients, r.Clients), union(m.Groups, r.Groups)
	return p.store.Memberships.Put(tx, m)
}

// NewestWish is the newest request of a person for an app, or store.ErrNotFound.
func (p *Provisioner) NewestWish(tx store.Tx, userID, clientID string) (newest store.AccessRequest, err error) {
	err = store.ErrNotFound
	for r, e := range p.store.AccessRequests.AllByIndex(tx, "app", store.UserClient(userID, clientID)) {
		if e != nil {
			return newest, e
		}
		if err != nil || r.CreatedAt.After(newest.CreatedAt) {
			newest, err = r, nil
		}
	}
	return newest, err
}
