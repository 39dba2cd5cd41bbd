package broker

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/provisioning"
	"gatehouse/store"
)

// sessionCookie is the browser's session cookie value.
func (b *browser) sessionCookie() string {
	u, _ := url.Parse(b.w.url)
	for _, c := range b.client.Jar.Cookies(u) {
		if strings.HasSuffix(c.Name, "gh_session") {
			return c.Value
		}
	}
	return ""
}

func TestL1_NewSessionIDAtEverySignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.authorize(w.edited("native"))
	first := b.sessionCookie()
	if len(first) < 22 {
		t.Fatalf("session id %q has less than 128 bits", first)
	}
	b.authorize(w.edited("native", "prompt", "login"))
	if second := b.sessionCookie(); second == first || second == "" {
		t.Fatal("the session id survived a sign-in")
	}
	// The old id is dead.
	old := w.browser()
	u, _ := url.Parse(w.url)
	old.client.Jar.SetCookies(u, []*http.Cookie{{Name: "gh_session", Value: first}})
	w.checkEnds(t, old.get(w.url+pathAuthorize+"?"+w.edited("native", "prompt", "none").Encode()), ends{error: "login_required"})
}

func TestL2_CrossSiteAndForgedForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	page := b.follow(b.get(w.url + pathAuthorize + "?" + w.edited("native", "login_hint", "").Encode()))
	form := url.Values{"email": {"alice@acme.test"}, "csrf": {"forged"}}
	if a := b.post(page.Request.URL.String(), form); a.StatusCode != http.StatusForbidden {
		t.Errorf("wrong token: %d, want 403", a.StatusCode)
	}
	for header, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.test"} {
		req, _ := http.NewRequest(http.MethodPost, page.Request.URL.String(), strings.NewReader(form.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set(header, value)
		if a := b.do(req); a.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %s: %d, want 403", header, value, a.StatusCode)
		}
	}
}

func TestL4_L5_EndedAndExpiredSessions(t *testing.T) {
	t.Parallel()
	silent := func(w *world) string {
		return w.url + pathAuthorize + "?" + w.edited("native", "prompt", "none").Encode()
	}
	for name, end := range map[string]func(*world, store.Session){
		"idle":     func(w *world, _ store.Session) { w.clock.add(8*time.Hour + time.Second) },
		"absolute": func(w *world, _ store.Session) { w.clock.add(7*24*time.Hour + time.Second) },
		"killed": func(w *world, s store.Session) {
			w.change(func(ch *store.Change) error { return w.provisioner.EndSession(ch.Tx, s.KeyHash) })
		},
		"user ended": func(w *world, s store.Session) {
			w.change(func(ch *store.Change) error { return w.provisioner.EndUser(ch.Tx, s.UserID, "test") })
		},
		"user disabled": func(w *world, s store.Session) {
			w.change(func(ch *store.Change) error {
				u, err := w.store.Users.Get(ch.Tx, s.UserID)
				u.Status = store.UserDisabled
				return errors.Join(err, w.store.Users.Put(ch.Tx, u))
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			b := w.browser()
			b.authorize(w.edited("native"))
			w.checkEnds(t, b.get(silent(w)), ends{code: true})
			var s store.Session
			if err := w.store.View(t.Context(), func(tx store.Tx) (err error) {
				s, err = w.store.Sessions.Get(tx, store.HashToken(b.sessionCookie()))
				return err
			}); err != nil {
				t.Fatal(err)
			}
			end(w, s)
			w.checkEnds(t, b.get(silent(w)), ends{error: "login_required"})
		})
	}
}

func TestL6_SessionIsNotSharedBeyondWhatItProves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.authorize(w.edited("native"))
	for name, edits := range map[string][]string{
		"another organization": {"organization", "globex"},
		"another connection":   {"connection", "globex"},
	} {
		p := w.edited("native", append(edits, "prompt", "none")...)
		w.checkEnds(t, b.get(w.url+pathAuthorize+"?"+p.Encode()), ends{error: "login_required"})
		_ = name
	}
	// A third party's app is asked about even though the person is signed in.
	w.checkEnds(t, b.get(w.url+pathAuthorize+"?"+w.edited("third", "prompt", "none").Encode()), ends{error: "consent_required"})
}

