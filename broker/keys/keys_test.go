package keys

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/store"
	"gatehouse/store/storetest"
)

// clock is set by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func newRing(t *testing.T) (*Ring, *store.Store, *clock) {
	t.Helper()
	c := &clock{at: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	s := storetest.OpenAt(t, c.now)
	r, err := Open(t.Context(), Config{Store: s, Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	return r, s, c
}

// published counts the published keys of an algorithm.
func published(t *testing.T, r *Ring, alg string) int {
	t.Helper()
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(r.JWKS(), &set); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, k := range set.Keys {
		if k.Algorithm == alg {
			n++
		}
	}
	return n
}

func kid(t *testing.T, token string) string {
	t.Helper()
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256, jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	return jws.Signatures[0].Header.KeyID
}

func sign(t *testing.T, r *Ring, alg string) string {
	t.Helper()
	token, err := r.Sign(alg, TypAccess, []byte(`{"sub":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestSignAndVerify(t *testing.T) {
	t.Parallel()
	r, _, _ := newRing(t)
	for _, alg := range []string{ES256, RS256} {
		token := sign(t, r, alg)
		payload, typ, err := r.Verify(token)
		if err != nil || typ != TypAccess || string(payload) != `{"sub":"x"}` {
			t.Errorf("%s: %q %q %v", alg, payload, typ, err)
		}
		head, rest, _ := strings.Cut(token, ".")
		for name, bad := range map[string]string{
			"no signature":  head + "." + strings.Split(rest, ".")[0] + ".",
			"cut signature": token[:len(token)-6],
			"alg none":      "eyJhbGciOiJub25lIn0." + strings.Split(rest, ".")[0] + ".",
			"empty":         "",
			"other payload": head + ".e30." + strings.Split(rest, ".")[1],
		} {
			if _, _, err := r.Verify(bad); err == nil {
				t.Errorf("%s: %s is accepted", alg, name)
			}
		}
	}
	if _, err := r.Sign("HS256", TypID, nil); err == nil {
		t.Error("an algorithm we have no key of signed")
	}
	if _, err := r.Sign(ES256, "made-up", nil); err == nil {
		t.Error("a type we do not make was signed")
	}
}

// The same file opened again, by this or by another process, has the same keys.
func TestKeysAreFoundAgain(t *testing.T) {
	t.Parallel()
	r, s, c := newRing(t)
	again, err := Open(t.Context(), Config{Store: s, Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := again.Verify(sign(t, r, ES256)); err != nil || string(again.JWKS()) != string(r.JWKS()) {
		t.Errorf("another process does not know the key: %v", err)
	}
}

func TestRotationByAge(t *testing.T) {
	t.Parallel()
	r, _, c := newRing(t)
	first := kid(t, sign(t, r, ES256))
	maintain := func() {
		t.Helper()
		if err := r.Maintain(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	c.add(89 * 24 * time.Hour)
	if maintain(); published(t, r, ES256) != 1 {
		t.Fatal("rotated too early")
	}
	c.add(25 * time.Hour)
	if maintain(); published(t, r, ES256) != 2 || kid(t, sign(t, r, ES256)) != first {
		t.Fatal("the successor is not published, or signs already")
	}
	if maintain(); published(t, r, ES256) != 2 {
		t.Fatal("a second successor")
	}
	c.add(24 * time.Hour)
	if kid(t, sign(t, r, ES256)) == first {
		t.Error("the old key still signs after the lead time")
	}
	c.add(30*24*time.Hour + time.Minute)
	if maintain(); published(t, r, ES256) != 1 {
		t.Error("the old key is still published after its tokens expired")
	}
}

// K5: of many that rotate at once, one does.
func TestK5_RotatingAtOnce(t *testing.T) {
	t.Parallel()
	r, s, c := newRing(t)
	c.add(91 * 24 * time.Hour)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			other, err := Open(t.Context(), Config{Store: s, Now: c.now})
			if err != nil {
				t.Error(err)
				return
			}
			if _, _, err := other.Verify(sign(t, r, ES256)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := r.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := published(t, r, ES256); n != 2 {
		t.Errorf("%d keys, want the old one and one successor", n)
	}
}

// FT9: a clock that jumps neither stops signing nor throws keys away.
func TestFT9_ClockJumps(t *testing.T) {
	t.Parallel()
	for name, jump := range map[string]time.Duration{
		"back an hour": -time.Hour, "ahead an hour": time.Hour, "ten years ahead": 87600 * time.Hour, "back to 1970": -490000 * time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _, c := newRing(t)
			before := sign(t, r, ES256)
			c.add(jump)
			if err := r.Maintain(t.Context()); err != nil {
				t.Fatal(err)
			}
			sign(t, r, ES256)
			if _, _, err := r.Verify(before); err != nil {
				t.Errorf("a token from before the jump: %v", err)
			}
		})
	}
}

func FuzzVerify(f *testing.F) {
	c := &clock{at: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	s := storetest.OpenAt(f, c.now)
	r, err := Open(f.Context(), Config{Store: s, Now: c.now})
	if err != nil {
		f.Fatal(err)
	}
	good, err := r.Sign(ES256, TypAccess, []byte("{}"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, token string) {
		if payload, _, err := r.Verify(token); err == nil && string(payload) != "{}" {
			t.Fatalf("accepted %q", token)
		}
	})
}
