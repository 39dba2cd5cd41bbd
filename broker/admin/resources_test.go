package admin_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"gatehouse/broker/admin"
	"gatehouse/store"
)

const issuer = "https://idp.example"

func (c *caller) organization(id string) {
	c.s.t.Helper()
	want(c.s.t, c.api("POST", "/organizations", map[string]any{"id": id, "title": strings.ToUpper(id)}), http.StatusCreated)
}

func (c *caller) connection(id, organization string) {
	c.s.t.Helper()
	want(c.s.t, c.api("POST", "/connections", map[string]any{
		"id": id, "organization": organization, "title": id, "issuer": issuer, "client_id": "gatehouse",
		"client_secret": "canary-upstream-secret", "domains": []string{id + ".example"},
	}), http.StatusCreated)
}

// TestB4_MassAssignment: what people may not set is refused, wherever it is.
func TestB4_MassAssignment(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.as(store.RoleAdmin)
	c.organization("acme")
	for _, body := range []string{
		`{"title":"x","join_actor":"me"}`, `{"title":"x","created_at":"2020-01-01T00:00:00Z"}`, `{"id":"other"}`, `{"tenant":"x"}`,
		`{"title":"a","Title":"b"}`, `{"title":"a","title":"b"}`, `{"title":null,"platform_role":"owner"}`,
	} {
		a := c.api("PATCH", "/organizations/acme", body)
		if a.status != http.StatusUnprocessableEntity && a.status != http.StatusBadRequest {
			t.Errorf("%s: got %d", body, a.status)
		}
	}
	for path, body := range map[string]string{
		"/clients":     `{"type":"web","name":"x","redirect_uris":["https://a.example/"],"secrets":[{"hash":"x"}]}`,
		"/connections": `{"id":"x","organization":"acme","revision":7}`,
		"/tokens":      `{"name":"x","role":"owner"}`,
	} {
		want(t, c.api("POST", path, body), http.StatusUnprocessableEntity)
	}
	me := c.api("GET", "/whoami", nil).at(t, "user").(string)
	want(t, c.api("PUT", "/me/password", `{"current_password":"x","new_password":"xxxxxxxxxxxx","platform_role":"owner"}`), http.StatusUnprocessableEntity)
	want(t, c.api("PUT", "/users/"+me+"/platform-role", `{"platform_role":"owner"}`), http.StatusForbidden)
	want(t, c.api("POST", "/tokens", `{"name":"x"}`), http.StatusForbidden) // a token makes no tokens
	b := &caller{s: s, cookie: s.session(me)}
	b.csrf = b.api("GET", "/whoami", nil).at(t, "csrf_token").(string)
	owner := s.user(store.RoleOwner)
	want(t, b.api("POST", "/tokens", map[string]any{"name": "x", "user": owner.ID}), http.StatusForbidden)
	want(t, b.api("POST", "/tokens", map[string]any{"name": "x"}), http.StatusCreated)
}

// TestB6_LastOwnerStays: by demotion, disabling, or both at once; and nobody
// touches a person above themselves.
func TestB6_LastOwnerStays(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	first, second := s.user(store.RoleOwner), s.user(store.RoleOwner)
	a, b := &caller{s: s, token: s.token(first.ID, time.Hour)}, &caller{s: s, token: s.token(second.ID, time.Hour)}
	low := s.as(store.RoleAdmin)
	for _, path := range []string{"/disable", "/enable", "/sign-out"} {
		want(t, low.api("POST", "/users/"+first.ID+path, nil), http.StatusForbidden)
	}
	want(t, low.api("PUT", "/users/"+first.ID+"/platform-role", map[string]any{"platform_role": "none"}), http.StatusForbidden)
	sid := s.session(first.ID)
	var public string
	s.update(func(tx store.Tx) error {
		rec, err := s.store.Sessions.Get(tx, store.HashToken(sid))
		public = rec.SID
		return err
	})
	want(t, low.api("DELETE", "/sessions/"+public, nil), http.StatusForbidden)

	// Both demote each other at once: one of them stays.
	results := make(chan int, 2)
	go func() {
		results <- a.api("PUT", "/users/"+second.ID+"/platform-role", map[string]any{"platform_role": "none"}).status
	}()
	go func() {
		results <- b.api("PUT", "/users/"+first.ID+"/platform-role", map[string]any{"platform_role": "none"}).status
	}()
	one, two := <-results, <-results
	if (one == http.StatusOK) == (two == http.StatusOK) {
		t.Fatalf("got %d and %d", one, two)
	}
	last, left := a, first
	if a.api("GET", "/users", nil).status != http.StatusOK {
		last, left = b, second
	}
	want(t, last.api("PUT", "/users/"+left.ID+"/platform-role", map[string]any{"platform_role": "admin"}), http.StatusConflict)
	want(t, last.api("POST", "/users/"+left.ID+"/disable", nil), http.StatusConflict)
	want(t, last.api("GET", "/whoami", nil), http.StatusOK)
}

