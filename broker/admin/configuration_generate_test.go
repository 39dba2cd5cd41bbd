package admin_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"gatehouse/broker/admin"
	"gatehouse/configuration"
	"gatehouse/federation"
	"gatehouse/notify"
	"gatehouse/profile"
	"gatehouse/store"
	"gatehouse/templates"
)

// generator makes configurations that pass every check, over all fields. What a
// check refuses of a connection or client is left out again: the rules are
// theirs, not the test's.
type generator struct {
	*rand.Rand
	fed     *federation.Federation
	secrets map[string]string // by reference
	doc     configuration.Document
}

// texts that people may write, and that other formats stumble over.
func plainHostile() []string {
	return []string{
		"Acme Corp", "off", "Yes", "null", "~", "1", "0x1f", "1e3", "- a", "a: b", "a #b", "&a", "*a", "!!str", "|", ">", "%x", "@", "`", "'", `"`, `\`, `\n`, "[a", "{a}", ",", "? a", "::", "<<", "---",
		"é", "😀", "日本語", "2024-01-01", "007", "env:X", "{from: keep}", "<script>", "${HOME}", "{{.}}", "trailing ", " leading", "\u00a0x", "a  b", "ß\u0301", strings.Repeat("[", 40),
	}
}

func pick[T any](g *generator, from ...T) T { return from[g.IntN(len(from))] }

func (g *generator) maybe() bool { return g.IntN(2) == 0 }

func (g *generator) text() string { return pick(g, plainHostile()...) + pick(g, "", "", "x", " y") }

func (g *generator) list(most int, of func(i int) string) (out []string) {
	for i := range g.IntN(most + 1) {
		if s := of(i); !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func (g *generator) secret(name, value string) *configuration.Secret {
	g.secrets["env:"+name] = value
	return &configuration.Secret{From: "env:" + name}
}

func newPEM() string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// generate makes one configuration; key is a private key for whoever needs one.
func generate(seed uint64, fed *federation.Federation, key string) *generator {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 7)), fed: fed, secrets: map[string]string{}} //nolint:gosec // repeatable
	g.doc = configuration.Document{Version: configuration.Version, Organizations: []configuration.Organization{}, Domains: []configuration.Domain{}, Connections: []configuration.Connection{}, Clients: []configuration.Client{}, Webhooks: []configuration.Webhook{}}
	for i := range 1 + g.IntN(3) {
		g.organization(fmt.Sprintf("org-%d", i))
		for j := range g.IntN(3) {
			g.connection(fmt.Sprintf("conn-%d-%d", i, j), fmt.Sprintf("org-%d", i), key)
		}
		for j := range g.IntN(3) {
			g.doc.Domains = append(g.doc.Domains, configuration.Domain{
				Organization: fmt.Sprintf("org-%d", i), Name: fmt.Sprintf("d%d-%d.example", i, j), State: pick(g, "asserted", "claimed"),
				Join: pick(g, "", store.JoinOff, store.JoinRequest, store.JoinAutomatic), Approvers: g.approvers(),
			})
		}
	}
	for i := range g.IntN(3) {
		g.client(fmt.Sprintf("%s.app_%d", pick(g, "Web", "a-b", "9"), i))
	}
	g.rules()
	for i := range g.IntN(3) {
		kinds := notify.EventKinds()
		w := configuration.Webhook{Webhook: store.Webhook{
			ID: fmt.Sprintf("hook-%d", i), URL: fmt.Sprintf("https://hooks.example/%d?a=b&c=%%20", i), Disabled: g.maybe(), AllowPrivateNetwork: g.maybe(),
			OrganizationID: pick(g, "", g.doc.Organizations[0].ID), Events: []string{kinds[g.IntN(len(kinds))].Kind},
		}}
		w.Secret = g.secret(w.ID, notify.NewSecret().Reveal())
		g.doc.Webhooks = append(g.doc.Webhooks, w)
	}
	return g
}

func (g *generator) approvers() []string {
	return g.list(2, func(i int) string { return []string{"boss", "chief"}[i] })
}

func (g *generator) organization(id string) {
	o := configuration.Organization{Organization: store.Organization{
		ID: id, Title: g.text(), Disabled: g.maybe(), SignInOff: g.maybe(), Join: pick(g, store.JoinOff, store.JoinRequest, store.JoinAutomatic),
		DefaultRole: pick(g, "", store.RoleUser, store.RoleAdmin, store.RoleOwner), AutomaticGroups: g.list(3, func(int) string { return g.text() }),
		Approvers: g.approvers(), RequestDays: g.IntN(91), AppRequests: g.maybe(), Contact: pick(g, "", g.text()),
		Brand: store.Brand{Logo: pick(g, "", "https://acme.example/l.png?x=1#y")}, Languages: g.list(2, func(i int) string { return templates.Languages()[i] }),
		Links: store.Links{Privacy: pick(g, "", "https://acme.example/"), Help: pick(g, "", "mailto:help@acme.example"), RequestAccess: pick(g, "", "https://acme.example/?q=1")},
	}}
	if accent := fmt.Sprintf("#%06x", g.IntN(1<<24)); g.maybe() {
		if problem, _ := templates.CheckAccent(accent); problem == "" {
			o.Brand.Accent = accent
		}
	}
	if o.Join != store.JoinOff || g.IntN(4) == 0 {
		actor := pick(g, "boss", "", admin.Operator)
		o.JoinActor = &actor
	}
	for _, key := range []string{store.TextWaiting, store.TextRefused, store.TextNotAdmitted, store.TextAppMissing, store.TextExpired} {
		for _, language := range templates.Languages() {
			if g.IntN(4) == 0 {
				o.Texts = append(o.Texts, store.Text{Key: key, Language: language, Title: g.text(), Sentence: pick(g, "", g.text()), Next: pick(g, "", g.text()), Contact: pick(g, "", g.text())})
			}
		}
	}
	g.doc.Organizations = append(g.doc.Organizations, o)
}

// rules come last: they name connections and apps.
func (g *generator) rules() {
	apps := func() []string {
		return g.list(2, func(int) string {
			if len(g.doc.Clients) == 0 {
				return ""
			}
			return g.doc.Clients[g.IntN(len(g.doc.Clients))].ID
		})
	}
	known := func(ids []string) []string { return slices.DeleteFunc(ids, func(s string) bool { return s == "" }) }
	for i := range g.doc.Organizations {
		o := &g.doc.Organizations[i]
		o.AutomaticClients = known(apps())
		for j, c := range g.doc.Connections {
			if c.OrganizationID == o.ID && g.maybe() && c.Selectors.Email.Path != "" {
				o.Rules = append(o.Rules, store.AdmissionRule{
					Name: fmt.Sprint(j, " ", g.text()), ConnectionID: c.ID, Attribute: "email", Value: g.text(), Join: pick(g, store.JoinOff, store.JoinRequest, store.JoinAutomatic),
					Role: pick(g, "", store.RoleUser, store.RoleAdmin), Groups: g.list(2, func(int) string { return g.text() }), Clients: known(apps()),
				})
			}
		}
	}
}

func (g *generator) connection(id, organization, key string) {
	c := configuration.Connection{Connection: store.Connection{
		ID: id, OrganizationID: organization, Kind: store.KindOIDC, Title: g.text(), Issuer: "https://idp." + id + ".example", ClientID: pick(g, "gatehouse", "007", "off"),
		Domains: []string{}, Selectors: profile.DefaultSelectors(), UseUserinfo: g.maybe(),
	}}
	c.ClientSecret = g.secret(id, g.text()+"!")
	switch g.IntN(5) {
	case 0:
		c.Kind, c.UseUserinfo = store.KindOAuth2, false
		c.Issuer = ""
		c.Endpoints = store.Endpoints{Authorize: "https://idp.example/a", Token: "https://idp.example/t"}
		c.Profile = store.ProfileSource{Kind: store.ProfileURL, URL: "https://api.idp.example/me"}
		c.Selectors = profile.Selectors{FederationID: profile.Selector{Path: "id"}, Email: profile.Selector{Path: "mail"}}
	case 1:
		c.Connection = store.Connection{ID: id, OrganizationID: organization, Kind: store.KindLocal, Title: g.text(), Domains: []string{}}
		c.ClientSecret = nil
	case 2:
		c.ClientAuth, c.ClientSecret = store.AuthPrivateKeyJWT, nil
		if g.maybe() {
			c.PrivateKey = g.secret(id+"-key", key)
		}
	case 3:
		c.Apple, c.ClientSecret = &store.AppleKey{TeamID: "A1B2C3D4E5", KeyID: "F6G7H8J9K0"}, nil
		c.PrivateKey = g.secret(id+"-key", key)
	}
	for _, mutate := range g.mutations(id) {
		if g.IntN(3) == 0 {
			continue
		}
		changed := c
		changed.Domains, changed.Parameters = slices.Clone(c.Domains), slices.Clone(c.Parameters)
		mutate(&changed.Connection)
		if g.accepts(changed) {
			c = changed
		}
	}
	if g.accepts(c) {
		g.doc.Connections = append(g.doc.Connections, c)
	}
}

// accepts asks the program's own check.
func (g *generator) accepts(c configuration.Connection) bool {
	probe := c.Connection
	for _, s := range []struct {
		from *configuration.Secret
		to   *store.Sealed
	}{{c.ClientSecret, &probe.ClientSecret}, {c.PrivateKey, &probe.PrivateKey}} {
		if s.from != nil {
			*s.to = store.Seal(store.Secret(g.secrets[s.from.From]))
		}
	}
	probe.Domains, probe.PublicHosts, probe.Parameters = slices.Clone(c.Domains), slices.Clone(c.PublicHosts), slices.Clone(c.Parameters)
	return g.fed.CheckConnection(&probe) == nil
}

// mutations set one field each, in all the ways a field can be set.
func (g *generator) mutations(id string) []func(*store.Connection) {
	seconds := int64(60 + g.IntN(3600))
	all := []func(*store.Connection){
		func(c *store.Connection) { c.Preset = pick(g, "okta", "entra") },
		func(c *store.Connection) { c.Picture = "https://acme.example/p.png" },
		func(c *store.Connection) { c.Disabled = true },
		func(c *store.Connection) { c.Domains = []string{id + ".example", "*." + id + ".example"} },
		func(c *store.Connection) { c.Join = pick(g, store.JoinOff, store.JoinRequest, store.JoinAutomatic) },
		func(c *store.Connection) { c.AllowPublicDomains, c.Domains = true, append(c.Domains, "gmail.com") },
		func(c *store.Connection) { c.Endpoints.Revocation = "https://idp." + id + ".example/revoke" },
		func(c *store.Connection) { c.Endpoints.JWKS = "https://idp." + id + ".example/keys" },
		func(c *store.Connection) { c.Hint = store.Hint{Parameter: "username", Format: "local"} },
		func(c *store.Connection) { c.Hint = store.Hint{Format: "template", Template: "{local}@corp.example"} },
		func(c *store.Connection) { c.Profile.TokenAs, c.Profile.TokenName = "form", "token" },
		func(c *store.Connection) { c.Profile.Method = "POST" },
		func(c *store.Connection) { c.Endpoints.EndSession = "https://idp." + id + ".example/out" },
		func(c *store.Connection) { c.Endpoints.Userinfo = "https://idp." + id + ".example/me" },
		func(c *store.Connection) { c.Endpoints.PushedAuthorization = "https://idp." + id + ".example/par" },
		func(c *store.Connection) { c.ClientAuth = pick(g, store.AuthForm, store.AuthHeader) },
		func(c *store.Connection) { c.ClientAuthAlg = "ES256" },
		func(c *store.Connection) { c.Scopes = []string{"openid", "email", pick(g, "offline_access", "read:x")} },
		func(c *store.Connection) { c.InsecureNoPKCE = true },
		func(c *store.Connection) { c.InsecureNoNonce = true },
		func(c *store.Connection) { c.PKCENames = store.PKCENames{Challenge: "cc", Method: "m", Verifier: "v"} },
		func(c *store.Connection) { c.PushAuthorization = true },
		func(c *store.Connection) { c.ResponseMode = "form_post" },
		func(c *store.Connection) { c.LoginHint = "off" },
		func(c *store.Connection) {
			c.Hint = store.Hint{Parameter: "username", Format: "template", Template: "{local}@corp.{domain}"}
		},
		func(c *store.Connection) { c.DomainHint = store.DomainHint{Parameter: "hd", Value: "acme.example"} },
		func(c *store.Connection) { c.PublicHosts = []string{"https://login.brand.example"} },
		func(c *store.Connection) {
			c.Parameters = append(c.Parameters, store.Parameter{Name: "prompt", Source: store.FromConstant, Value: g.text(), In: []string{"authorize"}})
		},
		func(c *store.Connection) {
			c.Parameters = append(c.Parameters, store.Parameter{Name: "audience", Source: store.FromConfiguration, Value: "client_id", In: []string{"token"}, As: pick(g, "form", "header")})
		},
		func(c *store.Connection) { c.Profile.AllowedHosts = []string{"api.acme.example"} },
		func(c *store.Connection) {
			c.Selectors.Custom = map[string]profile.Selector{"groups": {Path: "$.groups[*]", Cardinality: profile.List, Missing: []string{g.text()}, Optional: g.maybe()}}
		},
		func(c *store.Connection) {
			c.Selectors.EmailVerified = profile.Selector{Path: "verified", TrueAs: []string{"true", "1"}}
		},
		func(c *store.Connection) { c.TrustEmail = "always" },
		func(c *store.Connection) { c.AllowPrivateNetwork = true },
		func(c *store.Connection) { c.Algorithms = []string{"ES256", "RS256"} },
		func(c *store.Connection) { c.ACRValues = []string{"urn:acme:loa:2"} },
		func(c *store.Connection) { c.Grant, c.ServerOnly = store.GrantPassword, true },
		func(c *store.Connection) { c.Grant, c.ExtensionGrantType = store.GrantExtension, "urn:acme:grant" },
		func(c *store.Connection) { c.RefreshLogin, c.RefreshOutageSeconds = true, seconds },
		func(c *store.Connection) { c.MaxSessionSeconds = 10 * seconds },
		func(c *store.Connection) { c.IdleSessionSeconds = seconds },
		func(c *store.Connection) { c.ServerOnly = true },
		func(c *store.Connection) { c.ConcurrentLogins = pick(g, "one", "one_per_app") },
	}
	g.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

func (g *generator) client(id string) {
	kind := pick(g, store.ClientNative, store.ClientWeb, store.ClientSPA, store.ClientService)
	c := configuration.Client{Client: store.Client{
		ID: id, Type: kind, Name: g.text(), Disabled: g.maybe(), AuthMethod: "none", GrantTypes: []string{"authorization_code", "refresh_token"},
		Scopes: g.list(3, func(i int) string { return []string{"openid", "profile", "a:b"}[i] }), RedirectURIs: []string{"https://app.example/cb"},
		Audiences: g.list(2, func(int) string { return "https://api.example/" + id }), ResponseModes: g.list(2, func(i int) string { return []string{"query", "form_post"}[i] }),
		ThirdParty: g.maybe(), OpaqueToken: g.maybe(), IDTokenAlg: pick(g, "", "ES256", "RS256"), ForwardParameters: g.list(1, func(int) string { return "brand" }),
		AccessTokenSeconds: int64(pick(g, 0, 30, 3600)), RefreshIdleSeconds: int64(pick(g, 0, 30, 3600)), RefreshAbsoluteSeconds: int64(pick(g, 0, 30, 3600)),
		Origins: g.list(1, func(int) string { return "https://app.example" }), LogoURI: pick(g, "", "https://app.example/l.png"), PolicyURI: pick(g, "", "https://app.example/p"), TermsURI: pick(g, "", "https://app.example/t"),
		PostLogoutRedirectURIs: g.list(1, func(int) string { return "https://app.example/out" }),
	}}
	switch kind {
	case store.ClientNative:
		c.RedirectURIs = []string{"com.example.app:/cb", "https://app.example/cb"}
	case store.ClientService:
		c.GrantTypes, c.RedirectURIs, c.PostLogoutRedirectURIs = []string{"client_credentials"}, nil, nil
	}
	if !c.Public() {
		c.AuthMethod, c.InsecurePKCEOptional, c.DirectGrants = pick(g, "client_secret_basic", "client_secret_post"), g.maybe(), g.maybe()
		if g.IntN(4) > 0 {
			c.ClientSecret = g.secret(id, "ghs_"+strings.Repeat(fmt.Sprint(g.IntN(10)), 40))
		}
	}
	if kind != store.ClientService {
		c.RequireAssignment = g.maybe()
	}
	for _, o := range g.doc.Organizations {
		if g.IntN(3) == 0 {
			c.Organizations = append(c.Organizations, o.ID)
		}
	}
	for _, x := range g.doc.Connections {
		if g.IntN(3) == 0 {
			c.Connections = append(c.Connections, x.ID)
		}
	}
	if admin.ValidateClient(&c.Client) == nil {
		g.doc.Clients = append(g.doc.Clients, c)
	}
}
