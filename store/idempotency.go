package store

import "time"

// IdempotentAnswer is what the first request with an Idempotency-Key was
// answered; the same request gets it again. Key: hash of caller and key.
type IdempotentAnswer struct {
	Key         string    `json:"key"`
	Caller      string    `json:"caller"`  // user id
	RequestHash string    `json:"request"` // method, path and body
	Status      int       `json:"status"`
	ETag        string    `json:"etag,omitempty"`
	Body        Sealed    `json:"body,omitzero"` // may hold a secret shown once
	ExpiresAt   time.Time `json:"expires_at"`
}