// TestB10_RemovedAdmin and L4: disabling or demoting kills session and token on
// the next request.
func TestB10_RemovedAdmin(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	owner := s.as(store.RoleOwner)
	u := s.user(store.RoleAdmin)
	browser, script := &caller{s: s, cookie: s.session(u.ID)}, &caller{s: s, token: s.token(u.ID, time.Hour)}
	want(t, browser.get("/users"), http.StatusOK)
	want(t, script.api("GET", "/users", nil), http.StatusOK)
	want(t, owner.api("PUT", "/users/"+u.ID+"/platform-role", map[string]any{"platform_role": "none"}), http.StatusOK)
	want(t, browser.get("/users"), http.StatusSeeOther)
	want(t, script.api("GET", "/users", nil), http.StatusForbidden)
	want(t, owner.api("POST", "/users/"+u.ID+"/disable", nil), http.StatusOK)
	want(t, script.api("GET", "/whoami", nil), http.StatusUnauthorized)
	want(t, owner.api("POST", "/users/"+u.ID+"/enable", nil), http.StatusOK)
	want(t, script.api("GET", "/whoami", nil), http.StatusUnauthorized) // the token died for good
}

// TestL4_EndedSession: ended by an admin, or signed out everywhere: dead on the
// next request.
func TestL4_EndedSession(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	owner := s.as(store.RoleOwner)
	u := s.user(store.RoleAdmin)
	one, two := &caller{s: s, cookie: s.session(u.ID)}, &caller{s: s, cookie: s.session(u.ID)}
	var sid string
	s.update(func(tx store.Tx) error {
		rec, err := s.store.Sessions.Get(tx, store.HashToken(one.cookie))
		sid = rec.SID
		return err
	})
	want(t, owner.api("DELETE", "/sessions/"+sid, nil), http.StatusNoContent)
	want(t, one.api("GET", "/whoami", nil), http.StatusUnauthorized)
	want(t, two.api("GET", "/whoami", nil), http.StatusOK)
	want(t, owner.api("POST", "/users/"+u.ID+"/sign-out", nil), http.StatusNoContent)
	want(t, two.api("GET", "/whoami", nil), http.StatusUnauthorized)
	want(t, owner.api("DELETE", "/sessions/"+sid, nil), http.StatusNotFound)
}

// TestRevisions: If-Match (412) and a body's revision (409).
func TestRevisions(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.as(store.RoleAdmin)
	c.organization("acme")
	tag := c.api("GET", "/organizations/acme", nil).header.Get("ETag")
	want(t, c.api("PATCH", "/organizations/acme", map[string]any{"title": "One"}, "If-Match", tag), http.StatusOK)
	want(t, c.api("PATCH", "/organizations/acme", map[string]any{"title": "Two"}, "If-Match", tag), http.StatusPreconditionFailed)
	want(t, c.api("PATCH", "/organizations/acme", map[string]any{"title": "Two", "revision": 1}), http.StatusConflict)
	want(t, c.api("PATCH", "/organizations/acme", map[string]any{"title": "Two", "revision": 2}, "If-Match", `"1", "2"`), http.StatusOK)
	if got := c.api("GET", "/organizations/acme", nil).at(t, "title"); got != "Two" {
		t.Errorf("title is %v", got)
	}
}

// TestTombstones: a deleted id is never given out again.
func TestTombstones(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.as(store.RoleOwner)
	c.organization("acme")
	c.connection("acme", "acme")
	want(t, c.api("DELETE", "/organizations/acme", nil), http.StatusConflict)
	want(t, c.api("DELETE", "/connections/acme?force=true", nil), http.StatusNoContent)
	want(t, c.api("DELETE", "/organizations/acme", nil), http.StatusNoContent)
	want(t, c.api("POST", "/organizations", map[string]any{"id": "acme", "title": "x"}), http.StatusConflict)
}

