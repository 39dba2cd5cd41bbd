package federation

import (
	"context"
	"net/url"
	"strings"

	"gatehouse/profile"
	"gatehouse/store"
)

// identityIssuer names who vouches for a connection's people, in the key of
// their identities: the issuer; for plain OAuth 2.0 without one the origin of
// the token endpoint, which is as stable. An operator who moves that endpoint
// to another host says who the people's issuer was by setting Issuer.
func identityIssuer(conn *store.Connection) string {
	if conn.Issuer != "" || conn.Kind != store.KindOAuth2 {
		return conn.Issuer
	}
	u, err := url.Parse(conn.Endpoints.Token)
	if err != nil || u.Host == "" {
		return ""
	}
	return strings.ToLower(u.Scheme) + "://" + stripPort(u.Host, u.Scheme)
}

// newIdentity is the one constructor of a VerifiedIdentity; identify and
// LocalIdentity fill in who it is.
func newIdentity(conn *store.Connection, issuer string) VerifiedIdentity {
	return VerifiedIdentity{connection: *conn, issuer: issuer}
}

// identify makes the VerifiedIdentity of somebody a provider vouches for: from a token response
// it verifies the ID token, fetches the profile and selects the attributes. It
// serves logins with and without a browser. posted is what the browser brought
// of the person, nil mostly.
func (f *Federation) identify(ctx context.Context, conn *store.Connection, u *upstream, md metadata, tokens tokenResponse, e expected, lent map[int]string, posted []byte) (VerifiedIdentity, error) {
	selection, err := u.selectors()
	if err != nil {
		return VerifiedIdentity{}, err
	}
	id := newIdentity(conn, identityIssuer(conn))
	documents := profile.Documents{TokenResponse: tokens.raw}
	if conn.Kind != store.KindOAuth2 {
		if tokens.idToken == "" {
			return VerifiedIdentity{}, fault(BlameProvider, CodeIDTokenMissing, "the token response has no id_token")
		}
		store.Step(ctx, store.StepVerify, store.Int("bytes", len(tokens.idToken)))
		e.issuer, e.clientID, e.accessToken, e.now, e.acrValues = conn.Issuer, conn.ClientID, tokens.accessToken, f.now(), conn.ACRValues
		token, err := f.verifyIDToken(ctx, conn, u, md.jwks, tokens.idToken, e)
		if err != nil {
			return VerifiedIdentity{}, err
		}
		documents.IDToken = token.payload
		id.subject, id.authTime, id.acr, id.amr = token.subject, token.authTime, token.acr, token.amr
	}
	f.seen.read(documents)
	if profileRequests(conn) > 0 {
		store.Step(ctx, store.StepProfile)
	}
	if documents.Profile, err = f.profileDocument(ctx, conn, u, md, tokens, id.subject, lent); err != nil {
		return VerifiedIdentity{}, err
	}
	shown := documents
	if posted != nil {
		shown.Profile = posted
	}
	f.seen.read(shown)
	tokenSubject := id.subject
	store.Step(ctx, store.StepSelect)
	if err := selection.read(documents, &id); err != nil {
		return VerifiedIdentity{}, err
	}
	if err := selection.readPosted(documents, posted, &id); err != nil {
		return VerifiedIdentity{}, err
	}
	store.Note(ctx, id.selected()...)
	if conn.Kind == store.KindOAuth2 || !selection.bySubject {
		// What the record says names a person: in its typed form, in which a
		// number is never the same as its digits (SECURITY-CASES U4).
		id.subject = id.attributes.FederationID
	}
	if !id.Valid() {
		return VerifiedIdentity{}, fault(BlameOurs, CodeConnectionInvalid, "nobody vouches for this person: the connection has neither issuer nor token endpoint")
	}
	if conn.RefreshLogin && tokens.refreshToken != "" {
		id.upstreamRefresh = keptRefresh{
			Token: tokens.refreshToken.Reveal(), Issuer: id.issuer, ClientID: conn.ClientID, Subject: tokenSubject,
		}.seal()
	}
	return id, nil
}
