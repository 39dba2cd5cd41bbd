package store

import "time"

// Password is a local credential of a console account. Key: user id; unique by
// Login, the canonical address typed at the console's sign-in page.
type Password struct {
	UserID    string    `json:"user"`
	Login     string    `json:"login"`
	Hash      string    `json:"hash"` // argon2id, PHC string
	ChangedAt time.Time `json:"changed_at"`
	// Throttle state (never locks for good).
	Failures    int       `json:"failures,omitempty"`
	LastFailure time.Time `json:"last_failure,omitzero"`
}

// APIToken authenticates the command line and scripts. Key: HashToken.
type APIToken struct {
	Hash   string `json:"hash"`
	Name   string `json:"name"`
	UserID string `json:"user"` // acts with this user's role
	// Scopes narrow what it may do; empty: whatever the user may.
	Scopes []string `json:"scopes,omitempty"`
	// OrganizationID narrows it to the user's role there: made by somebody who
	// had signed in to the console through their company.
	OrganizationID string    `json:"organization,omitempty"`
	CreatedAt      time.Time `json:"created_at"`
	ExpiresAt      time.Time `json:"expires_at"`
}

// SetupLink is the one-time link printed at first start. Key: HashToken.
type SetupLink struct {
	Hash      string    `json:"hash"`
	ExpiresAt time.Time `json:"expires_at"`
}
