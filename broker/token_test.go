package broker

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/store"
)

func (tk tokens) want(t *testing.T, status int, code string) {
	t.Helper()
	if tk.status != status || tk.Error != code {
		t.Errorf("got %d %q (%s), want %d %q", tk.status, tk.Error, tk.ErrorDescription, status, code)
	}
}

// dead checks that nothing of a grant counts any more.
func (w *world) dead(t *testing.T, client string, tk tokens) {
	t.Helper()
	if status, _ := w.userinfo(tk.Access); status != http.StatusUnauthorized {
		t.Errorf("access token still answers %d at userinfo", status)
	}
	if tk.Refresh != "" {
		w.refresh(client, tk.Refresh).want(t, 400, "invalid_grant")
	}
}

func TestP5_VerifierOmitted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code, _ := w.login("native")
	w.redeem("native", code, "").want(t, 400, "invalid_grant")
}

func TestP6_WrongVerifierBurnsTheCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, second := range map[string]bool{"then none": false, "then the right one": true} {
		t.Run(name, func(t *testing.T) {
			for _, client := range []string{"native", "web"} {
				code, verifier := w.login(client)
				w.redeem(client, code, strings.Repeat("x", 43)).want(t, 400, "invalid_grant")
				if !second {
					verifier = ""
				}
				w.redeem(client, code, verifier).want(t, 400, "invalid_grant")
			}
		})
	}
}

func TestP8_TheRecordDecidesAboutPKCE(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// third may leave PKCE out; a challenge that was sent must be met all the same.
	p, verifier := w.ask("third")
	p.Del("code_challenge")
	p.Del("code_challenge_method")
	b := w.browser()
	code := w.toApp(b.submit(b.follow(b.get(w.url+pathAuthorize+"?"+p.Encode())), url.Values{})).Get("code")
	w.redeem("third", code, "").want(t, 200, "")
	p, _ = w.ask("third")
	code = w.toApp(b.get(w.url + pathAuthorize + "?" + p.Encode())).Get("code")
	w.redeem("third", code, "").want(t, 400, "invalid_grant")
	// And a verifier without a challenge is a sign of a downgrade.
	p, _ = w.ask("third")
	p.Del("code_challenge")
	p.Del("code_challenge_method")
	code = w.toApp(b.get(w.url + pathAuthorize + "?" + p.Encode())).Get("code")
	w.redeem("third", code, verifier).want(t, 400, "invalid_grant")
}

func TestC1_CodeTwiceKillsTheGrant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code, verifier := w.login("native")
	first := w.redeem("native", code, verifier)
	first.want(t, 200, "")
	w.redeem("native", code, verifier).want(t, 400, "invalid_grant")
	w.dead(t, "native", first)
}

func TestC2_OneOf64ParallelRedemptionsWins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code, verifier := w.login("native")
	got := make([]tokens, 64)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() { got[i] = w.redeem("native", code, verifier) })
	}
	wg.Wait()
	won := 0
	for _, tk := range got {
		switch {
		case tk.status == 200:
			won++
			w.dead(t, "native", tk) // the others were reuse
		case tk.status != 400 || tk.Error != "invalid_grant":
			t.Errorf("a loser got %d %s", tk.status, tk.Error)
		}
	}
	if won != 1 {
		t.Errorf("%d won, want exactly 1", won)
	}
}

// Another client's attempt burns the code: it has leaked (pinned here and in
// docs/decisions.md).
func TestC3_CodeOfAnotherClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code, verifier := w.login("native")
	w.redeem("web", code, verifier).want(t, 400, "invalid_grant")
	w.redeem("native", code, verifier).want(t, 400, "invalid_grant")
}

func TestC4_C7_CodesExpire(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code, verifier := w.login("native")
	w.clock.add(61 * time.Second)
	w.redeem("native", code, verifier).want(t, 400, "invalid_grant")
}

