package federation

import (
	"sync"
	"time"
)

// breaker is the circuit breaker of one connection: after failures in a row it
// refuses at once for rest, then lets one request through to see (half-open).
// One dead provider costs its own users a quick answer and nobody else anything.
type breaker struct {
	now      func() time.Time
	failures int
	rest     time.Duration

	mu      sync.Mutex
	streak  int
	until   time.Time // open until; zero when closed
	probing bool
}

// enter asks to make a request. When it may, the caller hands probe back to
// done, exactly once.
func (b *breaker) enter() (probe, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.until.IsZero() {
		return false, true
	}
	// A clock that was set back must not keep it open for longer than rest.
	if left := b.until.Sub(b.now()); b.probing || left > 0 && left <= b.rest {
		return false, false
	}
	b.probing = true
	return true, true
}

// outcome of a request as the breaker sees it.
type outcome int

const (
	alive     outcome = iota // the provider answered, whatever it said
	dead                     // it did not, or with 5xx
	abandoned                // the asking browser went away: says nothing
)

func (b *breaker) done(probe bool, o outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch o {
	case alive:
		b.streak, b.until = 0, time.Time{}
	case dead:
		b.streak++
		if probe || b.streak >= b.failures {
			b.until = b.now().Add(b.rest)
		}
	case abandoned:
	}
	if probe {
		b.probing = false
	}
}

// resting reports whether requests are refused at once right now.
func (b *breaker) resting() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	left := b.until.Sub(b.now())
	return !b.until.IsZero() && left > 0 && left <= b.rest
}

// Silent are the ids of connections whose providers have failed so often in a
// row that this process leaves them alone for a moment.
func (f *Federation) Silent() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for id, u := range f.upstreams {
		if u.breaker.resting() {
			out = append(out, id)
		}
	}
	return out
}
