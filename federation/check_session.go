package federation

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gatehouse/store"
)

// extensionGrant is an absolute URI (RFC 6749 §4.5) or a plain name.
var extensionGrant = regexp.MustCompile(`\A[A-Za-z][A-Za-z0-9+.:/_-]{1,255}\z`)

// grant checks how people sign in here.
func (c *checker) grant() {
	conn := c.conn
	if !c.word("grant", conn.Grant, "", "authorization_code", store.GrantPassword, store.GrantJWTBearer, store.GrantExtension, store.GrantClientCredentials) {
		return
	}
	if conn.Grant == store.GrantExtension {
		standard := []string{
			"authorization_code", "refresh_token", "password", "client_credentials", "implicit",
			"urn:ietf:params:oauth:grant-type:jwt-bearer",
		}
		switch g := conn.ExtensionGrantType; {
		case !extensionGrant.MatchString(g):
			c.fault("extension_grant_type", "is missing or not a grant type", "write what the provider expects as grant_type, such as urn:provider:grant:device")
		case slices.Contains(standard, strings.ToLower(g)):
			c.fault("extension_grant_type", "is a grant of its own", "set grant to it, or use another")
		}
	} else {
		c.unused(conn.ExtensionGrantType != "", "extension_grant_type", `the grant is not "extension"`)
	}
	if conn.Grant == store.GrantJWTBearer {
		switch a := conn.AssertionConnection; {
		case !slugPattern.MatchString(a):
			c.fault("assertion_connection", "is missing or not a connection's id", "name the connection whose token is the assertion")
		case a == conn.ID:
			c.fault("assertion_connection", "is this connection itself", "name the connection whose token is the assertion")
		}
	} else {
		c.unused(conn.AssertionConnection != "", "assertion_connection", `the grant is not "jwt_bearer"`)
	}
	if c.browser() {
		return
	}
	const because = "this grant has no browser"
	c.unused(conn.InsecureNoPKCE, "insecure_no_pkce", because)
	c.unused(conn.InsecureNoNonce && c.oidc(), "insecure_no_nonce", because)
	c.unused(conn.RefreshLogin, "refresh_login", "credentials of a grant without browser, refresh tokens included, are never kept")
	if conn.Grant == store.GrantClientCredentials && conn.ClientAuth == store.AuthNone {
		c.fault("client_auth", `is "none", and this grant has nothing but the client's own credentials`, `use "header", "form" or "private_key_jwt"`)
	}
}

// Bounds of durations, in seconds.
const (
	minSession = 60
	maxSession = 400 * 24 * 3600
	maxOutage  = 7 * 24 * 3600
)

// sessions checks what becomes of a login.
func (c *checker) sessions() {
	conn := c.conn
	c.seconds("max_session_seconds", conn.MaxSessionSeconds, minSession, maxSession)
	c.seconds("idle_session_seconds", conn.IdleSessionSeconds, minSession, maxSession)
	if conn.MaxSessionSeconds > 0 && conn.IdleSessionSeconds > conn.MaxSessionSeconds {
		c.fault("idle_session_seconds", "is longer than max_session_seconds, which ends the session first", "make it shorter, or leave it out")
	}
	if conn.RefreshLogin {
		c.seconds("refresh_outage_seconds", conn.RefreshOutageSeconds, minSession, maxOutage)
	} else {
		c.unused(conn.RefreshOutageSeconds != 0, "refresh_outage_seconds", "refresh_login is off")
	}
	c.word("concurrent_logins", conn.ConcurrentLogins, "", "unlimited", "one_per_app", "one")
}

// seconds checks a duration; 0 is the default.
func (c *checker) seconds(path string, value, least, most int64) {
	if value != 0 && (value < least || value > most) {
		c.fault(path, "is out of range", fmt.Sprintf("use %d to %d seconds, or 0 for the default", least, most))
	}
}
