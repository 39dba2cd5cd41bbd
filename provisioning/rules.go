package provisioning

import (
	"slices"

	"gatehouse/profile"
	"gatehouse/store"
)

// matchRule is the first admission rule that fits a newcomer: it names the
// connection, an attribute as the connection's selectors name it, and one exact
// value. Nothing is folded, split or searched. A missing attribute matches
// nothing, and neither does a rule that lacks a part (SECURITY-CASES G1, G3).
func matchRule(rules []store.AdmissionRule, conn store.Connection, a profile.Attributes) (store.AdmissionRule, bool) {
	for _, r := range rules {
		if r.ConnectionID == "" || r.Value == "" || r.ConnectionID != conn.ID {
			continue
		}
		if slices.Contains(attribute(a, r.Attribute), r.Value) {
			return r, true
		}
	}
	return store.AdmissionRule{}, false
}

// attribute are the values of an attribute by the name selectors use for it.
func attribute(a profile.Attributes, name string) []string {
	one := map[string]string{
		"federation_id": a.FederationID, "first_name": a.FirstName, "last_name": a.LastName, "display_name": a.DisplayName,
		"email": a.Email, "phone": a.Phone, "picture": a.Picture,
	}
	if v, ok := one[name]; ok {
		return []string{v}
	}
	return a.Custom[name]
}

// grant is what somebody gets who comes in.
type grant struct {
	role            string
	groups, clients []string
	by              string // recorded as the user's creator
	rule            store.AdmissionRule
}

// newcomerGrant is what a newcomer would get: the organization's automatic
// groups and apps, and the invitation's or else the rule's besides. A role above
// user comes from an invitation, or from a rule that says so and admits by
// itself; an organization's default role above user is for approvals, where
// somebody looks (G1). Every evaluation that fails ends at role user (G3).
func (s situation) newcomerGrant() grant {
	g := grant{
		role: store.RoleUser, groups: slices.Clone(s.org.AutomaticGroups), clients: slices.Clone(s.org.AutomaticClients),
		by: s.org.JoinActor, rule: s.grant.rule,
	}
	if g.by == "" {
		g.by = "system"
	}
	switch {
	case s.facts.invitation == invitationProven:
		i := s.invitation
		g.role, g.groups, g.clients, g.by = roleOr(i.Role), union(g.groups, i.Groups), union(g.clients, i.Clients), i.InvitedBy
	case s.rule == ruleAutomatic:
		r := g.rule
		g.role, g.groups, g.clients, g.by = roleOr(r.Role), union(g.groups, r.Groups), union(g.clients, r.Clients), "rule:"+r.Name
	}
	return g
}

// roleOr reads a role; what is none is user.
func roleOr(role string) string {
	if Role(role) {
		return role
	}
	return store.RoleUser
}

// Role reports whether it is a role of a membership.
func Role(role string) bool {
	return role == store.RoleUser || role == store.RoleAdmin || role == store.RoleOwner
}

func union(a, b []string) []string {
	for _, v := range b {
		if !slices.Contains(a, v) {
			a = append(a, v)
		}
	}
	return a
}
