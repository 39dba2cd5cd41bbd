package federation

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"time"

	"gatehouse/store"
)

// maxRefreshToken bounds an upstream refresh token; longer ones are not kept.
const maxRefreshToken = 16 << 10

// maxRevocations bounds those that wait for slow providers.
const maxRevocations = 256

// RefreshRequest asks a provider whether a person may still go on.
type RefreshRequest struct {
	// Token is what VerifiedIdentity.UpstreamRefresh or the last RefreshResult
	// gave.
	Token store.Secret
	// Parameters of the app's request that its record lets it forward, and the
	// person's session, for the connection's parameters.
	Parameters map[string]string
	Session    Lookup
}

// RefreshResult is a provider's yes.
type RefreshResult struct {
	// Token replaces the one that was sent. Rotated says that the provider
	// made a new one: the old one may be dead already.
	Token     store.Secret
	Rotated   bool
	CheckedAt time.Time
}

// keptRefresh is what refresh login keeps: the provider's refresh token with
// what it was given for. It is sealed as one text and opaque to everybody else.
type keptRefresh struct {
	Token    string `json:"t"`
	Issuer   string `json:"i"`
	ClientID string `json:"c"`
	Subject  string `json:"s,omitempty"` // of the ID token; "" without one
}

func (k keptRefresh) seal() store.Secret {
	raw, err := json.Marshal(k)
	if err != nil {
		return "" // strings always encode
	}
	return store.Secret(raw)
}

func openRefresh(s store.Secret) (keptRefresh, bool) {
	var k keptRefresh
	err := json.Unmarshal([]byte(s.Reveal()), &k)
	return k, err == nil && k.Token != ""
}

// Refresh asks the provider with the person's refresh token. An error is a
// definite no when RefreshDenied says so; every other one is an outage or a
// fault of configuration, and says nothing about the person. Errors are *Error.
func (f *Federation) Refresh(ctx context.Context, conn store.Connection, r RefreshRequest) (RefreshResult, error) {
	ctx, cancel := context.WithTimeout(ctx, f.timing.step)
	defer cancel()
	kept, ok := openRefresh(r.Token)
	switch {
	case !ok:
		return RefreshResult{}, fault(BlameOurs, CodeRequestInvalid, "there is no refresh token")
	case conn.Disabled:
		return RefreshResult{}, fault(BlameOurs, CodeConnectionDisabled, "connection is switched off")
	case !conn.RefreshLogin:
		return RefreshResult{}, fault(BlameOurs, CodeConnectionInvalid, "refresh login is switched off")
	case kept.Issuer != identityIssuer(&conn) || kept.ClientID != conn.ClientID:
		// The connection leads to another provider now: the token is none of its business.
		return RefreshResult{}, fault(BlameOurs, CodeRefreshMismatch, "the refresh token was given by another provider or to another client than the connection names now")
	}
	store.Hide(ctx, kept.Token)
	lent, err := lenders{r.Parameters, r.Session}.resolve(&conn)
	if err != nil {
		return RefreshResult{}, err
	}
	u := f.upstream(&conn)
	md, err := f.metadata(ctx, &conn, u)
	if err != nil {
		return RefreshResult{}, err
	}
	started := f.now()
	form := url.Values{"grant_type": {grantRefreshToken}, "refresh_token": {kept.Token}}
	tokens, err := f.askToken(ctx, &conn, u, md, inRefresh, form, lent)
	if err != nil {
		return RefreshResult{}, refreshFault(err)
	}
	if tokens.idToken != "" {
		if err := f.sameFederated(ctx, &conn, u, md, tokens, kept, started); err != nil {
			return RefreshResult{}, err
		}
	}
	result := RefreshResult{Token: r.Token, CheckedAt: f.now().UTC()}
	if next := tokens.refreshToken.Reveal(); next != "" && next != kept.Token {
		kept.Token = next
		result.Token, result.Rotated = kept.seal(), true
	}
	return result, nil
}

