package mockidp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"
)

func serve(p *Provider, method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w
}

func errorCode(err error) string {
	var re *oauth2.RetrieveError
	if errors.As(err, &re) {
		return re.ErrorCode
	}
	return ""
}

// TestCodeOnce: of 64 parallel redemptions one wins, and the others end its tokens.
func TestCodeOnce(t *testing.T) {
	t.Parallel()
	p := newParty(t, Start(t, Config{AutoLogin: "alice"}))
	code := p.get(p.oauth.AuthCodeURL("s")).params.Get("code")
	var won atomic.Int32
	var access atomic.Value
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			if token, err := p.oauth.Exchange(t.Context(), code); err == nil {
				won.Add(1)
				access.Store(token.AccessToken)
			} else if errorCode(err) != "invalid_grant" {
				t.Errorf("a loser got %v", err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Fatalf("%d redemptions won", won.Load())
	}
	if _, err := p.oauth.Exchange(t.Context(), code); errorCode(err) != "invalid_grant" {
		t.Errorf("again: %v", err)
	}
	token, _ := access.Load().(string)
	if got := exchange(t, false, "GET", p.idp.URL+"/userinfo", token, nil); got.status != 401 {
		t.Errorf("userinfo after the code was used twice: %d", got.status)
	}
}

func TestCodeBinding(t *testing.T) {
	t.Parallel()
	idp := Start(t, Config{AutoLogin: "alice", Clients: []Client{DefaultClient(), {ID: "other", Secret: "x", LoopbackRedirects: true}}})
	p := newParty(t, idp)
	verifier := oauth2.GenerateVerifier()
	code := func(opts ...oauth2.AuthCodeOption) string {
		return p.get(p.oauth.AuthCodeURL("s", opts...)).params.Get("code")
	}
	pkce := oauth2.S256ChallengeOption(verifier)
	for name, redeem := range map[string]func() error{
		"wrong verifier": func() error {
			_, err := p.oauth.Exchange(t.Context(), code(pkce), oauth2.VerifierOption(oauth2.GenerateVerifier()))
			return err
		},
		"no verifier": func() error { _, err := p.oauth.Exchange(t.Context(), code(pkce)); return err },
		"verifier without challenge": func() error {
			_, err := p.oauth.Exchange(t.Context(), code(), oauth2.VerifierOption(verifier))
			return err
		},
		"another client": func() error {
			other := p.oauth
			other.ClientID, other.ClientSecret = "other", "x"
			_, err := other.Exchange(t.Context(), code())
			return err
		},
		"another redirect_uri": func() error {
			other := p.oauth
			other.RedirectURL += "2"
			_, err := other.Exchange(t.Context(), code())
			return err
		},
		"made-up code": func() error { _, err := p.oauth.Exchange(t.Context(), "made-up"); return err },
	} {
		if got := errorCode(redeem()); got != "invalid_grant" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestClientAuthentication(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set := &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Algorithm: "ES256", Use: "sig"}}}
	idp := Start(t, Config{Clients: []Client{
		{ID: "both", Secret: "s:%&+"},
		{ID: "basic", Secret: "s", AuthMethods: []string{"client_secret_basic"}},
		{ID: "jwt", Keys: set},
		{ID: "public"},
	}})
	assertion := func(change func(*jwt.Claims)) string {
		t.Helper()
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "k"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		c := jwt.Claims{Issuer: "jwt", Subject: "jwt", Audience: jwt.Audience{idp.URL}, ID: rand.Text(), Expiry: jwt.NewNumericDate(time.Now().Add(time.Minute))}
		if change != nil {
			change(&c)
		}
		s, err := jwt.Signed(signer).Claims(c).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	withJWT := func(s string) url.Values {
		return url.Values{"client_assertion_type": {assertionType}, "client_assertion": {s}}
	}
	replayed := assertion(nil)
	for _, tt := range []struct {
		name       string
		user, pass string
		form       url.Values
		want       int
	}{
		{"basic", url.QueryEscape("both"), url.QueryEscape("s:%&+"), nil, 200},
		{"post", "", "", url.Values{"client_id": {"both"}, "client_secret": {"s:%&+"}}, 200},
		{"post not agreed", "", "", url.Values{"client_id": {"basic"}, "client_secret": {"s"}}, 401},
		{"wrong secret", "basic", "wrong", nil, 401},
		{"empty secret", "", "", url.Values{"client_id": {"both"}, "client_secret": {""}}, 401},
		{"no secret", "", "", url.Values{"client_id": {"both"}}, 401},
		{"unknown", "nobody", "s", nil, 401},
		{"two ways", "basic", "s", url.Values{"client_secret": {"s"}}, 400},
		{"two names", "basic", "s", url.Values{"client_id": {"both"}}, 401},
		{"public", "", "", url.Values{"client_id": {"public"}}, 400}, // unauthorized_client
		{"jwt", "", "", withJWT(replayed), 200},
		{"jwt replayed", "", "", withJWT(replayed), 401},
		{"jwt for another", "", "", withJWT(assertion(func(c *jwt.Claims) { c.Audience = jwt.Audience{"https://evil.example"} })), 401},
		{"jwt expired", "", "", withJWT(assertion(func(c *jwt.Claims) { c.Expiry = jwt.NewNumericDate(time.Now().Add(-time.Hour)) })), 401},
		{"jwt of a secret client", "", "", withJWT(assertion(func(c *jwt.Claims) { c.Issuer, c.Subject = "both", "both" })), 401},
		{"jwt without jti", "", "", withJWT(assertion(func(c *jwt.Claims) { c.ID = "" })), 401},
	} {
		form := merged(url.Values{"grant_type": {"client_credentials"}, "scope": {"api"}}, tt.form)
		r, err := http.NewRequestWithContext(t.Context(), "POST", idp.URL+"/token", strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if tt.user != "" {
			r.SetBasicAuth(tt.user, tt.pass)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, res.StatusCode, tt.want)
		}
	}
}

func TestRefreshRotation(t *testing.T) {
	t.Parallel()
	p := newParty(t, Start(t, Config{AutoLogin: "alice", RotateRefreshTokens: true, AlwaysRefreshToken: true}))
	token := p.tokens(p.get(p.oauth.AuthCodeURL("s")).params)
	refresh := func(rt string) (*oauth2.Token, error) {
		return p.oauth.TokenSource(t.Context(), &oauth2.Token{RefreshToken: rt}).Token()
	}
	fresh, err := refresh(token.RefreshToken)
	if err != nil || fresh.RefreshToken == token.RefreshToken {
		t.Fatalf("refresh: %v", err)
	}
	if _, err := refresh(token.RefreshToken); errorCode(err) != "invalid_grant" {
		t.Errorf("a used refresh token: %v", err)
	}
	client := url.Values{"client_id": {"gatehouse"}, "client_secret": {"mock-secret"}}
	active := func(token string) any {
		return exchange(t, false, "POST", p.idp.URL+"/introspect", "", merged(client, url.Values{"token": {token}})).json()["active"]
	}
	if active(fresh.AccessToken) != true || active("made-up") != false {
		t.Error("introspection is wrong")
	}
	exchange(t, false, "POST", p.idp.URL+"/revoke", "", merged(client, url.Values{"token": {fresh.RefreshToken}}))
	if active(fresh.AccessToken) != false || active(fresh.RefreshToken) != false {
		t.Error("revoking the refresh token left tokens alive")
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	idp := Start(t, Config{AutoLogin: "alice"})
	p := newParty(t, idp)
	before := p.tokens(p.get(p.oauth.AuthCodeURL("s")).params)
	idp.RotateKeys(Rotation{})
	p.verified(before) // the old key stays published
	p.verified(p.tokens(p.get(p.oauth.AuthCodeURL("s")).params))
	idp.RotateKeys(Rotation{DropOld: true})
	raw, _ := before.Extra("id_token").(string)
	if _, err := verifyIDToken(t.Context(), idp.URL, raw); err == nil {
		t.Error("a dropped key still verifies")
	}
	kid := idp.Provider.keys.signer().kid
	if got := idp.RotateKeys(Rotation{ReuseKID: true}); got != kid {
		t.Errorf("kid %s after reuse, want %s", got, kid)
	}
	p.verified(p.tokens(p.get(p.oauth.AuthCodeURL("s")).params))
}

func BenchmarkLogin(b *testing.B) {
	idp, err := New(Config{Issuer: "http://idp.test", AutoLogin: "alice"})
	if err != nil {
		b.Fatal(err)
	}
	q := url.Values{"response_type": {"code"}, "client_id": {"gatehouse"}, "redirect_uri": {callback}, "scope": {"openid profile email"}, "nonce": {"n"}}
	for b.Loop() {
		w := serve(idp, "GET", "/authorize?"+q.Encode(), "")
		u, err := url.Parse(w.Header().Get("Location"))
		if err != nil {
			b.Fatal(err)
		}
		form := url.Values{
			"grant_type": {"authorization_code"}, "code": {u.Query().Get("code")}, "redirect_uri": {callback},
			"client_id": {"gatehouse"}, "client_secret": {"mock-secret"},
		}
		r := httptest.NewRequest("POST", "/token", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		t := httptest.NewRecorder()
		if idp.ServeHTTP(t, r); t.Code != 200 {
			b.Fatal(t.Body.String())
		}
	}
}
