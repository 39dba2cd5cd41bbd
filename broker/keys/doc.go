// Package keys holds Gatehouse's own signing keys: it creates them at first
// start, publishes them before they are used, rotates them by age with overlap
// and signs and verifies our JWTs.
//
// It knows nothing of what the tokens mean. Invariants: a token is only ever
// signed with a key that has been published for at least the lead time (or is
// the very first one), and a key stays published until every token it signed
// has expired.
package keys
