package broker

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"gatehouse/broker/keys"
	"gatehouse/provisioning"
	"gatehouse/store"
)

// access is a live access token: what it says, the grant behind it (zero for
// client credentials) and the gate's word of this moment.
type access struct {
	accessClaims
	Scopes   []string
	grant    store.Grant
	standing provisioning.Standing
}

// errInactive: the token is unknown, expired, revoked or its grant has ended.
var errInactive = errors.New("broker: token is not active")

// readAccessToken is the only reader of access tokens: userinfo, introspection
// and revocation all come here. errInactive covers every refusal; any other
// error is the store's.
func (b *Broker) readAccessToken(ctx context.Context, token string) (access, error) {
	var a access
	if len(token) > 4096 {
		return a, errInactive
	}
	opaque := strings.HasPrefix(token, prefixAccess)
	if !opaque {
		payload, typ, err := b.keys.Verify(token)
		if err != nil || typ != keys.TypAccess || json.Unmarshal(payload, &a.accessClaims) != nil || a.Issuer != b.issuer {
			return a, errInactive
		}
		a.Scopes = strings.Fields(a.Scope)
	}
	err := b.store.View(ctx, func(tx store.Tx) error {
		key := a.ID
		if opaque {
			key = store.HashToken(token)
		}
		rec, err := b.store.AccessTokens.Get(tx, key)
		switch {
		case errors.Is(err, store.ErrNotFound) && opaque:
			return errInactive
		case errors.Is(err, store.ErrNotFound):
		case err != nil:
			return err
		case !rec.RevokedAt.IsZero():
			return errInactive
		case opaque:
			a.fill(b.issuer, rec)
		}
		return b.checkAccess(tx, &a)
	})
	return a, err
}

// fill gives an opaque token the claims a JWT would carry.
func (a *access) fill(issuer string, rec store.AccessToken) {
	a.accessClaims = accessClaims{
		Issuer: issuer, Subject: rec.ClientID, Audience: rec.Audience, ClientID: rec.ClientID,
		Expires: rec.ExpiresAt.Unix(), IssuedAt: rec.IssuedAt.Unix(), ID: rec.GrantID + "." + rec.Key,
		Scope: strings.Join(rec.Scopes, " "),
	}
	a.Scopes = rec.Scopes
}

// checkAccess holds the token against its grant and the gate, now.
func (b *Broker) checkAccess(tx store.Tx, a *access) error {
	now := b.now()
	grantID, _, found := strings.Cut(a.ID, ".")
	if !found || !now.Before(time.Unix(a.Expires, 0)) {
		return errInactive
	}
	if grantID == "" { // client credentials
		c, err := b.store.Clients.Get(tx, a.ClientID)
		if errors.Is(err, store.ErrNotFound) || (err == nil && c.Disabled) {
			return errInactive
		}
		return err
	}
	g, err := b.store.Grants.Get(tx, grantID)
	if errors.Is(err, store.ErrNotFound) || (err == nil && !g.Live(now)) {
		return errInactive
	}
	if err != nil {
		return err
	}
	a.grant, a.Subject = g, g.UserID
	a.standing, err = b.provisioner.Authorize(tx, g.UserID, g.ClientID, g.ConnectionID)
	if errors.Is(err, provisioning.ErrNotAllowed) {
		return errInactive
	}
	return err
}
