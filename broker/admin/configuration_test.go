package admin_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/store"
)

const smallDocument = `version: 1
organizations:
  - id: acme
    title: Acme
    join: request
domains:
  - {organization: acme, name: acme.example, state: asserted}
connections:
  - id: acme
    organization: acme
    kind: oidc
    title: Acme
    domains: [acme.example]
    issuer: https://idp.acme.example
    client_id: gatehouse
    client_secret: {from: env:ACME}
clients:
  - id: shop
    type: web
    name: Shop
    auth_method: client_secret_basic
    client_secret: {from: file:shop}
    redirect_uris: [https://shop.example/cb]
    grant_types: [authorization_code]
    scopes: [openid]
webhooks: []
`

func smallSecrets() map[string]string {
	return map[string]string{"env:ACME": "canary-one", "file:shop": strings.Repeat("canary-two", 4)}
}

func document(text string, more ...any) map[string]any {
	body := map[string]any{"document": text, "secrets": smallSecrets()}
	for i := 0; i < len(more); i += 2 {
		body[more[i].(string)] = more[i+1]
	}
	return body
}

// TestConfiguration_PlanThenApply: a plan keeps nothing, apply does all of it
// with one audit entry per object, and what is applied is exported.
func TestConfiguration_PlanThenApply(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.as(store.RoleOwner)
	plan := want(t, c.api("POST", "/configuration/plan", document(smallDocument)), http.StatusOK)
	if n := len(plan.at(t, "changes").([]any)); n != 4 || plan.at(t, "applied") != false {
		t.Fatalf("%d changes: %s", n, plan.body)
	}
	if strings.Contains(string(plan.body), "canary") {
		t.Error("a secret in the plan")
	}
	want(t, c.api("GET", "/organizations/acme", nil), http.StatusNotFound)
	print := plan.at(t, "fingerprint")
	want(t, c.api("POST", "/configuration/apply", document(smallDocument, "fingerprint", print)), http.StatusOK)
	want(t, c.api("GET", "/organizations/acme", nil), http.StatusOK)
	entries := want(t, c.api("GET", "/audit", nil), http.StatusOK)
	if n := strings.Count(string(entries.body), `"applied":"configuration"`); n != 4 || strings.Contains(string(entries.body), "canary") {
		t.Errorf("%d entries: %s", n, entries.body)
	}
	again := want(t, c.api("POST", "/configuration/plan", document(smallDocument)), http.StatusOK)
	if n := len(again.at(t, "changes").([]any)); n != 0 {
		t.Errorf("again: %s", again.body)
	}
	out := want(t, c.api("GET", "/configuration", nil), http.StatusOK)
	if text := out.at(t, "document").(string); !strings.Contains(text, "from: keep") || strings.Contains(text, "canary") {
		t.Errorf("exported: %s", text)
	}
	// The plan of before is old now.
	a := want(t, c.api("POST", "/configuration/apply", document(strings.Replace(smallDocument, "title: Acme", "title: Other", 1), "fingerprint", print)), http.StatusConflict)
	if !strings.Contains(string(a.body), "changed since the plan") {
		t.Errorf("got %s", a.body)
	}
	// One secret changes: named, not shown.
	rotated := document(smallDocument)
	rotated["secrets"].(map[string]string)["env:ACME"] = "canary-three"
	changed := want(t, c.api("POST", "/configuration/apply", rotated), http.StatusOK)
	if !strings.Contains(string(changed.body), `{"path":"client_secret","secret":true}`) || strings.Contains(string(changed.body), "canary") {
		t.Errorf("got %s", changed.body)
	}
}