func TestMaxAge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	p, v := w.ask("native")
	first := claimsOf(t, w.redeem("native", b.authorize(p).Get("code"), v).ID)
	w.clock.add(2 * time.Second)
	p, v = w.ask("native")
	p.Set("max_age", "10000")
	same := claimsOf(t, w.redeem("native", b.authorize(p).Get("code"), v).ID)
	if same["auth_time"] != first["auth_time"] {
		t.Errorf("max_age=10000 signed in again: %v, %v", same["auth_time"], first["auth_time"])
	}
	p, v = w.ask("native")
	p.Set("max_age", "1")
	later := claimsOf(t, w.redeem("native", b.authorize(p).Get("code"), v).ID)
	if later["auth_time"].(float64) <= first["auth_time"].(float64) {
		t.Errorf("max_age=1 did not sign in again: %v, %v", later["auth_time"], first["auth_time"])
	}
}

// S1 and S7: each tab is a login of its own, once.
func TestS1_TheCallbackBelongsToOneBrowserOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	// Up to the redirect back, but not through it.
	a := b.get(w.url + pathAuthorize + "?" + w.edited("native").Encode())
	a = b.get(a.Header.Get("Location")) // the provider signs alice in
	back := a.Header.Get("Location")
	if !strings.HasPrefix(back, w.url+"/login/callback/acme?") {
		t.Fatalf("provider sent to %q", back)
	}
	u, _ := url.Parse(back)
	edit := func(change func(url.Values)) string {
		q := u.Query()
		change(q)
		c := *u
		c.RawQuery = q.Encode()
		return c.String()
	}
	for name, to := range map[string]string{
		"no state":            edit(func(q url.Values) { q.Del("state") }),
		"two states":          edit(func(q url.Values) { q.Add("state", q.Get("state")) }),
		"unknown state":       edit(func(q url.Values) { q.Set("state", "abc.def") }),
		"truncated state":     edit(func(q url.Values) { q.Set("state", strings.Split(q.Get("state"), ".")[0]) }),
		"M7 other connection": strings.Replace(back, "/callback/acme", "/callback/globex", 1),
	} {
		w.checkEnds(t, b.get(to), ends{page: 400})
		_ = name
	}
	w.checkEnds(t, w.browser().get(back), ends{page: 400}) // another browser
	if n := w.acme.Requests().Counts["token"]; n != 0 {
		t.Errorf("the code was redeemed %d times for requests that were refused", n)
	}
	loginCookies := b.client.Jar.Cookies(u)
	w.checkEnds(t, b.get(back), ends{code: true})
	// Replayed with the very cookie it had: used.
	again := w.browser()
	again.client.Jar.SetCookies(u, loginCookies)
	if a := again.get(back); a.StatusCode < 400 || a.Header.Get("Location") != "" {
		t.Errorf("replay: %d to %q", a.StatusCode, a.Header.Get("Location"))
	}
}

func TestS1_LoginsExpire(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	page := b.follow(b.get(w.url + pathAuthorize + "?" + w.edited("native", "login_hint", "").Encode()))
	w.clock.add(8*time.Hour + time.Second)
	w.checkEnds(t, b.get(page.Request.URL.String()), ends{page: 400})
}

func TestS7_TwentyTabs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	var pages []answer
	for range 20 {
		pages = append(pages, b.follow(b.get(w.url+pathAuthorize+"?"+w.edited("native", "login_hint", "").Encode())))
	}
	for i, p := range pages {
		a := b.follow(b.submit(p, url.Values{"email": {"alice@acme.test"}}))
		w.checkEnds(t, a, ends{code: true})
		_ = i
	}
	// Far more than 20 do not pile up.
	for range 40 {
		b.get(w.url + pathAuthorize + "?" + w.edited("native", "login_hint", "", "prompt", "login").Encode())
	}
	u, _ := url.Parse(w.url)
	if n := len(b.client.Jar.Cookies(u)); n > 26 {
		t.Errorf("browser holds %d cookies", n)
	}
}

