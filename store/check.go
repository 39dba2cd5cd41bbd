package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// kind is what the store's upkeep needs of a collection.
type kind interface {
	name() string
	expire(tx Tx, key string, now time.Time) error
	reseal(tx Tx, page Page) (next string, n int, err error)
	check(tx Tx) (expiring int, err error)
}

func (c *Collection[T]) name() string { return c.schema.Bucket }

func (s *Store) kind(bucket string) kind {
	for _, k := range s.kinds {
		if k.name() == bucket {
			return k
		}
	}
	return nil
}

// Check reads everything and reports what does not fit together: records whose
// bytes were altered, and index or expiry entries that are missing, left over
// or wrong. It changes nothing.
func (s *Store) Check(ctx context.Context) error {
	return s.View(ctx, func(tx Tx) error {
		var faults error
		expiring := 0
		for _, k := range s.kinds {
			if err := ctx.Err(); err != nil {
				return err
			}
			n, err := k.check(tx)
			faults = errors.Join(faults, err)
			expiring += n
		}
		entries := 0
		err := tx.Scan(expiryBucket, nil, nil, func(_, _ []byte) (bool, error) { entries++; return true, nil })
		if entries != expiring {
			err = errors.Join(err, fmt.Errorf("%w: %d expiry entries for %d records", ErrDamaged, entries, expiring))
		}
		return errors.Join(faults, err)
	})
}

// check counts the entries each index should have while it looks each of them
// up: equal counts then mean that none is left over.
func (c *Collection[T]) check(tx Tx) (expiring int, err error) {
	want := make([]int, len(c.schema.Indexes))
	fault := func(format string, args ...any) {
		err = errors.Join(err, fmt.Errorf("%w: %s: %w", ErrDamaged, c.schema.Bucket, fmt.Errorf(format, args...)))
	}
	scanErr := tx.Scan(c.schema.Bucket, nil, nil, func(k, raw []byte) (bool, error) {
		key := string(k)
		rec, e := c.decode(key, raw)
		if e != nil {
			fault("%w", e)
			return true, nil
		}
		if c.schema.Key(rec) != key {
			fault("a record lies under a key that is not its own")
		}
		for i := range c.schema.Indexes {
			ix := &c.schema.Indexes[i]
			values := slices.Clone(ix.Values(rec))
			slices.Sort(values)
			values = slices.Compact(values)
			want[i] += len(values)
			for _, v := range values {
				have, e := tx.Get(ix.bucket, ix.entry(v, key))
				if e != nil {
					return false, e
				}
				if have == nil || string(have) != string(ix.value(key)) {
					fault("index %s misses an entry", ix.Name)
				}
			}
		}
		if second := c.expirySecond(rec); second != 0 {
			expiring++
			have, e := tx.Get(expiryBucket, expiryEntry(second, c.schema.Bucket, key))
			if e != nil {
				return false, e
			}
			if have == nil {
				fault("an expiry entry is missing")
			}
		}
		return true, nil
	})
	if scanErr != nil {
		return expiring, scanErr
	}
	for i := range c.schema.Indexes {
		have := 0
		if e := tx.Scan(c.schema.Indexes[i].bucket, nil, nil, func(_, _ []byte) (bool, error) { have++; return true, nil }); e != nil {
			return expiring, e
		}
		if have != want[i] {
			fault("index %s has %d entries, not %d", c.schema.Indexes[i].Name, have, want[i])
		}
	}
	return expiring, err
}
