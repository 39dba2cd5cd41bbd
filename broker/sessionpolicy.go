package broker

import (
	"errors"
	"time"

	"gatehouse/store"
)

// Connection.ConcurrentLogins beside "" (unlimited).
const (
	onePerApp = "one_per_app"
	oneLogin  = "one"
)

// boundSession cuts a new session to its connection's limits, inside the update
// that keeps it.
func (b *Broker) boundSession(tx store.Tx, s store.Session) (store.Session, error) {
	conn, err := b.store.Connections.Get(tx, s.ConnectionID)
	if err != nil {
		return s, err
	}
	if conn.MaxSessionSeconds > 0 {
		s.ExpiresAt = earlier(s.ExpiresAt, s.CreatedAt.Add(time.Duration(conn.MaxSessionSeconds)*time.Second))
	}
	if conn.IdleSessionSeconds > 0 {
		s.IdleExpiresAt = earlier(s.IdleExpiresAt, s.LastSeenAt.Add(time.Duration(conn.IdleSessionSeconds)*time.Second))
	}
	s.IdleExpiresAt = earlier(s.IdleExpiresAt, s.ExpiresAt)
	return s, nil
}

// touch extends the idle lifetime of a session that was used, within its
// connection's limit; false when that is not worth a write yet.
func (b *Broker) touch(tx store.Tx, s *store.Session) (bool, error) {
	conn, err := b.store.Connections.Get(tx, s.ConnectionID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	idle := time.Duration(conn.IdleSessionSeconds) * time.Second
	was, now := *s, b.now().UTC()
	touched := b.sessions.Touch(s)
	switch {
	case idle <= 0:
		return touched, nil
	case touched:
		s.IdleExpiresAt = earlier(s.IdleExpiresAt, now.Add(idle))
		return true, nil
	case idle > was.IdleExpiresAt.Sub(was.LastSeenAt) || now.Sub(was.LastSeenAt) < idle/60:
		return false, nil // the server's own limit is the shorter one, or it was touched just now
	}
	s.LastSeenAt, s.IdleExpiresAt = now, earlier(now.Add(idle), s.ExpiresAt)
	return true, nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// endOthers ends what a new grant replaces (Connection.ConcurrentLogins): the
// person's other grants for the same app, or all other sign-ins.
func (b *Broker) endOthers(tx store.Tx, conn store.Connection, g store.Grant) error {
	if conn.ConcurrentLogins != onePerApp && conn.ConcurrentLogins != oneLogin {
		return nil
	}
	const reason = "replaced by a new login"
	for other, err := range b.store.Grants.AllByIndex(tx, "user", g.UserID) {
		if err != nil {
			return err
		}
		same := other.ClientID == g.ClientID
		if conn.ConcurrentLogins == oneLogin {
			same = g.SessionKey == "" || other.SessionKey != g.SessionKey
		}
		if same && other.ID != g.ID && other.EndedAt.IsZero() {
			if err := b.endGrant(tx, other.ID, reason); err != nil {
				return err
			}
		}
	}
	if conn.ConcurrentLogins != oneLogin {
		return nil
	}
	for s, err := range b.store.Sessions.AllByIndex(tx, "user", g.UserID) {
		if err != nil {
			return err
		}
		if s.KeyHash != g.SessionKey && !s.Console {
			if err := b.provisioner.EndSession(tx, s.KeyHash); err != nil {
				return err
			}
		}
	}
	return nil
}
