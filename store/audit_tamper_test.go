package store_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/store"
	"gatehouse/store/storetest"
)

// recorded is a store with n entries, one an hour, and its clock.
func recorded(t *testing.T, n int) (*store.Store, *time.Time) {
	t.Helper()
	now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	s := storetest.OpenAt(t, func() time.Time { return now })
	for i := 1; i <= n; i++ {
		now = now.Add(time.Hour)
		err := s.Change(t.Context(), store.Actor{UserID: fmt.Sprint("admin-", i%3), Via: "api", From: "192.0.2.1", RequestID: fmt.Sprint("r", i)}, func(ch *store.Change) error {
			return ch.Record(fmt.Sprint("thing.do", i%2), fmt.Sprint("domain/org-", i%4, "/x.example"), map[string]any{"after": map[string]any{"n": i}})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return s, &now
}

func exportLines(t *testing.T, s *store.Store) []string {
	t.Helper()
	var b bytes.Buffer
	view(t, s, func(tx store.Tx) error {
		start, err := s.AuditStart(tx)
		if err != nil {
			return err
		}
		if err := store.WriteAuditBegin(&b, start); err != nil {
			return err
		}
		found, _, _, err := s.AuditForward(tx, store.AuditFilter{}, 0, 1000)
		for _, e := range found {
			if err := store.WriteAuditLine(&b, e); err != nil {
				return err
			}
		}
		return err
	})
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
}

// TestDB1_EveryAlterationOfAnEntryIsFound: each field of an entry, each way to
// remove, move, repeat or add one, in the store and in an export. The first
// entry that is not sound is named.
func TestDB1_EveryAlterationOfAnEntryIsFound(t *testing.T) {
	t.Parallel()
	const n, at = 6, 3
	s, _ := recorded(t, n)
	lines := exportLines(t, s)
	head := mustVerify(t, s).Head
	type tampering struct {
		lines  []string
		broken uint64
		anchor bool // is found only with the head that was noted down
	}
	table := map[string]tampering{
		"first dropped":         {slices.Delete(slices.Clone(lines), 0, 1), 1, false},
		"middle dropped":        {slices.Delete(slices.Clone(lines), at-1, at), at, false},
		"last dropped":          {lines[:n-1], n, true},
		"all dropped":           {nil, 1, true},
		"two swapped":           {swapped(lines, 2, 3), 3, false},
		"one repeated":          {slices.Insert(slices.Clone(lines), at, lines[at-1]), at + 1, false},
		"cut in the middle":     {append(slices.Clone(lines[:n-1]), lines[n-1][:20]), n, false},
		"cut, and others added": {append(slices.Clone(lines[:4]), rewritten(t, lines[4:], nil)...), n, true},
		"all written anew":      {rewritten(t, lines, func(e *store.AuditEntry) { e.Actor.From = "192.0.2.9" }), n, true},
		"one written anew":      {slices.Concat(lines[:2], rewritten(t, lines[2:3], func(e *store.AuditEntry) { e.Action = "x.y" }), lines[3:]), at + 1, false},
		"garbage":               {slices.Insert(slices.Clone(lines), 2, "{}"), 3, false},
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(lines[at-1]), &fields); err != nil {
		t.Fatal(err)
	}
	if len(fields) != 9 {
		t.Fatalf("an entry has %d fields: alter each", len(fields))
	}
	for field, change := range map[string][2]string{
		"seq": {`"seq":3`, `"seq":4`}, "at": {`T03:`, `T04:`}, "actor user": {`"admin-0"`, `"admin-1"`}, "actor via": {`"api"`, `"cli"`}, "actor from": {`192.0.2.1`, `192.0.2.2`},
		"request": {`"r3"`, `"r4"`}, "action": {`thing.do1`, `thing.do0`}, "target": {`/x.example`, `/y.example`}, "organization": {`"organization":"org-3"`, `"organization":"org-1"`},
		"detail": {`"n":3`, `"n":33`}, "previous": {`"previous":"`, `"previous":"A`}, "hash": {`"hash":"`, `"hash":"A`}, "added": {`{"seq"`, `{"x":1,"seq"`},
	} {
		if !strings.Contains(lines[at-1], change[0]) {
			t.Fatalf("%s is not in %s", change[0], lines[at-1])
		}
		altered := slices.Clone(lines)
		altered[at-1] = strings.Replace(altered[at-1], change[0], change[1], 1)
		table["altered "+field] = tampering{altered, at, false}
	}
	for name, c := range table {
		text := strings.Join(append(slices.Clone(c.lines), ""), "\n")
		check := func(where string, err error) {
			t.Helper()
			var fault *store.AuditFault
			if !errors.As(err, &fault) || fault.Seq != c.broken || !errors.Is(err, store.ErrAudit) {
				t.Errorf("%s, in %s: got %v, want entry %d", name, where, err, c.broken)
			}
		}
		_, err := store.VerifyAuditLines(strings.NewReader(text), head)
		check("a file", err)
		if _, err := store.VerifyAuditLines(strings.NewReader(text)); !c.anchor {
			check("a file without a head", err)
		} else if err != nil {
			t.Errorf("%s: found without a head: %v", name, err)
		}
		if strings.HasPrefix(name, "one repeated") || name == "garbage" || strings.HasPrefix(name, "cut in") {
			continue // a store has one place for each
		}
		tampered, _ := recorded(t, n)
		update(t, tampered, func(tx store.Tx) error {
			for seq := range uint64(n) {
				if err := tx.Delete("audit", binary.BigEndian.AppendUint64(nil, seq+1)); err != nil {
					return err
				}
			}
			for i, l := range c.lines {
				seq := uint64(i + 1)
				if name == "first dropped" || name == "middle dropped" && i >= at-1 {
					seq++
				}
				if err := tx.Put("audit", binary.BigEndian.AppendUint64(nil, seq), []byte(l)); err != nil {
					return err
				}
			}
			return nil
		})
		_, err = tampered.VerifyAudit(t.Context())
		if name == "all written anew" || name == "cut, and others added" || name == "one written anew" {
			if !errors.Is(err, store.ErrAudit) { // the stamped head tells, or the index, before the entry does
				t.Errorf("%s, in the store: %v", name, err)
			}
			continue
		}
		check("the store", err)
	}
	if r, err := store.VerifyAuditLines(strings.NewReader(strings.Join(append(lines, ""), "\n")), head); err != nil || r.Entries != n || r.Head.String() != head.String() {
		t.Errorf("the export itself: %+v, %v", r, err)
	}
}

func mustVerify(t *testing.T, s *store.Store, anchors ...store.AuditAnchor) store.AuditReport {
	t.Helper()
	r, err := s.VerifyAudit(t.Context(), anchors...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func swapped(lines []string, i, j int) []string {
	out := slices.Clone(lines)
	out[i], out[j] = out[j], out[i]
	return out
}

// rewritten makes entries anew with right hashes, chained among themselves: what
// somebody does who knows the format and has no key.
func rewritten(t *testing.T, lines []string, edit func(*store.AuditEntry)) (out []string) {
	t.Helper()
	var previous []byte
	for i, l := range lines {
		var e store.AuditEntry
		if err := json.Unmarshal([]byte(l), &e); err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			e.Previous = previous
		}
		if edit == nil {
			e.Actor.UserID = "somebody"
		} else {
			edit(&e)
		}
		if err := store.Complete(&e); err != nil {
			t.Fatal(err)
		}
		previous = e.Hash
		raw, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(raw))
	}
	return out
}

// TestAuditFilter: every filter finds exactly what a look at each entry finds,
// in pages of any size, and what an index hides is noticed.
func TestAuditFilter(t *testing.T) {
	t.Parallel()
	s, _ := recorded(t, 40)
	start := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	var all []store.AuditEntry
	view(t, s, func(tx store.Tx) (err error) {
		all, _, _, err = s.AuditForward(tx, store.AuditFilter{}, 0, 1000)
		return err
	})
	slices.Reverse(all)
	for _, f := range []store.AuditFilter{
		{},
		{Actor: "admin-1"},
		{Action: "thing.do0"},
		{Target: "domain/org-2/x.example"},
		{OrganizationID: "org-3"},
		{OrganizationID: "org"},
		{Actor: "admin-1", Action: "thing.do1"},
		{From: start.Add(10 * time.Hour)},
		{Until: start.Add(10 * time.Hour)},
		{From: start.Add(5 * time.Hour), Until: start.Add(30 * time.Hour), Actor: "admin-2"},
		{From: start.Add(1000 * time.Hour)},
		{Until: start},
	} {
		var want []uint64
		for _, e := range all {
			if (f.Actor == "" || e.Actor.UserID == f.Actor) && (f.Action == "" || e.Action == f.Action) && (f.Target == "" || e.Target == f.Target) &&
				(f.OrganizationID == "" || e.OrganizationID == f.OrganizationID) && (f.From.IsZero() || !e.At.Before(f.From)) && (f.Until.IsZero() || e.At.Before(f.Until)) {
				want = append(want, e.Seq)
			}
		}
		for _, size := range []int{1, 3, 1000} {
			var got []uint64
			for cursor, more := "", true; more; more = cursor != "" {
				view(t, s, func(tx store.Tx) error {
					page, next, err := s.AuditPage(tx, f, store.Page{Cursor: cursor, Limit: size})
					for _, e := range page {
						got = append(got, e.Seq)
					}
					cursor = next
					return err
				})
			}
			if !slices.Equal(got, want) {
				t.Errorf("%+v in pages of %d: got %v, want %v", f, size, got, want)
			}
		}
	}
	var hidden []byte
	view(t, s, func(tx store.Tx) error {
		return tx.Scan("audit/target", nil, nil, func(k, _ []byte) (bool, error) { hidden = bytes.Clone(k); return false, nil })
	})
	update(t, s, func(tx store.Tx) error { return tx.Delete("audit/target", hidden) })
	if _, err := s.VerifyAudit(t.Context()); !errors.Is(err, store.ErrAudit) {
		t.Errorf("an entry that lists do not show: %v", err)
	}
	update(t, s, func(tx store.Tx) error {
		return errors.Join(tx.Put("audit/target", hidden, nil), tx.Put("audit/actor", []byte("x"), nil))
	})
	if _, err := s.VerifyAudit(t.Context()); !errors.Is(err, store.ErrAudit) {
		t.Errorf("an index entry too many: %v", err)
	}
}

// TestAuditRetention: what is old goes from the front only; the rest verifies
// from the checkpoint; a removal by somebody else, an older checkpoint and a
// broken chain are noticed, and the latter is not trimmed.
func TestAuditRetention(t *testing.T) {
	t.Parallel()
	s, now := recorded(t, 20)
	noted := mustVerify(t, s).Head
	trim := func(before time.Time, limit, want int) {
		t.Helper()
		if n, err := s.TrimAudit(t.Context(), before, limit); n != want || err != nil {
			t.Fatalf("trimmed %d, %v, want %d", n, err, want)
		}
	}
	fifth := now.Add(-15 * time.Hour)
	trim(now.Add(-30*time.Hour), 100, 0)
	trim(fifth, 3, 3)
	var old []byte
	view(t, s, func(tx store.Tx) error {
		raw, err := tx.Get("audit/checkpoint", []byte("head"))
		old = bytes.Clone(raw)
		return err
	})
	trim(fifth, 100, 1)
	trim(fifth, 100, 0)
	r := mustVerify(t, s, noted)
	if r.First != 5 || r.Entries != 16 || r.Head.Seq != 20 {
		t.Errorf("got %+v", r)
	}
	record(t, s, "x.y", nil)
	lines := exportLines(t, s)
	if !strings.HasPrefix(lines[0], `{"after":{"seq":4,`) {
		t.Errorf("the export begins with %s", lines[0])
	}
	text := strings.Join(append(lines, ""), "\n")
	if f, err := store.VerifyAuditLines(strings.NewReader(text), noted); err != nil || f.First != 5 || f.Entries != 17 {
		t.Errorf("the export: %+v, %v", f, err)
	}
	if _, err := store.VerifyAuditLines(strings.NewReader(strings.Join(append(lines[1:], ""), "\n"))); !errors.Is(err, store.ErrAudit) {
		t.Errorf("an export that does not say where it begins: %v", err)
	}
	if _, err := s.VerifyAudit(t.Context(), store.AuditAnchor{Seq: 2, Hash: make([]byte, 32)}); !errors.Is(err, store.ErrAuditGone) {
		t.Errorf("an anchor that is gone: %v", err)
	}
	view(t, s, func(tx store.Tx) error {
		page, next, err := s.AuditPage(tx, store.AuditFilter{Actor: "admin-1"}, store.Page{Limit: 1000})
		if err != nil || next != "" || len(page) == 0 || page[len(page)-1].Seq != 7 {
			t.Errorf("the list ends with %+v, %q, %v", page[len(page)-1], next, err)
		}
		if _, err := s.AuditEntry(tx, 4); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("entry 4: %v", err)
		}
		return nil
	})
	tamper := func(name string, fn func(tx store.Tx) error) {
		t.Helper()
		undone := errors.New("undone")
		err := s.Update(t.Context(), fn)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.VerifyAudit(t.Context()); !errors.Is(err, store.ErrAudit) {
			t.Errorf("%s: %v, %v", name, err, undone)
		}
	}
	var current, fifthRaw []byte
	view(t, s, func(tx store.Tx) error {
		a, err1 := tx.Get("audit/checkpoint", []byte("head"))
		b, err2 := tx.Get("audit", binary.BigEndian.AppendUint64(nil, 5))
		current, fifthRaw = bytes.Clone(a), bytes.Clone(b)
		return errors.Join(err1, err2)
	})
	tamper("older checkpoint", func(tx store.Tx) error { return tx.Put("audit/checkpoint", []byte("head"), old) })
	tamper("no checkpoint", func(tx store.Tx) error { return tx.Delete("audit/checkpoint", []byte("head")) })
	tamper("made up checkpoint", func(tx store.Tx) error { return tx.Put("audit/checkpoint", []byte("head"), []byte(`{"seq":5}`)) })
	tamper("removed by somebody else", func(tx store.Tx) error {
		return errors.Join(tx.Put("audit/checkpoint", []byte("head"), current), tx.Delete("audit", binary.BigEndian.AppendUint64(nil, 5)))
	})
	if n, err := s.TrimAudit(t.Context(), now.Add(time.Hour), 100); n != 0 || !errors.Is(err, store.ErrAudit) {
		t.Errorf("a broken chain was trimmed: %d, %v", n, err)
	}
	update(t, s, func(tx store.Tx) error { return tx.Put("audit", binary.BigEndian.AppendUint64(nil, 5), fifthRaw) })
	*now = now.Add(1000 * time.Hour)
	trim(*now, 1000, 16)
	if r := mustVerify(t, s); r.Entries != 1 || r.First != 21 {
		t.Errorf("the newest stays: %+v", r)
	}
	storetest.Check(t, s)
}

// TestAuditConcerns: whose admins may read an entry.
func TestAuditConcerns(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	update(t, s, func(tx store.Tx) error {
		return errors.Join(
			s.Connections.Insert(tx, store.Connection{ID: "c", OrganizationID: "acme"}),
			s.Memberships.Insert(tx, store.Membership{OrganizationID: "acme", UserID: "one"}),
			s.Memberships.Insert(tx, store.Membership{OrganizationID: "acme", UserID: "two"}),
			s.Memberships.Insert(tx, store.Membership{OrganizationID: "globex", UserID: "two"}),
		)
	})
	for _, c := range []struct {
		target string
		detail map[string]any
		want   string
	}{
		{"organization/acme", nil, "acme"},
		{"domain/acme/acme.example", nil, "acme"},
		{"connection/c", nil, "acme"},
		{"connection/gone", map[string]any{"before": map[string]any{"organization": "acme"}}, "acme"},
		{"invitation/x", map[string]any{"organization": "acme"}, "acme"},
		{"client/app", map[string]any{"after": map[string]any{"organizations": []any{"acme"}}}, ""},
		{"user/one", nil, "acme"},
		{"user/two", nil, ""},
		{"user/nobody", nil, ""},
		{"session/s", map[string]any{"user": "one"}, "acme"},
		{"signing_key/k", nil, ""},
		{"webhook/w", nil, ""},
	} {
		record2(t, s, c.target, c.detail)
		view(t, s, func(tx store.Tx) error {
			page, _, err := s.AuditPage(tx, store.AuditFilter{}, store.Page{Limit: 1})
			if err != nil || page[0].OrganizationID != c.want {
				t.Errorf("%s concerns %q, want %q (%v)", c.target, page[0].OrganizationID, c.want, err)
			}
			return nil
		})
	}
}

func record2(t *testing.T, s *store.Store, target string, detail map[string]any) {
	t.Helper()
	if err := s.Change(t.Context(), store.Actor{UserID: "admin", Via: "cli"}, func(ch *store.Change) error {
		return ch.Record("thing.do", target, detail)
	}); err != nil {
		t.Fatal(err)
	}
}

// FuzzVerifyAuditLines: any bytes are taken or refused, and what is taken is the
// one spelling of a chain.
func FuzzVerifyAuditLines(f *testing.F) {
	f.Add([]byte(`{"after":{"seq":4,"hash":"AAAA"}}` + "\n"))
	f.Add([]byte("\n\n{}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := store.VerifyAuditLines(bytes.NewReader(text))
		if err == nil && r.Entries > 0 && r.Head.Seq != r.First+r.Entries-1 {
			t.Fatalf("%+v", r)
		}
	})
}
