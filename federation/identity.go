package federation

import (
	"maps"
	"slices"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
)

// VerifiedIdentity is a person as one connection proved them, in this process,
// just now. Only Return, Direct and LocalIdentity make one that is Valid
// (DESIGN §9.2).
type VerifiedIdentity struct {
	connection    store.Connection
	issuer        string
	subject       string
	attributes    profile.Attributes
	email         profile.Email
	emailVerified profile.Tristate
	authTime      time.Time
	acr           string
	amr           []string
	warnings      []string
	missed        []string // attributes whose selector found nothing

	upstreamRefresh store.Secret
}

// Valid reports whether this is an identity at all: false for the zero value.
func (v VerifiedIdentity) Valid() bool {
	return v.subject != "" && v.issuer != "" && v.connection.ID != ""
}

// Connection is the record the login ran with.
func (v VerifiedIdentity) Connection() store.Connection { return v.connection }

// Issuer is the exact issuer of the ID token; of plain OAuth 2.0 the issuer in
// the connection's record, or else the origin of its token endpoint.
func (v VerifiedIdentity) Issuer() string { return v.issuer }

// Subject is what names the person there: the ID token's sub, byte for byte, or
// what the record's federation_id selects in its place, typed (a number 1 is
// "number:1").
func (v VerifiedIdentity) Subject() string { return v.subject }

// Attributes are what the connection's selectors found: data, never a decision.
func (v VerifiedIdentity) Attributes() profile.Attributes {
	a := v.attributes
	a.Custom = maps.Clone(a.Custom)
	return a
}

// Email is Attributes().Email parsed; zero when there is none or it is none.
func (v VerifiedIdentity) Email() profile.Email { return v.email }

// EmailVerified is what the provider said about Email, in the document that
// Email was read from. Absent is neither true nor false.
func (v VerifiedIdentity) EmailVerified() profile.Tristate { return v.emailVerified }

// AuthTime is when the person signed in upstream; zero when the provider did
// not say.
func (v VerifiedIdentity) AuthTime() time.Time { return v.authTime }

// ACR is the authentication context class the provider named, or "".
func (v VerifiedIdentity) ACR() string { return v.acr }

// AMR are the authentication methods the provider named.
func (v VerifiedIdentity) AMR() []string { return slices.Clone(v.amr) }

// UpstreamRefresh is what Refresh takes to ask the provider again: "" unless
// the connection has RefreshLogin and the provider gave a refresh token. It is
// opaque and belongs sealed into the store, or nowhere.
func (v VerifiedIdentity) UpstreamRefresh() store.Secret { return v.upstreamRefresh }

// Warnings are what a trace shows of selectors that found nothing, in our words.
func (v VerifiedIdentity) Warnings() []string { return slices.Clone(v.warnings) }
