package store

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"
)

// AuditFilter narrows a list of entries; the zero value is all of them. Texts
// are compared exactly.
type AuditFilter struct {
	Actor, Action, Target, OrganizationID string
	// Not before From, and before Until; zero is open.
	From, Until time.Time
}

// indexes are what a filter can be answered from, the one that finds the fewest
// entries first.
func (f AuditFilter) values() [][2]string {
	return [][2]string{{"target", f.Target}, {"actor", f.Actor}, {"organization", f.OrganizationID}, {"action", f.Action}}
}

func (f AuditFilter) fits(e AuditEntry) bool {
	return (f.Actor == "" || f.Actor == e.Actor.UserID) && (f.Action == "" || f.Action == e.Action) &&
		(f.Target == "" || f.Target == e.Target) && (f.OrganizationID == "" || f.OrganizationID == e.OrganizationID) &&
		(f.From.IsZero() || !e.At.Before(f.From)) && (f.Until.IsZero() || e.At.Before(f.Until))
}

// maxAuditLooked is how many entries one page may read to find those that fit;
// a page may so be shorter than asked, and still have a next.
const maxAuditLooked = 5000

// maxClockStep is how far the clock may have been set back between entries.
// They are in the order they were written, which is that of their times but for
// such a step.
const maxClockStep = 24 * time.Hour

// AuditPage returns a page of the entries that fit, newest first, and the
// cursor of the next page ("" at the end). Entries that come in meanwhile do not
// shift it.
func (s *Store) AuditPage(tx Tx, filter AuditFilter, page Page) ([]AuditEntry, string, error) {
	at, err := page.position()
	if err != nil {
		return nil, "", err
	}
	head, err := s.auditHead(tx)
	if err != nil {
		return nil, "", err
	}
	start, err := s.auditCheckpoint(tx)
	if err != nil {
		return nil, "", err
	}
	below := head.Seq + 1 // entries of this page have lower numbers
	if at != nil {
		if len(at) != 8 || binary.BigEndian.Uint64(at) == 0 || binary.BigEndian.Uint64(at) > head.Seq {
			return nil, "", fmt.Errorf("%w: take it from the answer before", ErrCursor)
		}
		below = binary.BigEndian.Uint64(at)
	}
	if !filter.Until.IsZero() {
		if below, err = auditBelow(tx, filter.Until.Add(maxClockStep), start.Seq+1, below); err != nil {
			return nil, "", err
		}
	}
	out, looked := []AuditEntry{}, 0
	next := ""
	err = auditBackwards(tx, filter, start.Seq, below, func(seq uint64) (bool, error) {
		if len(out) == page.limit() || looked == maxAuditLooked {
			next = base64.RawURLEncoding.EncodeToString(auditKey(seq + 1))
			return false, nil
		}
		looked++
		e, err := readAudit(tx, seq)
		if err != nil {
			return false, err
		}
		if !filter.From.IsZero() && e.At.Before(filter.From.Add(-maxClockStep)) {
			return false, nil
		}
		if filter.fits(e) {
			out = append(out, e)
		}
		return true, nil
	})
	return out, next, err
}

// AuditEntry returns one entry, or ErrNotFound.
func (s *Store) AuditEntry(tx Tx, seq uint64) (AuditEntry, error) {
	head, err := s.auditHead(tx)
	if err != nil {
		return AuditEntry{}, err
	}
	start, err := s.auditCheckpoint(tx)
	if err != nil {
		return AuditEntry{}, err
	}
	if seq <= start.Seq || seq > head.Seq {
		return AuditEntry{}, fmt.Errorf("%w: audit", ErrNotFound)
	}
	return readAudit(tx, seq)
}

// AuditForward returns up to limit entries after number seq that fit, oldest
// first, the number of the last entry that was looked at, and whether that was
// the newest. What was removed because its time is over is passed.
func (s *Store) AuditForward(tx Tx, filter AuditFilter, seq uint64, limit int) (out []AuditEntry, at uint64, end bool, err error) {
	head, err := s.auditHead(tx)
	if err != nil {
		return nil, 0, false, err
	}
	start, err := s.auditCheckpoint(tx)
	if err != nil {
		return nil, 0, false, err
	}
	for at = max(seq, start.Seq); at < head.Seq && len(out) < limit && at-seq < maxAuditLooked; at++ {
		e, err := readAudit(tx, at+1)
		if err != nil {
			return nil, 0, false, err
		}
		if filter.fits(e) {
			out = append(out, e)
		}
	}
	return out, at, at >= head.Seq, nil
}

// AuditLast is the number of the newest entry; 0 when there is none.
func (s *Store) AuditLast(tx Tx) (uint64, error) {
	head, err := s.auditHead(tx)
	return head.Seq, err
}

// AuditStart is the entry before the first that is kept: its number and hash
// begin an export. It is zero when none was removed.
func (s *Store) AuditStart(tx Tx) (AuditAnchor, error) { return s.auditCheckpoint(tx) }

// auditBackwards calls fn with the numbers of the entries below one and after
// another that a filter has to look at, newest first.
func auditBackwards(tx Tx, filter AuditFilter, after, below uint64, fn func(seq uint64) (bool, error)) error {
	for _, v := range filter.values() {
		if v[1] == "" {
			continue
		}
		prefix := auditIndexPrefix(v[1])
		from := append([]byte(prefix), auditKey(^(below - 1))...)
		return tx.Scan(auditBucket+"/"+v[0], from, prefixEnd([]byte(prefix)), func(k, _ []byte) (bool, error) {
			seq := ^binary.BigEndian.Uint64(k[len(k)-8:])
			if seq <= after {
				return false, nil
			}
			return fn(seq)
		})
	}
	for seq := below - 1; seq > after; seq-- {
		if more, err := fn(seq); err != nil || !more {
			return err
		}
	}
	return nil
}

// auditBelow finds the first entry from low on, and before high, that is not
// before a time: everything after it is newer, too.
func auditBelow(tx Tx, until time.Time, low, high uint64) (uint64, error) {
	for low < high {
		middle := low + (high-low)/2
		e, err := readAudit(tx, middle)
		if err != nil {
			return 0, err
		}
		if e.At.Before(until) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return high, nil
}
