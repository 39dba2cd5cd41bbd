package demo

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// browser visits the app and stops at redirects that leave it.
type browser struct {
	*http.Client
	t   *testing.T
	app string
}

// answer is what a visit ended with.
type answer struct {
	status   int
	location string // where it was sent, if it left the app
	page     string
	ids      map[string]string // text by element id
}

func start(t *testing.T, op *issuer) (*browser, *App) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	base := "http://" + server.Listener.Addr().String()
	app, err := New(Config{Issuer: op.URL, ClientID: "demo-web", ClientSecret: "s3cret", BaseURL: base + "/"})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = app
	server.Start()
	t.Cleanup(server.Close)
	return newBrowser(t, base), app
}

func newBrowser(t *testing.T, base string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, app: base, Client: &http.Client{Jar: jar}}
	b.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if "http://"+r.URL.Host != base {
			return http.ErrUseLastResponse
		}
		return nil
	}
	return b
}

func (b *browser) do(method, path string, form url.Values) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.app+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	res, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header.Get("Location"), string(body), textByID(b.t, string(body))}
}

func textByID(t *testing.T, page string) map[string]string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for n := range root.Descendants() {
		if n.Data == "script" || n.Data == "style" || n.Data == "b" || n.Data == "img" {
			t.Errorf("<%s> on a page of the app", n.Data)
		}
		for _, a := range n.Attr {
			if a.Key == "id" {
				var text strings.Builder
				for c := range n.Descendants() {
					if c.Type == html.TextNode {
						text.WriteString(c.Data)
					}
				}
				found[a.Val] = text.String()
			}
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("inline %s on a page of the app", a.Key)
			}
		}
	}
	return found
}

// signIn goes all the way and returns the page with the tokens.
func (b *browser) signIn(op *issuer) answer {
	b.t.Helper()
	out := b.do("POST", "/signin", url.Values{"login_hint": {"alice@acme.test"}})
	if out.status != http.StatusSeeOther {
		b.t.Fatalf("sign-in answered %d: %s", out.status, out.page)
	}
	return b.do("GET", "/callback?"+op.authorize(out.location).Encode(), nil)
}

func TestLoginRefreshLogout(t *testing.T) {
	t.Parallel()
	op := newIssuer(t)
	b, app := start(t, op)
	if home := b.do("GET", "/", nil); home.ids["signin"] != "Sign in" || home.status != 200 {
		t.Fatalf("no sign-in button: %d %s", home.status, home.page)
	}
	in := b.signIn(op)
	for name, want := range map[string]string{
		"client_id": "demo-web", "response_type": "code", "scope": "openid profile email offline_access", "login_hint": "alice@acme.test",
		"redirect_uri": b.app + "/callback", "code_challenge_method": "S256",
	} {
		if got := op.asked.Get(name); got != want {
			t.Errorf("asked with %s=%q, want %q", name, got, want)
		}
	}
	if op.asked.Get("nonce") == "" || len(op.asked.Get("state")) < 20 {
		t.Error("no nonce, or a weak state")
	}
	var shown struct {
		Header map[string]any
		Claims map[string]any
	}
	if err := json.Unmarshal([]byte(in.ids["id_token"]), &shown); err != nil {
		t.Fatalf("ID token is not shown as JSON: %v in %s", err, in.page)
	}
	if shown.Claims["sub"] != "sub-alice" || shown.Header["alg"] != "ES256" {
		t.Errorf("shown ID token: %v", shown)
	}
	if !strings.HasPrefix(in.ids["access_token"], "opaque-") || !strings.Contains(in.ids["userinfo"], "12345678901234567890") {
		t.Errorf("access token %q, userinfo %q", in.ids["access_token"], in.ids["userinfo"])
	}
	if in.ids["name"] != "Alice <b>Archer</b>" {
		t.Errorf("name %q", in.ids["name"])
	}

	fresh := b.do("POST", "/refresh", nil)
	if fresh.ids["renewals"] != "1" || fresh.ids["access_token"] == in.ids["access_token"] {
		t.Errorf("refresh did not change the access token: %s", fresh.page)
	}

	out := b.do("POST", "/signout", nil)
	u, err := url.Parse(out.location)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if u.Path != "/logout" || q.Get("x") != "1" || q.Get("id_token_hint") != fresh.ids["id_token_raw"] || q.Get("post_logout_redirect_uri") != b.app+"/" {
		t.Errorf("sent to %s", out.location)
	}
	if b.do("GET", "/", nil).ids["signin"] == "" || len(app.sessions.byKey) != 0 {
		t.Error("still signed in")
	}
}

