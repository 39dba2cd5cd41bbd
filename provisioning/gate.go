package provisioning

import (
	"fmt"
	"slices"

	"gatehouse/profile"
	"gatehouse/store"
)

// Standing is proof that, at the moment of one transaction, a user might hold
// tokens for a client through a connection. Authorize alone makes one; the
// token issuer takes nothing else (DESIGN §9.6).
type Standing struct {
	user       store.User
	client     store.Client
	connection store.Connection
	org        store.Organization
	membership store.Membership
}

// Valid is false for the zero value.
func (s Standing) Valid() bool { return s.user.ID != "" && s.client.ID != "" }

// User is the person.
func (s Standing) User() store.User { return s.user }

// Client is the app.
func (s Standing) Client() store.Client { return s.client }

// Connection is where the person signed in.
func (s Standing) Connection() store.Connection { return s.connection }

// Organization is the connection's organization.
func (s Standing) Organization() store.Organization { return s.org }

// Membership is the user's in that organization.
func (s Standing) Membership() store.Membership { return s.membership }

// Authorize is the one gate: it runs at code issue, redemption, refresh,
// exchange, introspection and userinfo. It needs an active user with an
// identity at the connection (of an address it may still vouch for) and a
// membership in its organization, a client that is on, meant for both and, where
// it has to be given, given to the person; a connection and an organization that
// are on, with signing in not switched off.
// Anything else is a *NotAllowedError (errors.Is ErrNotAllowed) that names the
// first thing missing; other errors are the store's.
func (p *Provisioner) Authorize(tx store.Tx, userID, clientID, connectionID string) (Standing, error) {
	s, reason, err := p.standing(tx, userID, clientID, connectionID, false)
	switch {
	case err != nil:
		return Standing{}, fmt.Errorf("provisioning: gate: %w", err)
	case reason != "":
		return Standing{}, notAllowed(reason)
	}
	return s, nil
}

// standing looks at everything the gate demands; without an app at everything
// else.
func (p *Provisioner) standing(tx store.Tx, userID, clientID, connectionID string, noApp bool) (s Standing, missing Reason, err error) {
	var ok, orgOn bool
	if s.connection, s.org, ok, orgOn, err = p.origin(tx, connectionID); err != nil {
		return s, "", err
	}
	switch {
	case !ok:
		return s, ReasonConnection, nil
	case !orgOn:
		return s, ReasonOrganization, nil
	case s.org.SignInOff:
		return s, ReasonSignInOff, nil
	}
	if !noApp {
		s.client, err = p.store.Clients.Get(tx, clientID)
		if ok, err = present(err); err != nil {
			return s, "", err
		}
		switch {
		case !ok || s.client.Disabled:
			return s, ReasonClient, nil
		case !ClientFor(s.client, s.connection):
			return s, ReasonClientNotAllowed, nil
		}
	}
	s.user, err = p.store.Users.Get(tx, userID)
	if ok, err = present(err); err != nil {
		return s, "", err
	}
	switch {
	case !ok:
		return s, ReasonUserRemoved, nil
	case s.user.Status != store.UserActive:
		return s, ReasonUserDisabled, nil
	}
	s.membership, err = p.store.Memberships.Get(tx, store.MembershipKey(s.org.ID, userID))
	if ok, err = present(err); err != nil {
		return s, "", err
	}
	switch {
	case !ok:
		return s, ReasonNotMember, nil
	case s.client.RequireAssignment && !slices.Contains(s.membership.Clients, clientID):
		return s, ReasonAppNotAssigned, nil
	}
	missing, err = p.identityAt(tx, userID, s.connection)
	return s, missing, err
}

// identityAt asks whether the user still has an identity at the connection, of
// an address the connection may still vouch for: a domain that moved takes its
// people's tokens along (SECURITY-CASES T5, E13).
func (p *Provisioner) identityAt(tx store.Tx, userID string, conn store.Connection) (missing Reason, err error) {
	missing = ReasonNoIdentityHere
	for i, err := range p.store.Identities.AllByIndex(tx, "user", userID) {
		if err != nil {
			return "", err
		}
		if i.ConnectionID != conn.ID {
			continue
		}
		owned, err := p.mayVouch(tx, conn, i.Attributes.Email)
		if err != nil || owned {
			return "", err
		}
		missing = ReasonForeignEmail
	}
	return missing, nil
}

// mayVouch reports whether conn may speak for a stored address; none is fine.
func (p *Provisioner) mayVouch(tx store.Tx, conn store.Connection, address string) (bool, error) {
	if address == "" {
		return true, nil
	}
	e, err := profile.ParseEmail(address)
	if err != nil {
		return false, nil //nolint:nilerr // what is no address belongs to nobody
	}
	return p.owned(tx, conn, e, p.federation.Owns)
}
