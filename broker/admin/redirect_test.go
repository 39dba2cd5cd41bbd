package admin_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"gatehouse/broker/admin"
	"gatehouse/profile"
	"gatehouse/store"
)

func validClient(kind store.ClientType, redirect ...string) store.Client {
	c := store.Client{
		ID: "app", Name: "App", Type: kind, AuthMethod: "client_secret_basic", RedirectURIs: redirect,
		GrantTypes: []string{"authorization_code"}, Scopes: []string{"openid"},
	}
	if c.Public() {
		c.AuthMethod = "none"
	}
	return c
}

// TestR8_RegistrationRefused: URIs that must never be redirected to.
func TestR8_RegistrationRefused(t *testing.T) {
	t.Parallel()
	bad := []string{
		"http://app.example/cb", "http://192.0.2.1/cb", "http://x.localhost/cb", "http://localhost.evil.example/cb", "http://127.0.0.2/cb",
		"http://0.0.0.0/cb", "http://2130706433/cb", "http://0x7f.1/cb", "http://[::ffff:127.0.0.1]/cb", "http://[0:0:0:0:0:0:0:1]/cb",
		"http://127.0.0.1@evil.example/cb", "http://u:p@127.0.0.1/cb", "http://127.0.0.1:0/cb", "http://127.0.0.1:99999/cb", "http://127.0.0.1:/cb",
		"http://localhost./cb", "http://LOCALHOST/cb", "HTTP://127.0.0.1/cb",
		"javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "file:///etc/passwd", "about:blank", "vbscript:x", "blob:https://app.example/x",
		"intent://app#Intent;scheme=https;end", "intent:#Intent;end", "ftp://app.example/cb", "ws://app.example/cb", "urn:ietf:wg:oauth:2.0:oob", "mailto:a@b.example",
		"https://*.example/cb", "https://app.example/*", "https://app.example/cb*", "*",
		"https://app.example/cb#f", "https://app.example/cb#", "com.example.app:/cb#f",
		"https://user@app.example/cb", "https://user:pw@app.example/cb", "https://@app.example/cb",
		"https://192.0.2.1/cb", "https://[2001:db8::1]/cb", "https://127.0.0.1/cb", "https://2130706433/cb", "https://0x7f.0.0.1/cb", "https://1.2.3/cb",
		"https://localhost/cb", "https://x.localhost/cb", "https://intranet/cb", "https://app.example./cb", "https://APP.example/cb", "https://app.example:443/cb",
		"https://app.example:0/cb", "https://app.example:99999/cb", "https://app.example:/cb", "https://app.example:08443/cb",
		"https://app.example/a/../cb", "https://app.example/./cb", "https://app.example/%2e%2e/cb", "https://app.example\\@evil.example/cb",
		"https://app.example/c b", " https://app.example/cb", "https://app.example/cb\r\n", "https://app.example/cb\t", "https://app.exämple/cb",
		"https:app.example/cb", "https:///cb", "https://", "//app.example/cb", "/cb", "cb", "", "https://-app.example/cb", "https://app_.example/cb",
		"https://app.example/\"cb", "https://app.example/<cb>", "https://" + strings.Repeat("a", 2050) + ".example/cb", "https://xn--\u00e4.example/cb",
	}
	for _, uri := range bad {
		for _, kind := range []store.ClientType{store.ClientNative, store.ClientWeb, store.ClientSPA, store.ClientService} {
			c := validClient(kind, uri)
			if kind == store.ClientService {
				c.GrantTypes = []string{"client_credentials"}
			}
			if err := admin.ValidateClient(&c); err == nil {
				t.Errorf("%s client with %q was accepted", kind, uri)
			}
			c = validClient(kind, "https://app.example/cb")
			c.PostLogoutRedirectURIs = []string{uri}
			if err := admin.ValidateClient(&c); err == nil {
				t.Errorf("%s client with logout to %q was accepted", kind, uri)
			}
		}
	}
	good := map[string][]store.ClientType{
		"https://app.example/cb":              {store.ClientNative, store.ClientWeb, store.ClientSPA},
		"https://app.example":                 {store.ClientWeb},
		"https://app.example:8443/cb?x=1&y=%": nil,
		"https://app.example:8443/cb?x=1":     {store.ClientWeb, store.ClientSPA},
		"https://xn--bcher-kva.example/cb":    {store.ClientWeb},
		"http://127.0.0.1/cb":                 {store.ClientNative, store.ClientWeb},
		"http://127.0.0.1:8080/cb":            {store.ClientNative},
		"http://[::1]/cb":                     {store.ClientNative},
		"http://[::1]:1/cb":                   {store.ClientNative},
		"http://localhost:9200/callback":      {store.ClientWeb, store.ClientSPA, store.ClientNative},
		"com.example.app:/callback":           {store.ClientNative},
	}
	for uri, kinds := range good {
		for _, kind := range kinds {
			c := validClient(kind, uri)
			if err := admin.ValidateClient(&c); err != nil {
				t.Errorf("%s client with %q: %v", kind, uri, err)
			}
		}
	}
}

