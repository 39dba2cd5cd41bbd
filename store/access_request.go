package store

import (
	"time"

	"gatehouse/profile"
)

// States of an access request. It leaves pending exactly once.
const (
	RequestPending  = "pending"
	RequestApproved = "approved"
	RequestRefused  = "refused"
	RequestExpired  = "expired"
)

// AccessRequest is a newcomer waiting for an admin's decision, bound to a
// snapshot of the verified identity (SECURITY-CASES G7).
type AccessRequest struct {
	Meta
	ID             string             `json:"id"`
	OrganizationID string             `json:"organization"`
	ConnectionID   string             `json:"connection"`
	Issuer         string             `json:"issuer"`
	Subject        string             `json:"subject"`
	ClientID       string             `json:"client"` // the app the person came for
	Snapshot       profile.Attributes `json:"snapshot"`
	EmailVerified  bool               `json:"email_verified,omitempty"`
	State          string             `json:"state"`
	UserID         string             `json:"user,omitempty"` // created on approval
	DecidedBy      string             `json:"decided_by,omitempty"`
	DecidedAt      time.Time          `json:"decided_at,omitzero"`
	Reason         string             `json:"reason,omitempty"` // shown to a refused person
	ExpiresAt      time.Time          `json:"expires_at"`
}
