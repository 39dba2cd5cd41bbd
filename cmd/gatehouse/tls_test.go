package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestCertificateIsReloadedWhenItChanges(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := writeCertificate(t, dir, "first")
	now := time.Now()
	log := &syncBuffer{}
	c, err := newCertificate(files, slog.New(slog.NewTextHandler(log, nil)), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	name := func() string {
		t.Helper()
		cert, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return cert.Leaf.Subject.CommonName
	}
	step := func(what, want string, change func()) {
		t.Helper()
		change()
		now = now.Add(time.Second)
		if got := name(); got != want {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
	}
	step("unchanged", "first", func() {})
	writeCertificate(t, dir, "second")
	if got := name(); got != "first" {
		t.Errorf("within the second: got %q, want first (files are not looked at for every handshake)", got)
	}
	step("changed", "second", func() {})
	step("half written", "second", func() { must(t, os.WriteFile(files.CertFile, []byte("-----BEGIN"), 0o600)) })
	if !strings.Contains(log.String(), "the old one stays in use") {
		t.Errorf("not logged: %s", log)
	}
	lines := strings.Count(log.String(), "\n")
	step("still half written", "second", func() {})
	if got := strings.Count(log.String(), "\n"); got != lines {
		t.Error("the same fault is logged every second")
	}
	step("gone", "second", func() { must(t, os.Remove(files.KeyFile)) })
	step("key for everyone", "second", func() { writeCertificate(t, dir, "third"); must(t, os.Chmod(files.KeyFile, 0o644)) })
	step("mended", "fourth", func() { must(t, os.Remove(files.KeyFile)); writeCertificate(t, dir, "fourth") })
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestTLSModernOnly(t *testing.T) {
	t.Parallel()
	c, err := newCertificate(writeCertificate(t, t.TempDir(), "localhost"), quiet(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		client *tls.Config
		ok     bool
	}{
		"1.3":     {&tls.Config{MinVersion: tls.VersionTLS13}, true},
		"1.2 GCM": {&tls.Config{MaxVersion: tls.VersionTLS12}, true},
		"1.2 ChaCha": {&tls.Config{
			MaxVersion:   tls.VersionTLS12,
			CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256},
		}, true},
		"1.2 CBC": {&tls.Config{
			MaxVersion:   tls.VersionTLS12,
			CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256},
		}, false},
		"1.2 RSA": {&tls.Config{
			MaxVersion:   tls.VersionTLS12,
			CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256},
		}, false},
		"1.1": {&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			near, far := net.Pipe()
			defer func() { _ = near.Close() }()
			server := tls.Server(far, c.config())
			go func() { _ = server.Handshake(); _ = far.Close() }()
			test.client.InsecureSkipVerify = true
			if err := tls.Client(near, test.client).Handshake(); (err == nil) != test.ok {
				t.Errorf("got %v, want success %v", err, test.ok)
			}
		})
	}
}

func TestK6_CertificateKeys(t *testing.T) {
	t.Parallel()
	t.Run("readable for everyone", func(t *testing.T) {
		t.Parallel()
		files := writeCertificate(t, t.TempDir(), "x")
		must(t, os.Chmod(files.KeyFile, 0o644))
		if _, err := newCertificate(files, quiet(), time.Now); err == nil || !strings.Contains(err.Error(), "mode 0644") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("RSA 1024", func(t *testing.T) {
		t.Parallel()
		// Go makes none below 1024 and warns below 2048; others still hand them out.
		key, err := rsa.GenerateKey(rand.Reader, 1024)
		if err != nil {
			t.Skipf("this Go makes no such key: %v", err)
		}
		template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "x"}, NotAfter: time.Now().Add(time.Hour)}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		must(t, err)
		dir := t.TempDir()
		files := tlsFiles{CertFile: filepath.Join(dir, "c"), KeyFile: filepath.Join(dir, "k")}
		writePEM(t, files.CertFile, 0o600, "CERTIFICATE", der)
		writePEM(t, files.KeyFile, 0o600, "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))
		if _, err := newCertificate(files, quiet(), time.Now); err == nil || !strings.Contains(err.Error(), "too short") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("foreign pair", func(t *testing.T) {
		t.Parallel()
		a, b := writeCertificate(t, t.TempDir(), "a"), writeCertificate(t, t.TempDir(), "b")
		if _, err := newCertificate(tlsFiles{CertFile: a.CertFile, KeyFile: b.KeyFile}, quiet(), time.Now); err == nil {
			t.Error("a key that does not belong to the certificate was taken")
		}
	})
}
