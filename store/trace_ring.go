package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// The two rings. What nobody proved lies in the first, however many strangers
// begin logins; a proven login moves to the second.
const (
	ringOpen   = "open"
	ringProven = "proven"
	ringBucket = "traces/ring"
)

// traceSteps are kept apart from their trace: finding and throwing out traces
// does not read them.
type traceSteps struct {
	Key   string      `json:"key"`
	Steps []TraceStep `json:"steps"`
}

func (s *Store) declareTraceSteps() *Collection[traceSteps] {
	return collect(s, Schema[traceSteps]{Bucket: "trace_steps", Key: func(x *traceSteps) string { return x.Key }})
}

func (s *Store) declareTraces() *Collection[Trace] {
	return collect(s, Schema[Trace]{
		Bucket: "traces",
		Key:    func(t *Trace) string { return t.Key },
		Indexes: []Index[Trace]{
			{Name: "words", Unique: true, Values: func(t *Trace) []string { return []string{t.Words} }},
			{Name: "slot", Unique: true, Values: func(t *Trace) []string { return []string{t.Slot} }},
			{Name: "user", Values: func(t *Trace) []string { return present(t.UserID) }},
			{Name: "connection", Values: func(t *Trace) []string { return present(t.ConnectionID) }},
			{Name: "outcome", Values: func(t *Trace) []string { return []string{string(t.Outcome)} }},
		},
	})
}

// traceKey sorts the newest first.
func traceKey(at time.Time, words string) string { return traceTime(at) + "-" + words }

// traceTime is the part of a key that stands for a moment.
func traceTime(at time.Time) string {
	return fmt.Sprintf("%016x", uint64(math.MaxInt64-max(at.UnixNano(), 0)))
}

// ring is how far one ring has come.
type ring struct {
	Next     uint64 `json:"next"`
	Capacity uint64 `json:"capacity"`
}

func slotName(name string, n uint64) string { return name + "/" + strconv.FormatUint(n, 10) }

// capacityOf is how many slots a ring has.
func (t *Traces) capacityOf(name string) uint64 {
	open := max(t.capacity*traceOpenShare/10, 1)
	if name == ringOpen {
		return uint64(open)
	}
	return uint64(max(t.capacity-open, 1))
}

// slot takes the next slot of a ring and throws out what lay there.
func (t *Traces) slot(tx Tx, name string) (string, error) {
	head, capacity := ring{}, t.capacityOf(name)
	raw, err := tx.Get(ringBucket, []byte(name))
	if err != nil {
		return "", err
	}
	if raw != nil {
		if err := json.Unmarshal(raw, &head); err != nil {
			head = ring{} // what lies in the slots is thrown out one by one
		}
	}
	for n := capacity; n < head.Capacity; n++ { // configured smaller since
		if err := t.vacate(tx, slotName(name, n)); err != nil {
			return "", err
		}
	}
	slot := slotName(name, head.Next%capacity)
	if err := t.vacate(tx, slot); err != nil {
		return "", err
	}
	head.Next, head.Capacity = head.Next+1, capacity
	if raw, err = json.Marshal(head); err != nil {
		return "", err
	}
	return slot, tx.Put(ringBucket, []byte(name), raw)
}

func (t *Traces) vacate(tx Tx, slot string) error {
	old, err := t.records.ByUnique(tx, "slot", slot)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	// Delete without reading a second time: this is done for every login.
	if err := t.records.reindex(tx, old.Key, &old, nil); err != nil {
		return err
	}
	if err := tx.Delete(t.records.schema.Bucket, []byte(old.Key)); err != nil {
		return err
	}
	return tx.Delete(t.steps.schema.Bucket, []byte(old.Key))
}

