package federation

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"

	"gatehouse/profile"
	"gatehouse/store"
)

// Grant types as they go over the wire.
const (
	grantAuthorizationCode = "authorization_code"
	grantRefreshToken      = "refresh_token"
	grantTypePassword      = "password"
	grantTypeJWTBearer     = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	grantTypeCredentials   = "client_credentials"
)

// tokenResponse is a checked answer of a token endpoint.
type tokenResponse struct {
	accessToken  string
	idToken      string       // "" when there was none
	refreshToken store.Secret // "" when there was none
	raw          []byte       // the whole answer, for selectors
}

// redeem exchanges the code, once: codes are for single use, so whatever
// happens it is never sent again (Q2).
func (f *Federation) redeem(ctx context.Context, conn *store.Connection, u *upstream, md metadata, code string, flow Flow) (tokenResponse, error) {
	form := url.Values{
		"grant_type":   {grantAuthorizationCode},
		"code":         {code},
		"redirect_uri": {cmp.Or(flow.RedirectURI, f.RedirectURI(conn.ID))},
	}
	if flow.Verifier != "" {
		form.Set(cmp.Or(conn.PKCENames.Verifier, "code_verifier"), flow.Verifier)
	}
	return f.askToken(ctx, conn, u, md, inToken, form, flow.Lent)
}

// askToken sends one token request: the connection's parameters, what the
// protocol sends, which wins, and our proof of being the client.
func (f *Federation) askToken(ctx context.Context, conn *store.Connection, u *upstream, md metadata, in string, protocol url.Values, lent map[int]string) (tokenResponse, error) {
	form, query, head := url.Values{}, url.Values{}, http.Header{}
	if err := parameters(conn, in, protocol.Get("grant_type"), lent, carrier{query, form, head}); err != nil {
		return tokenResponse{}, err
	}
	for _, name := range []string{"client_id", "client_secret", "client_assertion", "client_assertion_type", "grant_type", "code", "redirect_uri", "code_verifier", "refresh_token"} {
		form.Del(name)
		query.Del(name)
	}
	for name, values := range protocol {
		form[name] = values
	}
	if err := f.authenticate(conn, u, form, head); err != nil {
		return tokenResponse{}, err
	}
	if head.Get("Accept") == "" {
		head.Set("Accept", "application/json")
	}
	head.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := f.do(ctx, conn, u, request{
		endpoint: "token", method: http.MethodPost, url: md.token, query: query, header: head, body: []byte(form.Encode()),
	})
	if err != nil {
		return tokenResponse{}, err
	}
	tokens, err := readTokenResponse(resp, conn.Kind)
	if err == nil {
		store.Hide(ctx, tokens.accessToken, tokens.idToken, tokens.refreshToken.Reveal())
	}
	return tokens, err
}

// readTokenResponse checks RFC 6749 §5.1 and maps errors of §5.2, whatever
// status they come with.
func readTokenResponse(resp response, kind store.ConnectionKind) (tokenResponse, error) {
	o, err := resp.object("token", profile.Limits{Bytes: 512 << 10}, "application/json")
	if err != nil {
		if resp.status != http.StatusOK {
			err = fault(BlameProvider, CodeResponseStatus, "token endpoint answered %d without an OAuth error", resp.status)
		}
		return tokenResponse{}, err
	}
	if e, present := o["error"]; present {
		return tokenResponse{}, tokenFault(e)
	}
	if resp.status != http.StatusOK {
		return tokenResponse{}, fault(BlameProvider, CodeResponseStatus, "token endpoint answered %d without an OAuth error", resp.status)
	}
	t := tokenResponse{raw: resp.body}
	t.accessToken, _ = o["access_token"].(string)
	tokenType, typed := o["token_type"]
	typeName, _ := tokenType.(string)
	switch {
	case !visible(t.accessToken, 64<<10):
		return tokenResponse{}, fault(BlameProvider, CodeTokenResponseInvalid, "access_token is missing or not a token")
	case !typed && kind == store.KindOAuth2:
		// LinkedIn, Instagram and others leave it out; a Bearer token it is.
	case !strings.EqualFold(typeName, "Bearer"):
		return tokenResponse{}, fault(BlameProvider, CodeTokenResponseInvalid, "token_type is %s instead of Bearer", quoted(typeName))
	}
	if refresh, _ := o["refresh_token"].(string); visible(refresh, maxRefreshToken) {
		t.refreshToken = store.Secret(refresh)
	}
	// An ID token that a plain OAuth 2.0 connection did not ask for is not looked
	// at: nothing of it would be checked (SECURITY-CASES J22).
	if id, present := o["id_token"]; present && id != nil && kind != store.KindOAuth2 {
		var ok bool
		if t.idToken, ok = id.(string); !ok || t.idToken == "" {
			return tokenResponse{}, fault(BlameProvider, CodeTokenResponseInvalid, "id_token is not text")
		}
	}
	return t, nil
}

// visible reports whether s is 1 to most visible ASCII characters: safe in a
// header (RFC 6749 appendix A).
func visible(s string, most int) bool {
	return s != "" && len(s) <= most && !strings.ContainsFunc(s, func(r rune) bool { return r < 0x21 || r > 0x7e })
}

func tokenFault(code any) error {
	s, _ := code.(string)
	e := tokenError(s)
	if visible(s, 64) {
		e.oauth = s
	}
	return e
}

func tokenError(s string) *Error {
	switch s {
	case "invalid_grant":
		return fault(BlameProvider, CodeCodeRefused, "the provider did not take its code back (invalid_grant)")
	case "invalid_client", "unauthorized_client":
		return fault(BlameOurs, CodeClientRejected, "the provider does not accept this connection's client (%s)", s)
	case "temporarily_unavailable", "server_error":
		return temporary(CodeUnavailable, "token endpoint answered %s", s)
	}
	return fault(BlameProvider, CodeTokenError, "token endpoint answered error %s", quoted(s))
}
