package store

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrAudit: the audit chain was altered, or entries are missing.
var ErrAudit = errors.New("store: the audit chain is broken")

// ErrAuditGone: the entry was removed because its time was over.
var ErrAuditGone = errors.New("store: the audit entry is no longer kept")

const (
	auditBucket     = "audit"
	auditHead       = "audit/head"
	auditHeadID     = "head"
	auditCheckpoint = "audit/checkpoint"
)

// AuditAnchor is one entry of the chain and its hash: noted down elsewhere, it
// proves later that the chain up to it is still the same. Its text is the
// number, a colon and the hash in hex.
type AuditAnchor struct {
	Seq  uint64 `json:"seq"`
	Hash []byte `json:"hash"`
}

// ParseAuditAnchor reads what String wrote.
func ParseAuditAnchor(text string) (a AuditAnchor, err error) {
	number, sum, _ := strings.Cut(text, ":")
	seq, err1 := strconv.ParseUint(number, 10, 64)
	hash, err2 := hex.DecodeString(sum)
	if err1 != nil || err2 != nil || seq == 0 || len(hash) != 32 {
		return a, errors.New("store: an anchor is the number of an entry, a colon and its hash: 64 hex digits")
	}
	return AuditAnchor{Seq: seq, Hash: hash}, nil
}

// String is the anchor as people note it down; "" for that of an empty chain.
func (a AuditAnchor) String() string {
	if a.Seq == 0 {
		return ""
	}
	return strconv.FormatUint(a.Seq, 10) + ":" + hex.EncodeToString(a.Hash)
}

// Anchor is the entry as something to note down.
func (e AuditEntry) Anchor() AuditAnchor { return AuditAnchor{Seq: e.Seq, Hash: e.Hash} }

// AuditFault is the first entry at which a chain is broken. It is an ErrAudit.
type AuditFault struct {
	Seq     uint64
	Problem string // follows "entry n"
}

// Error implements error.
func (f *AuditFault) Error() string {
	return fmt.Sprintf("%v: entry %d %s", ErrAudit, f.Seq, f.Problem)
}

// Unwrap makes it an ErrAudit.
func (f *AuditFault) Unwrap() error { return ErrAudit }

func auditFault(seq uint64, problem string) error { return &AuditFault{seq, problem} }

// AuditReport is what a check of the chain has read.
type AuditReport struct {
	First   uint64 // number of the first entry that is kept; 0 when there is none
	Entries uint64
	Head    AuditAnchor // the newest entry
}

// chainHead names the newest entry, and, as the checkpoint, the newest of those
// that were removed because their time was over. Both are stamped with the
// master key, so that who can write the file but does not hold the key cannot
// cut or rewrite the chain unnoticed (SECURITY-CASES DB1, DB2).
func (s *Store) chainEnd(tx Tx, bucket, what string) (a AuditAnchor, err error) {
	raw, err := tx.Get(bucket, []byte(auditHeadID))
	if err != nil || raw == nil {
		return a, err
	}
	if _, err := s.stamp.verify(bucket, auditHeadID, raw); err != nil {
		return a, fmt.Errorf("%w: its %s was altered", ErrAudit, what)
	}
	if err := json.Unmarshal(raw, &a); err != nil {
		return a, fmt.Errorf("%w: its %s: %w", ErrAudit, what, err)
	}
	return a, nil
}

func (s *Store) auditHead(tx Tx) (AuditAnchor, error) { return s.chainEnd(tx, auditHead, "head") }

func (s *Store) auditCheckpoint(tx Tx) (AuditAnchor, error) {
	return s.chainEnd(tx, auditCheckpoint, "checkpoint")
}

func (s *Store) putChainEnd(tx Tx, bucket string, a AuditAnchor) error {
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return tx.Put(bucket, []byte(auditHeadID), s.stamp.put(bucket, auditHeadID, body))
}

