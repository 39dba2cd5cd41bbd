package federation

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/federation/mockidp"
	"gatehouse/store"
)

func TestS1_FlowBelongsToThisLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockidp.Config{})
	first, err := w.depart(DepartRequest{Tx: "one"})
	if err != nil {
		t.Fatal(err)
	}
	second, err := w.depart(DepartRequest{Tx: "two"})
	if err != nil {
		t.Fatal(err)
	}
	params := w.visit(first)
	try := func(flow Flow, params url.Values, want string) {
		t.Helper()
		_, err := w.Return(t.Context(), w.conn, flow, params)
		wantCode(t, err, want)
	}
	try(second.Flow, params, CodeStateMismatch) // another browser's, another tab's
	try(Flow{}, params, CodeConnectionMismatch)
	empty := first.Flow
	empty.State = ""
	try(empty, url.Values{"state": {""}, "code": {"x"}}, CodeRequestInvalid)
	bare := first.Flow
	bare.Nonce, bare.Verifier = "", ""
	try(bare, params, CodeRequestInvalid)
	try(first.Flow, url.Values{"state": {first.Flow.State[:len(first.Flow.State)-1]}, "code": {"x"}}, CodeStateMismatch)
	w.clock.add(FlowLifetime)
	try(first.Flow, params, CodeLoginExpired)
	w.clock.add(-2 * FlowLifetime)
	try(first.Flow, params, CodeLoginExpired) // the clock was set back
	w.clock.add(FlowLifetime)
	if n := w.count("token"); n != 0 {
		t.Errorf("%d token requests, want none", n)
	}
	try(first.Flow, params, "ok")
	try(first.Flow, params, CodeCodeRefused) // the provider sees to single use, the cookie too
}

func TestS3_StateIsOurs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockidp.Config{})
	seen := map[string]bool{}
	for range 50 {
		d, err := w.depart(DepartRequest{Tx: "same"})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []string{d.Flow.State, d.Flow.Nonce, d.Flow.Verifier} {
			if seen[v] || len(v) < 26 {
				t.Errorf("%q is repeated or short", v)
			}
			seen[v] = true
		}
		if tx, ok := StateTx(d.Flow.State); !ok || tx != "same" {
			t.Errorf("StateTx(%q) = %q, %v", d.Flow.State, tx, ok)
		}
	}
	for _, s := range []string{"", "x", ".x", "a b.x", "ü.x", strings.Repeat("a", 65) + ".x"} {
		if tx, ok := StateTx(s); ok {
			t.Errorf("StateTx(%q) = %q", s, tx)
		}
	}
	for _, tx := range []string{"", "a.b", "a b", strings.Repeat("a", 65)} {
		if _, err := w.Depart(t.Context(), w.conn, DepartRequest{Tx: tx}); code(err) != CodeRequestInvalid {
			t.Errorf("transaction id %q: %v", tx, err)
		}
	}
}

// The flow is kept in a cookie: as JSON and back it is the same, and small.
func TestFlow_SurvivesTheCookie(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockidp.Config{})
	age := int64(60)
	d, err := w.depart(DepartRequest{Tx: strings.Repeat("t", 26), MaxAge: &age})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(d.Flow)
	if err != nil || len(raw) > 400 {
		t.Fatalf("%d bytes, %v", len(raw), err)
	}
	var back Flow
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Return(t.Context(), w.conn, back, w.visit(d)); err != nil {
		t.Error(err)
	}
}

