package store

import (
	"context"
	"errors"
	"time"
)

// Actor is who makes an administrative change, and from where.
type Actor struct {
	UserID string `json:"user"`           // user id, "system" or "operator"
	Via    string `json:"via"`            // console, api, cli, dev, system
	From   string `json:"from,omitempty"` // network address
	// RequestID ties the entry to the log.
	RequestID string `json:"request_id,omitempty"`
}

// AuditEntry is one link of the hash chain. Hash covers every other field and
// the previous entry's hash.
type AuditEntry struct {
	Seq    uint64    `json:"seq"`
	At     time.Time `json:"at"`
	Actor  Actor     `json:"actor"`
	Action string    `json:"action"` // noun.verb, e.g. "client.create"
	Target string    `json:"target"` // kind/id
	// OrganizationID is whose admins may read the entry; empty: the platform's.
	OrganizationID string `json:"organization,omitempty"`
	// Detail is what changed, never a secret: JSON made by the caller.
	Detail   map[string]any `json:"detail,omitempty"`
	Previous []byte         `json:"previous"`
	Hash     []byte         `json:"hash"`
}

// ErrUnrecorded: a Change function returned without recording what it did.
var ErrUnrecorded = errors.New("store: change without audit entry")

// Change is a transaction that must leave an audit entry: the only way the
// admin surface writes.
type Change struct {
	Tx
	Actor    Actor
	store    *Store
	recorded int
}

// Record appends an audit entry in this transaction.
func (c *Change) Record(action, target string, detail map[string]any) error {
	c.recorded++
	return c.store.appendAudit(c.Tx, AuditEntry{
		At: c.store.now().UTC(), Actor: c.Actor, Action: action, Target: target, Detail: detail,
	})
}

// Change runs fn in one Update and refuses to commit without a Record.
func (s *Store) Change(ctx context.Context, actor Actor, fn func(*Change) error) error {
	return s.Update(ctx, func(tx Tx) error {
		c := &Change{Tx: tx, Actor: actor, store: s}
		if err := fn(c); err != nil {
			return err
		}
		if c.recorded == 0 {
			return ErrUnrecorded
		}
		return nil
	})
}

// Record appends an audit entry in the caller's transaction, for what people do
// to themselves outside of a Change: accepting an invitation, for example.
func (s *Store) Record(tx Tx, actor Actor, action, target string, detail map[string]any) error {
	return s.appendAudit(tx, AuditEntry{At: s.now().UTC(), Actor: actor, Action: action, Target: target, Detail: detail})
}
