package admin_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/broker/admin"
	"gatehouse/store"
)

// account makes a console account through CreateOwner's or the API's path.
func (s *site) account(email, password, role string) store.User {
	s.t.Helper()
	u, err := admin.NewAccount(s.t.Context(), s.store, email, password, role)
	if err != nil {
		s.t.Fatal(err)
	}
	return u
}

func (c *caller) signIn(email, password string) answer {
	c.s.t.Helper()
	return c.post("/signin", "/signin", url.Values{"email": {email}, "password": {password}})
}

func (c *caller) sessionCookie() string {
	u, _ := url.Parse(c.s.server.URL)
	for _, k := range c.client.Jar.Cookies(u) {
		if k.Name == "gh_console" {
			return k.Value
		}
	}
	return ""
}

const password = "correct horse battery"

func TestSignInAndOut(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account("ann@staff.example", password, store.RoleOwner)
	b := s.browser()
	a := want(t, b.get("/users"), http.StatusSeeOther)
	if got := a.header.Get("Location"); got != "/signin?next=%2Fusers" {
		t.Errorf("sent to %q", got)
	}
	a = want(t, b.post("/signin", "/signin", url.Values{"email": {" ANN@staff.example "}, "password": {password}, "next": {"/users"}}), http.StatusSeeOther)
	if got := a.header.Get("Location"); got != "/users" {
		t.Errorf("sent to %q", got)
	}
	want(t, b.get("/users"), http.StatusOK)
	old := b.sessionCookie()
	want(t, b.post("/signout", "/users", nil), http.StatusSeeOther)
	if b.sessionCookie() != "" {
		t.Error("cookie is still there")
	}
	// L4: the session itself is dead, not only the cookie.
	want(t, (&caller{s: s, cookie: old}).api("GET", "/whoami", nil), http.StatusUnauthorized)
}

func TestSignIn_NextStaysHere(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account("ann@staff.example", password, store.RoleOwner)
	for _, next := range []string{"https://evil.example", "//evil.example", "/\\evil.example", "evil", "", "/\t/evil.example", "javascript:alert(1)"} {
		b := s.browser()
		a := want(t, b.post("/signin", "/signin", url.Values{"email": {"ann@staff.example"}, "password": {password}, "next": {next}}), http.StatusSeeOther)
		if got := a.header.Get("Location"); got != "/" {
			t.Errorf("next %q: sent to %q", next, got)
		}
		s.clock.advance(time.Minute)
	}
}

// TestL1_NewIDAtSignIn: an id planted before sign-in, or the one in use, dies.
func TestL1_NewIDAtSignIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	u := s.account("ann@staff.example", password, store.RoleOwner)
	planted := s.session(s.user(store.RoleAdmin).ID)
	b := s.browser()
	b.cookie = planted
	token := b.api("GET", "/whoami", nil).at(t, "csrf_token").(string)
	want(t, b.post("/signin", "", url.Values{"email": {"ann@staff.example"}, "password": {password}, "csrf": {token}}), http.StatusSeeOther)
	b.cookie = ""
	fresh := b.sessionCookie()
	if fresh == "" || fresh == planted {
		t.Fatalf("session id was not renewed")
	}
	if len(fresh) < 43 {
		t.Errorf("session id has only %d characters", len(fresh))
	}
	want(t, (&caller{s: s, cookie: planted}).api("GET", "/whoami", nil), http.StatusUnauthorized)
	if got := b.api("GET", "/whoami", nil).at(t, "user"); got != u.ID {
		t.Errorf("signed in as %v", got)
	}
	// A role change ends the sessions: the next sign-in makes a new id.
	owner := &caller{s: s, token: s.token(s.user(store.RoleOwner).ID, time.Hour)}
	want(t, owner.api("PUT", "/users/"+u.ID+"/platform-role", map[string]any{"platform_role": "admin"}), http.StatusOK)
	want(t, (&caller{s: s, cookie: fresh}).api("GET", "/whoami", nil), http.StatusUnauthorized)
}

