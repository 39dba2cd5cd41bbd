package e2e

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// app is an OAuth client that does what it is told, right or wrong. For apps
// that judge us see relyingparty_test.go and node/.
type app struct {
	t            testing.TB
	issuer       string
	id, secret   string
	post         bool // client_secret_post instead of basic
	redirect     string
	responseMode string
	scope        string
	client       *http.Client
}

func newApp(t testing.TB, w *world, id, secret, redirect string) *app {
	t.Helper()
	return newAppAt(t, w.Issuer, w.secrets, nil, id, secret, redirect)
}

func newAppAt(t testing.TB, issuer string, s *secrets, tlsConfig *tls.Config, id, secret, redirect string) *app {
	t.Helper()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = tlsConfig.Clone() // a transport writes into it
	transport.MaxIdleConnsPerHost = 64
	t.Cleanup(transport.CloseIdleConnections)
	s.add("client secret", secret)
	return &app{
		t: t, issuer: issuer, id: id, secret: secret, redirect: redirect, scope: "openid email profile offline_access",
		client: &http.Client{
			Transport: watching{s, transport}, Timeout: 60 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// native is demo-native on a loopback port; nobody listens there, since the
// browser helper stops at the address.
func (w *world) native(t testing.TB) *app {
	t.Helper()
	return newApp(t, w, "demo-native", "", "http://127.0.0.1:4711/callback")
}

// web is demo-web, confidential.
func (w *world) web(t testing.TB) *app {
	t.Helper()
	c := w.client("demo-web")
	return newApp(t, w, c.ID, c.Secret, c.RedirectURIs[0])
}

// authorization is one authorization request and what the app keeps for it.
type authorization struct {
	params   url.Values
	verifier string
	state    string
	nonce    string
}

// authorization makes a complete request; change it before using its URL.
func (a *app) authorization() *authorization {
	r := &authorization{verifier: random() + random(), state: random(), nonce: random()}
	sum := sha256.Sum256([]byte(r.verifier))
	r.params = url.Values{
		"client_id": {a.id}, "redirect_uri": {a.redirect}, "response_type": {"code"}, "scope": {a.scope},
		"state": {r.state}, "nonce": {r.nonce}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
	}
	if a.responseMode != "" {
		r.params.Set("response_mode", a.responseMode)
	}
	return r
}

func random() string { return rand.Text() }

func (a *app) authorizeURL(r *authorization) string {
	return a.issuer + "/oauth2/authorize?" + r.params.Encode()
}

// answer is what a machine endpoint said.
type answer struct {
	status int
	header http.Header
	body   []byte
	json   map[string]any
}

func (r answer) text(name string) string {
	s, _ := r.json[name].(string)
	return s
}

// send posts a form to an endpoint with the client's credentials.
func (a *app) send(path string, form url.Values) answer {
	a.t.Helper()
	if a.secret == "" || a.post {
		form.Set("client_id", a.id)
	}
	if a.post && a.secret != "" {
		form.Set("client_secret", a.secret)
	}
	r, err := http.NewRequest(http.MethodPost, a.issuer+path, strings.NewReader(form.Encode()))
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if a.secret != "" && !a.post {
		r.SetBasicAuth(url.QueryEscape(a.id), url.QueryEscape(a.secret))
	}
	return a.do(r)
}

func (a *app) do(r *http.Request) answer {
	a.t.Helper()
	resp, err := a.client.Do(r)
	if err != nil {
		a.t.Errorf("%s %s: %v", r.Method, r.URL.Path, err) // not Fatal: called from goroutines too
		return answer{}
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	out := answer{status: resp.StatusCode, header: resp.Header, body: body}
	_ = json.Unmarshal(body, &out.json)
	return out
}

func (a *app) redeem(code, verifier string) answer {
	a.t.Helper()
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {a.redirect}}
	if verifier != "" {
		form.Set("code_verifier", verifier)
	}
	return a.send("/oauth2/token", form)
}

func (a *app) refresh(token string) answer {
	a.t.Helper()
	return a.send("/oauth2/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

func (a *app) userinfo(token string) answer {
	a.t.Helper()
	r, err := http.NewRequest(http.MethodGet, a.issuer+"/oauth2/userinfo", nil)
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	return a.do(r)
}

func (a *app) active(token string) bool {
	a.t.Helper()
	got := a.send("/oauth2/introspect", url.Values{"token": {token}})
	if got.status != http.StatusOK {
		a.t.Errorf("introspection: got %d %s", got.status, got.body)
	}
	active, _ := got.json["active"].(bool)
	return active
}

// browser for the app's user: it stops at the app's redirect URI.
func (a *app) browser(w *world) *browser { return w.browser(a.t, a.redirect) }

// signIn walks a person from the app's request through Gatehouse's e-mail page
// and the mock provider's page, and gives the page it ends on.
func (a *app) signIn(b *browser, r *authorization, who person) *page {
	a.t.Helper()
	return walkIn(b, b.get(a.authorizeURL(r)), who)
}

// walkIn signs a person in from whichever page the browser is at.
func walkIn(b *browser, p *page, who person) *page {
	b.t.Helper()
	if p.callback == nil && p.byID("email") != nil {
		p = b.submit(p, "submit", map[string]string{"email": who.email})
	}
	if p.callback == nil && p.byID("username") != nil {
		p = b.submit(p, "submit", map[string]string{"username": who.name})
	}
	return p
}

// code demands that the page is the app's callback with a code for the request.
func (a *app) code(p *page, r *authorization) string {
	a.t.Helper()
	if p.callback == nil {
		a.t.Fatalf("the browser is at %s (%d, %q), not at the app:\n%s", p.url, p.status, p.title(), p.body)
	}
	got := p.callback.params
	if got.Get("code") == "" || got.Get("state") != r.state || got.Get("iss") != a.issuer {
		a.t.Fatalf("callback: got %v, want code, state %s, iss %s", got, r.state, a.issuer)
	}
	return got.Get("code")
}

// tokens signs a person in, start to finish.
func (a *app) tokens(b *browser, who person) answer {
	a.t.Helper()
	r := a.authorization()
	got := a.redeem(a.code(a.signIn(b, r, who), r), r.verifier)
	if got.status != http.StatusOK {
		a.t.Fatalf("token endpoint: got %d %s", got.status, got.body)
	}
	return got
}
