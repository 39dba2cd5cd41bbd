package federation

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/store"
)

// signer is a provider's key of our own making.
type signer struct {
	t       testing.TB
	private any
	public  any
	alg     jose.SignatureAlgorithm
	kid     string
}

func ecSigner(t testing.TB, kid string) signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer{t, k, &k.PublicKey, jose.ES256, kid}
}

// sign makes a compact JWS; header members go in front of the kid.
func (s signer) sign(payload []byte, header map[string]any) string {
	s.t.Helper()
	opts := &jose.SignerOptions{ExtraHeaders: map[jose.HeaderKey]any{}}
	if s.kid != "" {
		opts.ExtraHeaders["kid"] = s.kid
	}
	for k, v := range header {
		opts.ExtraHeaders[jose.HeaderKey(k)] = v
	}
	sg, err := jose.NewSigner(jose.SigningKey{Algorithm: s.alg, Key: s.private}, opts)
	if err != nil {
		s.t.Fatal(err)
	}
	jws, err := sg.Sign(payload)
	if err != nil {
		s.t.Fatal(err)
	}
	raw, err := jws.CompactSerialize()
	if err != nil {
		s.t.Fatal(err)
	}
	return raw
}

// jwk is the published form, with members changed.
func (s signer) jwk(change map[string]any) map[string]any {
	s.t.Helper()
	raw, err := json.Marshal(jose.JSONWebKey{Key: s.public, KeyID: s.kid})
	if err != nil {
		s.t.Fatal(err)
	}
	m := map[string]any{}
	if err := json.Unmarshal(raw, &m); err != nil {
		s.t.Fatal(err)
	}
	maps.Copy(m, change)
	return m
}

func jwks(t testing.TB, keys ...map[string]any) keySet {
	t.Helper()
	raw, err := json.Marshal(map[string]any{"keys": append([]map[string]any{}, keys...)})
	if err != nil {
		t.Fatal(err)
	}
	ks, err := parseKeySet(raw)
	if err != nil {
		t.Fatal(err)
	}
	return ks
}

func testNow() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

func goodExpected() expected {
	now := testNow()
	return expected{issuer: "https://idp.acme.test", clientID: "us", nonce: "n", accessToken: "at", now: now, startedAt: now.Add(-time.Minute)}
}

func goodClaims() map[string]any {
	now := testNow().Unix()
	return map[string]any{"iss": "https://idp.acme.test", "aud": "us", "sub": "s", "nonce": "n", "iat": now, "exp": now + 300}
}

func claims(t testing.TB, change map[string]any) []byte {
	t.Helper()
	c := goodClaims()
	for k, v := range change {
		if v == nil {
			delete(c, k)
		} else {
			c[k] = v
		}
	}
	raw, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// verifyAll is verifyIDToken without the network.
func verifyAll(ks keySet, raw string, e expected, allowed []string) (idToken, error) {
	h, err := parseHeader(raw, allowed)
	if err != nil {
		return idToken{}, err
	}
	payload, err := ks.verify(raw, h)
	if err != nil {
		return idToken{}, err
	}
	t, err := e.check(payload)
	if err != nil {
		return idToken{}, err
	}
	return t, e.secondOpinion(context.Background(), raw, payload, h.alg)
}

func TestIDToken_EveryAlgorithm(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signers := []signer{{t, priv, pub, jose.EdDSA, "k"}}
	for _, alg := range []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512} {
		signers = append(signers, signer{t, rsaKey, &rsaKey.PublicKey, alg, "k"})
	}
	for alg, curve := range map[jose.SignatureAlgorithm]elliptic.Curve{jose.ES256: elliptic.P256(), jose.ES384: elliptic.P384(), jose.ES512: elliptic.P521()} {
		k, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		signers = append(signers, signer{t, k, &k.PublicKey, alg, "k"})
	}
	for _, s := range signers {
		raw := s.sign(claims(t, nil), nil)
		ks := jwks(t, s.jwk(nil))
		if _, err := verifyAll(ks, raw, goodExpected(), DefaultAlgorithms()); err != nil {
			t.Errorf("%s: %v", s.alg, err)
		}
		_, err := verifyAll(ks, raw, goodExpected(), []string{"none-of-these"})
		wantCode(t, err, CodeIDTokenAlgorithm)
		// A key that says it is for another algorithm is not taken.
		_, err = verifyAll(jwks(t, s.jwk(map[string]any{"alg": "HS256"})), raw, goodExpected(), DefaultAlgorithms())
		wantCode(t, err, CodeIDTokenKeyUnfit)
		_, err = verifyAll(ks, raw[:len(raw)-4], goodExpected(), DefaultAlgorithms())
		wantCode(t, err, CodeIDTokenSignature)
	}
}

