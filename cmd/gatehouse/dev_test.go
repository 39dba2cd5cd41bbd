package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatehouse/store"
)

// process is a running command of this program.
type process struct {
	t      *testing.T
	cancel context.CancelFunc
	status chan int
	stderr *syncBuffer
	stdout *awaitedBuffer
}

// start runs the program until its output holds until.
func start(t *testing.T, until string, environ []string, args ...string) *process {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	p := &process{t: t, cancel: cancel, status: make(chan int, 1), stderr: &syncBuffer{}, stdout: newAwaitedBuffer(until)}
	go func() { p.status <- run(ctx, args, environ, p.stdout, p.stderr) }()
	t.Cleanup(func() { p.stop() })
	select {
	case <-p.stdout.seen:
	case status := <-p.status:
		p.status <- status
		t.Fatalf("gatehouse %v ended with %d before it printed %q:\n%s%s", args, status, until, p.stdout, p.stderr)
	}
	return p
}

// stop ends the process as a signal would and gives its exit status.
func (p *process) stop() int {
	p.t.Helper()
	p.cancel()
	select {
	case status := <-p.status:
		p.status <- status
		return status
	case <-time.After(30 * time.Second):
		p.t.Fatal("gatehouse did not stop within 30 s")
		return -1
	}
}

var devPorts = []string{
	"--broker-port", "0", "--admin-port", "0", "--acme-port", "0", "--globex-port", "0", "--any-port", "0", "--demo-port", "0",
}

func startDev(t *testing.T, dir string, more ...string) (*process, devState) {
	t.Helper()
	args := append([]string{"dev", "--data", dir}, devPorts...)
	p := start(t, "ready", nil, append(args, more...)...)
	state, err := readDevState(filepath.Join(dir, "dev.json"))
	if err != nil {
		t.Fatal(err)
	}
	return p, state
}

// get requests a URL without following redirects or keeping the connection.
func get(t *testing.T, target string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body), res.Header
}

