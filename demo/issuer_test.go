package demo

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// issuer is a small OpenID provider with no pages, for tests of the app alone.
type issuer struct {
	*httptest.Server
	t   *testing.T
	key *ecdsa.PrivateKey

	mu       sync.Mutex
	down     bool
	sub      string            // who signs in
	override map[string]any    // put into ID tokens
	refuse   map[string]string // answer of the token endpoint instead of tokens
	asked    url.Values        // last authorization request
	codes    map[string]url.Values
	refresh  string // the one good refresh token
	count    int
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	op := &issuer{t: t, key: key, sub: "sub-alice", codes: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		op.json(w, 200, map[string]any{
			"issuer": op.URL, "authorization_endpoint": op.URL + "/authorize", "token_endpoint": op.URL + "/token",
			"userinfo_endpoint": op.URL + "/userinfo", "jwks_uri": op.URL + "/jwks", "end_session_endpoint": op.URL + "/logout?x=1",
			"id_token_signing_alg_values_supported": []string{"ES256"}, "authorization_response_iss_parameter_supported": true,
		})
	})
	mux.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) {
		op.json(w, 200, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: "k1", Algorithm: "ES256", Use: "sig"}}})
	})
	mux.HandleFunc("POST /token", op.token)
	mux.HandleFunc("GET /userinfo", func(w http.ResponseWriter, _ *http.Request) {
		op.mu.Lock()
		defer op.mu.Unlock()
		op.json(w, 200, map[string]any{"sub": op.sub, "name": "Alice <b>Archer</b>", "email": "alice@acme.test", "big": json.Number("12345678901234567890")})
	})
	op.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		op.mu.Lock()
		down := op.down
		op.mu.Unlock()
		if down {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(op.Close)
	return op
}

func (op *issuer) set(change func()) {
	op.mu.Lock()
	defer op.mu.Unlock()
	change()
}

func (op *issuer) json(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		op.t.Error(err)
	}
}

// authorize stands for the person signing in: it takes the address the app sent
// the browser to and returns the answer's parameters.
func (op *issuer) authorize(raw string) url.Values {
	op.t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		op.t.Fatal(err)
	}
	op.mu.Lock()
	defer op.mu.Unlock()
	op.asked = u.Query()
	code := rand.Text()
	op.codes[code] = op.asked
	return url.Values{"code": {code}, "state": {op.asked.Get("state")}, "iss": {op.URL}}
}

func (op *issuer) token(w http.ResponseWriter, r *http.Request) {
	op.mu.Lock()
	defer op.mu.Unlock()
	if op.refuse != nil {
		op.json(w, 400, op.refuse)
		return
	}
	invalid := map[string]string{"error": "invalid_grant", "error_description": "no <such> grant"}
	id, secret, _ := r.BasicAuth()
	if id != "demo-web" || secret != "s3cret" {
		op.json(w, 401, map[string]string{"error": "invalid_client"})
		return
	}
	claims := map[string]any{"iss": op.URL, "sub": op.sub, "aud": "demo-web", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()}
	switch r.PostFormValue("grant_type") {
	case "authorization_code":
		asked, ok := op.codes[r.PostFormValue("code")]
		delete(op.codes, r.PostFormValue("code"))
		sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
		if !ok || asked.Get("code_challenge_method") != "S256" || asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]) {
			op.json(w, 400, invalid)
			return
		}
		claims["nonce"] = asked.Get("nonce")
	case "refresh_token":
		if r.PostFormValue("refresh_token") != op.refresh {
			op.json(w, 400, invalid)
			return
		}
	}
	maps.Copy(claims, op.override)
	op.refresh = rand.Text()
	op.count++
	op.json(w, 200, map[string]any{
		"access_token": "opaque-" + rand.Text(), "token_type": "Bearer", "expires_in": 900, "refresh_token": op.refresh, "id_token": op.sign(claims),
	})
}

func (op *issuer) sign(claims map[string]any) string {
	op.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: op.key, KeyID: "k1"}}, nil)
	if err != nil {
		op.t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		op.t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		op.t.Fatal(err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		op.t.Fatal(err)
	}
	return compact
}
