package admin_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"gatehouse/broker/admin"
	"gatehouse/federation"
	"gatehouse/provisioning"
	"gatehouse/store"
	"gatehouse/templates"
)

// strict is a site whose admins need a second factor.
func newStrictSite(t *testing.T) *site {
	t.Helper()
	s := newSite(t)
	fed := federation.New(federation.Config{Store: s.store, PublicURL: "https://login.example", Now: s.clock.now})
	t.Cleanup(fed.Close)
	pages, err := templates.New(templates.Config{})
	if err != nil {
		t.Fatal(err)
	}
	s.handler, err = admin.New(admin.Config{
		Store: s.store, Federation: fed, Templates: pages, BaseURL: s.server.URL, PublicIssuer: "https://login.example",
		Provisioner: provisioning.New(provisioning.Config{Store: s.store, Federation: fed, Now: s.clock.now}),
		Now:         s.clock.now, Logger: jsonLogger(s.log), Version: "test", SessionIdle: 5 * time.Minute, SessionAbsolute: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.server.Config.Handler = s.handler
	return s
}

var (
	secretText  = regexp.MustCompile(`id="secret">([A-Z2-7 ]+)<`)
	ticketField = regexp.MustCompile(`name="ticket" value="([^"]+)"`)
	codeText    = regexp.MustCompile(`<code>([a-z2-7-]{19})</code>`)
)

// authenticator is an app with one seed.
type authenticator struct {
	s    *site
	seed []byte
}

func (a authenticator) code() string {
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(a.s.clock.now().Unix()/30))
	mac := hmac.New(sha1.New, a.seed)
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	at := sum[19] & 15
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[at:at+4])&0x7fffffff%1_000_000)
}

// enrol sets an authenticator app up on a page and returns it with the recovery
// codes.
func (c *caller) enrol(page string) (authenticator, []string) {
	c.s.t.Helper()
	body := want(c.s.t, c.get(page), http.StatusOK).body
	m := secretText.FindSubmatch(body)
	if m == nil {
		c.s.t.Fatalf("no secret on the page:\n%s", body)
	}
	seed, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(string(m[1]), " ", ""))
	if err != nil {
		c.s.t.Fatal(err)
	}
	app := authenticator{c.s, seed}
	fields := url.Values{"ticket": {string(ticketField.FindSubmatch(body)[1])}, "csrf": {string(csrfField.FindSubmatch(body)[1])}, "code": {app.code()}}
	done := c.post(page, "", fields)
	if done.status != http.StatusOK && done.status != http.StatusSeeOther {
		c.s.t.Fatalf("enrolment: %d\n%s", done.status, done.body)
	}
	var codes []string
	for _, m := range codeText.FindAllSubmatch(done.body, -1) {
		codes = append(codes, string(m[1]))
	}
	return app, codes
}

