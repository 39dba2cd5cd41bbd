package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gatehouse/profile"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

// TestByPrefixFindsEachOnce: whatever the page size, each person that has a term
// with the prefix comes exactly once, and nobody else.
func TestByPrefixFindsEachOnce(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	r := rand.New(rand.NewPCG(1, 2))
	words := []string{"anna", "Ann", "ANTON", "an-na", "bo", "Ünal", "e", "anneliese"}
	people := map[string]store.User{}
	update(t, s, func(tx store.Tx) error {
		for i := range 300 {
			u := store.User{ID: fmt.Sprintf("u%03d", i), Attributes: profile.Attributes{
				FirstName: words[r.IntN(len(words))], LastName: words[r.IntN(len(words))], Email: fmt.Sprintf("%s%d@acme.test", words[r.IntN(3)], i),
			}}
			people[u.ID] = u
			if err := s.Users.Insert(tx, u); err != nil {
				return err
			}
		}
		return nil
	})
	for _, prefix := range []string{"", "a", "an", "ann", "anna", "bo", "ü", "x", "anna1"} {
		var want []string
		for id, u := range people {
			if slices.ContainsFunc(store.SearchTerms(u.Attributes), func(term string) bool { return strings.HasPrefix(term, prefix) }) {
				want = append(want, id)
			}
		}
		slices.Sort(want)
		for _, limit := range []int{1, 7, 1000} {
			var got []string
			for page := (store.Page{Limit: limit}); ; {
				var next string
				view(t, s, func(tx store.Tx) error {
					some, n, err := s.Users.ByPrefix(tx, "search", prefix, page)
					for _, u := range some {
						got = append(got, u.ID)
					}
					next = n
					if len(some) > limit {
						t.Errorf("%q: %d on a page of %d", prefix, len(some), limit)
					}
					return err
				})
				if page.Cursor = next; next == "" {
					break
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%q by %d: got %d, want %d", prefix, limit, len(got), len(want))
			}
		}
	}
	storetest.Check(t, s)
}

func TestByPrefixRefuses(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	view(t, s, func(tx store.Tx) error {
		if _, _, err := s.Users.ByPrefix(tx, "platform_role", "o", store.Page{}); err == nil {
			t.Error("an index without Prefix was read by prefix")
		}
		if _, _, err := s.Users.ByPrefix(tx, "search", "a\x00b", store.Page{}); err == nil {
			t.Error("a zero byte was taken")
		}
		if _, _, err := s.Users.ByPrefix(tx, "search", "a", store.Page{Cursor: "***"}); !errors.Is(err, store.ErrCursor) {
			t.Errorf("cursor: got %v", err)
		}
		return nil
	})
}

func TestSearchTerms(t *testing.T) {
	t.Parallel()
	got := store.SearchTerms(profile.Attributes{DisplayName: "  Dr. Anna-Lena  MÜLLER\x00\u202e", FirstName: "Anna-Lena", Email: "a.mueller@acme.test"})
	want := []string{"a.mueller@acme.test", "anna", "anna-lena", "dr", "lena", "müller"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, typed := range []string{"ann mül", "MÜLLER lena", "a.muel", "(Anna)"} {
		if !store.TermsMatch(got, store.SearchWords(typed)) {
			t.Errorf("%q does not find them", typed)
		}
	}
	for _, typed := range []string{"ann x", "ueller", "b"} {
		if store.TermsMatch(got, store.SearchWords(typed)) {
			t.Errorf("%q finds them", typed)
		}
	}
	many := store.SearchTerms(profile.Attributes{DisplayName: strings.Repeat("ab cd ", 400) + strings.Repeat("ü", 500)})
	if len(many) > 16 {
		t.Errorf("%d terms", len(many))
	}
}

func FuzzSearchTerms(f *testing.F) {
	f.Add("Anna Müller", "a@b.test")
	f.Add("\x00 \xff ÿ İ ſ", "")
	f.Fuzz(func(t *testing.T, name, mail string) {
		for _, term := range store.SearchTerms(profile.Attributes{DisplayName: name, Email: mail}) {
			if term == "" || len(term) > 64 || strings.ContainsRune(term, 0) || store.Fold(term) != term && store.Fold(store.Fold(term)) != store.Fold(term) {
				t.Errorf("term %q", term)
			}
		}
		store.SearchWords(name)
	})
}

// TestMembersFollowTheirPerson: a new membership has the person's terms, new
// names reach it, and a login that brings nothing new leaves it as it is.
func TestMembersFollowTheirPerson(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	update(t, s, func(tx store.Tx) error {
		u := store.User{ID: "u", Attributes: profile.Attributes{FirstName: "Anna", Email: "anna@acme.test"}}
		if err := s.Users.Insert(tx, u); err != nil {
			return err
		}
		return s.Memberships.Insert(tx, store.Membership{OrganizationID: "acme", UserID: "u", Role: store.RoleUser})
	})
	login := func(first string) {
		update(t, s, func(tx store.Tx) error {
			u, err := s.Users.Get(tx, "u")
			if err != nil {
				return err
			}
			u.Attributes.FirstName = first
			return s.Users.Put(tx, u)
		})
	}
	revision := func() (r int64) {
		view(t, s, func(tx store.Tx) error {
			m, err := s.Memberships.Get(tx, store.MembershipKey("acme", "u"))
			r = m.Revision
			return err
		})
		return r
	}
	login("Anna")
	if got := revision(); got != 1 {
		t.Errorf("revision %d: written without a change", got)
	}
	login("Berta")
	view(t, s, func(tx store.Tx) error {
		for prefix, want := range map[string]int{"ber": 1, "anna@": 1, "annaa": 0, "x": 0} {
			got, _, err := s.Memberships.ByPrefix(tx, "search", store.WithinOrganization("acme", prefix), store.Page{})
			if err != nil || len(got) != want {
				t.Errorf("%q: got %d, %v", prefix, len(got), err)
			}
		}
		other, _, err := s.Memberships.ByPrefix(tx, "search", store.WithinOrganization("acm", "b"), store.Page{})
		if len(other) != 0 {
			t.Error("another organization's members were found")
		}
		return err
	})
	storetest.Check(t, s)
}

// TestMigrationGivesSearchTerms: records that were written before there was a
// search are found after the migration, and the file is sound.
func TestMigrationGivesSearchTerms(t *testing.T) {
	t.Parallel()
	e := engine(t, file(t))
	cfg := store.Config{Keyring: ring(t, 1)}
	old, err := store.OpenWith(t.Context(), e, cfg)
	if err != nil {
		t.Fatal(err)
	}
	update(t, old, func(tx store.Tx) error {
		for i := range 250 {
			id := fmt.Sprintf("u%03d", i)
			role := store.RoleUser
			if i == 7 {
				role = store.RoleOwner
			}
			// Before its user, so that it has no terms, like records of old.
			if err := old.Memberships.Insert(tx, store.Membership{OrganizationID: "acme", UserID: id, Role: role}); err != nil {
				return err
			}
			if err := old.Users.Insert(tx, store.User{ID: id, Attributes: profile.Attributes{DisplayName: fmt.Sprintf("Person%d Doe", i)}}); err != nil {
				return err
			}
		}
		for _, bucket := range []string{"users/search", "memberships/search", "memberships/organization_role"} {
			var keys [][]byte
			if err := tx.Scan(bucket, nil, nil, func(k, _ []byte) (bool, error) { keys = append(keys, slices.Clone(k)); return true, nil }); err != nil {
				return err
			}
			for _, k := range keys {
				if err := tx.Delete(bucket, k); err != nil {
					return err
				}
			}
		}
		return nil
	})
	s := openOn(t, e, cfg.Keyring)
	storetest.Check(t, s)
	view(t, s, func(tx store.Tx) error {
		users, _, err := s.Users.ByPrefix(tx, "search", "person17", store.Page{})
		if err != nil || len(users) != 11 {
			t.Errorf("users: got %d, %v", len(users), err)
		}
		members, _, err := s.Memberships.ByPrefix(tx, "search", store.WithinOrganization("acme", "doe"), store.Page{Limit: 1000})
		if err != nil || len(members) != 250 {
			t.Errorf("members: got %d, %v", len(members), err)
		}
		n, err := s.Memberships.CountByIndex(tx, "organization_role", store.OrganizationRole("acme", store.RoleOwner), 10)
		if n != 1 {
			t.Errorf("owners: got %d", n)
		}
		return err
	})
}
