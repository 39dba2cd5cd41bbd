package mockidp

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"
)

func param(pairs ...string) []oauth2.AuthCodeOption {
	var opts []oauth2.AuthCodeOption
	for i := 0; i+1 < len(pairs); i += 2 {
		opts = append(opts, oauth2.SetAuthURLParam(pairs[i], pairs[i+1]))
	}
	return opts
}

func TestNothingRedirectsBeforeProof(t *testing.T) {
	t.Parallel()
	idp := Start(t, Config{AutoLogin: "alice", Clients: []Client{
		{ID: "web", Secret: "s", RedirectURIs: []string{callback}, RedirectPrefixes: []string{"https://app.test/cb/"}},
		DefaultClient(),
	}})
	p := newParty(t, idp)
	for name, change := range map[string]url.Values{
		"unknown client":      {"client_id": {"nobody"}},
		"no client":           {"client_id": {}},
		"client twice":        {"client_id": {"web", "web"}},
		"no redirect":         {"client_id": {"web"}, "redirect_uri": {}},
		"other redirect":      {"client_id": {"web"}, "redirect_uri": {callback + "/x"}},
		"redirect twice":      {"client_id": {"web"}, "redirect_uri": {callback, callback}},
		"prefix look-alike":   {"client_id": {"web"}, "redirect_uri": {"https://app.test/cbx"}},
		"loopback look-alike": {"redirect_uri": {"http://localhost@evil.example/"}},
		"loopback suffix":     {"redirect_uri": {"http://127.0.0.1.evil.example/"}},
		"fragment":            {"redirect_uri": {callback + "#x"}},
	} {
		q := merged(url.Values{"client_id": {"gatehouse"}, "redirect_uri": {callback}, "response_type": {"code"}}, change)
		if got := p.get(idp.URL + "/authorize?" + q.Encode()); got.status != 400 || got.header.Get("Location") != "" {
			t.Errorf("%s: status %d, Location %q", name, got.status, got.header.Get("Location"))
		}
	}
}

func TestAuthorizeErrorsReachTheClient(t *testing.T) {
	t.Parallel()
	idp := Start(t, Config{AutoLogin: "alice", RequirePKCE: true})
	challenge := oauth2.S256ChallengeFromVerifier(oauth2.GenerateVerifier())
	for name, tt := range map[string]struct {
		change []string
		want   string
	}{
		"implicit":       {[]string{"response_type", "token"}, "unsupported_response_type"},
		"fragment":       {[]string{"response_mode", "fragment"}, "invalid_request"},
		"plain PKCE":     {[]string{"code_challenge_method", "plain"}, "invalid_request"},
		"short PKCE":     {[]string{"code_challenge", "abc"}, "invalid_request"},
		"no PKCE":        {[]string{"code_challenge", "", "code_challenge_method", ""}, "invalid_request"},
		"none and login": {[]string{"prompt", "none login"}, "invalid_request"},
		"none, nobody":   {[]string{"prompt", "none"}, "login_required"},
		"max_age":        {[]string{"max_age", "soon"}, "invalid_request"},
		"request object": {[]string{"request", "e30.e30."}, "request_not_supported"},
		"request_uri":    {[]string{"request_uri", "https://app.test/r"}, "request_uri_not_supported"},
	} {
		opts := append(param("code_challenge", challenge, "code_challenge_method", "S256"), param(tt.change...)...)
		p := newParty(t, idp) // a browser without a session
		got := p.get(p.oauth.AuthCodeURL("s", opts...))
		if got.params.Get("error") != tt.want || got.params.Get("state") != "s" || got.params.Get("iss") != idp.URL {
			t.Errorf("%s: callback %v, want error %q", name, got.params, tt.want)
		}
	}
	p := newParty(t, idp)
	twice := p.get(p.oauth.AuthCodeURL("s", param("nonce", "a")...) + "&nonce=b")
	if twice.params.Get("error") != "invalid_request" {
		t.Errorf("nonce twice: %v", twice.params)
	}
}

