package local

import (
	linked "container/list"
	"net"
	"net/netip"
	"sync"
	"time"
)

// maxThrottleKeys bounds each map (Y8): the least recently seen key leaves.
const maxThrottleKeys = 10_000

// throttle slows guessing down: per network by a bucket of tries, per login by a
// growing pause. Both live in memory of fixed size; the pause of a real account
// also stands in its Password record and so survives a restart.
type throttle struct {
	mu       sync.Mutex
	now      func() time.Time
	networks *lru[*bucket]
	logins   *lru[attempts]
	mails    *lru[*bucket]
}

// attempts is how often and when a sign-in failed last.
type attempts struct {
	failures int
	last     time.Time
}

func newThrottle(now func() time.Time) *throttle {
	return &throttle{
		now: now, networks: newLRU[*bucket](maxThrottleKeys), logins: newLRU[attempts](maxThrottleKeys),
		mails: newLRU[*bucket](maxThrottleKeys),
	}
}

// bucket holds tokens that come back with time.
type bucket struct {
	tokens float64
	at     time.Time
}

// Tries of one network: 10 failures at once, then one every 6 seconds.
const (
	networkBurst = 10
	networkEvery = 6 * time.Second
)

// network reports whether one more try from this address may go on. A try that
// turns out right is given back: an office behind one address signs in as it
// likes.
func (l *throttle) network(addr string) bool {
	return l.take(l.networks, networkOf(addr), networkEvery, networkBurst)
}

// right gives the try of a network back.
func (l *throttle) right(addr string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b, ok := l.networks.get(networkOf(addr)); ok {
		b.tokens = min(b.tokens+1, networkBurst)
	}
}

// mail reports whether one more mail may be asked for with this address: 3 at
// once, then one every 20 minutes. It counts known and unknown ones alike.
func (l *throttle) mail(login string) bool { return l.take(l.mails, login, 20*time.Minute, 3) }

func (l *throttle) take(of *lru[*bucket], key string, every time.Duration, burst float64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	b, ok := of.get(key)
	if !ok {
		b = &bucket{tokens: burst, at: now}
		of.put(key, b)
	}
	if past := now.Sub(b.at); past > 0 {
		b.tokens, b.at = min(b.tokens+float64(past)/float64(every), burst), now
	}
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// networkOf is an IPv4 address or the /64 of an IPv6 one: a home has 2^64.
func networkOf(addr string) string {
	if host, _, err := net.SplitHostPort(addr); err == nil {
		addr = host
	}
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
func (a attempts) pause(now time.Time) time.Duration { return a.wait(now, 30*time.Second) }

// wait is pause with another upper bound.
func (a attempts) wait(now time.Time, most time.Duration) time.Duration {
	if a.failures < 5 {
		return 0
	}
	return a.last.Add(min(time.Second<<min(a.failures-5, 10), most)).Sub(now)
}

// try counts one more try of a login and reports whether it may go on. It
// counts before the password is looked at, so that parallel guesses are not
// free, and counts known and unknown logins alike, so that the answer tells
// nothing (Y1). stored is what the account's record says.
func (l *throttle) try(key string, stored attempts) bool {
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

func (l *throttle) succeeded(key string) {
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
