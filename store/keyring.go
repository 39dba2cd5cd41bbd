package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// Keyring holds the master keys: the active one seals, all of them open. Keys
// for each purpose are derived by HKDF-SHA-256 and never leave this package
// except through Derive.
type Keyring struct {
	keys []masterKey // active first
}

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
		r.keys = append(r.keys, masterKey{id: hex.EncodeToString(sum[:4]), secret: append([]byte(nil), k...)})
	}
	return r, nil
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

// Open reverses Seal. stale reports that an old key sealed it.
func (s *Sealer) Open(box, ad []byte) (plain []byte, stale bool, err error) {
	if len(box) < 4 {
		return nil, false, ErrSealed
	}
	id := hex.EncodeToString(box[:4])
	for i, have := range s.ids {
		if have == id {
			if plain, err = s.aeads[i].Open(nil, nil, box[4:], ad); err != nil {
				return nil, false, ErrSealed
			}
			return plain, i > 0, nil
		}
	}
	return nil, false, errors.Join(ErrSealed, fmt.Errorf("no master key with id %s", id))
}
