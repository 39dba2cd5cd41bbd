package broker

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/broker/keys"
	"gatehouse/store"
)

func (w *world) introspectAs(client, token string) (int, map[string]any) {
	status, _, body := w.tokenCall(pathIntrospect, client, url.Values{"token": {token}})
	return status, body
}

func TestI13_I14_Introspection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tk := w.signedIn("web")
	status, body := w.introspectAs("web", tk.Access)
	if status != 200 || body["active"] != true || body["client_id"] != "web" || body["token_type"] != "Bearer" || body["iss"] != w.url {
		t.Fatalf("own token: %d %v", status, body)
	}
	for name, c := range map[string]struct{ client, token string }{
		"another client":      {"post", tk.Access},
		"refresh token":       {"web", tk.Refresh},
		"ID token":            {"web", tk.ID},
		"unknown":             {"web", "gh_at_unknown"},
		"garbage":             {"web", "a.b.c"},
		"altered":             {"web", tk.Access[:len(tk.Access)-4] + "AAAA"},
		"absurdly long token": {"web", strings.Repeat("a", 5000)},
	} {
		status, body := w.introspectAs(c.client, c.token)
		if status != 200 || body["active"] != false || len(body) != 1 {
			t.Errorf("%s: %d %v, want exactly active false", name, status, body)
		}
	}
	if status, _ := w.introspectAs("native", tk.Access); status != 401 {
		t.Errorf("public client: %d, want 401", status)
	}
	w.clock.add(16 * time.Minute)
	if _, body := w.introspectAs("web", tk.Access); body["active"] != false || len(body) != 1 {
		t.Errorf("expired: %v", body)
	}
}

func TestI13_AccessTokenIsNoCredential(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tk := w.signedIn("web")
	req, _ := http.NewRequest(http.MethodPost, w.url+pathIntrospect, strings.NewReader(url.Values{"token": {tk.Access}}.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer "+tk.Access)
	if a := w.browser().do(req); a.StatusCode != 401 {
		t.Errorf("got %d, want 401", a.StatusCode)
	}
}

func TestI16_Revocation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	revoke := func(client, token string, more ...string) (int, map[string]any) {
		form := url.Values{"token": {token}}
		for i := 0; i+1 < len(more); i += 2 {
			form.Set(more[i], more[i+1])
		}
		status, _, body := w.tokenCall(pathRevoke, client, form)
		return status, body
	}
	tk := w.signedIn("native")
	for _, token := range []string{tk.Refresh, tk.Access} {
		if status, body := revoke("web", token); status != 400 || body["error"] != "unauthorized_client" {
			t.Errorf("another client: %d %v", status, body)
		}
	}
	if status, _ := w.userinfo(tk.Access); status != 200 {
		t.Error("the stranger's revocation had an effect")
	}
	for _, token := range []string{"unknown", "gh_rt_x.1.y", tk.Refresh[:len(tk.Refresh)-2] + "zz"} {
		if status, _ := revoke("native", token, "token_type_hint", "something_else"); status != 200 {
			t.Errorf("unknown token: %d, want 200", status)
		}
	}
	// An access token ends alone…
	if status, _ := revoke("native", tk.Access); status != 200 {
		t.Errorf("access token: %d", status)
	}
	if status, _ := w.userinfo(tk.Access); status != 401 {
		t.Error("the revoked access token still works")
	}
	next := w.refresh("native", tk.Refresh)
	next.want(t, 200, "")
	// …a refresh token ends its grant.
	if status, _ := revoke("native", next.Refresh); status != 200 {
		t.Errorf("refresh token: %d", status)
	}
	w.dead(t, "native", next)
	if status, body := revoke("web", ""); status != 400 || body["error"] != "invalid_request" {
		t.Errorf("no token: %d %v", status, body)
	}
}

func TestOpaqueAccessTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tk := w.signedIn("post")
	if !strings.HasPrefix(tk.Access, prefixAccess) {
		t.Fatalf("access token %q", tk.Access[:8])
	}
	if status, info := w.userinfo(tk.Access); status != 200 || info["email"] != "alice@acme.test" {
		t.Errorf("userinfo: %d %v", status, info)
	}
	if _, body := w.introspectAs("post", tk.Access); body["active"] != true || body["client_id"] != "post" || body["sub"] == "post" {
		t.Errorf("introspection: %v", body)
	}
	w.tokenCall(pathRevoke, "post", url.Values{"token": {tk.Access}})
	if status, _ := w.userinfo(tk.Access); status != 401 {
		t.Error("revoked token still works")
	}
}

