// Package provisioning decides who may come in.
//
// It owns the one decision function for newcomers and for people who are known
// (decide.go), the gate every token passes (gate.go), access requests
// (requests.go) and the ending of sessions and grants (ending.go). It knows
// nothing of HTTP, cookies or tokens.
//
// Invariants: a person is found by (connection, issuer, subject) and by nothing
// else, never by e-mail (DESIGN §8, §9.1); no role comes from a claim
// (SECURITY-CASES G1); nothing is read but store records and a
// [federation.VerifiedIdentity]; everything happens inside the caller's
// transaction, which may run again, so ids are made before it (Prepare).
package provisioning