func TestDevShowsEverythingAndStopsCleanly(t *testing.T) {
	// Not parallel: goleak looks at every goroutine.
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	dir := filepath.Join(t.TempDir(), "dev")
	p, state := startDev(t, dir)

	for _, file := range []string{"dev.json", "gatehouse.db", "master.key", "gatehouse.log"} {
		info, err := os.Stat(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("%s: got mode %o, want 600", file, got)
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: got %v, %v, want mode 700", info.Mode(), err)
	}
	screen := p.stdout.String()
	for _, want := range []string{
		state.Issuer, state.Admin, state.Demo, state.Owner.Password, state.APIToken,
		state.client("demo-web").Secret, "demo-native", "http://127.0.0.1/callback", "com.example.demo:/callback",
	} {
		if want == "" || !strings.Contains(screen, want) {
			t.Errorf("the screen lacks %q:\n%s", want, screen)
		}
	}
	if !strings.HasSuffix(screen, "\nready\n") {
		t.Errorf("ready is not the last line:\n%s", screen)
	}

	var discovery struct {
		Issuer string `json:"issuer"`
	}
	_, body, _ := get(t, state.Issuer+"/.well-known/openid-configuration")
	if err := json.Unmarshal([]byte(body), &discovery); err != nil || discovery.Issuer != state.Issuer {
		t.Errorf("discovery: got issuer %q (%v), want %q", discovery.Issuer, err, state.Issuer)
	}
	for i, want := range []struct {
		domain string
		join   store.JoinPolicy
	}{{"acme.test", "automatic"}, {"globex.test", "request"}, {"*", "automatic"}} {
		idp := state.IDPs[i]
		if idp.Domain != want.domain || idp.Join != want.join {
			t.Errorf("provider %d: got %+v, want %+v", i, idp, want)
		}
		if status, body, _ := get(t, idp.Issuer+"/.well-known/openid-configuration"); status != 200 || !strings.Contains(body, idp.Issuer) {
			t.Errorf("%s: got %d %s", idp.Issuer, status, body)
		}
	}
	if status, _, _ := get(t, state.Demo+"/"); status != 200 {
		t.Errorf("demo app: got %d", status)
	}
	if status, body, _ := get(t, state.Admin+"/readyz"); status != 200 || body != "ready\n" {
		t.Errorf("readyz: got %d %q", status, body)
	}
	if got := p.stop(); got != 0 {
		t.Errorf("exit status: got %d, want 0: %s", got, p.stderr)
	}
	if _, err := net.DialTimeout("tcp", strings.TrimPrefix(state.Issuer, "http://"), time.Second); err == nil {
		t.Error("the port is still open after the stop")
	}
}

func TestDevSecondStartFindsTheData(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, first := startDev(t, dir)
	putIdentity(t, p, dir, first)

	p, second := startDev(t, dir)
	if second.Owner != first.Owner || second.APIToken != first.APIToken || second.client("demo-web").Secret != first.client("demo-web").Secret {
		t.Errorf("the secrets changed: got %+v, want %+v", second, first)
	}
	if first.Issuer == second.Issuer {
		t.Fatal("the test wants other ports at the second start")
	}
	p.stop()

	st := openDevData(t, dir)
	err := st.View(t.Context(), func(tx store.Tx) error {
		conn, err := st.Connections.Get(tx, "acme")
		if err != nil {
			return err
		}
		if got, want := conn.Issuer, second.IDPs[0].Issuer; got != want {
			t.Errorf("connection issuer: got %s, want %s", got, want)
		}
		client, err := st.Clients.Get(tx, "demo-web")
		if err != nil {
			return err
		}
		if got, want := strings.Join(client.RedirectURIs, " "), second.Demo+"/callback"; got != want {
			t.Errorf("redirect URIs: got %s, want %s", got, want)
		}
		if got, want := strings.Join(client.PostLogoutRedirectURIs, " "), second.Demo+"/"; got != want {
			t.Errorf("post-logout redirect URIs: got %s, want %s", got, want)
		}
		id, err := st.Identities.Get(tx, store.IdentityKey("acme", second.IDPs[0].Issuer, "alice-sub"))
		if err != nil || id.UserID != "alice-user" {
			t.Errorf("identity at the moved provider: got %+v, %v", id, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{first.Owner.Password, first.APIToken, first.client("demo-web").Secret} {
		raw, err := os.ReadFile(filepath.Join(dir, "gatehouse.db"))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(raw, []byte(secret)) {
			t.Error("the data file holds a secret in the clear")
		}
	}
}

func openDevData(t *testing.T, dir string) *data {
	t.Helper()
	ring, err := store.ReadKeyFile(filepath.Join(dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	st, err := openData(t.Context(), &config{Data: filepath.Join(dir, "gatehouse.db")}, ring)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}

// putIdentity stops p and makes the data know a person of Acme.
func putIdentity(t *testing.T, p *process, dir string, state devState) {
	t.Helper()
	p.stop()
	st := openDevData(t, dir)
	err := st.Update(t.Context(), func(tx store.Tx) error {
		return st.Identities.Insert(tx, store.Identity{
			ConnectionID: "acme", Issuer: state.IDPs[0].Issuer, Subject: "alice-sub", UserID: "alice-user",
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestDevMakesNewSecretsWhenDevJSONIsGone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, first := startDev(t, dir)
	p.stop()
	if err := os.Remove(filepath.Join(dir, "dev.json")); err != nil {
		t.Fatal(err)
	}
	p, second := startDev(t, dir)
	if first.Owner.Password == second.Owner.Password || first.APIToken == second.APIToken {
		t.Error("the secrets are the same although nobody kept them")
	}
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, second.Admin+"/api/v1/organizations", nil)
	req.Header.Set("Authorization", "Bearer "+second.APIToken)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if body, _ := io.ReadAll(res.Body); res.StatusCode != 200 || !bytes.Contains(body, []byte("globex")) {
		t.Errorf("the new API token: got %d %s", res.StatusCode, body)
	}
	p.stop()
}

func TestDevNamesTheFlagOfATakenPort(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	dir := filepath.Join(t.TempDir(), "dev")
	var stderr bytes.Buffer
	args := append(append([]string{"dev", "--data", dir}, devPorts...), "--globex-port", port)
	if got := run(t.Context(), args, nil, io.Discard, &stderr); got != 1 {
		t.Errorf("exit status: got %d, want 1", got)
	}
	if got, want := stderr.String(), "port "+port+" is taken: stop what uses it, or choose another with --globex-port"; !strings.Contains(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := os.Stat(filepath.Join(dir, "gatehouse.db")); err == nil {
		t.Error("data was made although the start failed")
	}
}

func TestFT7_SecondDevInTheSameFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, _ := startDev(t, dir)
	var stderr bytes.Buffer
	begin := time.Now()
	if got := run(t.Context(), append([]string{"dev", "--data", dir}, devPorts...), nil, io.Discard, &stderr); got != 1 {
		t.Errorf("exit status: got %d, want 1", got)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("it took %s to notice", took)
	}
	if got := stderr.String(); !strings.Contains(got, "another `gatehouse dev` runs in") {
		t.Errorf("got %q", got)
	}
	if got := p.stop(); got != 0 {
		t.Errorf("the first one was disturbed: status %d", got)
	}
}

func TestDevRefusesDataWithoutItsKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, _ := startDev(t, dir)
	p.stop()
	key := filepath.Join(dir, "master.key")
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	if got := run(t.Context(), append([]string{"dev", "--data", dir}, devPorts...), nil, io.Discard, &stderr); got != 1 {
		t.Errorf("exit status: got %d, want 1", got)
	}
	if got := stderr.String(); !strings.Contains(got, "opens with no other key") {
		t.Errorf("got %q", got)
	}
	if _, err := os.Stat(key); err == nil {
		t.Error("a new key was made for old data")
	}
}

// TestZ11_OperationsOnTheAdminListenerOnly: metrics, health and profiles are
// not on the public listener.
func TestZ11_OperationsOnTheAdminListenerOnly(t *testing.T) {
	t.Parallel()
	p, state := startDev(t, t.TempDir())
	for _, path := range []string{"/metrics", "/healthz", "/readyz", "/debug/pprof/", "/debug/vars", "/api/v1/organizations"} {
		if status, body, header := get(t, state.Issuer+path); status != http.StatusNotFound || header.Get("Server") != "" {
			t.Errorf("%s: got %d %q, want 404", path, status, body)
		}
	}
	if status, body, _ := get(t, state.Admin+"/metrics"); status != 200 ||
		!strings.Contains(body, `gatehouse_http_requests_total{listener="public",route="other",status="404"} 6`) {
		t.Errorf("metrics: got %d\n%s", status, body)
	}
	if status, _, _ := get(t, state.Admin+"/debug/pprof/"); status == 200 {
		t.Error("profiles answer on the admin listener")
	}
	admin, err := url.Parse(state.Admin)
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]int{
		"evil.example": http.StatusMisdirectedRequest, "127.0.0.1:" + admin.Port(): 200, "[::1]": 200, "10.1.2.3": 200, admin.Host: 200,
	} {
		if got := rawStatus(t, admin.Host, "GET /metrics HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n"); got != want {
			t.Errorf("metrics under host %s: got %d, want %d", host, got, want)
		}
		if got := rawStatus(t, admin.Host, "GET /healthz HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n"); got != 200 {
			t.Errorf("health under host %s: got %d, want 200", host, got)
		}
	}
	p.stop()
}
