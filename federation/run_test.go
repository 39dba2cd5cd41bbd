package federation

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/net/html"

	"gatehouse/federation/mockidp"
	"gatehouse/profile"
	"gatehouse/store"
)

// plainConnection is a plain OAuth 2.0 connection with endpoints by hand.
func plainConnection(issuer string) store.Connection {
	return store.Connection{
		Meta: store.Meta{Revision: 1}, ID: "acme", OrganizationID: "acme", Title: "Acme", Kind: store.KindOAuth2,
		Domains:   []string{"acme.test"},
		Endpoints: store.Endpoints{Authorize: issuer + "/authorize", Token: issuer + "/token"},
		ClientID:  "gatehouse", ClientSecret: store.Seal("mock-secret"), AllowPrivateNetwork: true,
		Profile: store.ProfileSource{Kind: store.ProfileURL, URL: issuer + "/userinfo"},
		Selectors: profile.Selectors{
			FederationID: profile.Selector{Path: "id", Source: profile.FromProfile},
			Email:        profile.Selector{Path: "email", Source: profile.FromProfile},
		},
	}
}

// plainPeople are alice as a plain OAuth 2.0 provider knows her.
func plainPeople() map[string]map[string]any {
	return map[string]map[string]any{"alice": {"id": "a-1", "email": "alice@acme.test"}}
}

// set changes the connection and checks it as saving does.
func (w *world) set(change func(*store.Connection)) {
	w.t.Helper()
	change(&w.conn)
	w.conn.Revision++
	if err := w.CheckConnection(&w.conn); err != nil {
		w.t.Fatalf("CheckConnection: %v", err)
	}
}

func newPlainWorld(t testing.TB, shape mockidp.Shape, change func(*store.Connection)) *world {
	t.Helper()
	shape.PlainOAuth2 = true
	w := newWorld(t, mockidp.Config{Shape: shape, Users: plainPeople()})
	w.conn = plainConnection(w.idp.URL)
	w.set(func(c *store.Connection) {
		if change != nil {
			change(c)
		}
	})
	return w
}

// last is the latest request at an endpoint of the provider.
func (w *world) last(endpoint string) mockidp.Request {
	w.t.Helper()
	all := w.idp.Requests().Of(endpoint)
	if len(all) == 0 {
		w.t.Fatalf("no request came to %s", endpoint)
	}
	return all[len(all)-1]
}

