package mockidp

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

func headerExpectations() map[string]expect {
	// header and a signature that the published keys do or do not verify
	has := func(name string, want any, verifies bool) expect {
		return func(o *observed) bool {
			return o.header != nil && reflect.DeepEqual(o.header[name], want) && (o.verified == nil) == verifies
		}
	}
	signature := func(o *observed) string { return o.rawID[strings.LastIndexByte(o.rawID, '.')+1:] }
	hs256 := func(secret func(o *observed) []byte) expect {
		return func(o *observed) bool {
			if o.header["alg"] != "HS256" {
				return false
			}
			mac := hmac.New(sha256.New, secret(o))
			mac.Write([]byte(o.rawID[:strings.LastIndexByte(o.rawID, '.')]))
			return b64(mac.Sum(nil)) == signature(o)
		}
	}
	published := func(o *observed, kid any) *jose.JSONWebKey {
		for _, k := range o.keys().Keys {
			if k.KeyID == kid || kid == nil {
				return &k
			}
		}
		return nil
	}
	count := func(o *observed) int { list, _ := o.jwks.json()["keys"].([]any); return len(list) }
	// stranger: signed, but with no published key
	stranger := func(o *observed) bool { return o.verified != nil && len(signature(o)) == 86 }
	return map[string]expect{
		"alg_none":            func(o *observed) bool { return o.header["alg"] == "none" && signature(o) == "" },
		"alg_none_mixed_case": func(o *observed) bool { return o.header["alg"] == "nOnE" && signature(o) == "" },
		"empty_signature":     func(o *observed) bool { return o.header["alg"] == "ES256" && signature(o) == "" },
		"alg_hs256_secret":    hs256(func(*observed) []byte { return []byte("mock-secret") }),
		"alg_hs256_pubkey": hs256(func(o *observed) []byte {
			der, err := x509.MarshalPKIXPublicKey(published(o, nil).Key)
			if err != nil {
				return nil
			}
			return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
		}),
		"alg_hs256_oct": hs256(func(*observed) []byte { return []byte(octSecret) }),
		"alg_unknown":   has("alg", "ES9000", false),
		"bad_signature": func(o *observed) bool {
			return stranger(o) && published(o, o.header["kid"]) != nil && o.claims["sub"] != "somebody-else" && count(o) == 1 && !reused(o)
		},
		"changed_payload":       func(o *observed) bool { return stranger(o) && o.claims["sub"] == "somebody-else" },
		"unknown_kid":           has("kid", "no-such-key", false),
		"missing_kid":           func(o *observed) bool { return has("kid", nil, true)(o) && count(o) == 1 },
		"missing_kid_ambiguous": func(o *observed) bool { return has("kid", nil, true)(o) && count(o) == 2 },
		"kid_traversal":         has("kid", "../../dev/null", false),
		"kid_sql":               has("kid", "x' UNION SELECT 'key' --", false),
		"kid_array":             has("kid", []any{"a", "b"}, false),
		"kid_huge":              has("kid", strings.Repeat("k", 200_000), false),
		"rotated_key":           func(o *observed) bool { return o.verified == nil && count(o) >= 2 },
		"missing_key": func(o *observed) bool {
			return stranger(o) && published(o, o.header["kid"]) == nil && o.header["jwk"] == nil
		},
		"reused_kid": func(o *observed) bool { return stranger(o) && published(o, o.header["kid"]) != nil && reused(o) },
		"enc_key": func(o *observed) bool {
			k := published(o, o.header["kid"])
			return o.verified == nil && k != nil && k.Use == "enc"
		},
		"jwk_header": func(o *observed) bool {
			jwk, _ := o.header["jwk"].(map[string]any)
			return stranger(o) && jwk["kty"] == "EC" && jwk["d"] == nil
		},
		"jku_header":         func(o *observed) bool { return stranger(o) && o.header["jku"] == internalURL },
		"x5u_header":         func(o *observed) bool { return stranger(o) && o.header["x5u"] == internalURL },
		"x5c_header":         func(o *observed) bool { return o.header["x5c"] != nil },
		"crit_header":        func(o *observed) bool { return reflect.DeepEqual(o.header["crit"], []any{"urn:mock:unknown"}) },
		"b64_false":          func(o *observed) bool { return o.header["b64"] == false },
		"typ_at_jwt":         has("typ", "at+jwt", true),
		"typ_logout_jwt":     has("typ", "logout+jwt", true),
		"typ_dpop_jwt":       has("typ", "dpop+jwt", true),
		"typ_secevent_jwt":   has("typ", "secevent+jwt", true),
		"not_a_jwt":          func(o *observed) bool { return o.rawID == "this-is-not-a-jwt" },
		"huge_id_token":      func(o *observed) bool { return len(o.rawID) > 256<<10 },
		"jwe":                func(o *observed) bool { return strings.Count(o.rawID, ".") == 4 },
		"json_serialization": func(o *observed) bool { return strings.HasPrefix(o.rawID, `{"protected":`) },
		"array_claims":       func(o *observed) bool { return o.payload == `["not","an","object"]` },
		"deep_claims":        func(o *observed) bool { return strings.Count(o.payload, "{") == 10_000 },
	}
}

