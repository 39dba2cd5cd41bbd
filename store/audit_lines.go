package store

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// auditBegin is the first line of an export whose chain does not begin with
// entry 1, because older entries were removed when their time was over.
type auditBegin struct {
	After *AuditAnchor `json:"after"`
}

// maxAuditLine bounds one entry of a file, in bytes.
const maxAuditLine = 4 << 20

// WriteAuditBegin writes the first line of an export that begins after an entry;
// nothing when it begins at the first.
func WriteAuditBegin(w io.Writer, after AuditAnchor) error {
	if after.Seq == 0 {
		return nil
	}
	return writeLine(w, auditBegin{&after})
}

// WriteAuditLine writes one entry of an export.
func WriteAuditLine(w io.Writer, e AuditEntry) error { return writeLine(w, e) }

func writeLine(w io.Writer, v any) error {
	raw, err := json.Marshal(v) // the bytes that are stored: an encoder would do the same, with one more copy
	if err != nil {
		return err
	}
	_, err = w.Write(append(raw, '\n'))
	return err
}

// VerifyAuditLines checks an export of the whole audit, JSON lines from oldest
// to newest, as VerifyAudit checks a store. What a file cannot show is that its
// last entries were cut off, or that it was made anew from the start: an anchor
// that was noted down elsewhere shows both.
func VerifyAuditLines(r io.Reader, anchors ...AuditAnchor) (report AuditReport, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxAuditLine)
	var walk *chainWalk
	for lines.Scan() {
		raw := lines.Bytes()
		if walk == nil {
			var begin auditBegin
			if json.Unmarshal(raw, &begin) == nil && begin.After != nil && bytes.HasPrefix(raw, []byte(`{"after":`)) {
				if walk, err = linesAfter(*begin.After, anchors); err != nil {
					return report, err
				}
				continue
			}
			walk = newChainWalk(AuditAnchor{}, anchors)
		}
		e, err := walk.step(raw)
		if err != nil {
			return report, err
		}
		if report.First == 0 {
			report.First = e.Seq
		}
		report.Entries++
		report.Head = e.Anchor()
	}
	if err := lines.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) && walk != nil {
			return report, auditFault(walk.next, "is unreadable")
		}
		return report, fmt.Errorf("read the audit: %w", err)
	}
	if walk == nil {
		walk = newChainWalk(AuditAnchor{}, anchors)
	}
	return report, walk.end()
}

func linesAfter(after AuditAnchor, anchors []AuditAnchor) (*chainWalk, error) {
	walk := newChainWalk(after, anchors)
	for seq, hash := range walk.anchors {
		if seq == after.Seq && !bytes.Equal(hash, after.Hash) {
			return nil, auditFault(seq, "is not the one that was noted down")
		}
		if seq <= after.Seq {
			delete(walk.anchors, seq)
		}
	}
	return walk, nil
}
