package e2e

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// relyingParty is an app built from golang.org/x/oauth2 and coreos/go-oidc. It
// listens on a loopback port for its answer, as a native app does.
type relyingParty struct {
	ctx      context.Context
	provider *oidc.Provider
	verifier *oidc.IDTokenVerifier
	config   oauth2.Config
	answers  chan url.Values
}

func newRelyingParty(t *testing.T, id, secret string) *relyingParty {
	t.Helper()
	ctx := oidc.ClientContext(t.Context(), &http.Client{Transport: watching{shared.secrets, http.DefaultTransport}})
	provider, err := oidc.NewProvider(ctx, shared.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	rp := &relyingParty{ctx: ctx, provider: provider, answers: make(chan url.Values, 1)}
	rp.verifier = provider.Verifier(&oidc.Config{ClientID: id})
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		rp.answers <- r.URL.Query()
	}))
	t.Cleanup(app.Close)
	rp.config = oauth2.Config{
		ClientID: id, ClientSecret: secret, Endpoint: provider.Endpoint(), RedirectURL: app.URL + "/callback",
		Scopes: []string{oidc.ScopeOpenID, "profile", "email", oidc.ScopeOfflineAccess},
	}
	return rp
}

// signIn walks a person through a login and gives the verified tokens.
func (rp *relyingParty) signIn(t *testing.T, b *browser, who person) (*oauth2.Token, *oidc.IDToken) {
	t.Helper()
	state, nonce, verifier := random(), random(), oauth2.GenerateVerifier()
	p := b.get(rp.config.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)))
	if p = walkIn(b, p, who); p.callback != nil {
		rp.answers <- p.callback.params // a redirect URI of a site that is not ours
	}
	var answer url.Values
	select {
	case answer = <-rp.answers:
	default:
		t.Fatalf("the browser did not come back to the app: it is at %s (%q)\n%s", p.url, p.title(), p.body)
	}
	if answer.Get("state") != state || answer.Get("iss") != shared.Issuer {
		t.Fatalf("answer: got %v, want state %s and iss %s", answer, state, shared.Issuer)
	}
	token, err := rp.config.Exchange(rp.ctx, answer.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	id := rp.idToken(t, token)
	if id.Nonce != nonce {
		t.Errorf("nonce: got %q, want %q", id.Nonce, nonce)
	}
	return token, id
}

