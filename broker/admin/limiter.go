package admin

import (
	linked "container/list"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxLimiterKeys bounds each map (Y8): the least recently seen key leaves.
const maxLimiterKeys = 10_000

// limiter slows sign-in down: per network by a token bucket, per login by a
// growing pause. Both live in memory of fixed size; the pause of a real account
// also stands in its Password record and so survives a restart.
type limiter struct {
	mu       sync.Mutex
	now      func() time.Time
	networks *lru[*rate.Limiter]
	logins   *lru[attempts]
}

// attempts is how often and when a sign-in failed last.
type attempts struct {
	failures int
	last     time.Time
}

func newLimiter(now func() time.Time) *limiter {
	return &limiter{now: now, networks: newLRU[*rate.Limiter](maxLimiterKeys), logins: newLRU[attempts](maxLimiterKeys)}
}

// network reports whether one more try from this address may go on: 10 at
// once, then one every 6 seconds.
func (l *limiter) network(addr string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := networkOf(addr)
	bucket, ok := l.networks.get(key)
	if !ok {
		bucket = rate.NewLimiter(rate.Every(6*time.Second), 10)
		l.networks.put(key, bucket)
	}
	return bucket.AllowN(l.now(), 1)
}

// networkOf is an IPv4 address or the /64 of an IPv6 one: a home has 2^64.
func networkOf(addr string) string {
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return "?"
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		p, _ := ip.Prefix(64)
		return p.String()
	}
	return ip.String()
}

// pause is how long a login with these attempts must still wait: nothing for
// the first five, then 1, 2, 4 … seconds, never more than 30. It is never
// locked for good (Y4).
func (a attempts) pause(now time.Time) time.Duration {
	if a.failures < 5 {
		return 0
	}
	wait := min(time.Second<<min(a.failures-5, 10), 30*time.Second)
	return a.last.Add(wait).Sub(now)
}

// try counts one more try of a login and reports whether it may go on. It
// counts before the password is looked at, so that parallel guesses are not
// free, and counts known and unknown logins alike, so that the answer tells
// nothing (Y1). stored is what the account's record says.
func (l *limiter) try(key string, stored attempts) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	a, _ := l.logins.get(key)
	if stored.failures > a.failures {
		a = stored
	}
	if a.pause(l.now()) > 0 {
		return false
	}
	l.logins.put(key, attempts{failures: a.failures + 1, last: l.now()})
	return true
}

func (l *limiter) succeeded(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.logins.remove(key)
}

// lru is a map of bounded size.
type lru[V any] struct {
	size  int
	order *linked.List // front: seen last
	items map[string]*linked.Element
}

type lruEntry[V any] struct {
	key   string
	value V
}

func newLRU[V any](size int) *lru[V] {
	return &lru[V]{size: size, order: linked.New(), items: map[string]*linked.Element{}}
}

func (l *lru[V]) get(key string) (V, bool) {
	e, ok := l.items[key]
	if !ok {
		var zero V
		return zero, false
	}
	l.order.MoveToFront(e)
	return e.Value.(lruEntry[V]).value, true
}

func (l *lru[V]) put(key string, v V) {
	if e, ok := l.items[key]; ok {
		e.Value = lruEntry[V]{key, v}
		l.order.MoveToFront(e)
		return
	}
	if l.order.Len() >= l.size {
		last := l.order.Back()
		delete(l.items, last.Value.(lruEntry[V]).key)
		l.order.Remove(last)
	}
	l.items[key] = l.order.PushFront(lruEntry[V]{key, v})
}

func (l *lru[V]) remove(key string) {
	if e, ok := l.items[key]; ok {
		l.order.Remove(e)
		delete(l.items, key)
	}
}
