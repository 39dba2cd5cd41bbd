package broker

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// guesses throttles failed client authentications per client and network. It
// never holds more than guessCap entries: the least recently used goes
// (SECURITY-CASES Y6, Y8).
type guesses struct {
	now func() time.Time
	mu  sync.Mutex
	by  map[guessKey]*list.Element
	lru *list.List // of *guess
}

type guessKey struct{ client, network string }

type guess struct {
	key     guessKey
	limiter *rate.Limiter
}

const (
	guessCap   = 10000
	guessBurst = 20              // failures at once
	guessEvery = 3 * time.Second // and one more each
)

func newGuesses(now func() time.Time) *guesses {
	return &guesses{now: now, by: map[guessKey]*list.Element{}, lru: list.New()}
}

// allow reports whether another attempt may be made; it costs nothing.
func (g *guesses) allow(client, remote string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	e, ok := g.by[guessKey{short(client), network(remote)}]
	return !ok || e.Value.(*guess).limiter.TokensAt(g.now()) >= 1
}

// failed counts a failure.
func (g *guesses) failed(client, remote string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := guessKey{short(client), network(remote)}
	e, ok := g.by[key]
	if !ok {
		for len(g.by) >= guessCap {
			oldest := g.lru.Back()
			delete(g.by, oldest.Value.(*guess).key)
			g.lru.Remove(oldest)
		}
		e = g.lru.PushFront(&guess{key: key, limiter: rate.NewLimiter(rate.Every(guessEvery), guessBurst)})
		g.by[key] = e
	}
	g.lru.MoveToFront(e)
	e.Value.(*guess).limiter.AllowN(g.now(), 1)
}

func short(s string) string { return s[:min(len(s), 64)] }

// network is the address, for IPv6 its /64.
func network(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return "unknown"
	}
	if a = a.Unmap(); a.Is6() {
		p, _ := a.WithZone("").Prefix(64)
		return p.String()
	}
	return a.String()
}
