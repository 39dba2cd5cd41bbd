package store

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/binary"
	"errors"
	"strings"
)

// traceWords are short, clear, inoffensive English words, one per line, sorted.
// Part of them is of the BIP-39 list (MIT), chosen there to be told apart.
//
//go:embed trace_words.txt
var traceWords string

// wordList cuts the list. 2,048 words or more: three of them are 33 bits.
func wordList() []string { return strings.Fields(traceWords) }

// NewWords makes the correlation id of a login, as amber-river-otter: new among
// the traces that are kept.
func (t *Traces) NewWords(ctx context.Context) string {
	for range 4 {
		words := t.randomWords()
		err := t.store.View(ctx, func(tx Tx) error {
			taken, err := tx.Get("traces/words", []byte(words)) // the unique index
			if err == nil && taken != nil {
				return ErrExists
			}
			return err
		})
		if !errors.Is(err, ErrExists) {
			return words // also when nothing can be read: the login has other worries
		}
	}
	return t.randomWords()
}

func (t *Traces) randomWords() string {
	var b [24]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	parts := make([]string, 3)
	for i := range parts {
		// 64 bits modulo some thousand: the bias is nothing.
		parts[i] = t.words[binary.BigEndian.Uint64(b[8*i:])%uint64(len(t.words))]
	}
	return strings.Join(parts, "-")
}

// CleanWords reads words as people type them: any case, spaces for hyphens. It
// returns "" for what cannot be an id.
func CleanWords(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return r == '-' || r == ' ' || r == '\t' || r == '.' || r == '_' }), "-")
	if len(s) > 64 || strings.Count(s, "-") != 2 || strings.ContainsFunc(s, func(r rune) bool { return r != '-' && (r < 'a' || r > 'z') }) {
		return ""
	}
	return s
}
