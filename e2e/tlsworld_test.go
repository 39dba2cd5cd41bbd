package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// tlsWorld is a `gatehouse serve` with an https issuer, set up the way an
// operator does it: init, serve, the one-time link, the first owner, an API
// token. Its company's provider is a `gatehouse mockidp`.
type tlsWorld struct {
	issuer   string
	admin    string
	upstream string
	tls      *tls.Config
	secrets  *secrets
	api      *api
	setupURL string
}

const tlsOwner, tlsPassword = "owner@conformance.test", "seven quiet lanterns upstream"

func startTLSWorld(t *testing.T) *tlsWorld {
	t.Helper()
	w := startServe(t, "https")
	users := filepath.Join(t.TempDir(), "users.yaml")
	write(t, users, fmt.Sprintf(conformanceUsers, w.issuer))
	idp := run1(t, "gatehouse mockidp", "mock identity provider ready", "mockidp", "--config="+users, "--addr=127.0.0.1:0")
	w.upstream = regexp.MustCompile(`http://\S+`).FindString(idp.stdout.String())
	w.setUp(t)
	return w
}

// startServe runs a new installation up to its set-up link.
func startServe(t *testing.T, scheme string) *tlsWorld {
	t.Helper()
	dir := t.TempDir()
	ports := freePorts(t, 2)
	w := &tlsWorld{
		secrets: newSecrets(), issuer: fmt.Sprintf("%s://localhost:%d", scheme, ports[0]), admin: fmt.Sprintf("http://localhost:%d", ports[1]),
	}
	factor := "required"
	if scheme == "https" { // there a program signs in, without a browser
		factor = "optional"
	}
	config := fmt.Sprintf(`issuer: %s
listen: 127.0.0.1:%d
admin: {listen: "127.0.0.1:%d", second_factor: %s}
data: gatehouse.db
network: {allow_private: [127.0.0.0/8, "::1/128"]}
`, w.issuer, ports[0], ports[1], factor)
	if scheme == "https" {
		w.tls = certify(t, dir)
		config += "tls: {cert_file: cert.pem, key_file: key.pem}\n"
	}
	write(t, filepath.Join(dir, "gatehouse.yaml"), config)
	flag := "--config=" + filepath.Join(dir, "gatehouse.yaml")
	for _, command := range []string{"init", "check"} {
		if said, err := exec.CommandContext(t.Context(), binary, command, flag).CombinedOutput(); err != nil {
			t.Fatalf("gatehouse %s: %v\n%s", command, err, said)
		}
	}
	server := run1(t, "gatehouse serve", "There is no owner account yet", "serve", flag)
	eventually(t, startTimeout, "set-up link", func() bool {
		w.setupURL = regexp.MustCompile(`http://\S+/setup\?\S+`).FindString(server.stdout.String())
		return w.setupURL != ""
	})
	w.secrets.add("set-up link", mustParse(t, w.setupURL).Query().Get("token"))
	t.Cleanup(func() {
		for _, leak := range w.secrets.foundIn(map[string][]byte{"standard error": []byte(server.stderr.String())}) {
			t.Error(leak)
		}
	})
	return w
}

// run1 starts a process that ends with the test.
func run1(t *testing.T, name, wanted string, args ...string) *process {
	t.Helper()
	p, err := start(name, nil, wanted, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// setUp makes the first owner with the link and an API token in the owner's name.
func (w *tlsWorld) setUp(t *testing.T) {
	t.Helper()
	b := newBrowser(t, w.secrets, nil)
	p := b.get(w.setupURL)
	p = b.submit(p, "submit", map[string]string{"email": tlsOwner, "password": tlsPassword, "password_again": tlsPassword})
	if p.status != http.StatusOK || p.url.Path != "/" || p.byID("signout") == nil {
		t.Fatalf("set-up: got %d %q at %s, want the console", p.status, p.title(), p.url)
	}
	if again := b.get(w.setupURL); again.status == http.StatusOK {
		t.Errorf("the set-up link works twice: %q", again.title())
	}
	w.secrets.add("owner password", tlsPassword)
	// The console's own session makes the token, as a script in the browser would.
	a := &api{t: t, base: w.admin + "/api/v1", http: b.client}
	csrf, _ := a.call(http.StatusOK, http.MethodGet, "/whoami", nil)["csrf_token"].(string)
	a.http = &http.Client{Jar: b.client.Jar, Transport: withHeader{"X-Csrf-Token", csrf, b.client.Transport}}
	made := a.call(http.StatusCreated, http.MethodPost, "/tokens", map[string]any{"name": "conformance", "days": 1})
	token, _ := made["secret"].(string)
	w.secrets.add("API token", token)
	w.api = &api{t: t, base: a.base, token: token, http: &http.Client{Transport: watching{w.secrets, http.DefaultTransport}}}
}

// withHeader sets a header on every request.
type withHeader struct {
	name, value string
	next        http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (h withHeader) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set(h.name, h.value)
	return h.next.RoundTrip(r)
}

// certify writes a self-signed certificate for localhost and gives a client
// configuration that trusts it.
func certify(t *testing.T, dir string) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	write(t, filepath.Join(dir, "cert.pem"), string(certificate))
	write(t, filepath.Join(dir, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certificate)
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// freePorts are free at this moment: an issuer has to be known before its
// server starts.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }() // together at the end, so that they differ
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// conformanceUsers: somebody with every claim of OpenID Connect Core §5.1.
const conformanceUsers = `domain: conformance.test
clients:
  - id: gatehouse
    secret: mock-secret
    redirect_prefixes: ["%s/"]
users:
  buffy:
    email: buffy@conformance.test
    email_verified: true
    name: Buffy Anne Summers
    given_name: Buffy
    family_name: Summers
    middle_name: Anne
    nickname: Buff
    preferred_username: buffy
    profile: https://conformance.test/buffy
    picture: https://conformance.test/buffy.png
    website: https://buffy.conformance.test/
    gender: female
    birthdate: "1981-01-19"
    zoneinfo: America/Los_Angeles
    locale: en-US
    phone_number: "+1 310 555 0100"
    phone_number_verified: true
`

// selectors passes the claims on that Gatehouse itself makes nothing of.
func selectors() map[string]any {
	custom := map[string]any{}
	for _, name := range strings.Fields("middle_name nickname preferred_username profile website gender birthdate zoneinfo locale phone_number_verified") {
		custom[name] = map[string]any{"path": name}
	}
	return map[string]any{
		"federation_id": map[string]any{"path": "sub", "source": "id_token"}, "first_name": map[string]any{"path": "given_name"},
		"last_name": map[string]any{"path": "family_name"}, "display_name": map[string]any{"path": "name"},
		"email": map[string]any{"path": "email"}, "email_verified": map[string]any{"path": "email_verified"},
		"phone": map[string]any{"path": "phone_number"}, "picture": map[string]any{"path": "picture"}, "custom": custom,
	}
}
