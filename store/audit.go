package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
)

func auditKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

// appendAudit adds the next entry, the first being number 1. A head that does
// not verify refuses: no administrative change without a sound record.
func (s *Store) appendAudit(tx Tx, e AuditEntry) error {
	head, err := s.auditHead(tx)
	if err != nil {
		return err
	}
	if e.OrganizationID == "" {
		if e.OrganizationID, err = s.concerned(tx, e); err != nil {
			return err
		}
	}
	e.Seq, e.Previous = head.Seq+1, head.Hash
	raw, err := e.complete()
	if err != nil {
		return fmt.Errorf("store: audit entry %s: %w", e.Action, err)
	}
	if err := tx.Put(auditBucket, auditKey(e.Seq), raw); err != nil {
		return err
	}
	if err := indexAudit(tx, e); err != nil {
		return err
	}
	return s.putChainEnd(tx, auditHead, e.Anchor())
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
		return e, auditFault(seq, "is missing")
	}
	return checkAudit(raw, seq)
}

func checkAudit(raw []byte, seq uint64) (e AuditEntry, err error) {
	if err := json.Unmarshal(raw, &e); err != nil {
		return e, auditFault(seq, "is unreadable")
	}
	if e.Seq != seq {
		return e, auditFault(seq, fmt.Sprintf("is missing: entry %d stands in its place", e.Seq))
	}
	sum, err := e.digest()
	if err != nil {
		return e, auditFault(seq, "is unreadable")
	}
	// The stored bytes must be the one spelling of the entry.
	again, err := json.Marshal(e)
	if err != nil || !bytes.Equal(sum, e.Hash) || !bytes.Equal(again, raw) {
		return e, auditFault(seq, "was altered")
	}
	return e, nil
}
