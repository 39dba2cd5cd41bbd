package store

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Insert keeps a new record; ErrExists when its key or a unique value is taken,
// ErrTombstone when a deleted record had the key. When it fails nothing was
// written, so that the transaction may go on.
func (c *Collection[T]) Insert(tx Tx, rec T) error {
	key := c.schema.Key(&rec)
	old, err := c.Has(tx, key)
	if err != nil {
		return err
	}
	if old {
		return fmt.Errorf("%w: %s", ErrExists, c.schema.Bucket)
	}
	if c.schema.Tombstones {
		dead, err := tx.Get(c.tombstones, []byte(key))
		if err != nil {
			return err
		}
		if dead != nil {
			return fmt.Errorf("%w: %s", ErrTombstone, c.schema.Bucket)
		}
	}
	if c.schema.Fill != nil {
		if err := c.schema.Fill(tx, &rec); err != nil {
			return err
		}
	}
	return c.write(tx, key, nil, &rec)
}

// Put replaces an existing record; ErrNotFound when there is none. For records
// with Meta it is a compare-and-swap: ErrStale unless rec carries the stored
// revision, which it then counts up. When it fails nothing was written.
func (c *Collection[T]) Put(tx Tx, rec T) error {
	key := c.schema.Key(&rec)
	old, err := c.Peek(tx, key)
	switch {
	case err != nil:
		return err
	case old == nil:
		return fmt.Errorf("%w: %s", ErrNotFound, c.schema.Bucket)
	case c.schema.Meta != nil && c.schema.Meta(old).Revision != c.schema.Meta(&rec).Revision:
		return fmt.Errorf("%w: %s", ErrStale, c.schema.Bucket)
	}
	return c.write(tx, key, old, &rec)
}

// Upsert is Put whatever the stored revision, or Insert when there is no
// record yet: the last writer wins.
func (c *Collection[T]) Upsert(tx Tx, rec T) error {
	key := c.schema.Key(&rec)
	old, err := c.Peek(tx, key)
	switch {
	case err != nil:
		return err
	case old == nil:
		return c.Insert(tx, rec)
	case c.schema.Meta != nil:
		c.schema.Meta(&rec).Revision = c.schema.Meta(old).Revision
	}
	return c.write(tx, key, old, &rec)
}

// Delete removes a record and its index entries; ErrNotFound when there is none.
func (c *Collection[T]) Delete(tx Tx, key string) error {
	old, err := c.Peek(tx, key)
	if err != nil {
		return err
	}
	if old == nil {
		return fmt.Errorf("%w: %s", ErrNotFound, c.schema.Bucket)
	}
	if err := c.reindex(tx, key, old, nil); err != nil {
		return err
	}
	if c.schema.Tombstones {
		if err := tx.Put(c.tombstones, []byte(key), []byte("1")); err != nil {
			return err
		}
	}
	return tx.Delete(c.schema.Bucket, []byte(key))
}

// write keeps rec in place of old, which is nil or shared: it is only read.
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
		if err := f.Field(rec).settle(c.sealer, c.home(key, f.Name)); err != nil {
			return fmt.Errorf("%s: %s: %w", c.schema.Bucket, f.Name, err)
		}
	}
	raw, err := c.encode(key, rec)
	if err != nil {
		return err
	}
	// All that can fail for reasons of the record comes before the first write.
	if err := c.checkIndexes(tx, key, old, rec); err != nil {
		return err
	}
	if err := c.reindex(tx, key, old, rec); err != nil {
		return err
	}
	if err := tx.Put(c.schema.Bucket, []byte(key), raw); err != nil || old == nil || c.schema.Follow == nil {
		return err
	}
	return c.schema.Follow(tx, old, rec)
}

func (c *Collection[T]) encode(key string, rec *T) ([]byte, error) {
	body, err := json.Marshal(rec)
	if err != nil {
		return nil, fmt.Errorf("store: encode %s: %w", c.schema.Bucket, err)
	}
	return c.stamp.put(c.schema.Bucket, key, body), nil
}

// checkIndexes reports what would keep rec from being written.
func (c *Collection[T]) checkIndexes(tx Tx, key string, old, rec *T) error {
	if err := CheckKey(c.schema.Bucket, []byte(key)); err != nil {
		return err
	}
	if c.schema.Expires != nil {
		if err := CheckKey(expiryBucket, expiryEntry(1, c.schema.Bucket, key)); err != nil {
			return err
		}
	}
	for i := range c.schema.Indexes {
		ix := &c.schema.Indexes[i]
		after := ix.Values(rec)
		if old != nil && slices.Equal(ix.Values(old), after) {
			continue
		}
		for _, v := range after {
			entry := ix.entry(v, key)
			if err := CheckKey(ix.bucket, entry); err != nil {
				return err
			}
			if !ix.Unique {
				continue
			}
			holder, err := tx.Get(ix.bucket, entry)
			if err != nil {
				return err
			}
			if holder != nil && string(holder) != key {
				return fmt.Errorf("%w: %s by %s", ErrExists, c.schema.Bucket, ix.Name)
			}
		}
	}
	return nil
}

// reindex replaces the index entries of old by those of rec (either may be
// nil). Values that stay cost nothing.
func (c *Collection[T]) reindex(tx Tx, key string, old, rec *T) error {
	for i := range c.schema.Indexes {
		ix := &c.schema.Indexes[i]
		var before, after []string
		if old != nil {
			before = ix.Values(old)
		}
		if rec != nil {
			after = ix.Values(rec)
		}
		if slices.Equal(before, after) {
			continue
		}
		for _, v := range before {
			if !slices.Contains(after, v) {
				if err := tx.Delete(ix.bucket, ix.entry(v, key)); err != nil {
					return err
				}
			}
		}
		for _, v := range after {
			if !slices.Contains(before, v) {
				if err := tx.Put(ix.bucket, ix.entry(v, key), ix.value(key)); err != nil {
					return err
				}
			}
		}
	}
	return c.reschedule(tx, key, old, rec)
}

// entry is the key of an index entry; value is what is kept under it.
func (ix *Index[T]) entry(value, key string) []byte {
	switch {
	case ix.Unique:
		return []byte(value)
	case ix.Prefix: // as it is: entries lie in the order of values
		return []byte(value + "\x00" + key)
	}
	return []byte(joinKey(value) + key)
}

func (ix *Index[T]) value(key string) []byte {
	if ix.Unique {
		return []byte(key)
	}
	return nil // the entry ends in it
}
