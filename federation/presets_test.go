package federation

import (
	"crypto/elliptic"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"gatehouse/profile"
	"gatehouse/store"
)

func TestPresets_AreGoodConnections(t *testing.T) {
	t.Parallel()
	f := newFederation(t, Config{})
	want := []string{"amazon", "apple", "auth0", "box", "entra", "facebook", "github", "gitlab", "google", "instagram", "keycloak", "linkedin", "okta", "onelogin", "openid", "ping", "salesforce", "yahoo"}
	if got := presetNames(); !slices.Equal(got, want) {
		t.Fatalf("presets %v, want %v", got, want)
	}
	key := pemKey(t, ecKey(t, elliptic.P256()))
	for _, p := range Presets() {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			if p.Title == "" || p.Checked == "" || len(p.Sources) == 0 || len(p.Notes) == 0 {
				t.Error("title, notes, checked or sources are missing")
			}
			for name := range p.Connection {
				if !slices.Contains(presetFields(), name) {
					t.Errorf("fills %s, which Apply does not empty", name)
				}
			}
			values := map[string]string{}
			for _, b := range p.Blanks {
				values[b.Name] = b.Example
				if b.Title == "" || !slices.Contains([]string{"word", "host", "url"}, b.Kind) {
					t.Errorf("blank %+v", b)
				}
			}
			conn := store.Connection{ID: "acme", OrganizationID: "acme", ClientID: "gatehouse", Domains: []string{"acme.test"}}
			if err := p.Apply(values, &conn); err != nil {
				t.Fatal(err)
			}
			if conn.Apple != nil {
				setKey(&conn, key)
			} else {
				conn.ClientSecret = store.Seal("s")
			}
			if err := f.CheckConnection(&conn); err != nil {
				t.Fatal(err)
			}
			if raw, err := json.Marshal(conn.Issuer + conn.Endpoints.Token + conn.Profile.URL); err != nil || strings.ContainsAny(string(raw), "{}") {
				t.Errorf("a blank was left: %s", raw)
			}
			if conn.Preset != p.Name || conn.Title != p.Title {
				t.Errorf("preset %q, title %q", conn.Preset, conn.Title)
			}
			// Nothing is believed without a sign of proof.
			if conn.TrustEmail != TrustVerified {
				t.Error("believes every address")
			}
			if p.Name == "entra" && conn.Selectors.EmailVerified.Path != "xms_edov" {
				t.Error("Entra's proof is xms_edov and nothing else")
			}
			// All endpoints that are needed and live elsewhere are named.
			if conn.Kind == store.KindOAuth2 && (conn.Endpoints.Authorize == "" || conn.Endpoints.Token == "") {
				t.Error("endpoints are missing")
			}
		})
	}
}

// TestPresets_LeaveNothingBehind: a preset over another is the preset alone.
func TestPresets_LeaveNothingBehind(t *testing.T) {
	t.Parallel()
	example := func(p Preset) map[string]string {
		values := map[string]string{}
		for _, b := range p.Blanks {
			values[b.Name] = b.Example
		}
		return values
	}
	all := Presets()
	for i, p := range all {
		other := all[(i+5)%len(all)]
		clean := store.Connection{ID: "acme", Title: "Acme", Domains: []string{"acme.test"}, ClientID: "x", MaxSessionSeconds: 600}
		over := clean
		over.Parameters = param("a", "constant", "x", "", "token")
		for _, step := range []Preset{other, p} {
			if err := step.Apply(example(step), &over); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Apply(example(p), &clean); err != nil {
			t.Fatal(err)
		}
		a, _ := EncodeConnection(clean)
		b, _ := EncodeConnection(over)
		if string(a) != string(b) {
			t.Errorf("%s over %s:\n%s\nalone:\n%s", p.Name, other.Name, b, a)
		}
	}
}

func TestPresets_Blanks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		preset string
		values map[string]string
		want   string
	}{
		"missing":        {"entra", nil, "values.tenant"},
		"unknown":        {"google", map[string]string{"tenant": "x"}, "values.tenant"},
		"path in a word": {"entra", map[string]string{"tenant": "x/../common"}, "values.tenant"},
		"host in a word": {"onelogin", map[string]string{"subdomain": "evil.test/#"}, "values.subdomain"},
		"port in a host": {"okta", map[string]string{"domain": "acme.okta.com:99"}, "values.domain"},
		"user in a host": {"okta", map[string]string{"domain": "acme.okta.com@evil.test"}, "values.domain"},
		"query in a URL": {"keycloak", map[string]string{"server": "https://a.test/?", "realm": "a"}, "values.server"},
		"no URL":         {"openid", map[string]string{"issuer": "acme"}, "values.issuer"},
	} {
		p, ok := PresetNamed(c.preset)
		if !ok {
			t.Fatal(c.preset)
		}
		before := store.Connection{ID: "acme", Issuer: "https://before.test"}
		conn := before
		faults := flat(p.Apply(c.values, &conn))
		if len(faults) != 1 || faults[0].Path != c.want || conn.Issuer != before.Issuer {
			t.Errorf("%s: %v, issuer %s", name, faults, conn.Issuer)
		}
	}
	if _, ok := PresetNamed("../schema"); ok {
		t.Error("a path is a preset")
	}
}

func TestConnectionWarnings(t *testing.T) {
	t.Parallel()
	f := newFederation(t, Config{})
	good := connectionTo("https://id.acme.test")
	if err := f.CheckConnection(&good); err != nil {
		t.Fatal(err)
	}
	if w := f.ConnectionWarnings(good); len(w) != 0 {
		t.Errorf("a usual connection: %v", w)
	}
	for want, change := range map[string]func(*store.Connection){
		"insecure_no_pkce":         func(c *store.Connection) { c.InsecureNoPKCE = true },
		"insecure_no_nonce":        func(c *store.Connection) { c.InsecureNoNonce = true },
		"trust_email":              func(c *store.Connection) { c.TrustEmail = TrustAlways },
		"allow_public_domains":     func(c *store.Connection) { c.AllowPublicDomains = true },
		"selectors.email_verified": func(c *store.Connection) { c.Domains, c.Selectors.EmailVerified = []string{"*"}, profile.Selector{} },
		"selectors.email":          func(c *store.Connection) { c.Selectors.Email = profile.Selector{} },
		"domains":                  func(c *store.Connection) { c.Domains = nil },
		"profile.token_as":         func(c *store.Connection) { c.Profile.TokenAs = "query" },
		"grant":                    func(c *store.Connection) { c.Grant, c.ServerOnly = store.GrantPassword, true },
		"server_only":              func(c *store.Connection) { c.Grant = store.GrantExtension },
		"refresh_login":            func(c *store.Connection) { c.RefreshLogin = true },
		"disabled":                 func(c *store.Connection) { c.Disabled = true },
	} {
		conn := good
		conn.Selectors.Custom = maps.Clone(good.Selectors.Custom)
		change(&conn)
		if w := f.ConnectionWarnings(conn); len(w) != 1 || w[0].Path != want || w[0].Problem == "" {
			t.Errorf("%s: got %v", want, w)
		}
	}
	strict := New(Config{PublicURL: testPublicURL})
	t.Cleanup(strict.Close)
	if w := strict.ConnectionWarnings(good); len(w) != 1 || w[0].Path != "allow_private_network" {
		t.Errorf("allow_private_network: got %v", w)
	}
}
