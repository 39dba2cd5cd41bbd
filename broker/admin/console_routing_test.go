package admin_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gatehouse/store"
)

// TestConsole_Routing: the winner, each loser with its reason, and what the
// linter finds.
func TestConsole_Routing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.console(store.RoleAdmin)
	page := func(a answer) string { return between(string(a.body), "<main", "</main>") }
	if empty := page(want(t, b.get("/routing"), http.StatusOK)); !strings.Contains(empty, `id="first-step"`) || strings.Contains(empty, "<form") {
		t.Errorf("with no connection: %s", empty)
	}
	s.globex()
	owner := s.as(store.RoleOwner)
	owner.organization("acme")
	for id, fields := range map[string]map[string]any{
		"everybody": {"domains": []string{"*"}},
		"unproven":  {"domains": []string{"globex.example", "*.other.example"}},
		"webmail":   {"domains": []string{"gmail.com"}, "allow_public_domains": true},
	} {
		owner.connection(id, "acme")
		want(t, owner.api("PATCH", "/connections/"+id, fields), http.StatusOK)
	}
	ask := func(address, client string, status int) string {
		t.Helper()
		return page(want(t, b.post("/routing", "/routing", url.Values{"address": {address}, "client": {client}}), status))
	}
	if first := page(want(t, b.get("/routing"), http.StatusOK)); strings.Contains(first, `id="answer"`) || !strings.Contains(first, "public_mail_domain") || !strings.Contains(first, `href="/connections/webmail"`) {
		t.Errorf("before a question: %s", first)
	}
	got := ask("Alice@GLOBEX.example", "", http.StatusOK)
	for _, text := range []string{
		"by the rule globex.example", "✓ won", `href="/connections/globex"`, "✗ less specific", `href="/connections/everybody"`,
		"A more specific rule has won.", "✗ domain not proven", `value="Alice@GLOBEX.example"`,
	} {
		if !strings.Contains(got, text) {
			t.Errorf("the answer does not say %q: %s", text, between(got, `id="answer"`, "</section>"))
		}
	}
	want(t, owner.api("PATCH", "/connections/globex", map[string]any{"disabled": true}), http.StatusOK)
	if got := ask("alice@globex.example", "", http.StatusOK); !strings.Contains(got, "wins and leads nowhere") || !strings.Contains(got, "✗ disabled") || !strings.Contains(got, "dead_rule") {
		t.Errorf("a dead rule: %s", got)
	}
	want(t, owner.api("PATCH", "/connections/everybody", map[string]any{"domains": []string{}}), http.StatusOK)
	if got := ask("a@nobody.test", "", http.StatusOK); !strings.Contains(got, "no connection has a rule") {
		t.Errorf("nowhere: %s", between(got, `id="answer"`, "</section>"))
	}
	if got := ask("a@sub.other.example", "", http.StatusOK); !strings.Contains(got, "no rule that covers it counts") {
		t.Errorf("unproven: %s", between(got, `id="answer"`, "</section>"))
	}
	for _, bad := range []struct{ address, client, field string }{
		{"", "", "address"}, {"alice", "", "address"}, {"a@globex.example", "nobody", "client"}, {"<script>@x", "", "address"},
	} {
		if got := ask(bad.address, bad.client, http.StatusUnprocessableEntity); !strings.Contains(got, `id="fault-`+bad.field+`"`) || !strings.Contains(got, `href="#`+bad.field+`"`) || strings.Contains(got, "<script") {
			t.Errorf("%v: %s", bad, between(got, `id="faults"`, "</div>"))
		}
	}
	if page := string(want(t, b.get("/connections/globex"), http.StatusOK).body); !strings.Contains(page, `id="go-routing" href="/routing"`) || !strings.Contains(page, `<a href="/routing">`) {
		t.Error("the connection page does not lead there")
	}
	want(t, s.console("").get("/routing"), http.StatusForbidden)
}

