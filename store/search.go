package store

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"gatehouse/profile"
)

// Bounds of what a person is found by.
const (
	maxTerms = 16
	maxTerm  = 64 // bytes
)

// SearchTerms are what a search finds a person by: the e-mail address and each
// word of the names, folded, in order. A word with a hyphen is there as a whole
// and by its parts. They are for the admin surface only: nothing in a login may
// go by them (DESIGN §9.1).
func SearchTerms(a profile.Attributes) []string {
	terms := make([]string, 0, 6)
	add := func(word string) {
		if word = cut(word); word != "" && len(terms) < maxTerms && !slices.Contains(terms, word) {
			terms = append(terms, word)
		}
	}
	add(SearchTerm(a.Email))
	for _, name := range []string{a.DisplayName, a.FirstName, a.LastName} {
		for _, word := range SearchWords(name) {
			add(word)
			if parts := strings.Split(word, "-"); len(parts) > 1 {
				for _, part := range parts {
					add(part)
				}
			}
		}
	}
	slices.Sort(terms)
	return terms
}

// SearchWords splits what somebody typed into folded words, at most eight.
func SearchWords(typed string) []string {
	if len(typed) > 512 {
		typed = typed[:512]
	}
	var out []string
	for _, word := range strings.Fields(Fold(typed)) {
		word = strings.Trim(word, `.,;:"'()[]<>-`)
		if word = cut(word); word != "" && len(out) < 8 {
			out = append(out, word)
		}
	}
	return out
}

// Fold gives a text the form in which searches compare it: without case and
// without differences of width and composition.
func Fold(s string) string {
	ascii := true
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || c < ' ' || c == 0x7f {
			ascii = false
			break
		}
	}
	if ascii {
		return strings.ToLower(s)
	}
	s = cases.Fold().String(norm.NFKC.String(strings.ToValidUTF8(s, "")))
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsPrint(r):
			return r
		}
		return -1
	}, s)
}

// SearchTerm is the term of an e-mail address.
func SearchTerm(address string) string { return cut(Fold(address)) }

func cut(word string) string {
	if len(word) <= maxTerm {
		return word
	}
	n := maxTerm
	for n > 0 && !utf8.RuneStart(word[n]) {
		n--
	}
	return word[:n]
}

// TermsMatch reports whether each word begins one of the terms.
func TermsMatch(terms, words []string) bool {
	return !slices.ContainsFunc(words, func(word string) bool {
		return !slices.ContainsFunc(terms, func(term string) bool { return strings.HasPrefix(term, word) })
	})
}

// WithinOrganization is the value of Memberships' index "search" for a term: ids
// of organizations hold no slash.
func WithinOrganization(organization, term string) string { return organization + "/" + term }

func termsWithin(m *Membership) []string {
	out := make([]string, len(m.Terms))
	for i, term := range m.Terms {
		out[i] = WithinOrganization(m.OrganizationID, term)
	}
	return out
}

// fillMembership gives a new membership what its person is found by.
func (s *Store) fillMembership(tx Tx, m *Membership) error {
	u, err := s.Users.Peek(tx, m.UserID)
	if u != nil {
		m.Terms = SearchTerms(u.Attributes)
	}
	return err
}

// followUser writes to the memberships what their person is found by now. A
// login that brings nothing new writes nothing.
func (s *Store) followUser(tx Tx, old, u *User) error {
	if before, after := &old.Attributes, &u.Attributes; before.Email == after.Email && before.DisplayName == after.DisplayName &&
		before.FirstName == after.FirstName && before.LastName == after.LastName {
		return nil
	}
	return s.refreshTerms(tx, u)
}

func (s *Store) refreshTerms(tx Tx, u *User) error {
	members, err := s.Memberships.PeekByIndex(tx, "user", u.ID)
	if err != nil {
		return err
	}
	terms := SearchTerms(u.Attributes)
	for _, m := range members {
		if slices.Equal(m.Terms, terms) {
			continue
		}
		changed := s.Memberships.Copy(m)
		changed.Terms = terms
		if err := s.Memberships.Put(tx, changed); err != nil {
			return err
		}
	}
	return nil
}

// addSearch writes the search terms and roles that older records lack.
func addSearch(s *Store, tx Tx) error {
	if err := s.Users.rebuild(tx, "search"); err != nil {
		return err
	}
	if err := s.Memberships.rebuild(tx, "organization_role"); err != nil {
		return err
	}
	for u, err := range s.Users.All(tx) {
		if err != nil {
			return err
		}
		if err := s.refreshTerms(tx, &u); err != nil {
			return err
		}
	}
	return nil
}
