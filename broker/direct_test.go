package broker

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gatehouse/federation/mockidp"
	"gatehouse/store"
)

const directPassword = "canary-password-3c1d"

// newDirectWorld has the connection "staff" of acme, by password, and lets the
// client web use it.
func newDirectWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	idp := mockidp.Start(t, mockidp.Config{Domain: "acme.test", Now: w.clock.now, Shape: mockidp.Shape{
		Passwords: map[string]string{"alice": directPassword, "bob": directPassword},
	}})
	w.change(func(ch *store.Change) error {
		c, err := w.store.Connections.Get(ch.Tx, "acme")
		if err != nil {
			return err
		}
		c.Meta = store.Meta{}
		c.ID, c.Domains, c.Grant, c.Issuer, c.ClientSecret = "staff", []string{"acme.test"}, store.GrantPassword, idp.URL, store.Seal("mock-secret")
		return w.store.Connections.Insert(ch.Tx, c)
	})
	w.editClient("web", func(c *store.Client) { c.DirectGrants = true })
	return w
}

func directForm(more ...string) url.Values {
	f := url.Values{
		"grant_type": {grantConnection}, "connection": {"staff"}, "username": {"alice"}, "password": {directPassword},
		"scope": {"openid profile email offline_access"},
	}
	for i := 0; i+1 < len(more); i += 2 {
		f.Set(more[i], more[i+1])
	}
	return f
}

func TestDirect_SignsIn(t *testing.T) {
	t.Parallel()
	w := newDirectWorld(t)
	got := w.token("web", directForm())
	if got.status != http.StatusOK || got.Access == "" || got.Refresh == "" || got.ID == "" {
		t.Fatalf("%+v", got)
	}
	if c := claimsOf(t, got.ID); c["sub"] == "" || c["aud"] != "web" {
		t.Errorf("ID token %v", c)
	}
	if status, info := w.userinfo(got.Access); status != http.StatusOK || info["email"] != "alice@acme.test" {
		t.Errorf("userinfo %d %v", status, info)
	}
	if next := w.refresh("web", got.Refresh); next.status != http.StatusOK {
		t.Errorf("refresh: %+v", next)
	}
	// Without offline_access there is no refresh token.
	if got := w.token("web", directForm("scope", "openid")); got.status != http.StatusOK || got.Refresh != "" {
		t.Errorf("%+v", got)
	}
	// The second login is the same person.
	if a, b := claimsOf(t, got.ID)["sub"], claimsOf(t, w.token("web", directForm()).ID)["sub"]; a != b {
		t.Errorf("two subjects: %v, %v", a, b)
	}
	if strings.Contains(w.logs.String(), directPassword) {
		t.Error("the password is in the log")
	}
}

func TestDirect_Refusals(t *testing.T) {
	t.Parallel()
	w := newDirectWorld(t)
	w.editClient("post", func(c *store.Client) { c.DirectGrants = false })
	for _, tc := range []struct {
		name, client string
		form         url.Values
		want         string
	}{
		{"wrong password", "web", directForm("password", "wrong"), "invalid_grant"},
		{"no password", "web", directForm("password", ""), "invalid_request"},
		{"client without the right", "post", directForm(), "unauthorized_client"},
		{"public client", "native", directForm(), "unauthorized_client"},
		{"unknown connection", "web", directForm("connection", "nobody"), "invalid_request"},
		{"connection with a browser", "web", directForm("connection", "acme"), "invalid_request"},
		{"no connection", "web", directForm("connection", ""), "invalid_request"},
		{"unknown scope", "web", directForm("scope", "openid root"), "invalid_scope"},
	} {
		got := w.token(tc.client, tc.form)
		if got.Error != tc.want || got.Access != "" {
			t.Errorf("%s: %d %q %q, want %s", tc.name, got.status, got.Error, got.ErrorDescription, tc.want)
		}
	}
	// The gate and the join policy are those of every login.
	w.change(func(ch *store.Change) error {
		o, err := w.store.Organizations.Get(ch.Tx, "acme")
		if err != nil {
			return err
		}
		o.Join = store.JoinRequest
		return w.store.Organizations.Put(ch.Tx, o)
	})
	if got := w.token("web", directForm()); got.status != http.StatusBadRequest || got.Error != "access_denied" || !strings.Contains(got.ErrorDescription, "waits") {
		t.Errorf("pending: %+v", got)
	}
	w.edit("staff", func(c *store.Connection) { c.Disabled = true })
	if got := w.token("web", directForm()); got.Error != "invalid_request" {
		t.Errorf("switched off: %+v", got)
	}
}

func TestDirect_GuessesAreThrottled(t *testing.T) {
	t.Parallel()
	w := newDirectWorld(t)
	throttled := false
	for range guessBurst + 2 {
		throttled = throttled || w.token("web", directForm("password", "wrong")).status == http.StatusTooManyRequests
	}
	if !throttled {
		t.Error("guessing goes on for ever")
	}
	if got := w.token("web", directForm("username", "bob")); got.status != http.StatusOK {
		t.Errorf("another person is locked out: %+v", got)
	}
}

func TestServerOnly_PublicClientsAreKeptOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tok := w.signedIn("native")
	w.edit("acme", func(c *store.Connection) { c.ServerOnly = true })
	if got := w.refresh("native", tok.Refresh); got.Error != "invalid_grant" {
		t.Errorf("refresh: %+v", got)
	}
	if code, _ := w.userinfo(tok.Access); code != http.StatusUnauthorized {
		t.Errorf("userinfo: %d", code)
	}
	params, _ := w.ask("native")
	a := w.browser()
	if got := a.follow(a.get(w.url + pathAuthorize + "?" + params.Encode())); strings.Contains(got.Header.Get("Location"), "code=") {
		t.Error("a native app got a code")
	}
	w.signedIn("web")
}
