package demo

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
)

// decode makes a JWT readable: {"header": …, "claims": …}, indented, the numbers
// as they came. ok is false for anything else, as an opaque token.
func decode(jwt string) (string, bool) {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return "", false
	}
	header, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil {
		return "", false
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || !json.Valid(header) || !json.Valid(claims) {
		return "", false
	}
	return indent([]byte(`{"header":` + string(header) + `,"claims":` + string(claims) + `}`)), true
}

// indent lays out JSON for reading; what is not JSON stays as it is.
func indent(raw []byte) string {
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return string(raw)
	}
	return b.String()
}
