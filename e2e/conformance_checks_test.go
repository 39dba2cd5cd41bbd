package e2e

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// keySet is the provider's JWKS, read by go-jose.
type (
	keySet     = jose.JSONWebKeySet
	jsonWebKey = jose.JSONWebKey
)

// getJSON fetches a document as the suite does.
func (c *conformance) getJSON(address string) (raw []byte, header http.Header) {
	c.Helper()
	r, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		c.Fatal(err)
	}
	got := c.client.do(r)
	kind, _, _ := mime.ParseMediaType(got.header.Get("Content-Type"))
	if got.status != http.StatusOK || kind != "application/json" {
		c.Fatalf("%s: got %d %s, want 200 application/json", address, got.status, kind)
	}
	return got.body, got.header
}

// discover reads configuration and keys: the start of every module.
func (c *conformance) discover() {
	c.Helper()
	raw, _ := c.getJSON(c.world.issuer + "/.well-known/openid-configuration")
	if err := json.Unmarshal(raw, &c.meta); err != nil {
		c.Fatal(err)
	}
	for _, name := range []string{"issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"} {
		if s, _ := c.meta[name].(string); s == "" {
			c.Fatalf("discovery has no %s", name)
		}
	}
	raw, _ = c.getJSON(c.meta["jwks_uri"].(string))
	if err := json.Unmarshal(raw, &c.keys); err != nil {
		c.Fatal(err)
	}
	kids := map[string]bool{}
	for _, k := range c.keys.Keys {
		if !k.Valid() || !k.IsPublic() || k.KeyID == "" || kids[k.KeyID] || k.Use != "sig" || k.Algorithm == "" {
			c.Errorf("JWKS: key %q is not a distinct public signature key", k.KeyID)
		}
		kids[k.KeyID] = true
	}
	var loose struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal(raw, &loose); err != nil {
		c.Fatal(err)
	}
	for _, k := range loose.Keys {
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
			if k[private] != nil {
				c.Errorf("JWKS: key %v has the private member %s", k["kid"], private)
			}
		}
	}
}

func (c *conformance) supports(list, value string) bool {
	values, _ := c.meta[list].([]any)
	return slices.Contains(values, any(value))
}

// request makes an authorization request without PKCE, as the suite's are.
func (c *conformance) request(a *app, scope string) *authorization {
	r := a.authorization()
	r.params.Del("code_challenge")
	r.params.Del("code_challenge_method")
	r.params.Set("scope", scope)
	r.verifier = ""
	return r
}

// answered checks an authorization response's way and envelope.
func (c *conformance) answered(a *app, p *page, r *authorization) url.Values {
	c.Helper()
	if p.callback == nil {
		c.Fatalf("at %s (%d, %q), not at the callback:\n%s", p.url, p.status, p.title(), p.body)
	}
	got := p.callback
	if !strings.HasPrefix(got.url.String(), a.redirect) || got.url.Fragment != "" {
		c.Errorf("the answer went to %s, want %s without a fragment", got.url, a.redirect)
	}
	if a.responseMode == "form_post" {
		if got.method != http.MethodPost || got.contentType != "application/x-www-form-urlencoded" || got.url.RawQuery != "" {
			c.Errorf("callback: got %s %s %s, want a POSTed form and nothing in the URL", got.method, got.contentType, got.url)
		}
	} else if got.method != http.MethodGet {
		c.Errorf("callback: got %s, want GET", got.method)
	}
	if got.params.Get("state") != r.state {
		c.Errorf("state: got %q, want %q", got.params.Get("state"), r.state)
	}
	if got.params.Get("iss") != c.world.issuer {
		c.Errorf("iss: got %q, want %q", got.params.Get("iss"), c.world.issuer)
	}
	for name, values := range got.params {
		if len(values) != 1 || !slices.Contains([]string{"code", "state", "iss", "error", "error_description", "error_uri"}, name) {
			c.Errorf("callback: unexpected or repeated %s", name)
		}
	}
	return got.params
}

