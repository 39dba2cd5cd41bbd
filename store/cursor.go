package store

import (
	"bytes"
	"encoding/base64"
	"fmt"
)

// MaxPage is the most records one page holds.
const MaxPage = 1000

// Page asks for up to Limit records (100 when not positive, at most MaxPage)
// after Cursor ("" from the start). Cursors are opaque and fit for URLs; they
// stay good while records come and go.
type Page struct {
	Cursor string
	Limit  int
}

func (p Page) limit() int {
	if p.Limit <= 0 {
		return 100
	}
	return min(p.Limit, MaxPage)
}

// position returns the key the cursor stands on, nil for the start.
func (p Page) position() ([]byte, error) {
	if p.Cursor == "" {
		return nil, nil
	}
	at, err := base64.RawURLEncoding.Strict().DecodeString(p.Cursor)
	// DecodeString skips line breaks: one position has one spelling.
	if err != nil || len(at) == 0 || len(at) > MaxKey || cursorAt(at) != p.Cursor {
		return nil, fmt.Errorf("%w: take it from the answer before", ErrCursor)
	}
	return at, nil
}

func cursorAt(key []byte) string { return base64.RawURLEncoding.EncodeToString(key) }

// scanKeys returns the keys of a page, without the prefix they share.
func scanKeys(tx Tx, bucket string, prefix []byte, page Page) (keys []string, next string, err error) {
	at, err := page.position()
	if err != nil {
		return nil, "", err
	}
	from := append(bytes.Clone(prefix), at...)
	if at != nil {
		from = append(from, 0) // strictly after the cursor
	}
	limit := page.limit()
	err = tx.Scan(bucket, from, prefixEnd(prefix), func(k, _ []byte) (bool, error) {
		if len(keys) == limit {
			next = cursorAt([]byte(keys[limit-1]))
			return false, nil
		}
		keys = append(keys, string(k[len(prefix):]))
		return true, nil
	})
	return keys, next, err
}

// prefixEnd is the first key after all that begin with prefix; nil when there
// is none.
func prefixEnd(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}
