package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Errors of Open. Each text is one sentence for the operator.
var (
	// ErrWrongKey: the master key is not the one the data was written under.
	ErrWrongKey = errors.New("store: the master key does not fit this data")
	// ErrNewerSchema: a newer Gatehouse wrote the data.
	ErrNewerSchema = errors.New("store: the data was written by a newer version of Gatehouse")
)

const (
	storeBucket = "store"
	schemaKey   = "schema" // {"version":n}
	checkKey    = "check"  // {"box":…}: proof of the master key
)

// migration brings stored records from one schema version to the next. It is
// given the transaction that also counts the version up.
type migration struct {
	name string
	run  func(context.Context, *Store, Tx) error
}

// migrations lists what leads from version 1 to 2, 2 to 3 and so on. An entry
// is never changed once released. Adding a field to a record needs none: its
// zero value has to mean what the record meant before.
func migrations() []migration {
	return []migration{
		{name: "search terms and roles of members", run: func(_ context.Context, s *Store, tx Tx) error { return addSearch(s, tx) }},
		{name: "audit index", run: indexOldAudit},
	}
}

type schemaVersion struct {
	Version int `json:"version"`
}

type keyCheck struct {
	Box []byte `json:"box"`
}

// prepare sets up an empty engine, or checks the key and brings the schema up
// to date. It writes nothing before the key is proven.
func (s *Store) prepare(ctx context.Context, steps []migration) error {
	newest := len(steps) + 1
	var have int
	err := s.engine.View(ctx, func(tx Tx) (err error) { have, err = s.inspect(tx, newest); return err })
	if err != nil {
		return err
	}
	for have < newest {
		err := s.engine.Update(ctx, func(tx Tx) error {
			// Another process may have been faster.
			var err error
			if have, err = s.inspect(tx, newest); err != nil || have == newest {
				return err
			}
			next := have + 1
			if have == 0 {
				next = newest
				if err := s.putCheck(tx); err != nil {
					return err
				}
			} else if step := steps[have-1]; step.run != nil {
				if err := step.run(ctx, s, tx); err != nil {
					return fmt.Errorf("store: migration to version %d (%s): %w", next, step.name, err)
				}
			}
			raw, err := json.Marshal(schemaVersion{next})
			if err != nil {
				return err
			}
			have = next
			return tx.Put(storeBucket, []byte(schemaKey), raw)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// inspect returns the version of the data, 0 for an empty engine.
func (s *Store) inspect(tx Tx, newest int) (int, error) {
	raw, err := tx.Get(storeBucket, []byte(schemaKey))
	if err != nil {
		return 0, err
	}
	check, err := tx.Get(storeBucket, []byte(checkKey))
	if err != nil {
		return 0, err
	}
	if raw == nil && check == nil {
		return 0, s.mustBeEmpty(tx)
	}
	var have schemaVersion
	if err := json.Unmarshal(raw, &have); err != nil || have.Version < 1 {
		return 0, fmt.Errorf("%w: its schema version is unreadable", ErrDamaged)
	}
	if have.Version > newest {
		return 0, fmt.Errorf("%w (schema %d, this program knows %d): start that version, or restore an older backup",
			ErrNewerSchema, have.Version, newest)
	}
	if _, err := s.openCheck(check); err != nil {
		return 0, err
	}
	return have.Version, nil
}

// mustBeEmpty refuses to set up a store over records whose schema and key
// check are gone: a new key must never be accepted for old data.
func (s *Store) mustBeEmpty(tx Tx) error {
	buckets := []string{auditBucket, auditHead, auditCheckpoint, expiryBucket}
	for _, k := range s.kinds {
		buckets = append(buckets, k.name())
	}
	for _, b := range buckets {
		err := tx.Scan(b, nil, nil, func(_, _ []byte) (bool, error) {
			return false, fmt.Errorf("%w: it has records but no schema version", ErrDamaged)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) putCheck(tx Tx) error {
	raw, err := json.Marshal(keyCheck{s.keyring.Sealer("check").Seal([]byte("gatehouse"), []byte(checkKey))})
	if err != nil {
		return err
	}
	return tx.Put(storeBucket, []byte(checkKey), raw)
}

// openCheck proves that the keyring holds the key of the data; stale reports
// that it is an old one.
func (s *Store) openCheck(raw []byte) (stale bool, err error) {
	var check keyCheck
	if err := json.Unmarshal(raw, &check); err != nil {
		return false, fmt.Errorf("%w: its key check is unreadable", ErrDamaged)
	}
	_, stale, err = s.keyring.Sealer("check").Open(check.Box, []byte(checkKey))
	if err != nil {
		return false, fmt.Errorf("%w: it needs key %s, the key file holds %s; bring the right key file back",
			ErrWrongKey, keyID(check.Box), strings.Join(s.keyring.IDs(), ", "))
	}
	return stale, nil
}
