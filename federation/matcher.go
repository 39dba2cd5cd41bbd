package federation

import (
	"iter"
	"strings"

	"gatehouse/store"
)

// rulebook is where the matcher reads: the store inside a transaction, or a
// book in memory.
type rulebook interface {
	// holders are the connections with a rule: base itself, or "*."+base;
	// base "" is the rule "*". They are shared: nobody alters them.
	holders(base string, wildcard bool) ([]*store.Connection, error)
	// claims reports whether the organization's claim to exactly domain is proven.
	claims(organization, domain string) (bool, error)
}

// standing is how a connection's rule stands for a domain.
type standing int

const (
	wins standing = iota
	unproven
	outranked // a more specific rule has won
)

// match is one connection whose rule covers a domain.
type match struct {
	conn     *store.Connection
	rule     string
	standing standing
}

// matches is the one matcher: every connection with a rule that covers the
// canonical domain, most specific rule first; unless all are asked for, it stops
// after the rule that wins. Labels are the only boundary there is: "*.acme.test"
// covers sub-domains at any depth and neither the apex nor "evilacme.test"
// (SECURITY-CASES E7).
func matches(book rulebook, domain string, all bool) iter.Seq2[match, error] {
	return func(yield func(match, error) bool) {
		won := false
		// rule yields the holders of one rule and reports whether to go on.
		rule := func(base string, wildcard bool) bool {
			conns, err := book.holders(base, wildcard)
			if err != nil {
				yield(match{}, err)
				return false
			}
			here := won
			for _, c := range conns {
				m := match{conn: c, rule: ruleText(base, wildcard), standing: outranked}
				if !won {
					ok, err := proven(book, c.OrganizationID, base)
					if err != nil {
						yield(match{}, err)
						return false
					}
					if m.standing = unproven; ok {
						m.standing, here = wins, true
					}
				}
				if !yield(m, nil) {
					return false
				}
			}
			won = here
			return all || !won
		}
		if !rule(domain, false) {
			return
		}
		for parent := range parents(domain) {
			if !rule(parent, true) {
				return
			}
		}
		rule("", true)
	}
}

func ruleText(base string, wildcard bool) string {
	switch {
	case base == "":
		return "*"
	case wildcard:
		return "*." + base
	}
	return base
}

// parents yields the domains above domain, nearest first.
func parents(domain string) iter.Seq[string] {
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

// proven reports whether the organization has a verified or asserted claim to
// base or to a domain above it. "*" needs none.
func proven(book rulebook, organization, base string) (bool, error) {
	if base == "" {
		return true, nil
	}
	if ok, err := book.claims(organization, base); ok || err != nil {
		return ok, err
	}
	for parent := range parents(base) {
		if ok, err := book.claims(organization, parent); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// storedRules reads rules in a transaction. It only looks at records, without
// copying them: most are not handed on, and a connection is large.
type storedRules struct {
	store *store.Store
	tx    store.Tx
}

func (f *Federation) rulebook(tx store.Tx) storedRules { return storedRules{f.store, tx} }

func (s storedRules) holders(base string, wildcard bool) ([]*store.Connection, error) {
	return s.store.Connections.PeekByIndex(s.tx, "domain", ruleText(base, wildcard))
}

func (s storedRules) claims(organization, domain string) (bool, error) {
	d, err := s.store.Domains.Peek(s.tx, store.DomainKey(domain, organization))
	return d != nil && d.Owned(), err
}

// rulesInMemory is a rulebook of all rules, for walking many domains.
type rulesInMemory struct {
	exact, wild map[string][]*store.Connection
	proofs      map[proof]bool
}

type proof struct{ organization, domain string }

// compileRules reads connections in key order, which is the order of an index.
func compileRules(conns []store.Connection, domains []store.Domain) *rulesInMemory {
	m := &rulesInMemory{
		exact: map[string][]*store.Connection{}, wild: map[string][]*store.Connection{}, proofs: make(map[proof]bool, len(domains)),
	}
	for i := range conns {
		c := &conns[i]
		for _, rule := range c.Domains {
			base, wildcard := splitRule(rule)
			rules := m.exact
			if wildcard {
				rules = m.wild
			}
			if held := rules[base]; len(held) == 0 || held[len(held)-1] != c {
				rules[base] = append(held, c)
			}
		}
	}
	for _, d := range domains {
		if d.Owned() {
			m.proofs[proof{d.OrganizationID, d.Name}] = true
		}
	}
	return m
}

// splitRule takes a rule apart as rulebooks want it.
func splitRule(rule string) (base string, wildcard bool) {
	if rule == "*" {
		return "", true
	}
	return strings.CutPrefix(rule, "*.")
}

func (m *rulesInMemory) holders(base string, wildcard bool) ([]*store.Connection, error) {
	if wildcard {
		return m.wild[base], nil
	}
	return m.exact[base], nil
}

func (m *rulesInMemory) claims(organization, domain string) (bool, error) {
	return m.proofs[proof{organization, domain}], nil
}