// TestConnections_LooseningIsForOwners: each field that weakens a connection,
// through API, form and JSON editor; who is no owner may leave it as it is.
func TestConnections_LooseningIsForOwners(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	owner, admin, b := s.as(store.RoleOwner), s.as(store.RoleAdmin), s.console(store.RoleAdmin)
	owner.organization("acme")
	for i, loose := range []map[string]any{
		{"allow_public_domains": true}, {"allow_private_network": true}, {"insecure_no_pkce": true}, {"insecure_no_nonce": true}, {"trust_email": "always"},
	} {
		id := fmt.Sprintf("c%d", i)
		owner.connection(id, "acme")
		path := "/connections/" + id
		want(t, admin.api("PATCH", path, loose), http.StatusForbidden)
		form := filled(t, want(t, b.get(path+"/json"), http.StatusOK))
		var record map[string]any
		if err := json.Unmarshal([]byte(form.Get("record")), &record); err != nil {
			t.Fatal(err)
		}
		changed, err := json.Marshal(with(record, loose))
		if err != nil {
			t.Fatal(err)
		}
		form.Set("record", string(changed))
		want(t, b.post(path+"/json", path+"/json", form), http.StatusForbidden)
		want(t, owner.api("PATCH", path, loose), http.StatusOK)
		loose["title"] = "Still so"
		want(t, admin.api("PATCH", path, loose), http.StatusOK)
	}
	form := filled(t, want(t, b.get("/connections/c1/edit"), http.StatusOK))
	form.Set("allow_public_domains", "yes") // the form has no such switch for admins
	want(t, b.post("/connections/c1/edit", "/connections/c1/edit", form), http.StatusSeeOther)
	if owner.api("GET", "/connections/c1", nil).at(t, "allow_public_domains") != false {
		t.Error("an admin allowed public mail domains")
	}
}

// TestConnections_NamedConnectionsExist: what a connection names is there when it
// is saved, is tested or comes anew; it may name itself.
func TestConnections_NamedConnectionsExist(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	owner := s.as(store.RoleOwner)
	owner.organization("acme")
	owner.connection("acme", "acme")
	owner.connection("first", "acme")
	session := func(connection string) map[string]any {
		return map[string]any{"parameters": []any{
			map[string]any{"name": "x", "source": "constant", "value": "nobody.profile.x", "in": []string{"authorize"}},
			map[string]any{"name": "employee", "source": "session", "value": connection + ".profile.employee_id", "in": []string{"authorize"}},
		}}
	}
	assertion := func(connection string) map[string]any {
		return map[string]any{"grant": "jwt_bearer", "assertion_connection": connection}
	}
	for name, tc := range map[string]struct {
		fields map[string]any
		path   string
	}{
		"session parameter": {session("nobody"), "parameters[1].value"},
		"assertion":         {assertion("nobody"), "assertion_connection"},
	} {
		for where, a := range map[string]answer{
			"change": owner.api("PATCH", "/connections/acme", tc.fields),
			"record": owner.api("PUT", "/connections/acme", with(connectionRecord("acme"), tc.fields)),
			"new":    owner.api("PUT", "/connections/fresh", with(connectionRecord("fresh"), tc.fields)),
		} {
			if a.status != http.StatusUnprocessableEntity || !strings.Contains(string(a.body), tc.path) || !strings.Contains(string(a.body), "does not exist") {
				t.Errorf("%s, %s: got %d %s", name, where, a.status, a.body)
			}
		}
	}
	want(t, owner.api("PATCH", "/connections/acme", session("acme")), http.StatusOK)
	want(t, owner.api("PATCH", "/connections/acme", session("first")), http.StatusOK)
	a := want(t, owner.api("DELETE", "/connections/first", nil), http.StatusConflict)
	if !strings.Contains(string(a.body), "parameters[1].value") {
		t.Errorf("the removal does not say who names it: %s", a.body)
	}
}

func connectionRecord(id string) map[string]any {
	return map[string]any{
		"id": id, "organization": "acme", "title": id, "kind": "oidc", "issuer": "https://idp.example", "client_id": "gatehouse", "client_secret": "canary-secret",
		"scopes": []string{"openid"}, "selectors": map[string]any{"federation_id": map[string]any{"path": "sub"}},
	}
}

func with(record, fields map[string]any) map[string]any {
	for k, v := range fields {
		record[k] = v
	}
	return record
}
