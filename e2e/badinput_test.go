package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// refusedOnOurPage demands a 400 page on the requested URL and no redirect.
func refusedOnOurPage(t *testing.T, p *page, words string) {
	t.Helper()
	if p.callback != nil || p.status != http.StatusBadRequest || p.url.Path != "/oauth2/authorize" {
		t.Fatalf("got %d at %s (callback %v), want a 400 page on the requested URL", p.status, p.url, p.callback)
	}
	if !strings.Contains(p.title(), words) || p.text("correlation") == "" {
		t.Errorf("page: got %q (correlation %q), want %q and a correlation id", p.title(), p.text("correlation"), words)
	}
	if cookies := p.header["Set-Cookie"]; len(cookies) > 0 {
		t.Errorf("a refused request left cookies: %v", cookies)
	}
}

func TestBadInput_RequestsThatAreNotProven(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(url.Values)
		words  string
	}{
		"unknown client":            {func(v url.Values) { v.Set("client_id", "nobody") }, "We do not know this app"},
		"no client":                 {func(v url.Values) { v.Del("client_id") }, "We do not know this app"},
		"unregistered redirect URI": {func(v url.Values) { v.Set("redirect_uri", "https://evil.example/callback") }, "return address is not registered"},
		"redirect URI in disguise":  {func(v url.Values) { v.Set("redirect_uri", "http://127.0.0.1:4711/callback/../x") }, "return address is not registered"},
		"no redirect URI":           {func(v url.Values) { v.Del("redirect_uri") }, "return address is not registered"},
		"duplicate parameter":       {func(v url.Values) { v.Add("state", "twice") }, "cannot accept"},
		"duplicate redirect URI":    {func(v url.Values) { v.Add("redirect_uri", "https://evil.example/") }, "cannot accept"},
		"missing PKCE":              {func(v url.Values) { v.Del("code_challenge"); v.Del("code_challenge_method") }, "cannot accept"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := shared.native(t)
			r := a.authorization()
			c.change(r.params)
			refusedOnOurPage(t, a.browser(shared).get(a.authorizeURL(r)), c.words)
			b := shared.browser(t, a.redirect, "https://evil.example/")
			refusedOnOurPage(t, b.post(a.issuer+"/oauth2/authorize", r.params), c.words)
		})
	}
}

func TestBadInput_NotAnAddress(t *testing.T) {
	t.Parallel()
	a := shared.native(t)
	b := a.browser(shared)
	r := a.authorization()
	p := b.get(a.authorizeURL(r))
	for _, typed := range []string{"not an address", "", "alice@", "@acme.test", "a@b@acme.test"} {
		p = b.submit(p, "submit", map[string]string{"email": typed})
		if p.status != http.StatusBadRequest || p.byID("email") == nil {
			t.Fatalf("%q: got %d (%q), want the form again with 400", typed, p.status, p.title())
		}
		if sentence := p.text("error"); len(sentence) < 10 {
			t.Errorf("%q: the page says %q, want a sentence", typed, sentence)
		}
		if got := attr(p.byID("email"), "value"); got != typed {
			t.Errorf("the field holds %q, want what was typed, %q", got, typed)
		}
	}
	who := shared.person(t, "acme.test")
	a.code(walkIn(b, p, who), r) // the form still works
}

// TestBadInput_UnknownDomain needs an app that the catch-all connection may not
// serve, since in dev "*" takes every domain.
func TestBadInput_UnknownDomain(t *testing.T) {
	t.Parallel()
	redirect := "http://localhost:4712/callback"
	secret := shared.api(t).createClient(map[string]any{
		"id": "no-catch-all", "type": "web", "name": "Companies only", "redirect_uris": []string{redirect},
		"connections": []string{"acme", "globex"},
	})
	a := newApp(t, shared, "no-catch-all", secret, redirect)
	b := a.browser(shared)
	r := a.authorization()
	p := b.submit(b.get(a.authorizeURL(r)), "submit", map[string]string{"email": "somebody@nowhere.test"})
	if p.status != http.StatusNotFound || !strings.Contains(p.title(), "nowhere.test") {
		t.Fatalf("got %d %q, want 404 and a page that names the domain", p.status, p.title())
	}
	if strings.Contains(p.body, "acme") {
		t.Error("the page tells a stranger which companies there are")
	}
	who := shared.person(t, "acme.test")
	a.code(walkIn(b, p, who), r) // the page offers another address

	b = a.browser(shared)
	r = a.authorization()
	p = b.submit(b.get(a.authorizeURL(r)), "submit", map[string]string{"email": "somebody@nowhere.test"})
	p = b.submit(p, "cancel", nil)
	if p.callback == nil || p.callback.params.Get("error") != "access_denied" || p.callback.params.Get("state") != r.state {
		t.Errorf("cancel: got %+v, want access_denied with the state", p.callback)
	}
}

