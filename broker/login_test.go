package broker

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"testing"
)

func b64(t *testing.T, s string) []byte {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// The main job: address, provider, code, tokens, userinfo, refresh.
func TestLoginFromAddressToTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	params, verifier := w.ask("native")
	params.Del("login_hint")
	b := w.browser()
	page := b.follow(b.get(w.url + pathAuthorize + "?" + params.Encode()))
	if page.StatusCode != http.StatusOK || page.Request.URL.Path != pathLogin {
		t.Fatalf("got %d at %s, want the e-mail page", page.StatusCode, page.Request.URL)
	}
	got := w.toApp(b.follow(b.submit(page, url.Values{"email": {"alice@acme.test"}})))
	if got.Get("state") != params.Get("state") || got.Get("iss") != w.url {
		t.Errorf("answer to the app: %v", got)
	}
	tk := w.redeem("native", got.Get("code"), verifier)
	if tk.status != http.StatusOK || tk.Type != "Bearer" || tk.Refresh == "" {
		t.Fatalf("tokens: %+v", tk)
	}
	id, access := claimsOf(t, tk.ID), claimsOf(t, tk.Access)
	if id["nonce"] != params.Get("nonce") || id["aud"] != "native" || id["iss"] != w.url || id["org"] != "acme" {
		t.Errorf("ID token: %v", id)
	}
	if access["client_id"] != "native" || access["sub"] != id["sub"] || access["org"] != "acme" {
		t.Errorf("access token: %v", access)
	}
	status, info := w.userinfo(tk.Access)
	if status != http.StatusOK || info["email"] != "alice@acme.test" || info["email_verified"] != true || info["sub"] != id["sub"] {
		t.Errorf("userinfo: %d %v", status, info)
	}
	next := w.refresh("native", tk.Refresh)
	if next.status != http.StatusOK || next.Refresh == tk.Refresh || next.ID == "" {
		t.Fatalf("refresh: %+v", next)
	}
	if again := claimsOf(t, next.ID); again["auth_time"] != id["auth_time"] || again["sub"] != id["sub"] {
		t.Errorf("refreshed ID token: %v, first %v", again, id)
	}
	// The browser is signed in: the next app needs no page.
	params, _ = w.ask("web")
	if got := w.toApp(b.get(w.url + pathAuthorize + "?" + params.Encode())); got.Get("code") == "" {
		t.Errorf("second app: %v", got)
	}
}
