package local

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/argon2"
)

// Argon2id parameters (OWASP 2025 minimum): 2 passes over 19 MiB, one lane.
const (
	argonTime    = 2
	argonMemory  = 19 << 10 // KiB
	argonThreads = 1
	argonKey     = 32
	argonSalt    = 16
)

// Hasher runs argon2id, two at a time: 100 at once would take 1.9 GB.
type Hasher struct {
	slots chan struct{}
	dummy string
	count atomic.Int64 // hashes computed, for tests of Y2
}

// NewHasher returns a Hasher. A process has one.
func NewHasher() *Hasher {
	// The dummy is a real hash of nothing anyone can type: it is verified for
	// unknown logins, so that they cost what known ones cost (Y2).
	return &Hasher{slots: make(chan struct{}, 2), dummy: phc(random(argonSalt), random(argonKey))}
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the process instead
	return b
}

func phc(salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads,
		b64.EncodeToString(salt), b64.EncodeToString(key))
}

// Hash makes the PHC string of a password. It waits for a slot until ctx ends.
func (p *Hasher) Hash(ctx context.Context, password string) (string, error) {
	salt := random(argonSalt)
	key, err := p.derive(ctx, password, salt, argonTime, argonMemory, argonThreads, argonKey)
	if err != nil {
		return "", err
	}
	return phc(salt, key), nil
}

// verify compares in constant time. An empty encoded hash is an unknown login,
// or an account without a password: the same work is done and the answer is no
// (SECURITY-CASES Y9).
func (p *Hasher) verify(ctx context.Context, encoded, password string) (bool, error) {
	known := encoded != ""
	if !known {
		encoded = p.dummy
	}
	h, err := parsePHC(encoded)
	if err != nil {
		return false, err
	}
	got, err := p.derive(ctx, password, h.salt, h.time, h.memory, h.threads, uint32(len(h.key)))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, h.key) == 1 && known, nil
}

func (p *Hasher) derive(ctx context.Context, password string, salt []byte, time, memory uint32, threads uint8, size uint32) ([]byte, error) {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p.count.Add(1)
	return argon2.IDKey([]byte(password), salt, time, memory, threads, size), nil
}

type phcHash struct {
	time, memory uint32
	threads      uint8
	salt, key    []byte
}

var errPHC = errors.New("local: stored password hash is damaged")

// parsePHC reads $argon2id$v=19$m=…,t=…,p=…$salt$key. Bounds keep a damaged
// record from taking all memory.
func parsePHC(s string) (phcHash, error) {
	parts := strings.Split(s, "$")
	var h phcHash
	var version int
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return h, errPHC
	}
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return h, errPHC
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.time, &h.threads); err != nil {
		return h, errPHC
	}
	var err1, err2 error
	h.salt, err1 = base64.RawStdEncoding.Strict().DecodeString(parts[4])
	h.key, err2 = base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(h.salt) < 8 || len(h.key) < 16 || len(h.key) > 64 ||
		h.memory < 8 || h.memory > 256<<10 || h.time < 1 || h.time > 10 || h.threads < 1 || h.threads > 4 {
		return h, errPHC
	}
	return h, nil
}