// TestSecondFactor_Required: an admin without one sets one up before anything
// else, and from then on nobody gets in with the password alone.
func TestSecondFactor_Required(t *testing.T) {
	t.Parallel()
	s := newStrictSite(t)
	s.account("ann@staff.example", password, store.RoleAdmin)
	b := s.browser()
	a := want(t, b.signIn("ann@staff.example", password), http.StatusSeeOther)
	if got := a.header.Get("Location"); got != "/signin/enrol" || b.sessionCookie() != "" {
		t.Fatalf("sent to %q, session %q", got, b.sessionCookie())
	}
	want(t, b.get("/"), http.StatusSeeOther) // no session yet
	app, codes := b.enrol("/signin/enrol")
	if len(codes) != 10 || b.sessionCookie() == "" {
		t.Fatalf("%d recovery codes; session %q", len(codes), b.sessionCookie())
	}
	want(t, b.get("/"), http.StatusOK)

	// Another browser with the stolen password: no page but the factor's.
	thief := s.browser()
	if got := want(t, thief.signIn("ann@staff.example", password), http.StatusSeeOther).header.Get("Location"); got != "/signin/factor" {
		t.Fatalf("sent to %q", got)
	}
	if got := want(t, thief.get("/signin/enrol"), http.StatusSeeOther).header.Get("Location"); got != "/signin/factor" {
		t.Errorf("may add a factor with the password alone: sent to %q", got)
	}
	want(t, thief.get("/account"), http.StatusSeeOther)
	want(t, thief.post("/signin/factor", "/signin/factor", url.Values{"code": {"000000"}}), http.StatusUnauthorized)
	want(t, thief.post("/signin/factor", "/signin/factor", url.Values{"code": {app.code()}}), http.StatusUnauthorized) // used at the enrolment
	if thief.sessionCookie() != "" {
		t.Fatal("a session without a second factor")
	}
	s.clock.advance(30 * time.Second)
	want(t, thief.post("/signin/factor", "/signin/factor", url.Values{"code": {app.code()}}), http.StatusSeeOther)
	want(t, thief.get("/account"), http.StatusOK)

	lost := s.browser()
	want(t, lost.signIn("ann@staff.example", password), http.StatusSeeOther)
	want(t, lost.post("/signin/factor", "/signin/factor", url.Values{"code": {strings.ToUpper(codes[3])}}), http.StatusSeeOther)
	again := s.browser()
	s.clock.advance(time.Minute)
	want(t, again.signIn("ann@staff.example", password), http.StatusSeeOther)
	want(t, again.post("/signin/factor", "/signin/factor", url.Values{"code": {codes[3]}}), http.StatusUnauthorized)

	// The half of a sign-in dies with the password it was begun with, and with time.
	s.clock.advance(11 * time.Minute)
	if got := want(t, again.get("/signin/factor"), http.StatusSeeOther).header.Get("Location"); got != "/signin" {
		t.Errorf("a sign-in of eleven minutes ago goes on: %q", got)
	}
	// The role needs a factor: the last one stays.
	s.clock.advance(time.Minute)
	want(t, again.signIn("ann@staff.example", password), http.StatusSeeOther)
	want(t, again.post("/signin/factor", "/signin/factor", url.Values{"code": {app.code()}}), http.StatusSeeOther)
	if a := again.post("/account/totp/remove", "/account", nil); a.status != http.StatusConflict || !strings.Contains(string(a.body), "needs a second factor") {
		t.Errorf("removing the last factor: %d", a.status)
	}
}

// TestConsoleSessionLifetimes: idle and absolute are what the configuration says.
func TestConsoleSessionLifetimes(t *testing.T) {
	t.Parallel()
	s := newStrictSite(t)
	s.account("ann@staff.example", password, store.RoleAdmin)
	b := s.browser()
	want(t, b.signIn("ann@staff.example", password), http.StatusSeeOther)
	b.enrol("/signin/enrol")
	for range 14 {
		s.clock.advance(4 * time.Minute)
		want(t, b.get("/"), http.StatusOK)
	}
	s.clock.advance(4 * time.Minute)
	want(t, b.get("/"), http.StatusSeeOther) // an hour is over
}

