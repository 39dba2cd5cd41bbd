package e2e

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// noUnsignedObjects is the suite's rule to leave out the modules about unsigned
// request objects.
const noUnsignedObjects = "request_object_signing_alg_values_supported has no none"

// basicModules are those of the plans Basic and Form Post Basic, in the order
// and with the names of the suite.
func basicModules() []module {
	return []module{
		{name: "oidcc-server", run: func(c *conformance) { c.login(c.client, c.request(c.client, "openid")) }},
		{name: "oidcc-response-type-missing", run: func(c *conformance) {
			r := c.request(c.client, "openid")
			r.params.Del("response_type")
			c.failed(c.client, c.b.get(c.client.authorizeURL(r)), r, "unsupported_response_type", "invalid_request")
		}},
		// Dynamic registration only; a static client registered for RS256 shows the same.
		{name: "oidcc-idtoken-signature", run: func(c *conformance) { c.login(c.client, c.request(c.client, "openid")) }},
		{name: "oidcc-idtoken-unsigned", skip: "id_token_signing_alg_values_supported has no none", run: func(c *conformance) {
			if c.supports("id_token_signing_alg_values_supported", "none") {
				c.Error("discovery offers unsigned ID tokens")
			}
		}},
		{name: "oidcc-userinfo-get", run: func(c *conformance) {
			got, claims := c.login(c.client, c.request(c.client, "openid"))
			c.userinfo(c.client.userinfo(got.text("access_token")), claims["sub"])
		}},
		{name: "oidcc-userinfo-post-header", run: func(c *conformance) {
			got, claims := c.login(c.client, c.request(c.client, "openid"))
			c.userinfo(c.postUserinfo(nil, got.text("access_token")), claims["sub"])
		}},
		{name: "oidcc-userinfo-post-body", run: func(c *conformance) {
			got, claims := c.login(c.client, c.request(c.client, "openid"))
			c.userinfo(c.postUserinfo(url.Values{"access_token": {got.text("access_token")}}, ""), claims["sub"])
		}},
		{name: "oidcc-ensure-request-without-nonce-succeeds-for-code-flow", run: func(c *conformance) {
			r := c.request(c.client, "openid")
			r.params.Del("nonce")
			c.login(c.client, r)
		}},
		{name: "oidcc-scope-profile", run: func(c *conformance) { c.scopes("profile", profileClaims()) }},
		{name: "oidcc-scope-email", run: func(c *conformance) { c.scopes("email", emailClaims()) }},
		{name: "oidcc-scope-address", skip: "scopes_supported has no address", run: func(c *conformance) {
			if c.supports("scopes_supported", "address") {
				c.Error("discovery offers the scope address")
			}
		}},
		{name: "oidcc-scope-phone", run: func(c *conformance) { c.scopes("phone", phoneClaims()) }},
		{name: "oidcc-scope-all", run: func(c *conformance) {
			c.scopes("profile email phone", append(append(profileClaims(), emailClaims()...), phoneClaims()...))
		}},
		{name: "oidcc-alternate-happy-flow", run: func(c *conformance) {
			r := c.request(c.client, "email openid")
			var reversed []string
			for pair := range strings.SplitSeq(r.params.Encode(), "&") {
				reversed = append([]string{pair}, reversed...)
			}
			p := walkIn(c.b, c.b.get(c.client.issuer+"/oauth2/authorize?"+strings.Join(reversed, "&")), buffy())
			got, claims := c.finish(c.client, r, p)
			c.userinfo(c.client.userinfo(got.text("access_token")), claims["sub"])
		}},
		{name: "oidcc-display-page", run: with("display", "page")},
		{name: "oidcc-display-popup", run: with("display", "popup")},
		{name: "oidcc-prompt-login", run: promptLogin},
		{name: "oidcc-prompt-none-not-logged-in", run: promptNoneNotLoggedIn},
		{name: "oidcc-prompt-none-logged-in", run: promptNoneLoggedIn},
		{name: "oidcc-max-age-1", run: maxAge1},
		{name: "oidcc-max-age-10000", run: maxAge10000},
		{name: "oidcc-ensure-request-with-unknown-parameter-succeeds", run: with("extra", "foobar")},
		{name: "oidcc-id-token-hint", run: idTokenHint},
		{name: "oidcc-login-hint", run: func(c *conformance) {
			with("login_hint", "buffy@localhost")(c)
			c.b = newBrowser(c, c.world.secrets, c.world.tls, callbackBase)
			with("login_hint", "buffy@login.example.com")(c) // an address that nobody here knows
		}},
		{name: "oidcc-ui-locales", run: with("ui_locales", "se")},
		{name: "oidcc-claims-locales", run: with("claims_locales", "se")},
		{name: "oidcc-ensure-request-with-acr-values-succeeds", run: acrValues},
		{name: "oidcc-codereuse", run: func(c *conformance) { codeReuse(c, 0) }},
		{name: "oidcc-codereuse-30seconds", run: func(c *conformance) { codeReuse(c, 30*time.Second) }},
		{name: "oidcc-ensure-registered-redirect-uri", run: func(c *conformance) {
			r := c.request(c.client, "openid")
			r.params.Set("redirect_uri", callbackBase+"/callback/"+random())
			c.errorPage(c.b.get(c.client.authorizeURL(r)), "return address is not registered")
		}},
		{name: "oidcc-ensure-post-request-succeeds", run: func(c *conformance) {
			r := c.request(c.client, "openid")
			p := c.b.post(c.client.issuer+"/oauth2/authorize", r.params)
			c.finish(c.client, r, walkIn(c.b, p, buffy()))
		}},
		{name: "oidcc-server-client-secret-post", run: func(c *conformance) { c.login(c.posts, c.request(c.posts, "openid")) }},
		{name: "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported", skip: noUnsignedObjects, run: func(c *conformance) {
			c.noUnsignedObjects()
			r := c.request(c.client, "openid")
			r.params.Set("request_uri", callbackBase+"/request.jwt")
			c.failed(c.client, c.b.get(c.client.authorizeURL(r)), r, "request_uri_not_supported")
		}},
		{name: "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported", skip: noUnsignedObjects, run: func(c *conformance) {
			c.noUnsignedObjects()
			r := c.request(c.client, "openid")
			r.params.Set("request", unsignedObject(c, map[string]any{"nonce": "other"}))
			c.failed(c.client, c.b.get(c.client.authorizeURL(r)), r, "request_not_supported")
		}},
		{name: "oidcc-claims-essential", run: func(c *conformance) {
			r := c.request(c.client, "openid")
			r.params.Set("claims", `{"userinfo":{"name":{"essential":true}}}`)
			got, claims := c.login(c.client, r)
			if info := c.userinfo(c.client.userinfo(got.text("access_token")), claims["sub"]); info["name"] != "Buffy Anne Summers" {
				c.Errorf("userinfo: name %v", info["name"])
			}
		}},
		{name: "oidcc-ensure-request-object-with-redirect-uri", skip: noUnsignedObjects, run: func(c *conformance) {
			c.noUnsignedObjects()
			r := c.request(c.client, "openid")
			r.params.Set("request", unsignedObject(c, map[string]any{"redirect_uri": c.client.redirect}))
			r.params.Set("redirect_uri", callbackBase+"/elsewhere")
			c.errorPage(c.b.get(c.client.authorizeURL(r)), "return address is not registered")
		}},
		{name: "oidcc-refresh-token", run: refreshToken},
		{name: "oidcc-ensure-request-with-valid-pkce-succeeds", run: func(c *conformance) {
			r := c.client.authorization()
			c.login(c.client, r)
		}},
	}
}

