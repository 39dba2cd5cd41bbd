package federation

import (
	"fmt"
	"iter"
	"slices"

	"gatehouse/profile"
	"gatehouse/store"
)

// Query asks which connection a login goes to. With an Email its domain decides
// and the other fields only narrow; without, OrganizationID or ConnectionID
// name the connections themselves. Client's allow-lists always apply.
type Query struct {
	Email          profile.Email
	OrganizationID string
	ConnectionID   string
	Client         store.Client
}

// Routing is the answer: no candidate, one to go to, or several to choose from.
// Disabled connections and organizations never appear.
type Routing struct {
	Candidates []store.Connection
	// Rule that won: "acme.test", "*.acme.test" or "*"; "connection" or
	// "organization" when the query named them; "" when nothing matched. It is
	// set also when the rule's connections are all disabled or not allowed.
	Rule string
}

// Route finds the candidates. Precedence: the exact domain before wildcards, a
// wildcard with more labels before one with fewer, "*" last. A rule counts only
// when the connection's organization has proven the domain (or a parent of it).
// The most specific rule that counts wins even if its connections are disabled
// or not allowed for the client: nothing falls through to a less specific one.
// docs/routing.md has it as a table. [Federation.Explain] is the same walk, to
// its end.
func (f *Federation) Route(tx store.Tx, q Query) (Routing, error) {
	r := Routing{Rule: q.named()}
	for v, err := range f.verdicts(tx, q, false) {
		if err != nil {
			return Routing{}, fmt.Errorf("federation: route: %w", err)
		}
		if v.reason != ReasonUnproven {
			r.Rule = v.rule
		}
		if v.reason == ReasonWon {
			r.Candidates = append(r.Candidates, f.store.Connections.Copy(v.conn))
		}
	}
	return r, nil
}

// named is the rule of a query that finds nothing: that of the organization
// stands even when it has no connection.
func (q Query) named() string {
	if q.Email.IsZero() && q.ConnectionID == "" && q.OrganizationID != "" {
		return "organization"
	}
	return ""
}

// Owns reports whether conn may vouch for addresses of e's domain: whether conn
// is among those that the domain is routed to by the most specific rule
// (SECURITY-CASES E9, E10). Disabled connections still own their domains, so
// that "*" does not inherit them; whether conn may be used at all is asked
// elsewhere. The stored record decides, not the copy in conn.
func (f *Federation) Owns(tx store.Tx, conn store.Connection, e profile.Email) (bool, error) {
	if e.IsZero() {
		return false, nil
	}
	return owns(f.rulebook(tx), conn.ID, e)
}

func owns(book rulebook, connectionID string, e profile.Email) (bool, error) {
	for m, err := range matches(book, e.Domain(), false) {
		if err != nil {
			return false, fmt.Errorf("federation: domain owner: %w", err)
		}
		if m.standing == wins && m.conn.ID == connectionID {
			return true, nil
		}
	}
	return false, nil
}

// verdict is one connection a query came upon, and what became of it. The
// record is shared: a copy leaves this package.
type verdict struct {
	conn   *store.Connection
	rule   string
	reason Reason
}

// verdicts walks what a query comes upon, in order of precedence: until a rule
// has won, or all of it.
func (f *Federation) verdicts(tx store.Tx, q Query, all bool) iter.Seq2[verdict, error] {
	return func(yield func(verdict, error) bool) {
		for m, err := range f.considered(tx, q, all) {
			v := verdict{conn: m.conn, rule: m.rule}
			if err == nil {
				switch m.standing {
				case unproven:
					v.reason = ReasonUnproven
				case outranked:
					v.reason = ReasonLessSpecific
				default:
					v.reason, err = f.admits(tx, m.conn, q)
				}
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// considered are the connections the query is about, before anything is left out.
func (f *Federation) considered(tx store.Tx, q Query, all bool) iter.Seq2[match, error] {
	if !q.Email.IsZero() {
		return matches(f.rulebook(tx), q.Email.Domain(), all)
	}
	return func(yield func(match, error) bool) {
		switch {
		case q.ConnectionID != "":
			c, err := f.store.Connections.Peek(tx, q.ConnectionID)
			if c != nil || err != nil {
				yield(match{conn: c, rule: "connection"}, err)
			}
		case q.OrganizationID != "":
			conns, err := f.store.Connections.PeekByIndex(tx, "organization", q.OrganizationID)
			if err != nil {
				yield(match{}, err)
				return
			}
			for _, c := range conns {
				if !yield(match{conn: c, rule: "organization"}, nil) {
					return
				}
			}
		}
	}
}

// admits says whether a connection of the winning rule may be used, else why not.
func (f *Federation) admits(tx store.Tx, c *store.Connection, q Query) (Reason, error) {
	switch {
	case c.Disabled:
		return ReasonDisabled, nil
	case c.Grant != "":
		return ReasonNoBrowser, nil
	case q.ConnectionID != "" && c.ID != q.ConnectionID:
		return ReasonOtherConnection, nil
	case q.OrganizationID != "" && c.OrganizationID != q.OrganizationID:
		return ReasonOtherOrganization, nil
	case len(q.Client.Connections) > 0 && !slices.Contains(q.Client.Connections, c.ID):
		return ReasonConnectionNotAllowed, nil
	case c.ServerOnly && q.Client.Public():
		return ReasonServerOnly, nil
	case len(q.Client.Organizations) > 0 && !slices.Contains(q.Client.Organizations, c.OrganizationID):
		return ReasonOrganizationNotAllowed, nil
	}
	org, err := f.store.Organizations.Peek(tx, c.OrganizationID)
	switch {
	case err != nil:
		return "", err
	case org == nil:
		return ReasonOrganizationGone, nil
	case org.Disabled:
		return ReasonOrganizationDisabled, nil
	}
	return ReasonWon, nil
}
