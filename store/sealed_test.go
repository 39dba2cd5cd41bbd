package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/store"
	"gatehouse/store/bolt"
	"gatehouse/store/storetest"
)

const canary = "canary-5f0c1f7e"

// engine opens a data file that is closed at the end of the test.
func engine(t testing.TB, path string) *bolt.Engine {
	t.Helper()
	e, err := bolt.Open(t.Context(), path, bolt.Options{InsecureNoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func file(t testing.TB) string { return filepath.Join(t.TempDir(), "gatehouse.db") }

func ring(t testing.TB, active byte, old ...byte) *store.Keyring {
	t.Helper()
	key := func(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }
	var olds [][]byte
	for _, b := range old {
		olds = append(olds, key(b))
	}
	r, err := store.NewKeyring(key(active), olds...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func openOn(t testing.TB, e store.Engine, r *store.Keyring) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), e, store.Config{Keyring: r})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func update(t testing.TB, s *store.Store, fn func(store.Tx) error) {
	t.Helper()
	if err := s.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func view(t testing.TB, s *store.Store, fn func(store.Tx) error) {
	t.Helper()
	if err := s.View(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func connection(id, secret string) store.Connection {
	return store.Connection{ID: id, OrganizationID: "org", Domains: []string{"acme.test"}, ClientSecret: store.Seal(store.Secret(secret))}
}

// TestZ3_FileWithoutKeyShowsNoSecret: the whole file, searched for what was
// sealed, plain and in base64.
func TestZ3_FileWithoutKeyShowsNoSecret(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	update(t, s, func(tx store.Tx) error {
		if err := s.SigningKeys.Insert(tx, store.SigningKey{ID: "k", Private: store.Seal(canary)}); err != nil {
			return err
		}
		return s.Connections.Insert(tx, connection("acme", canary))
	})
	var dump bytes.Buffer
	if err := s.Backup(t.Context(), &dump); err != nil {
		t.Fatal(err)
	}
	plain, err := json.Marshal([]byte(canary))
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range [][]byte{[]byte(canary), plain[1:12]} {
		if bytes.Contains(dump.Bytes(), form) {
			t.Errorf("the file shows %q", form)
		}
	}
	if !bytes.Contains(dump.Bytes(), []byte("acme.test")) {
		t.Error("the search would find nothing at all")
	}
	view(t, s, func(tx store.Tx) error {
		c, err := s.Connections.Get(tx, "acme")
		if err != nil {
			return err
		}
		if got, err := c.ClientSecret.Reveal(); got.Reveal() != canary || err != nil {
			t.Errorf("the owner of the key gets %v, %v", got, err)
		}
		return nil
	})
}

// TestZ1_SecretsDoNotPrint: no way of printing or logging a record or keyring
// shows a secret.
func TestZ1_SecretsDoNotPrint(t *testing.T) {
	t.Parallel()
	key := []byte(canary + strings.Repeat("x", 32-len(canary)))
	keys, err := store.NewKeyring(key)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]any{
		"secret": store.Secret(canary), "sealed": store.Seal(canary), "record": connection("acme", canary), "keyring": keys,
		"hidden": struct{ inner store.Sealed }{store.Seal(canary)}, "pointer": &store.SigningKey{Private: store.Seal(canary)},
	}
	for name, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			got := fmt.Sprintf(verb, v)
			if strings.Contains(got, canary) || strings.Contains(got, fmt.Sprintf("%x", canary)) || strings.Contains(got, fmt.Sprint(key)[1:20]) {
				t.Errorf("%s printed with %s: %s", name, verb, got)
			}
		}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		if strings.Contains(log.String(), canary) {
			t.Errorf("%s logged: %s", name, log.String())
		}
	}
	if _, err := json.Marshal(store.Seal(canary)); err == nil {
		t.Error("an unsealed secret was encoded")
	}
}

// TestZ4_MovedAndAlteredCiphertext: a sealed value opens only in the bucket,
// record and field it was sealed for, and only whole.
func TestZ4_MovedAndAlteredCiphertext(t *testing.T) {
	t.Parallel()
	e := engine(t, file(t))
	s := openOn(t, e, ring(t, 1))
	update(t, s, func(tx store.Tx) error {
		return errors.Join(s.Connections.Insert(tx, connection("a", canary)), s.Connections.Insert(tx, connection("b", "other")),
			s.SigningKeys.Insert(tx, store.SigningKey{ID: "a", Private: store.Seal(canary)}))
	})
	get := func(bucket, key string) (raw []byte, fields map[string]json.RawMessage) {
		t.Helper()
		view(t, s, func(tx store.Tx) (err error) {
			if raw, err = tx.Get(bucket, []byte(key)); err != nil {
				return err
			}
			raw = bytes.Clone(raw)
			fields, err = store.Fields(raw)
			return err
		})
		return raw, fields
	}
	rawA, a := get("connections", "a")
	rawB, b := get("connections", "b")
	_, k := get("signing_keys", "a")
	flipped := bytes.Clone(a["client_secret"])
	if middle := &flipped[len(flipped)/2]; *middle == 'A' { // base64 still
		*middle = 'B'
	} else {
		*middle = 'A'
	}
	cases := map[string]struct {
		raw  []byte
		want error
	}{
		"another record's row":            {rawA, store.ErrDamaged},
		"another record's value":          {bytes.Replace(rawB, b["client_secret"], a["client_secret"], 1), store.ErrDamaged},
		"the same, with a stolen MAC key": {s.Restamp("connections", "b", bytes.Replace(rawB, b["client_secret"], a["client_secret"], 1)), store.ErrSealed},
		"another bucket's value":          {s.Restamp("connections", "b", bytes.Replace(rawB, b["client_secret"], k["private"], 1)), store.ErrSealed},
		"an altered value":                {s.Restamp("connections", "b", bytes.Replace(rawB, b["client_secret"], flipped, 1)), store.ErrSealed},
		"a value cut short":               {s.Restamp("connections", "b", bytes.Replace(rawB, b["client_secret"], []byte(`"AAAA"`), 1)), store.ErrSealed},
		"an unknown key's value":          {s.Restamp("connections", "b", bytes.Replace(rawB, b["client_secret"], []byte(`"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"`), 1)), store.ErrSealed},
	}
	for name, c := range cases {
		update(t, s, func(tx store.Tx) error { return tx.Put("connections", []byte("b"), c.raw) })
		view(t, s, func(tx store.Tx) error {
			rec, err := s.Connections.Get(tx, "b")
			if err == nil {
				var got store.Secret
				if got, err = rec.ClientSecret.Reveal(); got != "" {
					t.Errorf("%s: a secret came out", name)
				}
			}
			if !errors.Is(err, c.want) {
				t.Errorf("%s: got %v, want %v", name, err, c.want)
			}
			return nil
		})
	}
}

// A record's secret may be given to another record by code that holds the key.
func TestSealedMovesThroughCode(t *testing.T) {
	t.Parallel()
	s := storetest.OpenTwice(t)
	update(t, s, func(tx store.Tx) error { return s.Connections.Insert(tx, connection("a", canary)) })
	update(t, s, func(tx store.Tx) error {
		c, err := s.Connections.Get(tx, "a")
		if err != nil {
			return err
		}
		if err := s.Connections.Put(tx, c); err != nil { // unchanged: stays readable
			return err
		}
		c.ID = "b"
		return s.Connections.Insert(tx, c)
	})
	view(t, s, func(tx store.Tx) error {
		for _, id := range []string{"a", "b"} {
			c, err := s.Connections.Get(tx, id)
			if err != nil {
				return err
			}
			if got, err := c.ClientSecret.Reveal(); got.Reveal() != canary || err != nil {
				t.Errorf("%s: %v, %v", id, got, err)
			}
		}
		return nil
	})
}

// TestZ6_KeyRotationInterrupted: during a rotation both keys read; an
// interrupted Reseal goes on where it stopped; only after it is the old key
// dispensable, and without it before that the start is refused.
func TestZ6_KeyRotationInterrupted(t *testing.T) {
	t.Parallel()
	p := file(t)
	const n = 450 // more than two batches
	e := engine(t, p)
	s := openOn(t, e, ring(t, 1))
	update(t, s, func(tx store.Tx) error {
		for i := range n {
			if err := s.Connections.Insert(tx, connection(fmt.Sprint("old", i), canary)); err != nil {
				return err
			}
		}
		return nil
	})
	if err := s.Change(t.Context(), store.Actor{UserID: "op"}, func(ch *store.Change) error { return ch.Record("key.rotate", "key", nil) }); err != nil {
		t.Fatal(err)
	}
	// The new key alone is the wrong key, whatever state Reseal is in.
	refused := func(when string) {
		t.Helper()
		if _, err := store.Open(t.Context(), e, store.Config{Keyring: ring(t, 2)}); !errors.Is(err, store.ErrWrongKey) {
			t.Fatalf("%s: got %v, want ErrWrongKey", when, err)
		}
	}
	allReadable := func(s *store.Store) {
		t.Helper()
		view(t, s, func(tx store.Tx) error {
			count := 0
			for c, err := range s.Connections.All(tx) {
				if err != nil {
					return err
				}
				if got, err := c.ClientSecret.Reveal(); got.Reveal() != canary || err != nil {
					t.Fatalf("%s: %v, %v", c.ID, got, err)
				}
				if c.Revision != 1 {
					t.Fatalf("%s: revision %d", c.ID, c.Revision)
				}
				count++
			}
			if count < n {
				t.Fatalf("%d records, want %d", count, n)
			}
			return nil
		})
	}
	refused("before")
	both := &failing{Engine: e, left: 1 << 30}
	s = openOn(t, both, ring(t, 2, 1))
	update(t, s, func(tx store.Tx) error { return s.Connections.Insert(tx, connection("new", canary)) })
	resealed := 0
	for budget := 1; ; budget++ { // each attempt crashes a little later
		both.left = budget
		n, err := s.Reseal(t.Context())
		resealed += n
		if err == nil {
			break
		}
		if !errors.Is(err, errCrash) {
			t.Fatal(err)
		}
		refused("half way")
		allReadable(s)
	}
	both.left = 1 << 30
	if resealed != n {
		t.Errorf("%d records resealed in all, want %d (none twice)", resealed, n)
	}
	if again, err := s.Reseal(t.Context()); again != 0 || err != nil {
		t.Errorf("again: %d, %v", again, err)
	}
	allReadable(s)
	s = openOn(t, e, ring(t, 2)) // the old key is out
	allReadable(s)
	storetest.Check(t, s)
	if _, err := store.Open(t.Context(), e, store.Config{Keyring: ring(t, 1)}); !errors.Is(err, store.ErrWrongKey) {
		t.Errorf("the old key alone: got %v, want ErrWrongKey", err)
	}
}

var errCrash = errors.New("wanted crash")

// failing stops taking updates after some.
type failing struct {
	store.Engine
	left int
}

func (f *failing) Update(ctx context.Context, fn func(store.Tx) error) error {
	if f.left--; f.left < 0 {
		return errCrash
	}
	return f.Engine.Update(ctx, fn)
}

func TestDeriveFollowsRotation(t *testing.T) {
	t.Parallel()
	before, after := ring(t, 1).Derive("cookies"), ring(t, 2, 1).Derive("cookies")
	if len(after) != 2 || !bytes.Equal(before[0], after[1]) || bytes.Equal(after[0], after[1]) {
		t.Error("after a rotation the old key has to come second")
	}
	if bytes.Equal(before[0], ring(t, 1).Derive("tokens")[0]) {
		t.Error("two purposes share a key")
	}
	box := ring(t, 1).Sealer("cookies").Seal([]byte("x"), []byte("ad"))
	if got, stale, err := ring(t, 2, 1).Sealer("cookies").Open(box, []byte("ad")); string(got) != "x" || !stale || err != nil {
		t.Errorf("%q, stale %t, %v", got, stale, err)
	}
	for name, err := range map[string]error{
		"other purpose": second(ring(t, 1).Sealer("tokens").Open(box, []byte("ad"))),
		"other data":    second(ring(t, 1).Sealer("cookies").Open(box, []byte("da"))),
		"other key":     second(ring(t, 3).Sealer("cookies").Open(box, []byte("ad"))),
	} {
		if !errors.Is(err, store.ErrSealed) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func second(_ []byte, _ bool, err error) error { return err }

// FuzzSealerOpen: nothing but what Seal made opens.
func FuzzSealerOpen(f *testing.F) {
	sealer := ring(f, 1, 2).Sealer("fuzz")
	f.Add(sealer.Seal([]byte("plain"), []byte("ad")), []byte("ad"))
	f.Add(ring(f, 2).Sealer("fuzz").Seal([]byte("plain"), nil), []byte{})
	f.Add([]byte{}, []byte("ad"))
	f.Add(make([]byte, 40), []byte("ad"))
	f.Fuzz(func(t *testing.T, box, ad []byte) {
		plain, _, err := sealer.Open(box, ad)
		if err != nil {
			if !errors.Is(err, store.ErrSealed) || plain != nil {
				t.Fatalf("%q, %v", plain, err)
			}
			return
		}
		if string(plain) != "plain" {
			t.Fatalf("opened %q", plain)
		}
		again, _, err := sealer.Open(sealer.Seal(plain, ad), ad)
		if err != nil || !bytes.Equal(again, plain) {
			t.Fatalf("round trip: %q, %v", again, err)
		}
	})
}

// Insert starts Meta afresh; Put counts up and keeps the creation time, in UTC.
func TestMetaCountsAndKeepsCreation(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 5, time.FixedZone("x", 3600))
	s := storetest.OpenAt(t, func() time.Time { return now })
	update(t, s, func(tx store.Tx) error {
		return s.Clients.Insert(tx, store.Client{ID: "c", Meta: store.Meta{Revision: 77, CreatedAt: now.Add(-time.Hour)}})
	})
	created := now
	now = now.Add(time.Hour)
	update(t, s, func(tx store.Tx) error {
		return s.Clients.Put(tx, store.Client{ID: "c", Name: "n", Meta: store.Meta{Revision: 1}})
	})
	view(t, s, func(tx store.Tx) error {
		c, err := s.Clients.Get(tx, "c")
		if c.Revision != 2 || !c.CreatedAt.Equal(created) || !c.UpdatedAt.Equal(now) || c.UpdatedAt.Location() != time.UTC {
			t.Errorf("got %+v", c.Meta)
		}
		return err
	})
	if err := s.Update(t.Context(), func(tx store.Tx) error {
		return s.Clients.Put(tx, store.Client{ID: "c", Meta: store.Meta{Revision: 1}})
	}); !errors.Is(err, store.ErrStale) {
		t.Errorf("got %v, want ErrStale", err)
	}
}
