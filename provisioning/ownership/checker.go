package ownership

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"gatehouse/store"
)

// Config of a Checker. Store is required.
type Config struct {
	Store    *store.Store
	Resolver Resolver
	// Grace is how long a proven record may be missing; Grace if zero.
	Grace  time.Duration
	Now    func() time.Time
	Logger *slog.Logger
}

// Checker proves claims and watches over proven ones. It is safe for concurrent
// use, also by several processes on one store.
type Checker struct{ cfg Config }

// New makes a Checker.
func New(cfg Config) *Checker {
	if cfg.Grace <= 0 {
		cfg.Grace = Grace
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Checker{cfg}
}

// Grace is how long the record of a proven domain may be missing.
func (c *Checker) Grace() time.Duration { return c.cfg.Grace }

// Ask looks at DNS for a claim. It takes as long as DNS does: never call it
// inside an Update.
func (c *Checker) Ask(ctx context.Context, d store.Domain) Answer {
	return c.cfg.Resolver.Ask(ctx, d.Name, d.Challenge, c.cfg.Now().UTC())
}

// ErrOutdated: the claim was changed or looked at again since DNS was asked.
var ErrOutdated = errors.New("ownership: the claim changed while DNS was asked")

// Apply keeps what an answer makes of the claim with a key. The claim is read
// again: the answer counts only for the challenge it was asked for, and not
// after a later one (ErrOutdated). Who manages the organization is told when a
// proven record is missing for the first time.
func (c *Checker) Apply(tx store.Tx, key string, a Answer) (before, after store.Domain, err error) {
	if before, err = c.cfg.Store.Domains.Get(tx, key); err != nil {
		return before, before, err
	}
	if before.Challenge == "" || before.Challenge != a.Challenge || before.CheckedAt.After(a.At) {
		return before, before, ErrOutdated
	}
	taken, err := Taken(tx, c.cfg.Store, before.Name, before.OrganizationID)
	if err != nil {
		return before, before, err
	}
	after = judge(before, a, taken, c.cfg.Grace)
	if err := c.cfg.Store.Domains.Put(tx, after); err != nil {
		return before, after, err
	}
	if before.MissingSince.IsZero() && !after.MissingSince.IsZero() {
		err = c.cfg.Store.Tell(tx, store.Event{
			Kind: store.EventDomainLapse, OrganizationID: after.OrganizationID, Subject: key,
			Detail: map[string]string{
				"domain": after.Name, "record": RecordName(after.Name), "value": after.Challenge,
				"missing_since": after.MissingSince.Format(time.RFC3339), "lapses_at": after.MissingSince.Add(c.cfg.Grace).Format(time.RFC3339),
			},
		})
	}
	if err == nil {
		after, err = c.cfg.Store.Domains.Get(tx, key)
	}
	return before, after, err
}

// Taken reports whether another organization's claim to a domain is proven.
func Taken(tx store.Tx, s *store.Store, domain, organization string) (bool, error) {
	for d, err := range s.Domains.AllByIndex(tx, "name", domain) {
		if err != nil {
			return false, err
		}
		if d.Owned() && d.OrganizationID != organization {
			return true, nil
		}
	}
	return false, nil
}

// How much one round of CheckDue does at most, so that a flood of claims takes
// neither DNS nor the store.
const (
	atOnce   = 4
	perRound = 200
)

// CheckDue looks at every claim whose time has come. Call it every minute or so.
func (c *Checker) CheckDue(ctx context.Context) error {
	claims, err := c.dueNow(ctx)
	if err != nil {
		return err
	}
	queue := make(chan store.Domain)
	var running sync.WaitGroup
	var failed error
	var failedOnce sync.Once
	for range min(atOnce, len(claims)) {
		running.Go(func() {
			for d := range queue {
				if err := c.check(ctx, d); err != nil {
					failedOnce.Do(func() { failed = err })
				}
			}
		})
	}
	for _, d := range claims {
		queue <- d
	}
	close(queue)
	running.Wait()
	return failed
}

func (c *Checker) dueNow(ctx context.Context) (claims []store.Domain, err error) {
	now := c.cfg.Now().UTC()
	err = c.cfg.Store.View(ctx, func(tx store.Tx) error {
		claims = nil
		for d, err := range c.cfg.Store.Domains.All(tx) {
			if err != nil {
				return err
			}
			if due(d, now) {
				claims = append(claims, d)
			}
			if len(claims) == perRound {
				return nil
			}
		}
		return nil
	})
	return claims, err
}

// check looks at one claim. What changes what it is worth is in the audit.
func (c *Checker) check(ctx context.Context, d store.Domain) error {
	a := c.Ask(ctx, d)
	if ctx.Err() != nil {
		return nil // stopping: the answer says nothing
	}
	var before, after store.Domain
	err := c.cfg.Store.Update(ctx, func(tx store.Tx) (err error) {
		before, after, err = c.Apply(tx, store.DomainKey(d.Name, d.OrganizationID), a)
		if err != nil || before.State == after.State {
			return err
		}
		return c.cfg.Store.Record(tx, store.Actor{UserID: "system", Via: "system"}, "domain."+string(after.State),
			"domain/"+after.OrganizationID+"/"+after.Name, map[string]any{
				"before": map[string]any{"state": string(before.State)}, "after": map[string]any{"state": string(after.State)},
			})
	})
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, ErrOutdated) {
		return nil
	}
	if err == nil && before.State != after.State {
		c.cfg.Logger.InfoContext(ctx, "domain "+string(after.State), "domain", after.Name, "organization", after.OrganizationID, "says", strings.TrimSpace(a.Says))
	}
	return err
}
