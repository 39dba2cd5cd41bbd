package store

import (
	"context"
	"time"
)

// TrimAudit removes up to limit of the oldest entries whose time is before a
// moment, from the front only, and leaves a checkpoint stamped with the master
// key: the number and hash of the last one removed, from which the chain is
// verified from then on. The newest entry always stays. A chain that does not
// verify is left as it is (ErrAudit): a removal must not cover tracks.
func (s *Store) TrimAudit(ctx context.Context, before time.Time, limit int) (n int, err error) {
	due := func(tx Tx, e AuditEntry) bool { return e.At.Before(before) }
	// Mostly nothing is due: do not take the writer's turn to find out.
	some := false
	err = s.View(ctx, func(tx Tx) error {
		start, head, err := s.auditEnds(tx)
		if err != nil || start.Seq+1 >= head.Seq {
			return err
		}
		e, err := readAudit(tx, start.Seq+1)
		some = err == nil && due(tx, e)
		return err
	})
	if err != nil || !some {
		return 0, err
	}
	err = s.Update(ctx, func(tx Tx) error {
		n = 0
		start, head, err := s.auditEnds(tx)
		if err != nil {
			return err
		}
		walk := newChainWalk(start, nil)
		for n < limit && walk.next < head.Seq {
			raw, err := tx.Get(auditBucket, auditKey(walk.next))
			if err != nil {
				return err
			}
			if raw == nil {
				return auditFault(walk.next, "is missing")
			}
			e, err := walk.step(raw)
			if err != nil {
				return err
			}
			if !due(tx, e) {
				break
			}
			if err := tx.Delete(auditBucket, auditKey(e.Seq)); err != nil {
				return err
			}
			if err := unindexAudit(tx, e); err != nil {
				return err
			}
			start = e.Anchor()
			n++
		}
		if n == 0 {
			return nil
		}
		return s.putChainEnd(tx, auditCheckpoint, start)
	})
	return n, err
}

func (s *Store) auditEnds(tx Tx) (start, head AuditAnchor, err error) {
	if start, err = s.auditCheckpoint(tx); err == nil {
		head, err = s.auditHead(tx)
	}
	return start, head, err
}
