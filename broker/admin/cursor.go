package admin

import (
	"encoding/base64"

	"gatehouse/store"
)

// maxCursor bounds what is decoded, in characters.
const maxCursor = 2048

// cursors makes list positions opaque: sealed, and bound to the list and its
// filter, so that nobody can read or forge a key (B5).
type cursors struct{ sealer *store.Sealer }

func newCursors(k *store.Keyring) cursors { return cursors{k.Sealer("admin/cursor")} }

func (c cursors) encode(list, key string) string {
	if key == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(c.sealer.Seal([]byte(key), []byte(list)))
}

func (c cursors) decode(list, cursor string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	if len(cursor) > maxCursor {
		return "", errCursor
	}
	box, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || base64.RawURLEncoding.EncodeToString(box) != cursor { // the decoder skips line breaks
		return "", errCursor
	}
	key, _, err := c.sealer.Open(box, []byte(list))
	if err != nil || len(key) == 0 {
		return "", errCursor
	}
	return string(key), nil
}