// Nothing is written for a visitor who has not authenticated (DESIGN §2.5).
func TestNoUnauthenticatedGrowth(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	count := func() int {
		n := 0
		_ = w.store.View(t.Context(), func(tx store.Tx) error {
			for _, bucket := range []string{"sessions", "grants", "codes", "used_logins", "users", "identities", "access_requests", "access_tokens"} {
				_ = tx.Scan(bucket, nil, nil, func(_, _ []byte) (bool, error) { n++; return true, nil })
			}
			return nil
		})
		return n
	}
	before := count()
	w.acme.SetAuto("")
	for range 10 {
		b := w.browser()
		b.follow(b.get(w.url + pathAuthorize + "?" + w.edited("native").Encode()))
		b.follow(b.get(w.url + pathAuthorize + "?" + w.edited("native", "login_hint", "").Encode()))
		b.get(w.url + pathLogout)
	}
	if after := count(); after != before {
		t.Errorf("%d rows came into being", after-before)
	}
}

func TestM8_ParallelLoginsDoNotCross(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			email := fmt.Sprintf("person%d@acme.test", i)
			p, v := w.ask("native")
			p.Set("login_hint", email)
			tk := w.redeem("native", w.browser().authorize(p).Get("code"), v)
			if _, info := w.userinfo(tk.Access); info["email"] != email {
				t.Errorf("%s became %v", email, info["email"])
			}
		})
	}
	wg.Wait()
}

func TestO_Logout(t *testing.T) {
	t.Parallel()
	bye := "https://app.test/bye"
	signIn := func(w *world) (*browser, tokens) {
		b := w.browser()
		p, v := w.ask("web")
		return b, w.redeem("web", b.authorize(p).Get("code"), v)
	}
	out := func(w *world, kv ...string) string {
		q := url.Values{}
		for i := 0; i < len(kv); i += 2 {
			q.Set(kv[i], kv[i+1])
		}
		return w.url + pathLogout + "?" + q.Encode()
	}
	signedIn := func(w *world, b *browser) bool {
		a := b.get(w.url + pathAuthorize + "?" + w.edited("web", "prompt", "none").Encode())
		return strings.Contains(a.Header.Get("Location"), "code=")
	}
	t.Run("hint and registered URI", func(t *testing.T) {
		w := newWorld(t)
		b, tk := signIn(w)
		state := strings.Repeat("s-._~", 25)
		a := b.get(out(w, "id_token_hint", tk.ID, "post_logout_redirect_uri", bye, "state", state))
		if want := bye + "?state=" + url.QueryEscape(state); a.StatusCode != 303 || a.Header.Get("Location") != want {
			t.Errorf("%d to %q, want %q", a.StatusCode, a.Header.Get("Location"), want)
		}
		if signedIn(w, b) {
			t.Error("still signed in")
		}
		w.dead(t, "web", tk) // T5: logout ends refresh too
	})
	t.Run("O3 expired hint is fine", func(t *testing.T) {
		w := newWorld(t)
		b, tk := signIn(w)
		w.clock.add(time.Hour)
		if a := b.get(out(w, "id_token_hint", tk.ID, "post_logout_redirect_uri", bye)); a.Header.Get("Location") != bye {
			t.Errorf("%d to %q", a.StatusCode, a.Header.Get("Location"))
		}
	})
	t.Run("refused", func(t *testing.T) {
		w := newWorld(t)
		b, tk := signIn(w)
		parts := strings.Split(tk.ID, ".")
		for name, u := range map[string]string{
			"O1 unregistered":   out(w, "id_token_hint", tk.ID, "post_logout_redirect_uri", "https://app.test/other"),
			"O1 query added":    out(w, "id_token_hint", tk.ID, "post_logout_redirect_uri", bye+"?foo=bar"),
			"O1 without hint":   out(w, "post_logout_redirect_uri", bye),
			"O1 other client":   out(w, "id_token_hint", tk.ID, "client_id", "post", "post_logout_redirect_uri", bye),
			"O3 altered":        out(w, "id_token_hint", parts[0]+"."+parts[1]+".AAAA", "post_logout_redirect_uri", bye),
			"O3 alg none":       out(w, "id_token_hint", "eyJhbGciOiJub25lIn0."+parts[1]+".", "post_logout_redirect_uri", bye),
			"access token hint": out(w, "id_token_hint", tk.Access),
		} {
			a := b.get(u)
			if a.StatusCode != 400 || a.Header.Get("Location") != "" {
				t.Errorf("%s: %d to %q", name, a.StatusCode, a.Header.Get("Location"))
			}
		}
		if !signedIn(w, b) {
			t.Error("a refused request signed out")
		}
	})
	t.Run("O2 a bare link asks first", func(t *testing.T) {
		w := newWorld(t)
		b, _ := signIn(w)
		page := b.get(w.url + pathLogout)
		if page.StatusCode != 200 || !signedIn(w, b) {
			t.Fatalf("%d; a GET without hint signed out", page.StatusCode)
		}
		if a := b.post(w.url+pathLogout, url.Values{"csrf": {"forged"}}); a.StatusCode != 200 || !signedIn(w, b) {
			t.Error("a forged confirmation signed out")
		}
		if a := b.submit(page, url.Values{}); !strings.Contains(a.body, "You are signed out") || signedIn(w, b) {
			t.Errorf("confirmed: %d", a.StatusCode)
		}
	})
	t.Run("nobody signed in", func(t *testing.T) {
		w := newWorld(t)
		if a := w.browser().get(w.url + pathLogout); !strings.Contains(a.body, "You are signed out") {
			t.Errorf("%d", a.StatusCode)
		}
	})
}

func TestG6_WaitingRoomGoesOnByItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	p, verifier := w.ask("native")
	p.Set("login_hint", "alice@globex.test")
	page := b.follow(b.get(w.url + pathAuthorize + "?" + p.Encode()))
	if page.StatusCode != 200 || page.Request.URL.Path != pathWaiting {
		t.Fatalf("got %d at %s, want the waiting room", page.StatusCode, page.Request.URL)
	}
	if b.sessionCookie() != "" {
		t.Error("a waiting person has a session")
	}
	req := w.pendingRequest(t)
	events := make(chan string, 1)
	go func() {
		events <- b.get(w.url + pathEvents + "?" + page.Request.URL.RawQuery).body
	}()
	w.change(func(ch *store.Change) error {
		_, err := w.provisioner.Approve(ch, req.ID, "admin", provisioning.Approval{})
		return err
	})
	if body := <-events; !strings.Contains(body, "event: decided") {
		t.Errorf("event stream: %q", body)
	}
	got := w.toApp(b.get(page.Request.URL.String()))
	tk := w.redeem("native", got.Get("code"), verifier)
	tk.want(t, 200, "")
	if claimsOf(t, tk.ID)["org"] != "globex" {
		t.Errorf("%v", claimsOf(t, tk.ID))
	}
	// The login is spent.
	w.checkEnds(t, b.get(page.Request.URL.String()), ends{page: 400})
}

