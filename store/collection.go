package store

import (
	"encoding/json"
	"fmt"
	"iter"
	"time"
)

// Index of a collection. Values are what a record is found by; none leaves it
// out. A unique index holds each value once.
type Index[T any] struct {
	Name   string
	Unique bool
	// Prefix makes the index one that ByPrefix reads, and no other; values hold
	// no zero byte.
	Prefix bool
	Values func(*T) []string

	bucket string // set by collect
}

// SealedField declares a secret field of a record.
type SealedField[T any] struct {
	Name  string
	Field func(*T) *Sealed
}

// Schema declares a collection.
type Schema[T any] struct {
	Bucket  string
	Key     func(*T) string
	Indexes []Index[T]
	Sealed  []SealedField[T]
	// Meta returns the record's Meta for revision counting, if it has one.
	Meta func(*T) *Meta
	// Expires returns when the record may be swept; zero means never.
	Expires func(*T) time.Time
	// Tombstones makes a deleted key impossible to insert again.
	Tombstones bool
	// Fill completes a new record from others; it runs before anything is written.
	Fill func(Tx, *T) error
	// Follow writes, after a record was replaced, what others keep of it.
	Follow func(tx Tx, old, rec *T) error
	// Clone, for kinds that are read far more often than written, makes the
	// collection keep decoded records (see cache); it copies one completely.
	Clone func(T) T
}

// Collection keeps records of one kind. All methods run inside a transaction.
type Collection[T any] struct {
	schema     Schema[T]
	tombstones string // bucket
	sealer     *Sealer
	stamp      *stamp
	now        func() time.Time
	cache      *cache[T] // nil without Schema.Clone
}

// collect makes a collection and registers it with the store's upkeep.
func collect[T any](s *Store, schema Schema[T]) *Collection[T] {
	for i := range schema.Indexes {
		schema.Indexes[i].bucket = schema.Bucket + "/" + schema.Indexes[i].Name
	}
	c := &Collection[T]{
		schema: schema, tombstones: schema.Bucket + "/tombstones",
		sealer: s.keyring.Sealer("records/" + schema.Bucket), stamp: s.stamp, now: s.now,
	}
	if schema.Clone != nil {
		c.cache = newCache[T]()
	}
	s.kinds = append(s.kinds, c)
	return c
}

// Get returns the record, or ErrNotFound.
func (c *Collection[T]) Get(tx Tx, key string) (T, error) {
	rec, err := c.Peek(tx, key)
	if err == nil && rec == nil {
		err = fmt.Errorf("%w: %s", ErrNotFound, c.schema.Bucket)
	}
	if err != nil {
		var zero T
		return zero, err
	}
	return c.Copy(rec), nil
}

// Has reports whether there is a record with the key, without reading it.
func (c *Collection[T]) Has(tx Tx, key string) (bool, error) {
	if key == "" {
		return false, nil
	}
	raw, err := tx.Get(c.schema.Bucket, []byte(key))
	return raw != nil, err
}

// decode reads a record after checking that its bytes are what was written
// under this key (SECURITY-CASES DB1). What it returns may be shared.
func (c *Collection[T]) decode(key string, raw []byte) (*T, error) {
	if c.cache != nil {
		if rec := c.cache.get(key, raw); rec != nil {
			return rec, nil
		}
	}
	if _, err := c.stamp.verify(c.schema.Bucket, key, raw); err != nil {
		return nil, err
	}
	rec := new(T)
	if err := json.Unmarshal(raw, rec); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrDamaged, c.schema.Bucket, err)
	}
	for _, f := range c.schema.Sealed {
		if field := f.Field(rec); len(field.box) > 0 {
			field.sealer, field.home = c.sealer, c.home(key, f.Name)
		}
	}
	if c.cache != nil {
		c.cache.put(key, raw, rec)
	}
	return rec, nil
}

// home is the associated data of a sealed field.
func (c *Collection[T]) home(key, field string) string {
	return joinKey(c.schema.Bucket, key, field)
}

