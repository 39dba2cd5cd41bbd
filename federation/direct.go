package federation

import (
	"context"
	"net/url"
	"strings"

	"gatehouse/store"
)

// DirectRequest is what an app brings for a login without a browser. Nothing of
// it is kept, logged or repeated in errors.
type DirectRequest struct {
	Username string       // GrantPassword
	Password store.Secret // GrantPassword
	// Assertion of GrantJWTBearer: where the record names an
	// AssertionConnection, an ID token of that connection.
	Assertion store.Secret
	// Parameters of the app's request that its record lets it forward, and the
	// person's session, for the connection's parameters.
	Parameters map[string]string
	Session    Lookup
}

// wireGrant is the grant type that a connection's logins use towards its provider.
func wireGrant(conn *store.Connection) string {
	switch conn.Grant {
	case "":
		return grantAuthorizationCode
	case store.GrantPassword:
		return grantTypePassword
	case store.GrantJWTBearer:
		return grantTypeJWTBearer
	case store.GrantClientCredentials:
		return grantTypeCredentials
	case store.GrantExtension:
		return conn.ExtensionGrantType
	}
	return ""
}

// Direct signs a person in without a browser, by the connection's grant
// (password, JWT bearer, extension, client credentials). What comes back is
// verified as after a login with one. Errors are *Error; wrong credentials are
// CodeCredentialsRefused.
func (f *Federation) Direct(ctx context.Context, conn store.Connection, r DirectRequest) (VerifiedIdentity, error) {
	ctx, cancel := context.WithTimeout(ctx, f.timing.step)
	defer cancel()
	store.Hide(ctx, r.Password.Reveal(), r.Assertion.Reveal())
	id, err := f.direct(ctx, conn, r)
	store.EndStep(ctx, err)
	f.metrics.returned(conn.ID, err)
	if err != nil {
		return VerifiedIdentity{}, err
	}
	return id, nil
}

func (f *Federation) direct(ctx context.Context, conn store.Connection, r DirectRequest) (VerifiedIdentity, error) {
	store.Step(ctx, store.StepRedeem)
	if conn.Disabled {
		return VerifiedIdentity{}, fault(BlameOurs, CodeConnectionDisabled, "connection is switched off")
	}
	form := url.Values{"grant_type": {wireGrant(&conn)}}
	if scope := strings.Join(conn.Scopes, " "); scope != "" {
		form.Set("scope", scope)
	}
	switch conn.Grant {
	case store.GrantPassword:
		if len(r.Username) > 512 || len(r.Password) > 4096 || r.Username == "" || r.Password == "" || !plain(r.Username) {
			return VerifiedIdentity{}, fault(BlameApp, CodeRequestInvalid, "username or password is missing or too long")
		}
		form.Set("username", r.Username)
		form.Set("password", r.Password.Reveal())
	case store.GrantJWTBearer:
		if !visible(r.Assertion.Reveal(), maxIDToken) {
			return VerifiedIdentity{}, fault(BlameApp, CodeRequestInvalid, "assertion is missing or not a JWT")
		}
		if err := f.checkAssertion(ctx, &conn, r.Assertion.Reveal()); err != nil {
			return VerifiedIdentity{}, err
		}
		form.Set("assertion", r.Assertion.Reveal())
	case store.GrantExtension, store.GrantClientCredentials:
		if form.Get("grant_type") == "" {
			return VerifiedIdentity{}, fault(BlameOurs, CodeConnectionInvalid, "extension_grant_type is missing")
		}
	default:
		return VerifiedIdentity{}, fault(BlameApp, CodeGrantUnfit, "people sign in at this connection with a browser")
	}
	lent, err := lenders{r.Parameters, r.Session}.resolve(&conn)
	if err != nil {
		return VerifiedIdentity{}, err
	}
	u := f.upstream(&conn)
	md, err := f.metadata(ctx, &conn, u)
	if err != nil {
		return VerifiedIdentity{}, err
	}
	started := f.now()
	tokens, err := f.askToken(ctx, &conn, u, md, inToken, form, lent)
	if err != nil {
		return VerifiedIdentity{}, credentialsFault(err)
	}
	tokens.refreshToken = "" // never kept of a login without a browser
	return f.identify(ctx, &conn, u, md, tokens, expected{startedAt: started}, lent, nil)
}

func credentialsFault(err error) error {
	if e, ok := AsError(err); ok && (e.oauth == "invalid_grant" || e.oauth == "access_denied") {
		return fault(BlameUser, CodeCredentialsRefused, "the provider refuses the credentials (%s)", e.oauth)
	}
	return err
}

// checkAssertion holds an assertion against the connection whose token it must
// be, before it is sent anywhere: only what that provider signed for us goes on.
func (f *Federation) checkAssertion(ctx context.Context, conn *store.Connection, assertion string) error {
	if conn.AssertionConnection == "" {
		return nil // its issuer and meaning are between app and provider
	}
	if f.store == nil {
		return fault(BlameOurs, CodeConnectionInvalid, "assertion_connection cannot be read")
	}
	var other store.Connection
	err := f.store.View(ctx, func(tx store.Tx) (err error) {
		other, err = f.store.Connections.Get(tx, conn.AssertionConnection)
		return err
	})
	switch {
	case err != nil:
		return fault(BlameOurs, CodeConnectionInvalid, "assertion_connection cannot be read: %w", err)
	case other.Disabled:
		return fault(BlameOurs, CodeConnectionDisabled, "assertion_connection is switched off")
	case other.Kind == store.KindOAuth2:
		return fault(BlameOurs, CodeConnectionInvalid, "assertion_connection has no ID tokens")
	}
	u := f.upstream(&other)
	md, err := f.metadata(ctx, &other, u)
	if err != nil {
		return err
	}
	now := f.now()
	_, err = f.verifyIDToken(ctx, &other, u, md.jwks, assertion, expected{
		issuer: other.Issuer, clientID: other.ClientID, now: now, alone: true,
		startedAt: now.Add(-maxLifetime + backdated), // it comes from a session, not from this login
	})
	if e, ok := AsError(err); ok && !e.Temporary && e.Blame == BlameProvider {
		return fault(BlameApp, CodeAssertionRefused, "the assertion is no valid ID token of connection %s: %s", other.ID, e.Code)
	}
	return err
}
