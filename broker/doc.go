// Package broker is the public authorization server: the OAuth 2.0 and OpenID
// Connect endpoints and the pages of a login. routes.go lists every URL; each
// endpoint is a file of its name.
//
// It owns the order of steps of a login and the wall around fosite, which no
// other package imports. It must not know how a provider is spoken to
// (federation), who may come in (provisioning), how a page looks (templates)
// or how records are kept (store).
//
// Invariants it guards: until client and redirect URI are proven nothing
// redirects; one request ends in at most one store update, in which single-use
// rows are checked again; no token is made without a provisioning.Standing.
package broker
