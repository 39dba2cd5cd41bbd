package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// Index of a collection. Values are what a record is found by; none leaves it
// out. A unique index holds each value once.
type Index[T any] struct {
	Name   string
	Unique bool
	Values func(*T) []string
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
}

// Collection keeps records of one kind. All methods run inside a transaction.
type Collection[T any] struct {
	schema Schema[T]
	sealer *Sealer
	now    func() time.Time
}

// Page asks for up to Limit records after Cursor ("" from the start).
type Page struct {
	Cursor string
	Limit  int
}

func (c *Collection[T]) indexBucket(name string) string { return c.schema.Bucket + "/" + name }

// Get returns the record, or ErrNotFound.
func (c *Collection[T]) Get(tx Tx, key string) (T, error) {
	var rec T
	raw, err := tx.Get(c.schema.Bucket, []byte(key))
	if err != nil {
		return rec, err
	}
	if raw == nil {
		return rec, fmt.Errorf("%w: %s", ErrNotFound, c.schema.Bucket)
	}
	return c.decode(key, raw)
}

func (c *Collection[T]) decode(key string, raw []byte) (T, error) {
	var rec T
	if err := json.Unmarshal(raw, &rec); err != nil {
		return rec, fmt.Errorf("store: %s record is damaged: %w", c.schema.Bucket, err)
	}
	for _, f := range c.schema.Sealed {
		field := f.Field(&rec)
		ad := []byte(joinKey(c.schema.Bucket, key, f.Name))
		field.open = func(box []byte) (Secret, error) {
			plain, _, err := c.sealer.Open(box, ad)
			return Secret(plain), err
		}
	}
	return rec, nil
}

// ByUnique returns the record a unique index names, or ErrNotFound.
func (c *Collection[T]) ByUnique(tx Tx, index, value string) (T, error) {
	var zero T
	key, err := tx.Get(c.indexBucket(index), []byte(value))
	if err != nil {
		return zero, err
	}
	if key == nil {
		return zero, fmt.Errorf("%w: %s by %s", ErrNotFound, c.schema.Bucket, index)
	}
	return c.Get(tx, string(key))
}

// ByIndex returns a page of the records with an index value, in key order, and
// the cursor of the next page ("" at the end).
func (c *Collection[T]) ByIndex(tx Tx, index, value string, page Page) ([]T, string, error) {
	prefix := []byte(joinKey(value))
	keys, next, err := scanKeys(tx, c.indexBucket(index), prefix, page)
	if err != nil {
		return nil, "", err
	}
	return c.load(tx, keys, next)
}

// List returns a page of all records in key order.
func (c *Collection[T]) List(tx Tx, page Page) ([]T, string, error) {
	keys, next, err := scanKeys(tx, c.schema.Bucket, nil, page)
	if err != nil {
		return nil, "", err
	}
	return c.load(tx, keys, next)
}

