package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"gatehouse/store"
)

const masterKeyVariable = "GATEHOUSE_MASTER_KEY"

var errNoMasterKey = errors.New("there is no master key")

// loadKeyring reads the master keys from the variable, or else from the file.
// It never makes one: with a new key, what the old one sealed would be lost.
func loadKeyring(cfg *config, environ []string) (*store.Keyring, error) {
	if text, ok := lookup(environ, masterKeyVariable); ok {
		ring, err := store.ParseKeyring([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", masterKeyVariable, err)
		}
		return ring, nil
	}
	ring, err := store.ReadKeyFile(cfg.MasterKeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: neither %s nor the file %s exists; restore it, or run `gatehouse init` for a new installation",
			errNoMasterKey, masterKeyVariable, cfg.MasterKeyFile)
	}
	return ring, err
}

// lookup finds a variable in an environment list; empty counts as unset.
func lookup(environ []string, name string) (string, bool) {
	for _, entry := range environ {
		if n, value, ok := strings.Cut(entry, "="); ok && n == name && value != "" {
			return value, true
		}
	}
	return "", false
}
