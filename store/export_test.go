package store

import (
	"context"
	"encoding/json"
)

// Migration is migration for tests.
type Migration struct {
	Name string
	Run  func(context.Context, *Store, Tx) error
}

// OpenWith is Open with other migrations.
func OpenWith(ctx context.Context, e Engine, cfg Config, steps ...Migration) (*Store, error) {
	var all []migration
	for _, m := range steps {
		all = append(all, migration{name: m.Name, run: m.Run})
	}
	return open(ctx, e, cfg, all)
}

// Restamp is what an attacker who has the record MAC key would write.
func (s *Store) Restamp(bucket, key string, raw []byte) []byte {
	body := append([]byte("{"), raw[stampSize:]...)
	return s.stamp.put(bucket, key, body)
}

// Fields of a stored record, to alter them.
func Fields(raw []byte) (map[string]json.RawMessage, error) {
	var m map[string]json.RawMessage
	return m, json.Unmarshal(raw, &m)
}

// JoinKey is joinKey for tests.
func JoinKey(parts ...string) string { return joinKey(parts...) }

// Complete and CheckAudit are their lower-case selves.
func Complete(e *AuditEntry) error { _, err := e.complete(); return err }

func CheckAudit(raw []byte, seq uint64) error { _, err := checkAudit(raw, seq); return err }