// sameFederated holds a refreshed ID token against the first one: issuer,
// client and subject must be the same (OpenID Connect Core §12.2, T9).
func (f *Federation) sameFederated(ctx context.Context, conn *store.Connection, u *upstream, md metadata, tokens tokenResponse, kept keptRefresh, started time.Time) error {
	token, err := f.verifyIDToken(ctx, conn, u, md.jwks, tokens.idToken, expected{
		issuer: conn.Issuer, clientID: conn.ClientID, accessToken: tokens.accessToken, now: f.now(), startedAt: started,
	})
	if e, ok := AsError(err); ok && slices.Contains([]string{CodeIDTokenIssuer, CodeIDTokenAudience, CodeIDTokenAuthorizedParty, CodeIDTokenSubject}, e.Code) {
		return fault(BlameProvider, CodeRefreshMismatch, "the refreshed ID token is not of this login: %w", e)
	}
	if err != nil {
		return err
	}
	if kept.Subject != "" && token.subject != kept.Subject {
		return fault(BlameProvider, CodeRefreshMismatch, "the refreshed ID token is about another person")
	}
	return nil
}

// refreshFault tells a no about the person from everything else. Some providers
// have words of their own for it.
func refreshFault(err error) error {
	e, ok := AsError(err)
	if !ok {
		return err
	}
	switch e.oauth {
	case "invalid_grant", "access_denied", "login_required", "interaction_required", "consent_required", "bad_refresh_token":
		return fault(BlameProvider, CodeRefreshRefused, "the provider refuses the refresh token (%s)", e.oauth)
	}
	return err
}

// RefreshDenied reports whether a Refresh ended in a definite no: the provider
// ended the person's login, or another person came back (T9). What depends on
// it must end too.
func RefreshDenied(err error) bool {
	e, ok := AsError(err)
	return ok && (e.Code == CodeRefreshRefused || e.Code == CodeRefreshMismatch)
}

// RevokeLater tells the provider that a kept refresh token is no longer needed
// (RFC 7009). The caller does not wait: a provider that is down or hangs delays
// nobody's sign-out. What cannot be told is logged; the token then dies when the
// provider lets it. At most maxRevocations run at once, and none after Close.
func (f *Federation) RevokeLater(conn store.Connection, kept store.Secret) {
	select {
	case f.revoking <- struct{}{}:
	default:
		f.logger.Warn("refresh token not revoked", "connection", conn.ID, "cause", "too many revocations wait for their providers")
		return
	}
	started := f.spawn(func(ctx context.Context) {
		defer func() { <-f.revoking }()
		if err := f.revoke(ctx, conn, kept); err != nil {
			f.logger.WarnContext(ctx, "refresh token not revoked", "connection", conn.ID, "cause", err.Error())
		}
	})
	if !started {
		<-f.revoking
	}
}

// revoke is one revocation. Without a revocation endpoint there is nobody to
// tell, and no error.
func (f *Federation) revoke(ctx context.Context, conn store.Connection, kept store.Secret) error {
	ctx, cancel := context.WithTimeout(ctx, f.timing.step)
	defer cancel()
	k, ok := openRefresh(kept)
	if !ok || k.Issuer != identityIssuer(&conn) || k.ClientID != conn.ClientID {
		return nil
	}
	store.Hide(ctx, k.Token)
	u := f.upstream(&conn)
	md, err := f.metadata(ctx, &conn, u)
	if err != nil || md.revocation == "" {
		return err
	}
	form, head := url.Values{"token": {k.Token}, "token_type_hint": {"refresh_token"}}, http.Header{}
	if err := f.authenticate(&conn, u, form, head); err != nil {
		return err
	}
	head.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := f.do(ctx, &conn, u, request{
		endpoint: "revocation", method: http.MethodPost, url: md.revocation, header: head, body: []byte(form.Encode()),
	})
	if err == nil && resp.status >= 300 {
		return fault(BlameProvider, CodeResponseStatus, "revocation endpoint answered %d", resp.status)
	}
	return err
}
