package store

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// ByPrefix returns a page of the records that have a value beginning with
// prefix in an index declared with Prefix, in the order of those values, and the
// cursor of the next page ("" at the end). A record with several such values
// comes once, at the first of them, on whichever page that is.
func (c *Collection[T]) ByPrefix(tx Tx, index, prefix string, page Page) ([]T, string, error) {
	ix, err := c.index(index, false)
	if err != nil {
		return nil, "", err
	}
	if !ix.Prefix || strings.Contains(prefix, "\x00") {
		return nil, "", fmt.Errorf("store: %s cannot be asked by the start of %q", c.schema.Bucket, index)
	}
	at, err := page.position()
	if err != nil {
		return nil, "", err
	}
	// The cursor is the last entry looked at, without the prefix all share.
	start := []byte(prefix)
	from := append(bytes.Clone(start), at...)
	if at != nil {
		from = append(from, 0)
	}
	var out []T
	var last []byte
	limit, next := page.limit(), ""
	err = tx.Scan(ix.bucket, from, prefixEnd(start), func(k, _ []byte) (bool, error) {
		if len(out) == limit {
			next = cursorAt(last)
			return false, nil
		}
		value, key, ok := bytes.Cut(k, []byte{0})
		if !ok {
			return false, fmt.Errorf("%w: %s has an odd entry in its index %s", ErrDamaged, c.schema.Bucket, ix.Name)
		}
		rec, err := c.peekIndexed(tx, ix, string(value), string(key))
		if err != nil {
			return false, err
		}
		last = append(last[:0], k[len(start):]...)
		if first(ix.Values(rec), prefix) == string(value) {
			out = append(out, c.Copy(rec))
		}
		return true, nil
	})
	return out, next, err
}

// first is the smallest of the values that begin with prefix.
func first(values []string, prefix string) string {
	least := ""
	for _, v := range values {
		if strings.HasPrefix(v, prefix) && (least == "" || v < least) {
			least = v
		}
	}
	return least
}

// AllUnder ranges over the records whose key begins with prefix, which is a
// whole part of a key of several: see ConsentsOf.
func (c *Collection[T]) AllUnder(tx Tx, prefix string) iter.Seq2[T, error] {
	return batches(func(p Page) (out []T, next string, err error) {
		keys, next, err := scanKeys(tx, c.schema.Bucket, []byte(prefix), p)
		for _, k := range keys {
			rec, err := c.Get(tx, prefix+k)
			if errors.Is(err, ErrNotFound) { // the loop deleted it
				continue
			}
			if err != nil {
				return nil, "", err
			}
			out = append(out, rec)
		}
		return out, next, err
	})
}

// rebuild writes the entries of an index that records were written without: for
// migrations.
func (c *Collection[T]) rebuild(tx Tx, index string) error {
	at := slices.IndexFunc(c.schema.Indexes, func(ix Index[T]) bool { return ix.Name == index })
	if at < 0 {
		return fmt.Errorf("store: %s has no index %q", c.schema.Bucket, index)
	}
	ix := &c.schema.Indexes[at]
	for rec, err := range c.All(tx) {
		if err != nil {
			return err
		}
		key := c.schema.Key(&rec)
		for _, v := range ix.Values(&rec) {
			if err := tx.Put(ix.bucket, ix.entry(v, key), ix.value(key)); err != nil {
				return err
			}
		}
	}
	return nil
}
