// Package admin is the admin listener: the API under /api/v1, the console's
// pages, and who may call each of them.
//
// It owns the route table (one access level per route, see [Level]), console
// accounts (passwords, sessions, API tokens, the one-time set-up link) and the
// checks of everything an admin may write (clients here; connections in
// federation; domains in profile). It must not know fosite, the public
// listener or how people sign in to apps, and it never decides who may enter:
// it asks provisioning.
//
// Invariants it guards: no route without an access level; no write without an
// audit entry in the same transaction; the caller's right is checked again
// inside that transaction; a secret goes in and never comes out.
package admin