// posted is what a provider's form_post page would post.
func (w *world) posted(d Departure) url.Values {
	w.t.Helper()
	req, err := http.NewRequest(http.MethodGet, d.URL, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	resp, err := w.browser.RoundTrip(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	doc, err := html.Parse(strings.NewReader(string(raw)))
	if err != nil {
		w.t.Fatal(err)
	}
	form := url.Values{}
	for n := range doc.Descendants() {
		name, value := "", ""
		for _, a := range n.Attr {
			switch a.Key {
			case "name":
				name = a.Val
			case "value":
				value = a.Val
			}
		}
		if n.Data == "input" && name != "" {
			form.Add(name, value)
		}
	}
	if len(form) == 0 {
		w.t.Fatalf("no form on the page: %s", raw)
	}
	return form
}

func clientKeyPair(t *testing.T, alg string) (store.Sealed, *jose.JSONWebKeySet) {
	t.Helper()
	secret, err := NewClientKey(alg)
	if err != nil {
		t.Fatal(err)
	}
	conn := store.Connection{PrivateKey: store.Seal(secret), ClientAuthAlg: alg}
	raw, err := ClientKeySet(conn)
	if err != nil {
		t.Fatal(err)
	}
	set := &jose.JSONWebKeySet{}
	if err := json.Unmarshal(raw, set); err != nil {
		t.Fatal(err)
	}
	return conn.PrivateKey, set
}

// One case per field of a connection: what it changes of a real login.
func TestFields(t *testing.T) {
	t.Parallel()
	p256, p256Keys := clientKeyPair(t, "ES256")
	rsa, rsaKeys := clientKeyPair(t, "PS256")
	alice := func(t *testing.T, id VerifiedIdentity) {
		t.Helper()
		if id.Email() != address(t, "alice@acme.test") || !id.Valid() {
			t.Errorf("identity %s %s", id.Subject(), id.Email())
		}
	}
	shaped := func(s mockidp.Shape) mockidp.Config {
		s.PlainOAuth2 = true
		return mockidp.Config{Shape: s, Users: plainPeople()}
	}
	client := func(c mockidp.Client) mockidp.Config {
		c.ID, c.LoopbackRedirects = "gatehouse", true
		return mockidp.Config{Clients: []mockidp.Client{c}}
	}
	for _, tc := range []struct {
		field string
		idp   mockidp.Config
		plain bool // kind oauth2
		conn  func(w *world, c *store.Connection)
		ask   DepartRequest
		check func(t *testing.T, w *world, id VerifiedIdentity)
	}{
		{field: "kind oauth2", idp: shaped(mockidp.Shape{}), plain: true, check: func(t *testing.T, w *world, id VerifiedIdentity) {
			if id.Subject() != "a-1" || id.Issuer() != w.idp.URL || w.count("discovery")+w.count("jwks") != 0 || w.last("authorize").Param("nonce") != "" {
				t.Errorf("subject %q issuer %q, authorize %+v", id.Subject(), id.Issuer(), w.last("authorize"))
			}
		}},
		{field: "issuer of an oauth2 connection", idp: shaped(mockidp.Shape{}), plain: true, conn: func(_ *world, c *store.Connection) { c.Issuer = "https://acme.example" },
			check: func(t *testing.T, _ *world, id VerifiedIdentity) {
				if id.Issuer() != "https://acme.example" {
					t.Errorf("issuer %q", id.Issuer())
				}
			}},
		{field: "endpoints by hand", conn: func(w *world, c *store.Connection) {
			u := w.idp.URL
			c.Endpoints = store.Endpoints{Authorize: u + "/authorize", Token: u + "/token", JWKS: u + "/jwks", Userinfo: u + "/userinfo"}
		}, check: func(t *testing.T, w *world, _ VerifiedIdentity) {
			if w.count("discovery") != 0 {
				t.Error("discovery was asked")
			}
		}},
		{field: "endpoints override discovery", idp: mockidp.Config{Shape: mockidp.Shape{Profile: mockidp.ProfileShape{Path: "/other"}}},
			conn: func(w *world, c *store.Connection) { c.Endpoints.Userinfo = w.idp.URL + "/other" },
			check: func(t *testing.T, w *world, _ VerifiedIdentity) {
				if w.count("discovery") != 1 || w.count("profile") != 1 || w.count("userinfo") != 0 {
					t.Errorf("%v", w.idp.Requests().Counts)
				}
			}},
		{field: "client_auth header", idp: client(mockidp.Client{Secret: "mock-secret", AuthMethods: []string{"client_secret_basic"}})},
		{field: "client_auth form", idp: client(mockidp.Client{Secret: "mock-secret", AuthMethods: []string{"client_secret_post"}}),
			conn: func(_ *world, c *store.Connection) { c.ClientAuth = store.AuthForm }},
		{field: "client_auth none", idp: client(mockidp.Client{}), conn: func(_ *world, c *store.Connection) {
			c.ClientAuth, c.ClientSecret = store.AuthNone, store.Sealed{}
		}},
		{field: "client_auth private_key_jwt", idp: client(mockidp.Client{Keys: p256Keys}), conn: func(_ *world, c *store.Connection) {
			c.ClientAuth, c.ClientSecret, c.PrivateKey = store.AuthPrivateKeyJWT, store.Sealed{}, p256
		}},
		{field: "client_auth_alg", idp: client(mockidp.Client{Keys: rsaKeys}), conn: func(_ *world, c *store.Connection) {
			c.ClientAuth, c.ClientSecret, c.PrivateKey, c.ClientAuthAlg = store.AuthPrivateKeyJWT, store.Sealed{}, rsa, "PS256"
		}},
		{field: "apple", idp: client(mockidp.Client{SecretJWT: &mockidp.SecretJWT{Issuer: "TEAM567890", Keys: keyNamed(p256Keys, "KEY4567890")}}),
			conn: func(_ *world, c *store.Connection) {
				c.ClientAuth, c.ClientSecret, c.PrivateKey = store.AuthForm, store.Sealed{}, p256
				c.Apple = &store.AppleKey{TeamID: "TEAM567890", KeyID: "KEY4567890"}
			}},
		{field: "insecure_no_pkce", conn: func(_ *world, c *store.Connection) { c.InsecureNoPKCE = true }, check: func(t *testing.T, w *world, _ VerifiedIdentity) {
			if w.last("authorize").Param("code_challenge")+w.last("token").Param("code_verifier") != "" {
				t.Error("PKCE was sent")
			}
		}},
		{field: "insecure_no_nonce", conn: func(_ *world, c *store.Connection) { c.InsecureNoNonce = true }, check: func(t *testing.T, w *world, _ VerifiedIdentity) {
			if w.last("authorize").Param("nonce") != "" {
				t.Error("a nonce was sent")
			}
		}},
		{field: "pkce_names", idp: mockidp.Config{RequirePKCE: true, Shape: mockidp.Shape{PKCENames: mockidp.PKCENames{Challenge: "cc", Method: "ccm", Verifier: "cv"}}},
			conn: func(_ *world, c *store.Connection) {
				c.PKCENames = store.PKCENames{Challenge: "cc", Method: "ccm", Verifier: "cv"}
			}, check: func(t *testing.T, w *world, _ VerifiedIdentity) {
				a, tok := w.last("authorize"), w.last("token")
				if len(a.Param("cc")) != 43 || a.Param("ccm") != "S256" || a.Param("code_challenge") != "" || tok.Param("cv") != "***" || tok.Param("code_verifier") != "" {
					t.Errorf("%+v %+v", a.Query, tok.Form)
				}
			}},
		{field: "scopes", conn: func(_ *world, c *store.Connection) { c.Scopes = []string{"openid", "email", "extra"} }, check: func(t *testing.T, w *world, _ VerifiedIdentity) {
			if w.last("authorize").Param("scope") != "openid email extra" {
				t.Errorf("%+v", w.last("authorize").Query)
			}
		}},
		{field: "response_mode", conn: func(_ *world, c *store.Connection) { c.ResponseMode = "form_post" }, check: func(t *testing.T, w *world, _ VerifiedIdentity) {
			if w.last("authorize").Param("response_mode") != "form_post" {
				t.Error("not asked for")
			}
		}},
		{field: "hint", conn: func(_ *world, c *store.Connection) {
			c.Hint = store.Hint{Parameter: "account", Format: "template", Template: "{local}@corp.{domain}"}
		}, check: hinted("account", "alice@corp.acme.test")},
		{field: "hint local", conn: func(_ *world, c *store.Connection) { c.Hint.Format = "local" }, check: hinted("login_hint", "alice")},
		{field: "hint domain", conn: func(_ *world, c *store.Connection) {
			c.Hint = store.Hint{Parameter: "realm", Format: "domain"}
		}, check: hinted("realm", "acme.test")},
		{field: "login_hint off", conn: func(_ *world, c *store.Connection) { c.LoginHint = LoginHintOff }, check: hinted("login_hint", "")},
		{field: "domain_hint", conn: func(_ *world, c *store.Connection) { c.DomainHint.Parameter = "hd" }, check: hinted("hd", "acme.test")},
		{field: "domain_hint value", conn: func(_ *world, c *store.Connection) {
			c.DomainHint = store.DomainHint{Parameter: "domain_hint", Value: "organizations"}
		}, check: hinted("domain_hint", "organizations")},
		{field: "public_hosts", idp: client(mockidp.Client{Secret: "mock-secret", InsecureAnyRedirect: true}),
			conn: func(_ *world, c *store.Connection) { c.PublicHosts = []string{"https://login.brand.test"} },
			ask:  DepartRequest{Host: "login.brand.test"},
			check: func(t *testing.T, w *world, _ VerifiedIdentity) {
				want := "https://login.brand.test/login/callback/acme"
				if a, b := w.last("authorize").Param("redirect_uri"), w.last("token").Param("redirect_uri"); a != want || b != want {
					t.Errorf("redirect URIs %q, %q", a, b)
				}
				if got := w.RedirectURIs(w.conn); !slices.Equal(got, []string{testPublicURL + "/login/callback/acme", want}) {
					t.Errorf("to register: %v", got)
				}
			}},
		{field: "use_userinfo off", conn: func(_ *world, c *store.Connection) { c.UseUserinfo = false }, check: func(t *testing.T, w *world, _ VerifiedIdentity) {
			if w.count("userinfo") != 0 {
				t.Error("userinfo was asked")
			}
		}},
		{field: "profile none", conn: func(_ *world, c *store.Connection) { c.Profile.Kind = store.ProfileNone }, check: func(t *testing.T, w *world, _ VerifiedIdentity) {
			if w.count("userinfo") != 0 {
				t.Error("userinfo was asked")
			}
		}},
		{field: "profile url_in_url", idp: shaped(mockidp.Shape{Profile: mockidp.ProfileShape{In: "url_in_url", Member: "links.me", Path: "/api/me"}}), plain: true,
			conn: func(w *world, c *store.Connection) {
				c.Profile = store.ProfileSource{Kind: store.ProfileURLInURL, URL: w.idp.URL + "/link", URLSelector: profile.Selector{Path: "links.me"}}
			}, check: requests("profile_link", 1, "profile", 1)},
		{field: "profile token_response", idp: shaped(mockidp.Shape{Profile: mockidp.ProfileShape{In: "token_response", Member: "user"}}), plain: true,
			conn: func(_ *world, c *store.Connection) {
				c.Profile = store.ProfileSource{Kind: store.ProfileTokenResponse}
				c.Selectors.FederationID.Path, c.Selectors.Email.Path = "user.id", "user.email"
			}, check: requests("userinfo", 0, "token", 1)},
		{field: "profile url_in_token_response", idp: shaped(mockidp.Shape{Profile: mockidp.ProfileShape{In: "url_in_token_response"}}), plain: true,
			conn: func(_ *world, c *store.Connection) {
				c.Profile = store.ProfileSource{Kind: store.ProfileURLInTokenResponse, URLSelector: profile.Selector{Path: "profile_url"}}
			}, check: requests("userinfo", 1, "token", 1)},
		{field: "profile method", idp: shaped(mockidp.Shape{Profile: mockidp.ProfileShape{Method: "POST"}}), plain: true,
			conn: func(_ *world, c *store.Connection) { c.Profile.Method = "POST" }, check: requests("userinfo", 1, "token", 1)},
		{field: "profile token_as query", idp: shaped(mockidp.Shape{Profile: mockidp.ProfileShape{TokenAs: "query", TokenName: "oauth_token"}}), plain: true,
			conn: func(_ *world, c *store.Connection) { c.Profile.TokenAs, c.Profile.TokenName = "query", "oauth_token" },
			check: func(t *testing.T, w *world, _ VerifiedIdentity) {
				if q := w.last("userinfo"); q.Authorization != "" || len(q.Query["oauth_token"]) != 1 {
					t.Errorf("%+v", q)
				}
			}},
		{field: "profile token_as form", idp: shaped(mockidp.Shape{Profile: mockidp.ProfileShape{Method: "POST", TokenAs: "form"}}), plain: true,
			conn: func(_ *world, c *store.Connection) { c.Profile.TokenAs, c.Profile.Method = "form", "POST" }},
		{field: "profile token_name header", idp: shaped(mockidp.Shape{Profile: mockidp.ProfileShape{TokenAs: "header", TokenName: "X-Auth-Token"}}), plain: true,
			conn: func(_ *world, c *store.Connection) { c.Profile.TokenName = "X-Auth-Token" }},
		{field: "profile allowed_hosts", idp: shaped(mockidp.Shape{}), plain: true, check: func(t *testing.T, w *world, _ VerifiedIdentity) {
			c := w.conn
			c.Profile.AllowedHosts = []string{"api.partner.test"}
			md, _ := manualMetadata(&c)
			if err := w.checkProfileURL(&c, md, "https://api.partner.test/me"); err != nil {
				t.Error(err)
			}
		}},
		{field: "parameters constant", conn: func(_ *world, c *store.Connection) {
			c.Parameters = []store.Parameter{
				{Name: "access_type", Source: store.FromConstant, Value: "offline", In: []string{"authorize"}},
				{Name: "tenant", Source: store.FromConstant, Value: "a/b?c#{d", In: []string{"token"}, As: "query"},
				{Name: "X-Api-Version", Source: store.FromConstant, Value: "7", In: []string{"token", "profile"}, As: "header"},
				{Name: "fields", Source: store.FromConstant, Value: "id,email", In: []string{"profile"}},
			}
		}, check: func(t *testing.T, w *world, _ VerifiedIdentity) {
			a, tok, p := w.last("authorize"), w.last("token"), w.last("userinfo")
			if a.Param("access_type") != "offline" || tok.Query["tenant"][0] != "a/b?c#{d" || tok.Header["X-Api-Version"][0] != "7" ||
				p.Header["X-Api-Version"][0] != "7" || p.Query["fields"][0] != "id,email" {
				t.Errorf("%+v\n%+v\n%+v", a, tok, p)
			}
		}},
		{field: "parameters configuration", conn: func(_ *world, c *store.Connection) {
			c.Parameters = []store.Parameter{
				{Name: "appid", Source: store.FromConfiguration, Value: "client_id", In: []string{"authorize", "token"}},
				{Name: "secret", Source: store.FromConfiguration, Value: "client_secret", In: []string{"token"}},
				{Name: "scopes", Source: store.FromConfiguration, Value: "scope", In: []string{"token"}},
				{Name: "kind", Source: store.FromConfiguration, Value: "grant_type", In: []string{"token"}},
			}
		}, check: func(t *testing.T, w *world, _ VerifiedIdentity) {
			a, f := w.last("authorize"), w.last("token").Form
			if a.Param("appid") != "gatehouse" || f["appid"][0] != "gatehouse" || f["secret"][0] != "mock-secret" || f["scopes"][0] != "openid email profile" || f["kind"][0] != "authorization_code" {
				t.Errorf("%+v %+v", a.Query, f)
			}
		}},
		{field: "parameters request", conn: func(_ *world, c *store.Connection) {
			c.Parameters = []store.Parameter{{Name: "theme", Source: store.FromRequest, Value: "ui_theme", In: []string{"authorize", "token"}}}
		}, ask: DepartRequest{Parameters: map[string]string{"ui_theme": "dark", "not_listed": "x"}}, check: func(t *testing.T, w *world, _ VerifiedIdentity) {
			a, tok := w.last("authorize"), w.last("token")
			if a.Param("theme") != "dark" || tok.Param("theme") != "dark" || a.Param("not_listed") != "" {
				t.Errorf("%+v %+v", a.Query, tok.Form)
			}
		}},
		{field: "parameters session", conn: func(_ *world, c *store.Connection) {
			c.Parameters = []store.Parameter{
				{Name: "employee", Source: store.FromSession, Value: "hr.profile.employee_id", In: []string{"authorize"}},
				{Name: "X-Level", Source: store.FromSession, Value: "hr.security.acr", In: []string{"profile"}, As: "header"},
			}
		}, ask: DepartRequest{Session: func(connection, kind, attribute string) (string, bool) {
			return connection + ":" + kind + ":" + attribute, true
		}}, check: func(t *testing.T, w *world, _ VerifiedIdentity) {
			if a, p := w.last("authorize"), w.last("userinfo"); a.Param("employee") != "hr:profile:employee_id" || p.Header["X-Level"][0] != "hr:security:acr" {
				t.Errorf("%+v %+v", a.Query, p.Header)
			}
		}},
		{field: "selectors federation_id", idp: mockidp.Config{Users: map[string]map[string]any{"alice": {"oid": 17, "email": "alice@acme.test"}}},
			conn: func(_ *world, c *store.Connection) {
				c.Selectors.FederationID = profile.Selector{Path: "oid", Source: profile.FromIDToken}
			},
			check: func(t *testing.T, _ *world, id VerifiedIdentity) {
				if id.Subject() != "number:17" {
					t.Errorf("subject %q", id.Subject())
				}
			}},
		{field: "refresh_login", idp: mockidp.Config{AlwaysRefreshToken: true}, conn: func(_ *world, c *store.Connection) { c.RefreshLogin = true },
			check: func(t *testing.T, _ *world, id VerifiedIdentity) {
				if id.UpstreamRefresh() == "" {
					t.Error("no refresh token was kept")
				}
			}},
		{field: "refresh_login off", idp: mockidp.Config{AlwaysRefreshToken: true}, check: func(t *testing.T, _ *world, id VerifiedIdentity) {
			if id.UpstreamRefresh() != "" {
				t.Error("a refresh token was kept")
			}
		}},
	} {
		t.Run(tc.field, func(t *testing.T) {
			t.Parallel()
			tc.idp.AutoLogin = "alice"
			w := newWorld(t, tc.idp)
			if tc.plain {
				w.conn = plainConnection(w.idp.URL)
			}
			w.set(func(c *store.Connection) {
				if tc.conn != nil {
					tc.conn(w, c)
				}
			})
			d, err := w.depart(tc.ask)
			if err != nil {
				t.Fatal(err)
			}
			var params url.Values
			switch {
			case w.conn.ResponseMode == "form_post":
				params = w.posted(d)
			case tc.ask.Host != "":
				params = w.visitAnywhere(d)
			default:
				params = w.visit(d)
			}
			id, err := w.Return(t.Context(), w.conn, d.Flow, params)
			if err != nil {
				t.Fatal(err)
			}
			alice(t, id)
			if tc.check != nil {
				tc.check(t, w, id)
			}
		})
	}
}

// visitAnywhere is visit, wherever the browser is sent back to.
func (w *world) visitAnywhere(d Departure) url.Values {
	w.t.Helper()
	req, err := http.NewRequest(http.MethodGet, d.URL, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	resp, err := w.browser.RoundTrip(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		w.t.Fatal(err)
	}
	return back.Query()
}

func keyNamed(set *jose.JSONWebKeySet, id string) *jose.JSONWebKeySet {
	out := &jose.JSONWebKeySet{Keys: slices.Clone(set.Keys)}
	out.Keys[0].KeyID = id
	return out
}

func hinted(name, want string) func(*testing.T, *world, VerifiedIdentity) {
	return func(t *testing.T, w *world, _ VerifiedIdentity) {
		t.Helper()
		if got := w.last("authorize").Param(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func requests(a string, n int, b string, m int) func(*testing.T, *world, VerifiedIdentity) {
	return func(t *testing.T, w *world, _ VerifiedIdentity) {
		t.Helper()
		if w.count(a) != n || w.count(b) != m {
			t.Errorf("requests %v, want %d %s and %d %s", w.idp.Requests().Counts, n, a, m, b)
		}
		// Issue 3 §5.7: at most one request more than the least.
		total := 0
		for _, c := range maps.All(w.idp.Requests().Counts) {
			total += c
		}
		if want := 2 + profileRequests(&w.conn); total > want+1 {
			t.Errorf("%d requests for a login that needs %d", total, want)
		}
	}
}

func TestA12_OAuth2CannotProveAFreshLogin(t *testing.T) {
	t.Parallel()
	w := newPlainWorld(t, mockidp.Shape{}, nil)
	_, err := w.depart(DepartRequest{ForceLogin: true})
	wantCode(t, err, CodeFreshUnprovable)
	age := int64(60)
	_, err = w.depart(DepartRequest{MaxAge: &age})
	wantCode(t, err, CodeFreshUnprovable)
}

func TestJ22_OAuth2IgnoresIDTokens(t *testing.T) {
	t.Parallel()
	// A provider that sends ID tokens, bad ones, to a plain OAuth 2.0 connection.
	w := newWorld(t, mockidp.Config{Users: plainPeople(), AutoLogin: "alice"})
	w.conn = plainConnection(w.idp.URL)
	w.conn.Scopes = []string{"openid", "email", "profile"}
	w.set(func(*store.Connection) {})
	for _, fault := range []string{"wrong_nonce", "alg_none", "token_number_id_token", "wrong_iss", "not_a_jwt"} {
		id, err := w.login(fault)
		if err != nil || id.Subject() != "a-1" {
			t.Errorf("%s: %q, %v", fault, id.Subject(), err)
		}
	}
	// Nor can selectors read one.
	w.conn.Selectors.FederationID = profile.Selector{Path: "sub", Source: profile.FromIDToken}
	w.conn.Revision++
	_, err := w.login()
	wantCode(t, err, CodeFederationIDAbsent)
}

func TestU4_OAuth2SubjectIsTyped(t *testing.T) {
	t.Parallel()
	w := newPlainWorld(t, mockidp.Shape{}, nil)
	for _, tc := range []struct {
		id   any
		want string
	}{{1, "number:1"}, {"1", "1"}, {json.Number("9007199254740993"), "number:9007199254740993"}, {"number:1", "string:number:1"}} {
		w.idp.SetUser("alice", map[string]any{"id": tc.id, "email": "alice@acme.test"})
		id, err := w.login()
		if err != nil || id.Subject() != tc.want {
			t.Errorf("%v: subject %q, %v; want %q", tc.id, id.Subject(), err, tc.want)
		}
	}
	for _, bad := range []any{true, nil, map[string]any{}, "", json.Number("1e21"), []any{1}} {
		w.idp.SetUser("alice", map[string]any{"id": bad, "email": "alice@acme.test"})
		_, err := w.login()
		wantCode(t, err, CodeFederationIDAbsent)
	}
}

func TestU1_ProfileOfAnotherSubject(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockidp.Config{Shape: mockidp.Shape{Profile: mockidp.ProfileShape{Path: "/graph/me"}}})
	w.set(func(c *store.Connection) {
		c.Profile = store.ProfileSource{Kind: store.ProfileURL, URL: w.idp.URL + "/graph/me"}
	})
	_, err := w.login("userinfo_wrong_sub")
	wantCode(t, err, CodeUserinfoSubject)
	_, err = w.login("userinfo_number_sub")
	wantCode(t, err, CodeUserinfoSubject)
	_, err = w.login("userinfo_missing_sub") // Microsoft Graph has none
	wantCode(t, err, "ok")
}

func TestM6_AssertionAudience(t *testing.T) {
	t.Parallel()
	key, _ := clientKeyPair(t, "ES256")
	w := newWorld(t, mockidp.Config{})
	w.conn.ClientAuth, w.conn.ClientSecret, w.conn.PrivateKey = store.AuthPrivateKeyJWT, store.Sealed{}, key
	w.conn.Endpoints.Token = "https://login.other.example/token" // named by a lying discovery document
	u := w.newUpstream(&w.conn)
	seen := map[string]bool{}
	for range 3 {
		raw, err := w.clientAssertion(&w.conn, u)
		if err != nil {
			t.Fatal(err)
		}
		jws, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.ES256})
		if err != nil {
			t.Fatal(err)
		}
		var c map[string]any
		if err := json.Unmarshal(jws.UnsafePayloadWithoutVerification(), &c); err != nil {
			t.Fatal(err)
		}
		life := time.Duration(c["exp"].(float64)-c["iat"].(float64)) * time.Second
		id, _ := c["jti"].(string)
		if c["aud"] != w.conn.Issuer || c["iss"] != "gatehouse" || c["sub"] != "gatehouse" || life <= 0 || life > time.Minute || len(id) < 20 || seen[id] {
			t.Errorf("claims %v", c)
		}
		seen[id] = true
	}
	w.conn.Issuer, w.conn.Kind = "", store.KindOAuth2
	_, err := w.clientAssertion(&w.conn, u)
	wantCode(t, err, CodeConnectionInvalid)
}

func TestApple_SecretIsRenewed(t *testing.T) {
	t.Parallel()
	key, _ := clientKeyPair(t, "ES256")
	w := newWorld(t, mockidp.Config{})
	w.conn.ClientAuth, w.conn.ClientSecret, w.conn.PrivateKey = store.AuthForm, store.Sealed{}, key
	w.conn.Apple = &store.AppleKey{TeamID: "TEAM567890", KeyID: "KEY4567890"}
	u := w.newUpstream(&w.conn)
	secret := func() string {
		t.Helper()
		s, err := w.clientSecret(&w.conn, u)
		if err != nil {
			t.Fatal(err)
		}
		return s.Reveal()
	}
	first := secret()
	if secret() != first {
		t.Error("each request makes a new secret")
	}
	w.clock.add(appleLife - appleMargin + time.Second)
	second := secret()
	if second == first {
		t.Error("the secret is used until it expires")
	}
	w.clock.add(-2 * time.Hour)
	if secret() == second {
		t.Error("after the clock was set back the secret is from the future")
	}
}

func TestH4_ProfileURLFromAResponse(t *testing.T) {
	t.Parallel()
	f := newFederation(t, Config{})
	conn := plainConnection("https://login.acme.co.uk")
	conn.AllowPrivateNetwork = false
	conn.Profile.URL = "https://api.acme.co.uk/link"
	conn.Profile.AllowedHosts = []string{"profiles.partner.test"}
	md, _ := manualMetadata(&conn)
	for found, want := range map[string]string{
		"https://people.acme.co.uk/1":                 "ok",
		"https://ACME.co.uk:443/1?x=y":                "ok",
		"https://profiles.partner.test/1":             "ok",
		"https://x.profiles.partner.test/1":           CodeProfileURLRefused,
		"https://profiles.partner.test:8443/1":        CodeProfileURLRefused,
		"https://people.acme.co.uk:8443/1":            CodeProfileURLRefused,
		"http://people.acme.co.uk/1":                  CodeProfileURLRefused,
		"https://evil.co.uk/1":                        CodeProfileURLRefused,
		"https://acme.co.uk.evil.example/1":           CodeProfileURLRefused,
		"https://evilacme.co.uk/1":                    CodeProfileURLRefused,
		"https://acme.co.uk@evil.example/1":           CodeProfileURLRefused,
		"https://people.acme.co.uk/1#@evil.example":   CodeProfileURLRefused,
		"https://169.254.169.254/latest/meta-data/":   CodeProfileURLRefused,
		"//people.acme.co.uk/1":                       CodeProfileURLRefused,
		"/1":                                          CodeProfileURLRefused,
		"https:people.acme.co.uk":                     CodeProfileURLRefused,
		"https://people.ａcme.co.uk/1":                 CodeProfileURLRefused,
		"javascript:alert(1)":                         CodeProfileURLRefused,
		"https://people.acme.co.uk:/1":                CodeProfileURLRefused,
		"https://[::ffff:169.254.169.254]/":           CodeProfileURLRefused,
		"https://people.acme.co.uk\\@evil.example/":   CodeProfileURLRefused,
		"file:///etc/passwd":                          CodeProfileURLRefused,
		"https://secret-path.evil.example/?token=abc": CodeProfileURLRefused,
	} {
		err := f.checkProfileURL(&conn, md, found)
		if code(err) != want {
			t.Errorf("%s: %v, want %s", found, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "token=abc") {
			t.Errorf("the error repeats the query: %v", err)
		}
	}
	// The whole way: the access token goes nowhere.
	for _, kind := range []string{store.ProfileURLInTokenResponse, store.ProfileURLInURL} {
		in := map[string]string{store.ProfileURLInTokenResponse: "url_in_token_response", store.ProfileURLInURL: "url_in_url"}[kind]
		thief := newWorld(t, mockidp.Config{})
		w := newPlainWorld(t, mockidp.Shape{Profile: mockidp.ProfileShape{In: in, URL: thief.idp.URL + "/userinfo"}}, func(c *store.Connection) {
			base := strings.TrimSuffix(c.Profile.URL, "/userinfo")
			c.Profile = store.ProfileSource{Kind: kind, URLSelector: profile.Selector{Path: "profile_url"}}
			if kind == store.ProfileURLInURL {
				c.Profile.URL = base + "/link"
			}
		})
		_, err := w.login()
		wantCode(t, err, CodeProfileURLRefused)
		if n := thief.count("userinfo"); n != 0 {
			t.Errorf("%s: the token was sent to another origin", kind)
		}
	}
}

func TestH6_ParametersNeverChooseWhereWeConnect(t *testing.T) {
	t.Parallel()
	w := newPlainWorld(t, mockidp.Shape{}, func(c *store.Connection) {
		c.Parameters = []store.Parameter{{Name: "p", Source: store.FromRequest, Value: "p", In: []string{"authorize", "token", "profile"}}}
	})
	for _, hostile := range []string{"@evil.example/", "../../x", "{host}", "?a=b&redirect_uri=https://evil.example", "#", "https://evil.example"} {
		d, err := w.depart(DepartRequest{Parameters: map[string]string{"p": hostile}})
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(d.URL)
		if err != nil || "http://"+u.Host != w.idp.URL || u.Path != "/authorize" || len(u.Query()["redirect_uri"]) != 1 || u.Query().Get("p") != hostile {
			t.Errorf("%q leads to %s", hostile, d.URL)
		}
		if _, err := w.Return(t.Context(), w.conn, d.Flow, w.visit(d)); err != nil {
			t.Errorf("%q: %v", hostile, err)
		}
		if w.last("token").Form["p"][0] != hostile || w.last("userinfo").Query["p"][0] != hostile {
			t.Errorf("%q was not sent as it is", hostile)
		}
	}
	for _, bad := range []string{"a\r\nX-Evil: 1", "a\x00", strings.Repeat("a", maxLent+1), "\xff"} {
		_, err := w.depart(DepartRequest{Parameters: map[string]string{"p": bad}})
		wantCode(t, err, CodeRequestInvalid)
	}
}

// What the protocol says wins over a record that was not checked.
func TestParameters_NeverOverrideTheProtocol(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockidp.Config{})
	for _, name := range []string{"redirect_uri", "state", "client_id", "nonce", "code_challenge", "response_type", "scope", "code", "grant_type", "code_verifier"} {
		w.conn.Parameters = append(w.conn.Parameters, store.Parameter{Name: name, Source: store.FromConstant, Value: "evil", In: []string{"authorize", "token"}})
	}
	if _, err := w.login(); err != nil {
		t.Error(err)
	}
	for _, p := range []store.Parameter{
		{Name: "Authorization", Source: store.FromConstant, Value: "x", In: []string{"token"}, As: "header"},
		{Name: "host", Source: store.FromConstant, Value: "x", In: []string{"token"}, As: "header"},
		{Name: "X-A", Source: store.FromConstant, Value: "a\r\nb", In: []string{"token"}, As: "header"},
		{Name: "s", Source: store.FromConfiguration, Value: "client_secret", In: []string{"token"}, As: "query"},
		{Name: "s", Source: store.FromConfiguration, Value: "client_secret", In: []string{"authorize"}},
	} {
		w.conn.Parameters = []store.Parameter{p}
		w.conn.Revision++
		_, err := w.login()
		wantCode(t, err, CodeConnectionInvalid)
	}
}

func TestPublicHosts_UnknownHostIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockidp.Config{})
	w.set(func(c *store.Connection) { c.PublicHosts = []string{"https://login.brand.test"} })
	for host, want := range map[string]string{
		"": "ok", "127.0.0.1:9000": "ok", "login.brand.test": "ok", "LOGIN.brand.test:443": "ok",
		"evil.test": CodeHostUnknown, "login.brand.test:8443": CodeHostUnknown, "login.brand.test.evil.test": CodeHostUnknown,
	} {
		_, err := w.depart(DepartRequest{Host: host})
		if code(err) != want {
			t.Errorf("%q: %v, want %s", host, err, want)
		}
	}
}

func TestBrowserless_ConnectionHasNoDeparture(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockidp.Config{})
	w.conn.Grant = store.GrantPassword
	_, err := w.depart(DepartRequest{})
	wantCode(t, err, CodeGrantUnfit)
}