// TestR9_PrivateUseSchemes: reversed domain, lower case, one slash, native only.
func TestR9_PrivateUseSchemes(t *testing.T) {
	t.Parallel()
	for _, uri := range []string{
		"myapp://cb", "myapp:/cb", "myapp:cb", "Com.Example.App:/cb", "com.example.APP:/cb", "com.example.app://cb", "com.example.app://",
		"com.example.app:///cb", "com.example.app:cb", "com.example.app:", "com.:/cb", ".com:/cb", "com..app:/cb", "com.example.app:/a/../b", "com.example.app:/*",
	} {
		c := validClient(store.ClientNative, uri)
		if err := admin.ValidateClient(&c); err == nil {
			t.Errorf("%q was accepted", uri)
		}
	}
	for _, kind := range []store.ClientType{store.ClientWeb, store.ClientSPA} {
		c := validClient(kind, "com.example.app:/cb")
		if err := admin.ValidateClient(&c); err == nil {
			t.Errorf("%s client may use a private scheme", kind)
		}
	}
	for _, uri := range []string{"com.example.app:/", "com.example.app:/cb", "com.example.my-app:/oauth/cb?x=1", "com.example.app1.login:/cb"} {
		c := validClient(store.ClientNative, uri)
		if err := admin.ValidateClient(&c); err != nil {
			t.Errorf("%q: %v", uri, err)
		}
	}
}

// TestValidateClient_AllFaultsAtOnce: one answer names every field.
func TestValidateClient_AllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	c := store.Client{
		ID: "a b", Name: "x\u202ey", Type: store.ClientNative, AuthMethod: "client_secret_basic", Secrets: []store.ClientSecret{{}},
		RedirectURIs: []string{"https://ok.example/cb", "javascript:alert(1)"}, GrantTypes: []string{"implicit", "client_credentials"},
		Scopes: []string{"a b", "x.*", "openid", "openid"}, ResponseModes: []string{"fragment"}, Origins: []string{"*", "https://a.example/x"},
		InsecurePKCEOptional: true, IDTokenAlg: "none", AccessTokenSeconds: 1, RefreshIdleSeconds: -1, LogoURI: "javascript:alert(1)",
		PolicyURI: "http://a.example", TermsURI: "data:x", Audiences: []string{""},
	}
	err := admin.ValidateClient(&c)
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("got %v", err)
	}
	var paths []string
	for _, e := range joined.Unwrap() {
		f, ok := e.(*profile.FieldError) //nolint:errorlint // the type itself is promised
		if !ok {
			t.Fatalf("%T", e)
		}
		paths = append(paths, f.Path)
		for _, secret := range []string{"javascript", "alert", "implicit", "fragment"} {
			if strings.Contains(f.Problem, secret) {
				t.Errorf("%s repeats the value: %s", f.Path, f.Problem)
			}
		}
	}
	for _, p := range []string{
		"id", "name", "auth_method", "type", "redirect_uris[1]", "grant_types[0]", "grant_types[1]", "scopes[0]", "scopes[1]", "scopes[3]", "response_modes[0]",
		"origins[0]", "origins[1]", "insecure_pkce_optional", "id_token_alg", "access_token_seconds", "refresh_idle_seconds", "logo_uri", "policy_uri", "terms_uri", "audiences[0]",
	} {
		if !slices.Contains(paths, p) {
			t.Errorf("nothing about %s in %v", p, paths)
		}
	}
}

// FuzzValidateClient: whatever is accepted is something a browser cannot read
// in another way.
func FuzzValidateClient(f *testing.F) {
	for _, s := range []string{"https://app.example/cb", "http://127.0.0.1:1/cb", "com.example.app:/cb", "http://[::1]/", "https://a.b:1/?x#", "a.b:/../", "https://1.2.3.4/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		for _, kind := range []store.ClientType{store.ClientNative, store.ClientWeb, store.ClientSPA} {
			if admin.RedirectFault(kind, uri) != "" {
				continue
			}
			u, err := url.Parse(uri)
			if err != nil || u.User != nil || u.Fragment != "" || strings.ContainsAny(uri, "#*\\@ \t\r\n\x00") && u.User != nil {
				t.Fatalf("%q accepted: %v", uri, err)
			}
			switch {
			case u.Scheme == "https" && strings.Contains(u.Hostname(), "."):
			case u.Scheme == "http" && (u.Hostname() == "127.0.0.1" || u.Hostname() == "::1" || u.Hostname() == "localhost"):
			case kind == store.ClientNative && strings.Contains(u.Scheme, ".") && u.Host == "":
			default:
				t.Fatalf("%s: %q accepted", kind, uri)
			}
			if u.String() != uri && !strings.HasSuffix(uri, "?") {
				t.Fatalf("%q reads back as %q", uri, u.String())
			}
		}
	})
}
