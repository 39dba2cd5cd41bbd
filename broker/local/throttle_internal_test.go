package local

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestY8_BoundedKeys: 30,000 addresses and logins leave memory flat.
func TestY8_BoundedKeys(t *testing.T) {
	t.Parallel()
	l := newThrottle(time.Now)
	for i := range 30_000 {
		l.network(fmt.Sprintf("10.%d.%d.%d", i>>16&255, i>>8&255, i&255))
		l.try(fmt.Sprintf("login:%d", i), attempts{})
	}
	if n := len(l.networks.items); n != maxThrottleKeys || l.networks.order.Len() != n {
		t.Errorf("%d networks kept", n)
	}
	if n := len(l.logins.items); n != maxThrottleKeys || l.logins.order.Len() != n {
		t.Errorf("%d logins kept", n)
	}
}

// TestY8_IPv6Prefix: one home's 2^64 addresses are one network.
func TestY8_IPv6Prefix(t *testing.T) {
	t.Parallel()
	for a, b := range map[string]string{
		"2001:db8:1:2::1": "2001:db8:1:2:ffff::9", "::ffff:192.0.2.1": "192.0.2.1", "fe80::1%eth0": "fe80::2%eth1", "local": "elsewhere",
	} {
		if networkOf(a) != networkOf(b) {
			t.Errorf("%s is %s, %s is %s", a, networkOf(a), b, networkOf(b))
		}
	}
	if networkOf("2001:db8:1:2::1") == networkOf("2001:db8:1:3::1") {
		t.Error("two homes are one network")
	}
}

// TestY4_PauseIsBounded: it grows and stops at 30 seconds.
func TestY4_PauseIsBounded(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for failures, most := range map[int]time.Duration{0: 0, 4: 0, 5: time.Second, 7: 4 * time.Second, 10: 30 * time.Second, 1 << 40: 30 * time.Second} {
		if got := (attempts{failures, now}).pause(now); got != most {
			t.Errorf("%d failures: wait %s, want %s", failures, got, most)
		}
	}
}

// TestY4_ParallelTries: guesses sent at once are counted one by one.
func TestY4_ParallelTries(t *testing.T) {
	t.Parallel()
	now := time.Now()
	l := newThrottle(func() time.Time { return now })
	var allowed atomic.Int32
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			if l.try("login:ann", attempts{}) {
				allowed.Add(1)
			}
		})
	}
	wg.Wait()
	if allowed.Load() != 5 {
		t.Errorf("%d of 64 tries were allowed, want 5", allowed.Load())
	}
	l.succeeded("login:ann")
	if !l.try("login:ann", attempts{}) || l.try("login:ann", attempts{failures: 9, last: now}) {
		t.Error("success did not reset, or the stored count was not looked at")
	}
}

// TestParsePHC refuses damaged and absurd hashes.
func TestParsePHC(t *testing.T) {
	t.Parallel()
	h := NewHasher()
	good, err := h.Hash(t.Context(), "correct horse battery")
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := h.verify(t.Context(), good, "correct horse battery"); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if ok, err := h.verify(t.Context(), good, "correct horse batterz"); ok || err != nil {
		t.Fatal(ok, err)
	}
	for _, bad := range []string{
		"x", "$argon2i$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=99999999,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=16$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"$argon2id$v=19$m=19456,t=2,p=1$$", "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AA",
	} {
		if _, err := h.verify(t.Context(), bad, "x"); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}
