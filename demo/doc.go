// Package demo is an app that signs its users in with Gatehouse, written as an
// app developer would write it: golang.org/x/oauth2 and go-oidc, code flow with
// PKCE, state and nonce, refresh, RP-initiated logout. It imports nothing of
// ours and talks to the broker over HTTP only, so it is a second opinion on the
// protocol as well as something to look at: it shows the tokens it got, decoded.
//
// It keeps everything in memory, bounded in number.
package demo
