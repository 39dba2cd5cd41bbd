package store_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"gatehouse/store"
	"gatehouse/store/storetest"
)

func record(t testing.TB, s *store.Store, action string, detail map[string]any) {
	t.Helper()
	if err := s.Change(t.Context(), store.Actor{UserID: "admin", Via: "cli"}, func(ch *store.Change) error {
		return ch.Record(action, "kind/id", detail)
	}); err != nil {
		t.Fatal(err)
	}
}

func TestChangeWithoutRecordIsRefused(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	err := s.Change(t.Context(), store.Actor{}, func(ch *store.Change) error {
		return s.Clients.Insert(ch, store.Client{ID: "c"})
	})
	if !errors.Is(err, store.ErrUnrecorded) {
		t.Errorf("got %v", err)
	}
	view(t, s, func(tx store.Tx) error {
		if has, err := s.Clients.Has(tx, "c"); has || err != nil {
			t.Errorf("the change is there: %v", err)
		}
		return nil
	})
}

// What a caller puts into Detail must hash to the same after a trip to the
// disk: numbers beyond float64, times, odd text, nested values.
func TestAuditSurvivesJSON(t *testing.T) {
	t.Parallel()
	s := storetest.OpenTwice(t)
	details := []map[string]any{
		nil,
		{},
		{"int": math.MaxInt64, "uint": uint64(math.MaxUint64), "float": 0.1, "big": 1e21, "small": 1e-7, "whole": 3.0, "raw": json.RawMessage(`1.50`)},
		{"time": time.Now(), "zone": time.Now().In(time.FixedZone("x", 5400)), "duration": time.Minute},
		{"html": "<a href='x'>&\u2028\u2029", "bad utf-8": "a\xff\xfeb", "nul": "\x00", "bidi": "\u202e"},
		{"nested": map[string]any{"list": []any{1, "two", nil, true, []byte("bytes")}}, "": "empty name"},
		{"secret": store.Secret(canary), "sealed": struct{ A, B int }{1, 2}},
	}
	for i, d := range details {
		record(t, s, fmt.Sprint("n\xff", i), d)
	}
	if r, err := s.VerifyAudit(t.Context()); r.Entries != uint64(len(details)) || err != nil {
		t.Errorf("%d entries, %v", r.Entries, err)
	}
	view(t, s, func(tx store.Tx) error {
		page, next, err := s.AuditPage(tx, store.AuditFilter{}, store.Page{Limit: 5})
		if err != nil || len(page) != 5 || page[0].Seq != uint64(len(details)) {
			t.Fatalf("%d entries, %v", len(page), err)
		}
		if got := fmt.Sprint(page[4].Detail["int"]); got != fmt.Sprint(int64(math.MaxInt64)) {
			t.Errorf("int came back as %s", got)
		}
		if got := fmt.Sprint(page[0].Detail["secret"]); got != "***" {
			t.Errorf("secret came back as %s", got)
		}
		page, next, err = s.AuditPage(tx, store.AuditFilter{}, store.Page{Limit: 5, Cursor: next})
		if err != nil || len(page) != 2 || next != "" || page[1].Seq != 1 {
			t.Errorf("second page: %+v, %q, %v", page, next, err)
		}
		return nil
	})
	if _, err := json.Marshal(store.AuditEntry{Detail: map[string]any{"f": func() {}}}); err == nil {
		t.Fatal("the next check checks nothing")
	}
	if err := s.Change(t.Context(), store.Actor{}, func(ch *store.Change) error {
		return ch.Record("x.y", "z", map[string]any{"f": func() {}})
	}); err == nil {
		t.Error("a detail that cannot be encoded was recorded")
	}
}

