package admin_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
)

// waiting keeps an access request of a person at globex.
func (s *site) waiting(name string) store.AccessRequest {
	s.t.Helper()
	r := store.AccessRequest{
		ID: store.NewID(), OrganizationID: "globex", ConnectionID: "globex", Issuer: issuer, Subject: name,
		ClientID: "demo", State: store.RequestPending, ExpiresAt: s.clock.now().Add(time.Hour), EmailVerified: true,
		Snapshot: profile.Attributes{DisplayName: "<b>" + name + "</b>", Email: name + "@globex.example", Custom: map[string][]string{"groups": {"=cmd()", "admin"}}},
	}
	s.update(func(tx store.Tx) error { return s.store.AccessRequests.Insert(tx, r) })
	return r
}

func (s *site) globex() {
	s.t.Helper()
	owner := s.as(store.RoleOwner)
	want(s.t, owner.api("POST", "/organizations", map[string]any{"id": "globex", "title": "Globex", "join": "request"}), http.StatusCreated)
	want(s.t, owner.api("POST", "/organizations/globex/domains", map[string]any{"name": "globex.example", "asserted": true}), http.StatusCreated)
	owner.connection("globex", "globex")
}

// TestG5_DecidedOnce: 64 admins approve and refuse one request at once over
// HTTP: one wins, all others get 409 and learn who was first; nobody a 500.
func TestG5_DecidedOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.globex()
	r := s.waiting("mallory")
	winner := s.as(store.RoleAdmin)
	statuses := make([]int, 64)
	bodies := make([]string, 64)
	var wg sync.WaitGroup
	for i := range statuses {
		wg.Go(func() {
			var a answer
			if i%2 == 0 {
				a = winner.api("POST", "/access-requests/"+r.ID+"/approve", map[string]any{})
			} else {
				a = winner.api("POST", "/access-requests/"+r.ID+"/refuse", map[string]any{"reason": "Not known here."})
			}
			statuses[i], bodies[i] = a.status, string(a.body)
		})
	}
	wg.Wait()
	won := 0
	for i, status := range statuses {
		switch {
		case status == http.StatusOK:
			won++
		case status != http.StatusConflict:
			t.Errorf("got %d: %s", status, bodies[i])
		case !strings.Contains(bodies[i], "This request was already") || !strings.Contains(bodies[i], " by User "):
			t.Errorf("the loser does not learn who was first: %s", bodies[i])
		}
	}
	if won != 1 {
		t.Fatalf("%d won", won)
	}
	audit := string(winner.api("GET", "/audit?limit=200", nil).body)
	if n := strings.Count(audit, `"access_request.approve"`) + strings.Count(audit, `"access_request.refuse"`); n != 1 {
		t.Errorf("%d decisions in the audit", n)
	}
}

// TestG5_ConsoleSecondDecision: the second admin's page says who was first.
func TestG5_ConsoleSecondDecision(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.globex()
	r := s.waiting("carol")
	first, second := s.browser(), s.browser()
	first.cookie, second.cookie = s.session(s.user(store.RoleAdmin).ID), s.session(s.user(store.RoleAdmin).ID)
	queue := want(t, first.get("/requests"), http.StatusOK)
	for _, part := range []string{"approve-" + r.ID, "carol@globex.example", "Globex"} {
		if !strings.Contains(string(queue.body), part) {
			t.Errorf("the queue does not show %q", part)
		}
	}
	if strings.Contains(string(queue.body), "<b>carol") {
		t.Error("a name became markup")
	}
	want(t, first.post("/requests/"+r.ID+"/refuse", "/requests", url.Values{"reason": {""}}), http.StatusUnprocessableEntity)
	want(t, first.post("/requests/"+r.ID+"/approve", "/requests", nil), http.StatusSeeOther)
	late := want(t, second.post("/requests/"+r.ID+"/refuse", "/requests", url.Values{"reason": {"no"}}), http.StatusConflict)
	if !strings.Contains(string(late.body), "already approved by User ") {
		t.Errorf("the page does not say who was first:\n%s", late.body)
	}
	decided := want(t, second.get("/requests?state=approved"), http.StatusOK)
	if !strings.Contains(string(decided.body), "carol@globex.example") {
		t.Error("the decided list does not show it")
	}
}

// TestRequests_Rules: own requests, expired ones, roles above user.
func TestRequests_Rules(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.globex()
	c, owner := s.as(store.RoleAdmin), s.as(store.RoleOwner)
	r := s.waiting("dave")
	want(t, c.api("POST", "/access-requests/"+r.ID+"/approve", map[string]any{"role": "owner"}), http.StatusForbidden)
	want(t, c.api("POST", "/access-requests/"+r.ID+"/approve", map[string]any{"role": "root"}), http.StatusUnprocessableEntity)
	want(t, c.api("POST", "/access-requests/"+r.ID+"/refuse", map[string]any{"reason": "a\u202eb"}), http.StatusUnprocessableEntity)
	want(t, c.api("POST", "/access-requests/nothing/approve", map[string]any{}), http.StatusNotFound)
	want(t, owner.api("POST", "/access-requests/"+r.ID+"/approve", map[string]any{"role": "admin", "groups": []string{"it"}}), http.StatusOK)
	// G8: the approver's own second identity.
	self := s.account("erin@globex.example", password, store.RoleOwner)
	own := s.waiting("erin")
	want(t, (&caller{s: s, token: s.token(self.ID, time.Hour)}).api("POST", "/access-requests/"+own.ID+"/approve", map[string]any{}), http.StatusForbidden)
	late := s.waiting("frank")
	s.clock.advance(2 * time.Hour)
	c = s.as(store.RoleAdmin)
	want(t, c.api("POST", "/access-requests/"+late.ID+"/approve", map[string]any{}), http.StatusConflict)
}

