// Package profile reads people's attributes out of what a provider sent.
//
// It owns the address type [Email] (one strict parser for routing, storing and
// policy), the selectors (RFC 9535 JSONPath with a shorthand) and the
// [Attributes] they yield. It imports nothing of ours, makes no request and
// trusts no byte it reads: sizes, depth and query shapes are bounded.
package profile
