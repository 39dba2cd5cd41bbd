package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Keyring holds the master keys: the active one seals, all of them open. Keys
// for each purpose are derived by HKDF-SHA-256 and never leave this package
// except through Derive.
type Keyring struct {
	keys []masterKey // active first
}

// keyIDSize is how many bytes name a key in front of a box.
const keyIDSize = 4

type masterKey struct {
	id     string
	secret []byte
}

// NewKeyring makes a keyring; active and each old key are 32 random bytes.
func NewKeyring(active []byte, old ...[]byte) (*Keyring, error) {
	r := &Keyring{}
	for i, k := range append([][]byte{active}, old...) {
		if len(k) != 32 {
			return nil, fmt.Errorf("store: master key %d has %d bytes, not 32", i+1, len(k))
		}
		sum := sha256.Sum256(append([]byte("gatehouse key id\x00"), k...))
		id := hex.EncodeToString(sum[:keyIDSize])
		if slices.Contains(r.IDs(), id) {
			return nil, fmt.Errorf("store: master key %d is there twice", i+1)
		}
		r.keys = append(r.keys, masterKey{id: id, secret: append([]byte(nil), k...)})
	}
	return r, nil
}

// IDs names the keys, active first: fit for messages, useless to an attacker.
func (r *Keyring) IDs() []string {
	ids := make([]string, 0, len(r.keys))
	for _, k := range r.keys {
		ids = append(ids, k.id)
	}
	return ids
}

// Format implements fmt.Formatter for every verb: never the keys.
func (r *Keyring) Format(f fmt.State, _ rune) {
	if r == nil {
		_, _ = f.Write([]byte("no keys"))
		return
	}
	_, _ = fmt.Fprintf(f, "keys %s", strings.Join(r.IDs(), ", "))
}

// Derive returns a 32-byte key for a purpose, from the active master key first
// and then from each old one (to verify what was made before a rotation).
func (r *Keyring) Derive(purpose string) [][]byte {
	out := make([][]byte, 0, len(r.keys))
	for _, k := range r.keys {
		out = append(out, k.derive(purpose))
	}
	return out
}

func (k masterKey) derive(purpose string) []byte {
	key, err := hkdf.Key(sha256.New, k.secret, nil, "gatehouse/"+purpose, 32)
	if err != nil {
		panic(err) // only for absurd lengths
	}
	return key
}

// Sealer seals values for one purpose, such as a kind of cookie.
type Sealer struct {
	ids   []string
	aeads []cipher.AEAD
}

// Sealer returns the sealer of a purpose.
func (r *Keyring) Sealer(purpose string) *Sealer {
	s := &Sealer{}
	for _, k := range r.keys {
		block, err := aes.NewCipher(k.derive("seal/" + purpose))
		if err == nil {
			var aead cipher.AEAD
			if aead, err = cipher.NewGCMWithRandomNonce(block); err == nil {
				s.ids = append(s.ids, k.id)
				s.aeads = append(s.aeads, aead)
				continue
			}
		}
		panic(err) // 32-byte keys always fit
	}
	return s
}

// Seal returns key id, nonce and box of plain; ad is authenticated, not stored.
func (s *Sealer) Seal(plain, ad []byte) []byte {
	id, _ := hex.DecodeString(s.ids[0])
	return s.aeads[0].Seal(id, nil, plain, ad)
}

// fresh reports whether the active key made the box.
func (s *Sealer) fresh(box []byte) bool { return keyID(box) == s.ids[0] }

// keyID reads which key made a box.
func keyID(box []byte) string {
	if len(box) < keyIDSize {
		return "unknown"
	}
	return hex.EncodeToString(box[:keyIDSize])
}

// Open reverses Seal. stale reports that an old key sealed it.
func (s *Sealer) Open(box, ad []byte) (plain []byte, stale bool, err error) {
	if len(box) < keyIDSize {
		return nil, false, ErrSealed
	}
	id := keyID(box)
	for i, have := range s.ids {
		if have == id {
			if plain, err = s.aeads[i].Open(nil, nil, box[keyIDSize:], ad); err != nil {
				return nil, false, ErrSealed
			}
			return plain, i > 0, nil
		}
	}
	return nil, false, errors.Join(ErrSealed, fmt.Errorf("no master key with id %s", id))
}
