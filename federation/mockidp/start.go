package mockidp

import (
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// TB is what Start needs of a *testing.T, *testing.B or *testing.F. The package does
// not import testing, which would put its flags into the gatehouse binary.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Running is a provider that listens on a loopback port until the test ends.
type Running struct {
	// URL is the issuer, such as http://127.0.0.1:40123.
	URL      string
	Provider *Provider
	tb       TB
	stop     func()
}

// Stop takes the provider off the network: connections are refused from now on.
func (r *Running) Stop() { r.stop() }

// Start serves a provider on a free loopback port. An empty cfg.Issuer becomes the
// listener's URL.
func Start(tb TB, cfg Config) *Running {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("mockidp: listening: %v", err)
	}
	if cfg.Issuer == "" {
		cfg.Issuer = "http://" + ln.Addr().String()
	}
	p, err := New(cfg)
	if err != nil {
		_ = ln.Close() // the test has failed already
		tb.Fatalf("mockidp: %v", err)
	}
	server := &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan error, 1)
	go func() { done <- server.Serve(ln) }()
	stop := sync.OnceFunc(func() {
		p.Close()
		_ = server.Close() // only closes connections nobody waits for
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			tb.Fatalf("mockidp: serving: %v", err)
		}
	})
	tb.Cleanup(stop)
	return &Running{URL: cfg.Issuer, Provider: p, tb: tb, stop: stop}
}

// SetFault arms a fault, see Provider.SetFault.
func (r *Running) SetFault(fault string, count int) {
	r.tb.Helper()
	if err := r.Provider.SetFault(fault, count); err != nil {
		r.tb.Fatalf("mockidp: %v", err)
	}
}

// ClearFaults disarms everything.
func (r *Running) ClearFaults() { r.Provider.ClearFaults() }

// SetAuto signs everybody in as user without a page, see Config.AutoLogin.
func (r *Running) SetAuto(user string) { r.Provider.SetAuto(user) }

// SetUser adds or replaces a person.
func (r *Running) SetUser(name string, profile map[string]any) {
	r.tb.Helper()
	if err := r.Provider.SetUser(name, profile); err != nil {
		r.tb.Fatalf("mockidp: %v", err)
	}
}

// RotateKeys makes a fresh signing key and answers its kid.
func (r *Running) RotateKeys(rot Rotation) string {
	r.tb.Helper()
	kid, err := r.Provider.RotateKeys(rot)
	if err != nil {
		r.tb.Fatalf("mockidp: %v", err)
	}
	return kid
}

// Requests is what came in.
func (r *Running) Requests() Requests { return r.Provider.Requests() }
