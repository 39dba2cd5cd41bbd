package federation

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"gatehouse/federation/mockidp"
	"gatehouse/store"
)

func TestPushed_Logins(t *testing.T) {
	t.Parallel()
	p256, p256Keys := clientKeyPair(t, "ES256")
	client := func(c mockidp.Client) []mockidp.Client {
		c.ID, c.LoopbackRedirects = "gatehouse", true
		return []mockidp.Client{c}
	}
	for name, tc := range map[string]struct {
		idp   mockidp.Config
		conn  func(w *world, c *store.Connection)
		plain bool
		pushs bool
	}{
		"the provider demands it":     {idp: mockidp.Config{RequirePAR: true}, pushs: true},
		"the record demands it":       {conn: func(_ *world, c *store.Connection) { c.PushAuthorization = true }, pushs: true},
		"nobody demands it":           {},
		"endpoint by hand":            {conn: byHand, pushs: true},
		"endpoint by hand, no demand": {conn: func(w *world, c *store.Connection) { byHand(w, c); c.PushAuthorization = false }},
		"secret in the form": {
			idp:  mockidp.Config{RequirePAR: true, Clients: client(mockidp.Client{Secret: "mock-secret", AuthMethods: []string{"client_secret_post"}})},
			conn: func(_ *world, c *store.Connection) { c.ClientAuth = store.AuthForm }, pushs: true,
		},
		"private_key_jwt": {
			idp: mockidp.Config{RequirePAR: true, Clients: client(mockidp.Client{Keys: p256Keys})},
			conn: func(_ *world, c *store.Connection) {
				c.ClientAuth, c.ClientSecret, c.PrivateKey = store.AuthPrivateKeyJWT, store.Sealed{}, p256
			}, pushs: true,
		},
		"public client": {
			idp:  mockidp.Config{RequirePAR: true, Clients: client(mockidp.Client{})},
			conn: func(_ *world, c *store.Connection) { c.ClientAuth, c.ClientSecret = store.AuthNone, store.Sealed{} }, pushs: true,
		},
		"form_post": {idp: mockidp.Config{RequirePAR: true}, conn: func(_ *world, c *store.Connection) { c.ResponseMode = "form_post" }, pushs: true},
		"plain OAuth 2.0": {
			idp: mockidp.Config{RequirePAR: true, Shape: mockidp.Shape{PlainOAuth2: true}, Users: plainPeople()}, plain: true,
			conn: func(w *world, c *store.Connection) {
				c.PushAuthorization, c.Endpoints.PushedAuthorization = true, w.idp.URL+"/par"
			}, pushs: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
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
			d, err := w.depart(DepartRequest{})
			if err != nil {
				t.Fatal(err)
			}
			u, err := url.Parse(d.URL)
			if err != nil {
				t.Fatal(err)
			}
			carried := u.Query()
			if tc.pushs {
				// The browser carries the client's id and the reference alone (RFC 9126 §4).
				if len(carried) != 2 || carried.Get("client_id") != "gatehouse" || !strings.HasPrefix(carried.Get("request_uri"), "urn:ietf:params:oauth:request_uri:") {
					t.Errorf("the browser carries %v", carried)
				}
				sent := w.last("pushed_authorization")
				for _, name := range []string{"state", "redirect_uri", "code_challenge", "scope", "login_hint", "response_type"} {
					if sent.Param(name) == "" && (name != "scope" || !tc.plain) || len(sent.Query) > 0 {
						t.Errorf("%s was not pushed: %+v", name, sent)
					}
				}
			} else if carried.Get("state") == "" || w.count("pushed_authorization") != 0 {
				t.Errorf("pushed without need: %v", carried)
			}
			var params url.Values
			if w.conn.ResponseMode == "form_post" {
				params = w.posted(d)
			} else {
				params = w.visit(d)
			}
			id, err := w.Return(t.Context(), w.conn, d.Flow, params)
			if err != nil || id.Email() != address(t, "alice@acme.test") {
				t.Errorf("%s, %v", id.Email(), err)
			}
		})
	}
}

func byHand(w *world, c *store.Connection) {
	u := w.idp.URL
	c.Endpoints = store.Endpoints{Authorize: u + "/authorize", Token: u + "/token", JWKS: u + "/jwks", Userinfo: u + "/userinfo", PushedAuthorization: u + "/par"}
	c.PushAuthorization = true
}