func TestC6_MangledCodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code, verifier := w.login("native")
	other, _ := w.login("native")
	for _, bad := range []string{code[:len(code)-1], code + "A", prefixCode + other[len(prefixCode):20] + code[20:], "x", strings.ToUpper(code)} {
		w.redeem("native", bad, verifier).want(t, 400, "invalid_grant")
	}
	w.redeem("native", code, verifier).want(t, 200, "") // none of that touched it
}

func TestR12_RedirectURIAtTheTokenEndpoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, uri := range []string{"", "https://app.test/other", appRedirect + "/"} {
		code, verifier := w.login("native")
		form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {verifier}}
		if uri != "" {
			form.Set("redirect_uri", uri)
		}
		w.token("native", form).want(t, 400, "invalid_grant")
	}
}

func TestRefreshReuseEndsTheGrant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.signedIn("native")
	second := w.refresh("native", first.Refresh)
	second.want(t, 200, "")
	third := w.refresh("native", second.Refresh)
	third.want(t, 200, "")
	w.refresh("native", first.Refresh).want(t, 400, "invalid_grant") // two generations back
	w.dead(t, "native", third)
	w.dead(t, "native", second)
}

func TestRefreshReuseAfterTheGrace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.signedIn("native")
	second := w.refresh("native", first.Refresh)
	w.clock.add(31 * time.Second)
	w.refresh("native", first.Refresh).want(t, 400, "invalid_grant")
	w.dead(t, "native", second)
}

func TestT2_ParallelRefreshNeverForks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.signedIn("native")
	got := make([]tokens, 64)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() { got[i] = w.refresh("native", first.Refresh) })
	}
	wg.Wait()
	for _, tk := range got {
		if tk.status != 200 || tk.Refresh != got[0].Refresh {
			t.Fatalf("got %d %s, successor %q; want the same successor for all", tk.status, tk.Error, tk.Refresh)
		}
	}
	w.refresh("native", got[0].Refresh).want(t, 200, "")
}

func TestT3_RefreshTokenOfAnotherClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.signedIn("native")
	second := w.refresh("native", first.Refresh)
	w.clock.add(time.Minute)
	for _, stolen := range []string{first.Refresh, second.Refresh} {
		w.refresh("web", stolen).want(t, 400, "invalid_grant")
	}
	w.refresh("native", second.Refresh).want(t, 200, "") // the stranger ended nothing
}

func TestT4_ScopeOnRefresh(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.signedIn("native")
	w.token("native", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.Refresh}, "scope": {"openid api.read"}}).want(t, 400, "invalid_scope")
	less := w.token("native", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.Refresh}, "scope": {"openid"}})
	less.want(t, 200, "")
	if less.Scope != "openid" || claimsOf(t, less.Access)["scope"] != "openid" {
		t.Errorf("scope %q, token %v; want openid alone", less.Scope, claimsOf(t, less.Access)["scope"])
	}
	if full := w.refresh("native", less.Refresh); !strings.Contains(full.Scope, "email") {
		t.Errorf("the grant lost its scopes: %q", full.Scope)
	}
}

