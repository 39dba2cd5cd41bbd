package mockidp

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Config describes one provider. The zero value plus an Issuer is a working
// provider with the client "gatehouse"/"mock-secret" and the users alice and bob.
type Config struct {
	// Issuer is the exact issuer identifier, no trailing slash. A path is allowed
	// and prefixes every endpoint. Start and the command fill it in from the listener.
	Issuer string
	// Domain is the e-mail domain of the provider's people. Default "acme.test".
	Domain string
	// Title is shown on the login page. Default: Domain.
	Title string
	// Users by login name: arbitrary JSON profiles. They replace or join alice and
	// bob. A profile is used as written; "sub" is added when it has none.
	Users map[string]map[string]any
	// Clients that may sign people in. Empty: DefaultClient().
	Clients []Client
	// AutoLogin is the no-page mode: a login name signs that person in without a
	// page, "*" signs in the person named by login_hint (a page when there is none).
	AutoLogin string
	// SigningAlg of ID tokens: ES256 (default), RS256, PS256, EdDSA.
	SigningAlg string
	// OmitIssParameter leaves out the RFC 9207 iss parameter and its discovery flag.
	OmitIssParameter bool
	// UserinfoOnly keeps profile claims out of the ID token.
	UserinfoOnly bool
	// AlwaysRefreshToken issues refresh tokens also without scope offline_access.
	AlwaysRefreshToken bool
	// RotateRefreshTokens makes every refresh token single-use.
	RotateRefreshTokens bool
	// RequirePKCE refuses authorize requests without an S256 challenge.
	RequirePKCE bool
	// RequirePAR refuses authorize requests that were not pushed (RFC 9126).
	RequirePAR bool
	// Shape departs from OpenID Connect. The zero value does not.
	Shape Shape
	// Lifetimes; defaults 60 s, 1 h, 5 min, 8 h.
	CodeTTL, AccessTokenTTL, IDTokenTTL, SessionTTL time.Duration
	// SlowDelay is what the *_slow faults wait when they carry no value. Default 3 s.
	SlowDelay time.Duration
	// HugeSize is how many bytes the *_huge faults send. Default 8 MiB.
	HugeSize int
	// Faults armed from the start until cleared, as "name" or "name:value".
	Faults []string
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Logger gets one line per request at debug level. Default: silent.
	Logger *slog.Logger
}

// Client is an application that may use the provider.
type Client struct {
	ID string
	// Secret is empty for public clients and for private_key_jwt.
	Secret string
	// SecretJWT takes the place of Secret: a client secret the client signs.
	SecretJWT *SecretJWT
	// AuthMethods allowed at the token endpoint. Empty: client_secret_basic and
	// client_secret_post with a Secret, private_key_jwt with Keys, else none.
	AuthMethods []string
	// Keys verify private_key_jwt assertions.
	Keys *jose.JSONWebKeySet
	// RedirectURIs are compared byte by byte.
	RedirectURIs []string
	// RedirectPrefixes allow every URI that starts with one of them; each has
	// scheme, host and at least the path "/".
	RedirectPrefixes []string
	// LoopbackRedirects allows http on localhost, 127.0.0.1 and [::1], any port and path.
	LoopbackRedirects bool
	// InsecureAnyRedirect allows every absolute redirect URI. Open redirector: tests only.
	InsecureAnyRedirect bool
	// PostLogoutRedirectURIs are compared byte by byte; where one of the two loose
	// rules above applies, it applies here too.
	PostLogoutRedirectURIs []string
}

// DefaultClient is the client that exists when none is configured.
func DefaultClient() Client {
	return Client{ID: "gatehouse", Secret: "mock-secret", LoopbackRedirects: true}
}

func signingAlgs() []string { return []string{"ES256", "RS256", "PS256", "EdDSA"} }

func authMethods() []string {
	return []string{"client_secret_basic", "client_secret_post", "private_key_jwt", "none"}
}

func (c Config) withDefaults() Config {
	if c.Domain == "" {
		c.Domain = "acme.test"
	}
	c.Shape.PKCENames = c.Shape.PKCENames.withDefaults()
	if c.Shape.PlainOAuth2 {
		c.OmitIssParameter = true
	}
	if c.Title == "" {
		c.Title = c.Domain
	}
	if len(c.Clients) == 0 {
		c.Clients = []Client{DefaultClient()}
	}
	if c.SigningAlg == "" {
		c.SigningAlg = "ES256"
	}
	if c.HugeSize == 0 {
		c.HugeSize = 8 << 20
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&c.CodeTTL, time.Minute},
		{&c.AccessTokenTTL, time.Hour},
		{&c.IDTokenTTL, 5 * time.Minute},
		{&c.SessionTTL, 8 * time.Hour},
		{&c.SlowDelay, 3 * time.Second},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return c
}

// ConfigError is one fault of a configuration, at Path ("clients[0].id") and, when
// it came from a file, on Line.
type ConfigError struct {
	Path    string
	Line    int
	Problem string
}

func (e *ConfigError) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("line %d: %s: %s", e.Line, e.Path, e.Problem)
	}
	return e.Path + ": " + e.Problem
}

