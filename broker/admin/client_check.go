package admin

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"gatehouse/store"
)

var (
	clientIDPattern = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$`)
	scopePattern    = regexp.MustCompile(`^[\x21\x23-\x5B\x5D-\x7E]{1,128}$`) // RFC 6749 §3.3
)

// Longest lifetimes a client may have, in seconds.
const (
	maxAccessSeconds  = 24 * 3600
	maxRefreshSeconds = 400 * 24 * 3600
)

// ValidateClient checks everything about a client that can be checked without
// looking elsewhere and returns all faults at once, joined, each a
// *profile.FieldError with the path of its field.
func ValidateClient(c *store.Client) error {
	var f faults
	if !clientIDPattern.MatchString(c.ID) {
		f.add("id", "must be 1 to 64 letters, digits, and inner dots, hyphens or underscores")
	}
	f.text("name", c.Name, 200, true)
	switch c.Type {
	case store.ClientNative, store.ClientWeb, store.ClientSPA, store.ClientService:
	default:
		f.add("type", "must be native, web, spa or service")
		return f.join()
	}
	checkClientAuth(&f, c)
	checkGrantTypes(&f, c)
	checkRedirects(&f, c)
	checkScopes(&f, c)
	checkOrigins(&f, c)
	if c.InsecurePKCEOptional && c.Public() {
		f.add("insecure_pkce_optional", "is for confidential clients only")
	}
	if c.RequireAssignment && c.Type == store.ClientService {
		f.add("require_assignment", "is for apps that people sign in to")
	}
	if c.IDTokenAlg != "" && c.IDTokenAlg != "ES256" && c.IDTokenAlg != "RS256" {
		f.add("id_token_alg", "must be ES256 or RS256")
	}
	lifetime := func(path string, v, most int64) {
		if v != 0 && (v < 30 || v > most) {
			f.add(path, "must be 0 or from 30 to %d", most)
		}
	}
	lifetime("access_token_seconds", c.AccessTokenSeconds, maxAccessSeconds)
	lifetime("refresh_idle_seconds", c.RefreshIdleSeconds, maxRefreshSeconds)
	lifetime("refresh_absolute_seconds", c.RefreshAbsoluteSeconds, maxRefreshSeconds)
	f.webURL("logo_uri", c.LogoURI)
	f.webURL("policy_uri", c.PolicyURI)
	f.webURL("terms_uri", c.TermsURI)
	return f.join()
}

func checkClientAuth(f *faults, c *store.Client) {
	switch {
	case c.Public() && c.AuthMethod != "none":
		f.add("auth_method", "must be none: %s clients cannot keep a secret", c.Type)
	case !c.Public() && c.AuthMethod != "client_secret_basic" && c.AuthMethod != "client_secret_post":
		f.add("auth_method", "must be client_secret_basic or client_secret_post")
	}
	if c.Public() && len(c.Secrets) > 0 {
		f.add("type", "public clients have no secret")
	}
}

func checkGrantTypes(f *faults, c *store.Client) {
	allowed := []string{"authorization_code", "refresh_token"}
	switch c.Type {
	case store.ClientService:
		allowed = []string{"client_credentials"}
	case store.ClientWeb:
		allowed = append(allowed, "client_credentials")
	}
	if len(c.GrantTypes) == 0 {
		f.add("grant_types", "must name at least one")
	}
	for i, g := range c.GrantTypes {
		if !slices.Contains(allowed, g) {
			f.add(indexed("grant_types", i), "must be one of %s", strings.Join(allowed, ", "))
		}
		if slices.Index(c.GrantTypes, g) < i {
			f.add(indexed("grant_types", i), "is there twice")
		}
	}
	if slices.Contains(c.GrantTypes, "refresh_token") && !slices.Contains(c.GrantTypes, "authorization_code") {
		f.add("grant_types", "refresh_token needs authorization_code")
	}
	for i, m := range c.ResponseModes {
		if m != "query" && m != "form_post" {
			f.add(indexed("response_modes", i), "must be query or form_post")
		}
	}
}

func checkRedirects(f *faults, c *store.Client) {
	if c.Type != store.ClientService && slices.Contains(c.GrantTypes, "authorization_code") && len(c.RedirectURIs) == 0 {
		f.add("redirect_uris", "must name at least one")
	}
	check := func(path string, uris []string) {
		if len(uris) > 50 {
			f.add(path, "must be at most 50")
			return
		}
		for i, uri := range uris {
			if problem := redirectFault(c.Type, uri); problem != "" {
				f.add(indexed(path, i), "%s", problem)
			}
			if slices.Index(uris, uri) < i {
				f.add(indexed(path, i), "is there twice")
			}
		}
	}
	check("redirect_uris", c.RedirectURIs)
	check("post_logout_redirect_uris", c.PostLogoutRedirectURIs)
}

func checkScopes(f *faults, c *store.Client) {
	if len(c.Scopes) > 100 {
		f.add("scopes", "must be at most 100")
		return
	}
	for i, s := range c.Scopes {
		switch {
		case !scopePattern.MatchString(s):
			f.add(indexed("scopes", i), "must be 1 to 128 visible ASCII characters without quote and backslash")
		case strings.Contains(s, "*"):
			f.add(indexed("scopes", i), "must not hold a wildcard: scopes are compared exactly")
		case slices.Index(c.Scopes, s) < i:
			f.add(indexed("scopes", i), "is there twice")
		}
	}
	for i, a := range c.Audiences {
		if a == "" || len(a) > 512 || !visibleASCII(a) {
			f.add(indexed("audiences", i), "must be 1 to 512 visible ASCII characters")
		}
	}
}

// checkOrigins: CORS compares these byte by byte, so "*" or a path would be a
// mistake that silently never matches, or matches everything.
func checkOrigins(f *faults, c *store.Client) {
	for i, o := range c.Origins {
		u, err := url.Parse(o)
		switch {
		case err != nil || !visibleASCII(o) || strings.Contains(o, "*") || u.Scheme+"://"+u.Host != o || u.Host == "":
			f.add(indexed("origins", i), "must be scheme, host and port only, such as https://app.example")
		case u.Scheme == "https" && httpsFault(u) != "":
			f.add(indexed("origins", i), "%s", httpsFault(u))
		case u.Scheme == "http" && httpFault(u) != "":
			f.add(indexed("origins", i), "%s", httpFault(u))
		case u.Scheme != "https" && u.Scheme != "http":
			f.add(indexed("origins", i), "must be https")
		}
	}
}
