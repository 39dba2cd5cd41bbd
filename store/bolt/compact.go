package bolt

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"go.etcd.io/bbolt"
)

// compactBatch is how many keys one transaction of Compact writes.
const compactBatch = 10_000

// Compact writes a consistent, tightly packed copy to a new file at dst, which
// must not exist. The engine stays in use; what is written meanwhile is not in
// the copy, so stop the service before putting the copy in the file's place.
func (e *Engine) Compact(ctx context.Context, dst string) error {
	tmp := dst + ".new-" + rand.Text()
	defer func() { _ = os.Remove(tmp) }()
	out, err := bbolt.Open(tmp, 0o600, options(Options{InsecureNoSync: true})) // synced once, below
	if err != nil {
		return fmt.Errorf("compact: %w", err)
	}
	err = e.copyTo(ctx, out)
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err == nil {
		err = publish(tmp, dst)
	}
	if err != nil {
		return fmt.Errorf("compact: %w", err)
	}
	return nil
}

func (e *Engine) copyTo(ctx context.Context, out *bbolt.DB) error {
	from, err := e.db.Begin(false)
	if err != nil {
		return closedOr(err)
	}
	defer func() { _ = from.Rollback() }()
	return from.ForEach(func(name []byte, b *bbolt.Bucket) error {
		c := b.Cursor()
		for k, v := c.First(); k != nil; {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := out.Update(func(to *bbolt.Tx) error {
				into, err := to.CreateBucketIfNotExists(name)
				if err != nil {
					return err
				}
				into.FillPercent = 0.9
				for n := 0; k != nil && n < compactBatch; n++ {
					if err := into.Put(k, v); err != nil {
						return err
					}
					k, v = c.Next()
				}
				return nil
			}); err != nil {
				return err
			}
		}
		return nil
	})
}
