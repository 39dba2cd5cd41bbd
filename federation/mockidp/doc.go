// Package mockidp is a complete OpenID Connect provider for tests, demos and
// other people's CI: a real http.Handler that signs anybody in and misbehaves
// when told to.
//
// It owns the provider and its table of faults. It must not know anything of
// Gatehouse: it imports nothing of ours, so a test that passes against it says
// something about the protocol and not about shared code.
//
// Invariant: without a fault it behaves like a correct provider (OpenID Connect
// Core 1.0, Discovery 1.0, RFC 6749, 7636, 7662, 7009, 9207). Every departure
// from that is a row of the table in faults_*.go, and every row has an effect
// that a test sees.
//
// It authenticates nobody, so it must never be reachable by people who matter.
package mockidp
