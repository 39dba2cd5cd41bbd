package provisioning

import (
	"fmt"

	"gatehouse/federation"
	"gatehouse/store"
)

// Rehearsal is what would become of a person: the decision, and who they would
// be to an app once admitted. An empty User.ID means that one is made then.
type Rehearsal struct {
	Decision
	User         store.User
	Organization store.Organization
	Membership   store.Membership
}

// Rehearse answers what Admit would decide if the identity's connection were
// stored as it is and switched on. It writes nothing.
func (p *Provisioner) Rehearse(tx store.Tx, id federation.VerifiedIdentity, clientID string) (Rehearsal, error) {
	s := situation{conn: id.Connection()}
	s.conn.Disabled = false
	if !id.Valid() {
		s.closed = closedIdentity
		return Rehearsal{Decision: p.decideAbout(s)}, nil
	}
	var err error
	s.org, err = p.store.Organizations.Get(tx, s.conn.OrganizationID)
	there, err := present(err)
	switch {
	case err != nil:
		return Rehearsal{}, fmt.Errorf("provisioning: rehearse: %w", err)
	case !there || s.org.Disabled:
		s.closed = closedOrganization
	default:
		if s, err = p.factsAt(tx, id, clientID, s, p.federation.OwnsAs, Prepared{}); err != nil {
			return Rehearsal{}, fmt.Errorf("provisioning: rehearse: %w", err)
		}
	}
	r := Rehearsal{Organization: s.org, Decision: p.decideAbout(s)}
	r.Membership = s.grant.membership(s.conn, "")
	if s.person.ID != "" {
		r.User = s.person
		if r.Kind == SignedIn {
			r.UserID = s.person.ID
		}
		if s.facts.person == personMember {
			r.Membership = s.member
		}
	}
	r.User.Attributes, r.User.EmailVerified = id.AttributesAfter(r.User.Attributes), s.trusted
	return r, nil
}
