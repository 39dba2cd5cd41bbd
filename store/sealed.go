package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
)

// Secret is a value that must not be shown: every way of printing it gives ***.
type Secret string

// Reveal returns the secret itself. Each call site is a place to audit.
func (s Secret) Reveal() string { return string(s) }

// String implements fmt.Stringer.
func (Secret) String() string { return "***" }

// Format implements fmt.Formatter for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("***")) }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue("***") }

// MarshalJSON never writes the value.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"***"`), nil }

// ErrSealed: a sealed value could not be opened: wrong key, or the bytes were
// altered or moved from another record (SECURITY-CASES Z4).
var ErrSealed = errors.New("store: sealed value cannot be opened")

// Sealed is a secret field of a record. In the engine it is an AEAD box whose
// associated data names bucket, key and field; collections seal it on Put and
// hand it back ready to Reveal. The zero value is "no secret".
type Sealed struct {
	plain Secret
	fresh bool // plain was set and is not in box yet
	box   []byte
	open  func(box []byte) (Secret, error)
}

// Seal makes a sealed field from a secret.
func Seal(s Secret) Sealed { return Sealed{plain: s, fresh: s != ""} }

// IsZero reports whether there is no secret.
func (s Sealed) IsZero() bool { return !s.fresh && len(s.box) == 0 }

// Reveal opens the secret; "" when there is none.
func (s Sealed) Reveal() (Secret, error) {
	switch {
	case s.fresh:
		return s.plain, nil
	case len(s.box) == 0:
		return "", nil
	case s.open == nil:
		return "", ErrSealed
	}
	return s.open(s.box)
}

// String implements fmt.Stringer.
func (Sealed) String() string { return "***" }

// LogValue implements slog.LogValuer.
func (Sealed) LogValue() slog.Value { return slog.StringValue("***") }

// MarshalJSON writes the box; a secret not yet sealed is an error, so that no
// plain text can reach an engine by a forgotten declaration.
func (s Sealed) MarshalJSON() ([]byte, error) {
	if s.fresh {
		return nil, errors.New("store: secret field is not declared as sealed in its collection")
	}
	return json.Marshal(s.box)
}

// UnmarshalJSON reads the box.
func (s *Sealed) UnmarshalJSON(b []byte) error {
	*s = Sealed{}
	return json.Unmarshal(b, &s.box)
}