func TestLoginPage(t *testing.T) {
	t.Parallel()
	p := newParty(t, Start(t, Config{Title: `<script>alert("t")</script>`}))
	page := p.get(p.oauth.AuthCodeURL("s", param("login_hint", `"><script>alert(1)</script>{{TX}}`)...))
	if page.status != 200 || strings.Contains(page.page, "<script") || strings.Contains(page.page, "{{STYLE}}") {
		t.Errorf("the page is not escaped: %s", page.page)
	}
	if csp := page.header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; style-src 'self'") {
		t.Errorf("CSP = %q", csp)
	}
	for _, want := range []string{`name="username"`, `id="username"`, `<button id="submit"`, `<button id="cancel"`} {
		if strings.Count(page.page, want) != 1 {
			t.Errorf("the page has %d of %s", strings.Count(page.page, want), want)
		}
	}
	again := p.typed(page, url.Values{"username": {"  "}})
	if again.status != http.StatusUnprocessableEntity || !strings.Contains(again.page, "Type a name.") {
		t.Errorf("empty name: status %d", again.status)
	}
	if got := p.typed(again, url.Values{"action": {"cancel"}}); got.params.Get("error") != "access_denied" || got.params.Get("state") != "s" {
		t.Errorf("cancel: %v", got.params)
	}
	if got := p.post(p.idp.URL+"/login", url.Values{"tx": {"made-up"}, "username": {"alice"}}); got.status != 400 || got.params != nil {
		t.Errorf("made-up tx: status %d, %v", got.status, got.params)
	}
	if got := p.get(p.idp.URL + "/style.css"); got.status != 200 {
		t.Errorf("style sheet: %d", got.status)
	}
}

func TestFormPost(t *testing.T) {
	t.Parallel()
	p := newParty(t, Start(t, Config{AutoLogin: "alice"}))
	page := p.get(p.oauth.AuthCodeURL(`s"><script>`, param("response_mode", "form_post")...))
	if !strings.Contains(page.page, `name="state" value="s&#34;&gt;&lt;script&gt;"`) || !strings.Contains(page.page, `action="`+callback+`"`) {
		t.Errorf("form: %s", page.page)
	}
	if !strings.Contains(page.header.Get("Content-Security-Policy"), "script-src 'sha256-") || strings.Count(page.page, "<script>") != 1 {
		t.Errorf("CSP %q", page.header.Get("Content-Security-Policy"))
	}
}

