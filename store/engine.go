package store

import (
	"context"
	"errors"
	"io"
)

// Errors every engine and collection answers with. Test them with errors.Is.
var (
	// ErrNotFound: no record with that key or index value.
	ErrNotFound = errors.New("store: not found")
	// ErrExists: Insert met a record with the same key or unique index value.
	ErrExists = errors.New("store: already exists")
	// ErrStale: the record changed since it was read (compare-and-swap lost).
	ErrStale = errors.New("store: changed in the meantime")
	// ErrTombstone: the key belonged to a deleted record and is never reused.
	ErrTombstone = errors.New("store: name was used by a deleted record")
)

// Engine is an ordered, transactional key-value store: the narrow waist that
// store/bolt and store/postgres implement and store/storetest proves.
type Engine interface {
	// View runs fn on a consistent snapshot. Writing in fn is an error.
	View(ctx context.Context, fn func(Tx) error) error
	// Update runs fn in a serializable transaction and commits durably when fn
	// returns nil. fn MAY RUN MORE THAN ONCE (group commit, serialization
	// retry), so it does no I/O, signing or hashing and resets what it captures.
	Update(ctx context.Context, fn func(Tx) error) error
	// Backup writes a consistent snapshot, while the store is in use, to w.
	Backup(ctx context.Context, w io.Writer) error
	Close() error
}

// Tx is one transaction. Byte slices it returns or passes are valid only until
// the transaction ends; buckets come into being with their first Put.
type Tx interface {
	// Get returns the value, or nil when there is none.
	Get(bucket string, key []byte) ([]byte, error)
	Put(bucket string, key, value []byte) error
	// Delete removes the key; deleting what is not there is no error.
	Delete(bucket string, key []byte) error
	// Scan calls fn for each key in [from, to) in byte order until fn returns
	// false or an error; a nil to means the end of the bucket. fn must not
	// write to the bucket being scanned.
	Scan(bucket string, from, to []byte, fn func(key, value []byte) (more bool, err error)) error
}