// Whatever takes a person's, app's or connection's standing away ends refresh,
// userinfo and introspection at once.
func TestT5_E12_L4_StandingIsAskedEveryTime(t *testing.T) {
	t.Parallel()
	for name, take := range map[string]func(*world, *store.Change, string) error{
		"user disabled": func(w *world, ch *store.Change, sub string) error {
			u, err := w.store.Users.Get(ch.Tx, sub)
			u.Status = store.UserDisabled
			return errors.Join(err, w.store.Users.Put(ch.Tx, u))
		},
		"user deleted": func(w *world, ch *store.Change, sub string) error { return w.store.Users.Delete(ch.Tx, sub) },
		"membership ended": func(w *world, ch *store.Change, sub string) error {
			return w.store.Memberships.Delete(ch.Tx, store.MembershipKey("acme", sub))
		},
		"connection disabled": func(w *world, ch *store.Change, _ string) error {
			c, err := w.store.Connections.Get(ch.Tx, "acme")
			c.Disabled = true
			return errors.Join(err, w.store.Connections.Put(ch.Tx, c))
		},
		"organization disabled": func(w *world, ch *store.Change, _ string) error {
			o, err := w.store.Organizations.Get(ch.Tx, "acme")
			o.Disabled = true
			return errors.Join(err, w.store.Organizations.Put(ch.Tx, o))
		},
		"client not for the organization": func(w *world, ch *store.Change, _ string) error {
			c, err := w.store.Clients.Get(ch.Tx, "web")
			c.Organizations = []string{"globex"}
			return errors.Join(err, w.store.Clients.Put(ch.Tx, c))
		},
		"client not for the connection": func(w *world, ch *store.Change, _ string) error {
			c, err := w.store.Clients.Get(ch.Tx, "web")
			c.Connections = []string{"globex"}
			return errors.Join(err, w.store.Clients.Put(ch.Tx, c))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			tk := w.signedIn("web")
			code, verifier := w.login("web")
			sub, _ := claimsOf(t, tk.Access)["sub"].(string)
			w.change(func(ch *store.Change) error { return take(w, ch, sub) })
			w.redeem("web", code, verifier).want(t, 400, "invalid_grant")
			if _, _, body := w.tokenCall(pathIntrospect, "web", url.Values{"token": {tk.Access}}); body["active"] != false || len(body) != 1 {
				t.Errorf("introspection says %v", body)
			}
			w.dead(t, "web", tk)
		})
	}
}

func TestT5_ScopeTakenFromTheClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tk := w.signedIn("native")
	w.change(func(ch *store.Change) error {
		c, err := w.store.Clients.Get(ch.Tx, "native")
		c.Scopes = []string{"openid", "offline_access"}
		return errors.Join(err, w.store.Clients.Put(ch.Tx, c))
	})
	w.refresh("native", tk.Refresh).want(t, 400, "invalid_grant")
}

func TestT5_ClaimsAreReadAnewOnRefresh(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tk := w.signedIn("native")
	sub, _ := claimsOf(t, tk.Access)["sub"].(string)
	if roles, _ := claimsOf(t, tk.ID)["roles"].([]any); len(roles) != 1 || roles[0] != "user" {
		t.Fatalf("roles %v", roles)
	}
	w.change(func(ch *store.Change) error {
		m, err := w.store.Memberships.Get(ch.Tx, store.MembershipKey("acme", sub))
		m.Role = store.RoleAdmin
		return errors.Join(err, w.store.Memberships.Put(ch.Tx, m))
	})
	if roles, _ := claimsOf(t, w.refresh("native", tk.Refresh).ID)["roles"].([]any); len(roles) != 1 || roles[0] != "admin" {
		t.Errorf("roles after the change: %v", roles)
	}
}

func TestT6_IdleAndAbsoluteLifetime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	idle := w.signedIn("native")
	w.clock.add(30*24*time.Hour + time.Minute)
	w.refresh("native", idle.Refresh).want(t, 400, "invalid_grant")

	tk := w.signedIn("native")
	for range 5 {
		w.clock.add(29 * 24 * time.Hour)
		if tk = w.refresh("native", tk.Refresh); tk.status != 200 {
			t.Fatalf("refresh within the absolute lifetime: %s", tk.Error)
		}
	}
	w.clock.add(29 * 24 * time.Hour) // day 174
	tk = w.refresh("native", tk.Refresh)
	tk.want(t, 200, "")
	w.clock.add(7 * 24 * time.Hour) // day 181
	w.refresh("native", tk.Refresh).want(t, 400, "invalid_grant")
}

func TestT7_NoRefreshTokenWithoutOfflineAccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, verifier := w.ask("native")
	p.Set("scope", "openid email")
	tk := w.redeem("native", w.browser().authorize(p).Get("code"), verifier)
	tk.want(t, 200, "")
	if tk.Refresh != "" {
		t.Error("a refresh token was issued")
	}
}

