package federation

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"gatehouse/store"
)

// Codes of findings, in the order of docs/routing.md.
const (
	FindingUnverified   = "unverified_domain"
	FindingDead         = "dead_rule"
	FindingSameDomain   = "same_domain"
	FindingShadowed     = "shadowed_rule"
	FindingRedundant    = "redundant_rule"
	FindingLookAlike    = "look_alike"
	FindingPublicMail   = "public_mail_domain"
	FindingPublicSuffix = "public_suffix"
	FindingUnrouted     = "unrouted_domain"
)

// Levels of findings.
const (
	LevelWarning = "warning" // somebody does not get where they should, or could be led astray
	LevelNote    = "note"    // maybe meant so
)

// Finding is something about the routing rules that deserves a look.
type Finding struct {
	Code  string
	Level string
	// Rule it is about: a routing rule, or a domain.
	Rule string
	// Connections with the rule, by id; for shadowing and look-alikes also
	// those of the other rule. Organization holds an unrouted domain.
	Connections  []string
	Organization string
	Problem, Fix string
}

// Lint looks at all rules and proven domains. It reads everything once; 50,000
// rules take a moment, not a transaction's worth of lookups each. Findings are
// sorted: warnings first, then by rule.
func (f *Federation) Lint(tx store.Tx) ([]Finding, error) {
	l := linter{organizations: map[string]bool{}}
	var err error
	if l.conns, err = collect(f.store.Connections.All(tx)); err != nil {
		return nil, fmt.Errorf("federation: lint: %w", err)
	}
	if l.domains, err = collect(f.store.Domains.All(tx)); err != nil {
		return nil, fmt.Errorf("federation: lint: %w", err)
	}
	orgs, err := collect(f.store.Organizations.All(tx))
	if err != nil {
		return nil, fmt.Errorf("federation: lint: %w", err)
	}
	for _, o := range orgs {
		l.organizations[o.ID] = !o.Disabled
	}
	return l.run()
}

func collect[T any](all iter.Seq2[T, error]) (out []T, err error) {
	for x, err := range all {
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

type linter struct {
	conns         []store.Connection
	domains       []store.Domain
	organizations map[string]bool // true: on
	book          *rulesInMemory
	findings      []Finding
}

func (l *linter) run() ([]Finding, error) {
	l.book = compileRules(l.conns, l.domains)
	rules := map[string]bool{}
	for _, c := range l.conns {
		for _, rule := range c.Domains {
			rules[rule] = true
		}
	}
	for rule := range rules {
		if err := l.rule(rule); err != nil {
			return nil, fmt.Errorf("federation: lint: %w", err)
		}
	}
	l.unrouted()
	l.lookAlikes()
	slices.SortFunc(l.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(b.Level, a.Level), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Code, b.Code), slices.Compare(a.Connections, b.Connections))
	})
	return l.findings, nil
}

func (l *linter) add(f Finding) { l.findings = append(l.findings, f) }

// rule looks at all that one rule does.
func (l *linter) rule(rule string) error {
	base, wildcard := splitRule(rule)
	holders, err := l.book.holders(base, wildcard)
	if err != nil {
		return err
	}
	var good, bad []*store.Connection
	for _, c := range holders {
		ok, err := proven(l.book, c.OrganizationID, base)
		if err != nil {
			return err
		}
		if ok {
			good = append(good, c)
		} else {
			bad = append(bad, c)
		}
	}
	if len(bad) > 0 {
		l.add(Finding{
			Code: FindingUnverified, Level: LevelWarning, Rule: rule, Connections: ids(bad),
			Problem: "the organization has not proven the domain, so the rule does not count",
			Fix:     "verify the domain, or have an owner assert it",
		})
	}
	if base != "" {
		l.address(rule, base, wildcard, holders)
	}
	if len(good) == 0 {
		return nil
	}
	if len(good) > 1 {
		level, problem := LevelNote, "people choose between several connections"
		if slices.ContainsFunc(good, func(c *store.Connection) bool { return c.OrganizationID != good[0].OrganizationID }) {
			level, problem = LevelWarning, "people choose between connections of different organizations"
		}
		l.add(Finding{
			Code: FindingSameDomain, Level: level, Rule: rule, Connections: ids(good), Problem: problem,
			Fix: "keep the rule in one connection, unless people are meant to choose",
		})
	}
	if !slices.ContainsFunc(good, l.open) {
		l.add(Finding{
			Code: FindingDead, Level: LevelWarning, Rule: rule, Connections: ids(good),
			Problem: "it wins, and nobody gets in: its connections or organizations are off, and nothing less specific takes over",
			Fix:     "turn one on, or remove the rule",
		})
	}
	return l.above(rule, base, wildcard, good)
}