// reused tells a right key with a wrong bit from a wrong key: only the former verifies
// after one bit is turned back.
func reused(o *observed) bool {
	i := strings.LastIndexByte(o.rawID, '.')
	jws, err := jose.ParseSignedCompact(o.rawID, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return false
	}
	sig := slices.Clone(jws.Signatures[0].Signature)
	sig[len(sig)/2] ^= 1
	_, err = verifyWith(o.keys(), o.rawID[:i+1]+b64(sig))
	return err != nil
}

func claimExpectations() map[string]expect {
	is := func(name string, want any) expect {
		return func(o *observed) bool {
			return o.verified == nil && o.claims != nil && reflect.DeepEqual(o.claims[name], want)
		}
	}
	near := func(name string, want time.Duration) expect {
		return func(o *observed) bool {
			return o.verified == nil && o.at(name) != 0 && (o.at(name)-want).Abs() < time.Minute
		}
	}
	has := func(text string) expect {
		return func(o *observed) bool { return o.verified != nil || strings.Contains(o.payload, text) }
	}
	const year = 365 * 24 * time.Hour
	return map[string]expect{
		"wrong_nonce":        is("nonce", "not-the-nonce"),
		"missing_nonce":      is("nonce", nil),
		"other_nonce":        is("nonce", "nonce-before"),
		"wrong_iss":          is("iss", "https://evil.example"),
		"missing_iss":        is("iss", nil),
		"iss_trailing_slash": func(o *observed) bool { return is("iss", o.idp.URL+"/")(o) },
		"iss_case":           func(o *observed) bool { return is("iss", strings.ToUpper(o.idp.URL))(o) },
		"wrong_aud":          is("aud", "another-client"),
		"extra_aud":          func(o *observed) bool { return is("aud", []any{"gatehouse", "another-client"})(o) && is("azp", nil)(o) },
		"extra_aud_with_azp": func(o *observed) bool {
			return is("aud", []any{"gatehouse", "another-client"})(o) && is("azp", "gatehouse")(o)
		},
		"missing_aud":  is("aud", nil),
		"empty_aud":    is("aud", []any{}),
		"number_aud":   is("aud", json.Number("42")),
		"wrong_azp":    is("azp", "another-client"),
		"expired":      near("exp", -time.Hour),
		"no_exp":       is("exp", nil),
		"far_exp":      near("exp", 30*year),
		"string_exp":   func(o *observed) bool { _, text := o.claims["exp"].(string); return text && o.verified == nil },
		"huge_exp":     is("exp", json.Number("1e300")),
		"negative_exp": is("exp", json.Number("-1")),
		"future_iat":   near("iat", time.Hour),
		"old_iat":      near("iat", -year),
		"missing_iat":  is("iat", nil),
		"future_nbf":   near("nbf", time.Hour),
		"missing_sub":  func(o *observed) bool { _, ok := o.claims["sub"]; return o.verified == nil && o.claims != nil && !ok },
		"empty_sub":    is("sub", ""),
		"null_sub":     func(o *observed) bool { v, ok := o.claims["sub"]; return o.verified == nil && ok && v == nil },
		"long_sub":     is("sub", strings.Repeat("s", 300)),
		"number_sub":   is("sub", json.Number("1234567890")),
		"nul_sub":      is("sub", "some\x00body"),
		"space_sub": func(o *observed) bool {
			s, _ := o.claims["sub"].(string)
			return strings.HasSuffix(s, " ") && o.verified == nil
		},
		"case_sub": func(o *observed) bool {
			s, _ := o.claims["sub"].(string)
			sub, _ := o.userinfo.json()["sub"].(string)
			return s != sub && strings.EqualFold(s, sub)
		},
		"duplicate_member":    func(o *observed) bool { return strings.Count(o.payload, `"sub":`) == 2 && o.verified == nil },
		"case_variant_member": func(o *observed) bool { return o.verified == nil && has(`"SUB":`)(o) && has(`"Email":`)(o) },
		"unicode_member":      func(o *observed) bool { return o.verified == nil && has(`"\u0073ub":`)(o) },
		"wrong_at_hash":       func(o *observed) bool { return is("at_hash", halfHash("ES256", "another token"))(o) },
		"missing_at_hash":     is("at_hash", nil),
		"stale_auth_time":     near("auth_time", -48*time.Hour),
		"future_auth_time":    near("auth_time", time.Hour),
		"missing_auth_time":   is("auth_time", nil),
		"weak_acr":            is("acr", "0"),
		"missing_acr":         is("acr", nil),
		"logout_events":       func(o *observed) bool { return o.verified == nil && o.claims["events"] != nil },
	}
}
