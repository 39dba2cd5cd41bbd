package store

import (
	"fmt"
	"slices"
)

// Peek returns the record, or nil when there is none. It may be shared with
// everybody else who peeks: no part of it may be altered. That saves the copy
// which Get makes, where records are only looked at; Copy makes one of those
// that are handed on.
func (c *Collection[T]) Peek(tx Tx, key string) (*T, error) {
	if key == "" { // no engine keeps one
		return nil, nil
	}
	raw, err := tx.Get(c.schema.Bucket, []byte(key))
	if raw == nil || err != nil {
		return nil, err
	}
	return c.decode(key, raw)
}

// PeekByIndex is Peek for all records with an index value, in key order.
func (c *Collection[T]) PeekByIndex(tx Tx, index, value string) ([]*T, error) {
	ix, err := c.index(index, false)
	if err != nil {
		return nil, err
	}
	// The keys first: an engine need not read records while it scans.
	var keys []string
	prefix := []byte(joinKey(value))
	if err := tx.Scan(ix.bucket, prefix, prefixEnd(prefix), func(k, _ []byte) (bool, error) {
		keys = append(keys, string(k[len(prefix):]))
		return true, nil
	}); err != nil {
		return nil, err
	}
	var out []*T
	for _, key := range keys {
		rec, err := c.peekIndexed(tx, ix, value, key)
		if err != nil {
			return nil, err
		}
		out = append(out, rec)
	}
	return out, nil
}

// peekIndexed loads what an index entry leads to. Entries carry no stamp, so
// the record itself has to confirm the value (SECURITY-CASES DB1).
func (c *Collection[T]) peekIndexed(tx Tx, ix *Index[T], value, key string) (*T, error) {
	rec, err := c.Peek(tx, key)
	switch {
	case err != nil:
		return nil, err
	case rec == nil:
		return nil, fmt.Errorf("%w: %s", ErrNotFound, c.schema.Bucket)
	case !slices.Contains(ix.Values(rec), value):
		return nil, fmt.Errorf("%w: %s does not have what its index %s says", ErrDamaged, c.schema.Bucket, ix.Name)
	}
	return rec, nil
}

// Copy returns a record of its own, which may be altered.
func (c *Collection[T]) Copy(rec *T) T {
	if c.schema.Clone == nil {
		return *rec // decoded for whoever peeked
	}
	return c.schema.Clone(*rec)
}
