package mockidp

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// assertionAlgs may sign private_key_jwt assertions.
func assertionAlgs() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.ES256, jose.ES384, jose.RS256, jose.PS256, jose.EdDSA}
}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// authenticateClient proves which client asks (RFC 6749, section 2.3; RFC 7523).
// A request uses exactly one method.
func (p *Provider) authenticateClient(r *http.Request) (Client, *problem) {
	v := r.PostForm
	if name := repeated(v, mayRepeat()...); name != "" {
		return Client{}, &problem{"invalid_request", "the parameter " + name + " occurs twice"}
	}
	refused := &problem{"invalid_client", "the client is unknown, or did not prove who it is as agreed"}
	id, secret, method := single(v, "client_id"), single(v, "client_secret"), "none"
	basicID, basicSecret, basic := r.BasicAuth()
	used := 0
	if basic {
		used++
		method = "client_secret_basic"
		// Both are form-encoded before they are joined (RFC 6749, section 2.3.1).
		var err1, err2 error
		basicID, err1 = url.QueryUnescape(basicID)
		basicSecret, err2 = url.QueryUnescape(basicSecret)
		if err1 != nil || err2 != nil || (id != "" && id != basicID) {
			return Client{}, refused
		}
		id, secret = basicID, basicSecret
	}
	if v.Has("client_secret") {
		used++
		method = "client_secret_post"
	}
	if v.Has("client_assertion") {
		used++
		method = "private_key_jwt"
	}
	if used > 1 {
		return Client{}, &problem{"invalid_request", "the client proves itself in more than one way"}
	}
	if method == "private_key_jwt" {
		return p.verifyAssertion(v)
	}
	client, ok := p.clients[id]
	if !ok || !slices.Contains(client.methods(), method) {
		return Client{}, refused
	}
	if s := client.SecretJWT; s != nil && method != "none" {
		if !s.fits(secret, client.ID, p.issuer, p.cfg.Now()) {
			return Client{}, refused
		}
		return client, nil
	}
	if method != "none" && subtle.ConstantTimeCompare([]byte(secret), []byte(client.Secret)) != 1 {
		return Client{}, refused
	}
	return client, nil
}

// verifyAssertion checks a client assertion (RFC 7523, section 3). Its audience may be
// the issuer or the token endpoint; the issuer alone is what rfc7523bis asks for.
func (p *Provider) verifyAssertion(v url.Values) (Client, *problem) {
	refuse := func(why string) (Client, *problem) {
		return Client{}, &problem{"invalid_client", "client_assertion: " + why}
	}
	if single(v, "client_assertion_type") != assertionType {
		return refuse("client_assertion_type is wrong")
	}
	token, err := jwt.ParseSigned(single(v, "client_assertion"), assertionAlgs())
	if err != nil {
		return refuse("not a signed JWT of an allowed algorithm")
	}
	var claims jwt.Claims
	if err := token.UnsafeClaimsWithoutVerification(&claims); err != nil {
		return refuse("the claims cannot be read")
	}
	client, ok := p.clients[claims.Subject]
	if !ok || client.Keys == nil || !slices.Contains(client.methods(), "private_key_jwt") ||
		(v.Has("client_id") && single(v, "client_id") != client.ID) {
		return refuse("the client is unknown or uses another method")
	}
	if err := token.Claims(client.Keys, &claims); err != nil {
		return refuse("the signature is wrong")
	}
	now := p.cfg.Now()
	err = claims.ValidateWithLeeway(jwt.Expected{Issuer: client.ID, Subject: client.ID, Time: now}, time.Minute)
	switch {
	case err != nil || claims.Expiry == nil || claims.Expiry.Time().After(now.Add(time.Hour)):
		return refuse("iss, sub or exp is wrong")
	case !claims.Audience.Contains(p.issuer) && !claims.Audience.Contains(p.endpoint("/token")):
		return refuse("aud is neither the issuer nor the token endpoint")
	case claims.ID == "" || !p.assertions.addKey(client.ID+"\x00"+claims.ID, struct{}{}):
		return refuse("jti is missing or was used before")
	}
	return client, nil
}
