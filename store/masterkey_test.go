package store_test

import (
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/store"
)

const (
	keyOne = "O5uYbB1D3c6r0UzmuDmmQwPZ4zPvUyqmCYQXkvT5y2g="
	keyTwo = "t3QmJ0lJqkzJ7sG1yXc1pH0WgO4rN9v8aKxD2ZbE5fs="
)

func TestParseKeyring(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		keys int
		want string // in the error
	}{
		"one":              {keyOne, 1, ""},
		"line end":         {keyOne + "\r\n", 1, ""},
		"active and old":   {"# rotated in May\n\n" + keyTwo + "\n  " + keyOne + "  \n", 2, ""},
		"commas":           {keyTwo + "," + keyOne, 2, ""},
		"nothing":          {"", 0, "holds no key"},
		"only a comment":   {"# " + keyOne, 0, "holds no key"},
		"short":            {base64.StdEncoding.EncodeToString([]byte(canary)), 0, "line 1 has 15 bytes"},
		"long":             {base64.StdEncoding.EncodeToString(make([]byte, 64)), 0, "line 1 has 64 bytes"},
		"text":             {keyOne + "\n" + canary + "!", 0, "line 2 is not base64"},
		"no padding":       {strings.TrimRight(keyOne, "="), 0, "line 1 is not base64"},
		"loose bits":       {keyOne[:42] + "h=", 0, "line 1 is not base64"},
		"twice":            {keyOne + "\n" + keyOne, 0, "there twice"},
		"zeros":            {base64.StdEncoding.EncodeToString(make([]byte, 32)), 0, "not random"},
		"words":            {base64.StdEncoding.EncodeToString([]byte("correct horse battery staple 123")), 0, "not random"},
		"counting":         {base64.StdEncoding.EncodeToString([]byte("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f")), 0, "not random"},
		"a binary key":     {strings.Repeat("\xff", 32), 0, "not base64"},
		"two on one line ": {keyOne + " " + keyTwo, 0, "not base64"},
	} {
		got, err := store.ParseKeyring([]byte(c.text))
		if c.want == "" {
			if err != nil || len(got.IDs()) != c.keys {
				t.Errorf("%s: %v, %v", name, got, err)
			}
			continue
		}
		if !errors.Is(err, store.ErrKeyText) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
		if err != nil && (strings.Contains(err.Error(), keyOne[:8]) || strings.Contains(err.Error(), canary)) {
			t.Errorf("%s: the error shows the key: %v", name, err)
		}
	}
}

// TestK6_ExposedKeyFile: a key file that others may read stops the start.
func TestK6_ExposedKeyFile(t *testing.T) {
	t.Parallel()
	p := filepath.Join(t.TempDir(), "master.key")
	for mode, ok := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o644: false, 0o640: false, 0o604: false, 0o620: false, 0o601: false} {
		if err := os.WriteFile(p, []byte(keyOne), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(p, mode); err != nil {
			t.Fatal(err)
		}
		_, err := store.ReadKeyFile(p)
		if ok && err != nil || !ok && !errors.Is(err, store.ErrKeyExposed) {
			t.Errorf("mode %04o: got %v", mode, err)
		}
		if err := os.Chmod(p, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestKeyFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := filepath.Join(dir, "master.key")
	if _, err := store.ReadKeyFile(p); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: got %v", err)
	}
	if _, err := os.Stat(p); !errors.Is(err, fs.ErrNotExist) {
		t.Error("reading made a key file")
	}
	made, err := store.CreateKeyFile(p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.CreateKeyFile(p); !errors.Is(err, fs.ErrExist) {
		t.Errorf("again: got %v", err)
	}
	read, err := store.ReadKeyFile(p)
	if err != nil || read.IDs()[0] != made.IDs()[0] {
		t.Errorf("read %v, %v, made %v", read, err, made)
	}
	turned, err := store.RotateKeyFile(p)
	if err != nil || len(turned.IDs()) != 2 || turned.IDs()[1] != made.IDs()[0] {
		t.Errorf("rotated to %v, %v", turned, err)
	}
	if read, err = store.ReadKeyFile(p); err != nil || read.IDs()[0] != turned.IDs()[0] {
		t.Errorf("read %v, %v", read, err)
	}
	if _, err := store.ReadKeyFile(dir); !errors.Is(err, store.ErrKeyText) {
		t.Errorf("folder: got %v", err)
	}
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != 1 {
		t.Errorf("left behind: %v, %v", names, err)
	}
	if err := os.WriteFile(p, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.ReadKeyFile(p); !errors.Is(err, store.ErrKeyText) {
		t.Errorf("huge: got %v", err)
	}
}

// FuzzParseKeyring: whatever the text, either a keyring of as many different
// keys as it holds, or one clear line that does not repeat the text.
func FuzzParseKeyring(f *testing.F) {
	for _, seed := range []string{"", keyOne, keyOne + "\n" + keyTwo, "# x\n" + keyOne, keyOne + ",", "\x00", strings.Repeat("A", 44)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		ring, err := store.ParseKeyring(text)
		if err != nil {
			if !errors.Is(err, store.ErrKeyText) || strings.ContainsAny(err.Error(), "\r\n") || len(err.Error()) > 120 {
				t.Fatalf("error: %v", err)
			}
			return
		}
		seen := map[string]bool{}
		for _, id := range ring.IDs() {
			if seen[id] {
				t.Fatal("a key is there twice")
			}
			seen[id] = true
		}
		if len(seen) == 0 || len(seen) > len(text)/44 {
			t.Fatalf("%d keys from %d bytes", len(seen), len(text))
		}
	})
}
