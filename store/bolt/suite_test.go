package bolt_test

import (
	"path/filepath"
	"testing"

	"gatehouse/store"
	"gatehouse/store/bolt"
	"gatehouse/store/storetest"
)

// TestDB5_OneSuiteForEveryEngine is this engine's run of it.
func TestDB5_OneSuiteForEveryEngine(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t testing.TB) store.Engine { return open(t, path(t), bolt.Options{InsecureNoSync: true}) })
}

func path(t testing.TB) string { return filepath.Join(t.TempDir(), "gatehouse.db") }

func open(t testing.TB, path string, o bolt.Options) *bolt.Engine {
	t.Helper()
	e, err := bolt.Open(t.Context(), path, o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return e
}