// TestL5_ExpiredSession: idle and absolute limits hold although the record is
// still there, and use moves the idle one only.
func TestL5_ExpiredSession(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	u := s.user(store.RoleAdmin)
	idle := &caller{s: s, cookie: s.session(u.ID)}
	busy := &caller{s: s, cookie: s.session(u.ID)}
	for range 24 { // 12 hours in steps of just under the idle limit
		s.clock.advance(29 * time.Minute)
		want(t, busy.api("GET", "/whoami", nil), http.StatusOK)
	}
	want(t, idle.api("GET", "/whoami", nil), http.StatusUnauthorized)
	want(t, idle.get("/"), http.StatusSeeOther)
	s.clock.advance(25 * time.Minute)
	want(t, busy.api("GET", "/whoami", nil), http.StatusUnauthorized)
}

// TestY1_RefusalsLookTheSame: an unknown login, a wrong password and a disabled
// account get the same page. What each costs is held in package local.
func TestY1_RefusalsLookTheSame(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account("ann@staff.example", password, store.RoleAdmin)
	off := s.account("off@staff.example", password, store.RoleAdmin)
	off.Status = store.UserDisabled
	off.Revision = 1
	s.update(func(tx store.Tx) error { return s.store.Users.Put(tx, off) })
	var pages []string
	for _, try := range []struct{ email, password string }{
		{"ann@staff.example", "wrong horse battery"}, {"nobody@staff.example", "wrong horse battery"}, {"off@staff.example", password},
	} {
		b := s.browser()
		a := want(t, b.signIn(try.email, try.password), http.StatusUnauthorized)
		page := strings.ReplaceAll(string(a.body), try.email, "X")
		pages = append(pages, csrfField.ReplaceAllString(page, ""))
	}
	if pages[0] != pages[1] || pages[0] != pages[2] {
		t.Error("the pages differ")
	}
}

// TestY4_NeverLockedForGood: an attacker slows an account down, but its owner
// gets in: at once from a browser they used before, within 30 s from any other.
func TestY4_NeverLockedForGood(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account("ann@staff.example", password, store.RoleOwner)
	home := s.browser()
	want(t, home.signIn("ann@staff.example", password), http.StatusSeeOther)
	u, _ := url.Parse(s.server.URL)
	known := home.client.Jar.Cookies(u)

	attacker := s.browser()
	throttled := 0
	for range 60 {
		if attacker.signIn("ann@staff.example", "wrong horse battery").status == http.StatusTooManyRequests {
			throttled++
		}
		s.clock.advance(7 * time.Second) // never over the network's rate
	}
	if throttled < 30 {
		t.Errorf("only %d of 60 guesses were throttled", throttled)
	}
	// Another browser: must wait, at most 30 s.
	if got := s.browser().signIn("ann@staff.example", password).status; got != http.StatusTooManyRequests && got != http.StatusSeeOther {
		t.Errorf("got %d", got)
	}
	// A browser the owner used before, without a session: at once.
	again := s.browser()
	for _, k := range known {
		if k.Name == "gh_console_known" {
			again.client.Jar.SetCookies(u, []*http.Cookie{k})
		}
	}
	attacker.signIn("ann@staff.example", "wrong horse battery")
	want(t, again.signIn("ann@staff.example", password), http.StatusSeeOther)
	s.clock.advance(31 * time.Second)
	want(t, s.browser().signIn("ann@staff.example", password), http.StatusSeeOther)
	// The second path: an API token is not affected at all.
	want(t, s.as(store.RoleOwner).api("GET", "/whoami", nil), http.StatusOK)
}

// TestY4_NetworkRate: many logins from one network are slowed down too.
func TestY4_NetworkRate(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	throttled := false
	for range 15 {
		throttled = b.signIn(store.NewID()[:6]+"@staff.example", "wrong horse battery").status == http.StatusTooManyRequests || throttled
	}
	if !throttled {
		t.Error("15 logins in a row were never throttled")
	}
}

