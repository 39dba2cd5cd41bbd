package broker

import (
	"encoding/json"
	"strings"

	"github.com/ory/fosite"

	"gatehouse/broker/keys"
	"gatehouse/store"
)

// accessClaims are the claims of our JWT access tokens (RFC 9068 §2.2). ID
// starts with the grant's id: that is how a token finds its family.
type accessClaims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience []string `json:"aud"`
	Expires  int64    `json:"exp"`
	IssuedAt int64    `json:"iat"`
	ID       string   `json:"jti"`
	ClientID string   `json:"client_id"`
	Scope    string   `json:"scope,omitempty"`
	AuthTime int64    `json:"auth_time,omitempty"`
	ACR      string   `json:"acr,omitempty"`
	AMR      []string `json:"amr,omitempty"`
	Org      string   `json:"org,omitempty"`
	Roles    []string `json:"roles,omitempty"`
	Groups   []string `json:"groups,omitempty"`
}

// signAccessToken makes a fresh token from the grant and the gate's word, so
// that nothing of an older token is ever replayed (trap 13, case T5).
func (b *Broker) signAccessToken(req fosite.Requester, sess *tokenSession) (string, error) {
	cl := req.GetClient().(*client)
	c := accessClaims{
		Issuer: b.issuer, Subject: cl.ID, Audience: b.audience(req), ClientID: cl.ID,
		Expires:  sess.GetExpiresAt(fosite.AccessToken).Unix(),
		IssuedAt: b.now().Unix(),
		ID:       sess.grant.ID + "." + store.NewID(),
		Scope:    strings.Join(req.GetGrantedScopes(), " "),
	}
	if sess.grant.UserID != "" { // RFC 9068 §2.2: without a user, sub is the client
		p := personOf(sess.standing)
		c.Subject = p.user.ID
		c.AuthTime, c.ACR, c.AMR = sess.grant.AuthTime.Unix(), sess.grant.ACR, sess.grant.AMR
		if req.GetGrantedScopes().Has(scopeOrganization) {
			c.Org = p.org.ID
		}
		if req.GetGrantedScopes().Has(scopeRoles) && p.membership.Role != "" {
			c.Roles = []string{p.membership.Role}
		}
		if req.GetGrantedScopes().Has(scopeGroups) {
			c.Groups = p.membership.Groups
		}
	}
	raw, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	return b.keys.Sign(keys.ES256, keys.TypAccess, raw)
}

// audience is what was granted, else the audiences the client is registered
// for, else Gatehouse itself (RFC 9068 §3: a default resource indicator).
func (b *Broker) audience(req fosite.Requester) []string {
	if a := req.GetGrantedAudience(); len(a) > 0 {
		return a
	}
	if a := req.GetClient().GetAudience(); len(a) > 0 {
		return a
	}
	return []string{b.issuer}
}
