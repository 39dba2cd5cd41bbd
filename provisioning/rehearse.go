package provisioning

import (
	"fmt"
	"slices"

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
	if s.valid = id.Valid(); !s.valid {
		d := Decision{}
		d.Kind, d.Reason, d.Why = decide(s.facts)
		return Rehearsal{Decision: d}, nil
	}
	s.connection = true
	var err error
	s.org, err = p.store.Organizations.Get(tx, s.conn.OrganizationID)
	if s.organization, err = present(err); err != nil {
		return Rehearsal{}, fmt.Errorf("provisioning: rehearse: %w", err)
	}
	s.organization = s.organization && !s.org.Disabled
	if s, err = p.factsAt(tx, id, clientID, s, p.federation.OwnsAs); err != nil {
		return Rehearsal{}, fmt.Errorf("provisioning: rehearse: %w", err)
	}
	r := Rehearsal{Organization: s.org}
	r.OrganizationID = s.conn.OrganizationID
	r.Kind, r.Reason, r.Why = decide(s.facts)
	r.Membership = store.Membership{Role: store.RoleUser, Groups: slices.Clone(s.org.AutomaticGroups)}
	if s.known && s.user != userNone {
		r.User = s.person
		if r.Kind == SignedIn {
			r.UserID = s.person.ID
		}
		if r.Membership, err = p.store.Memberships.Get(tx, store.MembershipKey(s.conn.OrganizationID, s.person.ID)); err != nil {
			if _, err = present(err); err != nil {
				return Rehearsal{}, fmt.Errorf("provisioning: rehearse: %w", err)
			}
		}
	}
	r.User.Attributes, r.User.EmailVerified = id.Attributes(), s.trusted
	return r, nil
}
