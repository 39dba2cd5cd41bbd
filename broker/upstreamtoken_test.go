package broker

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/provisioning"
	"gatehouse/store"
)

// upstreamKept are the keys under which upstream tokens are kept.
func (w *world) upstreamKept() (keys []string) {
	w.t.Helper()
	if err := w.store.View(w.t.Context(), func(tx store.Tx) error {
		for rec, err := range w.store.UpstreamTokens.All(tx) {
			if err != nil {
				return err
			}
			keys = append(keys, rec.GrantID)
		}
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
	return keys
}

// signOut asks for it with a hint that names the session.
func (w *world) signOut(b *browser, tok tokens) answer {
	w.t.Helper()
	return b.get(w.url + pathLogout + "?" + url.Values{"id_token_hint": {tok.ID}}.Encode())
}

// redeemed is a login in a browser that the test keeps.
func (w *world) redeemed(b *browser, client string) tokens {
	w.t.Helper()
	params, verifier := w.ask(client)
	tok := w.redeem(client, b.authorize(params).Get("code"), verifier)
	if tok.status != http.StatusOK {
		w.t.Fatalf("%+v", tok)
	}
	return tok
}

// revocations puts itself before acme's revocation endpoint and tells of each
// request that was answered.
func (w *world) revocations() <-chan struct{} {
	w.t.Helper()
	base, err := url.Parse(w.acme.URL)
	if err != nil {
		w.t.Fatal(err)
	}
	provider := httputil.NewSingleHostReverseProxy(base)
	told := make(chan struct{}, 8)
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		provider.ServeHTTP(rw, r)
		told <- struct{}{}
	}))
	w.t.Cleanup(srv.Close)
	w.edit("acme", func(c *store.Connection) { c.Endpoints.Revocation = srv.URL + "/revoke" })
	return told
}

func TestRefreshLogin_SignOutRevokesUpstream(t *testing.T) {
	t.Parallel()
	w, _ := newRefreshLogin(t)
	b := w.browser()
	tok := w.redeemed(b, "web")
	before := len(w.upstreamKept())
	told := w.revocations()
	if got := w.signOut(b, tok); got.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", got.StatusCode, got.body)
	}
	if got := len(w.upstreamKept()); got != before-1 {
		t.Errorf("%d upstream tokens are kept, %d before", got, before)
	}
	<-told
	revoked := w.acme.Requests().Of("revoke")
	if len(revoked) != 1 || revoked[0].Param("token_type_hint") != "refresh_token" || revoked[0].Authorization != "Basic" {
		t.Errorf("the provider saw %+v", revoked)
	}
}

// A provider that hangs holds nobody up: the sign-out is done and answered.
func TestRefreshLogin_SignOutDuringAnOutage(t *testing.T) {
	t.Parallel()
	w, _ := newRefreshLogin(t)
	b := w.browser()
	tok := w.redeemed(b, "web")
	before := len(w.upstreamKept())
	asked, hang := make(chan struct{}), make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(asked)
		<-hang
	}))
	t.Cleanup(srv.Close)
	t.Cleanup(func() { close(hang) })
	w.edit("acme", func(c *store.Connection) { c.Endpoints.Revocation = srv.URL })
	started := time.Now()
	got := w.signOut(b, tok)
	if took := time.Since(started); got.StatusCode != http.StatusOK || took > 2*time.Second {
		t.Errorf("status %d after %s", got.StatusCode, took)
	}
	<-asked
	if kept := len(w.upstreamKept()); kept != before-1 {
		t.Errorf("%d upstream tokens are kept, %d before", kept, before)
	}
	if again := w.refresh("web", tok.Refresh); again.Error != "invalid_grant" {
		t.Errorf("the grant lives on: %+v", again)
	}
}

// waitsWithRefresh is a newcomer in the waiting room of a connection with
// refresh login.
func waitsWithRefresh(t *testing.T) (w *world, b *browser, page answer, verifier string) {
	t.Helper()
	w, _ = newRefreshLogin(t)
	w.join("acme", store.JoinRequest)
	params, verifier := w.ask("web")
	params.Set("login_hint", "nadia@acme.test")
	b = w.browser()
	page = b.follow(b.get(w.url + pathAuthorize + "?" + params.Encode()))
	if page.StatusCode != http.StatusOK || page.Request.URL.Path != pathWaiting {
		t.Fatalf("%d at %s", page.StatusCode, page.Request.URL)
	}
	return w, b, page, verifier
}

func (w *world) waitingKept() (n int) {
	for _, key := range w.upstreamKept() {
		if strings.HasPrefix(key, "waiting-") {
			n++
		}
	}
	return n
}

// Who had to wait is asked about like everybody else: the provider's token
// waits with them and goes along.
func TestRefreshLogin_AfterTheWaitingRoom(t *testing.T) {
	t.Parallel()
	w, b, page, verifier := waitsWithRefresh(t)
	if w.waitingKept() != 1 {
		t.Fatalf("kept %v", w.upstreamKept())
	}
	r := w.pendingRequest(t)
	w.change(func(ch *store.Change) error {
		_, err := w.provisioner.Approve(ch, r.ID, "admin", provisioning.Approval{})
		return err
	})
	got := w.toApp(b.follow(b.get(page.Request.URL.String())))
	if w.waitingKept() != 0 {
		t.Errorf("kept %v", w.upstreamKept())
	}
	tok := w.redeem("web", got.Get("code"), verifier)
	asked := w.askedAtRefresh()
	w.clock.add(time.Minute)
	if tok = w.refresh("web", tok.Refresh); tok.status != http.StatusOK || w.askedAtRefresh() != asked+1 {
		t.Errorf("refresh %+v, asked %d times", tok, w.askedAtRefresh()-asked)
	}
	w.clock.add(time.Minute)
	w.acme.SetFault("refresh_invalid_grant", 1)
	if got := w.refresh("web", tok.Refresh); got.Error != "invalid_grant" {
		t.Errorf("the provider's no: %+v", got)
	}
}

// Who is refused, gives up or lets the login run out leaves no token behind.
func TestRefreshLogin_WaitingTokensEnd(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w *world, b *browser, page answer){
		"refused": func(w *world, b *browser, page answer) {
			r := w.pendingRequest(t)
			w.change(func(ch *store.Change) error {
				_, err := w.provisioner.Refuse(ch, r.ID, "admin", "No.")
				return err
			})
			b.get(page.Request.URL.String())
		},
		"cancelled": func(_ *world, b *browser, page answer) { b.submit(page, url.Values{"cancel": {"1"}}) },
	} {
		w, b, page, _ := waitsWithRefresh(t)
		told := w.revocations()
		end(w, b, page)
		if w.waitingKept() != 0 {
			t.Errorf("%s: kept %v", name, w.upstreamKept())
		}
		<-told
		if n := len(w.acme.Requests().Of("revoke")); n != 1 {
			t.Errorf("%s: %d revocations", name, n)
		}
	}
	w, _, _, _ := waitsWithRefresh(t)
	for _, step := range []struct {
		after time.Duration // the login cookie lives eight hours
		want  int
	}{{0, 1}, {8*time.Hour + time.Minute, 0}} {
		w.clock.add(step.after)
		if _, err := w.store.Sweep(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		if got := w.waitingKept(); got != step.want {
			t.Errorf("after %s: %d kept, want %d", step.after, got, step.want)
		}
	}
}
