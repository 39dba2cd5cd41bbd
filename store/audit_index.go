package store

import (
	"context"
	"fmt"
)

// auditIndexValues are what entries are found by. An index entry is the value
// and the inverted number, so that the newest comes first.
func auditIndexValues(e AuditEntry) [][2]string {
	all := [][2]string{{"actor", e.Actor.UserID}, {"action", e.Action}, {"target", e.Target}, {"organization", e.OrganizationID}}
	out := all[:0]
	for _, v := range all {
		if v[1] != "" {
			out = append(out, v)
		}
	}
	return out
}

// maxAuditValue is how much of a value the index holds, in bytes: what fits the
// key of an engine. The entry itself is compared whole.
const maxAuditValue = 512

func auditIndexPrefix(value string) string {
	return joinKey(value[:min(len(value), maxAuditValue)])
}

func auditIndexKey(value string, seq uint64) []byte {
	return append([]byte(auditIndexPrefix(value)), auditKey(^seq)...)
}

func indexAudit(tx Tx, e AuditEntry) error {
	for _, v := range auditIndexValues(e) {
		if err := tx.Put(auditBucket+"/"+v[0], auditIndexKey(v[1], e.Seq), nil); err != nil {
			return err
		}
	}
	return nil
}

func unindexAudit(tx Tx, e AuditEntry) error {
	for _, v := range auditIndexValues(e) {
		if err := tx.Delete(auditBucket+"/"+v[0], auditIndexKey(v[1], e.Seq)); err != nil {
			return err
		}
	}
	return nil
}

// checkAuditIndex looks up what leads to an entry, and says how much that is.
func checkAuditIndex(tx Tx, e AuditEntry) (n uint64, err error) {
	for _, v := range auditIndexValues(e) {
		have, err := tx.Get(auditBucket+"/"+v[0], auditIndexKey(v[1], e.Seq))
		if err != nil {
			return n, err
		}
		if have == nil {
			return n, auditFault(e.Seq, "is hidden from lists by "+v[0])
		}
		n++
	}
	return n, nil
}

// countAuditIndex finds what leads to no entry.
func countAuditIndex(tx Tx, want uint64) error {
	have := uint64(0)
	for _, name := range []string{"actor", "action", "target", "organization"} {
		if err := tx.Scan(auditBucket+"/"+name, nil, nil, func(_, _ []byte) (bool, error) { have++; return true, nil }); err != nil {
			return err
		}
	}
	if have != want {
		return fmt.Errorf("%w: its index has %d entries, not %d", ErrAudit, have, want)
	}
	return nil
}

// indexOldAudit is the migration that gives entries from before the index
// theirs.
func indexOldAudit(ctx context.Context, s *Store, tx Tx) error {
	head, err := s.auditHead(tx)
	if err != nil {
		return err
	}
	for seq := uint64(1); seq <= head.Seq; seq++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		e, err := readAudit(tx, seq)
		if err != nil {
			return err
		}
		if err := indexAudit(tx, e); err != nil {
			return err
		}
	}
	return nil
}