func TestJ1_UnsignedTokens(t *testing.T) {
	t.Parallel()
	payload := base64.RawURLEncoding.EncodeToString(claims(t, nil))
	ks := jwks(t, ecSigner(t, "k").jwk(nil))
	for _, alg := range []string{"none", "None", "nOnE", "", "HS256", "es256"} {
		head, _ := json.Marshal(map[string]string{"alg": alg})
		_, err := verifyAll(ks, base64.RawURLEncoding.EncodeToString(head)+"."+payload+".", goodExpected(), DefaultAlgorithms())
		wantCode(t, err, CodeIDTokenAlgorithm)
	}
}

func TestJ3_RecordAllowsHS256(t *testing.T) {
	t.Parallel()
	if got := algorithms(&store.Connection{Algorithms: []string{"HS256", "none", "ES256"}}); len(got) != 1 || got[0] != "ES256" {
		t.Errorf("algorithms of a tampered record: %v, want ES256 alone", got)
	}
	ks := jwks(t, map[string]any{"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlYw", "kid": "k"})
	if ks.keys[0].problem == "" {
		t.Error("a symmetric key of a JWKS was taken for a public key")
	}
}

func TestJ4_KeyMembers(t *testing.T) {
	t.Parallel()
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	s := ecSigner(t, "k")
	for name, c := range map[string]struct {
		key  map[string]any
		want bool
	}{
		"plain":               {s.jwk(nil), true},
		"use sig":             {s.jwk(map[string]any{"use": "sig"}), true},
		"key_ops verify":      {s.jwk(map[string]any{"key_ops": []string{"sign", "verify"}}), true},
		"use enc":             {s.jwk(map[string]any{"use": "enc"}), false},
		"use empty":           {s.jwk(map[string]any{"use": ""}), false},
		"use a list":          {s.jwk(map[string]any{"use": []string{"sig"}}), false},
		"key_ops sign":        {s.jwk(map[string]any{"key_ops": []string{"sign"}}), false},
		"key_ops none":        {s.jwk(map[string]any{"key_ops": []string{}}), false},
		"key_ops text":        {s.jwk(map[string]any{"key_ops": "verify"}), false},
		"kid a number":        {s.jwk(map[string]any{"kid": 1}), false},
		"private":             {s.jwk(map[string]any{"d": "AAAA"}), false},
		"unknown kty":         {s.jwk(map[string]any{"kty": "AKP"}), false},
		"no kty":              {map[string]any{"kid": "k"}, false},
		"point off the curve": {s.jwk(map[string]any{"x": s.jwk(nil)["y"]}), false},
		"rsa 1024":            {signer{t, small, &small.PublicKey, jose.RS256, "k"}.jwk(nil), false},
		"rsa exponent 1":      {map[string]any{"kty": "RSA", "kid": "k", "n": strings.Repeat("_", 342), "e": "AQ"}, false},
		"rsa exponent even":   {map[string]any{"kty": "RSA", "kid": "k", "n": strings.Repeat("_", 342), "e": "BA"}, false},
		"rsa enormous":        {map[string]any{"kty": "RSA", "kid": "k", "n": strings.Repeat("_", 4000), "e": "AQAB"}, false},
	} {
		ks := jwks(t, c.key, ecSigner(t, "other").jwk(nil))
		if got := ks.keys[0].problem == ""; got != c.want {
			t.Errorf("%s: usable %v (%s), want %v", name, got, ks.keys[0].problem, c.want)
		}
	}
	// ES256 wants P-256: a P-384 key under the right kid does not serve.
	k384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, err = verifyAll(jwks(t, signer{t, k384, &k384.PublicKey, jose.ES384, "k"}.jwk(nil)), s.sign(claims(t, nil), nil), goodExpected(), DefaultAlgorithms())
	wantCode(t, err, CodeIDTokenKeyUnfit)
}