func TestT8_I16_NoAnswerBeforeTheCommit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tk := w.signedIn("native")
	code, verifier := w.login("native")
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	for path, form := range map[string]url.Values{
		pathRevoke: {"token": {tk.Refresh}},
		pathToken:  {"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {appRedirect}, "code_verifier": {verifier}},
	} {
		if status, header, body := w.tokenCall(path, "native", form); status != 503 || header.Get("Retry-After") == "" {
			t.Errorf("%s answered %d %v, want 503 with Retry-After", path, status, body)
		}
	}
}

func TestI8_I9_ClientAuthentication(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	call := func(form url.Values, edit func(*http.Request)) (int, string, string) {
		form.Set("grant_type", "client_credentials")
		req, err := http.NewRequest(http.MethodPost, w.url+pathToken, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		edit(req)
		a := w.browser().do(req)
		code := ""
		for _, c := range []string{"invalid_client", "invalid_request", "unauthorized_client"} {
			if strings.Contains(a.body, `"`+c+`"`) {
				code = c
			}
		}
		return a.StatusCode, code, a.Header.Get("WWW-Authenticate")
	}
	basic := func(id, secret string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(id, secret) }
	}
	none := func(*http.Request) {}
	for _, c := range []struct {
		name   string
		form   url.Values
		edit   func(*http.Request)
		status int
		code   string
	}{
		{"right", url.Values{}, basic("web", webSecret), 200, ""},
		{"post of a post client", url.Values{"client_id": {"post"}, "client_secret": {webSecret}}, none, 200, ""},
		{"I8 two methods", url.Values{"client_id": {"web"}, "client_secret": {webSecret}}, basic("web", webSecret), 400, "invalid_request"},
		{"I8 other id in the body", url.Values{"client_id": {"post"}}, basic("web", webSecret), 400, "invalid_request"},
		{"I9 post of a basic client", url.Values{"client_id": {"web"}, "client_secret": {webSecret}}, none, 401, "invalid_client"},
		{"I9 basic of a post client", url.Values{}, basic("post", webSecret), 401, "invalid_client"},
		{"I9 public client sends a secret", url.Values{"client_id": {"native"}, "client_secret": {"x"}}, none, 401, "invalid_client"},
		{"I9 empty secret", url.Values{}, basic("web", ""), 401, "invalid_client"},
		{"I9 no secret", url.Values{"client_id": {"web"}}, none, 401, "invalid_client"},
		{"wrong secret", url.Values{}, basic("web", webSecret+"x"), 401, "invalid_client"},
		{"unknown client", url.Values{}, basic("nobody", webSecret), 401, "invalid_client"},
		{"disabled client", url.Values{"client_id": {"disabled"}}, none, 401, "invalid_client"},
		{"nobody", url.Values{}, none, 401, "invalid_client"},
		{"bearer", url.Values{}, func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, 401, "invalid_client"},
		{"assertion", url.Values{"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {"x"}}, none, 401, "invalid_client"},
		{"public client asks for client credentials", url.Values{"client_id": {"native"}}, none, 400, "unauthorized_client"},
	} {
		status, code, challenge := call(c.form, c.edit)
		if status != c.status || code != c.code {
			t.Errorf("%s: got %d %q, want %d %q", c.name, status, code, c.status, c.code)
		}
		if status == 401 && !strings.HasPrefix(challenge, "Basic ") {
			t.Errorf("%s: WWW-Authenticate %q", c.name, challenge)
		}
	}
}

func TestY6_Y8_GuessingIsThrottled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	last := 0
	for range guessBurst + 5 {
		req, _ := http.NewRequest(http.MethodPost, w.url+pathToken, strings.NewReader("grant_type=client_credentials"))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.SetBasicAuth("web", "wrong")
		last = w.browser().do(req).StatusCode
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("after many failures: %d, want 429", last)
	}
	g := newGuesses(time.Now)
	for range guessCap + 100 {
		g.failed(store.NewID(), "192.0.2.1:1")
	}
	if len(g.by) > guessCap || g.lru.Len() > guessCap {
		t.Errorf("limiter holds %d entries, cap %d", len(g.by), guessCap)
	}
}

func TestI10_GrantTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for grant, want := range map[string]string{
		"": "invalid_request", "bogus": "unsupported_grant_type", "password": "unsupported_grant_type", "implicit": "unsupported_grant_type",
		"urn:ietf:params:oauth:grant-type:token-exchange": "unsupported_grant_type",
		"urn:ietf:params:oauth:grant-type:jwt-bearer":     "unsupported_grant_type",
	} {
		w.token("web", url.Values{"grant_type": {grant}}).want(t, 400, want)
	}
	w.token("third", url.Values{"grant_type": {"client_credentials"}}).want(t, 400, "unauthorized_client")
	w.token("third", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"x"}}).want(t, 400, "unauthorized_client")
}

