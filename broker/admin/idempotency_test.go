package admin_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/store"
)

// TestIdempotency_SameAnswerOnce: a repeated POST does nothing and gets the
// first answer, secrets and all; another request with the key, another caller
// and a refused request are told apart.
func TestIdempotency_SameAnswerOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c, other := s.as(store.RoleOwner), s.as(store.RoleOwner)
	body := map[string]any{"type": "web", "name": "Wiki", "redirect_uris": []string{"https://wiki.example/cb"}}
	first := want(t, c.api("POST", "/clients", body, "Idempotency-Key", "k1"), http.StatusCreated)
	again := want(t, c.api("POST", "/clients", body, "Idempotency-Key", "k1"), http.StatusCreated)
	if string(first.body) != string(again.body) || first.header.Get("ETag") != again.header.Get("ETag") || first.at(t, "client_secret") == nil {
		t.Errorf("got\n%s, then\n%s", first.body, again.body)
	}
	if again.header.Get("Idempotent-Replayed") != "true" || first.header.Get("Idempotent-Replayed") != "" {
		t.Error("the answer does not say that it is the first one's")
	}
	if n := len(want(t, c.api("GET", "/clients", nil), http.StatusOK).at(t, "items").([]any)); n != 1 {
		t.Errorf("%d clients, want 1", n)
	}
	want(t, c.api("POST", "/clients", map[string]any{"type": "web", "name": "Other", "redirect_uris": []string{"https://wiki.example/cb"}}, "Idempotency-Key", "k1"), http.StatusUnprocessableEntity)
	want(t, c.api("POST", "/organizations", map[string]any{"id": "acme", "title": "Acme"}, "Idempotency-Key", "k1"), http.StatusUnprocessableEntity)
	mine := want(t, other.api("POST", "/clients", body, "Idempotency-Key", "k1"), http.StatusCreated)
	if string(mine.body) == string(first.body) {
		t.Error("another caller got the first one's answer")
	}
	// What was refused is tried again.
	want(t, c.api("POST", "/clients", map[string]any{"type": "web", "name": "", "redirect_uris": []string{}}, "Idempotency-Key", "k2"), http.StatusUnprocessableEntity)
	want(t, c.api("POST", "/clients", body, "Idempotency-Key", "k2"), http.StatusCreated)
	for _, bad := range []string{strings.Repeat("k", 256), "a b", "ü"} {
		want(t, c.api("POST", "/clients", body, "Idempotency-Key", bad), http.StatusBadRequest)
	}
	s.clock.advance(25 * time.Hour)
	later := &caller{s: s, token: s.token(s.user(store.RoleOwner).ID, time.Hour)}
	want(t, later.api("POST", "/clients", body, "Idempotency-Key", "k1"), http.StatusCreated)
	if strings.Contains(s.log.String(), first.at(t, "client_secret").(string)) {
		t.Error("the secret is in the log")
	}
}

// TestIdempotency_AtTheSameTime: of many equal requests at once one is done;
// the others get its answer or are told to wait.
func TestIdempotency_AtTheSameTime(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.as(store.RoleOwner)
	statuses := make([]int, 16)
	var wg sync.WaitGroup
	for i := range statuses {
		wg.Go(func() {
			statuses[i] = c.api("POST", "/clients", map[string]any{"type": "native", "name": "App", "redirect_uris": []string{"com.example.app:/cb"}}, "Idempotency-Key", "once").status
		})
	}
	wg.Wait()
	for _, status := range statuses {
		if status != http.StatusCreated && status != http.StatusConflict {
			t.Errorf("got %d", status)
		}
	}
	if n := len(want(t, c.api("GET", "/clients", nil), http.StatusOK).at(t, "items").([]any)); n != 1 {
		t.Errorf("%d clients, want 1", n)
	}
}

