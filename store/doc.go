// Package store keeps everything Gatehouse knows.
//
// It owns the records (one file each), the one small engine contract they are
// kept through ([Engine], [Tx]), typed collections with indexes ([Collection]),
// sealing of secrets at rest ([Keyring], [Sealed]) and the audit chain
// ([Change]). It knows nothing of HTTP, OAuth or upstream providers.
//
// Invariants it guards: an Update is all or nothing; a unique index holds one
// key; a deleted name of a tombstoned collection is never given out again; a
// secret never reaches an engine in the clear; an administrative change cannot
// be committed without its audit entry.
package store
