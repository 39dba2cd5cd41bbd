package federation

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gatehouse/federation/mockidp"
)

func TestJ19_OneKeyFetchPerPause(t *testing.T) {
	t.Parallel()
	w := newSharedWorld(t, mockidp.Config{})
	if _, err := w.login(); err != nil {
		t.Fatal(err)
	}
	w.idp.Provider.ClearRequests()
	storm := func() {
		var wg sync.WaitGroup
		for i := range 100 {
			fault := "unknown_kid"
			if i%2 == 0 {
				fault = "bad_signature"
			}
			wg.Go(func() {
				if _, err := w.login(fault); err == nil {
					t.Error("accepted")
				}
			})
		}
		wg.Wait()
	}
	w.timing.bulkhead, w.timing.request, w.timing.step = time.Minute, time.Minute, time.Minute
	storm()
	if n := w.count("jwks"); n > 1 {
		t.Errorf("100 bad tokens caused %d JWKS fetches, want at most 1", n)
	}
	w.clock.add(w.timing.keyPause + time.Second)
	storm()
	if n := w.count("jwks"); n > 2 {
		t.Errorf("after the pause: %d JWKS fetches, want at most 2", n)
	}
	_, err := w.login("unknown_kid")
	if e, ok := AsError(err); !ok || !e.Temporary {
		t.Errorf("%v: a key that may appear later is a temporary fault", err)
	}
}

func TestK3_Rotation(t *testing.T) {
	t.Parallel()
	w := newSharedWorld(t, mockidp.Config{})
	for i, r := range []mockidp.Rotation{{}, {DropOld: true}, {ReuseKID: true}} {
		if _, err := w.login(); err != nil {
			t.Fatal(err)
		}
		w.clock.add(w.timing.keyPause + time.Second)
		before := w.count("jwks")
		w.idp.RotateKeys(r)
		if _, err := w.login(); err != nil {
			t.Errorf("rotation %d: %v", i, err)
		}
		if n := w.count("jwks") - before; n != 1 {
			t.Errorf("rotation %d: %d JWKS fetches, want 1", i, n)
		}
	}
}

func TestK3_RemovedKeyIsRefusedWithinItsAge(t *testing.T) {
	t.Parallel()
	w := newSharedWorld(t, mockidp.Config{})
	if _, err := w.login(); err != nil {
		t.Fatal(err)
	}
	u := w.upstream(&w.conn)
	fetch := w.fetchKeys(&w.conn, u, w.idp.URL+"/jwks")
	old, _, err := u.keys.get(t.Context(), w.Federation, fetch)
	if err != nil {
		t.Fatal(err)
	}
	h := header{alg: "ES256", keyID: old.keys[0].id, hasKeyID: true}
	w.idp.RotateKeys(mockidp.Rotation{DropOld: true})
	w.clock.add(u.keys.fresh)
	now, _, err := u.keys.get(t.Context(), w.Federation, fetch)
	if err != nil {
		t.Fatal(err)
	}
	_, err = now.pick(h)
	wantCode(t, err, CodeIDTokenKeyUnknown)
	// A provider that withdraws every key is heard too.
	w.idp.SetFault("jwks_empty", 0)
	w.clock.add(u.keys.fresh)
	_, err = w.login()
	wantCode(t, err, CodeIDTokenKeyUnknown)
}

func TestK4_ForgottenAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockidp.Config{})
	if _, err := w.login(); err != nil {
		t.Fatal(err)
	}
	w.Forget(w.conn.ID)
	w.idp.SetFault("jwks_500", 0)
	_, err := w.login()
	wantCode(t, err, CodeUnavailable) // no stale key serves
	w.idp.ClearFaults()
	// Other nodes hear of it by the record's revision.
	w.conn.Revision++
	before := w.count("jwks")
	_, err = w.login()
	wantCode(t, err, "ok")
	if n := w.count("jwks") - before; n != 1 {
		t.Errorf("%d JWKS fetches after the revision changed, want 1", n)
	}
}

