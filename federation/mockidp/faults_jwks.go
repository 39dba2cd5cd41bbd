package mockidp

import (
	"encoding/json"
	"maps"
)

func jwksFaults() []Fault {
	row := func(name, description string, change func(p *Provider, keys []any) []any) Fault {
		return Fault{Name: name, Stage: StageJWKS, Description: description, edit: func(p *Provider, doc map[string]any, _ string) {
			keys, _ := doc["keys"].([]any)
			doc["keys"] = change(p, keys)
		}}
	}
	// each changes every key, on a copy.
	each := func(change func(key map[string]any)) func(*Provider, []any) []any {
		return func(_ *Provider, keys []any) []any {
			for i := range keys {
				key, _ := keys[i].(map[string]any)
				key = maps.Clone(key)
				change(key)
				keys[i] = key
			}
			return keys
		}
	}
	return append(failuresOf(StageJWKS), []Fault{
		row("jwks_empty", "the key set is empty", func(*Provider, []any) []any { return []any{} }),
		row("jwks_duplicate_kid", "another key comes first under the kid of the real one", func(p *Provider, keys []any) []any {
			stranger := asJSON(p, "sig")
			if len(keys) > 0 {
				if first, ok := keys[0].(map[string]any); ok {
					stranger["kid"] = first["kid"]
				}
			}
			return append([]any{stranger}, keys...)
		}),
		row("jwks_oct_key", "a symmetric key stands beside the others: the bytes of the client secret as kid oct", func(_ *Provider, keys []any) []any {
			return append(keys, map[string]any{"kty": "oct", "kid": octKID, "alg": "HS256", "use": "sig", "k": b64([]byte(octSecret))})
		}),
		row("jwks_use_enc", "every key is marked use=enc", each(func(key map[string]any) { key["use"] = "enc" })),
		row("jwks_key_ops", "every key has key_ops without verify", each(func(key map[string]any) {
			delete(key, "use")
			key["key_ops"] = []string{"encrypt"}
		})),
		row("jwks_unknown_kty", "a key of an unknown type comes first", func(_ *Provider, keys []any) []any {
			return append([]any{map[string]any{"kty": "QTM", "kid": "quantum", "q": "AA"}}, keys...)
		}),
		row("jwks_small_rsa", "an RSA key of 1024 bits is the only key", func(*Provider, []any) []any {
			return []any{map[string]any{"kty": "RSA", "kid": "small", "use": "sig", "alg": "RS256", "e": "AQAB", "n": b64(smallModulus())}}
		}),
		row("jwks_private_key", "the keys come with private members", each(func(key map[string]any) { key["d"] = b64(make([]byte, 32)) })),
		row("jwks_no_kid", "the keys have no kid", each(func(key map[string]any) { delete(key, "kid") })),
		row("jwks_many", "ten thousand keys", func(p *Provider, keys []any) []any {
			stranger := asJSON(p, "sig")
			for range 10_000 {
				keys = append(keys, stranger)
			}
			return keys
		}),
	}...)
}

// asJSON is a fresh public key as a JSON object.
func asJSON(p *Provider, use string) map[string]any {
	key, err := newSigningKey(p.cfg.SigningAlg)
	if err != nil {
		return map[string]any{}
	}
	key.use = use
	body, err := key.public().MarshalJSON()
	var doc map[string]any
	if err != nil || json.Unmarshal(body, &doc) != nil {
		return map[string]any{}
	}
	return doc
}

// smallModulus is an odd number of 1024 bits; nobody needs to know its factors.
func smallModulus() []byte {
	n := make([]byte, 128)
	for i := range n {
		n[i] = 0xC5
	}
	return n
}

const (
	octKID    = "oct"
	octSecret = "a symmetric key of thirty-two byte"
)
