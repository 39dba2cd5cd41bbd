package broker

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ory/fosite"

	"gatehouse/provisioning"
	"gatehouse/store"
)

// CreateAccessTokenSession keeps opaque access tokens. JWTs carry their grant
// and need no row until one is revoked.
func (s *storage) CreateAccessTokenSession(ctx context.Context, hash string, req fosite.Requester) error {
	cl := req.GetClient().(*client)
	if !cl.OpaqueToken {
		return nil
	}
	sess := req.GetSession().(*tokenSession)
	now := s.b.now().UTC()
	rec := store.AccessToken{
		Key: hash, GrantID: sess.grant.ID, ClientID: cl.ID, Scopes: slices.Clone(req.GetGrantedScopes()),
		Audience: s.b.audience(req), IssuedAt: now, ExpiresAt: sess.GetExpiresAt(fosite.AccessToken),
	}
	unitOf(ctx).add(func(tx store.Tx) error { return s.b.store.AccessTokens.Insert(tx, rec) })
	return nil
}

// GetAccessTokenSession and DeleteAccessTokenSession belong to fosite's
// introspection and revocation, which we do not use.
func (s *storage) GetAccessTokenSession(context.Context, string, fosite.Session) (fosite.Requester, error) {
	return nil, errNotUsed
}

// DeleteAccessTokenSession is not used, see GetAccessTokenSession.
func (s *storage) DeleteAccessTokenSession(context.Context, string) error { return errNotUsed }

// CreateRefreshTokenSession has nothing to keep: the generation is counted up
// by RotateRefreshToken and by the code's redemption.
func (s *storage) CreateRefreshTokenSession(context.Context, string, string, fosite.Requester) error {
	return nil
}

// GetRefreshTokenSession finds the grant a refresh token belongs to. The client
// is looked at first: a stranger holding an old token ends nothing (T3).
func (s *storage) GetRefreshTokenSession(ctx context.Context, token string, _ fosite.Session) (fosite.Requester, error) {
	t, ok := parseRefreshToken(token)
	if !ok {
		return nil, fosite.ErrNotFound
	}
	asking, ok := ctx.Value(fosite.AccessRequestContextKey).(fosite.AccessRequester)
	if !ok {
		return nil, errNotUsed
	}
	l := &loadedGrant{token: t}
	var gate error
	err := s.b.store.View(ctx, func(tx store.Tx) (err error) {
		if l.grant, err = s.b.store.Grants.Get(tx, t.GrantID); err != nil {
			return err
		}
		l.standing, gate = s.b.provisioner.Authorize(tx, l.grant.UserID, l.grant.ClientID, l.grant.ConnectionID)
		if errors.Is(gate, provisioning.ErrNotAllowed) {
			return nil
		}
		return gate
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, fosite.ErrNotFound
	case err != nil:
		return nil, errUnavailable(err)
	case !t.genuine(s.b.refreshKeys, l.grant.Salt) || l.grant.ClientID != asking.GetClient().GetID():
		return nil, fosite.ErrNotFound
	}
	now := s.b.now()
	if gate != nil || !l.grant.Live(now) || !now.Before(l.grant.RefreshExpiresAt) {
		return nil, fosite.ErrNotFound
	}
	for _, scope := range l.grant.Scopes {
		if !slices.Contains(l.standing.Client().Scopes, scope) {
			return nil, fosite.ErrNotFound // taken from the client since (T5)
		}
	}
	u := unitOf(ctx)
	u.refresh = l
	sess := &tokenSession{grant: l.grant, standing: l.standing, nextGeneration: t.Generation + 1}
	req := s.requester(l.grant, sess)
	if s.b.reused(l.grant, t, now) {
		return req, fosite.ErrInactiveToken
	}
	return req, nil
}

// reused tells a token that was rotated away from the same request repeated by
// a flaky phone: one generation back, within the grace, and its successor not
// used yet (it is still the current one).
func (b *Broker) reused(g store.Grant, t refreshToken, now time.Time) bool {
	if t.Generation == g.Generation {
		return false
	}
	return t.Generation != g.Generation-1 || now.Sub(g.RotatedAt) > b.lifetimes.RefreshGrace
}

// RotateRefreshToken collects the rotation: a compare-and-swap on the grant's
// generation.
func (s *storage) RotateRefreshToken(ctx context.Context, _, _ string) error {
	u := unitOf(ctx)
	u.add(func(tx store.Tx) error {
		g, err := s.b.store.Grants.Get(tx, u.refresh.token.GrantID)
		if err != nil {
			return err
		}
		now := s.b.now().UTC()
		if !g.Live(now) || s.b.reused(g, u.refresh.token, now) {
			u.refused = errInvalidGrant("The refresh token was used before.")
			return s.b.endGrant(tx, g.ID, "refresh token reuse")
		}
		standing, err := s.b.provisioner.Authorize(tx, g.UserID, g.ClientID, g.ConnectionID)
		if err != nil {
			return err
		}
		if u.refresh.token.Generation != g.Generation {
			return nil // the same request again: its successor stands
		}
		g.Generation++
		g.RotatedAt = now
		g.RefreshExpiresAt = s.b.refreshExpiry(standing.Client(), g, now)
		return s.b.store.Grants.Put(tx, g)
	})
	return nil
}

// refreshExpiry is the idle lifetime, never past the grant's end.
func (b *Broker) refreshExpiry(c store.Client, g store.Grant, now time.Time) time.Time {
	cl := &client{c}
	at := now.Add(cl.GetEffectiveLifespan("", fosite.RefreshToken, b.lifetimes.RefreshIdle))
	if at.After(g.ExpiresAt) {
		return g.ExpiresAt
	}
	return at
}

// DeleteRefreshTokenSession: the grant ends as a whole, see RevokeRefreshToken.
func (s *storage) DeleteRefreshTokenSession(context.Context, string) error { return nil }

// RevokeRefreshToken ends the grant: fosite calls it on reuse of a code or
// refresh token.
func (s *storage) RevokeRefreshToken(ctx context.Context, grantID string) error {
	u := unitOf(ctx)
	u.writes = append(u.writes, func(tx store.Tx) error { return s.b.endGrant(tx, grantID, "token reuse") })
	return nil
}

// RevokeAccessToken: RevokeRefreshToken ends the grant, and with it these.
func (s *storage) RevokeAccessToken(context.Context, string) error { return nil }

// endGrant ends a grant once; all its tokens are dead with it.
func (b *Broker) endGrant(tx store.Tx, id, reason string) error {
	err := b.provisioner.EndGrant(tx, id, reason)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}
