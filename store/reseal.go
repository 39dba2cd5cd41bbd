package store

import (
	"context"
	"fmt"
)

// resealBatch is how many records one transaction of Reseal reads.
const resealBatch = 200

// Reseal writes everything that an old master key sealed or stamped anew under
// the active one and returns how many records that were. Records keep their
// revision. It goes in batches beside normal use; when it is interrupted,
// calling it again goes on, because what is done is told from its key id. Once
// it has returned nil the old keys may be taken out of the key file: the proof
// of the key is renewed last (SECURITY-CASES Z6).
func (s *Store) Reseal(ctx context.Context) (n int, err error) {
	for _, k := range s.kinds {
		for cursor, more := "", true; more; more = cursor != "" {
			var done int
			var next string
			err := s.Update(ctx, func(tx Tx) (err error) {
				next, done, err = k.reseal(tx, Page{Cursor: cursor, Limit: resealBatch})
				return err
			})
			if err != nil {
				return n, fmt.Errorf("reseal %s: %w", k.name(), err)
			}
			n, cursor = n+done, next
		}
	}
	err = s.Update(ctx, func(tx Tx) error {
		if err := s.restampAudit(tx); err != nil {
			return err
		}
		raw, err := tx.Get(storeBucket, []byte(checkKey))
		if err != nil {
			return err
		}
		if stale, err := s.openCheck(raw); err != nil || !stale {
			return err
		}
		return s.putCheck(tx)
	})
	return n, err
}

// reseal renews what is stale in one page of records.
func (c *Collection[T]) reseal(tx Tx, page Page) (next string, n int, err error) {
	keys, next, err := scanKeys(tx, c.schema.Bucket, nil, page)
	if err != nil {
		return "", 0, err
	}
	for _, key := range keys {
		raw, err := tx.Get(c.schema.Bucket, []byte(key))
		if err != nil {
			return "", n, err
		}
		shared, err := c.decode(key, raw)
		if err != nil {
			return "", n, err
		}
		rec := c.Copy(shared)
		stale, err := c.stamp.verify(c.schema.Bucket, key, raw)
		if err != nil {
			return "", n, err
		}
		for _, f := range c.schema.Sealed {
			field := f.Field(&rec)
			if field.IsZero() || c.sealer.fresh(field.box) {
				continue
			}
			plain, err := field.Reveal()
			if err != nil {
				return "", n, fmt.Errorf("%s: %w", f.Name, err)
			}
			*field, stale = Seal(plain), true
			if err := field.settle(c.sealer, c.home(key, f.Name)); err != nil {
				return "", n, err
			}
		}
		if !stale {
			continue
		}
		if raw, err = c.encode(key, &rec); err != nil {
			return "", n, err
		}
		if err := tx.Put(c.schema.Bucket, []byte(key), raw); err != nil {
			return "", n, err
		}
		n++
	}
	return next, n, nil
}
