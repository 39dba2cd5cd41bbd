package federation

import (
	"context"
	"net/url"

	"gatehouse/profile"
	"gatehouse/store"
)

// Return takes the callback of a departure to its end: it checks browser state,
// connection and parameters, redeems the code, verifies the ID token, fetches
// the profile and selects the attributes, in this order, and stops at the first
// fault. conn is the record as it is now; flow comes from the browser's sealed
// cookie. Nothing is written. Errors are *Error.
func (f *Federation) Return(ctx context.Context, conn store.Connection, flow Flow, params url.Values) (VerifiedIdentity, error) {
	ctx, cancel := context.WithTimeout(ctx, f.timing.step)
	defer cancel()
	id, err := f.verify(ctx, conn, flow, params)
	f.metrics.returned(conn.ID, err)
	if err != nil {
		return VerifiedIdentity{}, err
	}
	return id, nil
}

// verify is the one constructor of a VerifiedIdentity.
func (f *Federation) verify(ctx context.Context, conn store.Connection, flow Flow, params url.Values) (VerifiedIdentity, error) {
	if err := f.checkFlow(&conn, flow); err != nil {
		return VerifiedIdentity{}, err
	}
	if conn.Kind == store.KindOAuth2 {
		return VerifiedIdentity{}, fault(BlameOurs, CodeConnectionInvalid, "plain OAuth 2.0 connections are not supported yet")
	}
	u := f.upstream(&conn)
	selection, err := u.selectors()
	if err != nil {
		return VerifiedIdentity{}, err
	}
	md, err := f.metadata(ctx, &conn, u)
	if err != nil {
		return VerifiedIdentity{}, err
	}
	code, err := checkCallback(conn.Issuer, md, flow, params)
	if err != nil {
		return VerifiedIdentity{}, err
	}
	tokens, err := f.redeem(ctx, &conn, u, md, code, flow.Verifier)
	if err != nil {
		return VerifiedIdentity{}, err
	}
	if tokens.idToken == "" {
		return VerifiedIdentity{}, fault(BlameProvider, CodeIDTokenMissing, "the token response has no id_token")
	}
	token, err := f.verifyIDToken(ctx, &conn, u, md.jwks, tokens.idToken, expected{
		issuer: conn.Issuer, clientID: conn.ClientID, nonce: flow.Nonce, accessToken: tokens.accessToken,
		now: f.now(), startedAt: flow.StartedAt,
		forceLogin: flow.ForceLogin, maxAge: flow.MaxAge, acrValues: conn.ACRValues,
	})
	if err != nil {
		return VerifiedIdentity{}, err
	}
	documents := profile.Documents{IDToken: token.payload, TokenResponse: tokens.raw}
	if conn.UseUserinfo {
		if documents.Profile, err = f.userinfo(ctx, &conn, u, md, tokens.accessToken, token.subject); err != nil {
			return VerifiedIdentity{}, err
		}
	}
	id := VerifiedIdentity{
		connection: conn, issuer: conn.Issuer, subject: token.subject,
		authTime: token.authTime, acr: token.acr, amr: token.amr,
	}
	if err := selection.read(documents, &id); err != nil {
		return VerifiedIdentity{}, err
	}
	return id, nil
}
