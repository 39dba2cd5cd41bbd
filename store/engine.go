package store

import (
	"context"
	"errors"
	"fmt"
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
	// ErrUnavailable: the engine cannot write now (disk full, file gone, data
	// base down). Nothing was changed; reading may go on.
	ErrUnavailable = errors.New("store: cannot write")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("store: closed")
	// ErrDamaged: what is stored is not what was written: altered, moved from
	// another record, or written under a master key that is gone.
	ErrDamaged = errors.New("store: record is damaged or was altered")
	// ErrCursor: a page cursor that no answer contained.
	ErrCursor = errors.New("store: cursor is not valid")
	// ErrKey: a key or bucket name is empty or too long.
	ErrKey = errors.New("store: key is empty or too long")
)

// MaxKey is the longest key in bytes any engine takes.
const MaxKey = 2048

// CheckKey is how every engine judges what is about to be put.
func CheckKey(bucket string, key []byte) error {
	if bucket == "" || len(key) == 0 || len(key) > MaxKey {
		return fmt.Errorf("%w: %d bytes in bucket %q", ErrKey, len(key), bucket)
	}
	return nil
}

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
// the transaction ends and must not be altered; those given to it stay the
// caller's. Buckets come into being with their first Put. Using a transaction
// after its function has returned is an error.
type Tx interface {
	// Get returns the value, or nil when there is none.
	Get(bucket string, key []byte) ([]byte, error)
	// Put keeps the pair; ErrKey when CheckKey refuses it. A nil value is an
	// empty one.
	Put(bucket string, key, value []byte) error
	// Delete removes the key; deleting what is not there is no error.
	Delete(bucket string, key []byte) error
	// Scan calls fn for each key in [from, to) in byte order until fn returns
	// false or an error; a nil to means the end of the bucket. Writing
	// to the bucket meanwhile is an error.
	Scan(bucket string, from, to []byte, fn func(key, value []byte) (more bool, err error)) error
}
