package store

import (
	"encoding/binary"
	"strings"
)

// joinKey makes one key of several parts, each preceded by its length, so that
// ("a", "b:c") and ("a:b", "c") never meet (SECURITY-CASES N4).
func joinKey(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		var n [binary.MaxVarintLen64]byte
		b.Write(n[:binary.PutUvarint(n[:], uint64(len(p)))])
		b.WriteString(p)
	}
	return b.String()
}
