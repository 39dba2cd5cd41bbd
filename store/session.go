package store

import "time"

// Session is a browser signed in at Gatehouse. Key: HashToken of the cookie's id.
type Session struct {
	KeyHash        string `json:"key"`
	SID            string `json:"sid"` // public name, the `sid` claim
	UserID         string `json:"user"`
	ConnectionID   string `json:"connection,omitempty"` // empty: local console account
	OrganizationID string `json:"organization,omitempty"`
	// Console marks a session of the admin console; it never issues tokens.
	Console bool `json:"console,omitempty"`
	// Parent is the sid of the session of the public listener that a console
	// session came from and ends with; empty: signed in with a console account.
	Parent   string    `json:"parent,omitempty"`
	AuthTime time.Time `json:"auth_time"`
	// FactorAt is when the person last proved everything their account has: the
	// second factor, or the password of who has none. Dangerous changes need a
	// fresh one; zero: never.
	FactorAt      time.Time `json:"factor_at,omitzero"`
	ACR           string    `json:"acr,omitempty"`
	AMR           []string  `json:"amr,omitempty"`
	CreatedAt     time.Time `json:"created_at"`
	LastSeenAt    time.Time `json:"last_seen_at"`
	IdleExpiresAt time.Time `json:"idle_expires_at"`
	ExpiresAt     time.Time `json:"expires_at"` // absolute
	// Clients that got a grant from this session, for logout.
	Clients []string `json:"clients,omitempty"`
}

// Valid is the one reader of session lifetimes (SECURITY-CASES L5).
func (s Session) Valid(now time.Time) bool {
	return s.UserID != "" && now.Before(s.IdleExpiresAt) && now.Before(s.ExpiresAt)
}

// UsedLogin marks a sealed login cookie as finished: single use. Key: its transaction id.
type UsedLogin struct {
	ID        string    `json:"id"`
	ExpiresAt time.Time `json:"expires_at"`
}