// The provider's answer to a pushed request, and what the login comes to.
func TestPushed_Answers(t *testing.T) {
	t.Parallel()
	good := `{"request_uri":"urn:example:1","expires_in":60}`
	for name, tc := range map[string]struct {
		status int
		kind   string
		body   string
		want   string
	}{
		"created":            {201, "application/json", good, "ok"},
		"ok":                 {200, "application/json", good, "ok"},
		"https reference":    {201, "application/json", `{"request_uri":"https://idp.test/r/1"}`, "ok"},
		"no reference":       {201, "application/json", `{"expires_in":60}`, CodeResponseInvalid},
		"a number":           {201, "application/json", `{"request_uri":7}`, CodeResponseInvalid},
		"no URI":             {201, "application/json", `{"request_uri":"abc"}`, CodeResponseInvalid},
		"with a line break":  {201, "application/json", `{"request_uri":"urn:a:b\r\nSet-Cookie: a=b"}`, CodeResponseInvalid},
		"too long":           {201, "application/json", `{"request_uri":"urn:a:` + strings.Repeat("b", maxRequestURI) + `"}`, CodeResponseInvalid},
		"error and 201":      {201, "application/json", `{"request_uri":"urn:example:1","error":"invalid_scope"}`, CodeProviderRefused},
		"invalid_client":     {401, "application/json", `{"error":"invalid_client"}`, CodeClientRejected},
		"invalid_request":    {400, "application/json", `{"error":"invalid_request"}`, CodeProviderRefused},
		"server_error":       {400, "application/json", `{"error":"server_error"}`, CodeProviderTemporary},
		"own error":          {400, "application/json", `{"error":"no-thanks"}`, CodeProviderOtherError},
		"error not text":     {400, "application/json", `{"error":{}}`, CodeProviderOtherError},
		"status alone":       {404, "text/html", "<p>", CodeResponseStatus},
		"reference with 400": {400, "application/json", good, CodeResponseStatus},
		"a page":             {201, "text/html", good, CodeResponseType},
		"not JSON":           {201, "application/json", "urn", CodeResponseInvalid},
		"redirect":           {302, "application/json", good, CodeRedirectRefused},
		"down":               {503, "application/json", good, CodeUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("Content-Type", tc.kind)
				rw.WriteHeader(tc.status)
				_, _ = io.WriteString(rw, tc.body)
			}))
			t.Cleanup(srv.Close)
			w := newWorld(t, mockidp.Config{})
			w.set(func(c *store.Connection) {
				c.PushAuthorization, c.Endpoints.PushedAuthorization = true, srv.URL
			})
			d, err := w.depart(DepartRequest{})
			wantCode(t, err, tc.want)
			if err != nil && d.URL != "" {
				t.Errorf("the browser is sent to %s all the same", d.URL)
			}
		})
	}
}

// M6: the endpoint gets our client's proof, so it lives with the issuer or
// stands in the record; and a demand that cannot be met ends the login instead
// of being passed over.
func TestM6_PushedEndpointOfAnotherSite(t *testing.T) {
	t.Parallel()
	f := newFederation(t, Config{})
	doc := func(endpoint any, required bool) map[string]any {
		u := "https://idp.acme.test"
		d := map[string]any{
			"issuer": u, "authorization_endpoint": u + "/a", "token_endpoint": u + "/t", "jwks_uri": u + "/j", "userinfo_endpoint": u + "/u",
			"require_pushed_authorization_requests": required,
		}
		if endpoint != nil {
			d["pushed_authorization_request_endpoint"] = endpoint
		}
		return d
	}
	for name, tc := range map[string]struct {
		doc      map[string]any
		demanded bool
		want     string
	}{
		"its own":                         {doc("https://par.acme.test/par", true), false, "ok"},
		"foreign, demanded":               {doc("https://evil.test/par", true), false, CodeDiscoveryEndpoint},
		"foreign, demanded by the record": {doc("https://evil.test/par", false), true, CodeDiscoveryEndpoint},
		"foreign, not used":               {doc("https://evil.test/par", false), false, "ok"},
		"demanded, and not there":         {doc(nil, true), false, CodeDiscoveryInvalid},
		"by the record, and not there":    {doc(nil, false), true, CodeDiscoveryInvalid},
		"not text":                        {doc(1, false), false, CodeDiscoveryInvalid},
	} {
		conn := connectionTo("https://idp.acme.test")
		conn.PushAuthorization = tc.demanded
		md, err := f.readDiscovery(&conn, tc.doc)
		wantCode(t, err, tc.want)
		if strings.Contains(md.push, "evil") {
			t.Errorf("%s: pushes to %s", name, md.push)
		}
	}
}

func FuzzReadPushed(f *testing.F) {
	for _, s := range []string{`{"request_uri":"urn:a:b","expires_in":60}`, `{"error":"invalid_request"}`, `{"request_uri":"\u0000"}`, `[]`, ``} {
		f.Add(201, []byte(s))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		reference, err := readPushed(response{status, http.Header{"Content-Type": {"application/json"}}, body})
		if (err == nil) == (reference == "") {
			t.Fatalf("%q, %v", reference, err)
		}
		if err == nil && (!visible(reference, maxRequestURI) || status != 200 && status != 201) {
			t.Fatalf("took %q of status %d", reference, status)
		}
		if _, ours := AsError(err); err != nil && !ours {
			t.Fatalf("%T", err)
		}
	})
}