func TestP9_PKCEAndNonceAlways(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockidp.Config{})
	if _, err := w.login(); err != nil {
		t.Fatal(err)
	}
	q := w.idp.Requests().Of("authorize")[0]
	if q.Param("code_challenge_method") != "S256" || len(q.Param("code_challenge")) != 43 || q.Param("nonce") == "" || q.Param("state") == "" || q.Param("response_type") != "code" {
		t.Errorf("authorize request %+v", q.Query)
	}
	if q := w.idp.Requests().Of("token")[0]; q.Param("code_verifier") == "" || q.Param("redirect_uri") != testPublicURL+"/login/callback/acme" {
		t.Errorf("token request %+v", q.Form)
	}
	for name, change := range map[string]func(*store.Connection){
		"no PKCE":  func(c *store.Connection) { c.InsecureNoPKCE = true },
		"no nonce": func(c *store.Connection) { c.InsecureNoNonce = true },
	} {
		w := newWorld(t, mockidp.Config{})
		change(&w.conn)
		if _, err := w.login(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestA12_FreshLoginIsAskedForAndProven(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockidp.Config{})
	if _, err := w.loginAs(DepartRequest{ForceLogin: true}); err != nil {
		t.Fatal(err)
	}
	if q := w.idp.Requests().Of("authorize")[0]; q.Param("prompt") != "login" || q.Param("max_age") != "0" {
		t.Errorf("asked %+v", q.Query)
	}
	for _, fault := range []string{"stale_auth_time", "missing_auth_time"} {
		_, err := w.loginAs(DepartRequest{ForceLogin: true}, fault)
		wantCode(t, err, CodeIDTokenAuthTime)
		hour := int64(3600)
		_, err = w.loginAs(DepartRequest{MaxAge: &hour}, fault)
		wantCode(t, err, CodeIDTokenAuthTime)
	}
	w.conn.ACRValues = []string{"urn:mock:gold"}
	_, err := w.login("weak_acr")
	wantCode(t, err, CodeIDTokenACR)
	q := w.idp.Requests().Of("authorize")
	if q[len(q)-1].Param("acr_values") != "urn:mock:gold" {
		t.Error("acr_values were not sent")
	}
	bad := int64(-1)
	_, err = w.depart(DepartRequest{MaxAge: &bad})
	wantCode(t, err, CodeRequestInvalid)
}

func TestLoginHint(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockidp.Config{})
	d, err := w.depart(DepartRequest{UILocales: "de fr-CH"})
	if err != nil || !strings.Contains(d.URL, "login_hint=alice%40acme.test") || !strings.Contains(d.URL, "ui_locales=de+fr-CH") {
		t.Errorf("%s %v", d.URL, err)
	}
	w.conn.LoginHint = LoginHintOff
	d, err = w.depart(DepartRequest{UILocales: "de\r\nX: y"})
	if err != nil || strings.Contains(d.URL, "login_hint") || strings.Contains(d.URL, "ui_locales") {
		t.Errorf("%s %v", d.URL, err)
	}
}

// M4: two tenants at one issuer. Context is the connection, never the issuer.
func TestM4_OneIssuerTwoConnections(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockidp.Config{Clients: []mockidp.Client{
		{ID: "gatehouse", Secret: "mock-secret", LoopbackRedirects: true}, {ID: "tenant-b", Secret: "secret-b", LoopbackRedirects: true},
	}})
	b := w.conn
	b.ID, b.ClientID, b.ClientSecret = "tenant-b", "tenant-b", store.Seal("secret-b")
	d, err := w.depart(DepartRequest{})
	if err != nil {
		t.Fatal(err)
	}
	params := w.visit(d)
	_, err = w.Return(t.Context(), b, d.Flow, params)
	wantCode(t, err, CodeConnectionMismatch)
	if n := w.count("token"); n != 0 {
		t.Errorf("the code went to the other tenant's client: %d token requests", n)
	}
	// Even with a forged flow the provider binds the code to its client.
	forged := d.Flow
	forged.ConnectionID = "tenant-b"
	_, err = w.Return(t.Context(), b, forged, params)
	wantCode(t, err, CodeCodeRefused)
}

// M6, M2: a provider that announces iss is held to it; one that does not is not.
func TestM2_ProviderWithoutIssParameter(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockidp.Config{OmitIssParameter: true})
	_, err := w.login()
	wantCode(t, err, "ok")
	_, err = w.login("wrong_callback_iss")
	wantCode(t, err, CodeCallbackIssuer)
}

func TestM9_ConnectionEditedMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockidp.Config{})
	d, err := w.depart(DepartRequest{})
	if err != nil {
		t.Fatal(err)
	}
	params := w.visit(d)
	edited := w.conn
	edited.Revision++
	edited.Issuer = "https://elsewhere.example"
	_, err = w.Return(t.Context(), edited, d.Flow, params)
	wantCode(t, err, CodeConnectionChanged)
	if n := w.count("token"); n != 0 {
		t.Errorf("%d token requests, want none", n)
	}
}

func TestE12_DisabledBeforeTheCallback(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockidp.Config{})
	d, err := w.depart(DepartRequest{})
	if err != nil {
		t.Fatal(err)
	}
	params := w.visit(d)
	w.conn.Disabled = true
	_, err = w.Return(t.Context(), w.conn, d.Flow, params)
	wantCode(t, err, CodeConnectionDisabled)
	_, err = w.depart(DepartRequest{})
	wantCode(t, err, CodeConnectionDisabled)
}

