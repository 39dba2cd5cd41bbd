package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatehouse/store"
)

// command runs the program to its end.
func command(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(t.Context(), args, nil, &out, &errs)
	return status, out.String(), errs.String()
}

// freePort is a port nobody listened on a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	must(t, err)
	return port
}

func TestInitCheckServeBackup(t *testing.T) {
	// Not parallel: goleak looks at every goroutine.
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	dir := t.TempDir()
	public, admin := freePort(t), freePort(t)
	path := filepath.Join(dir, "gatehouse.yaml")
	must(t, os.WriteFile(path, fmt.Appendf(nil,
		"issuer: http://localhost:%s\nlisten: 127.0.0.1:%s\nadmin:\n  listen: 127.0.0.1:%s\ndata: data/gatehouse.db\nmaster_key_file: keys/master.key\n",
		public, public, admin), 0o600))
	c := []string{"--config", path}

	for _, name := range []string{"check", "serve"} {
		status, _, stderr := command(t, append([]string{name}, c...)...)
		if status != 1 || !strings.Contains(stderr, "run `gatehouse init` for a new installation") {
			t.Errorf("%s before init: got %d %q", name, status, stderr)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "data", "gatehouse.db")); err == nil {
		t.Error("serve made the data")
	}
	if status, stdout, stderr := command(t, append([]string{"init"}, c...)...); status != 0 || !strings.Contains(stdout, "made the master key") {
		t.Fatalf("init: got %d %s%s", status, stdout, stderr)
	}
	for file, want := range map[string]os.FileMode{"keys": 0o700, "keys/master.key": 0o600, "data": 0o700, "data/gatehouse.db": 0o600} {
		if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: got %v, %v, want mode %o", file, info.Mode(), err, want)
		}
	}
	key, err := os.ReadFile(filepath.Join(dir, "keys/master.key"))
	must(t, err)
	if status, stdout, _ := command(t, append([]string{"init"}, c...)...); status != 0 || !strings.Contains(stdout, "the master key exists") {
		t.Errorf("second init: got %d %s", status, stdout)
	}
	if again, _ := os.ReadFile(filepath.Join(dir, "keys/master.key")); !bytes.Equal(again, key) {
		t.Error("the second init changed the key")
	}
	if status, stdout, stderr := command(t, append([]string{"check"}, c...)...); status != 0 || !strings.Contains(stdout, "is good") {
		t.Errorf("check: got %d %s%s", status, stdout, stderr)
	}

	p := start(t, "/setup?token=", nil, append([]string{"serve"}, c...)...)
	link := regexp.MustCompile(`http://\S+`).FindString(p.stdout.String())
	if status, _, _ := get(t, link); status != 200 {
		t.Errorf("set-up link %s: got %d", link, status)
	}
	if _, token, _ := strings.Cut(link, "token="); strings.Contains(p.stderr.String(), token) {
		t.Error("the log holds the set-up token")
	}
	if status, stdout, _ := command(t, append([]string{"check"}, c...)...); status != 0 || !strings.Contains(stdout, "is in use") {
		t.Errorf("check beside serve: got %d %s", status, stdout)
	}
	if status, _, stderr := command(t, append([]string{"backup", filepath.Join(dir, "b.db")}, c...)...); status != 1 || !strings.Contains(stderr, "in use by another process") {
		t.Errorf("backup beside serve: got %d %s", status, stderr)
	}
	if status, _, stderr := command(t, append([]string{"serve"}, c...)...); status != 1 || !strings.Contains(stderr, "in use by another process") {
		t.Errorf("FT7, second serve: got %d %s", status, stderr)
	}
	if got := p.stop(); got != 0 {
		t.Errorf("exit status: got %d: %s", got, p.stderr)
	}
	for line := range strings.Lines(p.stderr.String()) {
		if !strings.HasPrefix(line, `{"time":`) {
			t.Errorf("log line is not JSON: %s", line)
		}
	}

	copied := filepath.Join(dir, "b.db")
	if status, _, stderr := command(t, append([]string{"backup", copied}, c...)...); status != 0 {
		t.Fatalf("backup: %s", stderr)
	}
	if info, err := os.Stat(copied); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("backup: got %v, %v", info, err)
	}
	if status, _, stderr := command(t, append([]string{"backup", copied}, c...)...); status != 1 || !strings.Contains(stderr, "file exists") {
		t.Errorf("backup over a file: got %d %s", status, stderr)
	}
	must(t, os.Rename(copied, filepath.Join(dir, "data/gatehouse.db")))
	if status, _, stderr := command(t, append([]string{"check"}, c...)...); status != 0 {
		t.Errorf("restored: %s", stderr)
	}

	must(t, os.Remove(filepath.Join(dir, "keys/master.key")))
	if status, _, stderr := command(t, append([]string{"init"}, c...)...); status != 1 || !strings.Contains(stderr, "opens only with the key that sealed it") {
		t.Errorf("init with data but no key: got %d %s", status, stderr)
	}
	_, err = store.CreateKeyFile(filepath.Join(dir, "keys/master.key"))
	must(t, err)
	if status, _, stderr := command(t, append([]string{"serve"}, c...)...); status != 1 || strings.Count(stderr, "\n") != 1 {
		t.Errorf("wrong key: got %d %q, want one line", status, stderr)
	}
	must(t, os.Chmod(filepath.Join(dir, "keys/master.key"), 0o644))
	if status, _, stderr := command(t, append([]string{"serve"}, c...)...); status != 1 || !strings.Contains(stderr, "0644") {
		t.Errorf("K6, key for everyone: got %d %q", status, stderr)
	}
}

