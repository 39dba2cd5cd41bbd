package admin_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
	"gatehouse/store/bolt"
	"gatehouse/store/storetest"
)

// TestMillion is the proof of docs/operations.md: list and search pages over a
// file with very many people, and what a login costs there against an empty one.
// GATEHOUSE_MILLION says how many people, such as 1000000; without it the test is
// skipped. The tenth part has a session.
func TestMillion(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("GATEHOUSE_MILLION"))
	if n < 1000 {
		t.Skip("GATEHOUSE_MILLION is not set")
	}
	ring := storetest.Keyring(t)
	open := func(file string, insecure bool) *store.Store {
		engine, err := bolt.Open(t.Context(), file, bolt.Options{InsecureNoSync: insecure})
		if err != nil {
			t.Fatal(err)
		}
		s, err := store.Open(t.Context(), engine, store.Config{Keyring: ring})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	filled := func(name string, people int) (*store.Store, string) {
		file := filepath.Join(t.TempDir(), name)
		s, began := open(file, true), time.Now()
		for at := 0; at < people; {
			end := min(at+50_000, people)
			if err := s.Update(t.Context(), func(tx store.Tx) error {
				for i := at; i < end; i++ {
					if err := person(s, tx, i, i%10 == 0); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			at = end
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		t.Logf("%d people written in %v", people, time.Since(began).Round(time.Second))
		return open(file, false), file
	}
	big, file := filled("big.db", n)
	defer big.Close()
	small, _ := filled("small.db", 100)
	defer small.Close()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d people with identity and membership, %d sessions: file of %.0f MB, %d bytes each", n, n/10, float64(info.Size())/1e6, info.Size()/int64(n))

	// Logins: in turns, so that what else the machine does hits both.
	type cost struct{ cpu, wall time.Duration }
	var costs [2][]cost
	for i := range 400 {
		for side, s := range []*store.Store{small, big} {
			who := i % 100
			if side == 1 {
				who = i * (n / 400)
			}
			before, began := cpu(), time.Now()
			if err := s.Update(t.Context(), func(tx store.Tx) error { return signIn(s, tx, who, i) }); err != nil {
				t.Fatal(err)
			}
			costs[side] = append(costs[side], cost{cpu() - before, time.Since(began)})
		}
	}
	middle := func(all []cost) (c, w time.Duration) {
		slices.SortFunc(all, func(a, b cost) int { return int(a.cpu - b.cpu) })
		c = all[len(all)/2].cpu
		slices.SortFunc(all, func(a, b cost) int { return int(a.wall - b.wall) })
		return c, all[len(all)/2].wall
	}
	cs, ws := middle(costs[0])
	cb, wb := middle(costs[1])
	t.Logf("what the store does for one login, CPU (median): %v empty, %v full, ratio %.2f; with fsync: %v and %v, ratio %.2f", cs, cb, float64(cb)/float64(cs), ws, wb, float64(wb)/float64(ws))

	// Pages, through the real handler.
	s := newSiteOn(t, big)
	owner := s.as(store.RoleOwner)
	for _, page := range []struct {
		name  string
		query func(i int) url.Values
	}{
		{"list", func(int) url.Values { return url.Values{} }},
		{"search, a name", func(i int) url.Values { return url.Values{"q": {fmt.Sprintf("person%d", i*7)}} }},
		{"search, two letters", func(i int) url.Values { return url.Values{"q": {"pe"}} }},
		{"search, name and address", func(i int) url.Values { return url.Values{"q": {fmt.Sprintf("doe%d person%d", i%100, i)}} }},
		{"search in an organization", func(i int) url.Values {
			return url.Values{"q": {fmt.Sprintf("person%d", i)}, "organization": {fmt.Sprintf("org%d", i%10)}}
		}},
		{"filter that hardly anybody fits", func(int) url.Values { return url.Values{"state": {"disabled"}} }},
		{"filter by connection and app", func(i int) url.Values { return url.Values{"connection": {"c1"}, "client": {"nobodys"}} }},
	} {
		var took []time.Duration
		cursor := ""
		for i := range 300 {
			q := page.query(i - i%3) // three pages of each
			q.Set("limit", "50")
			if cursor != "" && i%3 != 0 {
				q.Set("cursor", cursor)
			}
			began := time.Now()
			a := owner.api("GET", "/users?"+q.Encode(), nil)
			took = append(took, time.Since(began))
			want(t, a, http.StatusOK)
			cursor, _ = a.json(t)["next"].(string)
		}
		slices.Sort(took)
		p99 := took[len(took)*99/100]
		t.Logf("%-34s median %v, p99 %v (limit 50 ms)", page.name, took[len(took)/2].Round(10*time.Microsecond), p99.Round(10*time.Microsecond))
	}
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // never fails
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func person(s *store.Store, tx store.Tx, i int, session bool) error {
	id := fmt.Sprintf("U%025d", (i*7919)%10_000_019) // not in the order of writing, as random ids
	org, conn := fmt.Sprintf("org%d", i%10), fmt.Sprintf("c%d", i%10)
	a := profile.Attributes{FirstName: fmt.Sprintf("Person%d", i), LastName: fmt.Sprintf("Doe%d", i%1000), Email: fmt.Sprintf("person%d.doe@%s.test", i, org)}
	now := time.Now().UTC()
	errs := []error{
		s.Users.Insert(tx, store.User{ID: id, Status: store.UserActive, Attributes: a, EmailVerified: true, CreatedBy: "system", LastLoginAt: now, Source: []byte(store.IdentityKey(conn, "https://idp.test", id))}),
		s.Identities.Insert(tx, store.Identity{ConnectionID: conn, Issuer: "https://idp.test", Subject: id, UserID: id, Attributes: a, EmailVerified: true, LastLoginAt: now}),
		s.Memberships.Insert(tx, store.Membership{OrganizationID: org, UserID: id, Role: store.RoleUser, ConnectionID: conn}),
	}
	if session {
		key := store.HashToken(id)
		errs = append(errs, s.Sessions.Insert(tx, store.Session{
			KeyHash: key, SID: key[:26], UserID: id, ConnectionID: conn, OrganizationID: org, AuthTime: now, CreatedAt: now, LastSeenAt: now,
			IdleExpiresAt: now.Add(8 * time.Hour), ExpiresAt: now.Add(7 * 24 * time.Hour),
		}))
	}
	return errors.Join(errs...)
}

// signIn writes what a login of a known person writes.
func signIn(s *store.Store, tx store.Tx, i, turn int) error {
	id := fmt.Sprintf("U%025d", (i*7919)%10_000_019)
	conn := fmt.Sprintf("c%d", i%10)
	now := time.Now().UTC()
	ident, err := s.Identities.Get(tx, store.IdentityKey(conn, "https://idp.test", id))
	if err != nil {
		return err
	}
	u, err := s.Users.Get(tx, id)
	if err != nil {
		return err
	}
	ident.LastLoginAt, u.LastLoginAt = now, now
	key := store.HashToken(fmt.Sprint(id, turn, "login"))
	return errors.Join(
		s.Identities.Put(tx, ident), s.Users.Put(tx, u),
		s.Sessions.Insert(tx, store.Session{KeyHash: key, SID: key[:26], UserID: id, ConnectionID: conn, AuthTime: now, CreatedAt: now, LastSeenAt: now, IdleExpiresAt: now.Add(time.Hour), ExpiresAt: now.Add(time.Hour)}),
		s.Grants.Insert(tx, store.Grant{ID: key, UserID: id, ClientID: "app", ConnectionID: conn, SessionKey: key, Scopes: []string{"openid"}, AuthTime: now, CreatedAt: now, ExpiresAt: now.Add(time.Hour), KeepUntil: now.Add(time.Hour)}),
		s.Codes.Insert(tx, store.Code{Hash: key, GrantID: key, ClientID: "app", ExpiresAt: now.Add(time.Minute), KeepUntil: now.Add(time.Hour)}),
		s.UsedLogins.Insert(tx, store.UsedLogin{ID: key[:26], ExpiresAt: now.Add(time.Hour)}),
	)
}
