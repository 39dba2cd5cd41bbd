package store

import "time"

// Passkey is a WebAuthn credential of a local account. Key: the credential id,
// base64url.
type Passkey struct {
	ID     string `json:"id"`
	UserID string `json:"user"`
	Name   string `json:"name"`
	// RPID is the host it was made for: that of the issuer or of the console.
	// Browsers offer it nowhere else (WebAuthn §5.1.2).
	RPID string `json:"rp_id"`
	// Credential is what the WebAuthn library keeps (public key, flags,
	// counter), as its JSON.
	Credential []byte    `json:"credential"`
	CreatedAt  time.Time `json:"created_at"`
	LastUsedAt time.Time `json:"last_used_at,omitzero"`
}

// SecondFactor is a user's TOTP seed with recovery codes. Key: user id.
type SecondFactor struct {
	UserID string `json:"user"`
	Seed   Sealed `json:"seed,omitzero"`
	// ConfirmedAt is when the first code was right; zero: not in force yet.
	ConfirmedAt time.Time `json:"confirmed_at,omitzero"`
	// LastStep is the time-step of the last code taken: each counts once (Y5).
	LastStep int64 `json:"last_step,omitempty"`
	// Recovery are HashToken of the codes that are left.
	Recovery    []string  `json:"recovery,omitempty"`
	Failures    int       `json:"failures,omitempty"`
	LastFailure time.Time `json:"last_failure,omitzero"`
}

// Kinds of AccountLink.
const (
	LinkResetPassword = "reset_password"
	LinkProveEmail    = "prove_email"
)

// AccountLink is a mailed, single-use link for a local account. Key: HashToken.
type AccountLink struct {
	Hash      string    `json:"hash"`
	Kind      string    `json:"kind"`
	UserID    string    `json:"user"`
	Email     string    `json:"email,omitempty"`
	ExpiresAt time.Time `json:"expires_at"`
}