// TestStepUp: ten minutes after the last proof, dangerous requests of a session
// ask for another; the session's id is renewed by it (L1). API tokens are exempt,
// and cannot look after credentials.
func TestStepUp(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	u := s.account("ann@staff.example", password, store.RoleOwner)
	s.update(func(tx store.Tx) error {
		return s.store.Clients.Insert(tx, store.Client{ID: "app", Name: "App", Type: store.ClientNative, AuthMethod: "none"})
	})
	b := s.browser()
	want(t, b.signIn("ann@staff.example", password), http.StatusSeeOther)
	token := map[string]any{"name": "script"}
	call := func() answer {
		b.csrf, _ = b.api("GET", "/whoami", nil).at(t, "csrf_token").(string)
		return b.api("POST", "/tokens", token)
	}
	want(t, call(), http.StatusCreated) // just signed in
	s.clock.advance(10 * time.Minute)
	refused := want(t, call(), http.StatusForbidden)
	if got := refused.at(t, "type"); got != "urn:gatehouse:problem:step-up" {
		t.Errorf("problem type %v", got)
	}
	want(t, b.api("DELETE", "/clients/app", nil), http.StatusForbidden)
	want(t, b.api("GET", "/clients/app", nil), http.StatusOK) // looking is not dangerous
	b.csrf = ""
	if got := want(t, b.post("/account/tokens", "/account/tokens", url.Values{"name": {"x"}}), http.StatusSeeOther).header.Get("Location"); !strings.HasPrefix(got, "/confirm?next=") {
		t.Errorf("sent to %q", got)
	}
	before := b.sessionCookie()
	wrong := want(t, b.post("/confirm", "/confirm?next=%2Faccount%2Ftokens", url.Values{"password": {"wrong horse battery"}, "next": {"/account/tokens"}}), http.StatusUnprocessableEntity)
	if !strings.Contains(string(wrong.body), "not right") {
		t.Error("the page does not say what is wrong")
	}
	want(t, call(), http.StatusForbidden)
	b.csrf = ""
	done := want(t, b.post("/confirm", "/confirm", url.Values{"password": {password}, "next": {"//evil.example"}}), http.StatusSeeOther)
	if got := done.header.Get("Location"); got != "/" {
		t.Errorf("sent to %q", got)
	}
	if b.sessionCookie() == before || b.sessionCookie() == "" {
		t.Error("the session's id was not renewed")
	}
	want(t, (&caller{s: s, cookie: before}).api("GET", "/whoami", nil), http.StatusUnauthorized)
	want(t, call(), http.StatusCreated)

	script := &caller{s: s, token: s.token(u.ID, time.Hour)}
	want(t, script.api("DELETE", "/clients/app", nil), http.StatusNoContent)
	want(t, script.api("PUT", "/me/password", map[string]any{"current_password": password, "new_password": "a new horse battery"}), http.StatusForbidden)
	want(t, script.api("POST", "/tokens", token), http.StatusForbidden)
}

// TestStepUp_AsksForTheFactor: who has a second factor confirms with it, not with
// the password, and adding another factor needs a fresh proof as well.
func TestStepUp_AsksForTheFactor(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account("ann@staff.example", password, store.RoleOwner)
	b := s.browser()
	want(t, b.signIn("ann@staff.example", password), http.StatusSeeOther)
	app, _ := b.enrol("/account/totp")
	s.clock.advance(11 * time.Minute)
	if got := want(t, b.get("/account/totp"), http.StatusSeeOther).header.Get("Location"); got != "/confirm?next=%2Faccount%2Ftotp" {
		t.Errorf("sent to %q", got)
	}
	want(t, b.post("/confirm", "/confirm", url.Values{"password": {password}}), http.StatusUnprocessableEntity)
	want(t, b.get("/account/totp"), http.StatusSeeOther)
	want(t, b.post("/confirm", "/confirm", url.Values{"code": {app.code()}}), http.StatusSeeOther)
	want(t, b.get("/account/totp"), http.StatusOK)
}

// TestY1_ConsoleForgot: the same page for everybody; the mail is for one.
func TestY1_ConsoleForgot(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account("ann@staff.example", password, store.RoleOwner)
	b := s.browser()
	known := want(t, b.post("/forgot", "/forgot", url.Values{"email": {"ann@staff.example"}}), http.StatusOK)
	unknown := want(t, b.post("/forgot", "/forgot", url.Values{"email": {"nobody@staff.example"}}), http.StatusOK)
	if string(known.body) != string(unknown.body) {
		t.Error("the pages differ")
	}
	mails := 0
	s.update(func(tx store.Tx) error {
		for m, err := range s.store.Mails.All(tx) {
			if err != nil {
				return err
			}
			if mails++; m.To != "ann@staff.example" || m.Kind != "reset_password" {
				t.Errorf("a mail %s to %s", m.Kind, m.To)
			}
		}
		return nil
	})
	if mails != 1 {
		t.Errorf("%d mails", mails)
	}
}
