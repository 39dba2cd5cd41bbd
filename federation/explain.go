package federation

import (
	"fmt"

	"gatehouse/store"
)

// Reason says what became of a connection that routing came upon.
type Reason string

// Reasons, in the order of docs/routing.md.
const (
	ReasonWon                    Reason = "won"
	ReasonUnproven               Reason = "domain_not_proven"
	ReasonLessSpecific           Reason = "less_specific"
	ReasonDisabled               Reason = "disabled"
	ReasonNoBrowser              Reason = "no_browser"
	ReasonOtherConnection        Reason = "other_connection"
	ReasonOtherOrganization      Reason = "other_organization"
	ReasonConnectionNotAllowed   Reason = "connection_not_allowed"
	ReasonServerOnly             Reason = "server_only"
	ReasonOrganizationNotAllowed Reason = "organization_not_allowed"
	ReasonOrganizationGone       Reason = "organization_gone"
	ReasonOrganizationDisabled   Reason = "organization_disabled"
)

// Reasons lists all of them.
func Reasons() []Reason {
	return []Reason{
		ReasonWon, ReasonUnproven, ReasonLessSpecific, ReasonDisabled, ReasonNoBrowser, ReasonOtherConnection, ReasonOtherOrganization,
		ReasonConnectionNotAllowed, ReasonServerOnly, ReasonOrganizationNotAllowed, ReasonOrganizationGone, ReasonOrganizationDisabled,
	}
}

// Sentence is the reason in words.
func (r Reason) Sentence() string {
	switch r {
	case ReasonWon:
		return "The login goes here."
	case ReasonUnproven:
		return "Its organization has not proven the domain, so the rule does not count."
	case ReasonLessSpecific:
		return "A more specific rule has won."
	case ReasonDisabled:
		return "The rule wins, and the connection is off."
	case ReasonNoBrowser:
		return "The rule wins, and the connection is for apps without browser."
	case ReasonOtherConnection:
		return "The rule wins, and the app asked for another connection."
	case ReasonOtherOrganization:
		return "The rule wins, and the app asked for another organization."
	case ReasonConnectionNotAllowed:
		return "The rule wins, and the app does not take this connection."
	case ReasonServerOnly:
		return "The rule wins, and the connection takes no app that cannot keep a secret."
	case ReasonOrganizationNotAllowed:
		return "The rule wins, and the app does not take this organization."
	case ReasonOrganizationGone:
		return "The rule wins, and the organization is gone."
	case ReasonOrganizationDisabled:
		return "The rule wins, and the organization is off."
	}
	return string(r)
}

// Explanation is what Route does, with all that it came upon on the way.
type Explanation struct {
	// Rule that won, as in Routing.
	Rule string
	// Considered are all connections with a rule that covers the address, in
	// order of precedence. Those with ReasonWon are Routing's candidates.
	Considered []Considered
}

// Considered is one connection and what became of it.
type Considered struct {
	Connection store.Connection
	Rule       string
	Reason     Reason
}

// Winners are the candidates.
func (e Explanation) Winners() []store.Connection {
	var out []store.Connection
	for _, c := range e.Considered {
		if c.Reason == ReasonWon {
			out = append(out, c.Connection)
		}
	}
	return out
}

// Explain says where a login goes and why not elsewhere. It is Route's own
// walk, which goes on to the end instead of stopping when all is decided.
func (f *Federation) Explain(tx store.Tx, q Query) (Explanation, error) {
	e := Explanation{Rule: q.named()}
	for v, err := range f.verdicts(tx, q, true) {
		if err != nil {
			return Explanation{}, fmt.Errorf("federation: explain: %w", err)
		}
		if v.reason != ReasonLessSpecific && v.reason != ReasonUnproven {
			e.Rule = v.rule
		}
		e.Considered = append(e.Considered, Considered{Connection: f.store.Connections.Copy(v.conn), Rule: v.rule, Reason: v.reason})
	}
	return e, nil
}