// restampAudit renews the stamps of the chain's ends under the active key.
func (s *Store) restampAudit(tx Tx) error {
	for bucket, what := range map[string]string{auditHead: "head", auditCheckpoint: "checkpoint"} {
		end, err := s.chainEnd(tx, bucket, what)
		if err != nil {
			return err
		}
		if end.Seq == 0 {
			continue
		}
		if err := s.putChainEnd(tx, bucket, end); err != nil {
			return err
		}
	}
	return nil
}

// chainWalk follows a chain link by link, from either end of time: a store or a
// file of lines.
type chainWalk struct {
	next     uint64
	previous []byte
	anchors  map[uint64][]byte
}

func newChainWalk(from AuditAnchor, anchors []AuditAnchor) *chainWalk {
	w := &chainWalk{next: from.Seq + 1, previous: from.Hash, anchors: map[uint64][]byte{}}
	for _, a := range anchors {
		w.anchors[a.Seq] = a.Hash
	}
	return w
}

// step judges the entry that comes next.
func (w *chainWalk) step(raw []byte) (AuditEntry, error) {
	e, err := checkAudit(raw, w.next)
	if err != nil {
		return e, err
	}
	if string(e.Previous) != string(w.previous) {
		return e, auditFault(w.next, "does not follow the one before")
	}
	if want, ok := w.anchors[w.next]; ok && string(want) != string(e.Hash) {
		return e, auditFault(w.next, "is not the one that was noted down")
	}
	w.previous, w.next = e.Hash, w.next+1
	return e, nil
}

// end judges the chain when no entry follows.
func (w *chainWalk) end() error {
	for seq := range w.anchors {
		if seq >= w.next {
			return auditFault(w.next, fmt.Sprintf("is missing: entry %d was noted down once", seq))
		}
	}
	return nil
}

// VerifyAudit walks the whole chain and reports the first entry that was
// altered, moved or removed, with an *AuditFault, or another ErrAudit when an
// end of the chain itself was altered. Anchors that were noted down earlier have
// to be in it. It also compares the index that filtered lists are read by.
func (s *Store) VerifyAudit(ctx context.Context, anchors ...AuditAnchor) (report AuditReport, err error) {
	err = s.View(ctx, func(tx Tx) error {
		report = AuditReport{}
		start, err := s.auditCheckpoint(tx)
		if err != nil {
			return err
		}
		for _, a := range anchors {
			switch {
			case a.Seq == start.Seq && string(a.Hash) != string(start.Hash):
				return auditFault(a.Seq, "is not the one that was noted down")
			case a.Seq < start.Seq:
				return fmt.Errorf("%w: it begins at entry %d", ErrAuditGone, start.Seq+1)
			}
		}
		walk := newChainWalk(start, anchors)
		delete(walk.anchors, start.Seq)
		indexed := uint64(0)
		err = tx.Scan(auditBucket, nil, nil, func(k, raw []byte) (bool, error) {
			if err := ctx.Err(); err != nil {
				return false, err
			}
			if string(k) != string(auditKey(walk.next)) {
				return false, auditFault(walk.next, "is missing")
			}
			e, err := walk.step(raw)
			if err != nil {
				return false, err
			}
			report.Entries++
			n, err := checkAuditIndex(tx, e)
			indexed += n
			return true, err
		})
		if err != nil {
			return err
		}
		head, err := s.auditHead(tx)
		if err != nil {
			return err
		}
		last := walk.next - 1
		if head.Seq > last {
			return auditFault(walk.next, fmt.Sprintf("is missing: the chain goes on to entry %d", head.Seq))
		}
		if head.Seq < last || string(head.Hash) != string(walk.previous) {
			return auditFault(head.Seq+1, "is not of this chain: its head does not know it")
		}
		if report.Head = head; report.Entries > 0 {
			report.First = start.Seq + 1
		}
		if err := walk.end(); err != nil {
			return err
		}
		return countAuditIndex(tx, indexed)
	})
	return report, err
}