// code checks a successful authorization response.
func (c *conformance) code(a *app, p *page, r *authorization) string {
	c.Helper()
	got := c.answered(a, p, r)
	code := got.Get("code")
	if code == "" || got.Has("error") {
		c.Fatalf("callback: got %v, want a code", got)
	}
	if len(code)*8 < 128 || shannon(code) <= 96 {
		c.Errorf("code: %d bits, Shannon entropy %.0f, want at least 128 and more than 96", len(code)*8, shannon(code))
	}
	return code
}

// shannon is the entropy of a string's characters, in bits, as the suite counts.
func shannon(s string) float64 {
	counts := map[rune]float64{}
	for _, r := range s {
		counts[r]++
	}
	var bits float64
	for _, n := range counts {
		bits -= n * math.Log2(n/float64(len(s)))
	}
	return bits
}

// description is RFC 6749's character set of error_description.
var description = regexp.MustCompile(`^[\x20-\x21\x23-\x5B\x5D-\x7E]*$`)

// failed checks an error response and gives its error.
func (c *conformance) failed(a *app, p *page, r *authorization, want ...string) {
	c.Helper()
	got := c.answered(a, p, r)
	if got.Has("code") || !slices.Contains(want, got.Get("error")) {
		c.Errorf("callback: got error %q, want one of %v and no code", got.Get("error"), want)
	}
	if !description.MatchString(got.Get("error_description")) {
		c.Errorf("error_description %q has characters that RFC 6749 does not allow", got.Get("error_description"))
	}
}

// errorPage demands an HTML page on the requested URL.
func (c *conformance) errorPage(p *page, phrase string) {
	c.Helper()
	if p.callback != nil {
		c.Fatalf("redirected to %s, want an error page", p.callback)
	}
	kind, _, _ := mime.ParseMediaType(p.header.Get("Content-Type"))
	if p.status != http.StatusBadRequest || kind != "text/html" || p.url.Path != "/oauth2/authorize" || !strings.Contains(p.title(), phrase) {
		c.Errorf("got %d %s %q at %s, want an HTML page %q on the requested URL", p.status, kind, p.title(), p.url, phrase)
	}
}

// tokenResponse checks the token endpoint's answer and its ID token.
func (c *conformance) tokenResponse(a *app, got answer, r *authorization) (claims map[string]any) {
	c.Helper()
	kind, _, _ := mime.ParseMediaType(got.header.Get("Content-Type"))
	if got.status != http.StatusOK || kind != "application/json" {
		c.Fatalf("token endpoint: got %d %s %s, want 200 application/json", got.status, kind, got.body)
	}
	if !strings.Contains(got.header.Get("Cache-Control"), "no-store") {
		c.Errorf("token endpoint: Cache-Control %q, want no-store", got.header.Get("Cache-Control"))
	}
	if got.text("access_token") == "" || !strings.EqualFold(got.text("token_type"), "bearer") {
		c.Errorf("token endpoint: no bearer access token: %v", got.json["token_type"])
	}
	if n, ok := got.json["expires_in"].(float64); !ok || n <= 0 {
		c.Errorf("token endpoint: expires_in %v, want a number", got.json["expires_in"])
	}
	return c.idToken(a, got, r)
}

// mayBeInIDToken are the claims that need not be asked for.
const mayBeInIDToken = " iss sub aud exp iat auth_time nonce acr amr azp at_hash c_hash s_hash nbf jti sid txn "

