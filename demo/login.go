package demo

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// login is one that was begun and is not back yet.
type login struct {
	browser, nonce, verifier string
}

// signIn sends the browser to the broker.
func (a *App) signIn(w http.ResponseWriter, r *http.Request) {
	d, err := a.broker.discover(r.Context())
	if err != nil {
		drawError(w, unreachable(err))
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	l := login{browser: a.browser(w, r), nonce: rand.Text(), verifier: oauth2.GenerateVerifier()}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(l.verifier), oidc.Nonce(l.nonce)}
	if hint := r.PostFormValue("login_hint"); hint != "" {
		options = append(options, oauth2.SetAuthURLParam("login_hint", hint))
	}
	http.Redirect(w, r, d.oauth2.AuthCodeURL(a.logins.put(l), options...), http.StatusSeeOther)
}

// callback takes the broker's answer. The state must be one this browser began,
// and it works once; only then is anything else in the address believed.
func (a *App) callback(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	l, ok := a.logins.take(query.Get("state"))
	cookie, err := r.Cookie(browserCookie)
	if !ok || err != nil || subtle.ConstantTimeCompare([]byte(cookie.Value), []byte(l.browser)) != 1 {
		drawError(w, failure{
			Status: http.StatusBadRequest, Title: "This answer does not belong here",
			Say:  "Its state is not one this browser began with, or it was used before. Please sign in again.",
			Code: "state_mismatch",
		})
		return
	}
	d, err := a.broker.discover(r.Context())
	if err != nil {
		drawError(w, unreachable(err))
		return
	}
	if iss := query.Get("iss"); iss != a.config.Issuer && (iss != "" || d.sendsIss) { // RFC 9207 section 2.4
		drawError(w, failure{
			Status: http.StatusBadRequest, Title: "This answer came from somebody else",
			Say: "Its issuer is not the one we asked. Please sign in again.", Code: "issuer_mismatch",
		})
		return
	}
	if code := query.Get("error"); code != "" {
		drawError(w, failure{
			Status: http.StatusBadRequest, Title: "You are not signed in", Say: "Gatehouse answered with an error.",
			Code: code, Description: query.Get("error_description"),
		})
		return
	}
	ctx := a.broker.context(r.Context())
	token, err := d.oauth2.Exchange(ctx, query.Get("code"), oauth2.VerifierOption(l.verifier))
	if err != nil {
		drawError(w, refused("The code could not be exchanged for tokens.", err))
		return
	}
	s := &session{}
	if err := s.accept(ctx, d, token, l.nonce); err != nil {
		drawError(w, refused("The tokens that came back are not acceptable.", err))
		return
	}
	a.forget(r)
	a.setCookie(w, sessionCookie, a.sessions.put(s)) // a new one, never one the browser brought
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// refresh spends the refresh token for new tokens.
func (a *App) refresh(w http.ResponseWriter, r *http.Request) {
	s, ok := a.session(r)
	if !ok {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	d, err := a.broker.discover(r.Context())
	if err != nil {
		drawError(w, unreachable(err))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// A visitor who walks away must not lose the new refresh token: it is spent.
	ctx := a.broker.context(context.WithoutCancel(r.Context()))
	token, err := d.oauth2.TokenSource(ctx, &oauth2.Token{RefreshToken: s.token.RefreshToken}).Token()
	if err == nil {
		err = s.accept(ctx, d, token, "")
	}
	if err != nil {
		var answer *oauth2.RetrieveError
		if errors.As(err, &answer) && answer.ErrorCode == "invalid_grant" {
			a.forget(r) // the grant is over: so are we
			a.setCookie(w, sessionCookie, "")
		}
		drawError(w, refused("The tokens could not be refreshed.", err))
		return
	}
	s.renewals++
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// signOut ends our session and then the one at the broker (OpenID Connect
// RP-Initiated Logout 1.0).
func (a *App) signOut(w http.ResponseWriter, r *http.Request) {
	s, ok := a.session(r)
	a.forget(r)
	a.setCookie(w, sessionCookie, "")
	d, err := a.broker.discover(r.Context())
	if !ok || err != nil || d.endSession == "" {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	target, err := url.Parse(d.endSession)
	if err != nil {
		drawError(w, unreachable(err))
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	query := target.Query()
	query.Set("id_token_hint", s.idToken)
	query.Set("client_id", a.config.ClientID)
	query.Set("post_logout_redirect_uri", a.config.BaseURL+"/")
	target.RawQuery = query.Encode()
	http.Redirect(w, r, target.String(), http.StatusSeeOther)
}

// forget drops the session of this browser.
func (a *App) forget(r *http.Request) {
	if c, err := r.Cookie(sessionCookie); err == nil {
		a.sessions.take(c.Value)
	}
}

// unreachable is the page for a broker that does not answer.
func unreachable(err error) failure {
	return failure{
		Status: http.StatusServiceUnavailable, Title: "Gatehouse does not answer", Code: "temporarily_unavailable",
		Say: "It may still be starting. Please try again in a moment.", Description: err.Error(),
	}
}

// refused is the page for a token endpoint that said no, or an answer we do not accept.
func refused(say string, err error) failure {
	f := failure{Status: http.StatusBadGateway, Title: "That did not work", Say: say, Code: "invalid_response", Description: err.Error()}
	var answer *oauth2.RetrieveError
	if errors.As(err, &answer) && answer.ErrorCode != "" {
		f.Code, f.Description = answer.ErrorCode, answer.ErrorDescription
	}
	return f
}
