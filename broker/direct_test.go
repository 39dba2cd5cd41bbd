package broker

import (
	"encoding/json"
	"fmt"
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
func newDirectWorld(t *testing.T) *directWorld {
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
	return &directWorld{w, idp}
}

// directWorld is a world with the provider of its connection without browser.
type directWorld struct {
	*world
	direct *mockidp.Running
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

// A login without a browser has a trace like every other, with the same steps
// where there are such, and the app is told its words.
func TestDirect_Traces(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*directWorld)
		form   url.Values
		steps  string
		ends   string // outcome, step, code, blame
	}{
		"good": {nil, directForm(), "authorize redeem verify profile select admit issue token", "signed_in   "},
		"wrong password": {
			nil, directForm("password", "wrong-canary-91"), "authorize redeem", "failed redeem credentials_refused user",
		},
		"no password":        {nil, directForm("password", ""), "authorize redeem", "failed redeem request_invalid app"},
		"unknown connection": {nil, directForm("connection", "nobody"), "authorize", "failed authorize invalid_request app"},
		"unknown scope":      {nil, directForm("scope", "openid root"), "authorize", "failed authorize invalid_scope app"},
		"waiting":            {func(w *directWorld) { w.join("acme", store.JoinRequest) }, directForm(), "authorize redeem verify profile select admit", "waiting   "},
		"refused":            {func(w *directWorld) { w.join("acme", store.JoinOff) }, directForm(), "authorize redeem verify profile select admit", "refused admit join_off ours"},
		"bad ID token": {
			func(w *directWorld) { w.direct.SetFault("bad_signature", 0) }, directForm(), "authorize redeem verify", "failed verify id_token_signature provider",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newDirectWorld(t)
			if tc.change != nil {
				tc.change(w)
			}
			got := w.token("web", tc.form)
			tr := w.onlyTrace(store.TraceFilter{Client: "web"})
			if steps := strings.Join(stepsOf(tr), " "); steps != tc.steps {
				t.Errorf("steps %s, want %s", steps, tc.steps)
			}
			if ends := fmt.Sprintf("%s %s %s %s", tr.Outcome, tr.FailedAt, tr.Code, tr.Blame); ends != tc.ends {
				t.Errorf("ends as %q, want %q", ends, tc.ends)
			}
			if failed := got.Access == ""; failed != strings.HasSuffix(got.ErrorDescription, " Reference: "+tr.Words+".") || strings.Count(got.ErrorDescription, "Reference") > 1 {
				t.Errorf("the app is told %q, the trace is %s", got.ErrorDescription, tr.Words)
			}
			if !strings.Contains(w.logs.String(), `"login":"`+tr.Words+`"`) {
				t.Error("the log does not name the login")
			}
			raw, _ := json.Marshal(tr)
			for what, canary := range map[string]string{
				"password": tc.form.Get("password"), "access token": got.Access, "ID token": got.ID, "refresh token": got.Refresh, "client secret": webSecret,
				"secret at the provider": "mock-secret", "address": "alice@acme.test",
			} {
				if canary != "" && (strings.Contains(string(raw), canary) || strings.Contains(w.logs.String(), canary)) {
					t.Errorf("the %s is in trace or log", what)
				}
			}
		})
	}
	t.Run("a stranger begins none", func(t *testing.T) {
		t.Parallel()
		w := newDirectWorld(t)
		w.token("native", directForm())
		form := directForm("client_id", "post", "client_secret", "guessed")
		w.token("", form)
		if found, err := w.traces(store.TraceFilter{}); err != nil || len(found) != 0 {
			t.Errorf("%d traces, %v", len(found), err)
		}
	})
}

// join sets how an organization takes newcomers.
func (w *world) join(organization string, policy store.JoinPolicy) {
	w.t.Helper()
	w.change(func(ch *store.Change) error {
		o, err := w.store.Organizations.Get(ch.Tx, organization)
		if err != nil {
			return err
		}
		o.Join = policy
		return w.store.Organizations.Put(ch.Tx, o)
	})
}