// TestSetup_ExactlyOnce: of 8 parallel set-ups with one link, one owner comes
// to be, and the link is dead.
func TestSetup_ExactlyOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	old, needed, err := admin.EnsureSetupLink(t.Context(), s.store)
	if err != nil || !needed {
		t.Fatal(needed, err)
	}
	token, needed, err := admin.EnsureSetupLink(t.Context(), s.store)
	if err != nil || !needed {
		t.Fatal(needed, err)
	}
	want(t, s.browser().get("/setup?token="+old), http.StatusNotFound) // the second start replaced it
	want(t, s.browser().get("/setup"), http.StatusNotFound)
	page := "/setup?token=" + token
	b := s.browser()
	bad := want(t, b.post("/setup", page, url.Values{"token": {token}, "email": {"ann@staff.example"}, "password": {"short"}, "password_again": {"short"}}), http.StatusUnprocessableEntity)
	if !strings.Contains(string(bad.body), "at least 12 characters") {
		t.Error("the page does not say what is wrong")
	}
	s.clock.advance(time.Minute)

	var made atomic.Int32
	var wg sync.WaitGroup
	browsers, tokens := make([]*caller, 8), make([]string, 8)
	for i := range browsers {
		browsers[i] = s.browser()
		tokens[i] = string(csrfField.FindSubmatch(browsers[i].get(page).body)[1])
	}
	for i, b := range browsers {
		wg.Go(func() {
			email := string(rune('a'+i)) + "@staff.example"
			a := b.post("/setup", "", url.Values{"csrf": {tokens[i]}, "token": {token}, "email": {email}, "password": {password}, "password_again": {password}})
			switch a.status {
			case http.StatusSeeOther:
				made.Add(1)
			case http.StatusNotFound, http.StatusTooManyRequests:
			default:
				t.Errorf("got %d", a.status)
			}
		})
	}
	wg.Wait()
	if made.Load() != 1 {
		t.Errorf("%d owners were made", made.Load())
	}
	want(t, s.browser().get(page), http.StatusNotFound)
	if _, needed, err := admin.EnsureSetupLink(t.Context(), s.store); needed || err != nil {
		t.Errorf("set-up is still needed: %v", err)
	}
}

func TestSetup_LinkExpires(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token, _, err := admin.EnsureSetupLink(t.Context(), s.store)
	if err != nil {
		t.Fatal(err)
	}
	want(t, s.browser().get("/setup?token="+token), http.StatusOK)
	s.clock.advance(25 * time.Hour)
	want(t, s.browser().get("/setup?token="+token), http.StatusNotFound)
}

// TestL4_PasswordChange: other sessions and tokens of the account end; the one
// that changed it stays.
func TestL4_PasswordChange(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	u := s.account("ann@staff.example", password, store.RoleAdmin)
	here, there := &caller{s: s, cookie: s.session(u.ID)}, &caller{s: s, cookie: s.session(u.ID)}
	script := &caller{s: s, token: s.token(u.ID, time.Hour)}
	here.csrf = here.api("GET", "/whoami", nil).at(t, "csrf_token").(string)
	want(t, here.api("PUT", "/me/password", map[string]any{"current_password": "wrong horse battery", "new_password": "a new horse battery"}), http.StatusUnprocessableEntity)
	want(t, there.api("GET", "/whoami", nil), http.StatusOK)
	want(t, here.api("PUT", "/me/password", map[string]any{"current_password": password, "new_password": "a new horse battery"}), http.StatusNoContent)
	want(t, here.api("GET", "/whoami", nil), http.StatusOK)
	want(t, there.api("GET", "/whoami", nil), http.StatusUnauthorized)
	want(t, script.api("GET", "/whoami", nil), http.StatusUnauthorized)
	want(t, s.browser().signIn("ann@staff.example", password), http.StatusUnauthorized)
	want(t, s.browser().signIn("ann@staff.example", "a new horse battery"), http.StatusSeeOther)
}
