package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/store"
)

// over opens a store over an engine that the caller closes.
func over(t testing.TB, e store.Engine) *store.Store {
	t.Helper()
	return overAt(t, e, time.Now)
}

func overAt(t testing.TB, e store.Engine, now func() time.Time) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), e, store.Config{Keyring: Keyring(t), Now: now})
	if err != nil {
		t.Fatalf("open store: %v", err)
	}
	return s
}

// Check fails the test unless every record, index and expiry entry of the
// store fits together and the audit chain verifies.
func Check(t testing.TB, s *store.Store) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // also from Cleanup
	if err := s.Check(ctx); err != nil {
		t.Errorf("store: %v", err)
	}
	if _, err := s.VerifyAudit(ctx); err != nil {
		t.Errorf("audit: %v", err)
	}
}

// failedWriteIsWhole: Insert, Put and Upsert that meet a taken unique value
// write nothing, even when the transaction goes on and commits.
func failedWriteIsWhole(t *testing.T, e store.Engine) {
	s := over(t, e)
	later := time.Now().Add(time.Hour)
	session := func(key, sid, user string, expires time.Time) store.Session {
		return store.Session{KeyHash: key, SID: sid, UserID: user, ExpiresAt: expires}
	}
	update(t, e, func(tx store.Tx) error {
		if err := s.Sessions.Insert(tx, session("1", "sid 1", "u1", later)); err != nil {
			return err
		}
		return s.Sessions.Insert(tx, session("2", "sid 2", "u2", later))
	})
	update(t, e, func(tx store.Tx) error {
		for name, err := range map[string]error{
			"insert": s.Sessions.Insert(tx, session("3", "sid 1", "u3", later)),
			"put":    s.Sessions.Put(tx, session("2", "sid 1", "u9", later.Add(time.Hour))),
			"upsert": s.Sessions.Upsert(tx, session("2", "sid 1", "u9", later.Add(time.Hour))),
		} {
			if !errors.Is(err, store.ErrExists) {
				t.Errorf("%s: got %v, want ErrExists", name, err)
			}
		}
		if err := s.Sessions.Insert(tx, session("4", "", "u4", later)); !errors.Is(err, store.ErrKey) {
			t.Errorf("empty unique value: got %v, want ErrKey", err)
		}
		if err := s.Sessions.Insert(tx, session("", "sid 5", "u5", later)); !errors.Is(err, store.ErrKey) {
			t.Errorf("empty key: got %v, want ErrKey", err)
		}
		return nil
	})
	Check(t, s)
	update(t, e, func(tx store.Tx) error { // swapping a unique value within one transaction
		if err := s.Sessions.Delete(tx, "1"); err != nil {
			return err
		}
		return s.Sessions.Put(tx, session("2", "sid 1", "u2", later))
	})
	Check(t, s)
	view(t, e, func(tx store.Tx) error {
		got, err := s.Sessions.ByUnique(tx, "sid", "sid 1")
		if err != nil || got.KeyHash != "2" {
			t.Errorf("got %+v, %v", got, err)
		}
		_, err = s.Sessions.ByUnique(tx, "sid", "sid 2")
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("got %v, want ErrNotFound", err)
		}
		return nil
	})
}

