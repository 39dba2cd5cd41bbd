package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
)

// ErrAudit: the audit chain was altered, or entries are missing.
var ErrAudit = errors.New("store: the audit chain is broken")

const (
	auditBucket = "audit"
	auditHead   = "audit/head"
	auditHeadID = "head"
)

// chainHead names the newest entry. It is stamped with the master key, so that
// who can write the file but does not hold the key cannot cut or rewrite the
// chain unnoticed (SECURITY-CASES DB1, DB2).
type chainHead struct {
	Seq  uint64 `json:"seq"`
	Hash []byte `json:"hash"`
}

func auditKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

// appendAudit adds the next entry, the first being number 1. A head that does
// not verify refuses: no administrative change without a sound record.
func (s *Store) appendAudit(tx Tx, e AuditEntry) error {
	head, err := s.auditHead(tx)
	if err != nil {
		return err
	}
	e.Seq, e.Previous = head.Seq+1, head.Hash
	raw, err := e.complete()
	if err != nil {
		return fmt.Errorf("store: audit entry %s: %w", e.Action, err)
	}
	if err := tx.Put(auditBucket, auditKey(e.Seq), raw); err != nil {
		return err
	}
	return s.putAuditHead(tx, chainHead{Seq: e.Seq, Hash: e.Hash})
}

func (s *Store) auditHead(tx Tx) (head chainHead, err error) {
	raw, err := tx.Get(auditHead, []byte(auditHeadID))
	if err != nil || raw == nil {
		return head, err
	}
	if _, err := s.stamp.verify(auditHead, auditHeadID, raw); err != nil {
		return head, fmt.Errorf("%w: its head was altered", ErrAudit)
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return head, fmt.Errorf("%w: its head: %w", ErrAudit, err)
	}
	return head, nil
}

func (s *Store) putAuditHead(tx Tx, head chainHead) error {
	body, err := json.Marshal(head)
	if err != nil {
		return err
	}
	return tx.Put(auditHead, []byte(auditHeadID), s.stamp.put(auditHead, auditHeadID, body))
}

// complete fills in the hash and returns the entry's stored form. What it
// hashes is what a reader will hold: the entry after one trip through JSON
// (times in UTC, numbers as written, text as valid UTF-8).
func (e *AuditEntry) complete() ([]byte, error) {
	e.Hash = nil
	raw, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	var read AuditEntry
	if err := json.Unmarshal(raw, &read); err != nil {
		return nil, err
	}
	*e = read
	if e.Hash, err = e.digest(); err != nil {
		return nil, err
	}
	return json.Marshal(e)
}

// digest is SHA-256 over the entry's JSON without its own hash.
func (e AuditEntry) digest() ([]byte, error) {
	e.Hash = nil
	raw, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(raw)
	return sum[:], nil
}

// UnmarshalJSON keeps the numbers of Detail as they were written.
func (e *AuditEntry) UnmarshalJSON(b []byte) error {
	type plain AuditEntry
	var read plain
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&read); err != nil {
		return err
	}
	*e = AuditEntry(read)
	return nil
}

// readAudit returns entry seq after checking it by itself.
func readAudit(tx Tx, seq uint64) (e AuditEntry, err error) {
	raw, err := tx.Get(auditBucket, auditKey(seq))
	if err != nil {
		return e, err
	}
	if raw == nil {
		return e, fmt.Errorf("%w: entry %d is missing", ErrAudit, seq)
	}
	return checkAudit(raw, seq)
}

func checkAudit(raw []byte, seq uint64) (e AuditEntry, err error) {
	if err := json.Unmarshal(raw, &e); err != nil {
		return e, fmt.Errorf("%w: entry %d is unreadable: %w", ErrAudit, seq, err)
	}
	sum, err := e.digest()
	if err != nil {
		return e, fmt.Errorf("%w: entry %d: %w", ErrAudit, seq, err)
	}
	// The stored bytes must be the one spelling of the entry.
	again, err := json.Marshal(e)
	if err != nil || e.Seq != seq || !bytes.Equal(sum, e.Hash) || !bytes.Equal(again, raw) {
		return e, fmt.Errorf("%w: entry %d was altered", ErrAudit, seq)
	}
	return e, nil
}

// VerifyAudit walks the whole chain and reports the first entry that was
// altered, moved or removed, with ErrAudit. It returns how many it read.
func (s *Store) VerifyAudit(ctx context.Context) (n uint64, err error) {
	err = s.View(ctx, func(tx Tx) error {
		var previous []byte
		n = 0
		err := tx.Scan(auditBucket, nil, nil, func(k, raw []byte) (bool, error) {
			if err := ctx.Err(); err != nil {
				return false, err
			}
			if !bytes.Equal(k, auditKey(n+1)) {
				return false, fmt.Errorf("%w: entry %d is missing", ErrAudit, n+1)
			}
			e, err := checkAudit(raw, n+1)
			if err != nil {
				return false, err
			}
			if !bytes.Equal(e.Previous, previous) {
				return false, fmt.Errorf("%w: entry %d does not follow the one before", ErrAudit, n+1)
			}
			previous = e.Hash
			n++
			return true, nil
		})
		if err != nil {
			return err
		}
		head, err := s.auditHead(tx)
		if err != nil {
			return err
		}
		if head.Seq != n || !bytes.Equal(head.Hash, previous) {
			return fmt.Errorf("%w: it ends at entry %d, its head says %d", ErrAudit, n, head.Seq)
		}
		return nil
	})
	return n, err
}

// AuditPage returns a page of entries, newest first, and the cursor of the
// next page ("" at the end). Entries that come in meanwhile do not shift it.
func (s *Store) AuditPage(tx Tx, page Page) ([]AuditEntry, string, error) {
	at, err := page.position()
	if err != nil {
		return nil, "", err
	}
	head, err := s.auditHead(tx)
	if err != nil {
		return nil, "", err
	}
	seq := head.Seq
	if at != nil {
		if len(at) != 8 || binary.BigEndian.Uint64(at) == 0 || binary.BigEndian.Uint64(at) > head.Seq {
			return nil, "", fmt.Errorf("%w: take it from the answer before", ErrCursor)
		}
		seq = binary.BigEndian.Uint64(at) - 1
	}
	out := []AuditEntry{}
	for ; seq > 0; seq-- {
		if len(out) == page.limit() {
			return out, base64.RawURLEncoding.EncodeToString(auditKey(seq + 1)), nil
		}
		e, err := readAudit(tx, seq)
		if err != nil {
			return nil, "", err
		}
		out = append(out, e)
	}
	return out, "", nil
}
