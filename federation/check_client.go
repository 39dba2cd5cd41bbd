package federation

import (
	"regexp"

	"gatehouse/store"
)

// Names Apple gives to teams and keys.
var appleName = regexp.MustCompile(`\A[A-Z0-9]{10}\z`)

// client checks how we prove at the provider who we are.
func (c *checker) client() {
	conn := c.conn
	anonymous := conn.ClientAuth == store.AuthNone && !c.browser()
	if !visible(conn.ClientID, 512) && !(conn.ClientID == "" && anonymous) {
		c.fault("client_id", "is missing or has characters that no client id has", "copy it from the provider's registration")
	}
	if !c.word("client_auth", conn.ClientAuth, store.AuthHeader, store.AuthForm, store.AuthPrivateKeyJWT, store.AuthNone) {
		return
	}
	secret := !conn.ClientSecret.IsZero()
	switch {
	case conn.Apple != nil:
		c.apple(secret)
	case conn.ClientAuth == store.AuthPrivateKeyJWT:
		c.unused(secret, "client_secret", "private_key_jwt proves it with a key")
		if conn.Issuer == "" && !c.oidc() {
			c.fault("issuer", "is missing, and private_key_jwt makes its assertions out to it", "write the provider's issuer")
		}
	case conn.ClientAuth == store.AuthNone:
		if secret {
			c.fault("client_secret", "is set and would not be used", `remove it, or set client_auth to "header" or "form"`)
		}
		if conn.InsecureNoPKCE && c.browser() {
			c.fault("insecure_no_pkce", "leaves a client without secret unprotected", "keep PKCE on")
		}
	case !secret:
		c.fault("client_secret", "is missing", `copy it from the provider, or set client_auth to "none" for a public client`)
	}
	c.key()
}

// apple checks the pieces of Apple's client secret, a JWT we sign.
func (c *checker) apple(secret bool) {
	if a := c.conn.ClientAuth; a != store.AuthForm && a != store.AuthHeader {
		c.fault("client_auth", "does not go with apple, whose signed JWT is a client secret", `use "form"`)
	}
	c.unused(secret, "client_secret", "it is made from apple and private_key")
	if !appleName.MatchString(c.conn.Apple.TeamID) {
		c.fault("apple.team_id", "is not a team id", "copy the ten characters from the membership page of Apple Developer")
	}
	if !appleName.MatchString(c.conn.Apple.KeyID) {
		c.fault("apple.key_id", "is not a key id", "copy the ten characters of the key with Sign in with Apple enabled")
	}
	if c.conn.PrivateKey.IsZero() {
		c.fault("private_key", "is missing", "paste the .p8 file that Apple lets you download once")
	}
}

// key checks the private key, in PEM or DER, and leaves it as PKCS #8 DER.
func (c *checker) key() {
	conn := c.conn
	asserts := conn.ClientAuth == store.AuthPrivateKeyJWT && conn.Apple == nil
	known := c.word("client_auth_alg", conn.ClientAuthAlg, "", "ES256", "RS256", "PS256")
	c.unused(known && !asserts && conn.ClientAuthAlg != "", "client_auth_alg", "it is for private_key_jwt")
	if !asserts && conn.Apple == nil {
		c.unused(!conn.PrivateKey.IsZero(), "private_key", "it is for private_key_jwt and apple")
		return
	}
	if !known {
		return
	}
	alg := keyAlg(conn)
	if conn.PrivateKey.IsZero() {
		if asserts {
			key, err := NewClientKey(alg)
			if err != nil {
				c.fault("private_key", "cannot be made: "+err.Error(), "try again, or paste a key")
				return
			}
			conn.PrivateKey = store.Seal(key)
		}
		return
	}
	der, problem, fix := readConnectionKey(conn.PrivateKey, alg)
	if problem != "" {
		c.fault("private_key", problem, fix)
		return
	}
	if der != "" { // it was PEM
		conn.PrivateKey = store.Seal(der)
	}
}
