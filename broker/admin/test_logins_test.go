package admin_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gatehouse/federation"
	"gatehouse/federation/rehearsal"
	"gatehouse/profile"
	"gatehouse/store"
)

// tested makes a test login at acme through the API, and finishes it with a
// result that holds canaries.
func (s *site) tested(c *caller) (words string) {
	s.t.Helper()
	made := want(s.t, c.api("POST", "/connections/acme/test", map[string]any{"client": "wiki", "email": "alice@acme.example"}), http.StatusCreated)
	link, err := url.Parse(made.at(s.t, "link").(string))
	if err != nil || !strings.HasPrefix(link.String(), "https://login.example/login/test?t=") {
		s.t.Fatalf("%v: link %s", err, link)
	}
	test, err := s.tests.Begin(link.Query().Get("t"))
	if err != nil {
		s.t.Fatal(err)
	}
	r := rehearsal.Empty("canary-upstream-secret")
	r.Saw(store.Connection{Selectors: profile.DefaultSelectors()}, federation.Seen{
		Answers: []federation.Answer{
			{Endpoint: "token", From: "https://idp.example/token", Status: 200, MediaType: "application/json", Body: []byte(`{"access_token":"canary-access","token_type":"Bearer","note":"canary-upstream-secret"}`)},
			{Endpoint: "userinfo", From: "https://idp.example/me", Status: 200, MediaType: "application/json", Body: []byte(`{"name":"<b>Canary Person</b>"}`)},
		},
		Documents: profile.Documents{IDToken: []byte(`{"sub":"canary-sub","name":"<b>Canary Person</b>","mail":"canary@acme.example"}`)},
	})
	r.Outcome = rehearsal.WouldSignIn
	r.Admission = &rehearsal.Admission{Decision: "created", Organization: "acme", Why: "the organization takes newcomers"}
	r.Claims = &rehearsal.Claims{Client: "wiki", Scopes: []string{"openid"}, IDToken: r.Claim(map[string]any{"sub": "canary-sub"}), Userinfo: []rehearsal.Value{}}
	if err := s.tests.Finish(test.ID, r); err != nil {
		s.t.Fatal(err)
	}
	return test.Words
}

func (s *site) wiki(c *caller) {
	s.t.Helper()
	c.organization("acme")
	c.connection("acme", "acme")
	want(s.t, c.api("POST", "/clients", map[string]any{"id": "wiki", "type": "native", "name": "Wiki", "redirect_uris": []string{"com.example.app:/cb"}}), http.StatusCreated)
}