// open reports whether a login can go to the connection at all.
func (l *linter) open(c *store.Connection) bool {
	return !c.Disabled && c.Grant == "" && l.organizations[c.OrganizationID]
}

// address looks at the domain of a rule itself.
func (l *linter) address(rule, base string, wildcard bool, holders []*store.Connection) {
	var asked []*store.Connection // those that did not say they mean it
	for _, c := range holders {
		if !c.AllowPublicDomains {
			asked = append(asked, c)
		}
	}
	if public, ok := PublicMail(base); ok {
		level, of := LevelNote, holders
		if len(asked) > 0 {
			level, of = LevelWarning, asked
		}
		l.add(Finding{
			Code: FindingPublicMail, Level: level, Rule: rule, Connections: ids(of),
			Problem: "anybody can get an address at " + public, Fix: "remove the rule, or let newcomers wait for approval",
		})
	}
	if suffix, icann := publicsuffix.PublicSuffix(base); wildcard && icann && suffix == base {
		l.add(Finding{
			Code: FindingPublicSuffix, Level: LevelWarning, Rule: rule, Connections: ids(holders),
			Problem: "anybody can register a domain below " + base, Fix: "list the company's own domains",
		})
	}
}

// above finds the next less specific rule that counts: what this rule takes
// away from it.
func (l *linter) above(rule, base string, wildcard bool, good []*store.Connection) error {
	if base == "" {
		return nil
	}
	name := base
	if wildcard {
		name = "x." + base // any name that the rule covers
	}
	var below, next []*store.Connection
	nextRule := ""
	for m, err := range matches(l.book, name, true) {
		switch {
		case err != nil:
			return err
		case m.rule == rule:
			below = append(below, m.conn)
		case m.standing != outranked || len(below) == 0 || nextRule != "" && m.rule != nextRule:
			continue
		}
		if m.rule == rule || m.rule == "*" {
			continue
		}
		b, _ := splitRule(m.rule)
		ok, err := proven(l.book, m.conn.OrganizationID, b)
		if err != nil {
			return err
		}
		if ok {
			nextRule, next = m.rule, append(next, m.conn)
		}
	}
	if len(next) == 0 {
		return nil
	}
	if slices.Equal(ids(good), ids(next)) {
		l.add(Finding{
			Code: FindingRedundant, Level: LevelNote, Rule: rule, Connections: ids(good),
			Problem: nextRule + " leads to the same place", Fix: "remove it; nothing changes",
		})
		return nil
	}
	level := LevelNote
	if slices.ContainsFunc(good, func(c *store.Connection) bool { return c.OrganizationID != next[0].OrganizationID }) {
		level = LevelWarning
	}
	l.add(Finding{
		Code: FindingShadowed, Level: level, Rule: nextRule, Connections: both(ids(next), ids(good)),
		Problem: fmt.Sprintf("does not see addresses of %s: %s (%s) is more specific", rule, rule, strings.Join(ids(good), ", ")),
		Fix:     "remove the more specific rule, unless it is meant so",
	})
	return nil
}

func ids(conns []*store.Connection) []string {
	var out []string
	for _, c := range conns {
		out = append(out, c.ID)
	}
	return out
}

// unrouted finds proven domains whose people have nowhere to go.
func (l *linter) unrouted() {
	for _, d := range l.domains {
		if !d.Owned() {
			continue
		}
		here := slices.ContainsFunc(l.book.exact[d.Name], func(c *store.Connection) bool { return c.OrganizationID == d.OrganizationID }) ||
			slices.ContainsFunc(l.book.wild[d.Name], func(c *store.Connection) bool { return c.OrganizationID == d.OrganizationID })
		for parent := range parents(d.Name) {
			here = here || slices.ContainsFunc(l.book.wild[parent], func(c *store.Connection) bool { return c.OrganizationID == d.OrganizationID })
		}
		if !here {
			l.add(Finding{
				Code: FindingUnrouted, Level: LevelNote, Rule: d.Name, Organization: d.OrganizationID,
				Problem: "is proven, and no connection of its organization has a rule for it", Fix: "add it to a connection, or give the domain up",
			})
		}
	}
}
