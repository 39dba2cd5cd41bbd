package store_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"gatehouse/store"
)

func TestWrongOrMissingKeyStopsOpen(t *testing.T) {
	t.Parallel()
	e := engine(t, file(t))
	s := openOn(t, e, ring(t, 1))
	update(t, s, func(tx store.Tx) error { return s.Connections.Insert(tx, connection("a", canary)) })
	before := dump(t, s)
	for name, r := range map[string]*store.Keyring{"missing": nil, "wrong": ring(t, 2), "two wrong": ring(t, 2, 3)} {
		_, err := store.Open(t.Context(), e, store.Config{Keyring: r})
		if !errors.Is(err, store.ErrWrongKey) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if !bytes.Equal(before, dump(t, s)) {
		t.Error("a refused start wrote to the store")
	}
	openOn(t, e, ring(t, 2, 1)) // among the old ones it is found
}

// Who removes the key check must not get a store that takes any key.
func TestRemovedKeyCheckStopsOpen(t *testing.T) {
	t.Parallel()
	for name, remove := range map[string][]string{"check": {"check"}, "schema": {"schema"}, "both": {"check", "schema"}} {
		e := engine(t, file(t))
		s := openOn(t, e, ring(t, 1))
		update(t, s, func(tx store.Tx) error { return s.Connections.Insert(tx, connection("a", canary)) })
		update(t, s, func(tx store.Tx) error {
			for _, k := range remove {
				if err := tx.Delete("store", []byte(k)); err != nil {
					return err
				}
			}
			return nil
		})
		if _, err := store.Open(t.Context(), e, store.Config{Keyring: ring(t, 2)}); !errors.Is(err, store.ErrDamaged) && !errors.Is(err, store.ErrWrongKey) {
			t.Errorf("%s removed: got %v", name, err)
		}
	}
}

func dump(t testing.TB, s *store.Store) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := s.Backup(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestFT18_Migrations: each step runs once, in order, in one transaction with
// its number; a failing one leaves what was before and is taken up again; a
// newer schema stops.
func TestFT18_Migrations(t *testing.T) {
	t.Parallel()
	e := engine(t, file(t))
	cfg := store.Config{Keyring: ring(t, 1)}
	s, err := store.OpenWith(t.Context(), e, cfg) // a program that knows no migration
	if err != nil {
		t.Fatal(err)
	}
	var ran []string
	broken := true
	step := func(name string, fails bool) store.Migration {
		return store.Migration{Name: name, Run: func(_ context.Context, _ *store.Store, tx store.Tx) error {
			ran = append(ran, name)
			if err := tx.Put("migrated", []byte(name), []byte("1")); err != nil {
				return err
			}
			if fails && broken {
				return errCrash
			}
			return nil
		}}
	}
	two, three, four := step("two", false), step("three", true), step("four", false)
	if _, err := store.OpenWith(t.Context(), e, cfg, two, three, four); !errors.Is(err, errCrash) || !strings.Contains(err.Error(), "version 3 (three)") {
		t.Fatalf("got %v", err)
	}
	view(t, s, func(tx store.Tx) error {
		for name, want := range map[string]bool{"two": true, "three": false, "four": false} {
			if got, err := tx.Get("migrated", []byte(name)); (got != nil) != want || err != nil {
				t.Errorf("%s: %q, %v", name, got, err)
			}
		}
		return nil
	})
	// Half way is a sound state: an older program refuses it, ours goes on.
	if _, err := store.OpenWith(t.Context(), e, cfg); !errors.Is(err, store.ErrNewerSchema) || !strings.Contains(err.Error(), "schema 2") {
		t.Errorf("older program: got %v", err)
	}
	broken = false
	for range 2 {
		if _, err := store.OpenWith(t.Context(), e, cfg, two, three, four); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(ran, " "); got != "two three three four" {
		t.Errorf("ran %q", got)
	}
	if _, err := store.OpenWith(t.Context(), e, cfg, two, three); !errors.Is(err, store.ErrNewerSchema) {
		t.Errorf("newer schema: got %v", err)
	}
	// A new store begins at the newest version without running any.
	ran = nil
	fresh := engine(t, file(t))
	if _, err := store.OpenWith(t.Context(), fresh, cfg, two, three); err != nil || len(ran) != 0 {
		t.Errorf("new store: ran %v, %v", ran, err)
	}
	if _, err := store.OpenWith(t.Context(), fresh, cfg, two, three); err != nil || len(ran) != 0 {
		t.Errorf("new store again: ran %v, %v", ran, err)
	}
	for _, bad := range []string{"", "{", `{"version":0}`, `{"version":-1}`, `{"version":1e99}`, "null"} {
		update(t, s, func(tx store.Tx) error { return tx.Put("store", []byte("schema"), []byte(bad)) })
		if _, err := store.Open(t.Context(), e, cfg); !errors.Is(err, store.ErrDamaged) {
			t.Errorf("schema %q: got %v", bad, err)
		}
	}
}
