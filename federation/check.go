package federation

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"gatehouse/profile"
	"gatehouse/store"
)

// Values of store.Connection fields that are words.
const (
	TrustVerified = "verified"
	TrustAlways   = "always"
	LoginHintOn   = "on"
	LoginHintOff  = "off"
)

var slugPattern = regexp.MustCompile(`\A[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\z`)

// CheckConnection fills a connection's defaults and checks everything that can
// be checked without asking the provider. All faults are reported at once,
// joined, each a *profile.FieldError. That the organization has proven the
// domains is the caller's to check, inside the transaction that saves.
func (f *Federation) CheckConnection(conn *store.Connection) error {
	fillDefaults(conn)
	c := &checker{policy: f.client.policy, conn: conn}
	c.names()
	c.provider()
	c.client()
	c.domains()
	c.reading()
	return errors.Join(c.faults...)
}

func fillDefaults(conn *store.Connection) {
	conn.Kind = cmp.Or(conn.Kind, store.KindOIDC)
	conn.ClientAuth = cmp.Or(conn.ClientAuth, store.AuthHeader)
	conn.TrustEmail = cmp.Or(conn.TrustEmail, TrustVerified)
	conn.LoginHint = cmp.Or(conn.LoginHint, LoginHintOn)
	if len(conn.Scopes) == 0 {
		conn.Scopes = []string{"openid", "email", "profile"}
	}
	if s := conn.Selectors; s.FederationID.Path == "" && s.Email.Path == "" && len(s.Custom) == 0 {
		conn.Selectors = profile.DefaultSelectors()
	}
	for i, d := range conn.Domains {
		if canonical, ok := canonicalRule(d); ok {
			conn.Domains[i] = canonical
		}
	}
}

type checker struct {
	policy NetworkPolicy
	conn   *store.Connection
	faults []error
}

func (c *checker) fault(path, problem, fix string) {
	c.faults = append(c.faults, &profile.FieldError{Path: path, Problem: problem, Fix: fix})
}

func (c *checker) names() {
	if !slugPattern.MatchString(c.conn.ID) {
		c.fault("id", "is not a short name", "use 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit")
	}
	if c.conn.OrganizationID == "" {
		c.fault("organization", "is missing", "name the organization the connection belongs to")
	}
	if t := strings.TrimSpace(c.conn.Title); t == "" || len(t) > 100 {
		c.fault("title", "is missing or longer than 100 bytes", "write what people see at sign-in, e.g. the company's name")
	}
	if c.conn.Picture != "" {
		if u, err := url.Parse(c.conn.Picture); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
			c.fault("picture", "is not an https URL", "")
		}
	}
}

func (c *checker) provider() {
	switch c.conn.Kind {
	case store.KindOIDC:
	case store.KindOAuth2:
		c.fault("kind", "oauth2 is not supported yet", "use oidc")
	default:
		c.fault("kind", "is not known", "use oidc")
	}
	if c.conn.Issuer == "" {
		c.fault("issuer", "is missing", "copy it from the provider's discovery document, byte for byte")
	} else {
		c.url("issuer", c.conn.Issuer)
		if u, err := url.Parse(c.conn.Issuer); err == nil && (u.RawQuery != "" || u.ForceQuery) {
			c.fault("issuer", "has a query", "an issuer is scheme, host and path only")
		}
		if strings.ContainsAny(c.conn.Issuer, "{}") {
			c.fault("issuer", "holds a placeholder", "write your own tenant's issuer")
		}
	}
	e := c.conn.Endpoints
	for _, field := range []struct{ name, value string }{
		{"authorize", e.Authorize}, {"token", e.Token}, {"userinfo", e.Userinfo}, {"jwks", e.JWKS}, {"end_session", e.EndSession},
	} {
		if field.value != "" {
			c.url("endpoints."+field.name, field.value)
		}
	}
}

// url checks what can be said of a URL before it is dialed. Placeholders would
// let a token or session choose where we connect (H6).
func (c *checker) url(path, value string) {
	if strings.ContainsAny(value, "{}$<> \t\r\n\\") || len(value) > 2048 {
		c.fault(path, "holds placeholders or characters that no URL has", "write the URL itself")
		return
	}
	if _, _, err := c.policy.reachOf(value, c.conn.AllowPrivateNetwork); err != nil {
		fix := "use an https URL"
		if c.conn.AllowPrivateNetwork {
			fix = "use an https URL, or an address that the operator's configuration lists"
		}
		c.fault(path, "is refused: "+err.Error(), fix)
	}
}