func TestI11_I12_Z2_TokenRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := "grant_type=client_credentials"
	for _, c := range []struct {
		name, method, query, mediaType, body string
		status                               int
	}{
		{"GET", "GET", "?" + good, "", "", 405},
		{"in the query", "POST", "?" + good, "application/x-www-form-urlencoded", "", 400},
		{"secret in the query", "POST", "?client_secret=x", "application/x-www-form-urlencoded", good, 400},
		{"multipart", "POST", "", "multipart/form-data; boundary=x", "--x--", 415},
		{"JSON", "POST", "", "application/json", `{"grant_type":"client_credentials"}`, 415},
		{"repeated", "POST", "", "application/x-www-form-urlencoded", good + "&" + good, 400},
		{"too large", "POST", "", "application/x-www-form-urlencoded", "x=" + strings.Repeat("a", maxForm), 413},
		{"broken escape", "POST", "", "application/x-www-form-urlencoded", "grant_type=%zz", 400},
	} {
		req, err := http.NewRequest(c.method, w.url+pathToken+c.query, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		if c.mediaType != "" {
			req.Header.Set("Content-Type", c.mediaType)
		}
		req.SetBasicAuth("web", webSecret)
		a := w.browser().do(req)
		if a.StatusCode != c.status {
			t.Errorf("%s: got %d, want %d: %s", c.name, a.StatusCode, c.status, a.body)
		}
		if !strings.Contains(a.Header.Get("Cache-Control"), "no-store") {
			t.Errorf("%s: Cache-Control %q", c.name, a.Header.Get("Cache-Control"))
		}
	}
}

func TestClientCredentials(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tk := w.token("web", url.Values{"grant_type": {"client_credentials"}, "scope": {"api.read"}})
	tk.want(t, 200, "")
	c := claimsOf(t, tk.Access)
	if c["sub"] != "web" || c["client_id"] != "web" || c["scope"] != "api.read" || tk.Refresh != "" || tk.ID != "" {
		t.Errorf("%v %+v", c, tk)
	}
	w.token("web", url.Values{"grant_type": {"client_credentials"}, "scope": {"openid"}}).want(t, 400, "invalid_scope")
	w.token("web", url.Values{"grant_type": {"client_credentials"}, "scope": {"foreign"}}).want(t, 400, "invalid_scope")
	// N5, I18: it is no person.
	if status, _ := w.userinfo(tk.Access); status != 401 {
		t.Errorf("userinfo answers %d", status)
	}
	w.change(func(ch *store.Change) error {
		cl, err := w.store.Clients.Get(ch.Tx, "web")
		cl.Disabled = true
		return errors.Join(err, w.store.Clients.Put(ch.Tx, cl))
	})
	if _, _, body := w.tokenCall(pathIntrospect, "post", url.Values{"token": {tk.Access}}); body["active"] != false {
		t.Errorf("token of a disabled client: %v", body)
	}
}
