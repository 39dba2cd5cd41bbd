package bolt_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"testing"

	"gatehouse/store"
	"gatehouse/store/bolt"
)

// What bbolt itself writes must never be called damaged: random histories of
// growing, shrinking and overwriting, examined after every commit.
func TestExamineAcceptsWhatBboltWrites(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		r := rand.New(rand.NewPCG(seed, 1))
		p := path(t)
		e := open(t, p, bolt.Options{InsecureNoSync: true})
		for round := range 120 {
			if err := e.Update(t.Context(), func(tx store.Tx) error {
				shrink := round/15%2 == 1
				for range r.IntN(300) {
					bucket := []string{"a", "b", "c/d", "e"}[r.IntN(4)]
					key := make([]byte, 1+r.IntN(1+r.IntN(90)))
					for i := range key {
						key[i] = byte(r.IntN(4)) * 80
					}
					var err error
					if shrink && r.IntN(8) > 0 {
						var from []byte
						err = tx.Scan(bucket, key, nil, func(k, _ []byte) (bool, error) { from = bytes.Clone(k); return false, nil })
						if err == nil && from != nil {
							err = tx.Delete(bucket, from)
						}
					} else {
						err = tx.Put(bucket, key, make([]byte, r.IntN(1+r.IntN(1+r.IntN(9000)))))
					}
					if err != nil {
						return err
					}
				}
				if round%40 == 39 { // down to nothing
					var keys [][]byte
					if err := tx.Scan("a", nil, nil, func(k, _ []byte) (bool, error) { keys = append(keys, bytes.Clone(k)); return true, nil }); err != nil {
						return err
					}
					for _, k := range keys {
						if err := tx.Delete("a", k); err != nil {
							return err
						}
					}
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			if err := bolt.ExamineBytes(data); err != nil {
				t.Fatalf("seed %d, round %d: %v", seed, round, err)
			}
		}
		compact := path(t)
		if err := e.Compact(t.Context(), compact); err != nil {
			t.Fatal(err)
		}
		closeEngine(t, e)
		closeEngine(t, open(t, compact, bolt.Options{}))
	}
}
