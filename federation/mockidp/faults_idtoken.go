package mockidp

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
)

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// header sets members of the JOSE header.
func header(pairs ...any) func(*Provider, *idToken, string) error {
	return func(_ *Provider, t *idToken, _ string) error {
		for i := 0; i+1 < len(pairs); i += 2 {
			t.header[fmt.Sprint(pairs[i])] = pairs[i+1]
		}
		return nil
	}
}

// hmacWith signs with HS256 and a key made from the token.
func hmacWith(secret func(t *idToken) ([]byte, error)) func(*Provider, *idToken, string) error {
	return func(_ *Provider, t *idToken, _ string) error {
		key, err := secret(t)
		if err != nil {
			return err
		}
		t.header["alg"] = "HS256"
		t.sign = func(input []byte) ([]byte, error) {
			mac := hmac.New(sha256.New, key)
			mac.Write(input)
			return mac.Sum(nil), nil
		}
		return nil
	}
}

func unsigned([]byte) ([]byte, error) { return nil, nil }

// attacker is a fresh key that a header member carries or points to.
func attacker(p *Provider, t *idToken) (*signingKey, error) {
	key, err := newSigningKey(p.cfg.SigningAlg)
	if err == nil {
		t.use(key)
	}
	return key, err
}

// idTokenFaults are those of header, key and signature.
func idTokenFaults() []Fault {
	row := func(name, description string, change func(*Provider, *idToken, string) error) Fault {
		return Fault{Name: name, Stage: StageIDToken, Description: description, idToken: change}
	}
	none := func(alg string) func(*Provider, *idToken, string) error {
		return func(_ *Provider, t *idToken, _ string) error {
			t.header["alg"], t.sign = alg, unsigned
			return nil
		}
	}
	extra := func(name, use string) func(*Provider, *idToken, string) error {
		return func(p *Provider, t *idToken, _ string) error {
			key, err := p.keys.extra(name, use)
			if err == nil {
				t.use(key)
			}
			return err
		}
	}
	return []Fault{
		row("alg_none", "alg is none, no signature", none("none")),
		row("alg_none_mixed_case", "alg is nOnE, no signature", none("nOnE")),
		row("empty_signature", "the right alg and an empty signature", func(_ *Provider, t *idToken, _ string) error {
			t.sign = unsigned
			return nil
		}),
		row("alg_hs256_secret", "HS256 with the client secret", hmacWith(func(t *idToken) ([]byte, error) { return []byte(t.client.Secret), nil })),
		row("alg_hs256_pubkey", "HS256 with the PEM of the published public key as secret", hmacWith(func(t *idToken) ([]byte, error) {
			der, err := x509.MarshalPKIXPublicKey(t.key.private.Public())
			return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), err
		})),
		row("alg_hs256_oct", "HS256 with the symmetric key that jwks_oct_key publishes", func(p *Provider, t *idToken, v string) error {
			t.header["kid"] = octKID
			return hmacWith(func(*idToken) ([]byte, error) { return []byte(octSecret), nil })(p, t, v)
		}),
		row("alg_unknown", "alg is one that nobody knows", header("alg", "ES9000")),
		row("bad_signature", "one bit of the signature is wrong", func(_ *Provider, t *idToken, _ string) error {
			sign := t.key.sign
			t.sign = func(input []byte) ([]byte, error) {
				sig, err := sign(input)
				if err == nil {
					sig[len(sig)/2] ^= 1
				}
				return sig, err
			}
			return nil
		}),
		row("changed_payload", "the claims were changed after signing", func(p *Provider, t *idToken, _ string) error {
			signed := *t
			token, err := signed.encode()
			if err != nil {
				return err
			}
			t.claims["sub"] = "somebody-else"
			changed := *t
			changed.sign = unsigned
			head, err := changed.encode()
			t.raw = head + token[strings.LastIndexByte(token, '.')+1:]
			return err
		}),
		row("unknown_kid", "the kid names no published key; the signature is right", header("kid", "no-such-key")),
		row("missing_kid", "no kid; legal as long as exactly one published key fits", func(_ *Provider, t *idToken, _ string) error {
			delete(t.header, "kid")
			return nil
		}),
		row("missing_kid_ambiguous", "no kid while two published keys fit", func(p *Provider, t *idToken, _ string) error {
			delete(t.header, "kid")
			_, err := p.keys.extra("missing_kid_ambiguous", "sig")
			return err
		}),
		row("kid_traversal", "kid is ../../dev/null", header("kid", "../../dev/null")),
		row("kid_sql", "kid is a piece of SQL", header("kid", "x' UNION SELECT 'key' --")),
		row("kid_array", "kid is an array", header("kid", []string{"a", "b"})),
		row("kid_huge", "kid has 200,000 characters", header("kid", strings.Repeat("k", 200_000))),
		row("rotated_key", "the provider rotates just before it signs: a fresh, published key", func(p *Provider, t *idToken, _ string) error {
			if _, err := p.keys.rotate(Rotation{}); err != nil {
				return err
			}
			t.use(p.keys.signer())
			return nil
		}),
		row("missing_key", "signed with a key that is not published", func(p *Provider, t *idToken, _ string) error {
			_, err := attacker(p, t)
			return err
		}),
		row("reused_kid", "signed with an unpublished key under the kid of the published one", func(p *Provider, t *idToken, _ string) error {
			kid := t.header["kid"]
			_, err := attacker(p, t)
			t.header["kid"] = kid
			return err
		}),
		row("enc_key", "signed with a key that is published with use=enc", extra("enc_key", "enc")),
		row("jwk_header", "signed with a stranger's key that the header carries (jwk)", func(p *Provider, t *idToken, _ string) error {
			key, err := attacker(p, t)
			t.header["jwk"] = key.public()
			return err
		}),
		{
			Name: "jku_header", Stage: StageIDToken, Description: "signed with a stranger's key that jku points to: the value", Value: internalURL,
			idToken: func(p *Provider, t *idToken, v string) error {
				_, err := attacker(p, t)
				t.header["jku"] = v
				return err
			},
		},
		{
			Name: "x5u_header", Stage: StageIDToken, Description: "signed with a stranger's key that x5u points to: the value", Value: internalURL,
			idToken: func(p *Provider, t *idToken, v string) error {
				_, err := attacker(p, t)
				t.header["x5u"] = v
				return err
			},
		},
		row("x5c_header", "x5c carries bytes that are no certificate", header("x5c", []string{"bm90IGEgY2VydGlmaWNhdGU="})),
		row("crit_header", "crit names an extension that nobody knows", header("crit", []string{"urn:mock:unknown"}, "urn:mock:unknown", true)),
		row("b64_false", "crit b64:false (RFC 7797)", header("crit", []string{"b64"}, "b64", false)),
		row("typ_at_jwt", "typ is at+jwt: an access token", header("typ", "at+jwt")),
		row("typ_logout_jwt", "typ is logout+jwt", header("typ", "logout+jwt")),
		row("typ_dpop_jwt", "typ is dpop+jwt", header("typ", "dpop+jwt")),
		row("typ_secevent_jwt", "typ is secevent+jwt", header("typ", "secevent+jwt")),
		row("not_a_jwt", "the ID token is no JWT", func(_ *Provider, t *idToken, _ string) error {
			t.raw = "this-is-not-a-jwt"
			return nil
		}),
		row("huge_id_token", "the ID token has megabytes (Config.HugeSize)", func(p *Provider, t *idToken, _ string) error {
			t.claims["padding"] = strings.Repeat("A", p.cfg.HugeSize)
			return nil
		}),
		row("jwe", "the ID token is encrypted: five parts, deflated, PBES2 with an absurd count", func(_ *Provider, t *idToken, _ string) error {
			head := `{"alg":"PBES2-HS256+A128KW","enc":"A128CBC-HS256","zip":"DEF","p2c":1000000000,"p2s":"AAAAAAAAAAA"}`
			t.raw = b64([]byte(head)) + ".AAAA.AAAA.AAAA.AAAA"
			return nil
		}),
		row("json_serialization", "the ID token is a JWS in JSON serialization", func(_ *Provider, t *idToken, _ string) error {
			signed := *t
			token, err := signed.encode()
			if parts := strings.Split(token, "."); len(parts) == 3 {
				t.raw = fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q}`, parts[0], parts[1], parts[2])
			}
			return err
		}),
		row("array_claims", "the claims are a JSON array", payload(`["not","an","object"]`)),
		row("deep_claims", "the claims are nested ten thousand levels deep", func(_ *Provider, t *idToken, _ string) error {
			t.payload = []byte(deepJSON())
			return nil
		}),
	}
}

func payload(s string) func(*Provider, *idToken, string) error {
	return func(_ *Provider, t *idToken, _ string) error {
		t.payload = []byte(s)
		return nil
	}
}