func TestCheckSaysEverythingAtOnce(t *testing.T) {
	t.Parallel()
	path := writeConfig(t, "issuer: https://localhost\nlisten: ':0'\ndata: x.db\ntls: {cert_file: no.crt, key_file: no.key}\n")
	status, _, stderr := command(t, "check", "--config", path)
	if status != 1 || !strings.Contains(stderr, "no.crt") || !strings.Contains(stderr, "there is no master key") {
		t.Errorf("got %d %s", status, stderr)
	}
}

func TestUsageFaultsEndWithStatusTwo(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"nonsense"}, {"serve", "--nonsense"}, {"serve", "surplus"}, {"backup"}, {"config", "nonsense"}} {
		if status, _, stderr := command(t, args...); status != 2 || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: got %d %q, want 2 and one line", args, status, stderr)
		}
	}
	for _, args := range [][]string{nil, {"help"}, {"version"}, {"config", "schema"}, {"serve", "--help"}} {
		if status, stdout, stderr := command(t, args...); status != 0 || stdout == "" || stderr != "" {
			t.Errorf("%v: got %d %q %q", args, status, stdout, stderr)
		}
	}
}

// assembled is a broker on free ports whose public handler the test replaces.
func assembled(t *testing.T, environ ...string) (*gatehouse, net.Listener, net.Listener) {
	t.Helper()
	dir := t.TempDir()
	public, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	private, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	cfg, err := loadConfig("", append([]string{
		"GATEHOUSE_ISSUER=" + localURL(public), "GATEHOUSE_LISTEN=" + public.Addr().String(),
		"GATEHOUSE_ADMIN_LISTEN=" + private.Addr().String(), "GATEHOUSE_DATA=" + filepath.Join(dir, "d.db"),
	}, environ...))
	must(t, err)
	ring, err := store.CreateKeyFile(cfg.MasterKeyFile)
	must(t, err)
	st, err := openData(t.Context(), cfg, ring)
	must(t, err)
	g, err := assemble(t.Context(), cfg, st, quiet())
	must(t, err)
	t.Cleanup(func() {
		g.close()
		must(t, st.Close())
	})
	return g, public, private
}

