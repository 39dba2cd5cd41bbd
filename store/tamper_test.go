package store_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"gatehouse/store"
	"gatehouse/store/storetest"
)

// TestDB1_EditedBytesAreRefused: every byte of a record counts, and an index
// entry cannot make a record answer to a value it does not have.
func TestDB1_EditedBytesAreRefused(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	var raw []byte
	update(t, s, func(tx store.Tx) error {
		for _, id := range []string{"mallory", "root"} {
			if err := s.Users.Insert(tx, store.User{ID: id, Status: store.UserActive, PlatformRole: store.RoleAdmin}); err != nil {
				return err
			}
			if err := s.Passwords.Insert(tx, store.Password{UserID: id, Login: id + "@acme.test"}); err != nil {
				return err
			}
		}
		got, err := tx.Get("users", []byte("mallory"))
		raw = bytes.Clone(got)
		return err
	})
	refused := func(name string) {
		t.Helper()
		view(t, s, func(tx store.Tx) error {
			if _, err := s.Users.Get(tx, "mallory"); !errors.Is(err, store.ErrDamaged) {
				t.Errorf("%s: got %v", name, err)
			}
			return nil
		})
	}
	for i := range raw {
		altered := bytes.Clone(raw)
		altered[i] ^= 4
		update(t, s, func(tx store.Tx) error { return tx.Put("users", []byte("mallory"), altered) })
		refused("byte " + string(raw[i:i+1]))
	}
	unstamped, err := store.Fields(raw)
	if err != nil {
		t.Fatal(err)
	}
	delete(unstamped, "_mac")
	plain, err := json.Marshal(unstamped)
	if err != nil {
		t.Fatal(err)
	}
	for name, altered := range map[string][]byte{
		"stamp removed": plain, "cut": raw[:len(raw)-1], "empty": {}, "grown": append(bytes.Clone(raw), ' '), "no object": []byte("null"),
	} {
		update(t, s, func(tx store.Tx) error { return tx.Put("users", []byte("mallory"), altered) })
		refused(name)
		if err := s.Check(t.Context()); !errors.Is(err, store.ErrDamaged) {
			t.Errorf("%s: Check says %v", name, err)
		}
	}
	update(t, s, func(tx store.Tx) error {
		other, err := tx.Get("users", []byte("root"))
		if err != nil {
			return err
		}
		return tx.Put("users", []byte("mallory"), other)
	})
	refused("another's row")

	update(t, s, func(tx store.Tx) error {
		if err := tx.Put("users", []byte("mallory"), raw); err != nil {
			return err
		}
		return errors.Join(tx.Put("passwords/login", []byte("root@acme.test"), []byte("mallory")),
			tx.Put("users/platform_role", []byte(store.JoinKey("owner")+"mallory"), nil))
	})
	view(t, s, func(tx store.Tx) error {
		if _, err := s.Passwords.ByUnique(tx, "login", "root@acme.test"); !errors.Is(err, store.ErrDamaged) {
			t.Errorf("turned unique entry: got %v", err)
		}
		if _, _, err := s.Users.ByIndex(tx, "platform_role", "owner", store.Page{}); !errors.Is(err, store.ErrDamaged) {
			t.Errorf("added index entry: got %v", err)
		}
		return nil
	})
	if err := s.Check(t.Context()); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("Check says %v", err)
	}
}

// A sweep does not stop at a record that cannot be read.
func TestSweepPassesDamage(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := storetest.OpenAt(t, func() time.Time { return now })
	update(t, s, func(tx store.Tx) error {
		for _, id := range []string{"a", "b", "c"} {
			if err := s.UsedLogins.Insert(tx, store.UsedLogin{ID: id, ExpiresAt: now}); err != nil {
				return err
			}
		}
		return tx.Put("used_logins", []byte("b"), []byte("{}"))
	})
	if n, err := s.Sweep(t.Context(), 0); n != 3 || !errors.Is(err, store.ErrDamaged) {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := s.Sweep(t.Context(), 0); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
	view(t, s, func(tx store.Tx) error {
		for id, want := range map[string]bool{"a": false, "b": true, "c": false} {
			if got, err := s.UsedLogins.Has(tx, id); got != want || err != nil {
				t.Errorf("%s: %t, %v", id, got, err)
			}
		}
		return nil
	})
}

// FuzzCursor: a cursor from outside gives a page or ErrCursor, never records
// outside of what was asked for.
func FuzzCursor(f *testing.F) {
	s := storetest.Open(f)
	if err := s.Update(f.Context(), func(tx store.Tx) error {
		for _, org := range []string{"a", "b", "c"} {
			for _, user := range []string{"1", "2", "3"} {
				if err := s.Memberships.Insert(tx, store.Membership{OrganizationID: org, UserID: org + user}); err != nil {
					return err
				}
			}
		}
		return nil
	}); err != nil {
		f.Fatal(err)
	}
	if err := s.Change(f.Context(), store.Actor{}, func(ch *store.Change) error {
		return errors.Join(ch.Record("a.b", "c", nil), ch.Record("d.e", "f", nil))
	}); err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"", "AAAAAAAAAAE", "AQ", "!", "AQ==", "A\nQ", strings.Repeat("A", 4000), "_____w"} {
		f.Add(seed, 1)
	}
	f.Fuzz(func(t *testing.T, cursor string, limit int) {
		page := store.Page{Cursor: cursor, Limit: limit}
		if err := s.View(t.Context(), func(tx store.Tx) error {
			recs, next, err := s.Memberships.ByIndex(tx, "organization", "b", page)
			if err != nil && !errors.Is(err, store.ErrCursor) {
				return err
			}
			for _, m := range recs {
				if m.OrganizationID != "b" {
					t.Fatalf("cursor %q led to %q", cursor, m.OrganizationID)
				}
			}
			if next != "" && (next == cursor || len(recs) == 0) {
				t.Fatalf("cursor %q leads back to itself", cursor)
			}
			if _, _, err := s.Memberships.List(tx, page); err != nil && !errors.Is(err, store.ErrCursor) {
				return err
			}
			_, _, err = s.AuditPage(tx, store.AuditFilter{}, page)
			if err != nil && !errors.Is(err, store.ErrCursor) {
				return err
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	})
}
