package bolt_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"gatehouse/store"
	"gatehouse/store/bolt"
)

// small makes a sound data file of a few pages.
func small(f *testing.F) []byte {
	f.Helper()
	p := filepath.Join(f.TempDir(), "seed.db")
	e := open(f, p, bolt.Options{InsecureNoSync: true})
	for round := range 3 {
		if err := e.Update(f.Context(), func(tx store.Tx) error {
			for i := range 60 {
				key := []byte{byte(i * 37), byte(round)}
				if err := errors.Join(tx.Put("many", key, bytes.Repeat(key, 60)), tx.Put("inline", key[:1], nil)); err != nil {
					return err
				}
			}
			return tx.Put("large", []byte("k"), make([]byte, 3*os.Getpagesize()))
		}); err != nil {
			f.Fatal(err)
		}
	}
	closeEngine(f, e)
	data, err := os.ReadFile(p)
	if err != nil {
		f.Fatal(err)
	}
	return data[:lastPage(data)+os.Getpagesize()]
}

// FuzzOpen alters a sound file (bytes overwritten at an offset, then cut) and
// opens it: no panic; if it is refused it is left as it was, and if it opens,
// all of it can be read and written.
func FuzzOpen(f *testing.F) {
	good := small(f)
	size := os.Getpagesize()
	f.Add(0, []byte{}, len(good))
	f.Add(0, []byte{}, 0)
	f.Add(0, []byte{}, len(good)-1)
	f.Add(0, make([]byte, 2*size), len(good))
	for page := 2; page < len(good)/size; page++ {
		f.Add(page*size, []byte{0xff, 0xff, 0xff}, len(good))                   // its number
		f.Add(page*size+8, []byte{1}, len(good))                                // its kind
		f.Add(page*size+10, []byte{0xff, 0xff, 0xff, 0xff, 0xff}, len(good))    // count, overflow
		f.Add(page*size+16, []byte{0xff, 0xff, 0xff, 0x7f}, len(good))          // first element
		f.Add(page*size+24, []byte{byte(page), 0, 0, 0, 0, 0, 0, 0}, len(good)) // a page as its own child
		f.Add(page*size+24, []byte{2, 0, 0, 0, 0, 0, 0, 0}, len(good))
	}
	f.Fuzz(func(t *testing.T, at int, patch []byte, length int) {
		if at < 0 || at > len(good) || length < 0 || length > len(good) {
			t.Skip()
		}
		data := bytes.Clone(good)
		copy(data[at:], patch)
		data = data[:length]
		p := path(t)
		if err := os.WriteFile(p, data, 0o600); err != nil {
			t.Fatal(err)
		}
		e, err := bolt.Open(t.Context(), p, bolt.Options{InsecureNoSync: true})
		if err != nil {
			if !errors.Is(err, bolt.ErrForeign) && !errors.Is(err, bolt.ErrDamaged) {
				t.Fatalf("neither foreign nor damaged: %v", err)
			}
			after, err := os.ReadFile(p)
			if err != nil || !bytes.Equal(after, data) {
				t.Fatal("a refused file was written to")
			}
			return
		}
		defer closeEngine(t, e)
		if err := e.Update(t.Context(), func(tx store.Tx) error {
			var keys [][]byte
			for _, b := range []string{"many", "inline", "large"} {
				if err := tx.Scan(b, nil, nil, func(k, v []byte) (bool, error) {
					keys = append(keys, append(bytes.Clone(k), v...)[:len(k)])
					return true, nil
				}); err != nil {
					return err
				}
				for _, k := range keys {
					if err := tx.Delete(b, k); err != nil {
						return err
					}
				}
			}
			return tx.Put("many", []byte("after"), []byte("v"))
		}); err != nil {
			t.Fatalf("opened, but cannot be written: %v", err)
		}
	})
}

// FuzzExamine feeds the walk alone, which bounds every step it takes.
func FuzzExamine(f *testing.F) {
	good := small(f)
	f.Add(good)
	f.Add(good[:3*os.Getpagesize()])
	f.Add(make([]byte, 4096))
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := bolt.ExamineBytes(data); err != nil && !errors.Is(err, bolt.ErrForeign) && !errors.Is(err, bolt.ErrDamaged) {
			t.Fatal(err)
		}
	})
}
