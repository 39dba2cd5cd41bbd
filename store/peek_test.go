package store_test

import (
	"errors"
	"fmt"
	"testing"

	"gatehouse/store"
	"gatehouse/store/storetest"
)

func TestPeek(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(
			s.Connections.Insert(tx, store.Connection{ID: "a", OrganizationID: "o", Domains: []string{"a.test", "both.test"}}),
			s.Connections.Insert(tx, store.Connection{ID: "b", OrganizationID: "o", Domains: []string{"both.test"}}),
			s.SigningKeys.Insert(tx, store.SigningKey{ID: "k"}),
		)
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		first, err := s.Connections.Peek(tx, "a")
		if err != nil || first == nil || first.ID != "a" {
			t.Fatalf("a: %+v, %v", first, err)
		}
		if second, err := s.Connections.Peek(tx, "a"); second != first || err != nil {
			t.Errorf("the second look decoded again: %v", err)
		}
		for _, key := range []string{"none", ""} {
			if rec, err := s.Connections.Peek(tx, key); rec != nil || err != nil {
				t.Errorf("%q: %+v, %v; want neither", key, rec, err)
			}
		}
		// What Get and Copy hand out is the caller's own.
		got, err := s.Connections.Get(tx, "a")
		if err != nil {
			return err
		}
		got.Domains[0] = "altered.test"
		s.Connections.Copy(first).Domains[0] = "altered.test"
		if first.Domains[0] != "a.test" {
			t.Error("altering a copy altered what is kept")
		}
		// By an index: all, in key order, the same records.
		both, err := s.Connections.PeekByIndex(tx, "domain", "both.test")
		if err != nil || len(both) != 2 || both[0] != first || both[1].ID != "b" {
			t.Errorf("by index: %v, %v", both, err)
		}
		if none, err := s.Connections.PeekByIndex(tx, "domain", "none.test"); len(none) != 0 || err != nil {
			t.Errorf("nobody's value: %v, %v", none, err)
		}
		if _, err := s.Connections.PeekByIndex(tx, "nothing", "x"); err == nil {
			t.Error("an index that is not there was read")
		}
		// Kinds that are not kept decoded are decoded for each.
		key, err := s.SigningKeys.Peek(tx, "k")
		if err != nil || key == nil || s.SigningKeys.Copy(key).ID != "k" {
			t.Errorf("signing key: %+v, %v", key, err)
		}
		// A write is seen at once, and leaves the old look as it was.
		got.Title, got.Domains[0] = "New", "a.test"
		if err := s.Connections.Put(tx, got); err != nil {
			return err
		}
		if now, err := s.Connections.Peek(tx, "a"); err != nil || now.Title != "New" || first.Title != "" {
			t.Errorf("after a write: %+v, %v", now, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// TestDB1_IndexEntryOfAnotherRecord: an entry that was written past us leads to
// no record that does not confirm it.
func TestDB1_IndexEntryOfAnotherRecord(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(
			s.Connections.Insert(tx, store.Connection{ID: "evil", OrganizationID: "o", Domains: []string{"evil.test"}}),
			tx.Put("connections/domain", []byte(store.JoinKey("acme.test")+"evil"), nil),
			tx.Put("connections/domain", []byte(store.JoinKey("gone.test")+"nobody"), nil),
		)
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.View(t.Context(), func(tx store.Tx) error {
		for value, want := range map[string]error{"acme.test": store.ErrDamaged, "gone.test": store.ErrNotFound, "evil.test": nil} {
			if _, err := s.Connections.PeekByIndex(tx, "domain", value); !errors.Is(err, want) || (want == nil) != (err == nil) {
				t.Errorf("%s: got %v, want %v", value, err, want)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// TestCacheIsBounded: however many records are looked at, a bounded part stays
// decoded, and what is asked for again and again stays all the time.
func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	const records = 20_000 // more than both halves of the cache hold
	for from := 0; from < records; from += 2000 {
		if err := s.Update(t.Context(), func(tx store.Tx) error {
			for i := from; i < from+2000; i++ {
				if err := s.Domains.Insert(tx, store.Domain{Name: fmt.Sprintf("d%d.test", i), OrganizationID: "o"}); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.View(t.Context(), func(tx store.Tx) error {
		key := func(i int) string { return store.DomainKey(fmt.Sprintf("d%d.test", i), "o") }
		favourite, err := s.Domains.Peek(tx, key(0))
		if err != nil {
			return err
		}
		seen := make([]*store.Domain, records)
		for i := 1; i < records; i++ {
			if seen[i], err = s.Domains.Peek(tx, key(i)); err != nil {
				return err
			}
			if i%500 == 0 {
				if again, err := s.Domains.Peek(tx, key(0)); again != favourite || err != nil {
					t.Fatalf("after %d others the favourite was decoded again: %v", i, err)
				}
			}
		}
		kept := 0
		for i := records - 1; i > 0; i-- { // newest first, so that looking forgets the oldest
			again, err := s.Domains.Peek(tx, key(i))
			if err != nil {
				return err
			}
			if again != seen[i] {
				break
			}
			kept++
		}
		if bytes := kept * 700; kept < 2000 || bytes > 12<<20 {
			t.Errorf("%d of %d records are kept", kept, records)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
