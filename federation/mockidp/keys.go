package mockidp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/go-jose/go-jose/v4"
)

// signingKey signs compact JWS. The signing itself is done with crypto and not with
// go-jose, because a library that refuses to lie cannot serve the faults.
type signingKey struct {
	alg, kid string
	private  crypto.Signer
	use      string // "sig"; "enc" for the enc_key fault
}

func newSigningKey(alg string) (*signingKey, error) {
	k := &signingKey{alg: alg, kid: rand.Text()[:12], use: "sig"}
	var err error
	switch alg {
	case "ES256":
		k.private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "RS256", "PS256":
		k.private, err = rsa.GenerateKey(rand.Reader, 2048)
	case "EdDSA":
		_, k.private, err = ed25519.GenerateKey(rand.Reader)
	default:
		err = fmt.Errorf("unknown algorithm %q", alg)
	}
	return k, err
}

// sign answers the JWS signature of the signing input (RFC 7515, section 5.1).
func (k *signingKey) sign(input []byte) ([]byte, error) {
	digest := sha256.Sum256(input)
	switch key := k.private.(type) {
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
		if err != nil {
			return nil, fmt.Errorf("signing: %w", err)
		}
		sig := make([]byte, 64)
		r.FillBytes(sig[:32])
		s.FillBytes(sig[32:])
		return sig, nil
	case *rsa.PrivateKey:
		if k.alg == "PS256" {
			return rsa.SignPSS(rand.Reader, key, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		}
		return rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	case ed25519.PrivateKey:
		return ed25519.Sign(key, input), nil
	}
	return nil, fmt.Errorf("no way to sign with %T", k.private)
}

func (k *signingKey) public() jose.JSONWebKey {
	return jose.JSONWebKey{Key: k.private.Public(), KeyID: k.kid, Algorithm: k.alg, Use: k.use}
}

// Rotation says what happens to the keys that signed before. The zero value keeps
// them published, as a careful provider does.
type Rotation struct {
	// DropOld removes every other key from the JWKS at once.
	DropOld bool `json:"drop_old"`
	// ReuseKID gives the fresh key the kid of the current one (and drops that).
	ReuseKID bool `json:"reuse_kid"`
}

// keyring holds the signing key, the earlier ones still published, and those that
// faults published. The encoded JWKS is kept until a key changes.
type keyring struct {
	alg     string
	mu      sync.RWMutex
	current *signingKey
	earlier []*signingKey
	extras  map[string]*signingKey // by fault
	encoded []byte
}

func newKeyring(alg string) (*keyring, error) {
	k := &keyring{alg: alg, extras: map[string]*signingKey{}}
	_, err := k.rotate(Rotation{})
	return k, err
}

// maxEarlier bounds the JWKS under endless rotation.
const maxEarlier = 4

func (k *keyring) rotate(r Rotation) (kid string, err error) {
	fresh, err := newSigningKey(k.alg) // outside the lock: RSA takes its time
	if err != nil {
		return "", fmt.Errorf("rotating the signing key: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if old := k.current; old != nil {
		if r.ReuseKID {
			fresh.kid = old.kid
		} else {
			k.earlier = append([]*signingKey{old}, k.earlier...)
		}
	}
	if r.DropOld {
		k.earlier = nil
	}
	k.earlier = k.earlier[:min(len(k.earlier), maxEarlier)]
	k.current = fresh
	return fresh.kid, k.encode()
}

func (k *keyring) signer() *signingKey {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.current
}

// extra is the key that a fault publishes beside the others, made once.
func (k *keyring) extra(name, use string) (*signingKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if key := k.extras[name]; key != nil {
		return key, nil
	}
	key, err := newSigningKey(k.alg)
	if err != nil {
		return nil, err
	}
	key.use = use
	k.extras[name] = key
	return key, k.encode()
}

// dropExtras unpublishes what faults published.
func (k *keyring) dropExtras() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.extras)
	_ = k.encode() // the same keys were encoded before
}

// published are all keys of the JWKS, the current one first. Callers hold the lock.
func (k *keyring) published() []*signingKey {
	keys := append([]*signingKey{k.current}, k.earlier...)
	for _, e := range k.extras {
		keys = append(keys, e)
	}
	return keys
}

func (k *keyring) encode() (err error) {
	var set jose.JSONWebKeySet
	for _, key := range k.published() {
		set.Keys = append(set.Keys, key.public())
	}
	k.encoded, err = json.Marshal(set)
	return err
}

// jwks is the encoded key set; callers must not change it.
func (k *keyring) jwks() []byte {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.encoded
}

// lookup finds a published key, for tokens that come back (id_token_hint).
func (k *keyring) lookup(kid string) *signingKey {
	k.mu.RLock()
	defer k.mu.RUnlock()
	for _, key := range k.published() {
		if key.kid == kid {
			return key
		}
	}
	return nil
}