func TestFT13_KeysDownDuringRotation(t *testing.T) {
	t.Parallel()
	w := newSharedWorld(t, mockidp.Config{})
	if _, err := w.login(); err != nil {
		t.Fatal(err)
	}
	w.idp.SetFault("jwks_503", 0)
	w.idp.RotateKeys(mockidp.Rotation{DropOld: true})
	_, err := w.login()
	wantCode(t, err, CodeIDTokenKeyUnknown)
	if e, ok := AsError(err); !ok || !e.Temporary {
		t.Errorf("%v is not temporary", err)
	}
	w.idp.ClearFaults()
	w.clock.add(w.timing.keyPause + time.Second)
	_, err = w.login()
	wantCode(t, err, "ok")
}

func TestFT13_StaleKeysForADay(t *testing.T) {
	t.Parallel()
	w := newSharedWorld(t, mockidp.Config{})
	if _, err := w.login(); err != nil {
		t.Fatal(err)
	}
	w.idp.SetFault("jwks_500", 0)
	w.idp.SetFault("discovery_500", 0)
	for _, age := range []time.Duration{time.Hour, 22 * time.Hour} {
		w.clock.add(age)
		before := w.count("jwks")
		for range 3 {
			_, err := w.login()
			wantCode(t, err, "ok")
		}
		if n := w.count("jwks") - before; n != 1 {
			t.Errorf("%d attempts at keys that cannot be had, within the pause; want 1", n)
		}
	}
	w.clock.add(2 * time.Hour)
	_, err := w.login()
	wantCode(t, err, CodeUnavailable)
}

// Gatehouse starts with every provider down, and a provider that comes back is
// used again without a restart.
func TestDiscovery_ProviderDownAtStart(t *testing.T) {
	t.Parallel()
	w := newSharedWorld(t, mockidp.Config{})
	w.idp.SetFault("discovery_503", 0)
	for range 3 {
		_, err := w.login()
		wantCode(t, err, CodeUnavailable)
	}
	if n := w.count("discovery"); n != 1 {
		t.Errorf("%d discovery requests within the pause, want 1", n)
	}
	w.idp.ClearFaults()
	w.clock.add(w.timing.failPause)
	_, err := w.login()
	wantCode(t, err, "ok")
}

func TestDiscovery_RefreshedInTheBackground(t *testing.T) {
	t.Parallel()
	w := newSharedWorld(t, mockidp.Config{})
	if _, err := w.login(); err != nil {
		t.Fatal(err)
	}
	w.clock.add(40 * time.Minute) // past half of an hour
	if _, err := w.depart(DepartRequest{}); err != nil {
		t.Fatal(err)
	}
	w.settle()
	if n := w.count("discovery"); n != 2 {
		t.Errorf("%d discovery requests, want 2", n)
	}
	// M7 at refresh: the lying document is not taken, the good one goes on.
	w.idp.SetFault("discovery_wrong_issuer", 0)
	w.clock.add(40 * time.Minute)
	_, err := w.login()
	wantCode(t, err, "ok")
	w.settle()
}

func TestJ21_OneHangingFetchForAll(t *testing.T) {
	t.Parallel()
	w := newSharedWorld(t, mockidp.Config{})
	w.timing.request = 300 * time.Millisecond
	w.idp.SetFault("jwks_hang", 1)
	// The first who asks goes away; that must not fail those who wait with it,
	// nor keep the connection dead.
	d, err := w.depart(DepartRequest{})
	if err != nil {
		t.Fatal(err)
	}
	params := w.visit(d)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = w.Return(ctx, w.conn, d.Flow, params)
	}()
	waitFor(t, func() bool { return w.count("jwks") == 1 })
	cancel()
	<-done
	w.settle() // the fetch itself ends by its own deadline
	w.clock.add(w.timing.failPause + time.Second)
	w.timing.request = time.Minute
	_, err = w.login()
	wantCode(t, err, "ok")
}

