package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"time"
)

// expiryBucket orders everything that expires by time, so that a sweep reads
// only what is due. One bucket for all kinds: entries of one request lie side
// by side and share a page. Entry: second (8 bytes, rounded up), bucket, 0, key.
const expiryBucket = "expiry"

func expiryEntry(second uint64, bucket, key string) []byte {
	e := make([]byte, 8, 9+len(bucket)+len(key))
	binary.BigEndian.PutUint64(e, second)
	e = append(e, bucket...)
	e = append(e, 0)
	return append(e, key...)
}

// expirySecond is the first second at which a record may go; 0 is never.
func expirySecond(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	second := t.Unix()
	if t.Nanosecond() > 0 {
		second++
	}
	return uint64(max(second, 1))
}

func (c *Collection[T]) expirySecond(rec *T) uint64 {
	if rec == nil || c.schema.Expires == nil {
		return 0
	}
	return expirySecond(c.schema.Expires(rec))
}

// reschedule moves the expiry entry from old to rec (either may be nil).
func (c *Collection[T]) reschedule(tx Tx, key string, old, rec *T) error {
	before, after := c.expirySecond(old), c.expirySecond(rec)
	if before == after {
		return nil
	}
	if before != 0 {
		if err := tx.Delete(expiryBucket, expiryEntry(before, c.schema.Bucket, key)); err != nil {
			return err
		}
	}
	if after == 0 {
		return nil
	}
	return tx.Put(expiryBucket, expiryEntry(after, c.schema.Bucket, key), nil)
}

// Sweep deletes up to limit records (500 when not positive) whose time is over
// and returns how many. Call it again at once while it returns limit. A record
// that cannot be read stays for inspection, is reported once and then left
// alone.
func (s *Store) Sweep(ctx context.Context, limit int) (n int, err error) {
	if limit <= 0 {
		limit = 500
	}
	now := s.now()
	due := func(tx Tx, limit int) (entries [][]byte, err error) {
		to := binary.BigEndian.AppendUint64(nil, uint64(max(now.Unix()+1, 0)))
		err = tx.Scan(expiryBucket, nil, to, func(k, _ []byte) (bool, error) {
			entries = append(entries, bytes.Clone(k))
			return len(entries) < limit, nil
		})
		return entries, err
	}
	// Mostly nothing is due: do not take the writer's turn to find out.
	var some [][]byte
	if err := s.View(ctx, func(tx Tx) (err error) { some, err = due(tx, 1); return err }); err != nil || len(some) == 0 {
		return 0, err
	}
	var unreadable error
	err = s.Update(ctx, func(tx Tx) error {
		n, unreadable = 0, nil
		entries, err := due(tx, limit)
		if err != nil {
			return err
		}
		for _, e := range entries {
			bucket, key, ok := bytes.Cut(e[8:], []byte{0})
			if !ok {
				return errors.Join(ErrDamaged, tx.Delete(expiryBucket, e))
			}
			if k := s.kind(string(bucket)); k != nil {
				err = k.expire(tx, string(key), now)
			}
			switch {
			case errors.Is(err, ErrDamaged):
				unreadable = errors.Join(unreadable, err)
			case err != nil:
				return err
			}
			if err := tx.Delete(expiryBucket, e); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, errors.Join(err, unreadable)
}

// expire deletes the record unless its time is not over after all; then its
// entry is written anew.
func (c *Collection[T]) expire(tx Tx, key string, now time.Time) error {
	rec, err := c.Get(tx, key)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	second := c.expirySecond(&rec)
	switch {
	case second == 0:
		return nil
	case second > uint64(max(now.Unix(), 0)):
		return tx.Put(expiryBucket, expiryEntry(second, c.schema.Bucket, key), nil)
	}
	return c.Delete(tx, key)
}
