package storetest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"gatehouse/store"
)

// engineModel drives random transactions, some of which fail, against a map.
func engineModel(t *testing.T, e store.Engine) {
	run := 0
	rapid.Check(t, func(r *rapid.T) {
		run++
		prefix := fmt.Sprintf("%d/", run)
		model := map[string]map[string]string{}
		key := rapid.SliceOfN(rapid.ByteRange(0, 3), 1, 3)
		bucket := rapid.SampledFrom([]string{"a", "b", "c"})
		for range rapid.IntRange(1, 8).Draw(r, "transactions") {
			fails := rapid.IntRange(0, 3).Draw(r, "fails") == 0
			next := map[string]map[string]string{}
			for b, rows := range model {
				next[b] = maps.Clone(rows)
			}
			err := e.Update(t.Context(), func(tx store.Tx) error {
				for range rapid.IntRange(0, 8).Draw(r, "operations") {
					b := bucket.Draw(r, "bucket")
					k := key.Draw(r, "key")
					if next[b] == nil {
						next[b] = map[string]string{}
					}
					switch rapid.IntRange(0, 3).Draw(r, "operation") {
					case 0:
						if err := tx.Delete(prefix+b, k); err != nil {
							return err
						}
						delete(next[b], string(k))
					case 1:
						got, err := tx.Get(prefix+b, k)
						if err != nil {
							return err
						}
						if v, ok := next[b][string(k)]; ok != (got != nil) || string(got) != v {
							r.Fatalf("get %s %q: got %q, want %q (%t)", b, k, got, v, ok)
						}
					default:
						v := rapid.StringN(0, 5, -1).Draw(r, "value")
						if err := tx.Put(prefix+b, k, []byte(v)); err != nil {
							return err
						}
						next[b][string(k)] = v
					}
				}
				compareRange(r, tx, prefix, next, bucket.Draw(r, "bucket"), key.Draw(r, "from"), key.Draw(r, "to"))
				if fails {
					return errWanted
				}
				return nil
			})
			if fails != errors.Is(err, errWanted) || (!fails && err != nil) {
				r.Fatalf("update: %v", err)
			}
			if !fails {
				model = next
			}
			if err := e.View(t.Context(), func(tx store.Tx) error {
				for _, b := range []string{"a", "b", "c"} {
					compareRange(r, tx, prefix, model, b, nil, nil)
				}
				return nil
			}); err != nil {
				r.Fatal(err)
			}
		}
	})
}

func compareRange(r *rapid.T, tx store.Tx, prefix string, model map[string]map[string]string, bucket string, from, to []byte) {
	var got, wanted []string
	if err := tx.Scan(prefix+bucket, from, to, func(k, v []byte) (bool, error) {
		got = append(got, string(k), string(v))
		return true, nil
	}); err != nil {
		r.Fatal(err)
	}
	for _, k := range slices.Sorted(maps.Keys(model[bucket])) {
		if k >= string(from) && (to == nil || k < string(to)) {
			wanted = append(wanted, k, model[bucket][k])
		}
	}
	if !slices.Equal(got, wanted) {
		r.Fatalf("bucket %s [%q, %q): got %q, want %q", bucket, from, to, got, wanted)
	}
}

// collectionModel drives random writes of records with every kind of index and
// compares what the indexes find with what the records say. Failing writes
// happen inside transactions that go on.
func collectionModel(t *testing.T, e store.Engine) {
	s := over(t, e)
	run := 0
	rapid.Check(t, func(r *rapid.T) {
		run++
		tag := func(v string) string { return fmt.Sprintf("%s-%d", v, run) }
		domains := rapid.SliceOfN(rapid.SampledFrom([]string{"a.test", "b.test", "*", ""}), 0, 5)
		ids := []string{tag("one"), tag("two"), tag("three")}
		id := rapid.SampledFrom(ids)
		model := map[string]store.Connection{}
		dead := map[string]bool{}
		for range rapid.IntRange(1, 6).Draw(r, "transactions") {
			if err := s.Update(t.Context(), func(tx store.Tx) error {
				for range rapid.IntRange(1, 4).Draw(r, "operations") {
					c := store.Connection{ID: id.Draw(r, "id"), OrganizationID: tag("org"), Domains: domains.Draw(r, "domains")}
					for i := range c.Domains {
						c.Domains[i] = tag(c.Domains[i])
					}
					have, there := model[c.ID]
					var err, wanted error
					switch rapid.IntRange(0, 3).Draw(r, "operation") {
					case 0:
						if wanted = nil; there {
							wanted = store.ErrExists
						} else if dead[c.ID] {
							wanted = store.ErrTombstone
						}
						err = s.Connections.Insert(tx, c)
						c.Revision = 1
					case 1:
						c.Revision = int64(rapid.IntRange(1, 3).Draw(r, "revision"))
						if wanted = store.ErrNotFound; there {
							if wanted = nil; have.Revision != c.Revision {
								wanted = store.ErrStale
							}
						}
						err = s.Connections.Put(tx, c)
						c.Revision++
					case 2:
						if wanted = nil; !there && dead[c.ID] {
							wanted = store.ErrTombstone
						}
						err = s.Connections.Upsert(tx, c)
						c.Revision = have.Revision + 1
					case 3:
						if wanted = nil; !there {
							wanted = store.ErrNotFound
						}
						if err = s.Connections.Delete(tx, c.ID); err == nil {
							delete(model, c.ID)
							dead[c.ID] = true
							continue
						}
					}
					if !errors.Is(err, wanted) {
						r.Fatalf("%s: got %v, want %v", c.ID, err, wanted)
					}
					if err == nil {
						model[c.ID] = c
					}
				}
				return nil
			}); err != nil {
				r.Fatal(err)
			}
			if err := s.View(t.Context(), func(tx store.Tx) error {
				for _, v := range []string{"a.test", "b.test", "*", ""} {
					var got, wanted []string
					for c, err := range s.Connections.AllByIndex(tx, "domain", tag(v)) {
						if err != nil {
							return err
						}
						got = append(got, c.ID)
					}
					for _, k := range slices.Sorted(maps.Keys(model)) {
						if slices.Contains(model[k].Domains, tag(v)) {
							wanted = append(wanted, k)
						}
					}
					if !slices.Equal(got, wanted) {
						r.Fatalf("domain %q: got %v, want %v", v, got, wanted)
					}
				}
				for k, c := range model {
					got, err := s.Connections.Get(tx, k)
					if err != nil || got.Revision != c.Revision {
						r.Fatalf("%s: got revision %d, %v, want %d", k, got.Revision, err, c.Revision)
					}
				}
				return nil
			}); err != nil {
				r.Fatal(err)
			}
			if err := s.Check(t.Context()); err != nil {
				r.Fatal(err)
			}
		}
	})
}
