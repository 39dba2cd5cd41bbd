package main

import (
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificate serves a key pair from files and follows their changes, so that a
// renewed certificate needs no restart.
type certificate struct {
	files  tlsFiles
	logger *slog.Logger
	now    func() time.Time

	mu      sync.Mutex
	current *tls.Certificate
	stamp   string // size and time of both files when current was read
	checked time.Time
}

// newCertificate reads the pair; the start fails if it cannot be used.
func newCertificate(files tlsFiles, logger *slog.Logger, now func() time.Time) (*certificate, error) {
	c := &certificate{files: files, logger: logger, now: now}
	stamp, err := files.stamp()
	if err != nil {
		return nil, err
	}
	if c.current, err = files.load(); err != nil {
		return nil, err
	}
	c.stamp, c.checked = stamp, now()
	return c, nil
}

// get is tls.Config.GetCertificate. It looks at the files at most once a second;
// a pair that cannot be read (half written, say) leaves the old one in use.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if now.Sub(c.checked) < time.Second {
		return c.current, nil
	}
	c.checked = now
	stamp, err := c.files.stamp()
	if err == nil && stamp == c.stamp {
		return c.current, nil
	}
	var fresh *tls.Certificate
	if err == nil {
		c.stamp = stamp // do not read the same fault every second
		fresh, err = c.files.load()
	}
	if err != nil {
		c.logger.Error("certificate not reloaded, the old one stays in use", "error", err)
		return c.current, nil
	}
	c.current = fresh
	c.logger.Info("certificate reloaded", "file", c.files.CertFile, "not_after", fresh.Leaf.NotAfter)
	return c.current, nil
}

func (f tlsFiles) stamp() (string, error) {
	var out string
	for _, name := range []string{f.CertFile, f.KeyFile} {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("there is no file %s", name)
		}
		if err != nil {
			return "", err
		}
		out += fmt.Sprintf("%d %d;", info.Size(), info.ModTime().UnixNano())
	}
	return out, nil
}

func (f tlsFiles) load() (*tls.Certificate, error) {
	chain, err := os.ReadFile(f.CertFile)
	if err != nil {
		return nil, err
	}
	key, err := readPrivateKey(f.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("private key: %w", err)
	}
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, fmt.Errorf("certificate %s and key %s: %w", f.CertFile, f.KeyFile, err)
	}
	if k, ok := pair.PrivateKey.(*rsa.PrivateKey); ok && k.N.BitLen() < 2048 {
		return nil, fmt.Errorf("private key %s: RSA with %d bits is too short; use ECDSA P-256 or RSA 2048", f.KeyFile, k.N.BitLen())
	}
	return &pair, nil
}

// config allows TLS 1.3, and 1.2 with forward secrecy and authenticated
// encryption; nothing older answers.
func (c *certificate) config() *tls.Config {
	return &tls.Config{
		GetCertificate: c.get,
		MinVersion:     tls.VersionTLS12,
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
			tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
	}
}

// loadTLS is nil for a listener without certificate.
func loadTLS(field string, files tlsFiles, logger *slog.Logger) (*tls.Config, error) {
	if files.CertFile == "" {
		return nil, nil
	}
	c, err := newCertificate(files, logger, time.Now)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return c.config(), nil
}

// readPrivateKey reads a key only if strangers can neither read nor change it
// (SECURITY-CASES K6). The group may read it: that is how certificate tools
// share keys with servers.
func readPrivateKey(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o027 != 0 {
		return nil, fmt.Errorf("%s has mode %04o, so others can read or change it: set it to 0600 or 0640", path, mode)
	}
	return os.ReadFile(path)
}
