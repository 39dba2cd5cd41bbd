package provisioning

import (
	"slices"

	"gatehouse/federation"
	"gatehouse/profile"
	"gatehouse/store"
)

// maxNamesakes bounds how many people with one address are looked at.
const maxNamesakes = 10

// Namesakes are the active people who have a membership and whose proven address
// is address: in organization, or anywhere for "". This is the one place outside
// of the console that finds anybody by address, and what it finds lets nobody in
// and links nobody: it makes a suggestion to the person, candidates for whoever
// approves, or a note in the audit (DESIGN §8; walls_test.go).
func (p *Provisioner) Namesakes(tx store.Tx, organization string, address profile.Email) (ids []string, err error) {
	if address.IsZero() {
		return nil, nil
	}
	users, _, err := p.store.Users.ByPrefix(tx, "search", store.SearchTerm(address.String()), store.Page{Limit: maxNamesakes})
	if err != nil {
		return nil, err
	}
	for _, u := range users {
		if u.Status != store.UserActive || !u.EmailVerified || mailKey(u.Attributes.Email) != address.Key() {
			continue
		}
		members, err := p.store.Memberships.PeekByIndex(tx, "user", u.ID)
		if err != nil {
			return nil, err
		}
		if len(members) > 0 && (organization == "" || slices.ContainsFunc(members, func(m *store.Membership) bool { return m.OrganizationID == organization })) {
			ids = append(ids, u.ID)
		}
	}
	return ids, nil
}

// Suggestion is asked of a newcomer who may be somebody already: sign in the way
// you did before, and link.
type Suggestion struct {
	// Connections are the ways in that the existing person has.
	Connections []store.Connection
}

// Suggest answers whether a newcomer should be asked. It needs an address that
// the connection owns and vouches for, and exactly one person of the same
// organization who has it proven too: several are nobody (DESIGN §8).
func (p *Provisioner) Suggest(tx store.Tx, id federation.VerifiedIdentity) (Suggestion, error) {
	var none Suggestion
	if !id.Valid() {
		return none, nil
	}
	known, err := p.store.Identities.Has(tx, store.IdentityKey(id.Connection().ID, id.Issuer(), id.Subject()))
	if err != nil || known {
		return none, err
	}
	s := situation{conn: id.Connection()}
	if err := p.emailFacts(tx, id, &s, p.federation.Owns); err != nil || s.email != emailOwned || s.proof != proofGiven {
		return none, err
	}
	ids, err := p.Namesakes(tx, s.conn.OrganizationID, id.Email())
	if err != nil || len(ids) != 1 {
		return none, err
	}
	var out Suggestion
	for i, err := range p.store.Identities.AllByIndex(tx, "user", ids[0]) {
		if err != nil {
			return none, err
		}
		conn, _, connOn, orgOn, err := p.origin(tx, i.ConnectionID)
		if err != nil {
			return none, err
		}
		if connOn && orgOn && conn.ID != s.conn.ID && !slices.ContainsFunc(out.Connections, func(c store.Connection) bool { return c.ID == conn.ID }) {
			out.Connections = append(out.Connections, conn)
		}
	}
	return out, nil
}

// Candidates are the people whom the person of a waiting request may be already,
// for whoever approves.
func (p *Provisioner) Candidates(tx store.Tx, r store.AccessRequest) ([]string, error) {
	address, err := profile.ParseEmail(r.Snapshot.Email)
	if err != nil || !r.EmailVerified || r.State != store.RequestPending || r.Kind != store.RequestJoin {
		return nil, nil //nolint:nilerr // what is no address is nobody's
	}
	return p.Namesakes(tx, r.OrganizationID, address)
}

// conflicts reports whether a person's address changed, at this login, to one
// that somebody else of the organization has (SECURITY-CASES N11). Nothing is
// switched: the identity stays whose it is.
func (p *Provisioner) conflicts(tx store.Tx, id federation.VerifiedIdentity, s situation) (bool, error) {
	if id.Email().IsZero() || mailKey(s.identity.Attributes.Email) == id.Email().Key() {
		return false, nil
	}
	ids, err := p.Namesakes(tx, s.conn.OrganizationID, id.Email())
	return slices.ContainsFunc(ids, func(other string) bool { return other != s.person.ID }), err
}