// TestConfiguration_AllFaultsAtOnce: whatever is wrong with the whole, in one
// answer, with paths and lines, and nothing is kept.
func TestConfiguration_AllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.as(store.RoleOwner)
	text := strings.NewReplacer(
		"join: request", "join: perhaps\n    automatic_clients: [nothing]\n    approvers: [nobody]",
		"organization: acme\n    kind", "organization: other\n    kind",
		"state: asserted", "state: proven", "openid]", "open id]", "env:ACME", "plain",
	).Replace(smallDocument)
	a := want(t, c.api("POST", "/configuration/apply", document(text)), http.StatusUnprocessableEntity)
	for _, path := range []string{
		"organizations[0].join", "organizations[0].automatic_clients[0]", "organizations[0].approvers[0]", "domains[0].state",
		"connections[0].organization", "connections[0].client_secret.from", "clients[0].scopes[0]",
	} {
		if !strings.Contains(string(a.body), `"body.`+path+`"`) {
			t.Errorf("nothing about %s in %s", path, a.body)
		}
	}
	if strings.Count(string(a.body), "(line ") < 7 || strings.Contains(string(a.body), "canary") {
		t.Errorf("got %s", a.body)
	}
	want(t, c.api("GET", "/organizations/acme", nil), http.StatusNotFound)
	entries := want(t, c.api("GET", "/audit", nil), http.StatusOK)
	if strings.Contains(string(entries.body), "organization.create") {
		t.Errorf("recorded: %s", entries.body)
	}
}

// TestConfiguration_PruneAndTombstones: without prune nothing goes; what is
// still named does not; what is gone never comes back.
func TestConfiguration_PruneAndTombstones(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.as(store.RoleOwner)
	want(t, c.api("POST", "/configuration/apply", document(smallDocument)), http.StatusOK)
	before, _, _ := strings.Cut(smallDocument, "connections:")
	without := before + "connections: []\nclients: []\n"
	a := want(t, c.api("POST", "/configuration/apply", document(without)), http.StatusOK)
	if n := len(a.at(t, "changes").([]any)); n != 0 {
		t.Errorf("without prune: %s", a.body)
	}
	a = want(t, c.api("POST", "/configuration/plan", document("version: 1\norganizations: []\n", "prune", true)), http.StatusUnprocessableEntity)
	if !strings.Contains(string(a.body), "still has connections") {
		t.Errorf("got %s", a.body)
	}
	a = want(t, c.api("POST", "/configuration/apply", document(without, "prune", true)), http.StatusOK)
	if n := len(a.at(t, "changes").([]any)); n != 2 || !strings.Contains(string(a.body), "never given out again") {
		t.Errorf("with prune: %s", a.body)
	}
	a = want(t, c.api("POST", "/configuration/plan", document(smallDocument)), http.StatusUnprocessableEntity)
	for _, path := range []string{"connections[0].id", "clients[0].id"} {
		if !strings.Contains(string(a.body), `"body.`+path+`"`) || !strings.Contains(string(a.body), "belonged to something that was removed") {
			t.Errorf("nothing about %s in %s", path, a.body)
		}
	}
}

// TestConfiguration_OwnersOnly: admins of the platform and of companies are
// refused, and a session has to be fresh to apply.
func TestConfiguration_OwnersOnly(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	want(t, s.as(store.RoleAdmin).api("GET", "/configuration", nil), http.StatusForbidden)
	want(t, s.as("").api("POST", "/configuration/plan", document(smallDocument)), http.StatusForbidden)
	b := s.browser()
	b.cookie = s.session(s.user(store.RoleOwner).ID)
	if page := want(t, b.get("/configuration"), http.StatusOK); !strings.Contains(string(page.body), "version: 1") {
		t.Errorf("got %s", page.body)
	}
	if file := want(t, b.get("/configuration/export"), http.StatusOK); !strings.Contains(file.header.Get("Content-Disposition"), "gatehouse.yaml") {
		t.Errorf("got %v", file.header)
	}
	text := "version: 1\r\norganizations:\r\n  - {id: acme, title: \"Acme <b>\", join: \"off\"}\r\n"
	page := want(t, b.post("/configuration/plan", "/configuration", url.Values{"record": {text}}), http.StatusOK)
	if !strings.Contains(string(page.body), "organization acme") || !strings.Contains(string(page.body), "fingerprint") || strings.Contains(string(page.body), "<b>") {
		t.Errorf("got %s", page.body)
	}
	faulty := want(t, b.post("/configuration/plan", "/configuration", url.Values{"record": {"version: 1\norganisations: []\n"}}), http.StatusUnprocessableEntity)
	if !strings.Contains(string(faulty.body), "did you mean organizations?") {
		t.Errorf("got %s", faulty.body)
	}
	s.clock.advance(29 * time.Minute)
	if a := b.post("/configuration/apply", "/configuration", url.Values{"record": {text}}); a.status != http.StatusSeeOther || !strings.Contains(a.header.Get("Location"), "confirm") {
		if a.status == http.StatusSeeOther && strings.Contains(a.header.Get("Location"), "done=applied") {
			t.Error("an old session applied it")
		}
	}
	b.cookie = s.session(s.user(store.RoleOwner).ID)
	done := want(t, b.post("/configuration/apply", "/configuration", url.Values{"record": {text}}), http.StatusSeeOther)
	if done.header.Get("Location") != "/configuration?done=applied" {
		t.Errorf("got %v", done.header)
	}
}

