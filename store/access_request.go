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

// Kinds of access request.
const (
	RequestJoin = ""    // a newcomer who wants in
	RequestApp  = "app" // a known person who wants an app that requires assignment
)

// AccessRequest is a newcomer waiting for an admin's decision, bound to a
// snapshot of the verified identity (SECURITY-CASES G7).
type AccessRequest struct {
	Meta
	ID             string             `json:"id"`
	Kind           string             `json:"kind,omitempty"`
	OrganizationID string             `json:"organization"`
	ConnectionID   string             `json:"connection"`
	Issuer         string             `json:"issuer"`
	Subject        string             `json:"subject"`
	ClientID       string             `json:"client"` // the app the person came for
	Snapshot       profile.Attributes `json:"snapshot"`
	EmailVerified  bool               `json:"email_verified,omitempty"`
	// SnapshotHash covers connection, issuer, subject and snapshot (G7).
	SnapshotHash string `json:"snapshot_hash,omitempty"`
	// ChangedAt is when the provider last said something else than before, while
	// the request waited: then an approval has to name the hash it was made on.
	ChangedAt time.Time `json:"changed_at,omitzero"`
	State     string    `json:"state"`
	// UserID is the user made on approval; of RequestApp the one who asks.
	UserID string `json:"user,omitempty"`
	// Language of the person, for mails.
	Language string `json:"language,omitempty"`
	// Typed is what the person wrote themselves: nobody vouches for it.
	Typed string `json:"typed,omitempty"`
	// Messages are questions of approvers and answers of the person.
	Messages  []RequestMessage `json:"messages,omitempty"`
	DecidedBy string           `json:"decided_by,omitempty"` // user id, or "rule:<name>"
	DecidedAt time.Time        `json:"decided_at,omitzero"`
	// What was granted on approval.
	Role    string   `json:"role,omitempty"`
	Groups  []string `json:"groups,omitempty"`
	Clients []string `json:"clients,omitempty"`
	Reason  string   `json:"reason,omitempty"` // shown to a refused person
	// ExpiresAt ends the waiting; KeepUntil is when a decided one is forgotten.
	ExpiresAt time.Time `json:"expires_at"`
	KeepUntil time.Time `json:"keep_until,omitzero"`
}

// RequestMessage is one sentence between approver and person.
type RequestMessage struct {
	By   string    `json:"by"` // user id of the approver; empty: the person
	Text string    `json:"text"`
	At   time.Time `json:"at"`
}

// DecisionLink is the mailed way to one decision. Key: HashToken. It opens the
// page of one request for one approver, who signs in first; it decides nothing.
type DecisionLink struct {
	Hash      string    `json:"hash"`
	RequestID string    `json:"request"`
	UserID    string    `json:"user"`
	UsedAt    time.Time `json:"used_at,omitzero"`
	ExpiresAt time.Time `json:"expires_at"`
}
