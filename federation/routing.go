package federation

import (
	"errors"
	"fmt"
	"slices"
	"strings"

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
func (f *Federation) Route(tx store.Tx, q Query) (Routing, error) {
	r, err := f.named(tx, q)
	if err != nil {
		return Routing{}, fmt.Errorf("federation: route: %w", err)
	}
	var open []store.Connection
	for _, c := range r.Candidates {
		ok, err := f.mayUse(tx, c, q)
		if err != nil {
			return Routing{}, fmt.Errorf("federation: route: %w", err)
		}
		if ok {
			open = append(open, c)
		}
	}
	r.Candidates = open
	return r, nil
}

// named are the connections the query is about, before anything is left out.
func (f *Federation) named(tx store.Tx, q Query) (Routing, error) {
	switch {
	case !q.Email.IsZero():
		conns, rule, err := f.owners(tx, q.Email.Domain())
		return Routing{conns, rule}, err
	case q.ConnectionID != "":
		c, err := f.store.Connections.Get(tx, q.ConnectionID)
		if errors.Is(err, store.ErrNotFound) {
			return Routing{}, nil
		}
		return Routing{[]store.Connection{c}, "connection"}, err
	case q.OrganizationID != "":
		conns, err := f.connectionsBy(tx, "organization", q.OrganizationID)
		return Routing{conns, "organization"}, err
	}
	return Routing{}, nil
}

func (f *Federation) mayUse(tx store.Tx, c store.Connection, q Query) (bool, error) {
	switch {
	case c.Disabled,
		q.ConnectionID != "" && c.ID != q.ConnectionID,
		q.OrganizationID != "" && c.OrganizationID != q.OrganizationID,
		len(q.Client.Connections) > 0 && !slices.Contains(q.Client.Connections, c.ID),
		len(q.Client.Organizations) > 0 && !slices.Contains(q.Client.Organizations, c.OrganizationID):
		return false, nil
	}
	org, err := f.store.Organizations.Get(tx, c.OrganizationID)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && !org.Disabled, err
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
	conns, _, err := f.owners(tx, e.Domain())
	if err != nil {
		return false, fmt.Errorf("federation: domain owner: %w", err)
	}
	return slices.ContainsFunc(conns, func(c store.Connection) bool { return c.ID == conn.ID }), nil
}

// owners is the one matcher: the connections of the most specific rule for a
// canonical domain, disabled ones included.
func (f *Federation) owners(tx store.Tx, domain string) ([]store.Connection, string, error) {
	for rule := range rulesFor(domain) {
		conns, err := f.connectionsBy(tx, "domain", rule)
		if err != nil {
			return nil, "", err
		}
		if rule != "*" {
			if conns, err = f.proven(tx, conns, strings.TrimPrefix(rule, "*.")); err != nil {
				return nil, "", err
			}
		}
		if len(conns) > 0 {
			return conns, rule, nil
		}
	}
	return nil, "", nil
}

// rulesFor yields the rules that match a domain, most specific first. Labels
// are the only boundary there is: "*.acme.test" covers sub-domains at any depth
// and neither the apex nor "evilacme.test" (SECURITY-CASES E7).
func rulesFor(domain string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		if !yield(domain) {
			return
		}
		for parent := range parents(domain) {
			if !yield("*." + parent) {
				return
			}
		}
		yield("*")
	}
}

// parents yields the domains above domain, nearest first.
func parents(domain string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for {
			_, rest, found := strings.Cut(domain, ".")
			if !found || !yield(rest) {
				return
			}
			domain = rest
		}
	}
}

// proven keeps the connections whose organization has a verified or asserted
// claim to base or to a domain above it.
func (f *Federation) proven(tx store.Tx, conns []store.Connection, base string) ([]store.Connection, error) {
	var out []store.Connection
	for _, c := range conns {
		ok, err := f.holds(tx, c.OrganizationID, base)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, c)
		}
	}
	return out, nil
}

func (f *Federation) holds(tx store.Tx, organization, domain string) (bool, error) {
	ok, err := f.claims(tx, organization, domain)
	if ok || err != nil {
		return ok, err
	}
	for parent := range parents(domain) {
		if ok, err := f.claims(tx, organization, parent); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

func (f *Federation) claims(tx store.Tx, organization, domain string) (bool, error) {
	d, err := f.store.Domains.Get(tx, store.DomainKey(domain, organization))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil && d.Owned(), err
}

func (f *Federation) connectionsBy(tx store.Tx, index, value string) ([]store.Connection, error) {
	var out []store.Connection
	var page store.Page
	for {
		conns, next, err := f.store.Connections.ByIndex(tx, index, value, page)
		if err != nil {
			return nil, err
		}
		out = append(out, conns...)
		if next == "" {
			return out, nil
		}
		page.Cursor = next
	}
}