func TestQ4_HangingProviderHarmsOnlyItself(t *testing.T) {
	t.Parallel()
	f := newFederation(t, Config{})
	f.timing.slots, f.timing.bulkhead, f.timing.request = 4, 10*time.Millisecond, time.Minute
	slow, good := newWorld(t, mockidp.Config{}), newWorld(t, mockidp.Config{})
	slow.Federation, good.Federation = f, f
	good.conn.ID = "good"
	if _, err := slow.login(); err != nil {
		t.Fatal(err)
	}
	slow.idp.SetFault("token_hang", 0)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 4 {
		d, err := slow.depart(DepartRequest{})
		if err != nil {
			t.Fatal(err)
		}
		params := slow.visit(d)
		wg.Go(func() {
			_, err := slow.Return(ctx, slow.conn, d.Flow, params)
			wantCode(t, err, CodeAbandoned)
		})
	}
	waitFor(t, func() bool { return slow.count("token") == 5 })
	// All slots of the slow one hang: its next are told at once, the others
	// do not notice.
	for range 5 {
		_, err := slow.login()
		wantCode(t, err, CodeBusy)
	}
	for range 20 {
		_, err := good.login()
		wantCode(t, err, "ok")
	}
	if n := slow.count("token"); n != 5 {
		t.Errorf("%d requests at the hanging provider, want 5", n)
	}
	cancel()
	wg.Wait()
	if n := len(f.upstream(&slow.conn).slots); n != 0 {
		t.Errorf("%d slots still taken", n)
	}
}

func TestQ4_BreakerSparesADeadProvider(t *testing.T) {
	t.Parallel()
	w := newSharedWorld(t, mockidp.Config{})
	if _, err := w.login(); err != nil {
		t.Fatal(err)
	}
	w.idp.SetFault("token_500", 0)
	for range w.timing.failures {
		_, err := w.login()
		wantCode(t, err, CodeUnavailable)
	}
	before := w.count("token")
	for range 10 {
		_, err := w.login()
		wantCode(t, err, CodeSuspended)
		if e, _ := AsError(err); !e.Temporary || e.Blame != BlameProvider {
			t.Errorf("%+v", e)
		}
	}
	if n := w.count("token") - before; n != 0 {
		t.Errorf("%d requests went through the open breaker", n)
	}
	w.clock.add(w.timing.rest)
	_, err := w.login()
	wantCode(t, err, CodeUnavailable) // the probe, and open again
	_, err = w.login()
	wantCode(t, err, CodeSuspended)
	w.idp.ClearFaults()
	w.clock.add(w.timing.rest)
	for range 3 {
		_, err = w.login()
		wantCode(t, err, "ok")
	}
}

func TestClose_EndsRefreshes(t *testing.T) {
	t.Parallel()
	f := newFederation(t, Config{})
	c := &cached[int]{fresh: time.Hour, stale: time.Hour, pause: time.Second}
	started := make(chan struct{})
	got := make(chan error, 1)
	go func() {
		_, _, err := c.get(context.Background(), f, func(ctx context.Context) (int, error) {
			close(started)
			<-ctx.Done()
			return 0, ctx.Err()
		})
		got <- err
	}()
	<-started
	f.Close()
	if err := <-got; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, _, err := c.get(context.Background(), f, nil); err == nil {
		t.Error("a closed Federation fetches")
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	r := prometheus.NewRegistry()
	w := newWorld(t, mockidp.Config{})
	w.metrics = newMetrics(r)
	if _, err := w.login(); err != nil {
		t.Fatal(err)
	}
	_, _ = w.login("wrong_nonce")
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	outcomes := map[string]bool{}
	for _, f := range families {
		if f.GetName() == "gatehouse_federation_returns_total" {
			for _, m := range f.GetMetric() {
				for _, l := range m.GetLabel() {
					outcomes[l.GetValue()] = true
				}
			}
		}
	}
	if len(families) != 3 || !outcomes["ok"] || !outcomes[CodeIDTokenNonce] {
		t.Errorf("%d families, outcomes %v", len(families), outcomes)
	}
}