func TestCallback_Refused(t *testing.T) {
	t.Parallel()
	evil := `<script>alert(1)</script>` + "\u202e"
	for _, tc := range []struct {
		name        string
		answer      func(op *issuer, v url.Values)
		code, shown string
	}{
		{"state of nobody", func(_ *issuer, v url.Values) { v.Set("state", "x") }, "state_mismatch", ""},
		{"no state", func(_ *issuer, v url.Values) { v.Del("state") }, "state_mismatch", ""},
		{"error without state", func(_ *issuer, v url.Values) {
			v.Del("state")
			v.Set("error", "evil")
		}, "state_mismatch", ""},
		{"error", func(_ *issuer, v url.Values) {
			v.Del("code")
			v.Set("error", "access_denied")
			v.Set("error_description", "Not today. "+evil)
		}, "access_denied", "Not today. <script>alert(1)</script> "},
		{"issuer of somebody else", func(_ *issuer, v url.Values) { v.Set("iss", "https://evil.example") }, "issuer_mismatch", ""},
		{"issuer missing", func(_ *issuer, v url.Values) { v.Del("iss") }, "issuer_mismatch", ""},
		{"code of nobody", func(_ *issuer, v url.Values) { v.Set("code", "x") }, "invalid_grant", "no <such> grant"},
		{"wrong nonce", func(op *issuer, _ url.Values) { op.set(func() { op.override = map[string]any{"nonce": "x"} }) }, "invalid_response", "ID token: wrong nonce"},
		{"foreign audience", func(op *issuer, _ url.Values) { op.set(func() { op.override = map[string]any{"aud": "other"} }) }, "invalid_response", ""},
		{"expired", func(op *issuer, _ url.Values) { op.set(func() { op.override = map[string]any{"exp": 1} }) }, "invalid_response", ""},
		{"another subject", func(op *issuer, _ url.Values) { op.set(func() { op.override = map[string]any{"sub": "mallory"} }) }, "invalid_response", "userinfo: the answer is about another person"},
		{"token endpoint refuses", func(op *issuer, _ url.Values) {
			op.set(func() { op.refuse = map[string]string{"error": "server_error", "error_description": "sorry"} })
		}, "server_error", "sorry"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			op := newIssuer(t)
			b, app := start(t, op)
			out := b.do("POST", "/signin", nil)
			back := op.authorize(out.location)
			tc.answer(op, back)
			got := b.do("GET", "/callback?"+back.Encode(), nil)
			if got.ids["error"] != tc.code || (tc.shown != "" && got.ids["error_description"] != tc.shown) {
				t.Errorf("page says %q %q, want %q %q", got.ids["error"], got.ids["error_description"], tc.code, tc.shown)
			}
			if got.status < 400 || len(app.sessions.byKey) != 0 {
				t.Errorf("status %d, %d sessions", got.status, len(app.sessions.byKey))
			}
		})
	}
}

func TestCallback_OtherBrowser(t *testing.T) {
	t.Parallel()
	op := newIssuer(t)
	b, _ := start(t, op)
	other := newBrowser(t, b.app)
	other.do("POST", "/signin", nil) // has a mark of its own
	out := b.do("POST", "/signin", nil)
	if got := other.do("GET", "/callback?"+op.authorize(out.location).Encode(), nil); got.ids["error"] != "state_mismatch" {
		t.Errorf("another browser finished the login: %d %v", got.status, got.ids)
	}
}

func TestCallback_OnlyOnce(t *testing.T) {
	t.Parallel()
	op := newIssuer(t)
	b, _ := start(t, op)
	out := b.do("POST", "/signin", nil)
	back := "/callback?" + op.authorize(out.location).Encode()
	if got := b.do("GET", back, nil); got.ids["id_token"] == "" {
		t.Fatalf("not signed in: %s", got.page)
	}
	if got := b.do("GET", back, nil); got.ids["error"] != "state_mismatch" {
		t.Errorf("the same answer twice: %v", got.ids)
	}
}

