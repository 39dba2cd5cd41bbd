// Package federation signs people in at upstream identity providers.
//
// It owns connections at work: which connection an e-mail address leads to
// ([Federation.Route], [Federation.Owns]), leaving for the provider
// ([Federation.Depart]), coming back ([Federation.Return]), and the one HTTP
// client that talks to providers. Nothing else in Gatehouse opens a connection
// to a provider, and go-oidc is imported nowhere else.
//
// It knows nothing of apps' tokens, sessions, users or policy: it answers with
// a [VerifiedIdentity] or an [Error], and writes nothing to the store.
//
// The invariant it guards: a [VerifiedIdentity] has one constructor, at the end
// of Return, after every check of DESIGN §2.6. What providers send is data,
// bounded in size and time, read with one strict JSON parser; it decides about
// nobody but this provider's own users.
package federation
