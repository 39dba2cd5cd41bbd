package store

import (
	"time"

	"gatehouse/profile"
)

// User states.
const (
	UserActive   = "active"
	UserDisabled = "disabled"
)

// Roles, within an organization (Membership) or over the platform (User).
const (
	RoleOwner = "owner"
	RoleAdmin = "admin"
	RoleUser  = "user"
)

// User is a person as the platform knows them. ID is the `sub` of our tokens:
// random, never changed, never reused.
type User struct {
	Meta
	ID     string `json:"id"`
	Status string `json:"status"`
	// PlatformRole is RoleOwner or RoleAdmin for people who run the platform.
	PlatformRole string             `json:"platform_role,omitempty"`
	Attributes   profile.Attributes `json:"attributes"`
	// EmailVerified: the address in Attributes was vouched for by the
	// connection that owns its domain.
	EmailVerified bool `json:"email_verified,omitempty"`
	// Source is the IdentityKey whose attributes these are; empty: nobody's
	// (local account, invitation).
	Source      []byte    `json:"source,omitempty"`
	Language    string    `json:"language,omitempty"`
	CreatedBy   string    `json:"created_by,omitempty"` // user id, "system" or "rule:<name>"
	LastLoginAt time.Time `json:"last_login_at,omitzero"`
}

// Identity is proof of a user at one connection. Its key is the length-prefixed
// tuple (connection, issuer, subject): nothing else ever finds a person.
type Identity struct {
	Meta
	ConnectionID  string             `json:"connection"`
	Issuer        string             `json:"issuer"`
	Subject       string             `json:"subject"`
	UserID        string             `json:"user"`
	Attributes    profile.Attributes `json:"attributes"`
	EmailVerified bool               `json:"email_verified,omitempty"`
	LastLoginAt   time.Time          `json:"last_login_at,omitzero"`
	// LinkedBy says how it came to the user: empty (made with the user), or
	// "self" or an admin's user id. LinkedAt is when.
	LinkedBy string    `json:"linked_by,omitempty"`
	LinkedAt time.Time `json:"linked_at,omitzero"`
}

// IdentityKey is the key of the tuple (connection, issuer, subject).
func IdentityKey(connection, issuer, subject string) string {
	return joinKey(connection, issuer, subject)
}

// Membership ties a user to an organization. Key: MembershipKey.
type Membership struct {
	Meta
	OrganizationID string   `json:"organization"`
	UserID         string   `json:"user"`
	Role           string   `json:"role"`
	Groups         []string `json:"groups,omitempty"`
	// Clients are the assigned apps, for clients with RequireAssignment.
	Clients []string `json:"clients,omitempty"`
	// ConnectionID is through which the membership was made; unlinking its
	// last identity ends it.
	ConnectionID string `json:"connection,omitempty"`
	// Terms are what a search within the organization finds it by.
	Terms []string `json:"terms,omitempty"`
}

// MembershipKey is the key of a membership.
func MembershipKey(organization, user string) string { return joinKey(organization, user) }

// Consent records what a user allowed a third-party client. Key: ConsentKey.
type Consent struct {
	UserID   string    `json:"user"`
	ClientID string    `json:"client"`
	Scopes   []string  `json:"scopes"`
	At       time.Time `json:"at"`
}

// ConsentKey is the key of a consent.
func ConsentKey(user, client string) string { return joinKey(user, client) }

// ConsentsOf is what the keys of a user's consents begin with, for AllUnder.
func ConsentsOf(user string) string { return joinKey(user) }