// TestConsolePages: every list shows what is there, an empty one its first step.
func TestConsolePages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	u := s.user(store.RoleOwner)
	b := s.browser()
	b.cookie = s.session(u.ID)
	for path, text := range map[string]string{
		"/": "gatehouse org create", "/organizations": "gatehouse org create", "/domains": "gatehouse domain create",
		"/connections": "gatehouse connection create", "/clients": "gatehouse client create", "/requests": "", "/audit": "", "/users": u.Attributes.DisplayName,
		"/sessions": u.ID, "/users/" + u.ID: u.Attributes.Email,
	} {
		a := want(t, b.get(path), http.StatusOK)
		if !strings.Contains(string(a.body), text) {
			t.Errorf("%s does not show %q", path, text)
		}
	}
	s.globex()
	want(t, s.as(store.RoleOwner).api("POST", "/clients", map[string]any{"id": "app", "type": "native", "name": "My app", "redirect_uris": []string{"com.example.app:/cb"}}), http.StatusCreated)
	for path, text := range map[string]string{
		"/organizations": "Globex", "/domains": "globex.example", "/connections": issuer, "/clients": "com.example.app:/cb", "/audit": "client.create",
	} {
		if a := want(t, b.get(path), http.StatusOK); !strings.Contains(string(a.body), text) {
			t.Errorf("%s does not show %q", path, text)
		}
	}
	other := s.user("")
	want(t, b.post("/users/"+other.ID+"/disable", "/users/"+other.ID, nil), http.StatusSeeOther)
	if a := b.get("/users/" + other.ID); !strings.Contains(string(a.body), "disabled") {
		t.Error("the page does not show that the person is disabled")
	}
	want(t, b.post("/users/"+u.ID+"/disable", "/users/"+u.ID, nil), http.StatusSeeOther) // owners of globex() remain
	want(t, b.get("/nothing"), http.StatusNotFound)
}

// TestPaging_Console: 120 users make three pages with links.
func TestPaging_Console(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.browser()
	b.cookie = s.session(s.user(store.RoleAdmin).ID)
	s.update(func(tx store.Tx) error {
		for range 119 {
			if err := s.store.Users.Insert(tx, store.User{ID: store.NewID(), Status: store.UserActive}); err != nil {
				return err
			}
		}
		return nil
	})
	pages, seen := 0, 0
	for path := "/users"; path != ""; pages++ {
		body := string(want(t, b.get(path), http.StatusOK).body)
		seen += strings.Count(body, `href="/users/`)
		path = ""
		if _, rest, ok := strings.Cut(body, `href="/users?cursor=`); ok {
			token, _, _ := strings.Cut(rest, `"`)
			path = "/users?cursor=" + strings.ReplaceAll(token, "&amp;", "&")
		}
	}
	if pages != 3 || seen != 120 {
		t.Errorf("%d pages, %d people", pages, seen)
	}
	want(t, b.get("/users?cursor=forged"), http.StatusBadRequest)
}

// TestV1_NamesInTheConsole: what a provider calls a person is text and nothing else.
func TestV1_NamesInTheConsole(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.globex()
	b := s.browser()
	b.cookie = s.session(s.user(store.RoleOwner).ID)
	for _, name := range []string{"<img src=x onerror=alert(1)>", "{{.}}", "\u202egnp.exe", strings.Repeat("W", 10_000), "\"><script>alert(1)</script>", "javascript:alert(1)"} {
		r := s.waiting(store.NewID())
		r.Revision = 1
		r.Snapshot.DisplayName, r.Snapshot.Picture, r.Snapshot.Phone = name, "javascript:alert(1)", name
		u := store.User{ID: store.NewID(), Status: store.UserActive, Attributes: r.Snapshot}
		s.update(func(tx store.Tx) error {
			if err := s.store.AccessRequests.Put(tx, r); err != nil {
				return err
			}
			return s.store.Users.Insert(tx, u)
		})
		for _, path := range []string{"/requests", "/requests/" + r.ID, "/users", "/users/" + u.ID} {
			body := string(want(t, b.get(path), http.StatusOK).body)
			for _, bad := range []string{"<img src=x", "<script>alert", "\u202e", "=\"javascript:", strings.Repeat("W", 2_000)} {
				if strings.Contains(body, bad) {
					t.Errorf("%s shows %.40q as it is", path, bad)
				}
			}
		}
	}
}