func (rp *relyingParty) idToken(t *testing.T, token *oauth2.Token) *oidc.IDToken {
	t.Helper()
	raw, _ := token.Extra("id_token").(string)
	id, err := rp.verifier.Verify(rp.ctx, raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := id.VerifyAccessToken(token.AccessToken); err != nil {
		t.Error(err)
	}
	return id
}

func TestGoOIDC_NativeApp(t *testing.T) {
	t.Parallel()
	rp := newRelyingParty(t, "demo-native", "")
	who := shared.person(t, "acme.test")
	token, id := rp.signIn(t, shared.browser(t), who)

	var claims struct {
		Issuer            string   `json:"issuer"`
		EndSession        string   `json:"end_session_endpoint"`
		ChallengeMethods  []string `json:"code_challenge_methods_supported"`
		RevocationAddress string   `json:"revocation_endpoint"`
	}
	if err := rp.provider.Claims(&claims); err != nil || len(claims.ChallengeMethods) != 1 || claims.ChallengeMethods[0] != "S256" {
		t.Errorf("discovery: got %+v, %v", claims, err)
	}
	if users := shared.api(t).usersCalled(who.email); len(users) != 1 || users[0] != id.Subject {
		t.Errorf("users of %s: got %v, want exactly %s", who.email, users, id.Subject)
	}
	info, err := rp.provider.UserInfo(rp.ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		t.Fatal(err)
	}
	if info.Subject != id.Subject || info.Email != who.email || !info.EmailVerified {
		t.Errorf("userinfo: got %+v, want subject %s, verified e-mail %s", info, id.Subject, who.email)
	}

	expired := *token
	expired.Expiry = expired.Expiry.AddDate(-1, 0, 0)
	fresh, err := rp.config.TokenSource(rp.ctx, &expired).Token()
	if err != nil {
		t.Fatal(err)
	}
	if fresh.RefreshToken == token.RefreshToken || fresh.AccessToken == token.AccessToken {
		t.Error("refresh: tokens did not rotate")
	}
	again := rp.idToken(t, fresh)
	if again.Subject != id.Subject || again.Nonce != "" && again.Nonce != id.Nonce {
		t.Errorf("refreshed ID token: got sub %s nonce %q, want sub %s", again.Subject, again.Nonce, id.Subject)
	}

	a := shared.native(t)
	if got := a.send("/oauth2/revoke", url.Values{"token": {fresh.RefreshToken}}); got.status != http.StatusOK {
		t.Errorf("revocation: got %d %s", got.status, got.body)
	}
	if got := a.refresh(fresh.RefreshToken); got.text("error") != "invalid_grant" {
		t.Errorf("refresh after revocation: got %d %s, want invalid_grant", got.status, got.body)
	}
	if got := a.userinfo(fresh.AccessToken); got.status != http.StatusUnauthorized {
		t.Errorf("userinfo after revocation: got %d, want 401", got.status)
	}
}

func TestGoOIDC_WebApp(t *testing.T) {
	t.Parallel()
	c := shared.client("demo-web")
	rp := newRelyingParty(t, c.ID, c.Secret)
	rp.config.RedirectURL = c.RedirectURIs[0]
	b := shared.browser(t, c.RedirectURIs[0])
	token, id := rp.signIn(t, b, shared.person(t, "acme.test"))

	a := shared.web(t)
	got := a.send("/oauth2/introspect", url.Values{"token": {token.AccessToken}, "token_type_hint": {"access_token"}})
	if got.json["active"] != true || got.text("sub") != id.Subject || got.text("client_id") != c.ID || got.text("iss") != shared.Issuer {
		t.Errorf("introspection: got %s, want active, sub %s", got.body, id.Subject)
	}
	if !strings.Contains(" "+got.text("scope")+" ", " openid ") {
		t.Errorf("introspection: scope %q has no openid", got.text("scope"))
	}

	// A second app session in the same browser needs no second sign-in.
	_, second := rp.signIn(t, b, person{})
	if second.Subject != id.Subject {
		t.Errorf("second login: got sub %s, want %s", second.Subject, id.Subject)
	}

	raw, _ := token.Extra("id_token").(string)
	home := shared.Demo + "/"
	b.stops = append(b.stops, home)
	out := b.get(shared.Issuer + "/oauth2/logout?" + url.Values{
		"id_token_hint": {raw}, "post_logout_redirect_uri": {home}, "state": {"bye-bye-bye-bye-bye"},
	}.Encode())
	if out.callback == nil || out.callback.params.Encode() != "state=bye-bye-bye-bye-bye" {
		t.Fatalf("logout: got %+v, want a redirect home with the state and nothing else", out)
	}
	r := a.authorization()
	r.params.Set("prompt", "none")
	if p := b.get(a.authorizeURL(r)); p.callback == nil || p.callback.params.Get("error") != "login_required" {
		t.Errorf("prompt=none after logout: got %+v, want login_required", p.callback)
	}
	if a.active(token.AccessToken) {
		t.Error("the access token is alive after logout")
	}
	if got := a.refresh(token.RefreshToken); got.text("error") != "invalid_grant" {
		t.Errorf("refresh after logout: got %d %s, want invalid_grant", got.status, got.body)
	}
}

// TestLogout_AsksWithoutAHint: a mere link signs nobody out; after the person
// agreed, the session's tokens are dead.
func TestLogout_AsksWithoutAHint(t *testing.T) {
	t.Parallel()
	a := shared.web(t)
	a.scope = "openid email"
	b := a.browser(shared)
	tokens := a.tokens(b, shared.person(t, "acme.test"))
	if tokens.text("refresh_token") != "" {
		t.Error("a refresh token without offline_access")
	}
	if !a.active(tokens.text("access_token")) {
		t.Fatal("the access token is not active before logout")
	}
	p := b.get(shared.Issuer + "/oauth2/logout")
	if !strings.Contains(p.title(), "Sign out?") || !a.active(tokens.text("access_token")) {
		t.Fatalf("logout without a hint: got %q, want to be asked first", p.title())
	}
	if p = b.submit(p, "submit", nil); !strings.Contains(p.title(), "signed out") {
		t.Fatalf("logout: got %q", p.title())
	}
	if a.active(tokens.text("access_token")) {
		t.Error("the access token is alive after logout")
	}
}