func (c *Collection[T]) load(tx Tx, keys []string, next string) ([]T, string, error) {
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

func scanKeys(tx Tx, bucket string, prefix []byte, page Page) (keys []string, next string, err error) {
	if page.Limit <= 0 {
		page.Limit = 100
	}
	from := append(bytes.Clone(prefix), page.Cursor...)
	if page.Cursor != "" {
		from = append(from, 0) // strictly after the cursor
	}
	err = tx.Scan(bucket, from, prefixEnd(prefix), func(k, _ []byte) (bool, error) {
		if len(keys) == page.Limit {
			next = keys[len(keys)-1]
			return false, nil
		}
		keys = append(keys, string(k[len(prefix):]))
		return true, nil
	})
	return keys, next, err
}

func prefixEnd(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}

// Insert keeps a new record; ErrExists when its key or a unique value is taken,
// ErrTombstone when a deleted record had the key.
func (c *Collection[T]) Insert(tx Tx, rec T) error {
	key := c.schema.Key(&rec)
	old, err := tx.Get(c.schema.Bucket, []byte(key))
	if err != nil {
		return err
	}
	if old != nil {
		return fmt.Errorf("%w: %s", ErrExists, c.schema.Bucket)
	}
	if c.schema.Tombstones {
		dead, err := tx.Get(c.indexBucket("tombstones"), []byte(key))
		if err != nil {
			return err
		}
		if dead != nil {
			return fmt.Errorf("%w: %s", ErrTombstone, c.schema.Bucket)
		}
	}
	return c.write(tx, key, nil, &rec)
}

// Put replaces an existing record; ErrNotFound when there is none. For records
// with Meta it is a compare-and-swap: ErrStale unless rec carries the stored
// revision, which it then counts up.
func (c *Collection[T]) Put(tx Tx, rec T) error {
	key := c.schema.Key(&rec)
	old, err := c.Get(tx, key)
	if err != nil {
		return err
	}
	if c.schema.Meta != nil && c.schema.Meta(&old).Revision != c.schema.Meta(&rec).Revision {
		return fmt.Errorf("%w: %s", ErrStale, c.schema.Bucket)
	}
	return c.write(tx, key, &old, &rec)
}

// Delete removes a record and its index entries; ErrNotFound when there is none.
func (c *Collection[T]) Delete(tx Tx, key string) error {
	old, err := c.Get(tx, key)
	if err != nil {
		return err
	}
	if err := c.reindex(tx, key, &old, nil); err != nil {
		return err
	}
	if c.schema.Tombstones {
		if err := tx.Put(c.indexBucket("tombstones"), []byte(key), []byte("1")); err != nil {
			return err
		}
	}
	return tx.Delete(c.schema.Bucket, []byte(key))
}

func (c *Collection[T]) write(tx Tx, key string, old, rec *T) error {
	if c.schema.Meta != nil {
		m, now := c.schema.Meta(rec), c.now().UTC()
		if old == nil {
			m.Revision, m.CreatedAt = 0, now
		} else {
			m.CreatedAt = c.schema.Meta(old).CreatedAt
		}
		m.Revision++
		m.UpdatedAt = now
	}
	for _, f := range c.schema.Sealed {
		if field := f.Field(rec); field.fresh {
			ad := []byte(joinKey(c.schema.Bucket, key, f.Name))
			field.box, field.fresh = c.sealer.Seal([]byte(field.plain.Reveal()), ad), false
			field.plain = ""
		}
	}
	raw, err := json.Marshal(rec)
	if err != nil {
		return fmt.Errorf("store: encode %s: %w", c.schema.Bucket, err)
	}
	if err := c.reindex(tx, key, old, rec); err != nil {
		return err
	}
	return tx.Put(c.schema.Bucket, []byte(key), raw)
}

// reindex replaces the index entries of old by those of rec (either may be nil).
func (c *Collection[T]) reindex(tx Tx, key string, old, rec *T) error {
	for _, ix := range c.schema.Indexes {
		before, after := map[string]bool{}, map[string]bool{}
		if old != nil {
			for _, v := range ix.Values(old) {
				before[v] = true
			}
		}
		if rec != nil {
			for _, v := range ix.Values(rec) {
				after[v] = true
			}
		}
		bucket := c.indexBucket(ix.Name)
		for v := range before {
			if !after[v] {
				if err := tx.Delete(bucket, ix.entry(v, key)); err != nil {
					return err
				}
			}
		}
		for v := range after {
			if before[v] {
				continue
			}
			if ix.Unique {
				holder, err := tx.Get(bucket, ix.entry(v, key))
				if err != nil {
					return err
				}
				if holder != nil {
					return fmt.Errorf("%w: %s by %s", ErrExists, c.schema.Bucket, ix.Name)
				}
			}
			if err := tx.Put(bucket, ix.entry(v, key), []byte(key)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (ix Index[T]) entry(value, key string) []byte {
	if ix.Unique {
		return []byte(value)
	}
	return append([]byte(joinKey(value)), key...)
}