func TestI18_Userinfo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tk := w.signedIn("native")
	call := func(method, query, body, auth string) answer {
		req, err := http.NewRequest(method, w.url+pathUserinfo+query, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if body != "" {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		if auth != "" {
			req.Header.Set("Authorization", auth)
		}
		return w.browser().do(req)
	}
	bearer := "Bearer " + tk.Access
	for _, c := range []struct {
		name, method, query, body, auth string
		status                          int
		code                            string
	}{
		{"GET header", "GET", "", "", bearer, 200, ""},
		{"POST header", "POST", "", "", bearer, 200, ""},
		{"POST body", "POST", "", "access_token=" + tk.Access, "", 200, ""},
		{"lower-case scheme", "GET", "", "", "bearer " + tk.Access, 200, ""},
		{"two ways", "POST", "", "access_token=" + tk.Access, bearer, 400, "invalid_request"},
		{"query", "GET", "?access_token=" + tk.Access, "", "", 400, "invalid_request"},
		{"nothing", "GET", "", "", "", 401, ""},
		{"ID token", "GET", "", "", "Bearer " + tk.ID, 401, "invalid_token"},
		{"refresh token", "GET", "", "", "Bearer " + tk.Refresh, 401, "invalid_token"},
		{"garbage", "GET", "", "", "Bearer x", 401, "invalid_token"},
		{"PUT", "PUT", "", "", bearer, 405, ""},
	} {
		a := call(c.method, c.query, c.body, c.auth)
		if a.StatusCode != c.status || (c.code != "" && !strings.Contains(a.Header.Get("WWW-Authenticate"), `error="`+c.code+`"`)) {
			t.Errorf("%s: %d %q, want %d %q", c.name, a.StatusCode, a.Header.Get("WWW-Authenticate"), c.status, c.code)
		}
		if c.status == 401 && c.code == "" && strings.Contains(a.Header.Get("WWW-Authenticate"), "error=") {
			t.Errorf("%s: an error code although nothing was presented (RFC 6750 §3.1)", c.name)
		}
	}
	p, verifier := w.ask("native")
	p.Set("scope", "api.read")
	plain := w.redeem("native", w.browser().authorize(p).Get("code"), verifier)
	plain.want(t, 200, "")
	if plain.ID != "" {
		t.Error("an ID token without scope openid")
	}
	if a := call("GET", "", "", "Bearer "+plain.Access); a.StatusCode != 403 || !strings.Contains(a.Header.Get("WWW-Authenticate"), "insufficient_scope") {
		t.Errorf("without openid: %d %q", a.StatusCode, a.Header.Get("WWW-Authenticate"))
	}
}

func TestClaimsGoWhereTheyWereAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, verifier := w.ask("native")
	p.Set("scope", "openid email")
	p.Set("claims", `{"userinfo":{"name":{"essential":true}},"id_token":{"phone_number":null}}`)
	tk := w.redeem("native", w.browser().authorize(p).Get("code"), verifier)
	id := claimsOf(t, tk.ID)
	allowed := []string{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid", "phone_number"}
	for name := range id {
		if !slices.Contains(allowed, name) {
			t.Errorf("ID token carries %s, nobody asked for it", name)
		}
	}
	if id["phone_number"] == nil {
		t.Error("phone_number was asked for the ID token and is not there")
	}
	if _, info := w.userinfo(tk.Access); info["name"] == nil || info["email"] == nil || info["given_name"] != nil {
		t.Errorf("userinfo: %v", info)
	}
	if id["acr"] != acrFederated || id["at_hash"] != halfHash(tk.Access) {
		t.Errorf("acr %v, at_hash %v", id["acr"], id["at_hash"])
	}
}

func TestAccessTokenIsRFC9068(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tk := w.signedIn("native")
	header := map[string]any{}
	if err := json.Unmarshal(b64(t, strings.Split(tk.Access, ".")[0]), &header); err != nil {
		t.Fatal(err)
	}
	if header["typ"] != "at+jwt" || header["alg"] != "ES256" || header["kid"] == nil {
		t.Errorf("header %v", header)
	}
	c := claimsOf(t, tk.Access)
	for _, name := range []string{"iss", "exp", "aud", "sub", "client_id", "iat", "jti", "auth_time", "scope"} {
		if c[name] == nil {
			t.Errorf("claim %s is missing", name)
		}
	}
	// FOSITE.md trap 13: a refreshed token has its own times and id.
	w.clock.add(time.Minute)
	next := claimsOf(t, w.refresh("native", tk.Refresh).Access)
	if next["iat"] == c["iat"] || next["jti"] == c["jti"] || next["sub"] != c["sub"] {
		t.Errorf("refreshed %v, first %v", next, c)
	}
	if tk.ExpiresIn < 890 || tk.ExpiresIn > 900 {
		t.Errorf("expires_in %d, want 15 minutes", tk.ExpiresIn)
	}
}

// A token with our claims but another key is nobody's (J-cases of our own tokens).
func TestForgedAccessToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tk := w.signedIn("native")
	parts := strings.Split(tk.Access, ".")
	header := map[string]any{}
	_ = json.Unmarshal(b64(t, parts[0]), &header)
	mine, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	kid, _ := header["kid"].(string)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: mine},
		(&jose.SignerOptions{}).WithType("at+jwt").WithHeader("kid", kid))
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign(b64(t, parts[1]))
	if err != nil {
		t.Fatal(err)
	}
	forged, _ := jws.CompactSerialize()
	none := "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0." + parts[1] + "."
	for _, token := range []string{forged, none} {
		if status, _ := w.userinfo(token); status != 401 {
			t.Errorf("userinfo answers %d", status)
		}
	}
}

func TestDiscoveryAndKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{pathOpenIDConfiguration, pathServerMetadata} {
		a := w.browser().get(w.url + path)
		var m map[string]any
		if err := json.Unmarshal([]byte(a.body), &m); err != nil || m["issuer"] != w.url || !strings.HasPrefix(a.Header.Get("Content-Type"), "application/json") {
			t.Errorf("%s: %v %v", path, err, m["issuer"])
		}
	}
	a := w.browser().get(w.url + pathJWKS)
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(a.body), &set); err != nil || len(set.Keys) != 2 {
		t.Fatalf("%v: %s", err, a.body)
	}
	if strings.Contains(a.body, `"d":`) || !strings.Contains(a.Header.Get("Cache-Control"), "max-age") {
		t.Error("private half or no cache lifetime in the JWKS")
	}
	for _, k := range set.Keys {
		if !k.IsPublic() || k.KeyID == "" || k.Use != "sig" {
			t.Errorf("key %q is not a public signing key", k.KeyID)
		}
	}
}

// K2: tokens of the old key stay good, the new key is published long before it signs.
func TestK2_RotationWithOverlap(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tk := w.signedIn("native")
	kids := func() int {
		var set jose.JSONWebKeySet
		_ = json.Unmarshal([]byte(w.browser().get(w.url+pathJWKS).body), &set)
		return len(set.Keys)
	}
	if err := w.broker.keys.RotateIn(t.Context(), keys.ES256, func(fn func(*store.Change) error) error {
		return w.store.Change(t.Context(), store.Actor{UserID: "owner", Via: "test"}, fn)
	}); err != nil {
		t.Fatal(err)
	}
	if kids() != 3 {
		t.Errorf("%d keys published, want the successor at once", kids())
	}
	kid := func(token string) any {
		h := map[string]any{}
		_ = json.Unmarshal(b64(t, strings.Split(token, ".")[0]), &h)
		return h["kid"]
	}
	before := w.refresh("native", tk.Refresh)
	if kid(before.Access) != kid(tk.Access) {
		t.Error("the new key signs before its lead time is over")
	}
	w.clock.add(25 * time.Hour)
	after := w.refresh("native", before.Refresh)
	if kid(after.Access) == kid(tk.Access) {
		t.Error("the new key does not sign after its lead time")
	}
	// An ID token of the old key is still a good hint.
	if _, err := w.broker.readIDTokenHint(tk.ID); err != nil {
		t.Errorf("hint of the old key: %v", err)
	}
	w.clock.add(31 * 24 * time.Hour)
	if err := w.broker.keys.Maintain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if kids() != 2 {
		t.Errorf("%d keys published, want the old one gone", kids())
	}
}

func TestB2_CORS(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, origin := range []string{"https://evil.test", "null"} {
		for _, path := range []string{pathToken, pathUserinfo, pathAuthorize, pathLogin} {
			req, _ := http.NewRequest(http.MethodOptions, w.url+path, nil)
			req.Header.Set("Origin", origin)
			req.Header.Set("Access-Control-Request-Method", "POST")
			if a := w.browser().do(req); a.Header.Get("Access-Control-Allow-Origin") != "" || a.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s lets %s in", path, origin)
			}
		}
	}
}
