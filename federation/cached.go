package federation

import (
	"context"
	"sync"
	"time"
)

// cached is a document of a provider: fetched when first needed, once for all
// who wait, refreshed in the background on use when half its time is over, and
// still used, up to stale, while the provider cannot be reached.
type cached[T any] struct {
	fresh time.Duration // older: those who ask wait for a new one
	stale time.Duration // older: no longer used, even if there is no new one
	pause time.Duration // after a failed attempt, before the next (12 times that while there is one to use)
	// provoked is the pause between fetches that renew asked for.
	provoked time.Duration

	mu       sync.Mutex
	value    T
	version  int       // of value; 0: none yet
	at       time.Time // value was fetched
	failed   time.Time // last failed attempt, if after at
	err      error     // of that attempt
	renewed  time.Time // last attempt asked for by renew
	inFlight chan struct{}
}

// within reports whether less than d has passed since t. A clock set back makes
// things old rather than eternal.
func within(now, t time.Time, d time.Duration) bool {
	age := now.Sub(t)
	return !t.IsZero() && age < d && age >= -skew
}

// get returns the document and its version.
func (c *cached[T]) get(ctx context.Context, f *Federation, fetch func(context.Context) (T, error)) (T, int, error) {
	now := f.now()
	c.mu.Lock()
	usable := c.version > 0 && within(now, c.at, c.stale)
	switch {
	case usable && within(now, c.failed, 12*c.pause):
		defer c.mu.Unlock()
		return c.value, c.version, nil
	case usable && within(now, c.at, c.fresh):
		if !within(now, c.at, c.fresh/2) {
			c.start(f, fetch)
		}
		defer c.mu.Unlock()
		return c.value, c.version, nil
	case !usable && within(now, c.failed, c.pause):
		defer c.mu.Unlock()
		var none T
		return none, 0, c.err
	}
	wait := c.start(f, fetch)
	c.mu.Unlock()
	if usable { // with something in hand nobody waits long for better
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.timing.patience)
		defer cancel()
	}
	return c.await(ctx, f, wait)
}

// renew gets a document newer than the version seen, which did not serve for
// something received at since. It fetches at most once in provoked: what tokens
// name must not make us hammer a provider (SECURITY-CASES J19). newer is false
// when there is none, for now.
func (c *cached[T]) renew(ctx context.Context, f *Federation, seen int, since time.Time, fetch func(context.Context) (T, error)) (value T, newer bool) {
	now := f.now()
	c.mu.Lock()
	switch {
	case c.version > seen || c.at.After(since):
		defer c.mu.Unlock()
		return c.value, true
	case c.inFlight == nil && within(now, c.renewed, c.provoked):
		defer c.mu.Unlock()
		return c.value, false
	}
	c.renewed = now
	wait := c.start(f, fetch)
	c.mu.Unlock()
	value, version, err := c.await(ctx, f, wait)
	return value, err == nil && version > seen
}

// await waits for a fetch, or for the caller's patience, and answers with what
// is usable then.
func (c *cached[T]) await(ctx context.Context, f *Federation, wait <-chan struct{}) (T, int, error) {
	var gone error
	select {
	case <-wait:
	case <-ctx.Done():
		gone = temporary(CodeTimeout, "waited too long for the provider's configuration or keys")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.version > 0 && within(f.now(), c.at, c.stale) {
		return c.value, c.version, nil
	}
	var none T
	if gone == nil {
		gone = c.err
	}
	if gone == nil {
		gone = temporary(CodeUnreachable, "shutting down")
	}
	return none, 0, gone
}

// start begins a fetch unless one is running; the caller holds mu. The fetch
// belongs to the Federation, not to the browser that happened to ask first:
// that one going away must not fail the others (SECURITY-CASES J21).
func (c *cached[T]) start(f *Federation, fetch func(context.Context) (T, error)) <-chan struct{} {
	if c.inFlight != nil {
		return c.inFlight
	}
	done := make(chan struct{})
	c.inFlight = done
	finish := func(v T, err error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if err != nil {
			c.failed, c.err = f.now(), err
		} else {
			c.value, c.at, c.failed, c.err = v, f.now(), time.Time{}, nil
			c.version++
		}
		c.inFlight = nil
		close(done)
	}
	if !f.spawn(func(ctx context.Context) { finish(fetch(ctx)) }) {
		c.inFlight = nil
		close(done)
	}
	return done
}
