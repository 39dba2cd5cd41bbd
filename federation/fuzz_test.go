package federation

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"gatehouse/profile"
	"gatehouse/store"
)

// Whatever is put in front of a right signature's parts: nothing passes that is
// not, byte for byte, a token the signer signed.
func FuzzIDToken(f *testing.F) {
	// The same key and signature in every fuzzing process.
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	s := signer{f, private, private.Public(), jose.EdDSA, "k"}
	ks := jwks(f, s.jwk(nil))
	good := s.sign(claims(f, nil), nil)
	f.Add(good)
	f.Add(strings.Replace(good, ".", "..", 1))
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, raw string) {
		token, err := verifyAll(ks, raw, goodExpected(), DefaultAlgorithms())
		if (err == nil) != (token.subject != "") {
			t.Fatalf("subject %q with error %v", token.subject, err)
		}
		if err == nil && strings.SplitN(raw, ".", 3)[1] != strings.SplitN(good, ".", 3)[1] {
			t.Fatalf("accepted %q", raw)
		}
		if e, ok := AsError(err); err != nil && (!ok || e.Code == "") {
			t.Fatalf("%T is no *Error", err)
		}
	})
}

// Claims that pass say exactly what was expected, read by an independent decoder.
func FuzzClaims(f *testing.F) {
	f.Add(claims(f, nil))
	f.Add(claims(f, map[string]any{"aud": []string{"us", "other"}}))
	f.Add([]byte(`{"iss":"https://idp.acme.test","ISS":"x"}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		token, err := goodExpected().check(payload)
		if err != nil {
			return
		}
		var c map[string]any
		if err := json.Unmarshal(payload, &c); err != nil {
			t.Fatalf("accepted what encoding/json cannot read: %v", err)
		}
		if c["iss"] != "https://idp.acme.test" || c["sub"] != token.subject || c["nonce"] != "n" || !soundSubject(token.subject) {
			t.Fatalf("accepted %s", payload)
		}
		if exp, ok := c["exp"].(float64); !ok || exp < float64(testNow().Unix()-90) || exp > float64(testNow().Unix()+2*86400) {
			t.Fatalf("accepted exp %v", c["exp"])
		}
	})
}

func FuzzKeySet(f *testing.F) {
	raw, err := json.Marshal(map[string]any{"keys": []any{ecSigner(f, "k").jwk(nil)}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"AAAA"},{"kty":"RSA","n":"AQAB","e":"AQAB"},1,null]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		ks, err := parseKeySet(body)
		if err != nil {
			return
		}
		for _, k := range ks.keys {
			if (k.problem == "") != (k.public != nil) {
				t.Fatalf("key %+v", k)
			}
			for _, alg := range []string{"none", "HS256", "", "RSA-OAEP"} {
				if k.fits(alg) {
					t.Fatalf("%T fits %q", k.public, alg)
				}
			}
		}
	})
}

func FuzzDiscovery(f *testing.F) {
	f.Add([]byte(`{"issuer":"https://idp.acme.test","authorization_endpoint":"https://idp.acme.test/a","token_endpoint":"https://idp.acme.test/t","jwks_uri":"https://idp.acme.test/k","userinfo_endpoint":"https://idp.acme.test/u"}`))
	f.Add([]byte(`{"issuer":"https://idp.acme.test","token_endpoint":"https://idp.acme.test@evil.example/"}`))
	fed := New(Config{PublicURL: testPublicURL})
	f.Cleanup(fed.Close)
	f.Fuzz(func(t *testing.T, body []byte) {
		doc, err := parseObject("discovery", CodeDiscoveryInvalid, body, profile.Limits{})
		if err != nil {
			return
		}
		conn := connectionTo("https://idp.acme.test")
		md, err := fed.readDiscovery(&conn, doc)
		if err != nil {
			return
		}
		for _, e := range []string{md.authorize, md.token, md.jwks, md.userinfo} {
			u, err := url.Parse(e)
			if err != nil || u.Scheme != "https" || u.User != nil || u.Hostname() != "acme.test" && !strings.HasSuffix(strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")), "acme.test") {
				t.Fatalf("endpoint %q was taken", e)
			}
		}
	})
}

func FuzzTokenResponse(f *testing.F) {
	f.Add(200, "application/json", []byte(`{"access_token":"a","token_type":"Bearer","id_token":"x"}`))
	f.Add(400, "application/json", []byte(`{"error":"invalid_grant"}`))
	f.Add(200, "text/html", []byte(`<html>`))
	f.Fuzz(func(t *testing.T, status int, contentType string, body []byte) {
		tokens, err := readTokenResponse(response{status, http.Header{"Content-Type": {contentType}}, body}, store.KindOIDC)
		if err == nil && (status != 200 || tokens.accessToken == "" || strings.ContainsAny(tokens.accessToken, " \r\n")) {
			t.Fatalf("status %d %q gave %+v", status, body, tokens)
		}
		if e, ok := AsError(err); err != nil && (!ok || e.Code == CodeDeniedByUser) {
			t.Fatalf("error %v", err)
		}
		_, _ = readUserinfo(response{status, http.Header{"Content-Type": {contentType}}, body}, "s")
	})
}

func FuzzCallback(f *testing.F) {
	flow := Flow{State: "tx.secret"}
	f.Add("state=tx.secret&code=c&iss=https%3A%2F%2Fidp.acme.test")
	f.Add("state=tx.secret&code=c&error=access_denied")
	f.Add("state=tx.secret&state=tx.secret&code=c")
	f.Fuzz(func(t *testing.T, query string) {
		params, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		got, err := checkCallback("https://idp.acme.test", metadata{issParameter: true}, flow, params)
		if err == nil && (got == "" || params.Get("state") != "tx.secret" || len(params["code"]) != 1 || len(params["iss"]) != 1 || params.Has("error")) {
			t.Fatalf("accepted %q", query)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\r\n\x00") {
			t.Fatalf("raw text in %q", err)
		}
		_, _ = StateTx(base64.RawURLEncoding.EncodeToString([]byte(query)) + query)
	})
}
