// Package session holds browser sessions and sealed login cookies.
//
// A browser session is a random 256-bit cookie value whose SHA-256 is the key
// of a store.Session; a login in progress lives wholly in a sealed cookie bound
// to one browser and one tab, so that a visitor who has not signed in writes
// nothing to the store. It is the only place that touches gorilla/sessions and
// knows nothing of OAuth or upstream providers.
package session
