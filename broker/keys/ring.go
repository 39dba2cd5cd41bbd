package keys

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/store"
)

// Algorithms we sign with. ES256 is the default; RS256 is there because OpenID
// Connect Core §15.1 requires it, and costs about twenty times as much.
const (
	ES256 = "ES256"
	RS256 = "RS256"
)

// Config of a Ring. Store is required; the durations have safe defaults.
type Config struct {
	Store *store.Store
	Now   func() time.Time
	// RotateEvery is the age at which a signing key is followed by a new one.
	RotateEvery time.Duration // default 90 days
	// Lead is how long a key is published before it signs: at least as long as
	// relying parties cache our JWKS.
	Lead time.Duration // default 24 hours
	// Keep is how long a retired key stays published: at least the longest
	// lifetime of a token it signed.
	Keep time.Duration // default 30 days
}

// Ring is the set of our keys. It is safe for concurrent use.
type Ring struct {
	cfg  Config
	keys atomic.Pointer[snapshot]
}

// snapshot is what the store held at the last Reload.
type snapshot struct {
	all  []*key // oldest first
	byID map[string]*key
	jwks []byte
}

type key struct {
	store.SigningKey
	public  crypto.PublicKey
	private crypto.Signer
	signers map[string]jose.Signer // by JWT typ
}

// The `typ` headers of the JWTs we make.
const (
	TypID          = "JWT"
	TypAccess      = "at+jwt" // RFC 9068 §2.1
	TypLogoutToken = "logout+jwt"
)

// Open loads the keys and creates the first of each algorithm if there is none.
func Open(ctx context.Context, cfg Config) (*Ring, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	setDefault(&cfg.RotateEvery, 90*24*time.Hour)
	setDefault(&cfg.Lead, 24*time.Hour)
	setDefault(&cfg.Keep, 30*24*time.Hour)
	r := &Ring{cfg: cfg}
	if err := r.Maintain(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

func setDefault(d *time.Duration, v time.Duration) {
	if *d <= 0 {
		*d = v
	}
}

// Reload reads the keys from the store: another process may have rotated.
func (r *Ring) Reload(ctx context.Context) error {
	var recs []store.SigningKey
	err := r.cfg.Store.View(ctx, func(tx store.Tx) (err error) {
		recs, _, err = r.cfg.Store.SigningKeys.List(tx, store.Page{Limit: 1000})
		return err
	})
	if err != nil {
		return fmt.Errorf("keys: load: %w", err)
	}
	next := &snapshot{byID: map[string]*key{}}
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	old := r.keys.Load()
	for _, rec := range recs {
		k, err := old.parse(rec)
		if err != nil {
			return err
		}
		next.byID[rec.ID] = k
		at := len(next.all)
		for at > 0 && next.all[at-1].ActiveAt.After(rec.ActiveAt) {
			at--
		}
		next.all = append(next.all[:at], append([]*key{k}, next.all[at:]...)...)
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.public, KeyID: rec.ID, Algorithm: rec.Algorithm, Use: "sig"})
	}
	if next.jwks, err = json.Marshal(set); err != nil {
		return err
	}
	r.keys.Store(next)
	return nil
}

// parse opens a record, or reuses the key parsed before. The private half is
// opened at once: a wrong master key stops the start, not the first login.
func (s *snapshot) parse(rec store.SigningKey) (*key, error) {
	if s != nil {
		if k, ok := s.byID[rec.ID]; ok {
			return &key{SigningKey: rec, public: k.public, private: k.private, signers: k.signers}, nil
		}
	}
	public, err := x509.ParsePKIXPublicKey(rec.Public)
	if err != nil {
		return nil, fmt.Errorf("keys: public key %s: %w", rec.ID, err)
	}
	der, err := rec.Private.Reveal()
	if err != nil {
		return nil, fmt.Errorf("keys: private key %s: %w", rec.ID, err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey([]byte(der.Reveal()))
	if err != nil {
		return nil, fmt.Errorf("keys: private key %s: %w", rec.ID, err)
	}
	private, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("keys: private key %s cannot sign", rec.ID)
	}
	k := &key{SigningKey: rec, public: public, private: private, signers: map[string]jose.Signer{}}
	for _, typ := range []string{TypID, TypAccess, TypLogoutToken} {
		opts := (&jose.SignerOptions{}).WithType(jose.ContentType(typ)).WithHeader("kid", rec.ID)
		k.signers[typ], err = jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(rec.Algorithm), Key: private}, opts)
		if err != nil {
			return nil, fmt.Errorf("keys: signer %s: %w", rec.ID, err)
		}
	}
	return k, nil
}

// ErrNoKey: no key of that algorithm may sign now.
var ErrNoKey = errors.New("keys: no signing key")

// errDone ends a Change that found nothing left to do.
var errDone = errors.New("keys: nothing to do")

// Sign makes a compact JWS of payload with the active key of the algorithm.
func (r *Ring) Sign(algorithm, typ string, payload []byte) (string, error) {
	k := r.keys.Load().active(algorithm, r.cfg.Now())
	if k == nil || k.signers[typ] == nil {
		return "", fmt.Errorf("%w for %s %s", ErrNoKey, algorithm, typ)
	}
	jws, err := k.signers[typ].Sign(payload)
	if err != nil {
		return "", fmt.Errorf("keys: sign: %w", err)
	}
	return jws.CompactSerialize()
}

// active is the youngest key of the algorithm whose time has come.
func (s *snapshot) active(algorithm string, now time.Time) *key {
	for i := len(s.all) - 1; i >= 0; i-- {
		if k := s.all[i]; k.Algorithm == algorithm && !k.ActiveAt.After(now) {
			return k
		}
	}
	// The clock stepped back behind every key (FT9): the oldest still signs.
	for _, k := range s.all {
		if k.Algorithm == algorithm {
			return k
		}
	}
	return nil
}

// ErrVerify: not one of our tokens, or altered.
var ErrVerify = errors.New("keys: token is not ours")

// Verify checks a compact JWS against our keys by kid and returns payload and
// `typ`. It does not look at times or any other claim.
func (r *Ring) Verify(token string) (payload []byte, typ string, err error) {
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256, jose.RS256})
	if err != nil || len(jws.Signatures) != 1 {
		return nil, "", ErrVerify
	}
	header := jws.Signatures[0].Protected
	k := r.keys.Load().byID[header.KeyID]
	if k == nil || k.Algorithm != header.Algorithm {
		return nil, "", ErrVerify
	}
	if payload, err = jws.Verify(k.public); err != nil {
		return nil, "", ErrVerify
	}
	typ, _ = header.ExtraHeaders[jose.HeaderType].(string)
	return payload, typ, nil
}

// JWKS is the JSON Web Key Set to publish (RFC 7517 §5): public halves only.
func (r *Ring) JWKS() []byte { return r.keys.Load().jwks }

// generate makes a key; RSA takes a fraction of a second.
func generate(algorithm string) (crypto.Signer, error) {
	switch algorithm {
	case ES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case RS256:
		return rsa.GenerateKey(rand.Reader, 2048)
	}
	return nil, fmt.Errorf("keys: unknown algorithm %q", algorithm)
}