// TestBadInput_AtTheProvider has the mock provider misbehave during one login
// and nobody else's (?fault= on its authorize URL).
func TestBadInput_AtTheProvider(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault, want string
		slow        bool
	}{
		"upstream error":    {fault: "error_server_error", want: ""},
		"wrong nonce":       {fault: "wrong_nonce", want: "access_denied"},
		"missing nonce":     {fault: "missing_nonce", want: "access_denied"},
		"foreign audience":  {fault: "wrong_aud", want: "access_denied"},
		"bad signature":     {fault: "bad_signature", want: "access_denied"},
		"no signature":      {fault: "alg_none", want: "access_denied"},
		"wrong issuer":      {fault: "wrong_iss", want: "access_denied"},
		"expired":           {fault: "expired", want: "access_denied"},
		"wrong state":       {fault: "wrong_state", want: "page"},
		"token garbage":     {fault: "token_garbage", want: ""},
		"token 500":         {fault: "token_500", want: "temporarily_unavailable"},
		"timeout":           {fault: "token_hang", want: "temporarily_unavailable", slow: true},
		"userinfo of other": {fault: "userinfo_wrong_sub", want: "access_denied"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.slow && testing.Short() {
				t.Skip("waits for the outgoing client's time limit")
			}
			a := shared.native(t)
			who := shared.guest(t, shared.api(t).company(shared.fresh("faulty"), "automatic", nil))
			b := a.browser(shared)
			p, r := faultyLogin(t, a, b, who, c.fault)
			if p.callback != nil {
				t.Fatalf("the browser went to the app at once: %v", p.callback)
			}
			if p.status < 400 || p.text("correlation") == "" {
				t.Fatalf("got %d %q, want an error page with a correlation id\n%s", p.status, p.title(), p.body)
			}
			if c.want != "page" { // else no login of this browser: nothing is proven
				back := p.byID("back")
				if back == nil {
					t.Fatalf("the page has no way back to the app:\n%s", p.body)
				}
				answer := mustParse(t, attr(back, "href")).Query()
				got := answer.Get("error")
				if c.want == "" && (got == "access_denied" || got == "temporarily_unavailable") {
					got = ""
				}
				if got != c.want || answer.Get("state") != r.state || answer.Get("iss") != a.issuer || answer.Has("code") {
					t.Errorf("answer to the app: got %v, want error %q with state and iss", answer, c.want)
				}
			}
			nobodyCalled(t, who.email)
			r = a.authorization()
			r.params.Set("prompt", "none")
			if p := b.get(a.authorizeURL(r)); p.callback == nil || p.callback.params.Get("error") != "login_required" {
				t.Errorf("afterwards: got %v, want that nobody is signed in", p.callback)
			}
		})
	}
}

// faultyLogin signs in with a fault at the provider, which strikes this login alone.
func faultyLogin(t *testing.T, a *app, b *browser, who person, fault string) (*page, *authorization) {
	t.Helper()
	r := a.authorization()
	p := b.submit(b.get(a.authorizeURL(r)), "submit", map[string]string{"email": who.email})
	if p.byID("username") == nil {
		t.Fatalf("not at the provider's page but at %s: %s", p.url, p.body)
	}
	q := p.url.Query()
	q.Set("fault", fault)
	again := *p.url
	again.RawQuery = q.Encode()
	p = b.get(again.String())
	return b.submit(p, "submit", map[string]string{"username": who.name}), r
}

// nobodyCalled demands that no user has this address: nothing was written.
func nobodyCalled(t *testing.T, email string) {
	t.Helper()
	if users := shared.api(t).usersCalled(email); len(users) > 0 {
		t.Errorf("users called %s were written: %v", email, users)
	}
	if id := shared.api(t).requestOf(email); id != "" {
		t.Errorf("an access request for %s was written: %s", email, id)
	}
}

// TestBadInput_ForeignDomainUser: Acme's provider says somebody is of Globex.
func TestBadInput_ForeignDomainUser(t *testing.T) {
	t.Parallel()
	a := shared.native(t)
	b := a.browser(shared)
	r := a.authorization()
	who := shared.person(t, "acme.test")
	foreign := strings.Replace(who.email, "@acme.test", "@globex.test", 1)
	p := b.submit(b.get(a.authorizeURL(r)), "submit", map[string]string{"email": who.email})
	p = b.submit(p, "submit", map[string]string{"username": foreign})
	if p.callback != nil || p.status != http.StatusForbidden || !strings.Contains(p.title(), "another company") {
		t.Fatalf("got %d %q (callback %v), want a refusal page", p.status, p.title(), p.callback)
	}
	if b.saw(shared.idp("globex").Issuer, "/authorize") {
		t.Error("the login was routed again, to Globex")
	}
	answer := mustParse(t, attr(p.byID("back"), "href")).Query()
	if answer.Get("error") != "access_denied" || answer.Get("state") != r.state {
		t.Errorf("answer to the app: got %v, want access_denied", answer)
	}
	nobodyCalled(t, foreign)
	nobodyCalled(t, who.email)
}
