package federation

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/profile"
	"gatehouse/store"
)

// maxKeys of a provider's key set.
const maxKeys = 100

// keySet is a provider's parsed JWKS.
type keySet struct{ keys []key }

// key is one member of it. problem says why it verifies nothing; such keys are
// kept so that a token that names one gets a precise answer.
type key struct {
	id      string
	alg     string // "" when the key does not say
	public  any    // *ecdsa.PublicKey, *rsa.PublicKey, ed25519.PublicKey
	problem string
}

func (f *Federation) fetchKeys(conn *store.Connection, u *upstream, from string) func(context.Context) (keySet, error) {
	owned := *conn // the fetch may outlive the caller
	return func(ctx context.Context) (keySet, error) {
		ks, err := func() (keySet, error) {
			resp, err := f.do(ctx, &owned, u, request{
				endpoint: "jwks", method: http.MethodGet, url: from,
				header: http.Header{"Accept": {"application/jwk-set+json, application/json"}},
			})
			if err != nil {
				return keySet{}, err
			}
			if resp.status != http.StatusOK {
				return keySet{}, fault(BlameProvider, CodeResponseStatus, "jwks endpoint answered %d", resp.status)
			}
			if _, err := resp.object("jwks", profile.Limits{Bytes: maxBody}, "application/jwk-set+json", "application/json"); err != nil {
				return keySet{}, err
			}
			return parseKeySet(resp.body)
		}()
		if err != nil {
			f.logger.WarnContext(ctx, "key set not fetched", "connection", owned.ID, "error", err)
		}
		return ks, err
	}
}

// parseKeySet reads a JWKS. A key that is broken or of a kind we do not use
// spoils only itself (RFC 7517 §5).
func parseKeySet(body []byte) (keySet, error) {
	doc, err := parseObject("key set", CodeKeysInvalid, body, profile.Limits{Bytes: maxBody})
	if err != nil {
		return keySet{}, err
	}
	members, ok := doc["keys"].([]any)
	if !ok || len(members) > maxKeys {
		return keySet{}, fault(BlameProvider, CodeKeysInvalid, "key set has no list of at most %d keys", maxKeys)
	}
	var raw struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &raw); err != nil || len(raw.Keys) != len(members) {
		return keySet{}, fault(BlameProvider, CodeKeysInvalid, "key set cannot be read")
	}
	var ks keySet
	for i, m := range members {
		if o, ok := m.(map[string]any); ok {
			ks.keys = append(ks.keys, parseKey(o, raw.Keys[i]))
		}
	}
	// A set without a usable key is a valid answer: a provider that withdraws its
	// keys must be heard, not outvoted by the stale ones.
	return ks, nil
}

// parseKey checks what go-jose and go-oidc do not: use, key_ops, that the key
// is public, asymmetric, of a known curve and a sound size (J3, J4).
func parseKey(o map[string]any, raw []byte) key {
	var k key
	unfit := func(why string) key { k.public, k.problem = nil, why; return k }
	var ok bool
	if k.id, ok = o["kid"].(string); !ok && o["kid"] != nil {
		return unfit("its kid is not text")
	}
	if k.alg, ok = o["alg"].(string); !ok && o["alg"] != nil {
		return unfit("its alg is not text")
	}
	if use, present := o["use"]; present && use != "sig" {
		return unfit("its use is not sig")
	}
	if ops, present := o["key_ops"]; present {
		if list, ok := ops.([]any); !ok || !slices.Contains(list, any("verify")) {
			return unfit("its key_ops do not include verify")
		}
	}
	switch o["kty"] {
	case "RSA", "EC", "OKP":
	default:
		return unfit("its kty is none that verifies signatures here")
	}
	if _, private := o["d"]; private {
		return unfit("it is a private key, published")
	}
	var jwk jose.JSONWebKey
	if err := jwk.UnmarshalJSON(raw); err != nil || !jwk.Valid() {
		return unfit("it cannot be read")
	}
	k.public = jwk.Key
	switch p := jwk.Key.(type) {
	case *rsa.PublicKey:
		if bits := p.N.BitLen(); bits < 2048 || bits > 8192 {
			return unfit(fmt.Sprintf("it is RSA with %d bits; 2048 to 8192 are accepted", bits))
		}
		if p.E < 3 || p.E%2 == 0 {
			return unfit("its RSA exponent is unsound")
		}
	case *ecdsa.PublicKey, ed25519.PublicKey:
	default:
		return unfit("its kind is not supported")
	}
	return k
}

// fits reports whether the key makes signatures of an algorithm.
func (k key) fits(alg string) bool {
	if k.problem != "" || k.alg != "" && k.alg != alg {
		return false
	}
	switch p := k.public.(type) {
	case *rsa.PublicKey:
		return slices.Contains([]string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}, alg)
	case *ecdsa.PublicKey:
		return alg == map[string]string{"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}[p.Curve.Params().Name]
	case ed25519.PublicKey:
		return alg == "EdDSA"
	}
	return false
}

// pick selects the one key for a token. With a kid: the fitting key of that
// name. Without: the only fitting key there is. Never a trial of all (J7).
func (ks keySet) pick(h header) (key, error) {
	var fitting []key
	var unfit string
	for _, k := range ks.keys {
		if h.hasKeyID && k.id != h.keyID {
			continue
		}
		switch {
		case k.fits(h.alg):
			fitting = append(fitting, k)
		case k.problem != "":
			unfit = k.problem
		default:
			unfit = "it is not for " + h.alg
		}
	}
	switch {
	case len(fitting) == 1:
		return fitting[0], nil
	case len(fitting) > 1 && h.hasKeyID:
		return key{}, fault(BlameProvider, CodeIDTokenKeyAmbiguous, "%d keys have the kid %s", len(fitting), quoted(h.keyID))
	case len(fitting) > 1:
		return key{}, fault(BlameProvider, CodeIDTokenKeyAmbiguous, "the ID token names no key and %d keys would fit", len(fitting))
	case unfit != "" && h.hasKeyID:
		return key{}, fault(BlameProvider, CodeIDTokenKeyUnfit, "key %s cannot be used: %s", quoted(h.keyID), unfit)
	case h.hasKeyID:
		return key{}, fault(BlameProvider, CodeIDTokenKeyUnknown, "the provider publishes no key %s", quoted(h.keyID))
	}
	return key{}, fault(BlameProvider, CodeIDTokenKeyUnknown, "the provider publishes no key for %s", h.alg)
}
