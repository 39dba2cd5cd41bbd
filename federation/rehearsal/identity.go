package rehearsal

import (
	"cmp"
	"maps"
	"slices"

	"gatehouse/federation"
	"gatehouse/profile"
	"gatehouse/store"
)

// Saw fills in what the provider answered and what each selector made of it.
func (r *Result) Saw(conn store.Connection, seen federation.Seen) {
	for _, a := range seen.Answers {
		d := r.Read(a.Endpoint, a.From, a.Status, a.MediaType, a.Body)
		if a.Endpoint == "token" {
			r.Token = append(r.Token, d)
		} else {
			r.Profile = append(r.Profile, d)
		}
	}
	if raw := seen.Documents.IDToken; raw != nil {
		r.Token = append(r.Token, r.Read("id_token", "", 0, "", raw))
	}
	sel := conn.Selectors
	if sel.FederationID.Path == "" && sel.Email.Path == "" && len(sel.Custom) == 0 {
		sel = profile.DefaultSelectors()
	}
	compiled, err := profile.Compile(sel)
	if err != nil || seen.Documents.IDToken == nil && seen.Documents.Profile == nil && seen.Documents.TokenResponse == nil {
		return
	}
	attributes, result, err := compiled.Select(seen.Documents)
	r.Identity.Verified = result.EmailVerified.String()
	for _, s := range selectorsOf(sel) {
		r.Identity.Selectors = append(r.Identity.Selectors, r.selection(s, seen.Documents, attributes, result, err))
	}
	for _, w := range result.Warnings {
		r.Warn(w)
	}
}

// Warn adds a warning of ours.
func (r *Result) Warn(sentence string) {
	if s := r.clean(sentence); !slices.Contains(r.Warnings, s) && len(r.Warnings) < 100 {
		r.Warnings = append(r.Warnings, s)
	}
}

type named struct {
	name     string
	selector profile.Selector
	values   func(profile.Attributes) []string
}

func selectorsOf(s profile.Selectors) []named {
	one := func(get func(profile.Attributes) string) func(profile.Attributes) []string {
		return func(a profile.Attributes) []string {
			if v := get(a); v != "" {
				return []string{v}
			}
			return nil
		}
	}
	all := []named{
		{"federation_id", s.FederationID, one(func(a profile.Attributes) string { return a.FederationID })},
		{"first_name", s.FirstName, one(func(a profile.Attributes) string { return a.FirstName })},
		{"last_name", s.LastName, one(func(a profile.Attributes) string { return a.LastName })},
		{"display_name", s.DisplayName, one(func(a profile.Attributes) string { return a.DisplayName })},
		{"email", s.Email, one(func(a profile.Attributes) string { return a.Email })},
		{"email_verified", s.EmailVerified, func(profile.Attributes) []string { return nil }},
		{"phone", s.Phone, one(func(a profile.Attributes) string { return a.Phone })},
		{"picture", s.Picture, one(func(a profile.Attributes) string { return a.Picture })},
	}
	for _, name := range slices.Sorted(maps.Keys(s.Custom)) {
		all = append(all, named{"custom." + name, s.Custom[name], func(a profile.Attributes) []string { return a.Custom[name] }})
	}
	return slices.DeleteFunc(all, func(n named) bool { return n.selector.Path == "" })
}

func (r *Result) selection(n named, docs profile.Documents, a profile.Attributes, result profile.Result, failed error) Selection {
	out := Selection{Attribute: n.name, Path: n.selector.Path, Source: string(n.selector.Source), Optional: n.selector.Optional, Values: []Value{}}
	for _, h := range result.Hits {
		if h.Attribute == n.name {
			out.Matched, out.Source = true, string(h.Source)
		}
	}
	for _, m := range result.Misses {
		if m.Attribute == n.name {
			out.Why, out.Source = r.clean(m.Why), cmp.Or(string(m.Source), out.Source)
		}
	}
	if out.Matched {
		for i, v := range n.values(a) {
			if i == 20 {
				break
			}
			out.Values = append(out.Values, r.value(n.name, n.name, v))
		}
		if n.name == "email_verified" {
			out.Values = append(out.Values, r.value(n.name, n.name, result.EmailVerified == profile.True))
		}
		return out
	}
	if out.Why == "" {
		out.Why = "matched nothing"
		if failed != nil && n.name != "federation_id" {
			out.Why = "was not looked for: the federation id comes first"
		}
	}
	if n.selector.Optional || failed != nil && n.name != "federation_id" {
		return out
	}
	for _, p := range profile.Propose(docs, n.name, n.selector) {
		out.Proposals = append(out.Proposals, Proposal{
			Path: r.clean(p.Selector.Path), Source: string(p.Selector.Source), Cardinality: string(p.Selector.Cardinality), Sample: r.clean(p.Sample),
		})
	}
	return out
}

// Person names who signed in.
func (r *Result) Person(id federation.VerifiedIdentity) {
	subject := r.value("subject", "subject", id.Subject())
	r.Identity.Issuer, r.Identity.Subject = r.clean(id.Issuer()), &subject
	for _, w := range id.Warnings() {
		r.Warn(w)
	}
}
