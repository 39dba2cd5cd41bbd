package store

import (
	"crypto/rand"
	"time"
)

// Meta is embedded in records that people edit. Revision counts up with every
// Put and is what If-Match and compare-and-swap compare.
type Meta struct {
	Revision  int64     `json:"revision"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// NewID returns 26 characters of random base32 (130 bits), fit for keys, URLs
// and subjects. It panics, and so ends the process, when the system's random
// source fails (crypto/rand does).
func NewID() string { return rand.Text() }
