package store_test

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
	"gatehouse/store/bolt"
)

// login writes what one complete login does: identity, user and membership
// refreshed, session, grant, code, used login.
func login(s *store.Store, person int, n int64, now time.Time) func(store.Tx) error {
	id := fmt.Sprintf("%06d", person)
	hash := store.HashToken(fmt.Sprint("login", n))
	attrs := profile.Attributes{FirstName: "Alice", LastName: "Doe", Email: "alice@acme.test", Custom: map[string][]string{"groups": {"a", "b"}}}
	return func(tx store.Tx) error {
		ident, err := s.Identities.Get(tx, store.IdentityKey("acme", "https://idp.acme.test", id))
		if err != nil {
			return err
		}
		user, err := s.Users.Get(tx, ident.UserID)
		if err != nil {
			return err
		}
		if _, err := s.Memberships.Get(tx, store.MembershipKey("acme", user.ID)); err != nil {
			return err
		}
		ident.Attributes, ident.LastLoginAt, user.Attributes, user.LastLoginAt = attrs, now, attrs, now
		return errors.Join(
			s.Identities.Put(tx, ident), s.Users.Put(tx, user),
			s.Sessions.Insert(tx, store.Session{
				KeyHash: hash, SID: hash[:26], UserID: user.ID, ConnectionID: "acme", OrganizationID: "acme",
				AuthTime: now, CreatedAt: now, LastSeenAt: now, IdleExpiresAt: now.Add(time.Hour), ExpiresAt: now.Add(12 * time.Hour),
			}),
			s.Grants.Insert(tx, store.Grant{
				ID: hash, UserID: user.ID, ClientID: "demo", ConnectionID: "acme", SessionKey: hash, Scopes: []string{"openid", "profile"},
				AuthTime: now, RequestedAt: now, CreatedAt: now, ExpiresAt: now.Add(30 * 24 * time.Hour), KeepUntil: now.Add(31 * 24 * time.Hour),
			}),
			s.Codes.Insert(tx, store.Code{
				Hash: hash, GrantID: hash, ClientID: "demo", RedirectURI: "http://127.0.0.1/callback", Challenge: hash[:43],
				ExpiresAt: now.Add(time.Minute), KeepUntil: now.Add(time.Hour),
			}),
			s.UsedLogins.Insert(tx, store.UsedLogin{ID: hash[:26], ExpiresAt: now.Add(time.Hour)}),
		)
	}
}

// refresh writes what one refresh does: the grant's generation.
func refresh(s *store.Store, grant string, now time.Time) func(store.Tx) error {
	return func(tx store.Tx) error {
		g, err := s.Grants.Get(tx, grant)
		if err != nil {
			return err
		}
		g.Generation++
		g.RotatedAt, g.RefreshExpiresAt = now, now.Add(time.Hour)
		return s.Grants.Put(tx, g)
	}
}

func benchStore(b *testing.B, o bolt.Options, people int) (*store.Store, *bolt.Engine) {
	b.Helper()
	e, err := bolt.Open(b.Context(), file(b), o)
	if err != nil {
		b.Fatal(err)
	}
	s := openOn(b, e, ring(b, 1))
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	for from := 0; from < people; from += 500 {
		if err := s.Update(b.Context(), func(tx store.Tx) error {
			for i := from; i < min(from+500, people); i++ {
				id := fmt.Sprintf("%06d", i)
				if err := errors.Join(
					s.Users.Insert(tx, store.User{ID: id, Status: store.UserActive}),
					s.Identities.Insert(tx, store.Identity{ConnectionID: "acme", Issuer: "https://idp.acme.test", Subject: id, UserID: id}),
					s.Memberships.Insert(tx, store.Membership{OrganizationID: "acme", UserID: id, Role: store.RoleUser}),
				); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	return s, e
}

func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measure runs one update per iteration from some goroutines and reports CPU
// and commits for each.
func measure(b *testing.B, o bolt.Options, workers int, fn func(s *store.Store, n int64) func(store.Tx) error) {
	const people = 2000
	s, e := benchStore(b, o, people)
	for i := range int64(people) { // one login each, so that there is what to refresh
		if err := s.Update(b.Context(), login(s, int(i), -i, time.Now())); err != nil {
			b.Fatal(err)
		}
	}
	runtime.GC()
	var n atomic.Int64
	before, spent := e.Stats(), cpu(b)
	b.ReportAllocs()
	b.ResetTimer()
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				i := n.Add(1)
				if i > int64(b.N) {
					return
				}
				if err := s.Update(b.Context(), fn(s, i)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64((cpu(b)-spent).Microseconds())/float64(b.N), "cpu-µs/op")
	b.ReportMetric(float64(e.Stats().Commits-before.Commits)/float64(b.N), "commits/op")
}

func BenchmarkUpdate(b *testing.B) {
	kinds := map[string]func(s *store.Store, n int64) func(store.Tx) error{
		"login": func(s *store.Store, n int64) func(store.Tx) error { return login(s, int(n*7919%2000), n, time.Now()) },
		"refresh": func(s *store.Store, n int64) func(store.Tx) error {
			return refresh(s, store.HashToken(fmt.Sprint("login", -(n*7919%2000))), time.Now())
		},
	}
	for _, kind := range []string{"login", "refresh"} {
		for _, workers := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("%s/durable/%d", kind, workers), func(b *testing.B) { measure(b, bolt.Options{}, workers, kinds[kind]) })
		}
		b.Run(kind+"/nosync/1", func(b *testing.B) { measure(b, bolt.Options{InsecureNoSync: true}, 1, kinds[kind]) })
	}
}

// BenchmarkFsync is the limit: one small durable commit.
func BenchmarkFsync(b *testing.B) {
	_, e := benchStore(b, bolt.Options{}, 0)
	for i := range b.N {
		if err := e.Update(b.Context(), func(tx store.Tx) error { return tx.Put("b", []byte("k"), fmt.Append(nil, i)) }); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkInFunction is the CPU of the update function alone: JSON, stamps
// and indexes, without the commit.
func BenchmarkInFunction(b *testing.B) {
	s, _ := benchStore(b, bolt.Options{InsecureNoSync: true}, 2000)
	undo := errors.New("undo")
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		if err := s.Update(b.Context(), func(tx store.Tx) error {
			if err := login(s, i*7919%2000, int64(i), time.Now())(tx); err != nil {
				return err
			}
			return undo
		}); !errors.Is(err, undo) {
			b.Fatal(err)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	s, _ := benchStore(b, bolt.Options{InsecureNoSync: true}, 2000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := s.View(b.Context(), func(tx store.Tx) error {
			_, err := s.Users.Get(tx, fmt.Sprintf("%06d", i*7919%2000))
			return err
		}); err != nil {
			b.Fatal(err)
		}
	}
}
