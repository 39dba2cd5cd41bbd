package federation

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"

	"gatehouse/store"
)

// keyAlg is the algorithm a connection's PrivateKey signs with.
func keyAlg(conn *store.Connection) string {
	if conn.Apple != nil {
		return "ES256" // the only one Apple takes
	}
	return cmp.Or(conn.ClientAuthAlg, "ES256")
}

// readConnectionKey checks a key against its algorithm. PEM comes back as DER;
// der is empty when it was DER already. Problems never quote the key.
func readConnectionKey(sealed store.Sealed, alg string) (der store.Secret, problem, fix string) {
	secret, err := sealed.Reveal()
	if err != nil {
		return "", "cannot be opened", "paste the key again"
	}
	raw := []byte(secret.Reveal())
	if block, _ := pem.Decode(raw); block != nil {
		raw, der = block.Bytes, store.Secret(block.Bytes)
	}
	key, err := x509.ParsePKCS8PrivateKey(raw)
	if err != nil {
		return "", "is not a PKCS #8 private key", `paste the file that begins with "-----BEGIN PRIVATE KEY-----"`
	}
	switch key := key.(type) {
	case *ecdsa.PrivateKey:
		if alg != "ES256" || key.Curve != elliptic.P256() {
			return "", "does not fit " + alg, fitting(alg)
		}
	case *rsa.PrivateKey:
		if alg == "ES256" {
			return "", "does not fit " + alg, fitting(alg)
		}
		if bits := key.N.BitLen(); bits < minRSA || bits > 8192 {
			return "", fmt.Sprintf("has %d bits", bits), fmt.Sprintf("use an RSA key of %d to 8192 bits", minRSA)
		}
	default:
		return "", "is of a kind that " + alg + " does not use", fitting(alg)
	}
	return der, "", ""
}

func fitting(alg string) string {
	if alg == "ES256" {
		return "use a key on the curve P-256"
	}
	return "use an RSA key, or set client_auth_alg to ES256 for an elliptic one"
}
