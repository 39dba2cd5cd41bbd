package provisioning

import (
	"errors"
	"slices"

	"gatehouse/federation"
	"gatehouse/profile"
	"gatehouse/store"
)

// situation is the facts and the records they came from.
type situation struct {
	facts
	conn     store.Connection
	org      store.Organization
	identity store.Identity // when known
	person   store.User     // when there is one
	// waiting is the request that waits or was refused; expired is one whose
	// time is over and that nobody has marked yet.
	waiting store.AccessRequest
	expired *store.AccessRequest
	trusted bool // the stored address counts as verified
}

// factsOf reads everything decide asks for. Stored records count, never the
// copies inside the identity or the caller's client (SECURITY-CASES E12).
func (p *Provisioner) factsOf(tx store.Tx, id federation.VerifiedIdentity, clientID string) (situation, error) {
	var s situation
	var err error
	if s.valid = id.Valid(); !s.valid {
		return s, nil
	}
	if s.conn, s.org, s.connection, s.organization, err = p.origin(tx, id.Connection().ID); err != nil {
		return s, err
	}
	return p.factsAt(tx, id, clientID, s, p.federation.Owns)
}

// owner answers whether a connection may vouch for an address.
type owner func(store.Tx, store.Connection, profile.Email) (bool, error)

// factsAt adds to the connection and its organization what else decides.
func (p *Provisioner) factsAt(tx store.Tx, id federation.VerifiedIdentity, clientID string, s situation, owns owner) (situation, error) {
	client, err := p.store.Clients.Get(tx, clientID)
	if s.client, err = present(err); err != nil {
		return s, err
	}
	s.client = s.client && !client.Disabled
	s.clientAllowed = ClientFor(client, s.conn)
	s.catchAll = slices.Contains(s.conn.Domains, "*")
	s.policy = s.org.Join
	if err := p.emailFacts(tx, id, &s, owns); err != nil {
		return s, err
	}
	key := store.IdentityKey(s.conn.ID, id.Issuer(), id.Subject())
	s.identity, err = p.store.Identities.Get(tx, key)
	if s.known, err = present(err); err != nil {
		return s, err
	}
	if s.known {
		return s, p.personFacts(tx, &s)
	}
	return s, p.requestFacts(tx, key, &s)
}

// present turns ErrNotFound into false.
func present(err error) (bool, error) {
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// origin reads a connection and its organization, and whether each is on.
func (p *Provisioner) origin(tx store.Tx, connectionID string) (conn store.Connection, org store.Organization, connOn, orgOn bool, err error) {
	conn, err = p.store.Connections.Get(tx, connectionID)
	if connOn, err = present(err); err != nil || !connOn {
		return conn, org, false, false, err
	}
	org, err = p.store.Organizations.Get(tx, conn.OrganizationID)
	if orgOn, err = present(err); err != nil {
		return conn, org, false, false, err
	}
	return conn, org, !conn.Disabled, orgOn && !org.Disabled, nil
}

// ClientFor reports whether an app may be used through a connection: both say
// so, and a connection that is for servers only takes no app that cannot keep
// a secret. Whether the two are switched on is not its question.
func ClientFor(c store.Client, conn store.Connection) bool {
	return !(conn.ServerOnly && c.Public()) &&
		(len(c.Organizations) == 0 || slices.Contains(c.Organizations, conn.OrganizationID)) &&
		(len(c.Connections) == 0 || slices.Contains(c.Connections, conn.ID))
}

func (p *Provisioner) emailFacts(tx store.Tx, id federation.VerifiedIdentity, s *situation, owns owner) error {
	if id.Email().IsZero() {
		return nil
	}
	owned, err := owns(tx, s.conn, id.Email())
	if err != nil {
		return err
	}
	s.email = emailForeign
	if owned {
		s.email = emailOwned
	}
	switch {
	case id.EmailVerified() == profile.False:
		s.proof = proofDenied
	case id.EmailVerified() == profile.True || s.conn.TrustEmail == federation.TrustAlways:
		s.proof = proofGiven
	}
	s.trusted = owned && s.proof == proofGiven
	return nil
}

func (p *Provisioner) personFacts(tx store.Tx, s *situation) error {
	person, err := p.store.Users.Get(tx, s.identity.UserID)
	there, err := present(err)
	switch {
	case err != nil || !there:
		return err
	case person.Status == store.UserActive:
		s.user = userActive
	default:
		s.user = userDisabled
	}
	s.person = person
	s.member, err = p.store.Memberships.Has(tx, store.MembershipKey(s.conn.OrganizationID, person.ID))
	return err
}

func (p *Provisioner) requestFacts(tx store.Tx, identityKey string, s *situation) error {
	now := p.now()
	r, err := p.store.AccessRequests.ByUnique(tx, "pending_identity", identityKey)
	found, err := present(err)
	switch {
	case err != nil:
		return err
	case found && now.Before(r.ExpiresAt):
		s.request, s.waiting = requestPending, r
	case found:
		s.expired = &r
	}
	if s.request == requestNone {
		for r, err := range p.store.AccessRequests.AllByIndex(tx, "refused_identity", identityKey) {
			if err != nil {
				return err
			}
			if now.Before(r.DecidedAt.Add(p.refusalRest)) {
				s.request, s.waiting = requestRefused, r
			}
		}
	}
	n, err := p.store.AccessRequests.CountByIndex(tx, "connection_state",
		store.ConnectionState(s.conn.ID, store.RequestPending), p.maxPending)
	s.queueFull = n >= p.maxPending
	return err
}