func TestJ5_HeaderKeyIgnored(t *testing.T) {
	t.Parallel()
	ours, stranger := ecSigner(t, "k"), ecSigner(t, "k")
	_, err := verifyAll(jwks(t, ours.jwk(nil)), stranger.sign(claims(t, nil), map[string]any{"jwk": stranger.jwk(nil)}), goodExpected(), DefaultAlgorithms())
	wantCode(t, err, CodeIDTokenSignature)
	// Beside a right signature they change nothing.
	_, err = verifyAll(jwks(t, ours.jwk(nil)), ours.sign(claims(t, nil), map[string]any{"jku": "https://evil.example", "x5u": "https://evil.example", "jwk": stranger.jwk(nil)}), goodExpected(), DefaultAlgorithms())
	wantCode(t, err, "ok")
}

func TestJ6_HeaderMembers(t *testing.T) {
	t.Parallel()
	s := ecSigner(t, "k")
	good := strings.Split(s.sign(claims(t, nil), nil), ".")
	for head, want := range map[string]string{
		`{"alg":"ES256","kid":"k","zip":"DEF"}`:                     CodeIDTokenHeader,
		`{"alg":"ES256","kid":"k","crit":[]}`:                       CodeIDTokenHeader,
		`{"alg":"ES256","kid":"k","crit":null}`:                     CodeIDTokenHeader,
		`{"alg":"ES256","kid":"k","b64":true}`:                      CodeIDTokenHeader,
		`{"alg":"ES256","kid":"k","enc":"A128GCM"}`:                 CodeIDTokenHeader,
		`{"alg":"ES256","kid":"k","cty":"JWT"}`:                     CodeIDTokenHeader,
		`{"alg":"ES256","kid":"k","typ":"id_token+jwt"}`:            CodeIDTokenType,
		`{"alg":"ES256","kid":"k","typ":["JWT"]}`:                   CodeIDTokenType,
		`{"alg":"ES256","kid":"k","alg":"none"}`:                    CodeIDTokenMalformed,
		`{"alg":"ES256","kid":"k","ALG":"none"}`:                    CodeIDTokenMalformed,
		`{"alg":["ES256"],"kid":"k"}`:                               CodeIDTokenAlgorithm,
		`{"alg":"ES256","kid":"` + strings.Repeat("k", 1025) + `"}`: CodeIDTokenMalformed,
		`["ES256"]`: CodeIDTokenMalformed,
	} {
		_, err := verifyAll(jwks(t, s.jwk(nil)), base64.RawURLEncoding.EncodeToString([]byte(head))+"."+good[1]+"."+good[2], goodExpected(), DefaultAlgorithms())
		if got := code(err); got != want {
			t.Errorf("%.60s: got %s, want %s", head, got, want)
		}
	}
	for _, raw := range []string{"", ".", "..", "...", "....", good[0], good[0] + "." + good[1], good[0] + "=." + good[1] + "." + good[2], " " + strings.Join(good, ".")} {
		if _, err := verifyAll(jwks(t, s.jwk(nil)), raw, goodExpected(), DefaultAlgorithms()); err == nil {
			t.Errorf("%q was accepted", raw)
		}
	}
}