func (c *conformance) idToken(a *app, got answer, r *authorization) (claims map[string]any) {
	c.Helper()
	raw := got.text("id_token")
	signed, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		c.Fatalf("id_token is no RS256 JWS: %v", err)
	}
	head := signed.Signatures[0].Header
	keys := c.keys.Key(head.KeyID)
	if head.KeyID == "" || len(keys) != 1 {
		c.Fatalf("id_token: kid %q names %d keys, want one", head.KeyID, len(keys))
	}
	payload, err := signed.Verify(keys[0])
	if err != nil {
		c.Fatalf("id_token: %v", err)
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		c.Fatal(err)
	}
	now := float64(time.Now().Unix())
	number := func(name string, least, most float64) {
		if v, ok := claims[name].(float64); !ok || v < least || v > most {
			c.Errorf("id_token: %s is %v, want %.0f to %.0f", name, claims[name], least, most)
		}
	}
	number("exp", now, now+50*365*86400)
	number("iat", now-300, now+300)
	if claims["auth_time"] != nil {
		number("auth_time", now-365*86400, now+1)
	}
	if claims["iss"] != c.world.issuer || claims["aud"] != a.id {
		c.Errorf("id_token: iss %v aud %v, want %s and %s", claims["iss"], claims["aud"], c.world.issuer, a.id)
	}
	if sub, _ := claims["sub"].(string); sub == "" || len(sub) > 255 {
		c.Errorf("id_token: sub %v", claims["sub"])
	}
	if acr, present := claims["acr"]; present && (acr == "" || acr == nil) {
		c.Errorf("id_token: acr %v is empty", acr)
	}
	if r != nil {
		var want any
		if n := r.params.Get("nonce"); n != "" {
			want = n
		}
		if claims["nonce"] != want {
			c.Errorf("id_token: nonce %v, want %v", claims["nonce"], want)
		}
	}
	sum := sha256.Sum256([]byte(got.text("access_token")))
	if h := claims["at_hash"]; h != nil && h != base64.RawURLEncoding.EncodeToString(sum[:16]) {
		c.Errorf("id_token: at_hash %v is not of this access token", h)
	}
	for name := range claims {
		if !strings.Contains(mayBeInIDToken, " "+name+" ") {
			c.Errorf("id_token: %s was not asked for", name)
		}
	}
	return claims
}

// person of the tests, as the mock provider describes her.
func buffy() person { return person{name: "buffy", email: "buffy@conformance.test"} }

// login runs a request of a client from start to finish.
func (c *conformance) login(a *app, r *authorization) (answer, map[string]any) {
	c.Helper()
	return c.finish(a, r, a.signIn(c.b, r, buffy()))
}

// finish redeems what the page brought.
func (c *conformance) finish(a *app, r *authorization, p *page) (answer, map[string]any) {
	c.Helper()
	got := a.redeem(c.code(a, p, r), r.verifier)
	return got, c.tokenResponse(a, got, r)
}

// userinfo checks a userinfo answer for a subject.
func (c *conformance) userinfo(got answer, sub any) map[string]any {
	c.Helper()
	kind, _, _ := mime.ParseMediaType(got.header.Get("Content-Type"))
	if got.status != http.StatusOK || kind != "application/json" {
		c.Fatalf("userinfo: got %d %s %s, want 200 application/json", got.status, kind, got.body)
	}
	if got.json["sub"] != sub {
		c.Errorf("userinfo: sub %v, want %v", got.json["sub"], sub)
	}
	c.standardClaims(got.json)
	return got.json
}

var birthdate = regexp.MustCompile(`^(\d{4}|0000)(-\d\d-\d\d)?$`)

// standardClaims checks the types of OpenID Connect Core §5.1.
func (c *conformance) standardClaims(doc map[string]any) {
	c.Helper()
	for name, v := range doc {
		switch name {
		case "email_verified", "phone_number_verified":
			if _, ok := v.(bool); !ok {
				c.Errorf("%s is %v, want a boolean", name, v)
			}
		case "updated_at":
			if _, ok := v.(float64); !ok {
				c.Errorf("updated_at is %v, want a number", v)
			}
		case "address":
			if _, ok := v.(map[string]any); !ok {
				c.Errorf("address is %v, want an object", v)
			}
		default:
			if s, ok := v.(string); !ok || s == "" || s == "null" {
				c.Errorf("%s is %v, want text", name, v)
			}
		}
	}
	if b, ok := doc["birthdate"].(string); ok && !birthdate.MatchString(b) {
		c.Errorf("birthdate %q", b)
	}
}