// TestDB1_AuditChainShowsTampering: whoever writes to the file without the
// master key cannot alter, remove, reorder, cut or extend the chain unnoticed.
func TestDB1_AuditChainShowsTampering(t *testing.T) {
	t.Parallel()
	key := func(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }
	entry := func(tx store.Tx, seq uint64) store.AuditEntry {
		raw, err := tx.Get("audit", key(seq))
		if err != nil {
			t.Fatal(err)
		}
		var e store.AuditEntry
		if err := json.Unmarshal(raw, &e); err != nil {
			t.Fatal(err)
		}
		return e
	}
	replace := func(old, new string) func(store.Tx) error {
		return func(tx store.Tx) error {
			raw, err := tx.Get("audit", key(3))
			if err != nil || !bytes.Contains(raw, []byte(old)) {
				t.Fatalf("%q is not in %s", old, raw)
			}
			return tx.Put("audit", key(3), bytes.Replace(raw, []byte(old), []byte(new), 1))
		}
	}
	for name, tamper := range map[string]func(store.Tx) error{
		"action altered": replace(`"n.3"`, `"n.4"`),
		"number altered": replace(`"i":3`, `"i":3.0`),
		"member added":   replace(`{"seq"`, `{"x":1,"seq"`),
		"member case":    replace(`"actor"`, `"Actor"`),
		"space added":    replace(`{"seq"`, `{ "seq"`),
		"first removed":  func(tx store.Tx) error { return tx.Delete("audit", key(1)) },
		"middle removed": func(tx store.Tx) error { return tx.Delete("audit", key(3)) },
		"last removed":   func(tx store.Tx) error { return tx.Delete("audit", key(5)) },
		"all removed":    func(tx store.Tx) error { return deleteAll(tx, key, 5) },
		"head removed":   func(tx store.Tx) error { return tx.Delete("audit/head", []byte("head")) },
		"everything gone": func(tx store.Tx) error {
			return errors.Join(deleteAll(tx, key, 5), tx.Put("audit/head", []byte("head"), []byte("{}")))
		},
		"one added":         func(tx store.Tx) error { return tx.Put("audit", key(6), []byte("{}")) },
		"garbage":           func(tx store.Tx) error { return tx.Put("audit", key(2), []byte("\x00\xff")) },
		"key of other size": func(tx store.Tx) error { return tx.Put("audit", []byte("x"), []byte("{}")) },
		"reordered": func(tx store.Tx) error {
			two, err1 := tx.Get("audit", key(2))
			three, err2 := tx.Get("audit", key(3))
			two, three = bytes.Clone(two), bytes.Clone(three)
			return errors.Join(err1, err2, tx.Put("audit", key(2), three), tx.Put("audit", key(3), two))
		},
		"one rewritten with its right hash": func(tx store.Tx) error {
			e := entry(tx, 3)
			e.Actor.UserID = "somebody else"
			if err := store.Complete(&e); err != nil {
				return err
			}
			raw, err := json.Marshal(e)
			return errors.Join(err, tx.Put("audit", key(3), raw))
		},
		"rewritten with right hashes": func(tx store.Tx) error {
			previous := entry(tx, 2).Hash
			for seq := uint64(3); seq <= 5; seq++ {
				e := entry(tx, seq)
				e.Actor.UserID, e.Previous = "somebody else", previous
				if err := store.Complete(&e); err != nil {
					return err
				}
				raw, err := json.Marshal(e)
				if err != nil {
					return err
				}
				previous = e.Hash
				if err := tx.Put("audit", key(seq), raw); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		s := storetest.Open(t)
		for i := 1; i <= 5; i++ {
			record(t, s, fmt.Sprint("n.", i), map[string]any{"i": i})
		}
		if r, err := s.VerifyAudit(t.Context()); r.Entries != 5 || err != nil {
			t.Fatalf("before: %d, %v", r.Entries, err)
		}
		update(t, s, tamper)
		if _, err := s.VerifyAudit(t.Context()); !errors.Is(err, store.ErrAudit) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func deleteAll(tx store.Tx, key func(uint64) []byte, n uint64) (err error) {
	for seq := uint64(1); seq <= n; seq++ {
		err = errors.Join(err, tx.Delete("audit", key(seq)))
	}
	return err
}

// With a head that does not verify, nothing more is recorded or changed.
func TestChangeOnBrokenChainIsRefused(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	record(t, s, "a.b", nil)
	update(t, s, func(tx store.Tx) error { return tx.Put("audit/head", []byte("head"), []byte(`{"seq":0}`)) })
	if err := s.Change(context.Background(), store.Actor{}, func(ch *store.Change) error { return ch.Record("c.d", "e", nil) }); !errors.Is(err, store.ErrAudit) {
		t.Errorf("got %v", err)
	}
}

// FuzzAuditEntry: bytes that pass as an entry are its one spelling.
func FuzzAuditEntry(f *testing.F) {
	e := store.AuditEntry{Seq: 1, At: time.Unix(1, 2).UTC(), Action: "a.b", Detail: map[string]any{"n": 1, "t": time.Unix(3, 4), "s": "x\xff<"}}
	if err := store.Complete(&e); err != nil {
		f.Fatal(err)
	}
	good, err := json.Marshal(e)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"seq":1,"detail":{"a":1e400}}`))
	f.Add([]byte(`{"seq":1,"at":"9999-12-31T23:59:59Z","detail":{"":[[[]]]}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if store.CheckAudit(raw, 1) == nil {
			var read store.AuditEntry
			if err := json.Unmarshal(raw, &read); err != nil {
				t.Fatal(err)
			}
			if again, err := json.Marshal(read); err != nil || !bytes.Equal(again, raw) {
				t.Fatalf("%s became %s, %v", raw, again, err)
			}
		}
		// What a reader makes of any bytes can be recorded and verified.
		var any store.AuditEntry
		if json.Unmarshal(raw, &any) != nil {
			return
		}
		any.Seq = 1
		if err := store.Complete(&any); err != nil {
			return // a time beyond year 9999, for one
		}
		stored, err := json.Marshal(any)
		if err != nil {
			t.Fatal(err)
		}
		if err := store.CheckAudit(stored, 1); err != nil {
			t.Fatalf("%s: %v", stored, err)
		}
	})
}
