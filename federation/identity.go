package federation

import (
	"maps"
	"slices"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
)

// VerifiedIdentity is a person as one connection proved them, in this process,
// just now. Only Return makes one that is Valid (DESIGN §9.2).
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
}

// Valid reports whether this is an identity at all: false for the zero value.
func (v VerifiedIdentity) Valid() bool {
	return v.subject != "" && v.issuer != "" && v.connection.ID != ""
}

// Connection is the record the login ran with.
func (v VerifiedIdentity) Connection() store.Connection { return v.connection }

// Issuer is the exact issuer of the ID token.
func (v VerifiedIdentity) Issuer() string { return v.issuer }

// Subject is the ID token's sub, byte for byte.
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

// Warnings are what a trace shows of selectors that found nothing, in our words.
func (v VerifiedIdentity) Warnings() []string { return slices.Clone(v.warnings) }
