// Package e2e holds the tests of the real program: the binary is built once,
// started as `gatehouse dev` (and `gatehouse serve` with TLS), and talked to
// over HTTP only, by parties that are not ours: x/oauth2 with go-oidc,
// openid-client, oauth4webapi, oidc-provider and Chromium.
//
// It owns the proof that a person can sign in, that bad input gets what it
// should, and that OpenID Connect's conformance demands are met. It must not
// import any package of Gatehouse: what these tests know is in dev.json and in
// the protocols.
//
// Every test signs in people of its own, so all of them share one process and
// run in parallel. Screenshots for the README are taken by
// `go test ./e2e -run TestBrowser -pictures` and nowhere else. E2E_BINARY names a
// binary to test instead of building one.
package e2e
