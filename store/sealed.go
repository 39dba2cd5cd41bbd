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
	fresh *Secret // set and not in the box yet; a pointer, which no %v follows
	box   []byte
	// How to open the box; set by the collection that read it.
	sealer *Sealer
	home   string
}

// Seal makes a sealed field from a secret.
func Seal(s Secret) Sealed {
	if s == "" {
		return Sealed{}
	}
	return Sealed{fresh: &s}
}

// Fresh reports whether the secret was given just now and is not stored yet.
func (s Sealed) Fresh() bool { return s.fresh != nil }

// IsZero reports whether there is no secret.
func (s Sealed) IsZero() bool { return s.fresh == nil && len(s.box) == 0 }

// Reveal opens the secret; "" when there is none.
func (s Sealed) Reveal() (Secret, error) {
	switch {
	case s.fresh != nil:
		return *s.fresh, nil
	case len(s.box) == 0:
		return "", nil
	case s.sealer == nil:
		return "", ErrSealed
	}
	plain, _, err := s.sealer.Open(s.box, []byte(s.home))
	return Secret(plain), err
}

// settle makes the field ready to be kept at home: a new secret is sealed, and
// one that was read from another record is sealed anew.
func (s *Sealed) settle(sealer *Sealer, home string) error {
	if s.fresh == nil && (len(s.box) == 0 || s.sealer == sealer && s.home == home) {
		return nil
	}
	plain, err := s.Reveal()
	if err != nil {
		return err
	}
	*s = Sealed{box: sealer.Seal([]byte(plain), []byte(home)), sealer: sealer, home: home}
	return nil
}

// String implements fmt.Stringer.
func (Sealed) String() string { return "***" }

// Format implements fmt.Formatter for every verb.
func (Sealed) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("***")) }

// LogValue implements slog.LogValuer.
func (Sealed) LogValue() slog.Value { return slog.StringValue("***") }

// MarshalJSON writes the box; a secret not yet sealed is an error, so that no
// plain text can reach an engine by a forgotten declaration.
func (s Sealed) MarshalJSON() ([]byte, error) {
	if s.fresh != nil {
		return nil, errors.New("store: secret field is not declared as sealed in its collection")
	}
	return json.Marshal(s.box)
}

// UnmarshalJSON reads the box.
func (s *Sealed) UnmarshalJSON(b []byte) error {
	*s = Sealed{}
	return json.Unmarshal(b, &s.box)
}
