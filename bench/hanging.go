package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// What hangs, and what is measured meanwhile.
const (
	hangingLogins = 32
	hangRounds    = 12 // of each kind, in turns: what disturbs the machine disturbs both
	roundLogins   = 200
	roundWorkers  = 2
	settling      = 100 * time.Millisecond // before a round, for what the one before left to write
)

// hanging compares logins at a good provider while others hang at a bad one
// with logins while none do. A figure is the median of its rounds: one that
// somebody else on this machine disturbed says nothing.
func (w *world) hanging() error {
	shared := &http.Transport{MaxIdleConnsPerHost: hangingLogins + roundWorkers}
	defer shared.CloseIdleConnections()
	bad, err := w.newCompany("hanging", "", func(string) map[string]any { return nil })
	if err != nil {
		return err
	}
	if _, err := w.login(context.Background(), shared, bad.domain(), 0); err != nil {
		return fmt.Errorf("a provider that does not hang yet: %w", err)
	}
	if err := send(http.MethodPost, bad.issuer+"/mock/faults", "", map[string]any{"fault": "token_hang"}, nil); err != nil {
		return err
	}
	var without, with rounds
	for range hangRounds {
		took, err := w.round(shared)
		if err != nil {
			return err
		}
		without.add(took)
		release, err := w.hang(bad, shared)
		if err != nil {
			return err
		}
		took, err = w.round(shared)
		if err = errors.Join(err, release()); err != nil {
			return err
		}
		with.add(took)
	}
	p99without, p99with := median(without.p99), median(with.p99)
	fmt.Println()
	row(fmt.Sprintf("p99 of logins while %d hang elsewhere", hangingLogins), fmt.Sprintf("%.2f of usual", p99with/p99without), "1.10")
	row("  p50", fmt.Sprintf("%.2f of usual", median(with.p50)/median(without.p50)), "")
	row("  p99 without · with", fmt.Sprintf("%.1f · %.1f ms", p99without, p99with), "")
	return nil
}

// rounds are the percentiles of each, in milliseconds.
type rounds struct{ p50, p99 []float64 }

func (r *rounds) add(took []time.Duration) {
	slices.Sort(took)
	at := func(percent int) float64 { return took[len(took)*percent/100].Seconds() * 1000 }
	r.p50, r.p99 = append(r.p50, at(50)), append(r.p99, at(99))
}

func median(of []float64) float64 {
	slices.Sort(of)
	return (of[(len(of)-1)/2] + of[len(of)/2]) / 2
}

// hang begins logins that wait for the bad provider; release has their
// browsers go away.
func (w *world) hang(bad *company, shared http.RoundTripper) (release func() error, err error) {
	if _, err := bad.requests(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	var mu sync.Mutex
	var wrong error
	for i := range hangingLogins {
		group.Go(func() {
			if _, err := w.login(ctx, shared, bad.domain(), int64(i)); !errors.Is(err, context.Canceled) {
				mu.Lock()
				defer mu.Unlock()
				wrong = fmt.Errorf("a login that should hang: %w", errors.Join(errors.New("it ended"), err))
			}
		})
	}
	release = func() error {
		cancel()
		group.Wait()
		return wrong
	}
	for waiting := 0; waiting < hangingLogins; {
		time.Sleep(5 * time.Millisecond)
		var answer struct {
			Counts map[string]int `json:"counts"`
		}
		if err := send(http.MethodGet, bad.issuer+"/mock/requests", "", nil, &answer); err != nil {
			return nil, errors.Join(err, release())
		}
		waiting = answer.Counts["token"]
		mu.Lock()
		failed := wrong
		mu.Unlock()
		if failed != nil {
			return nil, release()
		}
	}
	return release, nil
}

// round signs people in at Acme and returns how long each login took.
func (w *world) round(shared http.RoundTripper) ([]time.Duration, error) {
	time.Sleep(settling)
	took, failed := make([][]time.Duration, roundWorkers), make([]error, roundWorkers)
	var group sync.WaitGroup
	for worker := range roundWorkers {
		group.Go(func() {
			for i := range roundLogins / roundWorkers {
				start := time.Now()
				if _, failed[worker] = w.login(context.Background(), shared, acmeDomain, int64(i*roundWorkers+worker)); failed[worker] != nil {
					return
				}
				took[worker] = append(took[worker], time.Since(start))
			}
		})
	}
	group.Wait()
	return slices.Concat(took...), errors.Join(failed...)
}
