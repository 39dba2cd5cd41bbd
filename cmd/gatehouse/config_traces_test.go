package main

import (
	"path/filepath"
	"testing"
	"time"

	"gatehouse/store"
)

// traces.keep is what the store keeps.
func TestConfigTracesKeep(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct{ most, least int }{
		smallest + "traces: {keep: 100}\n": {100, 10},
		smallest:                           {300, 300},
	} {
		cfg, err := loadConfig(writeConfig(t, text), nil)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Data = filepath.Join(t.TempDir(), "gatehouse.db")
		ring, err := store.NewKeyring([]byte("0123456789abcdef0123456789abcdef"))
		if err != nil {
			t.Fatal(err)
		}
		st, err := openData(t.Context(), cfg, ring)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = st.Close() }()
		for range 300 {
			rec := st.Traces.Recorder()
			rec.Begin(st.Traces.NewWords(t.Context()), time.Now())
			rec.Proven()
			rec.Outcome(store.OutcomeSignedIn)
			rec.Close()
		}
		st.Traces.Flush(t.Context())
		kept := 0
		err = st.View(t.Context(), func(tx store.Tx) error {
			for cursor := ""; ; {
				found, next, err := st.Traces.List(tx, store.TraceFilter{}, store.Page{Limit: 100, Cursor: cursor})
				kept += len(found)
				if cursor = next; err != nil || next == "" {
					return err
				}
			}
		})
		if err != nil || kept > want.most || kept < want.least {
			t.Errorf("%d traces are kept, want %d to %d; %v", kept, want.least, want.most, err)
		}
	}
}