// TestX9_TestLoginsAreMasked: masked for everybody; an owner reveals one value
// at a time, and it is written down. Z1: no canary elsewhere.
func TestX9_TestLoginsAreMasked(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c, owner := s.as(store.RoleAdmin), s.as(store.RoleOwner)
	s.wiki(owner)
	words := s.tested(c)
	result := want(t, c.api("GET", "/tests/"+words, nil), http.StatusOK)
	list := want(t, c.api("GET", "/tests", nil), http.StatusOK)
	console := &caller{s: s, cookie: s.session(s.user(store.RoleAdmin).ID)}
	boss := &caller{s: s, cookie: s.session(s.user(store.RoleOwner).ID)}
	page := want(t, console.get("/tests/"+words), http.StatusOK)
	bossPage := want(t, boss.get("/tests/"+words), http.StatusOK)
	for _, text := range []string{`id="token"`, `id="profile"`, `id="identity"`, `id="admission"`, `id="claims"`, `id="warnings"`, "would find something", "$.access_token", "created"} {
		if !strings.Contains(string(page.body), text) {
			t.Errorf("the page does not say %q:\n%s", text, between(string(page.body), "<main", "</main>"))
		}
	}
	if strings.Contains(string(page.body), "/reveal") || !strings.Contains(string(bossPage.body), "/reveal") {
		t.Error("the buttons are not for owners, or not only for them")
	}
	var number int
	test, err := s.tests.Find(words)
	if err != nil {
		t.Fatal(err)
	}
	test.Result.Each(func(_ string, v rehearsal.Value) {
		if v.Path == "$.access_token" {
			number = v.Number
		}
	})
	body := map[string]any{"number": number}
	want(t, c.api("POST", "/tests/"+words+"/reveal", body), http.StatusForbidden)
	want(t, console.post("/tests/"+words+"/reveal", "/tests/"+words, url.Values{"number": {fmt.Sprint(number)}}), http.StatusForbidden)
	quiet := string(owner.api("GET", "/audit?limit=200", nil).body)
	if strings.Contains(quiet, "test_reveal") {
		t.Error("a refused look is recorded as one")
	}
	if got := want(t, owner.api("POST", "/tests/"+words+"/reveal", body), http.StatusOK).at(t, "value"); got != "canary-access" {
		t.Errorf("revealed %v", got)
	}
	shown := want(t, boss.post("/tests/"+words+"/reveal", "/tests/"+words, url.Values{"number": {fmt.Sprint(number)}}), http.StatusOK)
	if strings.Count(string(shown.body), "canary") != 1 || !strings.Contains(string(shown.body), `id="revealed"><bdi>canary-access`) {
		t.Errorf("not the one value: %s", between(string(shown.body), "<main", "</main>"))
	}
	for _, n := range []int{-1, 0, 9999} {
		if a := owner.api("POST", "/tests/"+words+"/reveal", map[string]any{"number": n}); a.status != http.StatusNotFound && a.status != http.StatusUnprocessableEntity {
			t.Errorf("value %d: %d", n, a.status)
		}
	}
	audit := string(owner.api("GET", "/audit?limit=200", nil).body)
	if strings.Count(audit, `"connection.test_reveal"`) != 2 || !strings.Contains(audit, "token response $.access_token") || !strings.Contains(audit, `"connection.test"`) {
		t.Errorf("the audit says %s", audit)
	}
	for name, text := range map[string]string{"result": string(result.body), "list": string(list.body), "page": string(page.body), "owner's page": string(bossPage.body), "audit": audit, "log": s.log.String()} {
		if strings.Contains(strings.ToLower(text), "canary") {
			t.Errorf("a canary in the %s: %s", name, text)
		}
	}
	want(t, c.api("GET", "/tests/no-such-words", nil), http.StatusNotFound)
	want(t, owner.api("POST", "/tests/no-such-words/reveal", body), http.StatusNotFound)
	s.clock.advance(rehearsal.Life)
	want(t, c.api("GET", "/tests/"+words, nil), http.StatusNotFound)
	want(t, owner.api("POST", "/tests/"+words+"/reveal", body), http.StatusNotFound)
}