// ByUnique returns the record a unique index names, or ErrNotFound.
func (c *Collection[T]) ByUnique(tx Tx, index, value string) (T, error) {
	var zero T
	ix, err := c.index(index, true)
	if err != nil {
		return zero, err
	}
	if value == "" {
		return zero, fmt.Errorf("%w: %s by %s", ErrNotFound, c.schema.Bucket, index)
	}
	key, err := tx.Get(ix.bucket, []byte(value))
	if err != nil {
		return zero, err
	}
	if key == nil {
		return zero, fmt.Errorf("%w: %s by %s", ErrNotFound, c.schema.Bucket, index)
	}
	return c.indexed(tx, ix, value, string(key))
}

// indexed loads what an index entry leads to.
func (c *Collection[T]) indexed(tx Tx, ix *Index[T], value, key string) (T, error) {
	rec, err := c.peekIndexed(tx, ix, value, key)
	if err != nil {
		var zero T
		return zero, err
	}
	return c.Copy(rec), nil
}

func (c *Collection[T]) index(name string, unique bool) (*Index[T], error) {
	for i := range c.schema.Indexes {
		if ix := &c.schema.Indexes[i]; ix.Name == name && ix.Unique == unique {
			return ix, nil
		}
	}
	return nil, fmt.Errorf("store: %s has no index %q of that kind", c.schema.Bucket, name)
}

// ByIndex returns a page of the records with an index value, in key order, and
// the cursor of the next page ("" at the end).
func (c *Collection[T]) ByIndex(tx Tx, index, value string, page Page) ([]T, string, error) {
	ix, err := c.index(index, false)
	if err != nil {
		return nil, "", err
	}
	keys, next, err := scanKeys(tx, ix.bucket, []byte(joinKey(value)), page)
	if err != nil {
		return nil, "", err
	}
	out := make([]T, 0, len(keys))
	for _, k := range keys {
		rec, err := c.indexed(tx, ix, value, k)
		if err != nil {
			return nil, "", err
		}
		out = append(out, rec)
	}
	return out, next, nil
}

// CountByIndex counts the records with an index value, up to limit, without
// reading them.
func (c *Collection[T]) CountByIndex(tx Tx, index, value string, limit int) (int, error) {
	ix, err := c.index(index, false)
	if err != nil {
		return 0, err
	}
	prefix, n := []byte(joinKey(value)), 0
	err = tx.Scan(ix.bucket, prefix, prefixEnd(prefix), func(_, _ []byte) (bool, error) {
		if n >= limit {
			return false, nil
		}
		n++
		return true, nil
	})
	return n, err
}

// List returns a page of all records in key order, and the cursor of the next
// page ("" at the end).
func (c *Collection[T]) List(tx Tx, page Page) ([]T, string, error) {
	keys, next, err := scanKeys(tx, c.schema.Bucket, nil, page)
	if err != nil {
		return nil, "", err
	}
	out := make([]T, 0, len(keys))
	for _, k := range keys {
		rec, err := c.Get(tx, k)
		if err != nil {
			return nil, "", err
		}
		out = append(out, rec)
	}
	return out, next, nil
}

// All ranges over all records in key order, read in batches: the loop may
// write to the collection. It stops after the first error it yields.
func (c *Collection[T]) All(tx Tx) iter.Seq2[T, error] {
	return batches(func(p Page) ([]T, string, error) { return c.List(tx, p) })
}

// AllByIndex is All for the records with an index value.
func (c *Collection[T]) AllByIndex(tx Tx, index, value string) iter.Seq2[T, error] {
	return batches(func(p Page) ([]T, string, error) { return c.ByIndex(tx, index, value, p) })
}

func batches[T any](read func(Page) ([]T, string, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for page := (Page{Limit: 200}); ; {
			recs, next, err := read(page)
			if err != nil {
				var zero T
				yield(zero, err)
				return
			}
			for _, rec := range recs {
				if !yield(rec, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			page.Cursor = next
		}
	}
}