// TestAudit_FilterExportVerify: through the API and console; a company's admins
// read their own entries only.
func TestAudit_FilterExportVerify(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.as(store.RoleOwner)
	want(t, c.api("POST", "/configuration/apply", document(smallDocument)), http.StatusOK)
	want(t, c.api("POST", "/organizations", map[string]any{"id": "globex", "title": "Globex"}), http.StatusCreated)
	boss := s.user("")
	s.update(func(tx store.Tx) error {
		return s.store.Memberships.Insert(tx, store.Membership{OrganizationID: "acme", UserID: boss.ID, Role: store.RoleAdmin})
	})
	company := &caller{s: s, token: s.token(boss.ID, time.Hour)}
	listed := want(t, company.api("GET", "/audit", nil), http.StatusOK)
	if n := len(listed.at(t, "items").([]any)); n != 3 || strings.Contains(string(listed.body), "globex") {
		t.Errorf("a company admin reads %s", listed.body)
	}
	want(t, company.api("GET", "/audit/verify", nil), http.StatusForbidden)
	want(t, company.api("GET", "/audit/export", nil), http.StatusForbidden)
	want(t, company.api("GET", "/audit/export?organization=globex", nil), http.StatusNotFound)
	lines := want(t, company.api("GET", "/audit/export?organization=acme", nil), http.StatusOK)
	if n := strings.Count(string(lines.body), "\n"); n != 3 || strings.Contains(string(lines.body), "globex") {
		t.Errorf("a company admin exports %s", lines.body)
	}
	found := want(t, c.api("GET", "/audit?action=organization.create&target=organization/globex", nil), http.StatusOK)
	if n := len(found.at(t, "items").([]any)); n != 1 {
		t.Errorf("found %s", found.body)
	}
	whole := want(t, c.api("GET", "/audit/export", nil), http.StatusOK)
	report, err := store.VerifyAuditLines(strings.NewReader(string(whole.body)))
	verified := want(t, c.api("GET", "/audit/verify", nil), http.StatusOK)
	if err != nil || verified.at(t, "head") != report.Head.String() || verified.at(t, "intact") != true {
		t.Errorf("%v: %s", err, verified.body)
	}
	want(t, c.api("GET", "/audit/verify?expect="+report.Head.String(), nil), http.StatusOK)
	want(t, c.api("GET", "/audit/verify?expect=1:ab", nil), http.StatusBadRequest)
	b := s.browser()
	b.cookie = s.session(s.user(store.RoleOwner).ID)
	for path, text := range map[string]string{"/audit?organization=acme": "connection/acme", "/audit/find": "Find in the audit", "/audit/entries/1": "Acme", "/audit/verify": "intact", "/audit/export": `"seq":1`} {
		if page := want(t, b.get(path), http.StatusOK); !strings.Contains(string(page.body), text) {
			t.Errorf("%s does not say %q: %s", path, text, page.body)
		}
	}
}