func TestRefresh_GrantIsOver(t *testing.T) {
	t.Parallel()
	op := newIssuer(t)
	b, app := start(t, op)
	b.signIn(op)
	op.set(func() { op.refresh = "another" })
	if got := b.do("POST", "/refresh", nil); got.ids["error"] != "invalid_grant" || len(app.sessions.byKey) != 0 {
		t.Errorf("page %v, %d sessions", got.ids, len(app.sessions.byKey))
	}
}

func TestRefresh_AnotherPerson(t *testing.T) {
	t.Parallel()
	op := newIssuer(t)
	b, _ := start(t, op)
	b.signIn(op)
	op.set(func() { op.sub = "sub-mallory" })
	if got := b.do("POST", "/refresh", nil); !strings.Contains(got.ids["error_description"], "another person") {
		t.Errorf("page %v", got.ids)
	}
}

func TestBrokerStartsLater(t *testing.T) {
	t.Parallel()
	op := newIssuer(t)
	op.set(func() { op.down = true })
	b, _ := start(t, op)
	if got := b.do("GET", "/", nil); got.status != 200 {
		t.Errorf("start page answers %d", got.status)
	}
	if got := b.do("POST", "/signin", nil); got.status != 503 || got.ids["error"] != "temporarily_unavailable" {
		t.Errorf("%d %v", got.status, got.ids)
	}
	op.set(func() { op.down = false })
	if got := b.signIn(op); got.ids["id_token"] == "" {
		t.Errorf("no sign-in once the broker is up: %s", got.page)
	}
}

func TestOtherSitesCannotPress(t *testing.T) {
	t.Parallel()
	op := newIssuer(t)
	_, app := start(t, op)
	for _, path := range []string{"/signin", "/refresh", "/signout"} {
		r := httptest.NewRequest("POST", path, nil)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		if w.Code != http.StatusForbidden {
			t.Errorf("%s from another site: %d", path, w.Code)
		}
		w = httptest.NewRecorder()
		app.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != http.StatusNotFound {
			t.Errorf("GET %s: %d", path, w.Code)
		}
	}
}

func TestHeadersAndCookies(t *testing.T) {
	t.Parallel()
	op := newIssuer(t)
	app, err := New(Config{Issuer: op.URL, ClientID: "c", BaseURL: "https://app.example"})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	app.ServeHTTP(w, httptest.NewRequest("POST", "/signin", nil))
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Cross-Origin-Opener-Policy": "same-origin"} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s %q", name, got)
		}
	}
	if c := w.Result().Cookies(); len(c) != 1 || !c[0].HttpOnly || !c[0].Secure || c[0].SameSite != http.SameSiteLaxMode {
		t.Errorf("cookies %v", c)
	}
	w = httptest.NewRecorder()
	app.ServeHTTP(w, httptest.NewRequest("GET", "/style.css", nil))
	if w.Header().Get("Content-Type") != "text/css; charset=utf-8" || w.Body.Len() == 0 {
		t.Error("no style sheet")
	}
}

func TestNew_Refuses(t *testing.T) {
	t.Parallel()
	good := Config{Issuer: "http://localhost:9000", ClientID: "c", BaseURL: "http://localhost:9200"}
	for name, change := range map[string]func(*Config){
		"no issuer":      func(c *Config) { c.Issuer = "" },
		"no client":      func(c *Config) { c.ClientID = "" },
		"no base URL":    func(c *Config) { c.BaseURL = "" },
		"base with path": func(c *Config) { c.BaseURL = "http://localhost/app" },
		"other scheme":   func(c *Config) { c.BaseURL = "ftp://localhost" },
	} {
		c := good
		change(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if _, err := New(good); err != nil {
		t.Error(err)
	}
}

// TestSessionsAreBounded: begun logins and sessions of strangers fill nothing.
func TestSessionsAreBounded(t *testing.T) {
	t.Parallel()
	op := newIssuer(t)
	app, err := New(Config{Issuer: op.URL, ClientID: "demo-web", ClientSecret: "s3cret", BaseURL: "http://localhost:9200", MaxSessions: 4})
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		app.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/signin", nil))
	}
	if n := len(app.logins.byKey); n != 4 {
		t.Errorf("%d logins kept, want 4", n)
	}
}
