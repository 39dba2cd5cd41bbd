package admin_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/store"
)

// failedTrace keeps the trace of a login whose ID token had a wrong nonce.
func (s *site) failedTrace(words string) {
	s.t.Helper()
	r := s.store.Traces.Recorder()
	r.Begin(words, s.clock.now())
	ctx := store.WithTrace(context.Background(), r)
	r.About(store.About{Client: "app", Connection: "acme", User: "u1"})
	store.Step(ctx, store.StepLeave, store.Host("host", "https://login.acme.test/authorize?secret=1")).Done(nil)
	store.Step(ctx, store.StepVerify, store.Passed("signature")).Done(nonceFault{})
	r.Outcome(store.OutcomeFailed)
	r.Close()
}

type nonceFault struct{}

func (nonceFault) Error() string { return "x" }
func (nonceFault) TraceFault() store.TraceFault {
	return store.TraceFault{Code: "id_token_nonce", Blame: "provider", Why: "<b>nonce</b> is missing"}
}

func TestTraces_API(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.failedTrace("amber-river-otter")
	s.clock.advance(time.Hour)
	s.failedTrace("quick-maple-finch")
	c := s.as(store.RoleAdmin)
	a := want(t, c.api("GET", "/traces/AMBER%20river%20otter", nil), http.StatusOK)
	if a.at(t, "code") != "id_token_nonce" || a.at(t, "blame") != "provider" || a.at(t, "do") == "" || a.at(t, "failed_at") != "verify" {
		t.Errorf("got %s", a.body)
	}
	want(t, c.api("GET", "/traces/no-such-words", nil), http.StatusNotFound)
	want(t, c.api("GET", "/traces/nothing", nil), http.StatusNotFound)
	want(t, c.api("GET", "/traces?outcome=nonsense", nil), http.StatusUnprocessableEntity)
	for query, n := range map[string]int{
		"": 2, "words=amber-river-otter": 1, "user=u1": 2, "user=u2": 0, "connection=acme&outcome=failed": 2, "outcome=signed_in": 0,
		"words=amber-river-otter&user=u2": 0, "since=" + url.QueryEscape(s.clock.now().Add(-time.Minute).Format(time.RFC3339)): 1,
		"until=" + url.QueryEscape(s.clock.now().Add(-time.Minute).Format(time.RFC3339)): 1,
	} {
		a := want(t, c.api("GET", "/traces?"+query, nil), http.StatusOK)
		if items := a.at(t, "items").([]any); len(items) != n {
			t.Errorf("%s: %d found, want %d", query, len(items), n)
		}
	}
	a = want(t, c.api("GET", "/traces?limit=1&connection=acme", nil), http.StatusOK)
	if !strings.Contains(string(a.body), "quick-maple-finch") || strings.Contains(string(a.body), "amber-river-otter") {
		t.Errorf("the newest does not come first: %s", a.body)
	}
	next := a.at(t, "next").(string)
	if a = want(t, c.api("GET", "/traces?limit=1&connection=acme&cursor="+next, nil), http.StatusOK); !strings.Contains(string(a.body), "amber-river-otter") {
		t.Errorf("second page: %s", a.body)
	}
	want(t, c.api("GET", "/traces?limit=1&connection=globex&cursor="+next, nil), http.StatusBadRequest)
}

func TestTraces_Console(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.failedTrace("amber-river-otter")
	c := &caller{s: s, cookie: s.session(s.user(store.RoleAdmin).ID)}
	list := want(t, c.get("/traces?outcome=failed&connection=acme"), http.StatusOK)
	if !strings.Contains(string(list.body), `href="/traces/amber-river-otter"`) {
		t.Errorf("not listed:\n%s", list.body)
	}
	if list = want(t, c.get("/traces?outcome=signed_in"), http.StatusOK); strings.Contains(string(list.body), "amber-river-otter") {
		t.Error("the filter does nothing")
	}
	page := string(want(t, c.get("/traces/amber-river-otter"), http.StatusOK).body)
	for _, text := range []string{"id_token_nonce", "the provider", "What to do:", "login.acme.test", "not reached", "&lt;b&gt;nonce", "✗ failed"} {
		if !strings.Contains(page, text) {
			t.Errorf("the page does not say %q:\n%s", text, page)
		}
	}
	want(t, c.get("/traces/no-such-words"), http.StatusNotFound)
	csrf := c.api("GET", "/whoami", nil).at(t, "csrf_token").(string)
	for words, to := range map[string]string{"Amber River Otter": "/traces/amber-river-otter", "no such words": "/traces?words=no+such+words"} {
		a := raw(c, "POST", "/find/trace", formType, url.Values{"csrf": {csrf}, "words": {words}}.Encode())
		if a.status != http.StatusSeeOther || a.header.Get("Location") != to {
			t.Errorf("%s leads to %d %s, want %s", words, a.status, a.header.Get("Location"), to)
		}
	}
}