// keep writes what was recorded of one login since the last time. It returns
// the outcome before ("" for a new one) and the trace as it is now.
func (t *Traces) keep(tx Tx, e *Trace) (before Outcome, rec Trace, err error) {
	rec, err = t.records.ByUnique(tx, "words", e.Words)
	switch {
	case errors.Is(err, ErrNotFound):
		rec = *e
		rec.Steps = slices.Clone(e.Steps) // what was recorded stays as it is: this may run again
		rec.trim()
		rec.Key = traceKey(e.StartedAt, e.Words)
		name := ringOpen
		if rec.Proven {
			name = ringProven
		}
		if rec.Slot, err = t.slot(tx, name); err != nil {
			return "", rec, err
		}
		steps := traceSteps{rec.Key, rec.Steps}
		rec.Steps = nil
		if err := t.records.Insert(tx, rec); err != nil {
			return "", rec, err
		}
		return "", rec, t.steps.write(tx, rec.Key, nil, &steps)
	case err != nil:
		return "", rec, err
	}
	old := rec
	if err := t.fill(tx, &rec); err != nil {
		return "", rec, err
	}
	was := rec.Proven
	rec.add(e)
	if rec.Proven && !was {
		if rec.Slot, err = t.slot(tx, ringProven); err != nil {
			return "", rec, err
		}
	}
	steps := traceSteps{rec.Key, rec.Steps}
	rec.Steps = nil
	if err := t.records.write(tx, rec.Key, &old, &rec); err != nil {
		return "", rec, err
	}
	return old.Outcome, rec, t.steps.write(tx, rec.Key, nil, &steps) // it has no indexes: as well over an old one
}

// fill reads the steps of a trace.
func (t *Traces) fill(tx Tx, rec *Trace) error {
	steps, err := t.steps.Get(tx, rec.Key)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	rec.Steps = slices.Clone(steps.Steps)
	return nil
}

// TraceFilter says which traces are wanted; zero fields do not narrow.
type TraceFilter struct {
	User, Connection, Client string
	Outcome                  Outcome
	Since, Until             time.Time
}

func (f TraceFilter) matches(t *Trace) bool {
	return (f.User == "" || t.UserID == f.User) && (f.Connection == "" || t.ConnectionID == f.Connection) &&
		(f.Client == "" || t.ClientID == f.Client) && (f.Outcome == "" || t.Outcome == f.Outcome) &&
		(f.Since.IsZero() || !t.StartedAt.Before(f.Since)) && (f.Until.IsZero() || !t.StartedAt.After(f.Until))
}

// source is the narrowest index for the filter.
func (t *Traces) source(f TraceFilter) func(Tx, Page) ([]Trace, string, error) {
	by := func(index, value string) func(Tx, Page) ([]Trace, string, error) {
		return func(tx Tx, p Page) ([]Trace, string, error) { return t.records.ByIndex(tx, index, value, p) }
	}
	switch {
	case f.User != "":
		return by("user", f.User)
	case f.Connection != "":
		return by("connection", f.Connection)
	case f.Outcome != "":
		return by("outcome", string(f.Outcome))
	}
	return t.records.List
}

// List returns a page of traces without their steps, newest first, and the cursor of the next page
// ("" at the end). A page may be short, or empty, and yet have a next one: only
// so many records are looked at for each.
func (t *Traces) List(tx Tx, f TraceFilter, page Page) (out []Trace, next string, err error) {
	read, limit := t.source(f), page.limit()
	at := page.Cursor
	if at == "" && !f.Until.IsZero() {
		at = cursorAt([]byte(traceTime(f.Until)))
	}
	for examined := 0; examined < traceMaxExamine; {
		recs, more, err := read(tx, Page{Cursor: at, Limit: min(limit-len(out)+20, 200)})
		if err != nil {
			return nil, "", err
		}
		for i := range recs {
			examined++
			at = cursorAt([]byte(recs[i].Key))
			if !f.Since.IsZero() && recs[i].StartedAt.Before(f.Since) {
				return out, "", nil
			}
			if !f.matches(&recs[i]) {
				continue
			}
			if out = append(out, recs[i]); len(out) == limit {
				if i == len(recs)-1 && more == "" {
					at = ""
				}
				return out, at, nil
			}
		}
		if more == "" {
			return out, "", nil
		}
	}
	return out, at, nil
}

// Find returns the trace with the words, or ErrNotFound.
func (t *Traces) Find(tx Tx, words string) (Trace, error) {
	rec, err := t.records.ByUnique(tx, "words", words)
	if err != nil {
		return rec, err
	}
	return rec, t.fill(tx, &rec)
}

// ByWords is List for the one trace with the words, if it fits the filter.
func (t *Traces) ByWords(tx Tx, f TraceFilter, words string) ([]Trace, string, error) {
	rec, err := t.Find(tx, CleanWords(words))
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, "", nil
	case err != nil || !f.matches(&rec):
		return nil, "", err
	}
	return []Trace{rec}, "", nil
}
