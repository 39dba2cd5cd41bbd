package federation

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"gatehouse/profile"
	"gatehouse/store"
)

// paths are the fields a CheckConnection error names.
func paths(err error) []string {
	var out []string
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			var f *profile.FieldError
			if errors.As(e, &f) {
				out = append(out, f.Path)
			} else {
				out = append(out, "not a FieldError: "+e.Error())
			}
		}
	}
	slices.Sort(out)
	return out
}

func TestCheckConnection_Defaults(t *testing.T) {
	t.Parallel()
	f := newFederation(t, Config{})
	conn := connectionTo("https://idp.acme.test")
	conn.Domains = []string{"ACME.test", "*.Acme.Test", "*"}
	if err := f.CheckConnection(&conn); err != nil {
		t.Fatal(err)
	}
	if conn.Kind != store.KindOIDC || conn.ClientAuth != store.AuthHeader || conn.TrustEmail != TrustVerified || conn.LoginHint != LoginHintOn ||
		!slices.Contains(conn.Scopes, "openid") || conn.Selectors.FederationID.Path == "" {
		t.Errorf("defaults: %+v", conn)
	}
	if want := []string{"acme.test", "*.acme.test", "*"}; !slices.Equal(conn.Domains, want) {
		t.Errorf("domains %v, want %v", conn.Domains, want)
	}
}

func TestCheckConnection_AllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	f := newFederation(t, Config{})
	conn := store.Connection{
		ID: "Not A Slug", Kind: "saml", Picture: "http://x/", Issuer: "http://idp.example/?q", ClientAuth: "magic", Scopes: []string{"email"},
		InsecureNoPKCE: true, InsecureNoNonce: true, Algorithms: []string{"HS256", "none"}, Domains: []string{"acme.test", "acme..test", "*.*.test", "acme.test", "*acme.test"},
		TrustEmail: "perhaps", LoginHint: "maybe", ACRValues: []string{"a b"},
		Endpoints: store.Endpoints{Token: "https://10.0.0.1/"},
		Selectors: profile.Selectors{Email: profile.Selector{Path: "$..email"}, EmailVerified: profile.Selector{Path: "v", Source: profile.FromIDToken}},
	}
	got := paths(f.CheckConnection(&conn))
	for _, want := range []string{
		"id", "organization", "title", "picture", "kind", "issuer", "endpoints.token", "client_id", "client_auth", "insecure_no_nonce",
		"algorithms[0]", "algorithms[1]", "domains[1]", "domains[2]", "domains[3]", "domains[4]", "trust_email", "login_hint", "acr_values[0]",
		"selectors.federation_id", "selectors.email", "selectors.email_verified.source",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no fault at %s; faults at %v", want, got)
		}
	}
	for _, p := range got {
		if strings.HasPrefix(p, "not a") {
			t.Error(p)
		}
	}
}

func TestCheckConnection_ClientAuthentication(t *testing.T) {
	t.Parallel()
	f := newFederation(t, Config{})
	for name, c := range map[string]struct {
		auth, secret string
		noPKCE       bool
		want         string
	}{
		"header without secret": {store.AuthHeader, "", false, "client_secret"},
		"form without secret":   {store.AuthForm, "", false, "client_secret"},
		"none with secret":      {store.AuthNone, "s", false, "client_secret"},
		"none without PKCE":     {store.AuthNone, "", true, "insecure_no_pkce"},
		"private_key_jwt":       {store.AuthPrivateKeyJWT, "", false, ""},
		"none":                  {store.AuthNone, "", false, ""},
		"form":                  {store.AuthForm, "s", false, ""},
	} {
		conn := connectionTo("https://idp.acme.test")
		conn.ClientAuth, conn.ClientSecret, conn.InsecureNoPKCE = c.auth, store.Seal(store.Secret(c.secret)), c.noPKCE
		if got := strings.Join(paths(f.CheckConnection(&conn)), " "); got != c.want {
			t.Errorf("%s: faults at %q, want %q", name, got, c.want)
		}
	}
}