// TestX9_UnsavedIsCheckedAsSaved: the same faults, by the same people; nothing
// of it is kept, and the audit says what was tested.
func TestX9_UnsavedIsCheckedAsSaved(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c, owner := s.as(store.RoleAdmin), s.as(store.RoleOwner)
	s.wiki(owner)
	record := func(change ...any) map[string]any {
		m := map[string]any{"id": "acme", "organization": "acme", "title": "Changed", "domains": []string{"acme.example"}, "issuer": issuer, "client_id": "gatehouse"}
		for i := 0; i < len(change); i += 2 {
			m[change[i].(string)] = change[i+1]
		}
		return map[string]any{"connection": m}
	}
	for _, field := range []string{"allow_private_network", "insecure_no_pkce", "insecure_no_nonce"} {
		want(t, c.api("POST", "/connections/acme/test", record(field, true)), http.StatusForbidden)
	}
	for field, value := range map[string]any{"issuer": "ftp://x", "domains": []string{"*.*"}, "id": "other", "titel": "x", "organization": "nobody"} {
		if a := want(t, c.api("POST", "/connections/acme/test", record(field, value)), http.StatusUnprocessableEntity); !strings.Contains(string(a.body), "body.connection.") {
			t.Errorf("%s: %s", field, a.body)
		}
	}
	if a := want(t, c.api("POST", "/connections/acme/test", map[string]any{"client": "nobody"}), http.StatusUnprocessableEntity); !strings.Contains(string(a.body), "body.client") {
		t.Errorf("got %s", a.body)
	}
	want(t, c.api("POST", "/connections/nobody/test", map[string]any{}), http.StatusNotFound)
	want(t, c.api("POST", "/connections/acme/test", record("grant", "password", "server_only", true, "client_secret", "canary")), http.StatusUnprocessableEntity)
	made := want(t, c.api("POST", "/connections/acme/test", record("title", "Only tested", "client_secret", "canary-new")), http.StatusCreated)
	if made.at(t, "unsaved") != true || made.at(t, "client") != "wiki" {
		t.Errorf("got %s", made.body)
	}
	// One that is not there at all.
	fresh := record("id", "fresh", "client_secret", "canary-fresh")
	want(t, c.api("POST", "/connections/fresh/test", fresh), http.StatusCreated)
	want(t, c.api("GET", "/connections/fresh", nil), http.StatusNotFound)
	if owner.api("GET", "/connections/acme", nil).at(t, "title") != "acme" {
		t.Error("the test saved the record")
	}
	audit := string(owner.api("GET", "/audit?limit=200", nil).body)
	if !strings.Contains(audit, "Only tested") || strings.Contains(audit, "canary") || strings.Contains(audit, made.at(t, "link").(string)) {
		t.Errorf("the audit says %s", audit)
	}
	link, _ := url.Parse(made.at(t, "link").(string)) // checked by tested
	if strings.Contains(s.log.String(), link.Query().Get("t")) {
		t.Error("the link is in the log")
	}
}

// TestConsole_TestLogin: from the page, the form and the JSON editor; the link
// is shown once.
func TestConsole_TestLogin(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	owner := s.as(store.RoleOwner)
	s.wiki(owner)
	b := &caller{s: s, cookie: s.session(s.user(store.RoleAdmin).ID)}
	start := want(t, b.get("/connections/acme/test"), http.StatusOK)
	a := want(t, b.post("/connections/acme/test", "/connections/acme/test", filled(t, start)), http.StatusOK)
	if !strings.Contains(string(a.body), "https://login.example/login/test?t=") || !strings.Contains(string(a.body), "as saved") {
		t.Errorf("got %s", between(string(a.body), "<main", "</main>"))
	}
	again := between(string(a.body), `id="again" href="`, `"`)
	if page := want(t, b.get(again), http.StatusOK); strings.Contains(string(page.body), "login/test?t=") {
		t.Error("the link is shown twice")
	}
	if page := want(t, b.get("/connections/acme"), http.StatusOK); !strings.Contains(string(page.body), `href="`+again+`"`) {
		t.Error("the connection's page does not list its tests")
	}
	for _, path := range []string{"/connections/acme/edit", "/connections/acme/json"} {
		form := filled(t, want(t, b.get(path), http.StatusOK))
		form.Set("do", "test")
		a := want(t, b.post(path, path, form), http.StatusOK)
		if !strings.Contains(string(a.body), "login/test?t=") || !strings.Contains(string(a.body), "as changed, not saved") {
			t.Errorf("%s: %s", path, between(string(a.body), "<main", "</main>"))
		}
	}
	form := filled(t, want(t, b.get("/connections/acme/edit"), http.StatusOK))
	form.Set("do", "test")
	form.Set("issuer", "ftp://x")
	if a := want(t, b.post("/connections/acme/edit", "/connections/acme/edit", form), http.StatusUnprocessableEntity); !strings.Contains(string(a.body), `id="fault-issuer"`) {
		t.Errorf("no fault beside the issuer: %s", between(string(a.body), "<main", "</main>"))
	}
	want(t, b.post("/connections/acme/test", "/connections/acme/test", url.Values{"client": {"wiki"}, "email": {"not an address"}}), http.StatusUnprocessableEntity)
}