// with is a login with one parameter more, which must not do harm.
func with(name, value string) func(c *conformance) {
	return func(c *conformance) {
		r := c.request(c.client, "openid")
		r.params.Set(name, value)
		c.login(c.client, r)
	}
}

func profileClaims() []string {
	return strings.Fields("name given_name family_name middle_name nickname profile picture website gender birthdate zoneinfo locale updated_at preferred_username")
}

func emailClaims() []string { return []string{"email", "email_verified"} }

func phoneClaims() []string { return []string{"phone_number", "phone_number_verified"} }

// scopes demands exactly these claims at userinfo, none of them in the ID token.
func (c *conformance) scopes(scope string, want []string) {
	c.Helper()
	for s := range strings.FieldsSeq(scope) {
		if !c.supports("scopes_supported", s) {
			c.Fatalf("scopes_supported has no %s", s)
		}
	}
	got, claims := c.login(c.client, c.request(c.client, "openid "+scope))
	info := c.userinfo(c.client.userinfo(got.text("access_token")), claims["sub"])
	for _, name := range want {
		if info[name] == nil {
			c.Errorf("userinfo has no %s", name)
		}
	}
	if len(info) != len(want)+1 {
		c.Errorf("userinfo: got %v, want sub and %v only", info, want)
	}
}

func (c *conformance) postUserinfo(form url.Values, token string) answer {
	c.Helper()
	r, err := http.NewRequest(http.MethodPost, c.meta["userinfo_endpoint"].(string), strings.NewReader(form.Encode()))
	if err != nil {
		c.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return c.client.do(r)
}

func (c *conformance) noUnsignedObjects() {
	c.Helper()
	if c.meta["request_object_signing_alg_values_supported"] == nil || c.supports("request_object_signing_alg_values_supported", "none") {
		c.Error("the suite would run this module: discovery does not rule unsigned request objects out")
	}
}

// unsignedObject is a request object with alg none.
func unsignedObject(c *conformance, claims map[string]any) string {
	raw, err := json.Marshal(claims)
	if err != nil {
		c.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(raw) + "."
}
