package federation

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"gatehouse/profile"
	"gatehouse/store"
)

// connectionSchema is made of store.Connection and connection.fields.yaml (`go
// test ./federation -run TestConnectionSchema -update`); the test holds it to them.
//
//go:embed connection.schema.json
var connectionSchema []byte

// ConnectionSchema is the JSON Schema (2020-12) of a connection as people write
// it: for editors, for the console, and for [DecodeConnection].
func ConnectionSchema() []byte { return append([]byte(nil), connectionSchema...) }

// maxConnectionJSON bounds a record as people write it, in bytes.
const maxConnectionJSON = 256 << 10

// connectionText is a connection as people write it: secrets are plain text,
// and only go in.
type connectionText struct {
	store.Connection
	ClientSecret *string `json:"client_secret,omitempty"`
	PrivateKey   *string `json:"private_key,omitempty"`

	Revision  *int64  `json:"revision,omitempty"`
	CreatedAt *string `json:"created_at,omitempty"`
	UpdatedAt *string `json:"updated_at,omitempty"`
}

// DecodeConnection reads a whole connection as people write it. It is strict:
// fields the schema does not have, other types than it says and members that
// occur twice are refused, all at once, each a *profile.FieldError with the
// field's path and the place in the text. What is absent takes its zero value,
// but for the secrets: absent, they stay those of before; empty, they go. Meta
// is before's. What the values mean is CheckConnection's to say.
func DecodeConnection(raw []byte, before store.Connection) (store.Connection, error) {
	if err := checkSchema(raw, connectionSchema); err != nil {
		return store.Connection{}, err
	}
	text := connectionText{}
	if err := json.Unmarshal(raw, &text); err != nil {
		// The schema let something pass that the record does not take, such as
		// a number with a fraction. Errors of encoding/json may quote values.
		var t *json.UnmarshalTypeError
		if errors.As(err, &t) {
			return store.Connection{}, &profile.FieldError{Path: strings.TrimPrefix(t.Field, "Connection."), Problem: "has a value that does not fit", Fix: "look at the schema"}
		}
		return store.Connection{}, &profile.FieldError{Path: "connection", Problem: "is not acceptable JSON"}
	}
	conn := text.Connection
	conn.Meta, conn.ClientSecret, conn.PrivateKey = before.Meta, before.ClientSecret, before.PrivateKey
	if text.ClientSecret != nil {
		conn.ClientSecret = store.Seal(store.Secret(*text.ClientSecret))
	}
	if text.PrivateKey != nil {
		conn.PrivateKey = store.Seal(store.Secret(*text.PrivateKey))
	}
	return conn, nil
}

// EncodeConnection writes a connection as people write it, without its secrets:
// what DecodeConnection reads back, given the connection as before.
func EncodeConnection(conn store.Connection) ([]byte, error) {
	if conn.Domains == nil {
		conn.Domains = []string{}
	}
	out, err := json.MarshalIndent(connectionText{Connection: conn}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("federation: encode connection: %w", err)
	}
	return out, nil
}
