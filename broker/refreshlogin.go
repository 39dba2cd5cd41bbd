package broker

import (
	"context"
	"errors"
	"sync"
	"time"

	"gatehouse/federation"
	"gatehouse/store"
)

// defaultOutage is Connection.RefreshOutageSeconds when it is 0.
const defaultOutage = time.Hour

// upstreamKey is what a provider's refresh token is kept under: the sign-in it
// came from, so that every grant of one browser session asks with the same, the
// newest one.
func upstreamKey(g store.Grant) string {
	if g.SessionKey != "" {
		return g.SessionKey
	}
	return g.ID
}

// askProvider asks a refresh login's provider before tokens are made. nil lets
// the refresh go on. A definite no ends the sign-in with all its grants; an
// outage is tolerated until RefreshOutageSeconds after the last yes, and then
// refuses without ending anything.
func (b *Broker) askProvider(ctx context.Context, u *unit, f form) error {
	if u.refresh == nil {
		return nil
	}
	grant, conn := u.refresh.grant, u.refresh.standing.Connection()
	if !conn.RefreshLogin || conn.Grant != "" {
		return nil
	}
	lent, oerr := forwarded(u.refresh.standing.Client(), f)
	if oerr != nil {
		return oerr
	}
	arrived := b.now()
	// One at a time per token: a provider that rotates them takes each once
	// (SECURITY-CASES Z8). The app going away must not lose a rotated one.
	ctx = context.WithoutCancel(ctx)
	key := upstreamKey(grant)
	defer b.asking.lock(key)()
	var denied error
	for range 2 {
		rec, err := b.upstreamToken(ctx, key)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return b.withoutUpstream(grant, conn)
		case err != nil:
			return errUnavailable(err)
		case !rec.CheckedAt.Before(arrived):
			return nil // somebody has asked while we waited
		}
		token, err := rec.Refresh.Reveal()
		if err != nil {
			return errUnavailable(err)
		}
		got, err := b.federation.Refresh(ctx, conn, federation.RefreshRequest{Token: token, Parameters: lent})
		switch {
		case err == nil:
			return b.upstreamYes(ctx, key, grant, got)
		case !federation.RefreshDenied(err):
			return b.upstreamSilent(grant, conn, rec, err)
		}
		// Another process may have rotated the token between our look and our
		// question: the newest one decides.
		if now, rerr := b.upstreamToken(ctx, key); rerr == nil {
			if newest, rerr := now.Refresh.Reveal(); rerr == nil && newest == token {
				return b.upstreamNo(ctx, key, grant, err)
			}
		}
		denied = err
	}
	return errUnavailable(denied)
}

func (b *Broker) upstreamToken(ctx context.Context, key string) (rec store.UpstreamToken, err error) {
	err = b.store.View(ctx, func(tx store.Tx) error {
		rec, err = b.store.UpstreamTokens.Get(tx, key)
		return err
	})
	return rec, err
}

// upstreamYes keeps the newest token at once, whatever becomes of the refresh.
func (b *Broker) upstreamYes(ctx context.Context, key string, grant store.Grant, got federation.RefreshResult) error {
	err := b.store.Update(ctx, func(tx store.Tx) error {
		rec, err := b.store.UpstreamTokens.Get(tx, key)
		if err != nil {
			return err
		}
		if got.Rotated {
			rec.Refresh = store.Seal(got.Token)
		}
		rec.CheckedAt = got.CheckedAt
		if grant.ExpiresAt.After(rec.ExpiresAt) {
			rec.ExpiresAt = grant.ExpiresAt
		}
		return b.store.UpstreamTokens.Put(tx, rec)
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return errUnavailable(err)
	}
	return nil
}

// upstreamNo ends the sign-in: the provider ended it, or another person came
// back (T9).
func (b *Broker) upstreamNo(ctx context.Context, key string, grant store.Grant, cause error) error {
	err := b.store.Update(ctx, func(tx store.Tx) error {
		if err := b.endGrant(tx, grant.ID, "refused by the identity provider"); err != nil {
			return err
		}
		if grant.SessionKey != "" {
			if err := b.provisioner.EndSession(tx, grant.SessionKey); err != nil {
				return err
			}
		}
		if err := b.store.UpstreamTokens.Delete(tx, key); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return nil
	})
	if err != nil {
		return errUnavailable(err) // no refusal is told that did not happen (T8)
	}
	return errInvalidGrant("The identity provider has ended this sign-in.").because(cause)
}

// upstreamSilent is an outage, or a fault of configuration.
func (b *Broker) upstreamSilent(grant store.Grant, conn store.Connection, rec store.UpstreamToken, cause error) error {
	left := outageBound(conn) - b.now().Sub(rec.CheckedAt)
	b.logger.Warn("provider not asked at refresh", "connection", conn.ID, "tolerated", left > 0, "cause", cause.Error())
	if left > 0 {
		return nil
	}
	return errUnavailable(cause)
}

// withoutUpstream: the provider gave no refresh token, or it was not kept (the
// connection had no refresh login then), so there is nothing to ask with. The sign-in itself was a
// yes, which counts as long as an outage would be tolerated.
func (b *Broker) withoutUpstream(grant store.Grant, conn store.Connection) error {
	if b.now().Sub(grant.CreatedAt) < outageBound(conn) {
		return nil
	}
	return errInvalidGrant("The identity provider cannot be asked about this sign-in any more: sign in again.")
}

func outageBound(conn store.Connection) time.Duration {
	if conn.RefreshOutageSeconds > 0 {
		return time.Duration(conn.RefreshOutageSeconds) * time.Second
	}
	return defaultOutage
}

// queue lets one caller per key through at a time. It holds no more entries
// than there are callers. The zero value is ready.
type queue struct {
	mu    sync.Mutex
	lines map[string]*line
}

type line struct {
	mu    sync.Mutex
	users int
}

// lock waits for the key and returns how to give it back.
func (q *queue) lock(key string) (unlock func()) {
	q.mu.Lock()
	if q.lines == nil {
		q.lines = map[string]*line{}
	}
	l := q.lines[key]
	if l == nil {
		l = &line{}
		q.lines[key] = l
	}
	l.users++
	q.mu.Unlock()
	l.mu.Lock()
	return func() {
		l.mu.Unlock()
		q.mu.Lock()
		defer q.mu.Unlock()
		if l.users--; l.users == 0 {
			delete(q.lines, key)
		}
	}
}
