package federation

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"gatehouse/store"
)

// provider checks kind, issuer and endpoints.
func (c *checker) provider() {
	c.word("kind", string(c.conn.Kind), string(store.KindOIDC), string(store.KindOAuth2), string(store.KindLocal))
	c.issuer()
	e := c.conn.Endpoints
	for _, field := range []struct{ name, value string }{
		{"authorize", e.Authorize},
		{"token", e.Token},
		{"userinfo", e.Userinfo},
		{"jwks", e.JWKS},
		{"end_session", e.EndSession},
		{"revocation", e.Revocation},
		{"pushed_authorization", e.PushedAuthorization},
	} {
		if field.value != "" {
			c.url("endpoints."+field.name, field.value)
		}
	}
	if c.conn.Issuer == "" && !c.oidc() {
		const fix = "write the URL, or give an issuer whose discovery document has it"
		if e.Authorize == "" && c.browser() {
			c.fault("endpoints.authorize", "is missing, and there is no issuer to discover it from", fix)
		}
		if e.Token == "" {
			c.fault("endpoints.token", "is missing, and there is no issuer to discover it from", fix)
		}
	}
	for i, s := range c.conn.Scopes {
		if !visible(s, 256) || strings.ContainsAny(s, `"\`) || slices.Contains(c.conn.Scopes[:i], s) {
			c.fault(fmt.Sprintf("scopes[%d]", i), "is not a scope, or is there twice", "one scope per entry, without spaces")
		}
	}
	if c.oidc() && !slices.Contains(c.conn.Scopes, "openid") {
		c.fault("scopes", "do not contain openid", "add openid")
	}
	c.idToken()
}

func (c *checker) issuer() {
	issuer := c.conn.Issuer
	if issuer == "" {
		if c.oidc() {
			c.fault("issuer", "is missing", "copy it from the provider's discovery document, byte for byte")
		}
		return
	}
	c.url("issuer", issuer)
	u, err := url.Parse(issuer)
	if err != nil {
		return
	}
	if u.RawQuery != "" || u.ForceQuery {
		c.fault("issuer", "has a query", "an issuer is scheme, host and path only")
	}
	if strings.Contains(u.Path, "/.well-known/") {
		c.fault("issuer", "is the address of a discovery document", "write what its issuer member says, usually the part before /.well-known")
	}
	// M7: these answer with a placeholder instead of an issuer.
	first, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	if u.Hostname() == "login.microsoftonline.com" && slices.Contains([]string{"common", "organizations", "consumers"}, first) {
		c.fault("issuer", "serves every Microsoft tenant, so its tokens name other issuers", "write your own directory's id in place of "+first)
	}
}

// idToken checks what is said about ID tokens, which only OpenID providers send.
func (c *checker) idToken() {
	for i, a := range c.conn.ACRValues {
		if !visible(a, 256) {
			c.fault(fmt.Sprintf("acr_values[%d]", i), "is not an acr value", "one value per entry, without spaces")
		}
	}
	for i, a := range c.conn.Algorithms {
		if !slices.Contains(DefaultAlgorithms(), a) {
			c.fault(fmt.Sprintf("algorithms[%d]", i), "is not an algorithm we accept", "use some of "+strings.Join(DefaultAlgorithms(), ", "))
		}
	}
	if !c.oidc() {
		const because = "there is no ID token with kind oauth2"
		c.unused(len(c.conn.ACRValues) > 0, "acr_values", because)
		c.unused(len(c.conn.Algorithms) > 0, "algorithms", because)
		c.unused(c.conn.InsecureNoNonce, "insecure_no_nonce", because)
		c.unused(c.conn.Endpoints.JWKS != "", "endpoints.jwks", because)
	}
}
