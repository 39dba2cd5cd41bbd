package broker

import (
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"gatehouse/federation/mockidp"
	"gatehouse/store"
)

// newRefreshLogin signs alice in at a connection that asks its provider at each
// refresh.
func newRefreshLogin(t *testing.T) (*world, tokens) {
	t.Helper()
	w := newWorld(t)
	// A provider that takes each refresh token once.
	w.acme = mockidp.Start(t, mockidp.Config{Domain: "acme.test", AutoLogin: "*", Now: w.clock.now, RotateRefreshTokens: true})
	w.edit("acme", func(c *store.Connection) {
		c.RefreshLogin, c.Issuer = true, w.acme.URL
		c.Scopes = append(c.Scopes, "offline_access")
	})
	return w, w.signedIn("web")
}

func (w *world) askedAtRefresh() int {
	n := 0
	for _, q := range w.acme.Requests().Of("token") {
		if q.Param("grant_type") == "refresh_token" {
			n++
		}
	}
	return n
}

func TestRefreshLogin_AsksTheProvider(t *testing.T) {
	t.Parallel()
	w, tok := newRefreshLogin(t)
	for range 2 {
		w.clock.add(time.Minute)
		if tok = w.refresh("web", tok.Refresh); tok.status != http.StatusOK {
			t.Fatalf("%+v", tok)
		}
	}
	if n := w.askedAtRefresh(); n != 2 {
		t.Errorf("asked %d times for 2 refreshes", n)
	}
}

func TestT9_DefiniteNoEndsTheSignIn(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"refresh_invalid_grant", "refresh_wrong_sub", "refresh_wrong_iss"} {
		w, tok := newRefreshLogin(t)
		w.clock.add(time.Minute)
		w.acme.SetFault(fault, 1)
		if got := w.refresh("web", tok.Refresh); got.Error != "invalid_grant" || got.Access != "" {
			t.Errorf("%s: %+v", fault, got)
		}
		if status, _ := w.userinfo(tok.Access); status != http.StatusUnauthorized {
			t.Errorf("%s: the access token lives on: %d", fault, status)
		}
		before := w.askedAtRefresh()
		if got := w.refresh("web", tok.Refresh); got.Error != "invalid_grant" || w.askedAtRefresh() != before {
			t.Errorf("%s: the grant lives on: %+v", fault, got)
		}
	}
}

func TestRefreshLogin_OutageIsToleratedWithinItsBound(t *testing.T) {
	t.Parallel()
	w, tok := newRefreshLogin(t)
	w.edit("acme", func(c *store.Connection) { c.RefreshOutageSeconds = 600 })
	w.acme.SetFault("refresh_503", 0)
	w.clock.add(5 * time.Minute)
	if tok = w.refresh("web", tok.Refresh); tok.status != http.StatusOK {
		t.Fatalf("within the bound: %+v", tok)
	}
	w.clock.add(6 * time.Minute)
	if got := w.refresh("web", tok.Refresh); got.status != http.StatusServiceUnavailable || got.Error != "temporarily_unavailable" {
		t.Errorf("beyond it: %+v", got)
	}
	w.acme.ClearFaults()
	w.clock.add(time.Minute)
	if got := w.refresh("web", tok.Refresh); got.status != http.StatusOK {
		t.Errorf("when the provider is back: %+v", got)
	}
}

// The provider takes each refresh token once. Ten callers at a time, and several
// grants of one sign-in, never lose the newest.
func TestZ8_RotationNeverLosesTheNewest(t *testing.T) {
	t.Parallel()
	w, tok := newRefreshLogin(t)
	for range 3 {
		w.clock.add(time.Minute)
		var wg sync.WaitGroup
		var mu sync.Mutex
		var good tokens
		for range 10 {
			wg.Go(func() {
				got := w.refresh("web", tok.Refresh)
				mu.Lock()
				defer mu.Unlock()
				if got.status == http.StatusOK {
					good = got
				} else {
					t.Errorf("%+v", got)
				}
			})
		}
		wg.Wait()
		tok = good
	}
	if tok.Refresh == "" {
		t.Error("nobody got through")
	}
}

func TestRefreshLogin_NothingIsKeptElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.edit("acme", func(c *store.Connection) { c.Scopes = append(c.Scopes, "offline_access") })
	w.signedIn("web")
	if err := w.store.View(t.Context(), func(tx store.Tx) error {
		for rec, err := range w.store.UpstreamTokens.All(tx) {
			if err != nil {
				return err
			}
			t.Errorf("kept %+v", rec)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestSessionLimitsOfAConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.edit("acme", func(c *store.Connection) { c.MaxSessionSeconds, c.IdleSessionSeconds = 600, 120 })
	silent := func(b *browser) url.Values {
		params, _ := w.ask("web")
		params.Set("prompt", "none")
		return b.authorize(params)
	}
	b := w.browser()
	params, _ := w.ask("web")
	b.authorize(params)
	for i := range 5 { // used every 100 seconds: alive, until the maximum
		w.clock.add(100 * time.Second)
		if got := silent(b); got.Get("code") == "" {
			t.Fatalf("use %d: %v", i, got)
		}
	}
	w.clock.add(100 * time.Second)
	if got := silent(b); got.Get("error") != "login_required" {
		t.Errorf("past the maximum: %v", got)
	}
	params, _ = w.ask("web")
	b.authorize(params)
	w.clock.add(121 * time.Second)
	if got := silent(b); got.Get("error") != "login_required" {
		t.Errorf("past the idle time: %v", got)
	}
}

func TestConcurrentLogins(t *testing.T) {
	t.Parallel()
	for policy, want := range map[string]struct{ sameApp, otherApp bool }{
		"": {true, true}, onePerApp: {false, true}, oneLogin: {false, false},
	} {
		w := newWorld(t)
		w.edit("acme", func(c *store.Connection) { c.ConcurrentLogins = policy })
		web, post := w.signedIn("web"), w.signedIn("post")
		if policy == oneLogin { // the second login has ended the first already
			if got := w.refresh("web", web.Refresh); got.status == http.StatusOK {
				t.Error("one: the first login lives on")
			}
			web = post
		}
		w.signedIn("web")
		if policy != oneLogin {
			if got := w.refresh("web", web.Refresh); (got.status == http.StatusOK) != want.sameApp {
				t.Errorf("%q: the same app's older grant: %+v", policy, got)
			}
		}
		if got := w.refresh("post", post.Refresh); (got.status == http.StatusOK) != want.otherApp {
			t.Errorf("%q: the other app's grant: %+v", policy, got)
		}
	}
}
