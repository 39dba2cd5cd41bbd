package mockidp

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"
)

// party is a relying party made of x/oauth2 and a browser: it shares no code with the
// provider.
type party struct {
	t       *testing.T
	idp     *Running
	oauth   oauth2.Config
	browser *http.Client
}

const callback = "http://127.0.0.1:1/callback"

func newParty(t *testing.T, idp *Running) *party {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &party{
		t: t, idp: idp,
		oauth: oauth2.Config{
			ClientID: "gatehouse", ClientSecret: "mock-secret", RedirectURL: callback,
			Scopes:   []string{"openid", "profile", "email", "offline_access"},
			Endpoint: oauth2.Endpoint{AuthURL: idp.URL + "/authorize", TokenURL: idp.URL + "/token", AuthStyle: oauth2.AuthStyleInHeader},
		},
		browser: &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
			if strings.HasPrefix(r.URL.String(), callback) {
				return http.ErrUseLastResponse
			}
			return nil
		}},
	}
}

// response is what the browser ended at.
type response struct {
	status int
	params url.Values // of the callback; nil when a page was shown
	page   string
	header http.Header
}

func (p *party) do(r *http.Request) response {
	p.t.Helper()
	res, err := p.browser.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	out := response{status: res.StatusCode, page: string(body), header: res.Header}
	if loc := res.Header.Get("Location"); strings.HasPrefix(loc, callback) {
		u, err := url.Parse(loc)
		if err != nil {
			p.t.Fatal(err)
		}
		out.params = u.Query()
	}
	return out
}

func (p *party) get(u string) response {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), "GET", u, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.do(r)
}

func (p *party) post(u string, form url.Values) response {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), "POST", u, strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return p.do(r)
}

var hiddenTx = regexp.MustCompile(`name="tx" value="([^"]+)"`)

// typed fills in the login page.
func (p *party) typed(page response, form url.Values) response {
	p.t.Helper()
	m := hiddenTx.FindStringSubmatch(page.page)
	if m == nil {
		p.t.Fatalf("status %d: no login page: %s", page.status, page.page)
	}
	form.Set("tx", m[1])
	return p.post(p.idp.URL+"/login", form)
}

// tokens redeems a callback's code.
func (p *party) tokens(params url.Values, opts ...oauth2.AuthCodeOption) *oauth2.Token {
	p.t.Helper()
	token, err := p.oauth.Exchange(p.t.Context(), params.Get("code"), opts...)
	if err != nil {
		p.t.Fatalf("redeeming the code: %v (callback %v)", err, params)
	}
	return token
}

// verified checks the ID token's signature with the published keys and answers its claims.
func (p *party) verified(token *oauth2.Token) map[string]any {
	p.t.Helper()
	raw, _ := token.Extra("id_token").(string)
	claims, err := verifyIDToken(p.t.Context(), p.idp.URL, raw)
	if err != nil {
		p.t.Fatalf("ID token %q: %v", raw, err)
	}
	return claims
}

func verifyIDToken(ctx context.Context, issuer, raw string) (map[string]any, error) {
	var set jose.JSONWebKeySet
	if err := getJSON(ctx, issuer+"/jwks", "", &set); err != nil {
		return nil, err
	}
	return verifyWith(set, raw)
}

func verifyWith(set jose.JSONWebKeySet, raw string) (map[string]any, error) {
	jws, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.ES256, jose.RS256, jose.PS256, jose.EdDSA})
	if err != nil {
		return nil, err
	}
	payload, err := jws.Verify(&set)
	for i := 0; err != nil && jws.Signatures[0].Header.KeyID == "" && i < len(set.Keys); i++ {
		payload, err = jws.Verify(set.Keys[i])
	}
	if err != nil {
		return nil, err
	}
	var claims map[string]any
	return claims, json.Unmarshal(payload, &claims)
}

func getJSON(ctx context.Context, u, bearer string, v any) error {
	r, err := http.NewRequestWithContext(ctx, "GET", u, nil)
	if err != nil {
		return err
	}
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	return json.NewDecoder(res.Body).Decode(v)
}

func TestCodeFlow(t *testing.T) {
	t.Parallel()
	for _, alg := range signingAlgs() {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			idp := Start(t, Config{SigningAlg: alg})
			p := newParty(t, idp)
			verifier := oauth2.GenerateVerifier()
			page := p.get(p.oauth.AuthCodeURL("the-state", oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("nonce", "the-nonce")))
			back := p.typed(page, url.Values{"username": {"alice"}})
			if back.params.Get("state") != "the-state" || back.params.Get("iss") != idp.URL {
				t.Fatalf("callback = %v", back.params)
			}
			token := p.tokens(back.params, oauth2.VerifierOption(verifier))
			claims := p.verified(token)
			want := map[string]any{
				"iss": idp.URL, "aud": "gatehouse", "nonce": "the-nonce", "email": "alice@acme.test",
				"email_verified": true, "given_name": "Alice", "family_name": "Archer", "name": "Alice Archer",
				"at_hash": halfHash(alg, token.AccessToken),
			}
			for name, value := range want {
				if claims[name] != value {
					t.Errorf("ID token %s = %v, want %v", name, claims[name], value)
				}
			}
			for _, absent := range []string{"phone_number", "address"} { // their scopes were not asked for
				if _, ok := claims[absent]; ok {
					t.Errorf("ID token has %s without its scope", absent)
				}
			}
			var info map[string]any
			if err := getJSON(t.Context(), idp.URL+"/userinfo", token.AccessToken, &info); err != nil {
				t.Fatal(err)
			}
			if info["sub"] != claims["sub"] || info["picture"] != "https://acme.test/people/alice.png" {
				t.Errorf("userinfo = %v", info)
			}
			fresh, err := p.oauth.TokenSource(t.Context(), &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
			if err != nil {
				t.Fatalf("refresh: %v", err)
			}
			if again := p.verified(fresh); again["sub"] != claims["sub"] || again["nonce"] != nil {
				t.Errorf("refreshed ID token = %v", again)
			}
		})
	}
}