// TestSession: prompt, max_age, auth_time and hints as a real provider honours them.
func TestSession(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 1, 0, 0, 0, time.UTC)
	idp := Start(t, Config{Now: func() time.Time { return now }})
	p := newParty(t, idp)
	authTime := func(r response) float64 {
		t.Helper()
		claims := p.verified(p.tokens(r.params))
		at, _ := claims["auth_time"].(float64)
		return at
	}
	first := authTime(p.typed(p.get(p.oauth.AuthCodeURL("s")), url.Values{"username": {"alice"}}))
	now = now.Add(10 * time.Minute)
	isPage := func(r response) bool { return hiddenTx.MatchString(r.page) }
	for name, silent := range map[string][]string{
		"session":                nil,
		"prompt=none":            {"prompt", "none"},
		"max_age not reached":    {"max_age", "3600"},
		"own hint":               {"login_hint", "alice@acme.test"},
		"none with another hint": {"prompt", "none", "login_hint", "bob"},
		"own name as hint":       {"login_hint", "alice"},
	} {
		if got := p.get(p.oauth.AuthCodeURL("s", param(silent...)...)); got.params.Get("code") == "" || authTime(got) != first {
			t.Errorf("%s: the session was not used: %v", name, got.params)
		}
	}
	for name, asks := range map[string][]string{
		"prompt=login":   {"prompt", "login"},
		"select_account": {"prompt", "select_account"},
		"max_age":        {"max_age", "60"},
		"max_age=0":      {"max_age", "0"},
		"another hint":   {"login_hint", "bob@acme.test"},
	} {
		if got := p.get(p.oauth.AuthCodeURL("s", param(asks...)...)); !isPage(got) {
			t.Errorf("%s: no page, %v", name, got.params)
		}
	}
	if got := p.get(p.oauth.AuthCodeURL("s", param("prompt", "none", "max_age", "60")...)); got.params.Get("error") != "login_required" {
		t.Errorf("prompt=none with an old session: %v", got.params)
	}
	again := p.typed(p.get(p.oauth.AuthCodeURL("s", param("prompt", "login")...)), url.Values{"username": {"alice"}})
	if got := authTime(again); got != first+600 {
		t.Errorf("auth_time after prompt=login is %v, want %v", got, first+600)
	}
	token := p.tokens(p.get(p.oauth.AuthCodeURL("s")).params)
	hint, _ := token.Extra("id_token").(string)
	if got := p.get(p.oauth.AuthCodeURL("s", param("prompt", "none", "id_token_hint", hint)...)); got.params.Get("code") == "" {
		t.Errorf("own id_token_hint: %v", got.params)
	}
	out := p.get(idp.URL + "/logout?" + url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {callback}, "state": {"bye"}}.Encode())
	if out.params.Get("state") != "bye" {
		t.Errorf("logout: %d %v", out.status, out.params)
	}
	if got := p.get(p.oauth.AuthCodeURL("s", param("prompt", "none")...)); got.params.Get("error") != "login_required" {
		t.Errorf("after logout: %v", got.params)
	}
}

func TestNoPageModes(t *testing.T) {
	t.Parallel()
	idp := Start(t, Config{AutoLogin: "alice"})
	email := func(opts ...string) any {
		t.Helper()
		p := newParty(t, idp)
		return p.verified(p.tokens(p.get(p.oauth.AuthCodeURL("s", param(opts...)...)).params))["email"]
	}
	if got := email("login_hint", "bob@acme.test"); got != "alice@acme.test" {
		t.Errorf("AutoLogin alice with a hint for bob signs in %v", got)
	}
	if got := email("mock_user", "bob"); got != "bob@acme.test" {
		t.Errorf("mock_user bob signs in %v", got)
	}
	idp.SetAuto("*")
	if got := email("login_hint", "eve@other.test"); got != "eve@other.test" {
		t.Errorf("AutoLogin * with a hint signs in %v", got)
	}
	p := newParty(t, idp)
	if got := p.get(p.oauth.AuthCodeURL("s")); !hiddenTx.MatchString(got.page) {
		t.Errorf("AutoLogin * without a hint shows no page: %v", got.params)
	}
}

func TestIssuerWithPath(t *testing.T) {
	t.Parallel()
	p, err := New(Config{Issuer: "http://idp.test/tenant", AutoLogin: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{"/tenant/jwks": 200, "/jwks": 404, "/mock/faults": 200, "/tenant/.well-known/openid-configuration": 200} {
		if got := serve(p, "GET", path, ""); got.Code != want {
			t.Errorf("GET %s = %d, want %d", path, got.Code, want)
		}
	}
}

func TestExpiring(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newExpiring[int](3, time.Minute, time.Now)
		first := e.add(1)
		keys := []string{e.add(2), e.add(3), e.add(4)}
		if _, ok := e.get(first); ok {
			t.Error("the oldest entry stays above the capacity")
		}
		if v, ok := e.take(keys[0]); !ok || v != 2 {
			t.Errorf("take = %d, %v", v, ok)
		}
		if _, ok := e.take(keys[0]); ok {
			t.Error("an entry can be taken twice")
		}
		time.Sleep(time.Minute) // of the bubble's clock
		if _, ok := e.get(keys[2]); ok {
			t.Error("an entry outlives its time")
		}
	})
}