func TestJ7_KeySelection(t *testing.T) {
	t.Parallel()
	a, b, bare := ecSigner(t, "a"), ecSigner(t, "b"), ecSigner(t, "")
	token := a
	token.kid = ""
	for name, c := range map[string]struct {
		ks   keySet
		raw  string
		want string
	}{
		"kid found":                {jwks(t, b.jwk(nil), a.jwk(nil)), a.sign(claims(t, nil), nil), "ok"},
		"kid of another key":       {jwks(t, b.jwk(nil), a.jwk(map[string]any{"kid": "z"})), a.sign(claims(t, nil), nil), CodeIDTokenKeyUnknown},
		"kid is case-sensitive":    {jwks(t, a.jwk(map[string]any{"kid": "A"})), a.sign(claims(t, nil), nil), CodeIDTokenKeyUnknown},
		"no kid, one key":          {jwks(t, a.jwk(nil)), token.sign(claims(t, nil), nil), "ok"},
		"no kid, one fits":         {jwks(t, b.jwk(map[string]any{"use": "enc"}), a.jwk(nil)), token.sign(claims(t, nil), nil), "ok"},
		"no kid, two fit":          {jwks(t, b.jwk(nil), a.jwk(nil)), token.sign(claims(t, nil), nil), CodeIDTokenKeyAmbiguous},
		"no kid anywhere":          {jwks(t, bare.jwk(nil)), bare.sign(claims(t, nil), nil), "ok"},
		"empty kid, key without":   {jwks(t, bare.jwk(nil), a.jwk(nil)), bare.sign(claims(t, nil), map[string]any{"kid": ""}), "ok"},
		"two keys of the same kid": {jwks(t, a.jwk(nil), b.jwk(map[string]any{"kid": "a"})), a.sign(claims(t, nil), nil), CodeIDTokenKeyAmbiguous},
		"same kid, other kind":     {jwks(t, map[string]any{"kty": "oct", "k": "AAAA", "kid": "a"}, a.jwk(nil)), a.sign(claims(t, nil), nil), "ok"},
		"no key at all":            {jwks(t), a.sign(claims(t, nil), nil), CodeIDTokenKeyUnknown},
	} {
		_, err := verifyAll(c.ks, c.raw, goodExpected(), DefaultAlgorithms())
		if got := code(err); got != c.want {
			t.Errorf("%s: got %s (%v), want %s", name, got, err, c.want)
		}
	}
}

func TestJ17_HashOfUnknownAlgorithm(t *testing.T) {
	t.Parallel()
	s := ecSigner(t, "k")
	raw := s.sign(claims(t, map[string]any{"at_hash": "AAAA"}), nil)
	err := goodExpected().secondOpinion(t.Context(), raw, claims(t, map[string]any{"at_hash": "AAAA"}), "ES256")
	wantCode(t, err, CodeIDTokenAccessTokenHash)
}

func TestError_HoldsNoSecretAndNoRawText(t *testing.T) {
	t.Parallel()
	s := ecSigner(t, "k")
	evil := "evil\r\n\x1b[31m\u202e" + strings.Repeat("A", 500)
	_, err := verifyAll(jwks(t, s.jwk(nil)), s.sign(claims(t, map[string]any{"iss": evil}), nil), goodExpected(), DefaultAlgorithms())
	if msg := err.Error(); strings.ContainsAny(msg, "\r\n\x1b\u202e") || len(msg) > 500 {
		t.Errorf("text of the provider came through: %q", msg)
	}
	if msg := callbackFault(evil).Error(); strings.ContainsAny(msg, "\r\n\x1b\u202e") || len(msg) > 500 {
		t.Errorf("text of the provider came through: %q", msg)
	}
}

func BenchmarkVerifyIDToken(b *testing.B) {
	s := ecSigner(b, "k")
	ks, raw := jwks(b, s.jwk(nil)), s.sign(claims(b, nil), nil)
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			if _, err := verifyAll(ks, raw, goodExpected(), DefaultAlgorithms()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("signature-alone", func(b *testing.B) {
		jws, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.ES256})
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := jws.Verify(s.public); err != nil {
				b.Fatal(err)
			}
		}
	})
}
