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
	client   store.Client
	identity store.Identity // when known
	person   store.User     // when there is one
	member   store.Membership
	// invitation is the open one for the proven address, if there is one.
	invitation store.Invitation
	ruleName   string
	grant      grant // what a newcomer would get
	// waiting is the request that waits or was refused; expired is one whose
	// time is over and that nobody has marked yet.
	waiting store.AccessRequest
	expired *store.AccessRequest
	trusted bool // the stored address counts as verified
	// conflict: the address is new, and somebody else's in the organization (N11).
	conflict bool
}

// factsOf reads everything the table asks for. Stored records count, never the
// copies inside the identity or the caller's client (SECURITY-CASES E12).
func (p *Provisioner) factsOf(tx store.Tx, id federation.VerifiedIdentity, clientID string, pr Prepared) (situation, error) {
	var s situation
	if !id.Valid() {
		s.closed = closedIdentity
		return s, nil
	}
	var connOn, orgOn bool
	var err error
	if s.conn, s.org, connOn, orgOn, err = p.origin(tx, id.Connection().ID); err != nil {
		return s, err
	}
	switch {
	case !connOn:
		s.closed = closedConnection
		return s, nil
	case !orgOn:
		s.closed = closedOrganization
		return s, nil
	}
	return p.factsAt(tx, id, clientID, s, p.federation.Owns, pr)
}

// owner answers whether a connection may vouch for an address.
type owner func(store.Tx, store.Connection, profile.Email) (bool, error)

// factsAt adds to a connection and an organization that are on what else decides.
func (p *Provisioner) factsAt(tx store.Tx, id federation.VerifiedIdentity, clientID string, s situation, owns owner, pr Prepared) (situation, error) {
	if s.org.SignInOff {
		s.closed = closedSignIn
		return s, nil
	}
	if !pr.NoApp {
		client, err := p.store.Clients.Get(tx, clientID)
		there, err := present(err)
		switch {
		case err != nil:
			return s, err
		case !there || client.Disabled:
			s.closed = closedClient
			return s, nil
		case !ClientFor(client, s.conn):
			s.closed = closedClientFor
			return s, nil
		}
		s.client = client
	}
	s.catchAll = slices.Contains(s.conn.Domains, "*")
	if err := p.emailFacts(tx, id, &s, owns); err != nil {
		return s, err
	}
	if err := p.policyFacts(tx, id, &s); err != nil {
		return s, err
	}
	if err := p.invitationFacts(tx, id, &s, pr); err != nil {
		return s, err
	}
	key := store.IdentityKey(s.conn.ID, id.Issuer(), id.Subject())
	var err error
	s.identity, err = p.store.Identities.Get(tx, key)
	known, err := present(err)
	if err == nil && known {
		err = p.personFacts(tx, &s)
	}
	if err != nil {
		return s, err
	}
	s.grant = s.newcomerGrant()
	p.appFacts(&s)
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
	owned, err := p.owned(tx, s.conn, id.Email(), owns)
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
	case err != nil:
		return err
	case !there:
		s.facts.person = personRemoved
		return nil
	}
	s.person = person
	if person.Status != store.UserActive {
		s.facts.person = personDisabled
		return nil
	}
	s.member, err = p.store.Memberships.Get(tx, store.MembershipKey(s.conn.OrganizationID, person.ID))
	member, err := present(err)
	s.facts.person = personStranger
	if member {
		s.facts.person = personMember
	}
	return err
}

// appFacts: the app as a member has it, or as a newcomer would get it.
func (p *Provisioner) appFacts(s *situation) {
	has := s.grant.clients
	if s.facts.person == personMember {
		has = s.member.Clients
	}
	switch {
	case !s.client.RequireAssignment || slices.Contains(has, s.client.ID):
	case s.org.AppRequests:
		s.app = appAskable
	default:
		s.app = appMissing
	}
}

// requestFacts looks for what waits or was refused: a newcomer's wish to join,
// or a member's for the app.
func (p *Provisioner) requestFacts(tx store.Tx, identityKey string, s *situation) error {
	pending, refused, value := "pending_identity", "refused_identity", identityKey
	switch {
	case s.facts.person == personNew:
	case s.facts.person == personMember && s.app != appOpen:
		pending, refused, value = "pending_app", "app", store.UserClient(s.person.ID, s.client.ID)
	default:
		return nil
	}
	now := p.now()
	r, err := p.store.AccessRequests.ByUnique(tx, pending, value)
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
		for r, err := range p.store.AccessRequests.AllByIndex(tx, refused, value) {
			if err != nil {
				return err
			}
			if r.State == store.RequestRefused && now.Before(r.DecidedAt.Add(p.refusalRest)) {
				s.request, s.waiting = requestRefused, r
			}
		}
	}
	n, err := p.store.AccessRequests.CountByIndex(tx, "connection_state",
		store.ConnectionState(s.conn.ID, store.RequestPending), p.maxPending)
	s.queueFull = n >= p.maxPending
	return err
}
