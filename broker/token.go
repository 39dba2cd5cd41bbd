package broker

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/ory/fosite"

	"gatehouse/store"
)

// token is the token endpoint (RFC 6749 §3.2): authorization_code,
// refresh_token, client_credentials, and the connection grant (direct.go).
func (b *Broker) token(w http.ResponseWriter, r *http.Request) {
	f, oerr := readBodyForm(w, r)
	if oerr != nil {
		b.writeOAuthError(w, r, oerr)
		return
	}
	// fosite keeps an already parsed form: what it sees is what we checked.
	r.Form, r.PostForm = f.Values, f.Values
	body, err := b.exchange(r, f)
	b.metrics.token(f.Get("grant_type"), err)
	if err != nil {
		b.writeOAuthError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, body)
}

// exchange turns a token request into the answer's members, or an error. The
// answer exists only after the commit.
func (b *Broker) exchange(r *http.Request, f form) (_ map[string]any, err error) {
	grantType := f.Get("grant_type")
	switch grantType {
	case "authorization_code", "refresh_token", "client_credentials":
	case grantConnection:
		return b.direct(r, f)
	case "":
		return nil, errInvalidRequest("grant_type is missing.")
	default: // fosite would say invalid_request (trap 19)
		return nil, errCode("unsupported_grant_type", "This grant_type is not supported.")
	}
	if grantType == "authorization_code" {
		store.Step(r.Context(), store.StepToken)
	}
	ctx, u := withUnit(r.Context())
	defer func() { b.redeemed(r, u, err) }()
	req, err := b.provider.NewAccessRequest(ctx, r, &tokenSession{})
	if err == nil && grantType == "client_credentials" {
		err = grantToService(req)
	}
	if grantType == "client_credentials" && errors.Is(err, fosite.ErrInvalidGrant) { // a public client
		err = errCode("unauthorized_client", "This client may not use the client_credentials grant.").because(err)
	}
	if err == nil && grantType == "refresh_token" {
		if err = narrowScopes(req, f); err == nil {
			err = b.askProvider(ctx, u, f)
		}
	}
	if err != nil {
		return nil, b.failedExchange(r, u, f, err)
	}
	resp, err := b.provider.NewAccessResponse(ctx, req)
	if err != nil {
		return nil, b.failedExchange(r, u, f, err)
	}
	if err := b.commit(ctx, u); err != nil {
		return nil, err
	}
	body := resp.ToMap()
	body["token_type"] = "Bearer"
	return body, nil
}

// failedExchange does what a failure demands (end a reused grant, burn a code)
// and gives back the error to answer with. A failure to write it down wins: no
// refusal may be told that did not happen (SECURITY-CASES T8).
func (b *Broker) failedExchange(r *http.Request, u *unit, f form, err error) error {
	if f.Get("grant_type") == "authorization_code" {
		// Whoever fails with a live code of ours has spent it; a reused one
		// already collected the end of its grant.
		if u.code != nil && u.code.code.UsedAt.IsZero() && b.now().Before(u.code.code.ExpiresAt) {
			(&storage{b}).burn(u, store.HashToken(f.Get("code")))
		}
	}
	if cerr := b.commit(r.Context(), u); cerr != nil {
		return cerr
	}
	if u.code != nil && u.code.refusal != nil {
		return u.code.refusal
	}
	if errors.Is(err, fosite.ErrInvalidRequest) && f.Get("grant_type") != "client_credentials" {
		return errInvalidGrant("The code or refresh token is not valid.").because(err)
	}
	return err
}

// grantToService grants a service what it asked for and is registered for
// (fosite grants nothing by itself, trap 23). Scopes about a person make no
// sense here.
func grantToService(req fosite.AccessRequester) error {
	cl := req.GetClient().(*client)
	if !slices.Contains(cl.GrantTypes, "client_credentials") || cl.Public() {
		return errCode("unauthorized_client", "This client may not use the client_credentials grant.")
	}
	for _, s := range req.GetRequestedScopes() {
		if slices.Contains(Scopes(), s) {
			return errInvalidScope("Scopes about a person cannot be granted to a service.")
		}
		req.GrantScope(s)
	}
	for _, a := range req.GetRequestedAudience() {
		req.GrantAudience(a)
	}
	return nil
}

// narrowScopes honours `scope` on refresh (RFC 6749 §6), which fosite ignores:
// less than granted is given, more is refused. The grant itself keeps its scopes.
func narrowScopes(req fosite.AccessRequester, f form) error {
	raw := f.Get("scope")
	if raw == "" {
		return nil
	}
	want := strings.Split(raw, " ")
	for _, s := range want {
		if !req.GetGrantedScopes().HasOneOf(s) || !slices.Contains(req.GetGrantedScopes(), s) {
			return errInvalidScope("scope asks for more than was granted.")
		}
	}
	ar, ok := req.(*fosite.AccessRequest)
	if !ok {
		return errServer(errNotUsed)
	}
	ar.GrantedScope = want
	return nil
}
