package federation

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"gatehouse/store"
)

const (
	appleIssuer = "https://appleid.apple.com"

	clientAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

	// assertionLife of a private_key_jwt: long enough for one request.
	assertionLife = 50 * time.Second
	// appleLife of Apple's secret, which may live six months. A new one is made
	// when less than appleMargin of it is left.
	appleLife   = time.Hour
	appleMargin = 5 * time.Minute
)

// authenticate adds our proof of being the client (RFC 6749 §2.3, RFC 7523 §2.2).
func (f *Federation) authenticate(conn *store.Connection, u *upstream, form url.Values, head http.Header) error {
	switch conn.ClientAuth {
	case "", store.AuthHeader:
		secret, err := f.clientSecret(conn, u)
		if err != nil {
			return err
		}
		pair := url.QueryEscape(conn.ClientID) + ":" + url.QueryEscape(secret.Reveal())
		head.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
	case store.AuthForm:
		secret, err := f.clientSecret(conn, u)
		if err != nil {
			return err
		}
		form.Set("client_id", conn.ClientID)
		form.Set("client_secret", secret.Reveal())
	case store.AuthPrivateKeyJWT:
		assertion, err := f.clientAssertion(conn, u)
		if err != nil {
			return err
		}
		form.Set("client_id", conn.ClientID)
		form.Set("client_assertion_type", clientAssertionType)
		form.Set("client_assertion", assertion)
	case store.AuthNone:
		form.Set("client_id", conn.ClientID)
	default:
		return fault(BlameOurs, CodeConnectionInvalid, "client authentication %q is not known", conn.ClientAuth)
	}
	return nil
}

// clientSecret is the kept one, or Apple's, made on the spot.
func (f *Federation) clientSecret(conn *store.Connection, u *upstream) (store.Secret, error) {
	if conn.Apple != nil {
		return f.appleSecret(conn, u)
	}
	secret, err := conn.ClientSecret.Reveal()
	if err != nil {
		return "", fault(BlameOurs, CodeConnectionInvalid, "client secret cannot be opened: %w", err)
	}
	return secret, nil
}

// clientAssertion proves by signature that we are the client (RFC 7523 §3).
// Its audience is the issuer and nothing else: a token endpoint that a lying
// discovery document names could otherwise pass the assertion on to the
// provider it belongs to (SECURITY-CASES M6).
func (f *Federation) clientAssertion(conn *store.Connection, u *upstream) (string, error) {
	if conn.Issuer == "" {
		return "", fault(BlameOurs, CodeConnectionInvalid, "private_key_jwt needs the provider's issuer: the assertion is made out to it")
	}
	k, err := u.clientKey()
	if err != nil {
		return "", err
	}
	now := f.now()
	return k.sign(k.id, map[string]any{
		"iss": conn.ClientID, "sub": conn.ClientID, "aud": conn.Issuer, "jti": rand.Text(),
		"iat": now.Unix(), "exp": now.Add(assertionLife).Unix(),
	})
}

// appleSecrets caches the secret of one connection at one revision.
type appleSecrets struct {
	mu     sync.Mutex
	secret store.Secret
	until  time.Time
}

// appleSecret is the JWT that Apple takes for a client secret, made from the
// team's key and made anew before it expires.
func (f *Federation) appleSecret(conn *store.Connection, u *upstream) (store.Secret, error) {
	now := f.now()
	u.apple.mu.Lock()
	defer u.apple.mu.Unlock()
	// Also a clock that was set back makes a new one.
	if left := u.apple.until.Sub(now); left > appleMargin && left <= appleLife {
		return u.apple.secret, nil
	}
	k, err := u.clientKey()
	if err != nil {
		return "", err
	}
	if k.alg != jose.ES256 {
		return "", fault(BlameOurs, CodeConnectionInvalid, "Apple's key is an elliptic one of curve P-256")
	}
	audience := conn.Issuer
	if audience == "" {
		audience = appleIssuer
	}
	until := now.Add(appleLife)
	secret, err := k.sign(conn.Apple.KeyID, map[string]any{
		"iss": conn.Apple.TeamID, "sub": conn.ClientID, "aud": audience, "iat": now.Unix(), "exp": until.Unix(),
	})
	if err != nil {
		return "", err
	}
	u.apple.secret, u.apple.until = store.Secret(secret), until
	return u.apple.secret, nil
}

// sign makes a compact JWT.
func (k *clientKey) sign(id string, claims map[string]any) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: k.alg, Key: jose.JSONWebKey{Key: k.private, KeyID: id}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fault(BlameOurs, CodeConnectionInvalid, "the connection's key cannot sign with %s", k.alg)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		return "", fault(BlameOurs, CodeConnectionInvalid, "the connection's key cannot sign")
	}
	return token, nil
}
