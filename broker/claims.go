package broker

import (
	"slices"
	"sort"

	"gatehouse/profile"
	"gatehouse/provisioning"
	"gatehouse/store"
)

// claim is one claim about a person: the scope that asks for it, and its value;
// nil leaves it out.
type claim struct {
	name  string
	scope string
	value func(person) any
}

// person is what the gate said about the user, unpacked once.
type person struct {
	user       store.User
	org        store.Organization
	membership store.Membership
}

func personOf(s provisioning.Standing) person {
	return person{user: s.User(), org: s.Organization(), membership: s.Membership()}
}

// claims lists every claim about a person (OpenID Connect Core §5.1 and ours).
func claims() []claim {
	list := []claim{
		{"name", scopeProfile, func(p person) any { return text(fullName(p.user.Attributes)) }},
		{"given_name", scopeProfile, func(p person) any { return text(p.user.Attributes.FirstName) }},
		{"family_name", scopeProfile, func(p person) any { return text(p.user.Attributes.LastName) }},
		{"picture", scopeProfile, func(p person) any { return text(p.user.Attributes.Picture) }},
		{"updated_at", scopeProfile, func(p person) any { return p.user.UpdatedAt.Unix() }},
		{"email", scopeEmail, func(p person) any { return text(p.user.Attributes.Email) }},
		{"email_verified", scopeEmail, func(p person) any {
			if p.user.Attributes.Email == "" {
				return nil
			}
			return p.user.EmailVerified
		}},
		{"phone_number", scopePhone, func(p person) any { return text(p.user.Attributes.Phone) }},
		{"phone_number_verified", scopePhone, func(p person) any {
			if v := p.user.Attributes.Custom["phone_number_verified"]; len(v) == 1 && p.user.Attributes.Phone != "" {
				return v[0] == "true"
			}
			return nil
		}},
		{"org", scopeOrganization, func(p person) any { return text(p.org.ID) }},
		{"org_title", scopeOrganization, func(p person) any { return text(p.org.Title) }},
		{"roles", scopeRoles, func(p person) any {
			if p.membership.Role == "" {
				return nil
			}
			return []string{p.membership.Role}
		}},
		{"groups", scopeGroups, func(p person) any {
			if len(p.membership.Groups) == 0 {
				return nil
			}
			return p.membership.Groups
		}},
		{"attributes", scopeAttributes, func(p person) any { return customAttributes(p.user.Attributes) }},
	}
	for _, name := range passedProfileClaims() {
		list = append(list, claim{name, scopeProfile, func(p person) any {
			if v := p.user.Attributes.Custom[name]; len(v) == 1 {
				return text(v[0])
			}
			return nil
		}})
	}
	return list
}

// passedProfileClaims are standard claims of the profile scope that Gatehouse
// itself makes nothing of: they pass through when the connection selects a
// custom attribute of that name.
func passedProfileClaims() []string {
	return []string{
		"middle_name", "nickname", "preferred_username", "profile", "website",
		"gender", "birthdate", "zoneinfo", "locale",
	}
}

func customAttributes(a profile.Attributes) any {
	out := map[string][]string{}
	for name, v := range a.Custom {
		if name != "phone_number_verified" && !slices.Contains(passedProfileClaims(), name) {
			out[name] = v
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func fullName(a profile.Attributes) string {
	switch {
	case a.DisplayName != "":
		return a.DisplayName
	case a.FirstName != "" && a.LastName != "":
		return a.FirstName + " " + a.LastName
	}
	return a.FirstName + a.LastName
}

// text leaves empty strings out (conformance: no empty claim).
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// addClaims puts the claims into out that a scope or a name asks for.
func (b *Broker) addClaims(out map[string]any, p person, scopes, names []string) {
	for _, c := range b.claims {
		if slices.Contains(scopes, c.scope) || slices.Contains(names, c.name) {
			if v := c.value(p); v != nil {
				out[c.name] = v
			}
		}
	}
}

// claimNames is claims_supported of discovery.
func (b *Broker) claimNames() []string {
	out := []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid"}
	for _, c := range b.claims {
		out = append(out, c.name)
	}
	sort.Strings(out)
	return out
}
