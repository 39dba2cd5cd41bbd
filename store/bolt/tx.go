package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"gatehouse/store"
)

var (
	errReadOnly = errors.New("bolt: write in a read-only transaction")
	errEnded    = errors.New("bolt: transaction has ended")
	errScanned  = errors.New("bolt: write to a bucket that is being scanned")
)

// tx is one function's view of a bbolt transaction. Writes go straight into
// it; undo remembers what they replaced, newest last, so that a failing
// function can be taken back without the others of its batch.
type tx struct {
	b        *bbolt.Tx // nil when ended
	writable bool
	undo     []change
	scanning []string // buckets of the Scans under way
	// open are the buckets a reader has found: bbolt itself remembers them only
	// for writers, and looks each up, and may copy a small one, at every call.
	open []opened
}

type opened struct {
	name   string
	bucket *bbolt.Bucket
}

type change struct {
	bucket *bbolt.Bucket
	key    []byte
	old    []byte // nil: there was none
}

func (t *tx) bucket(name string) (*bbolt.Bucket, error) {
	if t.b == nil {
		return nil, errEnded
	}
	for i := range t.open {
		if t.open[i].name == name {
			return t.open[i].bucket, nil
		}
	}
	b := t.b.Bucket([]byte(name))
	if b != nil && !t.writable {
		t.open = append(t.open, opened{name, b})
	}
	return b, nil
}

// Get implements store.Tx.
func (t *tx) Get(bucket string, key []byte) ([]byte, error) {
	b, err := t.bucket(bucket)
	if err != nil || b == nil {
		return nil, err
	}
	return b.Get(key), nil
}

// Put implements store.Tx. Writing what is there already costs nothing.
func (t *tx) Put(bucket string, key, value []byte) error {
	b, err := t.forWriting(bucket)
	if err != nil {
		return err
	}
	if err := store.CheckKey(bucket, key); err != nil {
		return err
	}
	if b == nil {
		if b, err = t.b.CreateBucket([]byte(bucket)); err != nil {
			return fmt.Errorf("bolt: bucket %s: %w", bucket, err)
		}
	}
	old := b.Get(key)
	if old != nil && bytes.Equal(old, value) {
		return nil
	}
	// bbolt keeps the value slice until the commit: the caller's stays its own.
	kept := make([]byte, len(key)+len(value))
	copy(kept, key)
	copy(kept[len(key):], value)
	key, value = kept[:len(key):len(key)], kept[len(key):]
	if err := b.Put(key, value); err != nil {
		return fmt.Errorf("bolt: put in %s: %w", bucket, err)
	}
	t.undo = append(t.undo, change{bucket: b, key: key, old: old})
	return nil
}

// Delete implements store.Tx.
func (t *tx) Delete(bucket string, key []byte) error {
	b, err := t.forWriting(bucket)
	if err != nil || b == nil {
		return err
	}
	old := b.Get(key)
	if old == nil {
		return nil
	}
	if err := b.Delete(key); err != nil {
		return fmt.Errorf("bolt: delete in %s: %w", bucket, err)
	}
	t.undo = append(t.undo, change{bucket: b, key: bytes.Clone(key), old: old})
	return nil
}

func (t *tx) forWriting(bucket string) (*bbolt.Bucket, error) {
	switch {
	case t.b == nil:
		return nil, errEnded
	case !t.writable:
		return nil, errReadOnly
	case slices.Contains(t.scanning, bucket):
		return nil, fmt.Errorf("%w: %s", errScanned, bucket)
	}
	return t.bucket(bucket)
}

// Scan implements store.Tx.
func (t *tx) Scan(bucket string, from, to []byte, fn func(key, value []byte) (bool, error)) error {
	b, err := t.bucket(bucket)
	if err != nil || b == nil {
		return err
	}
	t.scanning = append(t.scanning, bucket)
	defer func() { t.scanning = t.scanning[:len(t.scanning)-1] }()
	c := b.Cursor()
	for k, v := c.Seek(from); k != nil; k, v = c.Next() {
		if to != nil && bytes.Compare(k, to) >= 0 {
			return nil
		}
		if more, err := fn(k, v); err != nil || !more {
			return err
		}
	}
	return nil
}

// rollback takes back everything this function wrote.
func (t *tx) rollback() error {
	for _, c := range slices.Backward(t.undo) {
		var err error
		if c.old == nil {
			err = c.bucket.Delete(c.key)
		} else {
			err = c.bucket.Put(c.key, c.old)
		}
		if err != nil {
			return fmt.Errorf("bolt: undo: %w", err)
		}
	}
	t.undo = nil
	return nil
}
