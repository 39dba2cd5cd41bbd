package store

import "time"

// States of an invitation.
const (
	InvitationOpen     = "open"
	InvitationAccepted = "accepted"
	InvitationRevoked  = "revoked"
	// InvitationExpired: it was over when the address was invited anew. One that
	// nobody touched stays open after its time; ExpiresAt says so.
	InvitationExpired = "expired"
)

// Invitation is an admin's promise to admit one address to one organization.
// The mailed link is opaque and single use; Hash is all we keep of it.
type Invitation struct {
	Meta
	ID             string `json:"id"`
	OrganizationID string `json:"organization"`
	// Email is the canonical address (profile.Email.Key) that has to be proven.
	Email     string   `json:"email"`
	Name      string   `json:"name,omitempty"` // as typed by the admin
	Role      string   `json:"role"`
	Groups    []string `json:"groups,omitempty"`
	Clients   []string `json:"clients,omitempty"`
	Language  string   `json:"language,omitempty"`
	InvitedBy string   `json:"invited_by"`
	State     string   `json:"state"`
	// Hash is HashToken of the link's token; a resend replaces it.
	Hash       string    `json:"hash"`
	Sends      int       `json:"sends"`
	SentAt     time.Time `json:"sent_at,omitzero"`
	ExpiresAt  time.Time `json:"expires_at"`
	AcceptedBy string    `json:"accepted_by,omitempty"` // user id
	AcceptedAt time.Time `json:"accepted_at,omitzero"`
	KeepUntil  time.Time `json:"keep_until"` // then it is swept
}

// InvitationTo is the value of Invitations' index "open_to": one open
// invitation per organization and address.
func InvitationTo(organization, email string) string { return joinKey(organization, email) }

// InvitationSent is the value of Invitations' index "sent": what an
// organization sent on one day (UTC).
func InvitationSent(organization string, at time.Time) string {
	return joinKey(organization, at.UTC().Format(time.DateOnly))
}
