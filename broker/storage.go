package broker

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/ory/fosite"

	"gatehouse/provisioning"
	"gatehouse/store"
)

// storage shows our store to fosite. Reads go to a snapshot; writes collect in
// the request's unit. It implements fosite.Storage, oauth2.CoreStorage,
// oauth2.TokenRevocationStorage, pkce.PKCERequestStorage and
// storage.Transactional.
type storage struct{ b *Broker }

// GetClient implements fosite.ClientManager.
func (s *storage) GetClient(ctx context.Context, id string) (fosite.Client, error) {
	var rec store.Client
	err := s.b.store.View(ctx, func(tx store.Tx) (err error) {
		rec, err = s.b.store.Clients.Get(tx, id)
		return err
	})
	switch {
	case errors.Is(err, store.ErrNotFound) || (err == nil && rec.Disabled):
		return nil, fosite.ErrNotFound
	case err != nil:
		return nil, errUnavailable(err)
	}
	return &client{rec}, nil
}

// ClientAssertionJWTValid implements fosite.ClientManager; assertions are not offered.
func (s *storage) ClientAssertionJWTValid(context.Context, string) error { return errNotUsed }

// SetClientAssertionJWT implements fosite.ClientManager.
func (s *storage) SetClientAssertionJWT(context.Context, string, time.Time) error { return errNotUsed }

// BeginTX implements storage.Transactional: the unit began with the request.
func (s *storage) BeginTX(ctx context.Context) (context.Context, error) { return ctx, nil }

// Commit implements storage.Transactional: the endpoint commits, before it answers.
func (s *storage) Commit(context.Context) error { return nil }

// Rollback implements storage.Transactional: an error answer drops the writes.
func (s *storage) Rollback(ctx context.Context) error {
	unitOf(ctx).writes = nil
	return nil
}

// CreateAuthorizeCodeSession collects the grant and its code.
func (s *storage) CreateAuthorizeCodeSession(ctx context.Context, hash string, req fosite.Requester) error {
	sess := req.GetSession().(*tokenSession)
	redirect := req.GetRequestForm().Get("redirect_uri")
	u := unitOf(ctx)
	u.add(func(tx store.Tx) error {
		// The gate, in the transaction that makes the code.
		standing, err := s.b.provisioner.Authorize(tx, sess.grant.UserID, sess.grant.ClientID, sess.grant.ConnectionID)
		if err != nil {
			return err
		}
		if err := s.b.endOthers(tx, standing.Connection(), sess.grant); err != nil {
			return err
		}
		if err := s.b.store.Grants.Insert(tx, sess.grant); err != nil {
			return err
		}
		return s.b.store.Codes.Insert(tx, store.Code{
			Hash: hash, GrantID: sess.grant.ID, ClientID: sess.grant.ClientID, RedirectURI: redirect,
			Challenge: sess.challenge, ExpiresAt: sess.grant.CreatedAt.Add(s.b.lifetimes.Code),
			KeepUntil: sess.grant.KeepUntil,
		})
	})
	return nil
}

// GetAuthorizeCodeSession reads the code and its grant, and asks the gate.
func (s *storage) GetAuthorizeCodeSession(ctx context.Context, hash string, _ fosite.Session) (fosite.Requester, error) {
	u := unitOf(ctx)
	if u.code == nil {
		c := &loadedCode{}
		err := s.b.store.View(ctx, func(tx store.Tx) (err error) {
			if c.code, err = s.b.store.Codes.Get(tx, hash); err != nil {
				return err
			}
			if c.grant, err = s.b.store.Grants.Get(tx, c.code.GrantID); err != nil {
				return err
			}
			c.standing, err = s.b.provisioner.Authorize(tx, c.grant.UserID, c.grant.ClientID, c.grant.ConnectionID)
			if errors.Is(err, provisioning.ErrNotAllowed) {
				c.refusal = errInvalidGrant("The person, app or connection of this code may not be used any more.").because(err)
				err = nil
			}
			return err
		})
		if errors.Is(err, store.ErrNotFound) {
			return nil, fosite.ErrNotFound
		}
		if err != nil {
			return nil, errUnavailable(err)
		}
		u.code = c
	}
	c := u.code
	now := s.b.now()
	req := s.requester(c.grant, &tokenSession{grant: c.grant, standing: c.standing, nextGeneration: 1})
	req.Form = url.Values{"redirect_uri": {c.code.RedirectURI}}
	if c.code.Challenge != "" {
		req.Form.Set("code_challenge", c.code.Challenge)
		req.Form.Set("code_challenge_method", "S256")
	}
	switch {
	case !c.code.UsedAt.IsZero():
		return req, fosite.ErrInvalidatedAuthorizeCode
	case !now.Before(c.code.ExpiresAt) || !c.grant.Live(now):
		return nil, fosite.ErrNotFound
	case c.refusal != nil:
		return nil, fosite.ErrNotFound
	}
	return req, nil
}

