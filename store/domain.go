package store

import "time"

// DomainState is how far an organization's claim to a domain has come.
type DomainState string

// Domain states: only verified and asserted domains route and admit.
const (
	DomainPending  DomainState = "pending"
	DomainVerified DomainState = "verified" // DNS TXT record seen
	DomainAsserted DomainState = "asserted" // by the operator
	// DomainLapsed: the record was proven and has been missing for too long.
	DomainLapsed DomainState = "lapsed"
)

// Domain is an e-mail domain of an organization, in canonical A-label form
// without wildcard; it covers itself and, for routing rules that say so, its
// sub-domains. Key: Name and OrganizationID (see DomainKey).
type Domain struct {
	Meta
	Name           string      `json:"name"`
	OrganizationID string      `json:"organization"`
	State          DomainState `json:"state"`
	Challenge      string      `json:"challenge,omitempty"` // TXT value that proves it
	// VerifiedAt is when the record was seen last, CheckedAt when it was looked
	// for last, MissingSince since when it is gone (zero: it is there).
	VerifiedAt   time.Time `json:"verified_at,omitzero"`
	CheckedAt    time.Time `json:"checked_at,omitzero"`
	MissingSince time.Time `json:"missing_since,omitzero"`
	// CheckError is why the last check proved nothing, in words.
	CheckError string `json:"check_error,omitempty"`

	// Join is this domain's own policy; empty takes the connection's or the
	// organization's.
	Join JoinPolicy `json:"join,omitempty"`
	// Approvers are the user ids told of its requests; empty takes the organization's.
	Approvers []string `json:"approvers,omitempty"`
}

// Owned reports whether the claim is proven.
func (d Domain) Owned() bool { return d.State == DomainVerified || d.State == DomainAsserted }

// DomainKey is the key of the claim of organization on name.
func DomainKey(name, organization string) string { return joinKey(name, organization) }