// TestZ1_SecretsStayIn: no answer, error, audit entry or log line repeats a secret.
func TestZ1_SecretsStayIn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.as(store.RoleOwner)
	c.organization("acme")
	c.connection("acme", "acme")
	var all []string
	keep := func(a answer) answer { all = append(all, string(a.body)); return a }
	made := want(t, c.api("POST", "/clients", map[string]any{"id": "web", "type": "web", "name": "Web", "redirect_uris": []string{"https://a.example/cb"}}), http.StatusCreated)
	secret := made.at(t, "client_secret").(string)
	if !strings.HasPrefix(secret, "ghs_") || len(secret) < 4+43 {
		t.Errorf("weak secret of %d characters", len(secret))
	}
	rotated := want(t, c.api("POST", "/clients/web/secrets", map[string]any{"keep_old_seconds": 60}), http.StatusCreated).at(t, "client_secret").(string)
	keep(want(t, c.api("PATCH", "/connections/acme", map[string]any{"client_secret": "canary-new-secret"}), http.StatusOK))
	// Errors that carry the secret in a wrong place or of a wrong type.
	keep(c.api("PATCH", "/connections/acme", `{"client_secret":["canary-list"],"issuer":"canary-issuer"}`))
	keep(c.api("PATCH", "/connections/acme", `{"client_secret":12345678909}`))
	keep(c.api("PATCH", "/connections/acme", `{"title":"`+strings.Repeat("canary-long", 30)+`"}`))
	keep(c.api("PATCH", "/connections/acme", `{"client_secret":"canary-broken`))
	keep(c.api("PATCH", "/connections/acme", `{"kind":"canary-enum","picture":"javascript:canary"}`))
	keep(c.api("POST", "/users", `{"email":"canary-no-address","platform_role":"admin"}`))
	keep(c.api("PUT", "/me/password", `{"current_password":"canary-password","new_password":"canary-new"}`))
	for _, path := range []string{"/connections", "/connections/acme", "/clients", "/clients/web", "/audit?limit=200", "/tokens", "/sessions"} {
		keep(want(t, c.api("GET", path, nil), http.StatusOK))
	}
	all = append(all, s.log.String())
	var rec store.Client
	s.update(func(tx store.Tx) (err error) {
		rec, err = s.store.Clients.Get(tx, "web")
		return err
	})
	if len(rec.Secrets) != 2 || rec.Secrets[1].Hash != store.HashToken(rotated) || rec.Secrets[0].ExpiresAt.IsZero() {
		t.Errorf("secrets are %+v", rec.Secrets)
	}
	for _, text := range all {
		for _, canary := range []string{"canary", "12345678909", secret, rotated, rec.Secrets[0].Hash, c.token, store.HashToken(c.token)} {
			if strings.Contains(text, canary) {
				t.Errorf("%.12s… appears in %.300s", canary, text)
			}
		}
	}
}

// TestDomains are canonical, and a second holder needs an owner.
func TestDomains(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c, owner := s.as(store.RoleAdmin), s.as(store.RoleOwner)
	c.organization("acme")
	c.organization("globex")
	got := want(t, c.api("POST", "/organizations/acme/domains", map[string]any{"name": "Bücher.EXAMPLE"}), http.StatusCreated)
	if name := got.at(t, "name"); name != "xn--bcher-kva.example" {
		t.Errorf("kept as %v", name)
	}
	if got.at(t, "state") != "pending" || got.at(t, "challenge") == nil {
		t.Errorf("got %s", got.body)
	}
	for _, bad := range []string{"*.acme.example", "acme", "a b.example", "", "127.0.0.1", "acme.example."} {
		if a := c.api("POST", "/organizations/acme/domains", map[string]any{"name": bad}); a.status != http.StatusUnprocessableEntity && bad != "acme.example." {
			t.Errorf("%q: got %d", bad, a.status)
		}
	}
	want(t, c.api("POST", "/organizations/acme/domains", map[string]any{"name": "acme.test", "asserted": true}), http.StatusForbidden)
	want(t, owner.api("POST", "/organizations/acme/domains", map[string]any{"name": "acme.test", "asserted": true}), http.StatusCreated)
	want(t, c.api("POST", "/organizations/globex/domains", map[string]any{"name": "acme.test"}), http.StatusConflict)
	want(t, owner.api("POST", "/organizations/globex/domains", map[string]any{"name": "ACME.test", "asserted": true}), http.StatusCreated)
	want(t, owner.api("POST", "/organizations/acme/domains/xn--bcher-kva.example/assert", nil), http.StatusOK)
	want(t, c.api("DELETE", "/organizations/acme/domains/b%C3%BCcher.example", nil), http.StatusNoContent)
	want(t, c.api("POST", "/organizations/nobody/domains", map[string]any{"name": "x.test"}), http.StatusNotFound)
}

