package federation

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/federation/mockidp"
	"gatehouse/profile"
	"gatehouse/store"
)

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
