package federation

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"gatehouse/profile"
	"gatehouse/store"
)

// plainOAuth2 is a good connection of kind oauth2.
func plainOAuth2() store.Connection {
	return store.Connection{
		ID: "acme", OrganizationID: "acme", Title: "Acme", Kind: store.KindOAuth2, Domains: []string{"acme.test"}, ClientID: "gatehouse",
		ClientSecret: store.Seal("s"), Endpoints: store.Endpoints{Authorize: "https://id.acme.test/a", Token: "https://id.acme.test/t"},
		Profile:   store.ProfileSource{Kind: store.ProfileURL, URL: "https://id.acme.test/me"},
		Selectors: profile.Selectors{FederationID: profile.Selector{Path: "id"}, Email: profile.Selector{Path: "email"}},
	}
}

func pemKey(t testing.TB, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func ecKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func param(name, source, value string, as string, in ...string) []store.Parameter {
	return []store.Parameter{{Name: name, Source: source, Value: value, In: in, As: as}}
}

// TestCheckConnection_Fields: for every field something that is taken, and
// something that is refused at its path with words that say what is wrong. Each
// begins with a good connection.
func TestCheckConnection_Fields(t *testing.T) {
	t.Parallel()
	f := newFederation(t, Config{})
	_, edward, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	small, err := rsa.GenerateKey(rand.Reader, 1024) //nolint:gosec // to be refused
	if err != nil {
		t.Fatal(err)
	}
	p256, p384 := pemKey(t, ecKey(t, elliptic.P256())), pemKey(t, ecKey(t, elliptic.P384()))
	oidc := func() store.Connection { return connectionTo("https://id.acme.test") }
	apple := func(c *store.Connection) {
		c.ClientSecret, c.ClientAuth, c.PrivateKey = store.Sealed{}, "", store.Seal(store.Secret(p256))
		c.Apple = &store.AppleKey{TeamID: "A1B2C3D4E5", KeyID: "F6G7H8J9K0"}
	}
	keyed := func(c *store.Connection) { c.ClientSecret, c.ClientAuth = store.Sealed{}, store.AuthPrivateKeyJWT }
	direct := func(grant string) func(*store.Connection) { return func(c *store.Connection) { c.Grant = grant } }
	posted := func(c *store.Connection) {
		c.ResponseMode, c.UseUserinfo, c.Profile.Kind = "form_post", false, store.ProfilePosted
		from := func(path string) profile.Selector { return profile.Selector{Path: path, Source: profile.FromIDToken} }
		c.Selectors = profile.Selectors{
			FederationID: from("sub"), Email: from("email"), EmailVerified: from("email_verified"),
			FirstName: profile.Selector{Path: "name.firstName", Source: profile.FromProfile, Optional: true},
		}
	}
	type change = func(*store.Connection)
	for _, c := range []struct {
		name   string
		from   func() store.Connection
		change change
		want   string // "" is good; else the fault's beginning, "path: problem"
	}{
		{"oidc", oidc, func(*store.Connection) {}, ""},
		{"oauth2", plainOAuth2, func(*store.Connection) {}, ""},
		{"id", oidc, func(c *store.Connection) { c.ID = "Acme" }, "id: is not a short name"},
		{"organization", oidc, func(c *store.Connection) { c.OrganizationID = "" }, "organization: is missing"},
		{"preset", oidc, func(c *store.Connection) { c.Preset = "okta" }, ""},
		{"preset unknown", oidc, func(c *store.Connection) { c.Preset = "oktta" }, "preset: is not one of the presets"},
		{"title", oidc, func(c *store.Connection) { c.Title = "a\u202eb" }, "title: is missing, longer"},
		{"picture", oidc, func(c *store.Connection) { c.Picture = "javascript:alert(1)" }, "picture: is not an https URL"},
		{"kind", oidc, func(c *store.Connection) { c.Kind = "saml" }, `kind: is not known; use "oidc", "oauth2"`},
		{"issuer missing", oidc, func(c *store.Connection) { c.Issuer = "" }, "issuer: is missing"},
		{"issuer is discovery", oidc, func(c *store.Connection) { c.Issuer += "/.well-known/openid-configuration" }, "issuer: is the address of a discovery document"},
		{"M7 issuer of all tenants", oidc, func(c *store.Connection) { c.Issuer = "https://login.microsoftonline.com/common/v2.0" }, "issuer: serves every Microsoft tenant"},
		{"M7 issuer with placeholder", oidc, func(c *store.Connection) { c.Issuer = "https://login.microsoftonline.com/{tenantid}/v2.0" }, "issuer: holds placeholders"},
		{"issuer with discovery, oauth2", plainOAuth2, func(c *store.Connection) { c.Issuer, c.Endpoints = "https://id.acme.test", store.Endpoints{} }, ""},
		{"authorize missing", plainOAuth2, func(c *store.Connection) { c.Endpoints.Authorize = "" }, "endpoints.authorize: is missing, and there is no issuer"},
		{"token missing", plainOAuth2, func(c *store.Connection) { c.Endpoints.Token = "" }, "endpoints.token: is missing"},
		{"H1 authorize", oidc, func(c *store.Connection) { c.Endpoints.Authorize = "https://169.254.169.254/" }, "endpoints.authorize: is refused"},
		{"H1 userinfo", oidc, func(c *store.Connection) { c.Endpoints.Userinfo = "http://id.acme.test/" + "#x" }, "endpoints.userinfo: is refused"},
		{"H6 token", oidc, func(c *store.Connection) { c.Endpoints.Token = "https://${session.host}/t" }, "endpoints.token: holds placeholders"},
		{"jwks", oidc, func(c *store.Connection) { c.Endpoints.JWKS = "file:///keys" }, "endpoints.jwks: is refused"},
		{"end_session", oidc, func(c *store.Connection) { c.Endpoints.EndSession = "https://u:p@id.acme.test/" }, "endpoints.end_session: is refused"},
		{"revocation", oidc, func(c *store.Connection) { c.Endpoints.Revocation = "revoke" }, "endpoints.revocation: is refused"},
		{"jwks of oauth2", plainOAuth2, func(c *store.Connection) { c.Endpoints.JWKS = "https://id.acme.test/k" }, "endpoints.jwks: is set and would not be used"},
		{"client_id", oidc, func(c *store.Connection) { c.ClientID = "a b" }, "client_id: is missing or has characters"},
		{"no client at all", plainOAuth2, func(c *store.Connection) {
			c.Grant, c.ClientID, c.ClientAuth, c.ClientSecret = store.GrantPassword, "", store.AuthNone, store.Sealed{}
		}, ""},
		{"client_auth", oidc, func(c *store.Connection) { c.ClientAuth = "basic" }, "client_auth: is not known"},
		{"private_key_jwt makes a key", oidc, keyed, ""},
		{"private_key_jwt with RSA", oidc, func(c *store.Connection) { keyed(c); c.ClientAuthAlg = "PS256" }, ""},
		{"private_key_jwt with a secret", oidc, func(c *store.Connection) { c.ClientAuth = store.AuthPrivateKeyJWT }, "client_secret: is set and would not be used"},
		{"private_key_jwt without issuer", plainOAuth2, keyed, "issuer: is missing, and private_key_jwt"},
		{"client_auth_alg", oidc, func(c *store.Connection) { keyed(c); c.ClientAuthAlg = "HS256" }, "client_auth_alg: is not known"},
		{"client_auth_alg unused", oidc, func(c *store.Connection) { c.ClientAuthAlg = "ES256" }, "client_auth_alg: is set and would not be used"},
		{"private_key PEM", oidc, func(c *store.Connection) { keyed(c); c.PrivateKey = store.Seal(store.Secret(p256)) }, ""},
		{"private_key no key", oidc, func(c *store.Connection) { keyed(c); setKey(c, "hunter2") }, "private_key: is not a PKCS #8 private key"},
		{"private_key P-384", oidc, func(c *store.Connection) { keyed(c); setKey(c, p384) }, "private_key: does not fit ES256"},
		{"private_key EC for RS256", oidc, func(c *store.Connection) { keyed(c); c.ClientAuthAlg = "RS256"; setKey(c, p256) }, "private_key: does not fit RS256"},
		{"private_key small", oidc, func(c *store.Connection) { keyed(c); c.ClientAuthAlg = "RS256"; setKey(c, pemKey(t, small)) }, "private_key: has 1024 bits"},
		{"private_key Ed25519", oidc, func(c *store.Connection) { keyed(c); setKey(c, pemKey(t, edward)) }, "private_key: is of a kind"},
		{"private_key unused", oidc, func(c *store.Connection) { setKey(c, p256) }, "private_key: is set and would not be used"},
		{"apple", oidc, apple, ""},
		{"apple team", oidc, func(c *store.Connection) { apple(c); c.Apple.TeamID = "acme" }, "apple.team_id: is not a team id"},
		{"apple key", oidc, func(c *store.Connection) { apple(c); c.Apple.KeyID = "" }, "apple.key_id: is not a key id"},
		{"apple without key", oidc, func(c *store.Connection) { apple(c); c.PrivateKey = store.Sealed{} }, "private_key: is missing"},
		{"apple with P-384", oidc, func(c *store.Connection) { apple(c); setKey(c, p384) }, "private_key: does not fit ES256"},
		{"apple with a secret", oidc, func(c *store.Connection) { apple(c); c.ClientSecret = store.Seal("x") }, "client_secret: is set and would not be used"},
		{"apple by private_key_jwt", oidc, func(c *store.Connection) { apple(c); c.ClientAuth = store.AuthPrivateKeyJWT }, "client_auth: does not go with apple"},
		{"scopes", oidc, func(c *store.Connection) { c.Scopes = []string{"openid", "a b"} }, "scopes[1]: is not a scope"},
		{"scopes without openid", oidc, func(c *store.Connection) { c.Scopes = []string{"email"} }, "scopes: do not contain openid"},
		{"no PKCE", oidc, func(c *store.Connection) { c.InsecureNoPKCE = true }, ""},
		{"neither PKCE nor nonce", oidc, func(c *store.Connection) { c.InsecureNoPKCE, c.InsecureNoNonce = true, true }, "insecure_no_nonce: together with insecure_no_pkce"},
		{"nonce of oauth2", plainOAuth2, func(c *store.Connection) { c.InsecureNoNonce = true }, "insecure_no_nonce: is set and would not be used"},
		{"pkce_names", oidc, func(c *store.Connection) {
			c.PKCENames = store.PKCENames{Challenge: "cc", Method: "ccm", Verifier: "cv"}
		}, ""},
		{"pkce_names.challenge", oidc, func(c *store.Connection) { c.PKCENames.Challenge = "state" }, "pkce_names.challenge: is the name of another"},
		{"pkce_names.method", oidc, func(c *store.Connection) { c.PKCENames = store.PKCENames{Challenge: "x", Method: "x"} }, "pkce_names.method: is also the name of pkce_names.challenge"},
		{"pkce_names.verifier", oidc, func(c *store.Connection) { c.PKCENames.Verifier = "a&b" }, "pkce_names.verifier: is not a parameter's name"},
		{"pkce_names unused", oidc, func(c *store.Connection) { c.InsecureNoPKCE, c.PKCENames.Verifier = true, "v" }, "pkce_names.verifier: is set and would not be used"},
		{"response_mode query", oidc, func(c *store.Connection) { c.ResponseMode = "query" }, ""},
		{"response_mode", oidc, func(c *store.Connection) { c.ResponseMode = "fragment" }, "response_mode: is not known"},
		{"response_mode unused", plainOAuth2, func(c *store.Connection) { c.Grant, c.ResponseMode = store.GrantPassword, "form_post" }, "response_mode: is set and would not be used"},
		{"login_hint", oidc, func(c *store.Connection) { c.LoginHint = "maybe" }, "login_hint: is not known"},
		{"hint", oidc, func(c *store.Connection) {
			c.Hint = store.Hint{Parameter: "user", Format: "template", Template: "{local}@corp.{domain}"}
		}, ""},
		{"hint.parameter", oidc, func(c *store.Connection) { c.Hint.Parameter = "redirect_uri" }, "hint.parameter: is the name of another"},
		{"hint.format", oidc, func(c *store.Connection) { c.Hint.Format = "upper" }, "hint.format: is not known"},
		{"hint.template missing", oidc, func(c *store.Connection) { c.Hint.Format = "template" }, "hint.template: holds no placeholder"},
		{"hint.template unknown", oidc, func(c *store.Connection) { c.Hint = store.Hint{Format: "template", Template: "{local}{token}"} }, "hint.template: holds a placeholder that is not known"},
		{"hint.template space", oidc, func(c *store.Connection) { c.Hint = store.Hint{Format: "template", Template: "a {email}"} }, "hint.template: is over 256 bytes"},
		{"hint.template unused", oidc, func(c *store.Connection) { c.Hint.Template = "{email}" }, "hint.template: is set and would not be used"},
		{"domain_hint", oidc, func(c *store.Connection) { c.DomainHint = store.DomainHint{Parameter: "hd", Value: "acme.test"} }, ""},
		{"domain_hint.parameter", oidc, func(c *store.Connection) { c.DomainHint.Parameter = "login_hint" }, "domain_hint.parameter: is also the login hint's"},
		{"domain_hint.value", oidc, func(c *store.Connection) { c.DomainHint = store.DomainHint{Parameter: "hd", Value: "a b"} }, "domain_hint.value: is not a domain or word"},
		{"domain_hint.value alone", oidc, func(c *store.Connection) { c.DomainHint.Value = "acme.test" }, "domain_hint.value: is set and would not be used"},
		{"public_hosts", oidc, func(c *store.Connection) { c.PublicHosts = []string{"https://Login.brand.test/"} }, ""},
		{"public_hosts path", oidc, func(c *store.Connection) { c.PublicHosts = []string{"https://login.brand.test/x"} }, "public_hosts[0]: is not an origin"},
		{"public_hosts ours", oidc, func(c *store.Connection) { c.PublicHosts = []string{testPublicURL} }, "public_hosts[0]: is the main public host"},
		{"public_hosts twice", oidc, func(c *store.Connection) { c.PublicHosts = []string{"https://a.test", "https://a.test"} }, "public_hosts[1]: is there twice"},
		{"public_hosts scheme", oidc, func(c *store.Connection) { c.PublicHosts = []string{"ftp://a.test"} }, "public_hosts[0]: is not https"},
		{"domains", oidc, func(c *store.Connection) { c.Domains = []string{"acme.test", "*acme.test"} }, "domains[1]: is not a domain"},
		{"domains public", oidc, func(c *store.Connection) { c.Domains = []string{"GMail.com"} }, "domains[0]: is at gmail.com, where anybody"},
		{"domains below public", oidc, func(c *store.Connection) { c.Domains = []string{"*.eu.gmx.net"} }, "domains[0]: is at gmx.net, where anybody"},
		{"allow_public_domains", oidc, func(c *store.Connection) { c.Domains, c.AllowPublicDomains = []string{"gmail.com"}, true }, ""},
		{"domains many", oidc, func(c *store.Connection) { c.Domains = make([]string, maxRules+1) }, "domains: are more than 1000"},
		{"parameters constant", oidc, func(c *store.Connection) {
			c.Parameters = param("claims", "constant", `{"id_token":{"x":null}}`, "", "authorize")
		}, ""},
		{"parameters configuration", oidc, func(c *store.Connection) {
			c.Parameters = param("appid", "configuration", "client_id", "", "authorize", "token", "profile")
		}, ""},
		{"parameters scope at token", oidc, func(c *store.Connection) { c.Parameters = param("scope", "configuration", "scope", "form", "token") }, ""},
		{"parameters request", oidc, func(c *store.Connection) { c.Parameters = param("brand", "request", "brand", "query", "authorize") }, ""},
		{"parameters session", oidc, func(c *store.Connection) {
			c.Parameters = param("emp", "session", "hr.profile.employee_id", "", "authorize")
		}, ""},
		{"parameters header", oidc, func(c *store.Connection) {
			c.Parameters = param("Client-Id", "configuration", "client_id", "header", "profile")
		}, ""},
		{"parameters.name", oidc, func(c *store.Connection) { c.Parameters = param("a=b", "constant", "x", "", "token") }, "parameters[0].name: is not a parameter's name"},
		{"parameters.name state", oidc, func(c *store.Connection) { c.Parameters = param("State", "constant", "x", "", "authorize") }, "parameters[0].name: is a parameter that Gatehouse sends itself with authorize"},
		{"parameters.name code", oidc, func(c *store.Connection) { c.Parameters = param("code", "constant", "x", "", "token") }, "parameters[0].name: is a parameter that Gatehouse sends"},
		{"parameters.name verifier", oidc, func(c *store.Connection) {
			c.PKCENames.Verifier, c.Parameters = "cv", param("cv", "constant", "x", "", "token")
		}, "parameters[0].name: is a parameter that Gatehouse sends"},
		{"parameters.name token", oidc, func(c *store.Connection) { c.Parameters = param("access_token", "constant", "x", "", "profile") }, "parameters[0].name: is a parameter that Gatehouse sends"},
		{"parameters.name header", oidc, func(c *store.Connection) { c.Parameters = param("authorization", "constant", "x", "header", "profile") }, "parameters[0].name: is not the name of a header"},
		{"parameters.name twice", oidc, func(c *store.Connection) {
			c.Parameters = append(param("a", "constant", "x", "", "token"), param("A", "constant", "y", "", "token")...)
		}, "parameters[1].name: is also sent by parameters[0] with token"},
		{"parameters.source", oidc, func(c *store.Connection) { c.Parameters = param("a", "cookie", "x", "", "token") }, "parameters[0].source: is not known"},
		{"parameters.value", oidc, func(c *store.Connection) { c.Parameters = param("a", "constant", "", "", "token") }, "parameters[0].value: is missing"},
		{"parameters.value break", oidc, func(c *store.Connection) { c.Parameters = param("a", "constant", "x\r\ny", "header", "token") }, "parameters[0].value: is missing, over 1024 bytes or has control"},
		{"H6 parameters.value", oidc, func(c *store.Connection) { c.Parameters = param("a", "constant", "{access_token}", "", "token") }, "parameters[0].value: holds a placeholder"},
		{"parameters.value configuration", oidc, func(c *store.Connection) { c.Parameters = param("a", "configuration", "issuer", "", "token") }, "parameters[0].value: is not known"},
		{"Z2 secret to authorize", oidc, func(c *store.Connection) {
			c.Parameters = param("a", "configuration", "client_secret", "query", "authorize")
		}, "parameters[0].value: would put the client secret in a URL"},
		{"Z2 secret to profile", oidc, func(c *store.Connection) { c.Parameters = param("a", "configuration", "client_secret", "", "profile") }, "parameters[0].value: would put the client secret in a URL"},
		{"secret that is none", oidc, func(c *store.Connection) {
			keyed(c)
			c.Parameters = param("a", "configuration", "client_secret", "form", "token")
		}, "parameters[0].value: is the client secret, and there is none"},
		{"grant_type to authorize", oidc, func(c *store.Connection) { c.Parameters = param("a", "configuration", "grant_type", "", "authorize") }, "parameters[0].value: is the grant type"},
		{"parameters.value request", oidc, func(c *store.Connection) { c.Parameters = param("a", "request", "redirect_uri", "", "token") }, "parameters[0].value: is not a parameter that apps may lend"},
		{"parameters.value session", oidc, func(c *store.Connection) { c.Parameters = param("a", "session", "hr.groups", "", "token") }, "parameters[0].value: is not an attribute of the session"},
		{"Z2 security in a URL", oidc, func(c *store.Connection) { c.Parameters = param("a", "session", "hr.security.acr", "", "authorize") }, "parameters[0].value: would put a security attribute in a URL"},
		{"parameters.in missing", oidc, func(c *store.Connection) { c.Parameters = param("a", "constant", "x", "") }, "parameters[0].in: is missing"},
		{"parameters.in", oidc, func(c *store.Connection) { c.Parameters = param("a", "constant", "x", "", "token", "revoke") }, "parameters[0].in[1]: is not known"},
		{"parameters.in twice", oidc, func(c *store.Connection) { c.Parameters = param("a", "constant", "x", "", "token", "token") }, "parameters[0].in[1]: is there twice"},
		{"parameters.in refresh", oidc, func(c *store.Connection) { c.Parameters = param("a", "constant", "x", "", "refresh") }, "parameters[0].in[0]: is set and would not be used"},
		{"parameters.in profile", oidc, func(c *store.Connection) {
			c.UseUserinfo, c.Parameters = false, param("a", "constant", "x", "", "profile")
		}, "parameters[0].in[0]: is set and would not be used"},
		{"parameters.as", oidc, func(c *store.Connection) { c.Parameters = param("a", "constant", "x", "cookie", "token") }, "parameters[0].as: is not known"},
		{"parameters.as authorize", oidc, func(c *store.Connection) { c.Parameters = param("a", "constant", "x", "header", "authorize") }, "parameters[0].as: is header, and a browser"},
		{"parameters.as profile", oidc, func(c *store.Connection) { c.Parameters = param("a", "constant", "x", "form", "profile") }, "parameters[0].as: is form, and the profile is fetched with GET"},
		{"profile none", oidc, func(c *store.Connection) { c.Profile.Kind = "none" }, ""},
		{"profile url_in_url", plainOAuth2, func(c *store.Connection) {
			c.Profile = store.ProfileSource{Kind: "url_in_url", URL: "https://id.acme.test/x", URLSelector: profile.Selector{Path: "links.me"}, TokenAs: "form", TokenName: "tok", Method: "POST", AllowedHosts: []string{"CDN.test"}}
		}, ""},
		{"profile token_response", plainOAuth2, func(c *store.Connection) { c.Profile = store.ProfileSource{Kind: "token_response"} }, ""},
		{"profile url_in_token_response", plainOAuth2, func(c *store.Connection) {
			c.Profile = store.ProfileSource{Kind: "url_in_token_response", URLSelector: profile.Selector{Path: "id"}}
		}, ""},
		{"profile.kind", oidc, func(c *store.Connection) { c.Profile.Kind = "scim" }, "profile.kind: is not known"},
		{"profile.kind of oauth2", plainOAuth2, func(c *store.Connection) { c.Profile = store.ProfileSource{} }, "profile.kind: is missing, and without an ID token"},
		{"profile.url", plainOAuth2, func(c *store.Connection) { c.Profile.URL = "" }, "profile.url: is missing"},
		{"H1 profile.url", plainOAuth2, func(c *store.Connection) { c.Profile.URL = "https://[::1]/me" }, "profile.url: is refused"},
		{"H6 profile.url", plainOAuth2, func(c *store.Connection) { c.Profile.URL = "https://id.acme.test/{sub}" }, "profile.url: holds placeholders"},
		{"profile.url unused", oidc, func(c *store.Connection) { c.Profile = store.ProfileSource{Kind: "none", URL: "https://a.test/"} }, "profile.url: is set and would not be used"},
		{"profile.url_selector", plainOAuth2, func(c *store.Connection) { c.Profile = store.ProfileSource{Kind: "url_in_token_response"} }, "profile.url_selector: is missing"},
		{"profile.url_selector several", plainOAuth2, func(c *store.Connection) {
			c.Profile = store.ProfileSource{Kind: "url_in_token_response", URLSelector: profile.Selector{Path: "$..url"}}
		}, "profile.url_selector: can select several values"},
		{"profile.url_selector unused", plainOAuth2, func(c *store.Connection) { c.Profile.URLSelector.Path = "id" }, "profile.url_selector: is set and would not be used"},
		{"profile.token_as", plainOAuth2, func(c *store.Connection) { c.Profile.TokenAs = "cookie" }, "profile.token_as: is not known"},
		{"profile.token_as form", plainOAuth2, func(c *store.Connection) { c.Profile.TokenAs = "form" }, "profile.token_as: is form, and the profile is fetched with GET"},
		{"profile.token_name", plainOAuth2, func(c *store.Connection) { c.Profile.TokenName = "Cookie" }, "profile.token_name: is not the name of a header"},
		{"profile.token_name query", plainOAuth2, func(c *store.Connection) { c.Profile.TokenAs, c.Profile.TokenName = "query", "a b" }, "profile.token_name: is not a parameter's name"},
		{"profile.method", plainOAuth2, func(c *store.Connection) { c.Profile.Method = "PUT" }, "profile.method: is not known"},
		{"H4 profile.allowed_hosts", plainOAuth2, func(c *store.Connection) {
			c.Profile = store.ProfileSource{Kind: "url_in_token_response", URLSelector: profile.Selector{Path: "id"}, AllowedHosts: []string{"co.uk"}}
		}, "profile.allowed_hosts[0]: is not a host"},
		{"H4 profile.allowed_hosts wildcard", plainOAuth2, func(c *store.Connection) {
			c.Profile = store.ProfileSource{Kind: "url_in_token_response", URLSelector: profile.Selector{Path: "id"}, AllowedHosts: []string{"*.cdn.test"}}
		}, "profile.allowed_hosts[0]: is not a host"},
		{"profile.allowed_hosts unused", plainOAuth2, func(c *store.Connection) { c.Profile.AllowedHosts = []string{"cdn.test"} }, "profile.allowed_hosts: is set and would not be used"},
		{"selectors", plainOAuth2, func(c *store.Connection) { c.Selectors.FederationID = profile.Selector{} }, "selectors.federation_id: is required"},
		{"selectors source id_token", plainOAuth2, func(c *store.Connection) { c.Selectors.Email.Source = profile.FromIDToken }, "selectors.email.source: is the ID token, which kind oauth2"},
		{"selectors source profile", oidc, func(c *store.Connection) {
			c.UseUserinfo, c.Selectors = false, profile.DefaultSelectors()
			c.Selectors.Custom = map[string]profile.Selector{"groups": {Path: "groups", Source: profile.FromProfile}}
		}, "selectors.custom.groups.source: is the profile, which is not fetched"},
		{"trust_email", oidc, func(c *store.Connection) { c.TrustEmail = "never" }, "trust_email: is not known"},
		{"algorithms", oidc, func(c *store.Connection) { c.Algorithms = []string{"HS256"} }, "algorithms[0]: is not an algorithm"},
		{"algorithms of oauth2", plainOAuth2, func(c *store.Connection) { c.Algorithms = []string{"ES256"} }, "algorithms: is set and would not be used"},
		{"acr_values", oidc, func(c *store.Connection) { c.ACRValues = []string{""} }, "acr_values[0]: is not an acr value"},
		{"acr_values of oauth2", plainOAuth2, func(c *store.Connection) { c.ACRValues = []string{"phr"} }, "acr_values: is set and would not be used"},
		{"grant password", oidc, direct(store.GrantPassword), ""},
		{"grant", oidc, direct("implicit"), "grant: is not known"},
		{"grant jwt_bearer", oidc, func(c *store.Connection) { c.Grant, c.AssertionConnection = store.GrantJWTBearer, "other" }, ""},
		{"assertion_connection", oidc, direct(store.GrantJWTBearer), "assertion_connection: is missing"},
		{"assertion_connection itself", oidc, func(c *store.Connection) { c.Grant, c.AssertionConnection = store.GrantJWTBearer, c.ID }, "assertion_connection: is this connection itself"},
		{"assertion_connection unused", oidc, func(c *store.Connection) { c.AssertionConnection = "x" }, "assertion_connection: is set and would not be used"},
		{"grant extension", oidc, func(c *store.Connection) {
			c.Grant, c.ExtensionGrantType = store.GrantExtension, "urn:acme:grant:device"
		}, ""},
		{"extension_grant_type", oidc, direct(store.GrantExtension), "extension_grant_type: is missing"},
		{"extension_grant_type standard", oidc, func(c *store.Connection) { c.Grant, c.ExtensionGrantType = store.GrantExtension, "password" }, "extension_grant_type: is a grant of its own"},
		{"extension_grant_type unused", oidc, func(c *store.Connection) { c.ExtensionGrantType = "urn:x" }, "extension_grant_type: is set and would not be used"},
		{"grant client_credentials", oidc, direct(store.GrantClientCredentials), ""},
		{"client_credentials of nobody", oidc, func(c *store.Connection) {
			c.Grant, c.ClientAuth, c.ClientSecret = store.GrantClientCredentials, store.AuthNone, store.Sealed{}
		}, "client_auth: is \"none\", and this grant"},
		{"refresh_login", oidc, func(c *store.Connection) { c.RefreshLogin, c.RefreshOutageSeconds = true, 7200 }, ""},
		{"refresh_login without browser", oidc, func(c *store.Connection) { c.Grant, c.RefreshLogin = store.GrantPassword, true }, "refresh_login: is set and would not be used"},
		{"refresh_outage_seconds", oidc, func(c *store.Connection) { c.RefreshLogin, c.RefreshOutageSeconds = true, 30*24*3600 }, "refresh_outage_seconds: is out of range"},
		{"refresh_outage_seconds unused", oidc, func(c *store.Connection) { c.RefreshOutageSeconds = 60 }, "refresh_outage_seconds: is set and would not be used"},
		{"join", oidc, func(c *store.Connection) { c.Join = "maybe" }, "join: is not known"},
		{"push_authorization", oidc, func(c *store.Connection) { c.PushAuthorization = true }, ""},
		{"push_authorization by hand", plainOAuth2, func(c *store.Connection) {
			c.PushAuthorization, c.Endpoints.PushedAuthorization = true, "https://id.acme.test/par"
		}, ""},
		{"push_authorization unused", oidc, func(c *store.Connection) { c.Grant, c.PushAuthorization = store.GrantPassword, true }, "push_authorization: is set and would not be used"},
		{"pushed_authorization missing", plainOAuth2, func(c *store.Connection) { c.PushAuthorization = true }, "endpoints.pushed_authorization: is missing, and there is no issuer"},
		{"pushed_authorization unused", plainOAuth2, func(c *store.Connection) { c.Endpoints.PushedAuthorization = "https://id.acme.test/par" }, "endpoints.pushed_authorization: is set and would not be used"},
		{"H1 pushed_authorization", oidc, func(c *store.Connection) { c.Endpoints.PushedAuthorization = "https://10.0.0.1/par" }, "endpoints.pushed_authorization: is refused"},
		{"profile posted_user", oidc, posted, ""},
		{"profile posted_user by redirect", oidc, func(c *store.Connection) { posted(c); c.ResponseMode = "" }, "profile.kind: is posted_user, which only"},
		{"profile posted_user of oauth2", plainOAuth2, func(c *store.Connection) {
			c.ResponseMode, c.Profile = "form_post", store.ProfileSource{Kind: store.ProfilePosted}
			c.Selectors = profile.Selectors{FederationID: profile.Selector{Path: "id", Source: profile.FromTokenResponse}}
		}, "profile.kind: is posted_user, which only"},
		{"profile posted_user for the address", oidc, func(c *store.Connection) {
			posted(c)
			c.Selectors.Email.Source, c.Selectors.EmailVerified.Source = profile.FromProfile, profile.FromProfile
			c.Selectors.EmailVerified.Path = ""
		}, "selectors.email.source: would read what a browser posted"},
		{"profile posted_user for groups", oidc, func(c *store.Connection) {
			posted(c)
			c.Selectors.Custom = map[string]profile.Selector{"groups": {Path: "$..firstName"}}
		}, "selectors.custom.groups.source: would read what a browser posted"},
		{"session without a browser", oidc, func(c *store.Connection) {
			c.Grant, c.Parameters = store.GrantPassword, param("emp", "session", "hr.profile.employee_id", "", "token")
		}, "parameters[0].source: is the session, and a login without a browser has none"},
		{"username of grant password", oidc, func(c *store.Connection) {
			c.Grant, c.Parameters = store.GrantPassword, param("username", "constant", "x", "", "token")
		}, "parameters[0].name: is a parameter that Gatehouse sends itself with token"},
		{"password of grant password", oidc, func(c *store.Connection) {
			c.Grant, c.Parameters = store.GrantPassword, param("Password", "constant", "x", "", "token")
		}, "parameters[0].name: is a parameter that Gatehouse sends itself with token"},
		{"assertion of grant jwt_bearer", oidc, func(c *store.Connection) {
			c.Grant, c.AssertionConnection, c.Parameters = store.GrantJWTBearer, "other", param("assertion", "constant", "x", "", "token")
		}, "parameters[0].name: is a parameter that Gatehouse sends itself with token"},
		{"username of an extension grant", oidc, func(c *store.Connection) {
			c.Grant, c.ExtensionGrantType, c.Parameters = store.GrantExtension, "urn:acme:grant:badge", param("username", "request", "badge", "", "token")
		}, ""},
		{"grant_type of an extension grant", oidc, func(c *store.Connection) {
			c.Grant, c.ExtensionGrantType, c.Parameters = store.GrantExtension, "urn:acme:grant:badge", param("grant_type", "constant", "x", "", "token")
		}, "parameters[0].name: is a parameter that Gatehouse sends itself with token"},
		{"max_session_seconds", oidc, func(c *store.Connection) { c.MaxSessionSeconds = -1 }, "max_session_seconds: is out of range"},
		{"idle_session_seconds", oidc, func(c *store.Connection) { c.IdleSessionSeconds = 59 }, "idle_session_seconds: is out of range"},
		{"idle over max", oidc, func(c *store.Connection) { c.MaxSessionSeconds, c.IdleSessionSeconds = 600, 601 }, "idle_session_seconds: is longer than max_session_seconds"},
		{"concurrent_logins", oidc, func(c *store.Connection) { c.ConcurrentLogins = "two" }, "concurrent_logins: is not known"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			conn := c.from()
			c.change(&conn)
			var got []string
			for _, e := range flat(f.CheckConnection(&conn)) {
				got = append(got, e.Error())
				if e.Fix == "" && !strings.HasPrefix(e.Path, "selectors") {
					t.Errorf("%s says nothing about what to do", e.Path)
				}
			}
			switch {
			case c.want == "" && got == nil:
				// What was checked once is checked again at the next save.
				if err := f.CheckConnection(&conn); err != nil {
					t.Errorf("a second check: %v", err)
				}
			case c.want == "" || len(got) != 1 || !strings.HasPrefix(got[0], c.want):
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func setKey(c *store.Connection, key string) store.Sealed {
	c.PrivateKey = store.Seal(store.Secret(key))
	return c.PrivateKey
}
