package storetest

import (
	"crypto/rand"
	"path/filepath"
	"testing"
	"time"

	"gatehouse/store"
	"gatehouse/store/bolt"
)

// Open returns a Store on a fresh file with a random keyring, closed when the
// test ends. It does not wait for the disk.
func Open(t testing.TB) *store.Store {
	t.Helper()
	return OpenAt(t, time.Now)
}

// OpenAt is Open with a clock.
func OpenAt(t testing.TB, now func() time.Time) *store.Store {
	t.Helper()
	return openStore(t, now, func(e store.Engine) store.Engine { return e })
}

func openStore(t testing.TB, now func() time.Time, wrap func(store.Engine) store.Engine) *store.Store {
	t.Helper()
	engine, err := bolt.Open(t.Context(), filepath.Join(t.TempDir(), "gatehouse.db"), bolt.Options{InsecureNoSync: true})
	if err != nil {
		t.Fatalf("open engine: %v", err)
	}
	s, err := store.Open(t.Context(), wrap(engine), store.Config{Keyring: Keyring(t), Now: now})
	if err != nil {
		_ = engine.Close()
		t.Fatalf("open store: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	return s
}

// Keyring returns a keyring of one random key.
func Keyring(t testing.TB) *store.Keyring {
	t.Helper()
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: crypto/rand ends the process instead
	ring, err := store.NewKeyring(key)
	if err != nil {
		t.Fatalf("keyring: %v", err)
	}
	return ring
}

// OpenTwice is Open with every update function run two times (see Twice).
func OpenTwice(t testing.TB) *store.Store {
	t.Helper()
	return openStore(t, time.Now, Twice)
}