func TestM8_ParallelLoginsNeverCross(t *testing.T) {
	t.Parallel()
	a, b := newWorld(t, mockidp.Config{}), newWorld(t, mockidp.Config{Domain: "globex.test"})
	f := newFederation(t, Config{})
	f.timing.bulkhead, f.timing.request, f.timing.step = time.Minute, time.Minute, time.Minute
	b.conn.ID = "globex"
	a.Federation, b.Federation = f, f
	logins := 1000
	if testing.Short() {
		logins = 100
	}
	var wg sync.WaitGroup
	browsers := make(chan struct{}, 32)
	var subjects sync.Map
	for i := range logins {
		w, email := a, "alice@acme.test"
		if i%2 == 1 {
			w, email = b, "alice@globex.test"
		}
		if i%4 > 1 {
			email = strings.Replace(email, "alice", "bob", 1)
		}
		wg.Go(func() {
			browsers <- struct{}{}
			defer func() { <-browsers }()
			hint := address(t, email)
			d, err := w.Depart(t.Context(), w.conn, DepartRequest{Tx: "t", LoginHint: hint})
			if err != nil {
				t.Error(err)
				return
			}
			id, err := w.Return(t.Context(), w.conn, d.Flow, w.visit(d))
			if err != nil {
				t.Error(err)
				return
			}
			if id.Email() != hint || id.Connection().ID != w.conn.ID || id.Issuer() != w.idp.URL {
				t.Errorf("%s came back as %s of %s", email, id.Email(), id.Connection().ID)
			}
			if first, loaded := subjects.LoadOrStore(email, id.Subject()); loaded && first != id.Subject() {
				t.Errorf("%s has two subjects", email)
			}
		})
	}
	wg.Wait()
	if n := a.count("jwks") + a.count("discovery"); n != 2 {
		t.Errorf("%d fetches of discovery and keys, want 2", n)
	}
}

func TestKeepAlive_ParallelLoginsReuseConnections(t *testing.T) {
	t.Parallel()
	srv := httptest.NewUnstartedServer(nil)
	p, err := mockidp.New(mockidp.Config{Issuer: "http://" + srv.Listener.Addr().String(), AutoLogin: "*"})
	if err != nil {
		t.Fatal(err)
	}
	var opened atomic.Int32
	srv.Config.Handler = p
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	w := &world{t: t, Federation: newFederation(t, Config{}), conn: connectionTo(srv.URL), browser: &http.Transport{MaxIdleConnsPerHost: 64}}
	t.Cleanup(w.browser.CloseIdleConnections)
	if err := w.CheckConnection(&w.conn); err != nil {
		t.Fatal(err)
	}
	const workers, each = 16, 8
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				if _, err := w.login(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	// Each worker needs one connection as browser and one through Federation;
	// racing dials add some.
	if n := opened.Load(); n > 6*workers {
		t.Errorf("%d connections for %d logins of 3 requests", n, workers*each)
	}
}

func TestK1_Clocks(t *testing.T) {
	t.Parallel()
	for ours, want := range map[time.Duration]string{
		0: "ok", time.Minute: "ok", -time.Minute: "ok",
		-5 * time.Minute: CodeIDTokenTimes, -time.Hour: CodeIDTokenTimes, time.Hour: CodeIDTokenExpired,
	} {
		w := newWorld(t, mockidp.Config{})
		w.clock.add(ours)
		_, err := w.login()
		if code(err) != want {
			t.Errorf("our clock %s ahead: %v, want %s", ours, err, want)
		}
		if err != nil && !strings.Contains(err.Error(), "clock") {
			t.Errorf("%v does not speak of the clock", err)
		}
	}
}

func TestAbandoned_BrowserWentAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockidp.Config{})
	if _, err := w.login(); err != nil {
		t.Fatal(err)
	}
	w.idp.SetFault("token_hang", 0)
	for range 2 * w.timing.failures {
		d, err := w.depart(DepartRequest{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		before := w.count("token")
		done := make(chan error, 1)
		params := w.visit(d)
		go func() {
			_, err := w.Return(ctx, w.conn, d.Flow, params)
			done <- err
		}()
		waitFor(t, func() bool { return w.count("token") > before })
		cancel()
		wantCode(t, <-done, CodeAbandoned)
	}
	w.idp.ClearFaults()
	_, err := w.login()
	wantCode(t, err, "ok") // impatient people do not open the breaker
}

// waitFor polls what another goroutine does; there is no event to wait for at a
// server in another package.
func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatal("it never happened")
		}
		time.Sleep(time.Millisecond)
	}
}
