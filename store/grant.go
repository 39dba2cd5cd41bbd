package store

import "time"

// Grant is what one user gave one client on one device: the family of codes,
// access and refresh tokens. Ending it ends all of them.
type Grant struct {
	ID             string    `json:"id"`
	UserID         string    `json:"user"`
	ClientID       string    `json:"client"`
	ConnectionID   string    `json:"connection"`
	OrganizationID string    `json:"organization,omitempty"`
	SessionKey     string    `json:"session,omitempty"` // Session.KeyHash
	SID            string    `json:"sid,omitempty"`
	Scopes         []string  `json:"scopes"`
	Audience       []string  `json:"audience,omitempty"`
	Nonce          string    `json:"nonce,omitempty"`
	AuthTime       time.Time `json:"auth_time"`
	RequestedAt    time.Time `json:"requested_at"`
	ACR            string    `json:"acr,omitempty"`
	AMR            []string  `json:"amr,omitempty"`
	// UserinfoClaims and IDTokenClaims were asked by name (claims parameter).
	UserinfoClaims []string  `json:"userinfo_claims,omitempty"`
	IDTokenClaims  []string  `json:"id_token_claims,omitempty"`
	CreatedAt      time.Time `json:"created_at"`
	// ExpiresAt is absolute: no token of the grant outlives it.
	ExpiresAt time.Time `json:"expires_at"`
	// KeepUntil is when the record may be swept: the last moment reuse must be seen.
	KeepUntil time.Time `json:"keep_until"`
	// Offline grants have refresh tokens. The tokens themselves are not kept:
	// each carries the grant's id, its generation and a MAC over both and Salt
	// under a key derived from the master key. Generation counts the rotations,
	// so a token of an earlier one is seen as reuse without a row for each.
	Offline          bool      `json:"offline,omitempty"`
	Salt             string    `json:"salt,omitempty"`
	Generation       int64     `json:"generation,omitempty"` // of the current refresh token; 0: none issued yet
	RotatedAt        time.Time `json:"rotated_at,omitzero"`
	RefreshExpiresAt time.Time `json:"refresh_expires_at,omitzero"` // idle lifetime
	EndedAt          time.Time `json:"ended_at,omitzero"`
	EndReason        string    `json:"end_reason,omitempty"`
	// Trace is the words of the login that made the grant.
	Trace string `json:"trace,omitempty"`
}

// Live reports whether tokens of the grant still count.
func (g Grant) Live(now time.Time) bool { return g.EndedAt.IsZero() && now.Before(g.ExpiresAt) }

// Code is an authorization code. Key: HashToken of the code.
type Code struct {
	Hash        string    `json:"hash"`
	GrantID     string    `json:"grant"`
	ClientID    string    `json:"client"`
	RedirectURI string    `json:"redirect_uri"`
	Challenge   string    `json:"challenge,omitempty"` // PKCE, S256
	ExpiresAt   time.Time `json:"expires_at"`
	UsedAt      time.Time `json:"used_at,omitzero"` // used ones stay: reuse must be seen
	KeepUntil   time.Time `json:"keep_until"`
}

// UpstreamToken is what refresh login keeps of the provider for one sign-in.
// GrantID is the key of the browser session it came with, whose grants all ask
// with the same token, or a grant's own id.
type UpstreamToken struct {
	GrantID      string `json:"grant"`
	ConnectionID string `json:"connection"`
	Refresh      Sealed `json:"refresh,omitzero"`
	// CheckedAt is when the provider last said yes.
	CheckedAt time.Time `json:"checked_at"`
	ExpiresAt time.Time `json:"expires_at"` // with its grant
}

// AccessToken is kept for opaque tokens, and for JWTs revoked one by one.
// Key: HashToken of the opaque token, or the JWT's jti.
type AccessToken struct {
	Key       string    `json:"key"`
	GrantID   string    `json:"grant,omitempty"` // empty: client credentials
	ClientID  string    `json:"client"`
	Scopes    []string  `json:"scopes,omitempty"`
	Audience  []string  `json:"audience,omitempty"`
	IssuedAt  time.Time `json:"issued_at"`
	ExpiresAt time.Time `json:"expires_at"`
	RevokedAt time.Time `json:"revoked_at,omitzero"`
}

// SigningKey is one of our keys. Times decide its state: published from
// creation, signs from ActiveAt until RetiredAt, published until RemoveAt.
type SigningKey struct {
	ID        string    `json:"id"` // kid
	Algorithm string    `json:"algorithm"`
	Private   Sealed    `json:"private"` // PKCS #8 DER
	Public    []byte    `json:"public"`  // PKIX DER
	CreatedAt time.Time `json:"created_at"`
	ActiveAt  time.Time `json:"active_at"`
	RetiredAt time.Time `json:"retired_at,omitzero"`
	RemoveAt  time.Time `json:"remove_at,omitzero"`
}
