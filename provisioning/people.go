package provisioning

import (
	"errors"
	"slices"
	"time"

	"gatehouse/store"
)

// ErrLastOwner: an organization that has an owner keeps one (SECURITY-CASES B6).
var ErrLastOwner = errors.New("provisioning: the last owner of an organization stays")

// Reasons kept with ended grants.
const (
	EndedUnlinked = "identity_unlinked"
	EndedLeft     = "left_organization"
	EndedRemoved  = "user_removed"
)

// noticeFor is how long a mail about a change is tried.
const noticeFor = 3 * 24 * time.Hour

// Present asks whether a person may be here at all, as Authorize does for an app:
// the user, or a *NotAllowedError.
func (p *Provisioner) Present(tx store.Tx, userID, connectionID string) (store.User, error) {
	s, missing, err := p.standing(tx, userID, "", connectionID, true)
	switch {
	case err != nil:
		return store.User{}, err
	case missing != "":
		return store.User{}, notAllowed(missing)
	}
	return s.user, nil
}

// RemoveMember ends a membership, and at once what the person opened through the
// organization. store.ErrNotFound when there is none; ErrLastOwner.
func (p *Provisioner) RemoveMember(tx store.Tx, organization, userID string) error {
	m, err := p.store.Memberships.Get(tx, store.MembershipKey(organization, userID))
	if err != nil {
		return err
	}
	return p.dropMembership(tx, m)
}

func (p *Provisioner) dropMembership(tx store.Tx, m store.Membership) error {
	if err := p.store.Memberships.Delete(tx, store.MembershipKey(m.OrganizationID, m.UserID)); err != nil {
		return err
	}
	if m.Role == store.RoleOwner {
		if err := p.OwnerStays(tx, m.OrganizationID); err != nil {
			return err
		}
	}
	return p.endWhere(tx, m.UserID, EndedLeft, func(organization, _ string) bool { return organization == m.OrganizationID })
}

// OwnerStays is asked at the end of every change that could take the last active
// owner from an organization, inside its transaction: of two who go at once one
// stays.
func (p *Provisioner) OwnerStays(tx store.Tx, organization string) error {
	return p.OtherOwner(tx, organization, "")
}

// OtherOwner is OwnerStays without one of them: ErrLastOwner when there would be
// none.
func (p *Provisioner) OtherOwner(tx store.Tx, organization, without string) error {
	owners, err := p.store.Memberships.PeekByIndex(tx, "organization_role", store.OrganizationRole(organization, store.RoleOwner))
	if err != nil {
		return err
	}
	for _, m := range owners {
		u, err := p.store.Users.Peek(tx, m.UserID)
		if err != nil {
			return err
		}
		if u != nil && u.Status == store.UserActive && u.ID != without {
			return nil
		}
	}
	return ErrLastOwner
}

// OwnedBy are the organizations in which a user is owner.
func (p *Provisioner) OwnedBy(tx store.Tx, userID string) (ids []string, err error) {
	members, err := p.store.Memberships.PeekByIndex(tx, "user", userID)
	for _, m := range members {
		if m.Role == store.RoleOwner {
			ids = append(ids, m.OrganizationID)
		}
	}
	return ids, err
}

// RemoveUser deletes a person: identities, memberships, consents, what they wait
// for and the record itself; sessions and grants end. The id is never given out
// again. Credentials of a local account are for broker/local to take away, in the
// same Update. ErrLastOwner when an organization would lose its last owner.
func (p *Provisioner) RemoveUser(tx store.Tx, userID string) error {
	if err := p.EndUser(tx, userID, EndedRemoved); err != nil {
		return err
	}
	for i, err := range p.store.Identities.AllByIndex(tx, "user", userID) {
		if err != nil {
			return err
		}
		if err := p.store.Identities.Delete(tx, store.IdentityKey(i.ConnectionID, i.Issuer, i.Subject)); err != nil {
			return err
		}
	}
	var owned []string
	for m, err := range p.store.Memberships.AllByIndex(tx, "user", userID) {
		if err != nil {
			return err
		}
		if m.Role == store.RoleOwner {
			owned = append(owned, m.OrganizationID)
		}
		if err := p.store.Memberships.Delete(tx, store.MembershipKey(m.OrganizationID, userID)); err != nil {
			return err
		}
	}
	for c, err := range p.store.Consents.AllUnder(tx, store.ConsentsOf(userID)) {
		if err != nil {
			return err
		}
		if err := p.store.Consents.Delete(tx, store.ConsentKey(userID, c.ClientID)); err != nil {
			return err
		}
	}
	if err := p.store.Users.Delete(tx, userID); err != nil {
		return err
	}
	for _, organization := range owned {
		if err := p.OwnerStays(tx, organization); err != nil {
			return err
		}
	}
	return nil
}

// EndElsewhere ends every session and grant of a person but those of one session
// (by its key), for who signs out everywhere else.
func (p *Provisioner) EndElsewhere(tx store.Tx, userID, keep, reason string) error {
	for g, err := range p.store.Grants.AllByIndex(tx, "user", userID) {
		if err != nil {
			return err
		}
		if g.SessionKey == "" || g.SessionKey != keep {
			if err := p.endGrant(tx, g, reason); err != nil {
				return err
			}
		}
	}
	for s, err := range p.store.Sessions.AllByIndex(tx, "user", userID) {
		if err != nil {
			return err
		}
		if s.KeyHash != keep {
			if err := p.dropSession(tx, s.KeyHash); err != nil {
				return err
			}
		}
	}
	return nil
}

// endWhere ends the sessions and grants of a person whose organization and
// connection end says.
func (p *Provisioner) endWhere(tx store.Tx, userID, reason string, end func(organization, connection string) bool) error {
	for g, err := range p.store.Grants.AllByIndex(tx, "user", userID) {
		if err != nil {
			return err
		}
		if end(g.OrganizationID, g.ConnectionID) {
			if err := p.endGrant(tx, g, reason); err != nil {
				return err
			}
		}
	}
	var gone []string
	for s, err := range p.store.Sessions.AllByIndex(tx, "user", userID) {
		if err != nil {
			return err
		}
		if end(s.OrganizationID, s.ConnectionID) {
			gone = append(gone, s.KeyHash)
		}
	}
	slices.Sort(gone)
	for _, key := range gone {
		if err := p.dropSession(tx, key); err != nil {
			return err
		}
	}
	return nil
}
