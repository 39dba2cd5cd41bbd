package federation

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"gatehouse/profile"
	"gatehouse/store"
)

// tokenResponse is a checked answer of a token endpoint.
type tokenResponse struct {
	accessToken string
	idToken     string // "" when there was none
	raw         []byte // the whole answer, for selectors
}

// redeem exchanges the code, once: codes are for single use, so whatever
// happens it is never sent again (Q2).
func (f *Federation) redeem(ctx context.Context, conn *store.Connection, u *upstream, md metadata, code, verifier string) (tokenResponse, error) {
	form := url.Values{
		"grant_type":   {"authorization_code"},
		"code":         {code},
		"redirect_uri": {f.RedirectURI(conn.ID)},
	}
	if verifier != "" {
		form.Set("code_verifier", verifier)
	}
	head := http.Header{"Accept": {"application/json"}, "Content-Type": {"application/x-www-form-urlencoded"}}
	if err := authenticate(conn, form, head); err != nil {
		return tokenResponse{}, err
	}
	resp, err := f.do(ctx, conn, u, request{endpoint: "token", method: http.MethodPost, url: md.token, header: head, body: []byte(form.Encode())})
	if err != nil {
		return tokenResponse{}, err
	}
	return readTokenResponse(resp)
}

// authenticate adds our proof of being the client (RFC 6749 §2.3).
func authenticate(conn *store.Connection, form url.Values, head http.Header) error {
	secret, err := conn.ClientSecret.Reveal()
	if err != nil {
		return fault(BlameOurs, CodeConnectionInvalid, "client secret cannot be opened: %w", err)
	}
	switch conn.ClientAuth {
	case "", store.AuthHeader:
		pair := url.QueryEscape(conn.ClientID) + ":" + url.QueryEscape(secret.Reveal())
		head.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
	case store.AuthForm:
		form.Set("client_id", conn.ClientID)
		form.Set("client_secret", secret.Reveal())
	case store.AuthNone:
		form.Set("client_id", conn.ClientID)
	default:
		return fault(BlameOurs, CodeConnectionInvalid, "client authentication %q is not supported", conn.ClientAuth)
	}
	return nil
}

// readTokenResponse checks RFC 6749 §5.1 and maps errors of §5.2, whatever
// status they come with.
func readTokenResponse(resp response) (tokenResponse, error) {
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
	kind, _ := o["token_type"].(string)
	switch {
	case !visible(t.accessToken, 64<<10):
		return tokenResponse{}, fault(BlameProvider, CodeTokenResponseInvalid, "access_token is missing or not a token")
	case !strings.EqualFold(kind, "Bearer"):
		return tokenResponse{}, fault(BlameProvider, CodeTokenResponseInvalid, "token_type is %s instead of Bearer", quoted(kind))
	}
	if id, present := o["id_token"]; present && id != nil {
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
