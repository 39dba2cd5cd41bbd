package store

import "time"

// LoginCount counts the logins of one hour, organization and connection by
// outcome, for the console's overview. It is written with the traces, in their
// batches. Key: LoginCountKey.
type LoginCount struct {
	Hour           time.Time        `json:"hour"` // UTC, whole
	OrganizationID string           `json:"organization,omitempty"`
	ConnectionID   string           `json:"connection,omitempty"`
	Outcomes       map[string]int64 `json:"outcomes"`
	ExpiresAt      time.Time        `json:"expires_at"`
}

// LoginCountKey orders counts by hour.
func LoginCountKey(hour time.Time, organization, connection string) string {
	return hour.UTC().Format("2006-01-02T15") + joinKey(organization, connection)
}
