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
	Console  bool      `json:"console,omitempty"`
	AuthTime time.Time `json:"auth_time"`
	// FactorAt is when a second factor was proven last in this session; zero: never.
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