func (c *checker) client() {
	if !visible(c.conn.ClientID, 512) {
		c.fault("client_id", "is missing or has characters that no client id has", "copy it from the provider's registration")
	}
	switch c.conn.ClientAuth {
	case store.AuthHeader, store.AuthForm:
		if c.conn.ClientSecret.IsZero() {
			c.fault("client_secret", "is missing", `copy it from the provider, or set client_auth to "none" for a public client`)
		}
	case store.AuthNone:
		if !c.conn.ClientSecret.IsZero() {
			c.fault("client_secret", "is set and would not be used", `remove it, or set client_auth to "header" or "form"`)
		}
		if c.conn.InsecureNoPKCE {
			c.fault("insecure_no_pkce", "leaves a client without secret unprotected", "keep PKCE on")
		}
	case store.AuthPrivateKeyJWT:
		c.fault("client_auth", "private_key_jwt is not supported yet", `use "header", "form" or "none"`)
	default:
		c.fault("client_auth", "is not known", `use "header", "form" or "none"`)
	}
	if c.conn.InsecureNoPKCE && c.conn.InsecureNoNonce {
		c.fault("insecure_no_nonce", "together with insecure_no_pkce lets anybody's code in", "keep one of the two on")
	}
	if c.conn.Kind == store.KindOIDC && !slices.Contains(c.conn.Scopes, "openid") {
		c.fault("scopes", "do not contain openid", "add openid")
	}
	for i, s := range c.conn.Scopes {
		if !visible(s, 256) || strings.ContainsAny(s, `"\`) || slices.Contains(c.conn.Scopes[:i], s) {
			c.fault(fmt.Sprintf("scopes[%d]", i), "is not a scope, or is there twice", "one scope per entry, without spaces")
		}
	}
	for i, a := range c.conn.ACRValues {
		if !visible(a, 256) {
			c.fault(fmt.Sprintf("acr_values[%d]", i), "is not an acr value", "one value per entry, without spaces")
		}
	}
	for i, a := range c.conn.Algorithms {
		if !slices.Contains(DefaultAlgorithms(), a) {
			c.fault(fmt.Sprintf("algorithms[%d]", i), "is not an algorithm we accept", "use some of "+strings.Join(DefaultAlgorithms(), ", "))
		}
	}
}

func (c *checker) domains() {
	for i, d := range c.conn.Domains {
		path := fmt.Sprintf("domains[%d]", i)
		if _, ok := canonicalRule(d); !ok {
			c.fault(path, "is not a domain", `write "acme.test", "*.acme.test" or "*"`)
		} else if slices.Contains(c.conn.Domains[:i], d) {
			c.fault(path, "is there twice", "remove one")
		}
	}
}

// canonicalRule is a routing rule in the form the matcher looks up.
func canonicalRule(rule string) (string, bool) {
	if rule == "*" {
		return rule, true
	}
	base, wildcard := strings.CutPrefix(rule, "*.")
	domain, err := profile.ParseDomain(base)
	if err != nil {
		return "", false
	}
	if wildcard {
		return "*." + domain, true
	}
	return domain, true
}

func (c *checker) reading() {
	switch c.conn.LoginHint {
	case LoginHintOn, LoginHintOff:
	default:
		c.fault("login_hint", "is not known", `use "on" or "off"`)
	}
	switch c.conn.TrustEmail {
	case TrustVerified, TrustAlways:
	default:
		c.fault("trust_email", "is not known", `use "verified" or "always"`)
	}
	if _, err := profile.Compile(c.conn.Selectors); err != nil {
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			c.faults = append(c.faults, joined.Unwrap()...)
		} else {
			c.faults = append(c.faults, err)
		}
	}
	if splitEmail(c.conn.Selectors) {
		c.fault("selectors.email_verified.source", "is another document than the address is read from",
			"give both the same source, or leave this one out")
	}
	s := c.conn.Selectors
	for _, sel := range []struct {
		name string
		profile.Selector
	}{{"federation_id", s.FederationID}, {"email", s.Email}} {
		if sel.Source == profile.FromProfile && !c.conn.UseUserinfo {
			c.fault("selectors."+sel.name+".source", "is the profile, which is not fetched", "set use_userinfo")
		}
	}
}