// TestFT22_StopUnderLoad: readiness goes first, nothing new is accepted, what
// is in flight is answered, and every acknowledged write is there afterwards.
func TestFT22_StopUnderLoad(t *testing.T) {
	t.Parallel()
	g, public, private := assembled(t)
	const parallel = 16
	var inside atomic.Int64
	release := make(chan struct{})
	g.public = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inside.Add(1)
		<-release
		id := r.URL.Query().Get("id")
		err := g.store.Update(r.Context(), func(tx store.Tx) error {
			return g.store.UsedLogins.Insert(tx, store.UsedLogin{ID: id, ExpiresAt: time.Now().Add(time.Hour)})
		})
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	up := make(chan struct{})
	go func() { ended <- g.run(ctx, public, private, func() error { close(up); return nil }) }()
	<-up
	answers := make(chan int, parallel)
	for i := range parallel {
		go func() {
			res, err := http.Get(fmt.Sprintf("%s/?id=%d", localURL(public), i))
			if err != nil {
				answers <- 0
				return
			}
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
			answers <- res.StatusCode
		}()
	}
	eventually(t, "all requests are in flight", func() bool { return inside.Load() == parallel })
	if status, _, _ := get(t, localURL(private)+"/readyz"); status != 200 {
		t.Errorf("readiness before the stop: got %d", status)
	}
	stop()
	eventually(t, "readiness is off while requests are in flight", func() bool {
		status, _, _ := get(t, localURL(private)+"/readyz")
		return status == http.StatusServiceUnavailable
	})
	if status, _, _ := get(t, localURL(private)+"/healthz"); status != 200 {
		t.Errorf("health while stopping: got %d, want 200: the process is fine", status)
	}
	eventually(t, "new connections are refused", func() bool {
		conn, err := net.Dial("tcp", public.Addr().String())
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	close(release)
	for range parallel {
		if got := <-answers; got != 200 {
			t.Errorf("a request in flight got %d", got)
		}
	}
	if err := <-ended; err != nil {
		t.Errorf("run: %v", err)
	}
	err := g.store.View(t.Context(), func(tx store.Tx) error {
		rows, _, err := g.store.UsedLogins.List(tx, store.Page{Limit: 100})
		if len(rows) != parallel {
			t.Errorf("got %d rows, want %d: an acknowledged write is lost", len(rows), parallel)
		}
		return err
	})
	must(t, err)
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("it never came about that %s", what)
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-t.Context().Done():
		}
	}
}

// TestListenerFailureStopsEverything: no half of Gatehouse lives on alone.
func TestListenerFailureStopsEverything(t *testing.T) {
	t.Parallel()
	g, public, private := assembled(t)
	err := g.run(t.Context(), public, private, public.Close)
	if err == nil || !strings.Contains(err.Error(), "public listener") {
		t.Errorf("got %v, want the listener's failure", err)
	}
	if conn, err := net.Dial("tcp", private.Addr().String()); err == nil {
		_ = conn.Close()
		t.Error("the admin listener lives on")
	}
}

func TestServeTLSWithHTTP2(t *testing.T) {
	t.Parallel()
	files := writeCertificate(t, t.TempDir(), "localhost")
	g, public, private := assembled(t)
	c, err := newCertificate(files, quiet(), time.Now)
	must(t, err)
	g.publicTLS = c.config()
	ctx, stop := context.WithCancel(t.Context())
	ended, up := make(chan error, 1), make(chan struct{})
	go func() { ended <- g.run(ctx, public, private, func() error { close(up); return nil }) }()
	<-up
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	res, err := (&http.Client{Transport: transport}).Get(strings.Replace(localURL(public), "http:", "https:", 1) + "/.well-known/openid-configuration")
	must(t, err)
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != 200 || res.ProtoMajor != 2 {
		t.Errorf("got %d over %s", res.StatusCode, res.Proto)
	}
	transport.CloseIdleConnections()
	if got := rawStatus(t, public.Addr().String(), "POST /oauth2/token HTTP/1.1\r\nHost: x\r\n\r\n"); got != 400 {
		t.Errorf("W12, plain http on the TLS port: got %d, want 400", got)
	}
	stop()
	must(t, <-ended)
}
