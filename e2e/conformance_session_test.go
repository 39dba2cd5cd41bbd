package e2e

import (
	"net/http"
	"strings"
	"time"
)

func seconds(v any) int64 {
	n, _ := v.(float64)
	return int64(n)
}

// loginPageShown demands that the browser stands before a sign-in page, ours
// and then the provider's, and walks through them.
func (c *conformance) loginPageShown(p *page) *page {
	c.Helper()
	if p.callback != nil || p.byID("email") == nil {
		c.Fatalf("no sign-in page but %s (%v)", p.url, p.callback)
	}
	p = c.b.submit(p, "submit", map[string]string{"email": buffy().email})
	if p.callback != nil || p.byID("username") == nil {
		c.Fatalf("the provider was not told to ask again: %s (%v)", p.url, p.callback)
	}
	return walkIn(c.b, p, buffy())
}

func promptLogin(c *conformance) {
	_, first := c.login(c.client, c.request(c.client, "openid"))
	clockReaches(c, time.Unix(seconds(first["auth_time"])+1, 0))
	r := c.request(c.client, "openid")
	r.params.Set("prompt", "login")
	_, second := c.finish(c.client, r, c.loginPageShown(c.b.get(c.client.authorizeURL(r))))
	if seconds(second["auth_time"]) <= seconds(first["auth_time"]) || second["sub"] != first["sub"] {
		c.Errorf("auth_time: got %v after %v, want later, for the same sub", second["auth_time"], first["auth_time"])
	}
}

func promptNoneNotLoggedIn(c *conformance) {
	r := c.request(c.client, "openid")
	r.state = strings.Repeat("aZ0-._~9", 16) // 128 characters
	r.params.Set("state", r.state)
	r.params.Set("prompt", "none")
	c.failed(c.client, c.b.get(c.client.authorizeURL(r)), r,
		"login_required", "interaction_required", "consent_required", "account_selection_required")
}

// silently runs a request that must be answered without any page.
func (c *conformance) silently(r *authorization) map[string]any {
	c.Helper()
	_, claims := c.finish(c.client, r, c.b.get(c.client.authorizeURL(r)))
	return claims
}

func (c *conformance) sameSignIn(first, second map[string]any) {
	c.Helper()
	if first["auth_time"] == nil || second["auth_time"] != first["auth_time"] || second["sub"] != first["sub"] {
		c.Errorf("auth_time and sub: got %v %v, want %v %v", second["auth_time"], second["sub"], first["auth_time"], first["sub"])
	}
}

func promptNoneLoggedIn(c *conformance) {
	_, first := c.login(c.client, c.request(c.client, "openid"))
	r := c.request(c.client, "openid")
	r.params.Set("prompt", "none")
	c.sameSignIn(first, c.silently(r))
}

func maxAge1(c *conformance) {
	_, first := c.login(c.client, c.request(c.client, "openid"))
	clockReaches(c, time.Unix(seconds(first["auth_time"])+2, 0))
	r := c.request(c.client, "openid")
	r.params.Set("max_age", "1")
	_, second := c.finish(c.client, r, c.loginPageShown(c.b.get(c.client.authorizeURL(r))))
	if at := seconds(second["auth_time"]); at <= seconds(first["auth_time"]) || time.Since(time.Unix(at, 0)) > time.Minute {
		c.Errorf("auth_time: got %d after %v, want later and recent", at, first["auth_time"])
	}
}

func maxAge10000(c *conformance) {
	r := c.request(c.client, "openid")
	r.params.Set("max_age", "15000")
	_, first := c.login(c.client, r)
	r = c.request(c.client, "openid")
	r.params.Set("max_age", "10000")
	c.sameSignIn(first, c.silently(r))
}

func idTokenHint(c *conformance) {
	got, first := c.login(c.client, c.request(c.client, "openid"))
	r := c.request(c.client, "openid")
	r.params.Set("prompt", "none")
	r.params.Set("id_token_hint", got.text("id_token"))
	c.sameSignIn(first, c.silently(r))
}

func acrValues(c *conformance) {
	values, _ := c.meta["acr_values_supported"].([]any)
	if len(values) == 0 {
		c.Fatal("acr_values_supported is empty")
	}
	r := c.request(c.client, "openid")
	var all []string
	for _, v := range values {
		all = append(all, v.(string))
	}
	r.params.Set("acr_values", strings.Join(all, " "))
	_, claims := c.login(c.client, r)
	acr, _ := claims["acr"].(string)
	if acr == "" || !c.supports("acr_values_supported", acr) {
		c.Errorf("acr: got %q, want one of %v", acr, all)
	}
}

// codeReuse uses a code again after a while.
func codeReuse(c *conformance, after time.Duration) {
	r := c.request(c.client, "openid")
	code := c.code(c.client, c.client.signIn(c.b, r, buffy()), r)
	first := c.client.redeem(code, "")
	c.tokenResponse(c.client, first, r)
	clockReaches(c, time.Now().Add(after))
	again := c.client.redeem(code, "")
	if again.status != http.StatusBadRequest || again.text("error") != "invalid_grant" || !strings.HasPrefix(again.header.Get("Content-Type"), "application/json") {
		c.Errorf("second use: got %d %s, want 400 invalid_grant as JSON", again.status, again.body)
	}
	if got := c.client.userinfo(first.text("access_token")); got.status < 400 || got.status > 499 {
		c.Errorf("userinfo with the first use's token: got %d, want 4xx", got.status)
	}
}

func refreshToken(c *conformance) {
	var refresh [2]string
	for i, a := range []*app{c.client, c.second} {
		r := c.request(a, "openid offline_access")
		r.params.Set("prompt", "consent")
		got, first := c.login(a, r)
		if refresh[i] = got.text("refresh_token"); refresh[i] == "" {
			c.Fatal("no refresh token with offline_access")
		}
		clockReaches(c, time.Unix(seconds(first["iat"])+1, 0))
		again := a.refresh(refresh[i])
		second := c.tokenResponse(a, again, nil)
		if refresh[i] = again.text("refresh_token"); refresh[i] == "" {
			c.Error("no new refresh token")
		}
		for _, name := range []string{"iss", "sub", "aud", "azp", "auth_time"} {
			if second[name] != first[name] {
				c.Errorf("refreshed id_token: %s %v, want %v", name, second[name], first[name])
			}
		}
		if seconds(second["iat"]) <= seconds(first["iat"]) {
			c.Errorf("refreshed id_token: iat %v, want later than %v", second["iat"], first["iat"])
		}
		if n := second["nonce"]; n != nil && n != r.nonce {
			c.Errorf("refreshed id_token: nonce %v, want none or %s", n, r.nonce)
		}
	}
	if got := c.client.refresh(refresh[1]); got.status != http.StatusBadRequest || got.text("error") != "invalid_grant" {
		c.Errorf("another client's refresh token: got %d %s, want 400 invalid_grant", got.status, got.body)
	}
	if got := c.second.refresh(refresh[1]); got.status != http.StatusOK {
		c.Errorf("the right client afterwards: got %d %s, want 200", got.status, got.body)
	}
}