// pagingWhileWriting: who pages through a collection meets every record that
// was there all the time exactly once, whatever comes and goes meanwhile.
func pagingWhileWriting(t *testing.T, e store.Engine) {
	s := over(t, e)
	consent := func(i int, kind string) store.Consent {
		return store.Consent{UserID: fmt.Sprintf("u%04d", i), ClientID: kind}
	}
	const n = 300
	update(t, e, func(tx store.Tx) error {
		for i := range n {
			for _, kind := range []string{"steady", "fickle"} {
				if err := s.Consents.Insert(tx, consent(i, kind)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	var round atomic.Int32
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			err := s.Update(context.WithoutCancel(t.Context()), func(tx store.Tx) error {
				c := consent(i*7%n, "fickle")
				if i/n%2 == 0 {
					if err := s.Consents.Delete(tx, store.ConsentKey(c.UserID, c.ClientID)); !errors.Is(err, store.ErrNotFound) {
						return err
					}
					return nil
				}
				return s.Consents.Upsert(tx, c)
			})
			if err != nil {
				t.Errorf("writer: %v", err)
				return
			}
			round.Add(1)
		}
	}()
	for _, limit := range []int{1, 7, 50, 1000} {
		seen := map[string]int{}
		for page := (store.Page{Limit: limit}); ; {
			var recs []store.Consent
			view(t, e, func(tx store.Tx) (err error) {
				recs, page.Cursor, err = s.Consents.List(tx, page)
				return err
			})
			if len(recs) > limit {
				t.Fatalf("page of %d, limit %d", len(recs), limit)
			}
			for _, c := range recs {
				seen[c.UserID+c.ClientID]++
			}
			if page.Cursor == "" {
				break
			}
		}
		for i := range n {
			if got := seen[fmt.Sprintf("u%04dsteady", i)]; got != 1 {
				t.Errorf("limit %d: record %d met %d times", limit, i, got)
			}
		}
		for k, times := range seen {
			if times != 1 {
				t.Errorf("limit %d: %s met %d times", limit, k, times)
			}
		}
	}
	close(stop)
	<-stopped
	Check(t, s)
}

// sweepKeepsPromises: a sweep takes what is due, in batches, and nothing else;
// used codes stay until their grant may go.
func sweepKeepsPromises(t *testing.T, e store.Engine) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var clock atomic.Int64
	s := overAt(t, e, func() time.Time { return start.Add(time.Duration(clock.Load())) })
	update(t, e, func(tx store.Tx) error {
		for i := range 25 {
			id := fmt.Sprint(i)
			used := start.Add(time.Minute)
			if err := s.Codes.Insert(tx, store.Code{Hash: id, ExpiresAt: used, UsedAt: used, KeepUntil: start.Add(time.Hour)}); err != nil {
				return err
			}
			if err := s.UsedLogins.Insert(tx, store.UsedLogin{ID: id, ExpiresAt: start.Add(time.Minute + time.Nanosecond)}); err != nil {
				return err
			}
		}
		// One whose time is moved, one that never ends.
		if err := s.UsedLogins.Put(tx, store.UsedLogin{ID: "0", ExpiresAt: start.Add(2 * time.Hour)}); err != nil {
			return err
		}
		return s.Grants.Insert(tx, store.Grant{ID: "g", UserID: "u"})
	})
	steps := []struct {
		at      time.Duration
		limit   int
		want    int
		codes   int
		usedOut int
	}{
		{time.Minute, 100, 0, 25, 25}, // not before the second is over
		{time.Minute + time.Second, 10, 10, 25, 15},
		{time.Minute + time.Second, 10, 10, 25, 5},
		{time.Minute + time.Second, 10, 4, 25, 1},
		{time.Minute + time.Second, 10, 0, 25, 1},
		{time.Hour, 0, 25, 0, 1},
		{100 * 365 * 24 * time.Hour, 0, 1, 0, 0},
		{101 * 365 * 24 * time.Hour, 0, 0, 0, 0},
	}
	for i, step := range steps {
		clock.Store(int64(step.at))
		n, err := s.Sweep(t.Context(), step.limit)
		if err != nil || n != step.want {
			t.Fatalf("step %d: swept %d, %v, want %d", i, n, err, step.want)
		}
		view(t, e, func(tx store.Tx) error {
			codes, _, err := s.Codes.List(tx, store.Page{})
			if err != nil {
				return err
			}
			used, _, err := s.UsedLogins.List(tx, store.Page{})
			if len(codes) != step.codes || len(used) != step.usedOut {
				t.Errorf("step %d: %d codes, %d used logins", i, len(codes), len(used))
			}
			return err
		})
		Check(t, s)
	}
	view(t, e, func(tx store.Tx) error { _, err := s.Grants.Get(tx, "g"); return err })
}

// Twice returns an engine that runs each update function two times, undoing
// the first run: what the contract allows any engine to do. Code that keeps
// state from the first run fails on it.
func Twice(e store.Engine) store.Engine { return twice{e} }

type twice struct{ store.Engine }

func (e twice) Update(ctx context.Context, fn func(store.Tx) error) error {
	undo := errors.New("storetest: first run undone")
	if err := e.Engine.Update(ctx, func(tx store.Tx) error { _ = fn(tx); return undo }); !errors.Is(err, undo) {
		return err
	}
	return e.Engine.Update(ctx, fn)
}

// updateRunsTwice: the store's own update functions stand being run again.
func updateRunsTwice(t *testing.T, e store.Engine) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var late atomic.Bool
	s := overAt(t, Twice(e), func() time.Time {
		if late.Load() {
			return start.Add(time.Hour)
		}
		return start
	})
	for i := range 3 {
		if err := s.Change(t.Context(), store.Actor{UserID: "admin"}, func(ch *store.Change) error {
			if err := s.Clients.Insert(ch, store.Client{ID: fmt.Sprint(i)}); err != nil {
				return err
			}
			if err := s.UsedLogins.Insert(ch, store.UsedLogin{ID: fmt.Sprint(i), ExpiresAt: start.Add(time.Minute)}); err != nil {
				return err
			}
			return ch.Record("client.create", fmt.Sprint(i), nil)
		}); err != nil {
			t.Fatal(err)
		}
	}
	late.Store(true)
	if n, err := s.Sweep(t.Context(), 0); n != 3 || err != nil {
		t.Errorf("swept %d, %v, want 3", n, err)
	}
	if r, err := s.VerifyAudit(t.Context()); r.Entries != 3 || err != nil {
		t.Errorf("%d audit entries, %v, want 3", r.Entries, err)
	}
	Check(t, s)
}
