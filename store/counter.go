package store

import (
	"errors"
	"time"
)

// loginCountsKept is how long counts of logins are kept.
const loginCountsKept = 90 * 24 * time.Hour

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

// loginHour is how keys begin: counts lie in the order of their hours.
func loginHour(at time.Time) string { return at.UTC().Format("2006-01-02T15") }

// LoginCountKey orders counts by hour.
func LoginCountKey(hour time.Time, organization, connection string) string {
	return loginHour(hour) + joinKey(organization, connection)
}

// LoginCountsSince returns the counts from the hour of since on, at most limit
// of them, in the order of their hours.
func (s *Store) LoginCountsSince(tx Tx, since time.Time, limit int) (out []LoginCount, err error) {
	page := Page{Cursor: cursorAt([]byte(loginHour(since))), Limit: MaxPage} // no key is that short: nothing is skipped
	for {
		found, next, err := s.LoginCounts.List(tx, page)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
		if next == "" || len(out) >= limit {
			return out[:min(len(out), limit)], nil
		}
		page.Cursor = next
	}
}

// ended is a login that came to an outcome.
type ended struct {
	connection string
	outcome    Outcome
}

// countLogins adds what a batch of traces ended with to the counts of the hour.
// What strangers claim makes no record of its own: a connection that does not
// exist is none.
func (s *Store) countLogins(tx Tx, logins []ended) error {
	counts, now := map[string]*LoginCount{}, s.now().UTC()
	for _, l := range logins {
		conn, err := s.Connections.Get(tx, l.connection)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		key := LoginCountKey(now, conn.OrganizationID, conn.ID)
		c := counts[key]
		if c == nil {
			have, err := s.LoginCounts.Get(tx, key)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
			if err != nil {
				have = LoginCount{
					Hour: now.Truncate(time.Hour), OrganizationID: conn.OrganizationID, ConnectionID: conn.ID,
					Outcomes: map[string]int64{}, ExpiresAt: now.Truncate(time.Hour).Add(loginCountsKept),
				}
			}
			c = &have
			counts[key] = c
		}
		c.Outcomes[string(l.outcome)]++
	}
	for _, c := range counts {
		if err := s.LoginCounts.Upsert(tx, *c); err != nil {
			return err
		}
	}
	return nil
}
