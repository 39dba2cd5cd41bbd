package broker

import (
	"context"
	"errors"
	"net/http"
	"time"

	"gatehouse/store"
)

// revoke is the revocation endpoint (RFC 7009). A refresh token ends its grant;
// an access token ends alone. 200 is only said after the commit.
func (b *Broker) revoke(w http.ResponseWriter, r *http.Request) {
	f, oerr := readBodyForm(w, r)
	if oerr != nil {
		b.writeOAuthError(w, r, oerr)
		return
	}
	caller, err := b.authenticateClient(r.Context(), r, f.Values)
	if err != nil {
		b.writeOAuthError(w, r, err)
		return
	}
	token := f.Get("token")
	if token == "" {
		b.writeOAuthError(w, r, errInvalidRequest("token is missing."))
		return
	}
	if err := b.revokeToken(r.Context(), caller.GetID(), token); err != nil {
		b.writeOAuthError(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
}

// revokeToken ends a token of the client. The token's own form tells its kind,
// so token_type_hint is not needed (RFC 7009 §2.1 lets the server ignore it).
// An unknown or dead token is no error.
func (b *Broker) revokeToken(ctx context.Context, clientID, token string) error {
	foreign := errCode("unauthorized_client", "The token belongs to another client.")
	if t, ok := parseRefreshToken(token); ok {
		err := b.store.Update(ctx, func(tx store.Tx) error {
			g, err := b.store.Grants.Get(tx, t.GrantID)
			switch {
			case errors.Is(err, store.ErrNotFound):
				return nil
			case err != nil:
				return err
			case !t.genuine(b.refreshKeys, g.Salt):
				return nil
			case g.ClientID != clientID:
				return foreign
			}
			return b.endGrant(tx, g.ID, "revoked by the app")
		})
		return storeOutcome(err)
	}
	a, err := b.readAccessToken(ctx, token)
	switch {
	case errors.Is(err, errInactive):
		return nil
	case err != nil:
		return errUnavailable(err)
	case a.ClientID != clientID:
		return foreign
	}
	return storeOutcome(b.store.Update(ctx, func(tx store.Tx) error { return b.revokeAccess(tx, a, token) }))
}

// revokeAccess marks an opaque token, or keeps a JWT's id until it expires.
func (b *Broker) revokeAccess(tx store.Tx, a access, token string) error {
	now := b.now().UTC()
	rec, err := b.store.AccessTokens.Get(tx, store.HashToken(token))
	if err == nil {
		rec.RevokedAt = now
		return b.store.AccessTokens.Put(tx, rec)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	err = b.store.AccessTokens.Insert(tx, store.AccessToken{
		Key: a.ID, GrantID: a.grant.ID, ClientID: a.ClientID, IssuedAt: time.Unix(a.IssuedAt, 0).UTC(),
		ExpiresAt: time.Unix(a.Expires, 0).UTC(), RevokedAt: now,
	})
	if errors.Is(err, store.ErrExists) {
		return nil
	}
	return err
}

// storeOutcome keeps our own errors and calls every other one an outage.
func storeOutcome(err error) error {
	var oerr *oauthError
	if err == nil || errors.As(err, &oerr) {
		return err
	}
	return errUnavailable(err)
}
