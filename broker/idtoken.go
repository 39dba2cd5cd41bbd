package broker

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"

	"github.com/ory/fosite"

	"gatehouse/broker/keys"
)

// idTokenHandler adds the ID token to answers of the code and refresh grants.
// It stands where fosite's OpenID handlers would: those keep a second session
// row, add claims nobody asked for and repeat the first token's times (FOSITE.md
// traps 13, 20, 25).
type idTokenHandler struct{ b *Broker }

// CanHandleTokenEndpointRequest implements fosite.TokenEndpointHandler.
func (h *idTokenHandler) CanHandleTokenEndpointRequest(_ context.Context, req fosite.AccessRequester) bool {
	return req.GetGrantTypes().ExactOne("authorization_code") || req.GetGrantTypes().ExactOne("refresh_token")
}

// CanSkipClientAuth implements fosite.TokenEndpointHandler.
func (h *idTokenHandler) CanSkipClientAuth(context.Context, fosite.AccessRequester) bool {
	return false
}

// HandleTokenEndpointRequest implements fosite.TokenEndpointHandler: the other
// handlers decide whether a grant is good.
func (h *idTokenHandler) HandleTokenEndpointRequest(context.Context, fosite.AccessRequester) error {
	return fosite.ErrUnknownRequest
}

// PopulateTokenEndpointResponse implements fosite.TokenEndpointHandler.
func (h *idTokenHandler) PopulateTokenEndpointResponse(ctx context.Context, req fosite.AccessRequester, resp fosite.AccessResponder) error {
	if !h.CanHandleTokenEndpointRequest(ctx, req) || !req.GetGrantedScopes().Has(scopeOpenID) {
		return fosite.ErrUnknownRequest
	}
	sess, ok := req.GetSession().(*tokenSession)
	if !ok {
		return errors.New("broker: ID token without a session")
	}
	token, err := h.b.signIDToken(req, sess, resp.GetAccessToken())
	if err != nil {
		return err
	}
	resp.SetExtra("id_token", token)
	return nil
}

// signIDToken makes an ID token (OpenID Connect Core §2) from the grant and the
// gate's word.
func (b *Broker) signIDToken(req fosite.Requester, sess *tokenSession, accessToken string) (string, error) {
	g, cl := sess.grant, req.GetClient().(*client)
	now := b.now()
	p := personOf(sess.standing)
	c := map[string]any{
		"iss": b.issuer, "sub": p.user.ID, "aud": cl.ID,
		"iat": now.Unix(), "exp": now.Add(b.lifetimes.IDToken).Unix(),
		"auth_time": g.AuthTime.Unix(), "acr": g.ACR,
		"at_hash": halfHash(accessToken),
	}
	if g.Nonce != "" {
		c["nonce"] = g.Nonce
	}
	if len(g.AMR) > 0 {
		c["amr"] = g.AMR
	}
	if g.SID != "" {
		c["sid"] = g.SID
	}
	// Profile claims live in userinfo; org, roles and groups are small and what
	// an app decides by, so scopes of ours put them here too.
	b.addClaims(c, p, tokenScopes(req.GetGrantedScopes()), g.IDTokenClaims)
	raw, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	alg := keys.ES256
	if cl.IDTokenAlg == keys.RS256 {
		alg = keys.RS256
	}
	return b.keys.Sign(alg, keys.TypID, raw)
}

// tokenScopes are those of the granted scopes whose claims are in ID tokens.
func tokenScopes(granted []string) (in []string) {
	for _, s := range []string{scopeOrganization, scopeRoles, scopeGroups} {
		if slices.Contains(granted, s) {
			in = append(in, s)
		}
	}
	return in
}

// halfHash is at_hash for the SHA-256 algorithms (OpenID Connect Core §3.1.3.6).
func halfHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// idTokenHint is what we read of an ID token of ours that comes back.
type idTokenHint struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience audience `json:"aud"`
	SID      string   `json:"sid"`
	Expires  int64    `json:"exp"`
}

// readIDTokenHint verifies an ID token we made with any published key. Being
// expired is no fault of a hint.
func (b *Broker) readIDTokenHint(raw string) (idTokenHint, error) {
	var h idTokenHint
	payload, typ, err := b.keys.Verify(raw)
	if err != nil {
		return h, err
	}
	if err := json.Unmarshal(payload, &h); err != nil {
		return h, err
	}
	if typ != keys.TypID || h.Issuer != b.issuer || h.Subject == "" {
		return h, keys.ErrVerify
	}
	return h, nil
}

// audience reads `aud`, one string or several.
type audience []string

// UnmarshalJSON implements json.Unmarshaler.
func (a *audience) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(a))
}
