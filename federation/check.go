package federation

import (
	"cmp"
	"errors"
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

// CheckConnection fills a connection's defaults, brings what it can into its
// canonical form, makes a key for private_key_jwt where there is none, and
// checks everything that can be checked without asking the provider. All faults
// are reported at once, joined, each a *profile.FieldError with the field's
// path in JSON. Whether the organization has proven the domains, and whether
// other connections that are named exist, is the caller's to check, inside the
// transaction that saves. What is allowed and still worth a second look is what
// [Federation.ConnectionWarnings] says.
func (f *Federation) CheckConnection(conn *store.Connection) error {
	c := &checker{policy: f.client.policy, publicURL: f.publicURL, conn: conn}
	if conn.Kind == store.KindLocal {
		c.local()
		return errors.Join(c.faults...)
	}
	c.normalise()
	c.names()
	c.provider()
	c.client()
	c.departure()
	c.domains()
	c.parameters()
	c.profile()
	c.selectors()
	c.grant()
	c.sessions()
	return errors.Join(c.faults...)
}

type checker struct {
	policy    NetworkPolicy
	publicURL string
	conn      *store.Connection
	faults    []error
}

func (c *checker) fault(path, problem, fix string) {
	c.faults = append(c.faults, &profile.FieldError{Path: path, Problem: problem, Fix: fix})
}

// unused is the fault of a field that is set and would do nothing: who set it
// expects something.
func (c *checker) unused(set bool, path, because string) {
	if set {
		c.fault(path, "is set and would not be used: "+because, "remove it")
	}
}

// word checks a field that takes one of a few words.
func (c *checker) word(path, value string, words ...string) bool {
	if slices.Contains(words, value) {
		return true
	}
	shown := make([]string, 0, len(words))
	for _, w := range words {
		if w != "" {
			shown = append(shown, `"`+w+`"`)
		}
	}
	c.fault(path, "is not known", "use "+strings.Join(shown, ", "))
	return false
}

func (c *checker) oidc() bool { return c.conn.Kind != store.KindOAuth2 }

// browser reports whether people are sent to the provider with their browser.
func (c *checker) browser() bool { return c.conn.Grant == "" }

// normalise fills defaults and spells equal things in one way.
func (c *checker) normalise() {
	conn := c.conn
	conn.Kind = cmp.Or(conn.Kind, store.KindOIDC)
	if conn.Apple != nil {
		conn.ClientAuth = cmp.Or(conn.ClientAuth, store.AuthForm)
	}
	conn.ClientAuth = cmp.Or(conn.ClientAuth, store.AuthHeader)
	conn.TrustEmail = cmp.Or(conn.TrustEmail, TrustVerified)
	conn.LoginHint = cmp.Or(conn.LoginHint, LoginHintOn)
	conn.ResponseMode = without(conn.ResponseMode, "query")
	conn.Hint.Format = without(conn.Hint.Format, "address")
	conn.Grant = without(conn.Grant, "authorization_code")
	conn.ConcurrentLogins = without(conn.ConcurrentLogins, "unlimited")
	if c.oidc() && len(conn.Scopes) == 0 {
		conn.Scopes = []string{"openid", "email", "profile"}
	}
	if s := conn.Selectors; c.oidc() && s.FederationID.Path == "" && s.Email.Path == "" && len(s.Custom) == 0 {
		conn.Selectors = profile.DefaultSelectors()
	}
	if conn.Kind == store.KindOAuth2 || conn.Profile.Kind != "" {
		conn.UseUserinfo = false // Profile says where the profile is
	}
	for i, d := range conn.Domains {
		if canonical, ok := canonicalRule(d); ok {
			conn.Domains[i] = canonical
		}
	}
	for i, h := range conn.PublicHosts {
		conn.PublicHosts[i] = strings.ToLower(strings.TrimSuffix(h, "/"))
	}
	for i, h := range conn.Profile.AllowedHosts {
		conn.Profile.AllowedHosts[i] = canonicalHost(h)
	}
	for i := range conn.Parameters {
		defaultParameter(&conn.Parameters[i])
	}
}

// without gives "" for the word that means the same.
func without(value, word string) string {
	if value == word {
		return ""
	}
	return value
}

func (c *checker) names() {
	if !slugPattern.MatchString(c.conn.ID) {
		c.fault("id", "is not a short name", "use 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit")
	}
	if c.conn.OrganizationID == "" {
		c.fault("organization", "is missing", "name the organization the connection belongs to")
	}
	c.word("join", string(c.conn.Join), "", string(store.JoinOff), string(store.JoinRequest), string(store.JoinAutomatic))
	if p := c.conn.Preset; p != "" && !slices.Contains(presetNames(), p) {
		c.fault("preset", "is not one of the presets", "use one of "+strings.Join(presetNames(), ", ")+", or leave it out")
	}
	if t := strings.TrimSpace(c.conn.Title); t == "" || len(t) > 100 || profile.Untrusted(t).Clean(100) != t {
		c.fault("title", "is missing, longer than 100 bytes or has invisible characters", "write what people see at sign-in, e.g. the company's name")
	}
	if p := c.conn.Picture; p != "" {
		u, err := url.Parse(p)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || len(p) > 2048 {
			c.fault("picture", "is not an https URL", "use the address of a picture that begins with https://")
		}
	}
}

// url checks what can be said of a URL before it is dialed. Placeholders would
// let a token or session choose where we connect (H6).
func (c *checker) url(path, value string) {
	if strings.ContainsAny(value, "{}$<>\"` \t\r\n\\") || len(value) > 2048 {
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
