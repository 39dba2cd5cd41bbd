package store

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Errors of master keys. Each text is one sentence for the operator, and none
// ever contains a key.
var (
	// ErrKeyText: the text does not hold master keys.
	ErrKeyText = errors.New("store: the master key is unreadable")
	// ErrKeyExposed: others may read the key file (SECURITY-CASES K6).
	ErrKeyExposed = errors.New("store: the master key file must be readable by its owner only")
)

const maxKeyFile = 64 << 10

// ParseKeyring reads master keys: one to a line (or separated by commas, for a
// variable), each 32 random bytes in base64, the first active and the rest old.
// Empty lines and lines that begin with # are skipped.
func ParseKeyring(text []byte) (*Keyring, error) {
	var keys [][]byte
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		for part := range strings.SplitSeq(line, ",") {
			if part = strings.TrimSpace(part); part == "" {
				continue
			}
			key, err := base64.StdEncoding.Strict().DecodeString(part)
			switch {
			case err != nil:
				return nil, fmt.Errorf("%w: line %d is not base64", ErrKeyText, number)
			case len(key) != 32:
				return nil, fmt.Errorf("%w: line %d has %d bytes, not 32", ErrKeyText, number, len(key))
			case typed(key):
				return nil, fmt.Errorf("%w: line %d is not random", ErrKeyText, number)
			}
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%w: it holds no key", ErrKeyText)
	}
	ring, err := NewKeyring(keys[0], keys[1:]...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeyText, err)
	}
	return ring, nil
}

// typed finds keys that somebody made up: few different bytes, counting up or
// down, or plain text. A random key is none of these (chance below 2^-40).
func typed(key []byte) bool {
	var distinct, steps [256]bool
	bytes, jumps, text := 0, 0, true
	for i, b := range key {
		if !distinct[b] {
			distinct[b] = true
			bytes++
		}
		if i > 0 {
			if step := b - key[i-1]; !steps[step] {
				steps[step] = true
				jumps++
			}
		}
		text = text && b >= ' ' && b <= '~'
	}
	return bytes < 12 || jumps < 4 || text
}

// ReadKeyFile reads a key file. It refuses one that others may read, and never
// makes one: under a new key, what the old one sealed would be lost.
func ReadKeyFile(path string) (*Keyring, error) {
	text, err := readKeyFile(path)
	if err != nil {
		return nil, err
	}
	ring, err := ParseKeyring(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return ring, nil
}

func readKeyFile(path string) ([]byte, error) {
	// Non-blocking, so that a named pipe cannot hang the start.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("store: master key file: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("store: master key file: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: %w: it is not a regular file", path, ErrKeyText)
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("%s: %w: mode is %04o, set it to 0600", path, ErrKeyExposed, info.Mode().Perm())
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("store: master key file: %w", err)
	case len(text) > maxKeyFile:
		return nil, fmt.Errorf("%s: %w: it is too long for a key file", path, ErrKeyText)
	}
	return text, nil
}

// CreateKeyFile makes a key file (mode 0600) with one new random key;
// fs.ErrExist when there is something at path already.
func CreateKeyFile(path string) (*Keyring, error) {
	text := []byte("# Gatehouse master key. Without it the data cannot be read: keep a copy elsewhere.\n" + newKeyLine())
	tmp, err := writeBeside(path, text)
	if err == nil {
		err = os.Link(tmp, path) // never replaces
		err = errors.Join(err, os.Remove(tmp), syncFolder(path))
	}
	if err != nil {
		return nil, fmt.Errorf("store: make master key file: %w", err)
	}
	return ParseKeyring(text)
}

// RotateKeyFile puts a new active key in front of those in the file. Restart
// with it, run Store.Reseal, and then the old lines may go.
func RotateKeyFile(path string) (*Keyring, error) {
	old, err := readKeyFile(path)
	if err != nil {
		return nil, err
	}
	if _, err := ParseKeyring(old); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	text := append([]byte(newKeyLine()), old...)
	tmp, err := writeBeside(path, text)
	if err == nil {
		if err = os.Rename(tmp, path); err == nil {
			err = syncFolder(path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("store: rotate master key file: %w", err)
	}
	return ParseKeyring(text)
}

func newKeyLine() string {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails: crypto/rand ends the process instead
	return base64.StdEncoding.EncodeToString(key) + "\n"
}

// writeBeside writes a durable file of mode 0600 next to path.
func writeBeside(path string, text []byte) (name string, err error) {
	f, err := os.OpenFile(path+".new-"+rand.Text(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, fs.FileMode(0o600))
	if err != nil {
		return "", err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

func syncFolder(path string) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
