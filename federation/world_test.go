package federation

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/federation/mockidp"
	"gatehouse/profile"
	"gatehouse/store"
)

// loopback is the operator's list in tests: the mock provider runs there.
func loopback() NetworkPolicy {
	return NetworkPolicy{Prefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}}
}

// clock is an injected clock that tests set.
type clock struct {
	mu     sync.Mutex
	offset time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.offset)
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
}

// world is one provider, one connection to it, and a Federation.
type world struct {
	*Federation
	t     testing.TB
	idp   *mockidp.Running
	conn  store.Connection
	clock *clock

	browser *http.Transport
}

const testPublicURL = "http://127.0.0.1:9000"

func newFederation(t testing.TB, cfg Config) *Federation {
	t.Helper()
	cfg.PublicURL, cfg.Network = testPublicURL, loopback()
	f := New(cfg)
	t.Cleanup(f.Close)
	return f
}

// newSharedWorld is a world whose provider has the same clock.
func newSharedWorld(t testing.TB, cfg mockidp.Config) *world {
	t.Helper()
	c := &clock{}
	cfg.Now = c.now
	w := newWorld(t, cfg)
	w.now, w.clock = c.now, c
	return w
}

func newWorld(t testing.TB, cfg mockidp.Config) *world {
	t.Helper()
	cfg.HugeSize, cfg.SlowDelay = 2<<20, 20*time.Millisecond
	if cfg.AutoLogin == "" {
		cfg.AutoLogin = "*"
	}
	w := &world{t: t, idp: mockidp.Start(t, cfg), clock: &clock{}, browser: &http.Transport{MaxIdleConnsPerHost: 64}}
	t.Cleanup(w.browser.CloseIdleConnections)
	w.Federation = newFederation(t, Config{Now: w.clock.now})
	w.conn = connectionTo(w.idp.URL)
	if err := w.CheckConnection(&w.conn); err != nil {
		t.Fatalf("CheckConnection: %v", err)
	}
	return w
}

func connectionTo(issuer string) store.Connection {
	return store.Connection{
		Meta: store.Meta{Revision: 1}, ID: "acme", OrganizationID: "acme", Title: "Acme",
		Domains: []string{"acme.test"}, Issuer: issuer, ClientID: "gatehouse",
		ClientSecret: store.Seal("mock-secret"), UseUserinfo: true, AllowPrivateNetwork: true,
	}
}

func address(t testing.TB, s string) profile.Email {
	t.Helper()
	e, err := profile.ParseEmail(s)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// visit is the browser at the provider: it returns the callback's parameters.
func (w *world) visit(d Departure, faults ...string) url.Values {
	w.t.Helper()
	target := d.URL
	if len(faults) > 0 {
		target += "&" + url.Values{"fault": {strings.Join(faults, ",")}}.Encode()
	}
	req, err := http.NewRequest(http.MethodGet, target, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	resp, err := w.browser.RoundTrip(req)
	if err != nil {
		w.t.Fatalf("visit: %v", err)
	}
	defer resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		w.t.Fatalf("the provider did not redirect: status %d", resp.StatusCode)
	}
	if got, want := strings.SplitN(back.String(), "?", 2)[0], w.RedirectURI(d.Flow.ConnectionID); got != want {
		w.t.Fatalf("sent back to %s, want %s", got, want)
	}
	return back.Query()
}

func (w *world) depart(r DepartRequest) (Departure, error) {
	if r.Tx == "" {
		r.Tx = "tx"
	}
	if r.LoginHint.IsZero() {
		r.LoginHint = address(w.t, "alice@acme.test")
	}
	return w.Depart(context.Background(), w.conn, r)
}

// login is a whole login of alice, with faults of the provider.
func (w *world) login(faults ...string) (VerifiedIdentity, error) {
	return w.loginAs(DepartRequest{}, faults...)
}

func (w *world) loginAs(r DepartRequest, faults ...string) (VerifiedIdentity, error) {
	w.t.Helper()
	d, err := w.depart(r)
	if err != nil {
		return VerifiedIdentity{}, err
	}
	return w.Return(context.Background(), w.conn, d.Flow, w.visit(d, faults...))
}

func (w *world) count(endpoint string) int { return w.idp.Requests().Counts[endpoint] }

// code is the Code of an error, "ok" for none.
func code(err error) string {
	var e *Error
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &e):
		return e.Code
	}
	return "not an *Error: " + err.Error()
}

func wantCode(t testing.TB, err error, want string) {
	t.Helper()
	if got := code(err); got != want {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
}

// settle waits for background refreshes to end.
func (w *world) settle() { w.running.Wait() }

func TestLogin_WholeWay(t *testing.T) {
	t.Parallel()
	for _, alg := range []string{"ES256", "RS256", "PS256", "EdDSA"} {
		for _, auth := range []string{store.AuthHeader, store.AuthForm} {
			t.Run(alg+"/"+auth, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, mockidp.Config{SigningAlg: alg})
				w.conn.ClientAuth = auth
				id, err := w.loginAs(DepartRequest{Tx: "t1"})
				if err != nil {
					t.Fatal(err)
				}
				if !id.Valid() || id.Email() != address(t, "alice@acme.test") || id.EmailVerified() != profile.True {
					t.Errorf("identity %+v", id)
				}
				if id.Issuer() != w.idp.URL || id.Connection().ID != "acme" || id.Attributes().FirstName == "" || id.AuthTime().IsZero() {
					t.Errorf("identity %+v", id)
				}
				again, err := w.login()
				if err != nil || again.Subject() != id.Subject() {
					t.Errorf("second login: %q, %v, want subject %q", again.Subject(), err, id.Subject())
				}
				if d, j := w.count("discovery"), w.count("jwks"); d != 1 || j != 1 {
					t.Errorf("two logins made %d discovery and %d JWKS requests, want 1 each", d, j)
				}
				if n := len(w.idp.Requests().Of("token")); n != 2 {
					t.Errorf("%d token requests, want 2", n)
				}
			})
		}
	}
}

func TestVerifiedIdentity_ZeroIsNotValid(t *testing.T) {
	t.Parallel()
	if (VerifiedIdentity{}).Valid() {
		t.Error("the zero identity is valid")
	}
}