// check reports every fault of a configuration with defaults filled in.
func (c Config) check() error {
	var faults []error
	fault := func(path, format string, args ...any) {
		faults = append(faults, &ConfigError{Path: path, Problem: fmt.Sprintf(format, args...)})
	}
	if problem := checkIssuer(c.Issuer); problem != "" {
		fault("issuer", "%s", problem)
	}
	if strings.ContainsAny(c.Domain, "@/ *") || !strings.Contains(c.Domain, ".") {
		fault("domain", "%q is not an e-mail domain such as acme.test", c.Domain)
	}
	if !slices.Contains(signingAlgs(), c.SigningAlg) {
		fault("signing_alg", "%q is none of %s", c.SigningAlg, strings.Join(signingAlgs(), ", "))
	}
	for path, d := range map[string]time.Duration{
		"code_ttl": c.CodeTTL, "access_token_ttl": c.AccessTokenTTL, "id_token_ttl": c.IDTokenTTL,
		"session_ttl": c.SessionTTL, "slow_delay": c.SlowDelay,
	} {
		if d < 0 || d > 10*365*24*time.Hour {
			fault(path, "must be a positive duration such as 60s")
		}
	}
	if c.HugeSize < 0 || c.HugeSize > 1<<30 {
		fault("huge_size", "must be between 1 and 1073741824 bytes")
	}
	c.Shape.check(fault)
	ids := map[string]bool{}
	for i, client := range c.Clients {
		for _, f := range client.check() {
			fault(fmt.Sprintf("clients[%d].%s", i, f.Path), "%s", f.Problem)
		}
		if client.ID != "" && ids[client.ID] {
			fault(fmt.Sprintf("clients[%d].id", i), "%q is used twice", client.ID)
		}
		ids[client.ID] = true
	}
	for name := range c.Users {
		if problem := checkUsername(name); problem != "" {
			fault("users."+name, "%s", problem)
		}
	}
	if c.AutoLogin != "" && c.AutoLogin != autoFromHint {
		if problem := checkUsername(c.AutoLogin); problem != "" {
			fault("auto_login", "%s", problem)
		}
	}
	for i, f := range c.Faults {
		if _, err := parseArmed(f); err != nil {
			fault(fmt.Sprintf("faults[%d]", i), "%v", err)
		}
	}
	slices.SortStableFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(faults...)
}

func checkIssuer(issuer string) string {
	u, err := url.Parse(issuer)
	switch {
	case issuer == "":
		return "is required, for example http://localhost:9101"
	case err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
		return fmt.Sprintf("%q is not an http or https URL", issuer)
	case u.RawQuery != "" || u.Fragment != "" || u.User != nil || strings.HasSuffix(issuer, "?") || strings.HasSuffix(issuer, "#"):
		return "must have no query, fragment or user (OpenID Connect Discovery 1.0, section 3)"
	case strings.HasSuffix(issuer, "/"):
		return "must not end in a slash"
	}
	return ""
}

func (c Client) check() []ConfigError {
	var faults []ConfigError
	fault := func(path, format string, args ...any) {
		faults = append(faults, ConfigError{Path: path, Problem: fmt.Sprintf(format, args...)})
	}
	if c.ID == "" {
		fault("id", "is required")
	}
	for i, m := range c.AuthMethods {
		path := fmt.Sprintf("auth_methods[%d]", i)
		switch {
		case !slices.Contains(authMethods(), m):
			fault(path, "%q is none of %s", m, strings.Join(authMethods(), ", "))
		case strings.HasPrefix(m, "client_secret") && c.Secret == "" && c.SecretJWT == nil:
			fault(path, "%s needs a secret", m)
		case m == "private_key_jwt" && (c.Keys == nil || len(c.Keys.Keys) == 0):
			fault(path, "private_key_jwt needs jwks")
		}
	}
	for i, uri := range c.RedirectURIs {
		if u, err := url.Parse(uri); err != nil || u.Scheme == "" || u.Fragment != "" {
			fault(fmt.Sprintf("redirect_uris[%d]", i), "%q is not an absolute URI without fragment", uri)
		}
	}
	for i, uri := range c.PostLogoutRedirectURIs {
		if u, err := url.Parse(uri); err != nil || u.Scheme == "" {
			fault(fmt.Sprintf("post_logout_redirect_uris[%d]", i), "%q is not an absolute URI", uri)
		}
	}
	for i, prefix := range c.RedirectPrefixes {
		// Without a path, http://app.test would also allow http://app.test.evil.example.
		if u, err := url.Parse(prefix); err != nil || u.Host == "" || !strings.HasPrefix(u.Path, "/") {
			fault(fmt.Sprintf("redirect_prefixes[%d]", i), "%q needs scheme, host and a path, at least /", prefix)
		}
	}
	return faults
}

func (c Client) methods() []string {
	switch {
	case len(c.AuthMethods) > 0:
		return c.AuthMethods
	case c.Secret != "" || c.SecretJWT != nil:
		return []string{"client_secret_basic", "client_secret_post"}
	case c.Keys != nil:
		return []string{"private_key_jwt"}
	}
	return []string{"none"}
}

func (c Client) redirectAllowed(uri string) bool {
	return c.uriAllowed(uri, c.RedirectURIs)
}

func (c Client) uriAllowed(uri string, exact []string) bool {
	if slices.Contains(exact, uri) {
		return true
	}
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" || u.Fragment != "" || u.User != nil {
		return false
	}
	if c.InsecureAnyRedirect && u.Scheme != "javascript" && u.Scheme != "data" {
		return true
	}
	if c.LoopbackRedirects && u.Scheme == "http" && slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname()) {
		return true
	}
	return slices.ContainsFunc(c.RedirectPrefixes, func(p string) bool { return strings.HasPrefix(uri, p) })
}
