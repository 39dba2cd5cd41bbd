package federation

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/store"
)

// minRSA is the smallest RSA key that we sign with, in bits.
const minRSA = 2048

// clientKey is a connection's own key (Connection.PrivateKey), ready to sign.
type clientKey struct {
	id      string // RFC 7638 thumbprint of the public half
	alg     jose.SignatureAlgorithm
	private crypto.Signer
}

// NewClientKey makes a key for private_key_jwt, as Connection.PrivateKey keeps
// it (PKCS #8 DER); alg is Connection.ClientAuthAlg.
func NewClientKey(alg string) (store.Secret, error) {
	var key crypto.Signer
	var err error
	switch alg {
	case "", string(jose.ES256):
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case string(jose.RS256), string(jose.PS256):
		key, err = rsa.GenerateKey(rand.Reader, minRSA)
	default:
		return "", fault(BlameOurs, CodeConnectionInvalid, "client_auth_alg %q is not known", alg)
	}
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return store.Secret(der), err
}

// ClientKeySet is the public half of a connection's key as the JWKS to register
// at its provider.
func ClientKeySet(conn store.Connection) (json.RawMessage, error) {
	k, err := loadClientKey(&conn)
	if err != nil {
		return nil, err
	}
	return json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{
		Key: k.private.Public(), KeyID: k.id, Algorithm: string(k.alg), Use: "sig",
	}}})
}

// loadClientKey opens and checks a connection's key. PEM is read as well: it is
// how Apple hands its keys out.
func loadClientKey(conn *store.Connection) (*clientKey, error) {
	secret, err := conn.PrivateKey.Reveal()
	if err != nil {
		return nil, fault(BlameOurs, CodeConnectionInvalid, "the connection's key cannot be opened: %w", err)
	}
	der := []byte(secret.Reveal())
	if block, _ := pem.Decode(der); block != nil {
		der = block.Bytes
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil { // not wrapped: parsers quote what they read
		return nil, fault(BlameOurs, CodeConnectionInvalid, "the connection's key is missing or not PKCS #8")
	}
	k := &clientKey{}
	switch private := parsed.(type) {
	case *ecdsa.PrivateKey:
		if private.Curve != elliptic.P256() {
			return nil, fault(BlameOurs, CodeConnectionInvalid, "the connection's key is of a curve other than P-256")
		}
		k.private, k.alg = private, jose.ES256
	case *rsa.PrivateKey:
		if private.N.BitLen() < minRSA {
			return nil, fault(BlameOurs, CodeConnectionInvalid, "the connection's RSA key has fewer than %d bits", minRSA)
		}
		k.private, k.alg = private, jose.RS256
		if conn.ClientAuthAlg == string(jose.PS256) {
			k.alg = jose.PS256
		}
	default:
		return nil, fault(BlameOurs, CodeConnectionInvalid, "the connection's key is neither elliptic (P-256) nor RSA")
	}
	if want := keyAlg(conn); string(k.alg) != want {
		return nil, fault(BlameOurs, CodeConnectionInvalid, "the connection's key does not sign with %s", quoted(want))
	}
	public := jose.JSONWebKey{Key: k.private.Public()}
	sum, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fault(BlameOurs, CodeConnectionInvalid, "the connection's key has no thumbprint")
	}
	k.id = base64.RawURLEncoding.EncodeToString(sum)
	return k, nil
}
