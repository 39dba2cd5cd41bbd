package store

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
)

const auditBucket = "audit"

func auditKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

func (s *Store) appendAudit(tx Tx, e AuditEntry) error {
	head, err := tx.Get(auditBucket+"/head", []byte("head"))
	if err != nil {
		return err
	}
	if head != nil {
		var last AuditEntry
		raw, err := tx.Get(auditBucket, head)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(raw, &last); err != nil {
			return fmt.Errorf("store: audit head is damaged: %w", err)
		}
		e.Seq, e.Previous = last.Seq+1, last.Hash
	}
	if e.Hash, err = e.digest(); err != nil {
		return err
	}
	raw, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if err := tx.Put(auditBucket, auditKey(e.Seq), raw); err != nil {
		return err
	}
	return tx.Put(auditBucket+"/head", []byte("head"), auditKey(e.Seq))
}

func (e AuditEntry) digest() ([]byte, error) {
	e.Hash = nil
	raw, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(raw)
	return sum[:], nil
}