func (s *storage) requester(g store.Grant, sess *tokenSession) *fosite.Request {
	return &fosite.Request{
		ID: g.ID, RequestedAt: g.RequestedAt, Client: &client{sess.standing.Client()}, Session: sess, Form: url.Values{},
		RequestedScope: g.Scopes, GrantedScope: g.Scopes, RequestedAudience: g.Audience, GrantedAudience: g.Audience,
	}
}

// InvalidateAuthorizeCodeSession collects the redemption: the code must still
// be unused when the update runs, and the grant comes to life with it.
func (s *storage) InvalidateAuthorizeCodeSession(ctx context.Context, hash string) error {
	u := unitOf(ctx)
	u.add(func(tx store.Tx) error { return s.redeem(tx, u, hash) })
	return nil
}

func (s *storage) redeem(tx store.Tx, u *unit, hash string) error {
	code, err := s.b.store.Codes.Get(tx, hash)
	if err != nil {
		return err
	}
	grant, err := s.b.store.Grants.Get(tx, code.GrantID)
	if err != nil {
		return err
	}
	now := s.b.now().UTC()
	if !code.UsedAt.IsZero() || !grant.Live(now) {
		// Another request was first: both lose what the code gave (C1, C2).
		u.refused = errInvalidGrant("The code was used before.")
		return s.b.endGrant(tx, grant.ID, "code reuse")
	}
	if _, err := s.b.provisioner.Authorize(tx, grant.UserID, grant.ClientID, grant.ConnectionID); err != nil {
		return err
	}
	code.UsedAt, code.KeepUntil = now, grant.ExpiresAt
	grant.KeepUntil = grant.ExpiresAt
	if grant.Offline {
		grant.Generation, grant.RotatedAt = 1, now
		grant.RefreshExpiresAt = s.b.refreshExpiry(u.code.standing.Client(), grant, now)
	}
	if err := s.b.store.Codes.Put(tx, code); err != nil {
		return err
	}
	return s.b.store.Grants.Put(tx, grant)
}

// burn marks a code used after a failed redemption, so that nobody gets a
// second try (SECURITY-CASES P6, C3).
func (s *storage) burn(u *unit, hash string) {
	u.writes = []func(store.Tx) error{func(tx store.Tx) error {
		code, err := s.b.store.Codes.Get(tx, hash)
		if err != nil || !code.UsedAt.IsZero() {
			return nil //nolint:nilerr // gone or used: nothing to burn
		}
		code.UsedAt = s.b.now().UTC()
		if err := s.b.store.Codes.Put(tx, code); err != nil {
			return err
		}
		return s.b.endGrant(tx, code.GrantID, "failed redemption")
	}}
}

// GetPKCERequestSession implements pkce.PKCERequestStorage: the challenge is
// part of the code and cannot be lost before it is checked (trap 1).
func (s *storage) GetPKCERequestSession(ctx context.Context, hash string, sess fosite.Session) (fosite.Requester, error) {
	req, err := s.GetAuthorizeCodeSession(ctx, hash, sess)
	if err != nil {
		return nil, err
	}
	if req.GetRequestForm().Get("code_challenge") == "" {
		return nil, fosite.ErrNotFound
	}
	return req, nil
}

// CreatePKCERequestSession implements pkce.PKCERequestStorage: the code carries it.
func (s *storage) CreatePKCERequestSession(context.Context, string, fosite.Requester) error {
	return nil
}

// DeletePKCERequestSession implements pkce.PKCERequestStorage: it ends with the code.
func (s *storage) DeletePKCERequestSession(context.Context, string) error { return nil }
