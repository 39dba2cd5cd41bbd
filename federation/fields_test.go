package federation

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"gatehouse/federation/mockidp"
	"gatehouse/profile"
	"gatehouse/store"
)

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
		{
			field: "issuer of an oauth2 connection", idp: shaped(mockidp.Shape{}), plain: true, conn: func(_ *world, c *store.Connection) { c.Issuer = "https://acme.example" },
			check: func(t *testing.T, _ *world, id VerifiedIdentity) {
				if id.Issuer() != "https://acme.example" {
					t.Errorf("issuer %q", id.Issuer())
				}
			},
		},
		{field: "endpoints by hand", conn: func(w *world, c *store.Connection) {
			u := w.idp.URL
			c.Endpoints = store.Endpoints{Authorize: u + "/authorize", Token: u + "/token", JWKS: u + "/jwks", Userinfo: u + "/userinfo"}
		}, check: func(t *testing.T, w *world, _ VerifiedIdentity) {
			if w.count("discovery") != 0 {
				t.Error("discovery was asked")
			}
		}},
		{
			field: "endpoints override discovery", idp: mockidp.Config{Shape: mockidp.Shape{Profile: mockidp.ProfileShape{Path: "/other"}}},
			conn: func(w *world, c *store.Connection) { c.Endpoints.Userinfo = w.idp.URL + "/other" },
			check: func(t *testing.T, w *world, _ VerifiedIdentity) {
				if w.count("discovery") != 1 || w.count("profile") != 1 || w.count("userinfo") != 0 {
					t.Errorf("%v", w.idp.Requests().Counts)
				}
			},
		},
		{field: "client_auth header", idp: client(mockidp.Client{Secret: "mock-secret", AuthMethods: []string{"client_secret_basic"}})},
		{
			field: "client_auth form", idp: client(mockidp.Client{Secret: "mock-secret", AuthMethods: []string{"client_secret_post"}}),
			conn: func(_ *world, c *store.Connection) { c.ClientAuth = store.AuthForm },
		},
		{field: "client_auth none", idp: client(mockidp.Client{}), conn: func(_ *world, c *store.Connection) {
			c.ClientAuth, c.ClientSecret = store.AuthNone, store.Sealed{}
		}},
		{field: "client_auth private_key_jwt", idp: client(mockidp.Client{Keys: p256Keys}), conn: func(_ *world, c *store.Connection) {
			c.ClientAuth, c.ClientSecret, c.PrivateKey = store.AuthPrivateKeyJWT, store.Sealed{}, p256
		}},
		{field: "client_auth_alg", idp: client(mockidp.Client{Keys: rsaKeys}), conn: func(_ *world, c *store.Connection) {
			c.ClientAuth, c.ClientSecret, c.PrivateKey, c.ClientAuthAlg = store.AuthPrivateKeyJWT, store.Sealed{}, rsa, "PS256"
		}},
		{
			field: "apple", idp: client(mockidp.Client{SecretJWT: &mockidp.SecretJWT{Issuer: "TEAM567890", Keys: keyNamed(p256Keys, "KEY4567890")}}),
			conn: func(_ *world, c *store.Connection) {
				c.ClientAuth, c.ClientSecret, c.PrivateKey = store.AuthForm, store.Sealed{}, p256
				c.Apple = &store.AppleKey{TeamID: "TEAM567890", KeyID: "KEY4567890"}
			},
		},
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
		{
			field: "pkce_names", idp: mockidp.Config{RequirePKCE: true, Shape: mockidp.Shape{PKCENames: mockidp.PKCENames{Challenge: "cc", Method: "ccm", Verifier: "cv"}}},
			conn: func(_ *world, c *store.Connection) {
				c.PKCENames = store.PKCENames{Challenge: "cc", Method: "ccm", Verifier: "cv"}
			}, check: func(t *testing.T, w *world, _ VerifiedIdentity) {
				a, tok := w.last("authorize"), w.last("token")
				if len(a.Param("cc")) != 43 || a.Param("ccm") != "S256" || a.Param("code_challenge") != "" || tok.Param("cv") != "***" || tok.Param("code_verifier") != "" {
					t.Errorf("%+v %+v", a.Query, tok.Form)
				}
			},
		},
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
		{
			field: "public_hosts", idp: client(mockidp.Client{Secret: "mock-secret", InsecureAnyRedirect: true}),
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
			},
		},
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
		{
			field: "profile url_in_url", idp: shaped(mockidp.Shape{Profile: mockidp.ProfileShape{In: "url_in_url", Member: "links.me", Path: "/api/me"}}), plain: true,
			conn: func(w *world, c *store.Connection) {
				c.Profile = store.ProfileSource{Kind: store.ProfileURLInURL, URL: w.idp.URL + "/link", URLSelector: profile.Selector{Path: "links.me"}}
			}, check: requests("profile_link", 1, "profile", 1),
		},
		{
			field: "profile token_response", idp: shaped(mockidp.Shape{Profile: mockidp.ProfileShape{In: "token_response", Member: "user"}}), plain: true,
			conn: func(_ *world, c *store.Connection) {
				c.Profile = store.ProfileSource{Kind: store.ProfileTokenResponse}
				c.Selectors.FederationID.Path, c.Selectors.Email.Path = "user.id", "user.email"
			}, check: requests("userinfo", 0, "token", 1),
		},
		{
			field: "profile url_in_token_response", idp: shaped(mockidp.Shape{Profile: mockidp.ProfileShape{In: "url_in_token_response"}}), plain: true,
			conn: func(_ *world, c *store.Connection) {
				c.Profile = store.ProfileSource{Kind: store.ProfileURLInTokenResponse, URLSelector: profile.Selector{Path: "profile_url"}}
			}, check: requests("userinfo", 1, "token", 1),
		},
		{
			field: "profile method", idp: shaped(mockidp.Shape{Profile: mockidp.ProfileShape{Method: "POST"}}), plain: true,
			conn: func(_ *world, c *store.Connection) { c.Profile.Method = "POST" }, check: requests("userinfo", 1, "token", 1),
		},
		{
			field: "profile token_as query", idp: shaped(mockidp.Shape{Profile: mockidp.ProfileShape{TokenAs: "query", TokenName: "oauth_token"}}), plain: true,
			conn: func(_ *world, c *store.Connection) { c.Profile.TokenAs, c.Profile.TokenName = "query", "oauth_token" },
			check: func(t *testing.T, w *world, _ VerifiedIdentity) {
				if q := w.last("userinfo"); q.Authorization != "" || len(q.Query["oauth_token"]) != 1 {
					t.Errorf("%+v", q)
				}
			},
		},
		{
			field: "profile token_as form", idp: shaped(mockidp.Shape{Profile: mockidp.ProfileShape{Method: "POST", TokenAs: "form"}}), plain: true,
			conn: func(_ *world, c *store.Connection) { c.Profile.TokenAs, c.Profile.Method = "form", "POST" },
		},
		{
			field: "profile token_name header", idp: shaped(mockidp.Shape{Profile: mockidp.ProfileShape{TokenAs: "header", TokenName: "X-Auth-Token"}}), plain: true,
			conn: func(_ *world, c *store.Connection) { c.Profile.TokenName = "X-Auth-Token" },
		},
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
		{
			field: "selectors federation_id", idp: mockidp.Config{Users: map[string]map[string]any{"alice": {"oid": 17, "email": "alice@acme.test"}}},
			conn: func(_ *world, c *store.Connection) {
				c.Selectors.FederationID = profile.Selector{Path: "oid", Source: profile.FromIDToken}
			},
			check: func(t *testing.T, _ *world, id VerifiedIdentity) {
				if id.Subject() != "number:17" {
					t.Errorf("subject %q", id.Subject())
				}
			},
		},
		{
			field: "selectors", idp: mockidp.Config{Shape: mockidp.Shape{PlainOAuth2: true}, Users: map[string]map[string]any{"alice": {
				"id": "a-1", "email": "alice@acme.test", "checked": "1", "roles": []any{"staff", "lead"}, "unit": "N/A",
				"person": map[string]any{"first": "Alice", "last": "Archer", "shown": "alice.a", "phones": []any{"111", "222"}, "photo": "https://acme.test/a.png"},
			}}}, plain: true, conn: func(_ *world, c *store.Connection) {
				at := func(path string) profile.Selector { return profile.Selector{Path: path, Source: profile.FromProfile} }
				c.Selectors = profile.Selectors{
					FederationID: at("id"), Email: at("email"), FirstName: at("person.first"), LastName: at("person.last"), DisplayName: at("person.shown"),
					Phone: at("person.phones[1]"), Picture: at("person.photo"), EmailVerified: profile.Selector{Path: "checked", Source: profile.FromProfile, TrueAs: []string{"1"}},
					Custom: map[string]profile.Selector{
						"ranks": at("roles"),
						"first": {Path: "$.roles[*]", Cardinality: "first"},
						"unit":  {Path: "unit", Cardinality: "one", Missing: []string{"N/A"}},
						"none":  {Path: "nothing", Optional: true},
						"type":  {Path: "token_type", Source: profile.FromTokenResponse, Cardinality: "one"},
					},
				}
			},
			check: func(t *testing.T, _ *world, id VerifiedIdentity) {
				a := id.Attributes()
				if a.FirstName != "Alice" || a.LastName != "Archer" || a.DisplayName != "alice.a" || a.Phone != "222" || a.Picture != "https://acme.test/a.png" || id.EmailVerified() != profile.True {
					t.Errorf("%+v, verified %s", a, id.EmailVerified())
				}
				for name, want := range map[string][]string{"ranks": {"staff", "lead"}, "first": {"staff"}, "unit": nil, "none": nil, "type": {"Bearer"}} {
					if !slices.Equal(a.Custom[name], want) {
						t.Errorf("%s: %v, want %v", name, a.Custom[name], want)
					}
				}
				if w := id.Warnings(); len(w) != 1 || !strings.HasPrefix(w[0], "custom.unit:") {
					t.Errorf("warnings %v", w)
				}
			},
		},
		{
			field: "algorithms", idp: mockidp.Config{SigningAlg: "PS256"}, conn: func(_ *world, c *store.Connection) { c.Algorithms = []string{"PS256"} },
			check: func(t *testing.T, w *world, _ VerifiedIdentity) {
				w.conn.Algorithms = []string{"ES256"}
				w.conn.Revision++
				_, err := w.login()
				wantCode(t, err, CodeIDTokenAlgorithm)
			},
		},
		{field: "acr_values", conn: func(_ *world, c *store.Connection) { c.ACRValues = []string{"phr", "phrh"} }, check: func(t *testing.T, w *world, id VerifiedIdentity) {
			if w.last("authorize").Param("acr_values") != "phr phrh" || id.ACR() != "phr" {
				t.Errorf("asked for %q, got %q", w.last("authorize").Param("acr_values"), id.ACR())
			}
		}},
		{field: "disabled", check: func(t *testing.T, w *world, _ VerifiedIdentity) {
			w.conn.Disabled = true
			_, err := w.depart(DepartRequest{})
			wantCode(t, err, CodeConnectionDisabled)
		}},
		{field: "allow_private_network", check: func(t *testing.T, w *world, _ VerifiedIdentity) {
			w.conn.AllowPrivateNetwork = false
			w.conn.Revision++
			_, err := w.login() // the mock provider is at a loopback address
			if e, ok := AsError(err); !ok || e.Code != CodeURLRefused && e.Code != CodeAddressRefused {
				t.Errorf("got %v", err)
			}
		}},
		{
			field: "endpoints.revocation", idp: mockidp.Config{AlwaysRefreshToken: true},
			conn: func(w *world, c *store.Connection) {
				c.RefreshLogin, c.Endpoints.Revocation = true, w.idp.URL+"/revoke"
			},
			check: func(t *testing.T, w *world, id VerifiedIdentity) {
				w.RevokeLater(w.conn, id.UpstreamRefresh())
				w.settle()
				if w.count("revoke") != 1 {
					t.Error("nothing was revoked")
				}
			},
		},
		{
			field: "refresh_login", idp: mockidp.Config{AlwaysRefreshToken: true}, conn: func(_ *world, c *store.Connection) { c.RefreshLogin = true },
			check: func(t *testing.T, _ *world, id VerifiedIdentity) {
				if id.UpstreamRefresh() == "" {
					t.Error("no refresh token was kept")
				}
			},
		},
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
