package broker

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/oauth2"

	"gatehouse/broker/keys"
	bsession "gatehouse/broker/session"
	"gatehouse/federation"
	"gatehouse/federation/mockidp"
	"gatehouse/federation/rehearsal"
	"gatehouse/profile"
	"gatehouse/provisioning"
	"gatehouse/store"
	"gatehouse/store/storetest"
	"gatehouse/templates"
)

// world is a broker on a real listener with two real mock companies: acme lets
// people join automatically, globex by request.
type world struct {
	t            testing.TB
	store        *store.Store
	broker       *Broker
	federation   *federation.Federation
	provisioner  *provisioning.Provisioner
	url          string
	acme, globex *mockidp.Running
	logs         *syncBuffer
	clock        *clock
	tests        *rehearsal.Book
}

// clock is the real one plus what a test adds.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

type syncBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

const (
	appRedirect  = "https://app.test/callback"
	nativeScheme = "com.example.demo:/callback"
	webSecret    = "web-secret-0123456789abcdef0123456789abcdef"
)

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, logs: &syncBuffer{}, clock: &clock{}}
	w.acme = mockidp.Start(t, mockidp.Config{Domain: "acme.test", AutoLogin: "*", Now: w.clock.now})
	w.globex = mockidp.Start(t, mockidp.Config{Domain: "globex.test", AutoLogin: "*", Now: w.clock.now})
	w.store = storetest.OpenAt(t, w.clock.now)
	var h http.Handler
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		r.Header.Set("X-Request-Id", "test-request")
		h.ServeHTTP(rw, r)
	}))
	t.Cleanup(srv.Close)
	w.url = srv.URL
	w.seed()

	logger := slog.New(slog.NewJSONHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.federation = federation.New(federation.Config{
		Store: w.store, PublicURL: srv.URL, Logger: logger, Now: w.clock.now,
		Network: federation.NetworkPolicy{Prefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
	})
	t.Cleanup(w.federation.Close)
	w.provisioner = provisioning.New(provisioning.Config{Store: w.store, Federation: w.federation, Now: w.clock.now})
	tmpl, err := templates.New(templates.Config{})
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keys.Open(t.Context(), keys.Config{Store: w.store, Now: w.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	sessions, err := bsession.New(bsession.Config{Store: w.store, Issuer: srv.URL, Now: w.clock.now})
	if err != nil {
		t.Fatal(err)
	}
	w.tests = rehearsal.New(w.clock.now)
	w.broker, err = New(Config{
		Rehearsals: w.tests, Store: w.store, Federation: w.federation, Provisioner: w.provisioner, Templates: tmpl,
		Keys: ring, Sessions: sessions, Issuer: srv.URL, Now: w.clock.now, Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	h = w.broker
	t.Cleanup(w.broker.Close)
	return w
}

func (w *world) change(fn func(*store.Change) error) {
	w.t.Helper()
	err := w.store.Change(context.Background(), store.Actor{UserID: "test", Via: "test"}, func(ch *store.Change) error {
		if err := fn(ch); err != nil {
			return err
		}
		return ch.Record("test.change", "test/1", nil)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) seed() {
	all := append(Scopes(), "api.read")
	w.change(func(ch *store.Change) error {
		for _, c := range []struct {
			id, issuer string
			join       store.JoinPolicy
		}{{"acme", w.acme.URL, store.JoinAutomatic}, {"globex", w.globex.URL, store.JoinRequest}} {
			if err := w.store.Organizations.Insert(ch.Tx, store.Organization{ID: c.id, Title: strings.ToUpper(c.id), Join: c.join}); err != nil {
				return err
			}
			if err := w.store.Domains.Insert(ch.Tx, store.Domain{Name: c.id + ".test", OrganizationID: c.id, State: store.DomainAsserted}); err != nil {
				return err
			}
			if err := w.store.Connections.Insert(ch.Tx, store.Connection{
				ID: c.id, OrganizationID: c.id, Kind: store.KindOIDC, Title: c.id, Domains: []string{c.id + ".test"},
				Issuer: c.issuer, ClientID: "gatehouse", ClientSecret: store.Seal("mock-secret"), ClientAuth: store.AuthHeader,
				Scopes: []string{"openid", "profile", "email", "phone"}, UseUserinfo: true,
				Selectors: profile.DefaultSelectors(), AllowPrivateNetwork: true,
			}); err != nil {
				return err
			}
		}
		for _, c := range []store.Client{
			{
				ID: "native", Name: "Native", Type: store.ClientNative, AuthMethod: "none",
				RedirectURIs: []string{"http://127.0.0.1/callback", nativeScheme, appRedirect},
				GrantTypes:   []string{"authorization_code", "refresh_token"}, Scopes: all,
			},
			{
				ID: "web", Name: "Web", Type: store.ClientWeb, AuthMethod: "client_secret_basic",
				Secrets: []store.ClientSecret{{Hash: store.HashToken(webSecret)}}, ResponseModes: []string{"form_post"},
				RedirectURIs: []string{appRedirect, "https://app.test/cb?x=1", "http://127.0.0.1/web"}, PostLogoutRedirectURIs: []string{"https://app.test/bye"},
				GrantTypes: []string{"authorization_code", "refresh_token", "client_credentials"}, Scopes: all, IDTokenAlg: "RS256",
			},
			{
				ID: "post", Name: "Post", Type: store.ClientWeb, AuthMethod: "client_secret_post",
				Secrets: []store.ClientSecret{{Hash: store.HashToken(webSecret)}}, RedirectURIs: []string{appRedirect},
				GrantTypes: []string{"authorization_code", "refresh_token", "client_credentials"}, Scopes: all, OpaqueToken: true,
			},
			{
				ID: "third", Name: "Third", Type: store.ClientWeb, AuthMethod: "client_secret_basic", ThirdParty: true,
				Secrets: []store.ClientSecret{{Hash: store.HashToken(webSecret)}}, RedirectURIs: []string{appRedirect},
				GrantTypes: []string{"authorization_code"}, Scopes: all, InsecurePKCEOptional: true,
			},
			{
				ID: "disabled", Name: "Off", Type: store.ClientNative, AuthMethod: "none", Disabled: true,
				RedirectURIs: []string{appRedirect}, GrantTypes: []string{"authorization_code"}, Scopes: all,
			},
		} {
			if err := w.store.Clients.Insert(ch.Tx, c); err != nil {
				return err
			}
		}
		return nil
	})
}

// browser has cookies and follows no redirect by itself.
type browser struct {
	w      *world
	client *http.Client
}

func (w *world) browser() *browser {
	jar, _ := cookiejar.New(nil) // never fails
	return &browser{w: w, client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// answer is a response with its body read.
type answer struct {
	*http.Response
	body string
}

func (b *browser) do(req *http.Request) answer {
	b.w.t.Helper()
	resp, err := b.client.Do(req)
	if err != nil {
		b.w.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return answer{resp, string(raw)}
}

func (b *browser) get(u string) answer {
	b.w.t.Helper()
	req, err := http.NewRequest(http.MethodGet, u, nil)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return b.do(req)
}

func (b *browser) post(u string, form url.Values) answer {
	b.w.t.Helper()
	req, err := http.NewRequest(http.MethodPost, u, strings.NewReader(form.Encode()))
	if err != nil {
		b.w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(req)
}

// follow follows redirects until a page, or until they leave for the app.
func (b *browser) follow(a answer) answer {
	b.w.t.Helper()
	for range 12 {
		if a.StatusCode != http.StatusSeeOther && a.StatusCode != http.StatusFound {
			return a
		}
		loc := a.Header.Get("Location")
		next, err := a.Request.URL.Parse(loc)
		if err != nil {
			b.w.t.Fatal(err)
		}
		if (next.Host != a.Request.URL.Host && !strings.HasPrefix(next.String(), b.w.url) && !strings.HasPrefix(next.String(), b.w.acme.URL) && !strings.HasPrefix(next.String(), b.w.globex.URL)) || next.Path == "/callback" {
			return a
		}
		a = b.get(next.String())
	}
	b.w.t.Fatal("too many redirects")
	return a
}

// submit fills the first form of the page that has all the fields.
func (b *browser) submit(a answer, fields url.Values) answer {
	b.w.t.Helper()
	doc, err := html.Parse(strings.NewReader(a.body))
	if err != nil {
		b.w.t.Fatal(err)
	}
	var target answer
	found := false
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode || n.Data != "form" || found {
			continue
		}
		form, named := url.Values{}, map[string]bool{}
		for in := range n.Descendants() {
			if in.Type == html.ElementNode && (in.Data == "input" || in.Data == "button") && attr(in, "name") != "" {
				named[attr(in, "name")] = true
				if attr(in, "type") == "hidden" {
					form.Set(attr(in, "name"), attr(in, "value"))
				}
			}
		}
		fits := true
		for name := range fields {
			fits = fits && named[name]
		}
		if !fits {
			continue
		}
		found = true
		for name, v := range fields {
			form[name] = v
		}
		action, err := a.Request.URL.Parse(attr(n, "action"))
		if err != nil {
			b.w.t.Fatal(err)
		}
		target = b.post(action.String(), form)
	}
	if !found {
		b.w.t.Fatalf("no form with fields %v on %s:\n%s", fields, a.Request.URL, a.body)
	}
	return target
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// ask is an authorization request; tests change what they are about.
func (w *world) ask(client string) (params url.Values, verifier string) {
	verifier = oauth2.GenerateVerifier()
	return url.Values{
		"client_id": {client}, "redirect_uri": {appRedirect}, "response_type": {"code"},
		"scope": {"openid profile email offline_access organization roles"}, "state": {"st-" + store.NewID()}, "nonce": {"n-" + store.NewID()},
		"code_challenge": {oauth2.S256ChallengeFromVerifier(verifier)}, "code_challenge_method": {"S256"},
		"login_hint": {"alice@acme.test"},
	}, verifier
}

// authorize sends the request and follows to the app; it returns what the app got.
func (b *browser) authorize(params url.Values) url.Values {
	b.w.t.Helper()
	a := b.follow(b.get(b.w.url + pathAuthorize + "?" + params.Encode()))
	return b.w.toApp(a)
}

// toApp reads the redirect to the app.
func (w *world) toApp(a answer) url.Values {
	w.t.Helper()
	if a.StatusCode != http.StatusSeeOther {
		w.t.Fatalf("got status %d at %s, want a redirect to the app:\n%s", a.StatusCode, a.Request.URL, a.body)
	}
	u, err := url.Parse(a.Header.Get("Location"))
	if err != nil {
		w.t.Fatal(err)
	}
	return u.Query()
}

// login signs in and returns the code's answer.
func (w *world) login(client string) (code, verifier string) {
	w.t.Helper()
	params, verifier := w.ask(client)
	got := w.browser().authorize(params)
	if got.Get("code") == "" {
		w.t.Fatalf("no code: %v", got)
	}
	return got.Get("code"), verifier
}

// tokens is an answer of the token endpoint.
type tokens struct {
	status                                                    int
	header                                                    http.Header
	Access, Refresh, ID, Type, Scope, Error, ErrorDescription string
	ExpiresIn                                                 int64
}

// tokenCall posts to an API endpoint as a client of the seed.
func (w *world) tokenCall(path, client string, form url.Values) (int, http.Header, map[string]any) {
	w.t.Helper()
	switch client {
	case "native":
		form.Set("client_id", client)
	case "post":
		form.Set("client_id", client)
		form.Set("client_secret", webSecret)
	}
	req, err := http.NewRequest(http.MethodPost, w.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if client == "web" || client == "third" {
		req.SetBasicAuth(client, webSecret)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body := map[string]any{}
	raw, _ := io.ReadAll(resp.Body)
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &body); err != nil {
			w.t.Fatalf("%s answered %d with %q", path, resp.StatusCode, raw)
		}
	}
	return resp.StatusCode, resp.Header, body
}

func (w *world) token(client string, form url.Values) tokens {
	w.t.Helper()
	status, header, body := w.tokenCall(pathToken, client, form)
	str := func(k string) string { s, _ := body[k].(string); return s }
	n, _ := body["expires_in"].(float64)
	return tokens{
		status: status, header: header, Access: str("access_token"), Refresh: str("refresh_token"), ID: str("id_token"),
		Type: str("token_type"), Scope: str("scope"), Error: str("error"), ErrorDescription: str("error_description"), ExpiresIn: int64(n),
	}
}

func (w *world) redeem(client, code, verifier string) tokens {
	w.t.Helper()
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {appRedirect}}
	if verifier != "" {
		form.Set("code_verifier", verifier)
	}
	return w.token(client, form)
}

func (w *world) refresh(client, token string) tokens {
	w.t.Helper()
	return w.token(client, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

// signedIn is a complete login with its tokens.
func (w *world) signedIn(client string) tokens {
	w.t.Helper()
	code, verifier := w.login(client)
	got := w.redeem(client, code, verifier)
	if got.status != http.StatusOK {
		w.t.Fatalf("redeem: %d %s %s", got.status, got.Error, got.ErrorDescription)
	}
	return got
}

// userinfo calls the endpoint with a Bearer header.
func (w *world) userinfo(access string) (int, map[string]any) {
	w.t.Helper()
	req, err := http.NewRequest(http.MethodGet, w.url+pathUserinfo, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+access)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body := map[string]any{}
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, body
}

// claimsOf reads a JWT's payload without verifying it.
func claimsOf(t *testing.T, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("not a JWT: %q", token)
	}
	out := map[string]any{}
	if err := json.Unmarshal(b64(t, parts[1]), &out); err != nil {
		t.Fatal(err)
	}
	return out
}
