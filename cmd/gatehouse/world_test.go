package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// syncBuffer is a buffer several goroutines may use.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// awaitedBuffer closes seen as soon as it holds a text.
type awaitedBuffer struct {
	syncBuffer
	until string
	seen  chan struct{}
	once  sync.Once
}

func newAwaitedBuffer(until string) *awaitedBuffer {
	return &awaitedBuffer{until: until, seen: make(chan struct{})}
}

func (a *awaitedBuffer) Write(p []byte) (int, error) {
	n, err := a.syncBuffer.Write(p)
	if strings.Contains(a.String(), a.until) {
		a.once.Do(func() { close(a.seen) })
	}
	return n, err
}

// rawStatus sends bytes no HTTP client would and reads the answer's status.
func rawStatus(t *testing.T, address, request string) int {
	t.Helper()
	res := raw(t, address, request)
	return res.StatusCode
}

func raw(t *testing.T, address, request string) *http.Response {
	t.Helper()
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte(request)); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("no answer to %q: %v", request, err)
	}
	return res
}

// newObserver is the outermost layer over next, with its log.
func newObserver(next http.Handler) (*observer, *syncBuffer) {
	log := &syncBuffer{}
	return &observer{
		listener: "public", logger: slog.New(slog.NewJSONHandler(log, nil)), now: time.Now,
		metrics: newRequestMetrics(prometheus.NewRegistry()), next: next,
		failed: func(w http.ResponseWriter, id string) { http.Error(w, "failed: "+id, http.StatusInternalServerError) },
	}, log
}

// writeCertificate makes a self-signed pair for localhost.
func writeCertificate(t *testing.T, dir, commonName string) tlsFiles {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: commonName},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	files := tlsFiles{CertFile: filepath.Join(dir, "tls.crt"), KeyFile: filepath.Join(dir, "tls.key")}
	writePEM(t, files.CertFile, 0o644, "CERTIFICATE", der)
	writePEM(t, files.KeyFile, 0o600, "PRIVATE KEY", pkcs8)
	return files
}

func writePEM(t *testing.T, path string, mode os.FileMode, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode); err != nil {
		t.Fatal(err)
	}
}