// TestConnection_ChecksAndOwnerOnly: federation's checks come with field paths;
// what weakens a connection is for owners.
func TestConnection_ChecksAndOwnerOnly(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c, owner := s.as(store.RoleAdmin), s.as(store.RoleOwner)
	c.organization("acme")
	c.connection("acme", "acme")
	a := want(t, c.api("PATCH", "/connections/acme", map[string]any{"issuer": "ftp://x", "domains": []string{"*.*"}, "picture": "javascript:alert(1)", "title": ""}), http.StatusUnprocessableEntity)
	for _, path := range []string{`"body.issuer`, `"body.domains`, `"body.picture"`, `"body.title"`} {
		if !strings.Contains(string(a.body), path) {
			t.Errorf("nothing about %s in %s", path, a.body)
		}
	}
	if a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("got %s", a.header.Get("Content-Type"))
	}
	for _, field := range []string{"allow_private_network", "insecure_no_pkce", "insecure_no_nonce"} {
		want(t, c.api("PATCH", "/connections/acme", map[string]any{field: true}), http.StatusForbidden)
		want(t, owner.api("PATCH", "/connections/acme", map[string]any{field: true}), http.StatusOK)
		want(t, c.api("PATCH", "/connections/acme", map[string]any{"title": "still mine"}), http.StatusOK)
		want(t, owner.api("PATCH", "/connections/acme", map[string]any{field: false}), http.StatusOK)
	}
	want(t, c.api("PATCH", "/connections/acme", map[string]any{"selectors": map[string]any{"federation_id": map[string]any{"path": "sub"}, "email": map[string]any{"path": "$.mail"}}}), http.StatusOK)
	a = want(t, c.api("PATCH", "/connections/acme", map[string]any{"selectors": map[string]any{"email": map[string]any{"path": "$..[?("}}}), http.StatusUnprocessableEntity)
	if !strings.Contains(string(a.body), "body.selectors.") {
		t.Errorf("no path of the selector in %s", a.body)
	}
	want(t, c.api("POST", "/connections", map[string]any{"id": "x", "organization": "nobody", "title": "x", "issuer": issuer, "client_id": "x", "client_secret": "x", "domains": []string{}}), http.StatusUnprocessableEntity)
}

// TestOperator works without the network and cannot be reached from it.
func TestOperator(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	staff := s.user(store.RoleAdmin)
	c := &caller{s: s, client: &http.Client{Transport: s.handler.OperatorTransport()}}
	who := want(t, c.api("GET", "/whoami", nil), http.StatusOK)
	if who.at(t, "user") != "operator" || who.at(t, "via") != "cli" {
		t.Errorf("got %s", who.body)
	}
	want(t, c.api("POST", "/tokens", map[string]any{"name": "ci"}), http.StatusUnprocessableEntity)
	token := want(t, c.api("POST", "/tokens", map[string]any{"name": "ci", "user": staff.ID}), http.StatusCreated).at(t, "secret").(string)
	if got := (&caller{s: s, token: token}).api("GET", "/whoami", nil).at(t, "role"); got != store.RoleAdmin {
		t.Errorf("token has role %v", got)
	}
	network := &caller{s: s}
	for _, header := range []string{"X-Operator", "Operator", "X-Forwarded-User"} {
		want(t, network.api("GET", "/whoami", nil, header, "operator"), http.StatusUnauthorized)
	}
	entries := want(t, c.api("GET", "/audit", nil), http.StatusOK)
	if !strings.Contains(string(entries.body), `"actor":"operator"`) || !strings.Contains(string(entries.body), `"via":"cli"`) {
		t.Errorf("the audit does not name the operator: %s", entries.body)
	}
	if got := c.api("GET", "/audit/verify", nil).at(t, "intact"); got != true {
		t.Errorf("intact: %v", got)
	}
}

// TestB10_BetweenCheckAndChange: an admin who is demoted or whose token is
// revoked after the guard let the request through does not finish the change.
func TestB10_BetweenCheckAndChange(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*site, store.User, string) func(store.Tx) error{
		"demoted": func(s *site, u store.User, _ string) func(store.Tx) error {
			u.PlatformRole = ""
			return func(tx store.Tx) error { return s.store.Users.Put(tx, u) }
		},
		"disabled": func(s *site, u store.User, _ string) func(store.Tx) error {
			u.Status = store.UserDisabled
			return func(tx store.Tx) error { return s.store.Users.Put(tx, u) }
		},
		"revoked": func(s *site, _ store.User, token string) func(store.Tx) error {
			return func(tx store.Tx) error { return s.store.APITokens.Delete(tx, store.HashToken(token)) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			u := s.user(store.RoleAdmin)
			token := s.token(u.ID, time.Hour)
			ran := false
			err := s.handler.ChangeAs(t.Context(), token, admin.Admin, func() { s.update(end(s, u, token)) }, func(ch *store.Change) error {
				ran = true
				return ch.Record("test", "test", nil)
			})
			if err == nil || ran {
				t.Errorf("the change went through: %v", err)
			}
		})
	}
}
