package main

import (
	"context"
	"sync"
	"time"
)

// How often the background tasks look.
const (
	sweepEvery    = time.Minute
	sweepBatch    = 500
	keysEvery     = 10 * time.Minute
	domainsEvery  = time.Minute
	requestsEvery = time.Minute
	auditEvery    = time.Hour
	auditBatch    = 1000
	readyLimit    = 2 * time.Second
)

// startTasks starts the background tasks. The function it returns ends them and
// waits until they are gone.
func (g *gatehouse) startTasks() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { g.every(ctx, sweepEvery, "sweep", g.sweep) })
	running.Go(func() { g.every(ctx, keysEvery, "keys", g.keys.Maintain) })
	running.Go(func() { g.notifier.Run(ctx) })
	running.Go(func() { g.every(ctx, requestsEvery, "requests", g.provisioner.ExpireRequests) })
	running.Go(func() { g.every(ctx, domainsEvery, "domains", g.ownership.CheckDue) })
	running.Go(func() { g.every(ctx, auditEvery, "audit", g.trimAudit) })
	return func() {
		cancel()
		running.Wait()
	}
}

func (g *gatehouse) every(ctx context.Context, pause time.Duration, name string, task func(context.Context) error) {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := task(ctx); err != nil && ctx.Err() == nil {
			g.errors.WithLabelValues(name).Inc()
			g.logger.Error("background task failed; it will be tried again", "task", name, "error", err)
		}
	}
}

// sweep removes expired records batch by batch, so that no transaction is long.
func (g *gatehouse) sweep(ctx context.Context) error {
	for {
		n, err := g.store.Sweep(ctx, sweepBatch)
		if err != nil || n < sweepBatch || ctx.Err() != nil {
			return err
		}
	}
}

// trimAudit removes audit entries whose time is over, batch by batch.
func (g *gatehouse) trimAudit(ctx context.Context) error {
	if g.cfg.Audit.Keep == 0 {
		return nil
	}
	removed := 0
	for {
		n, err := g.store.TrimAudit(ctx, g.store.Now().Add(-g.cfg.Audit.Keep), auditBatch)
		removed += n
		if err != nil || n < auditBatch || ctx.Err() != nil {
			if removed > 0 {
				g.logger.Info("audit entries removed: their time was over", "entries", removed)
			}
			return err
		}
	}
}