func (w *world) pendingRequest(t *testing.T) (r store.AccessRequest) {
	t.Helper()
	err := w.store.View(t.Context(), func(tx store.Tx) error {
		rs, _, err := w.store.AccessRequests.ByIndex(tx, "state", store.RequestPending, store.Page{Limit: 2})
		if err == nil && len(rs) != 1 {
			err = fmt.Errorf("%d requests wait, want 1", len(rs))
		}
		if err == nil {
			r = rs[0]
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRefusedPersonReadsTheAdminsSentence(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	page := b.follow(b.get(w.url + pathAuthorize + "?" + w.edited("native", "login_hint", "alice@globex.test").Encode()))
	req := w.pendingRequest(t)
	w.change(func(ch *store.Change) error {
		_, err := w.provisioner.Refuse(ch, req.ID, "admin", "Please ask <b>Bob</b> first.")
		return err
	})
	refused := b.get(page.Request.URL.String())
	if refused.StatusCode != http.StatusForbidden || !strings.Contains(refused.body, "Please ask &lt;b&gt;Bob&lt;/b&gt; first.") {
		t.Fatalf("got %d:\n%s", refused.StatusCode, refused.body)
	}
	w.checkEnds(t, b.submit(refused, url.Values{}), ends{error: "access_denied"})
}

func TestConsent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	page := b.follow(b.get(w.url + pathAuthorize + "?" + w.edited("third").Encode()))
	if page.StatusCode != 200 || page.Request.URL.Path != pathConsent {
		t.Fatalf("got %d at %s, want consent", page.StatusCode, page.Request.URL)
	}
	w.checkEnds(t, b.submit(page, url.Values{"cancel": {"1"}}), ends{error: "access_denied"})
	page = b.follow(b.get(w.url + pathAuthorize + "?" + w.edited("third").Encode()))
	w.checkEnds(t, b.submit(page, url.Values{}), ends{code: true})
	// Remembered; more scopes or prompt=consent ask again.
	w.checkEnds(t, b.get(w.url+pathAuthorize+"?"+w.edited("third", "prompt", "none").Encode()), ends{code: true})
	w.checkEnds(t, b.get(w.url+pathAuthorize+"?"+w.edited("third", "prompt", "none", "scope", "openid phone").Encode()), ends{error: "consent_required"})
	if again := b.follow(b.get(w.url + pathAuthorize + "?" + w.edited("third", "prompt", "consent").Encode())); again.Request.URL.Path != pathConsent {
		t.Errorf("prompt=consent ended at %s", again.Request.URL)
	}
}

func TestFormPost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	p := w.edited("web", "response_mode", "form_post")
	a := b.follow(b.get(w.url + pathAuthorize + "?" + p.Encode()))
	if a.StatusCode != 200 || !strings.Contains(a.body, `action="`+appRedirect+`"`) || !strings.Contains(a.body, `name="code"`) {
		t.Fatalf("%d:\n%s", a.StatusCode, a.body)
	}
	if csp := a.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action https://app.test") || strings.Contains(csp, "unsafe") {
		t.Errorf("V5: CSP %q", csp)
	}
	for _, name := range []string{"state", "iss"} {
		if !strings.Contains(a.body, `name="`+name+`"`) {
			t.Errorf("%s is missing", name)
		}
	}
	// Errors too are posted.
	a = w.browser().get(w.url + pathAuthorize + "?" + w.edited("web", "response_mode", "form_post", "prompt", "none").Encode())
	if a.StatusCode != 200 || !strings.Contains(a.body, `value="login_required"`) {
		t.Errorf("error: %d\n%s", a.StatusCode, a.body)
	}
	// And after a failure at the provider, by way of our own page.
	w.acme.SetFault("wrong_nonce", 1)
	b = w.browser()
	a = b.follow(b.get(w.url + pathAuthorize + "?" + w.edited("web", "response_mode", "form_post").Encode()))
	if a.StatusCode != http.StatusBadGateway || !strings.Contains(a.body, pathBack+"?tx=") {
		t.Fatalf("%d\n%s", a.StatusCode, a.body)
	}
	at := strings.Index(a.body, w.url+pathBack)
	link := a.body[at : at+strings.IndexByte(a.body[at:], '"')]
	if a = b.get(link); !strings.Contains(a.body, `value="access_denied"`) || !strings.Contains(a.body, `action="`+appRedirect+`"`) {
		t.Errorf("%d\n%s", a.StatusCode, a.body)
	}
}