// TestIdempotency_Bounded: nobody fills the store with keys.
func TestIdempotency_Bounded(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	u := s.user(store.RoleOwner)
	c := &caller{s: s, token: s.token(u.ID, time.Hour)}
	s.update(func(tx store.Tx) error {
		for range 1000 {
			if err := s.store.Answers.Insert(tx, store.IdempotentAnswer{Key: store.NewID(), Caller: u.ID, ExpiresAt: s.clock.now().Add(time.Hour)}); err != nil {
				return err
			}
		}
		return nil
	})
	body := map[string]any{"id": "acme", "title": "Acme"}
	want(t, c.api("POST", "/organizations", body, "Idempotency-Key", "k"), http.StatusTooManyRequests)
	want(t, c.api("POST", "/organizations", body), http.StatusCreated)
}

// TestTokens_ScopesNarrow: a token may do what its scopes and its user's role
// both allow, and a scope that means nothing is refused.
func TestTokens_ScopesNarrow(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.twoCompanies()
	scoped := func(u store.User, scopes ...string) *caller {
		c := &caller{s: s, token: s.token(u.ID, time.Hour)}
		s.update(func(tx store.Tx) error {
			rec, err := s.store.APITokens.Get(tx, store.HashToken(c.token))
			rec.Scopes = scopes
			if err != nil {
				return err
			}
			return s.store.APITokens.Put(tx, rec)
		})
		return c
	}
	owner := s.user(store.RoleOwner)
	read := scoped(owner, "connections:read")
	want(t, read.api("GET", "/connections/acme", nil), http.StatusOK)
	want(t, read.api("GET", "/whoami", nil), http.StatusOK)
	want(t, read.api("PATCH", "/connections/acme", map[string]any{"title": "X"}), http.StatusForbidden)
	want(t, read.api("GET", "/users", nil), http.StatusForbidden)
	want(t, read.api("GET", "/openapi.json", nil), http.StatusOK)
	write := scoped(owner, "connections:write")
	want(t, write.api("GET", "/connections/acme", nil), http.StatusOK)
	want(t, write.api("PATCH", "/connections/acme", map[string]any{"title": "X"}), http.StatusOK)
	everything := scoped(owner, "*:read")
	want(t, everything.api("GET", "/audit", nil), http.StatusOK)
	want(t, everything.api("POST", "/organizations", map[string]any{"id": "x", "title": "X"}), http.StatusForbidden)
	// Never widened: all scopes of a company's admin stay in the company.
	company := scoped(s.member("acme", store.RoleAdmin), "*:write")
	want(t, company.api("GET", "/connections/acme", nil), http.StatusOK)
	want(t, company.api("GET", "/connections/globex", nil), http.StatusNotFound)
	want(t, company.api("GET", "/audit/verify", nil), http.StatusForbidden)
	want(t, company.api("POST", "/connections", map[string]any{
		"id": "mine", "organization": "globex", "title": "X", "issuer": "https://idp.globex.example", "client_id": "x", "client_secret": "y",
	}), http.StatusNotFound)
	// A token makes no token, and an unknown scope is a typing error.
	want(t, scoped(owner).api("POST", "/tokens", map[string]any{"name": "more"}), http.StatusForbidden)
	browser := &caller{s: s, cookie: s.session(owner.ID, func(x *store.Session) { x.FactorAt = s.clock.now() })}
	browser.csrf, _ = want(t, browser.api("GET", "/whoami", nil), http.StatusOK).at(t, "csrf_token").(string)
	for _, bad := range []string{"connection:read", "connections", "connections:all", ":read"} {
		want(t, browser.api("POST", "/tokens", map[string]any{"name": "bad", "scopes": []string{bad}}), http.StatusUnprocessableEntity)
	}
	made := want(t, browser.api("POST", "/tokens", map[string]any{"name": "good", "scopes": []string{"test-logins:write", "users:read"}}), http.StatusCreated)
	good := &caller{s: s, token: made.at(t, "secret").(string)}
	want(t, good.api("GET", "/users", nil), http.StatusOK)
	want(t, good.api("GET", "/connections", nil), http.StatusForbidden)
}
