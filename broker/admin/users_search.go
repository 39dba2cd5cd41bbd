package admin

import (
	"slices"
	"strings"

	"gatehouse/store"
)

// maxSearched is how many people one page of a search may look through: where the
// index leads to more than fit the filters, the page is shorter than asked and
// still has a next.
const maxSearched = 200

// UserFilter narrows lists of people. It is exported because huma skips
// unexported embedded structs.
type UserFilter struct {
	Query      string `query:"q" maxLength:"200" doc:"Words that begin the name's words or the e-mail address, without case"`
	Role       string `query:"role" enum:"owner,admin,user" doc:"In the organization, if one is given; else on the platform"`
	State      string `query:"state" enum:"active,disabled"`
	Connection string `query:"connection" maxLength:"63" doc:"Who can sign in through it"`
	Client     string `query:"client" maxLength:"128" doc:"Who was given this app, or is signed in to it"`
}

// name tells one filter from another, for the cursor.
func (f UserFilter) name() string {
	return strings.Join([]string{f.Query, f.Role, f.State, f.Connection, f.Client}, "\n")
}

// found is a person, and the membership by which they were found.
type found struct {
	user   *store.User
	member *store.Membership // nil: not found within an organization
}

// searchUsers reads a page of the people of an organization ("": all) who fit a
// filter. An index finds the candidates, and what it cannot tell is looked up for
// at most maxSearched of them.
func (h *Handler) searchUsers(tx store.Tx, organization string, f UserFilter, page store.Page) (out []found, next string, err error) {
	words := store.SearchWords(f.Query)
	if len(words) == 0 && strings.TrimSpace(f.Query) != "" {
		return nil, "", nil // nothing that anybody could be called
	}
	for looked := 0; ; {
		ask := page.Limit - len(out)
		if f != (UserFilter{Query: f.Query}) || len(words) > 1 {
			ask = min(max(ask, 20), maxSearched-looked)
		}
		// More may be read than fit on the page; then the page ends, and the
		// next begins, at the last that fits.
		some, more, err := h.candidates(tx, organization, f, words, store.Page{Cursor: page.Cursor, Limit: ask})
		if err != nil {
			return nil, "", err
		}
		fits := make([]bool, len(some))
		n := 0
		for i, c := range some {
			if fits[i], err = h.fits(tx, c, f, words); err != nil {
				return nil, "", err
			}
			if fits[i] {
				n++
			}
		}
		if len(out)+n > page.Limit { // read exactly as far as the page goes
			end := page.Limit - len(out)
			for i := range some {
				if fits[i] {
					end--
				}
				if end == 0 {
					ask = i + 1
					break
				}
			}
			if some, more, err = h.candidates(tx, organization, f, words, store.Page{Cursor: page.Cursor, Limit: ask}); err != nil {
				return nil, "", err
			}
		}
		for i, c := range some {
			if fits[i] {
				out = append(out, c)
			}
		}
		looked += len(some)
		if more == "" || len(out) >= page.Limit || looked >= maxSearched {
			return out, more, nil
		}
		page.Cursor = more
	}
}

// candidates asks the index that leads to the fewest.
func (h *Handler) candidates(tx store.Tx, organization string, f UserFilter, words []string, page store.Page) (out []found, next string, err error) {
	longest := ""
	for _, w := range words {
		if len(w) > len(longest) {
			longest = w
		}
	}
	var members []store.Membership
	var users []store.User
	switch {
	case organization != "" && longest != "":
		members, next, err = h.store.Memberships.ByPrefix(tx, "search", store.WithinOrganization(organization, longest), page)
	case organization != "" && rank(f.Role) > rankNone:
		members, next, err = h.store.Memberships.ByIndex(tx, "organization_role", store.OrganizationRole(organization, f.Role), page)
	case organization != "":
		members, next, err = h.store.Memberships.ByIndex(tx, "organization", organization, page)
	case longest != "":
		users, next, err = h.store.Users.ByPrefix(tx, "search", longest, page)
	case rank(f.Role) > rankNone:
		users, next, err = h.store.Users.ByIndex(tx, "platform_role", f.Role, page)
	case f.Connection != "":
		return h.candidatesAt(tx, f.Connection, page)
	default:
		users, next, err = h.store.Users.List(tx, page)
	}
	if err != nil {
		return nil, "", err
	}
	for i := range users {
		out = append(out, found{user: &users[i]})
	}
	for i := range members {
		u, err := h.store.Users.Peek(tx, members[i].UserID)
		if err != nil {
			return nil, "", err
		}
		out = append(out, found{user: u, member: &members[i]})
	}
	return out, next, nil
}

// candidatesAt are the people of a connection; one with several identities there
// comes at the first.
func (h *Handler) candidatesAt(tx store.Tx, connection string, page store.Page) (out []found, next string, err error) {
	identities, next, err := h.store.Identities.ByIndex(tx, "connection", connection, page)
	if err != nil {
		return nil, "", err
	}
	for _, i := range identities {
		u, err := h.store.Users.Peek(tx, i.UserID)
		if err != nil {
			return nil, "", err
		}
		all, err := h.store.Identities.PeekByIndex(tx, "user", i.UserID)
		if err != nil {
			return nil, "", err
		}
		at := slices.IndexFunc(all, func(o *store.Identity) bool { return o.ConnectionID == connection })
		if at >= 0 && (all[at].Issuer != i.Issuer || all[at].Subject != i.Subject) {
			u = nil
		}
		out = append(out, found{user: u})
	}
	return out, next, nil
}

// fits looks up what the index did not tell.
func (h *Handler) fits(tx store.Tx, c found, f UserFilter, words []string) (bool, error) {
	if c.user == nil || f.State != "" && c.user.Status != f.State || len(words) > 1 && !store.TermsMatch(store.SearchTerms(c.user.Attributes), words) {
		return false, nil
	}
	if f.Role != "" {
		role := c.user.PlatformRole
		if c.member != nil {
			role = c.member.Role
		}
		if rank(role) != rank(f.Role) {
			return false, nil
		}
	}
	if f.Connection != "" {
		all, err := h.store.Identities.PeekByIndex(tx, "user", c.user.ID)
		if err != nil || !slices.ContainsFunc(all, func(i *store.Identity) bool { return i.ConnectionID == f.Connection }) {
			return false, err
		}
	}
	if f.Client == "" {
		return true, nil
	}
	members := []*store.Membership{c.member}
	if c.member == nil {
		var err error
		if members, err = h.store.Memberships.PeekByIndex(tx, "user", c.user.ID); err != nil {
			return false, err
		}
	}
	if slices.ContainsFunc(members, func(m *store.Membership) bool { return slices.Contains(m.Clients, f.Client) }) {
		return true, nil
	}
	grants, _, err := h.store.Grants.ByIndex(tx, "user", c.user.ID, store.Page{Limit: 50})
	return slices.ContainsFunc(grants, func(g store.Grant) bool {
		return g.ClientID == f.Client && g.Live(h.now()) && (c.member == nil || g.OrganizationID == c.member.OrganizationID)
	}), err
}

// usersOf keeps the people of what was found.
func usersOf(all []found, next string, err error) ([]store.User, string, error) {
	out := make([]store.User, len(all))
	for i, c := range all {
		out[i] = *c.user
	}
	return out, next, err
}
