package federation

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestBreaker_HalfOpen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &breaker{now: time.Now, failures: 2, rest: time.Minute}
		enter := func(want bool) bool {
			t.Helper()
			probe, ok := b.enter()
			if ok != want {
				t.Fatalf("enter: %v, want %v", ok, want)
			}
			return probe
		}
		b.done(enter(true), dead)
		b.done(enter(true), alive) // resets the streak
		b.done(enter(true), dead)
		late := enter(true)
		b.done(enter(true), dead)
		enter(false)
		time.Sleep(time.Minute)
		probe := enter(true)
		enter(false) // one probe at a time
		b.done(late, abandoned)
		enter(false) // an older request does not free the probe's place
		b.done(probe, abandoned)
		b.done(enter(true), dead)
		enter(false)
		time.Sleep(time.Minute)
		b.done(enter(true), alive)
		enter(true)
		enter(true)
	})
}

func TestBreaker_ClockSetBack(t *testing.T) {
	t.Parallel()
	now := time.Now()
	b := &breaker{now: func() time.Time { return now }, failures: 1, rest: time.Minute}
	probe, _ := b.enter()
	b.done(probe, dead)
	now = now.Add(-24 * time.Hour)
	if _, ok := b.enter(); !ok {
		t.Error("open for a day because the clock was set back")
	}
}
