package broker

import (
	"context"
	"errors"

	"gatehouse/federation"
	"gatehouse/store"
)

// keepUpstream collects the write of a login's upstream token: of the identity
// that just came, or of the one that came before the person had to wait.
func (b *Broker) keepUpstream(u *unit, lg *login, a arrival, sessionKey string, cl store.Client) {
	expires := b.now().UTC().Add(max(b.lifetimes.RefreshAbsolute, (&client{cl}).refreshAbsolute(0)))
	if a.identity == nil {
		u.add(func(tx store.Tx) error {
			rec, err := b.store.UpstreamTokens.Get(tx, waitingKey(lg))
			if errors.Is(err, store.ErrNotFound) || err == nil && rec.ConnectionID != a.decision.Request.ConnectionID {
				return nil
			}
			if err != nil {
				return err
			}
			if err := b.store.UpstreamTokens.Delete(tx, rec.GrantID); err != nil {
				return err
			}
			rec.GrantID, rec.ExpiresAt = sessionKey, expires
			return b.store.UpstreamTokens.Insert(tx, rec)
		})
		return
	}
	if rec, ok := b.upstreamOf(a.identity); ok {
		rec.GrantID, rec.ExpiresAt = sessionKey, expires
		u.add(func(tx store.Tx) error { return b.store.UpstreamTokens.Insert(tx, rec) })
	}
}

// upstreamOf is what is kept of an identity for refresh login; false: nothing.
func (b *Broker) upstreamOf(id *federation.VerifiedIdentity) (store.UpstreamToken, bool) {
	if id.UpstreamRefresh() == "" {
		return store.UpstreamToken{}, false
	}
	return store.UpstreamToken{ConnectionID: id.Connection().ID, Refresh: store.Seal(id.UpstreamRefresh()), CheckedAt: b.now().UTC()}, true
}

// waitingKey is what the token of a person who waits for an admin is kept
// under: this browser's login, which alone can take it along. It goes with the
// login's cookie, and is too big to travel in it.
func waitingKey(lg *login) string { return "waiting-" + lg.ID }

// keepWaiting keeps the token of a person who has to wait.
func (b *Broker) keepWaiting(tx store.Tx, lg *login, id *federation.VerifiedIdentity) error {
	rec, ok := b.upstreamOf(id)
	if !ok {
		return nil
	}
	rec.GrantID, rec.ExpiresAt = waitingKey(lg), b.sessions.LoginExpiry(lg.Started)
	if err := b.store.UpstreamTokens.Delete(tx, rec.GrantID); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return b.store.UpstreamTokens.Insert(tx, rec)
}

// forgetWaiting drops the token of a person who was not let in, or gave up.
// A failure is logged only: the token expires with the login.
func (b *Broker) forgetWaiting(ctx context.Context, lg *login) {
	if _, err := b.upstreamToken(ctx, waitingKey(lg)); errors.Is(err, store.ErrNotFound) {
		return // as nearly always
	}
	err := b.endUpstream(ctx, waitingKey(lg), func(tx store.Tx) error {
		return b.store.UpstreamTokens.Delete(tx, waitingKey(lg))
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		b.logger.Error("upstream token not dropped", "login", lg.Correlation, "cause", err.Error())
	}
}

// endUpstream runs end, which drops the token kept under key, in an update, and
// has the provider revoke it afterwards, in the background: what happened here
// happened, whatever the provider does.
func (b *Broker) endUpstream(ctx context.Context, key string, end func(store.Tx) error) error {
	var (
		kept store.UpstreamToken
		conn store.Connection
	)
	err := b.store.Update(ctx, func(tx store.Tx) (err error) {
		kept, conn = store.UpstreamToken{}, store.Connection{}
		if kept, err = b.store.UpstreamTokens.Get(tx, key); err == nil {
			conn, err = b.store.Connections.Get(tx, kept.ConnectionID)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		return end(tx)
	})
	if err != nil || conn.ID == "" {
		return err
	}
	token, err := kept.Refresh.Reveal()
	if err != nil {
		b.logger.Error("upstream token not revoked", "connection", conn.ID, "cause", err.Error())
		return nil
	}
	b.federation.RevokeLater(conn, token)
	return nil
}
