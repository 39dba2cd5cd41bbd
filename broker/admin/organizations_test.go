package admin_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/store"
)

// faultPaths are the fields that an answer of 422 names, in order.
func faultPaths(t *testing.T, a answer) (paths []string) {
	t.Helper()
	want(t, a, http.StatusUnprocessableEntity)
	var p struct {
		Errors []struct{ Location, Message string }
	}
	if err := json.Unmarshal(a.body, &p); err != nil {
		t.Fatal(err)
	}
	for _, e := range p.Errors {
		paths = append(paths, strings.TrimPrefix(e.Location, "body."))
	}
	return paths
}

func everyOrganizationField() map[string]any {
	return map[string]any{
		"title": "Acme GmbH", "sign_in_off": true, "join": "request", "default_role": "admin",
		"automatic_groups": []string{"staff"}, "automatic_clients": []string{"app"}, "approvers": []string{}, "request_days": 30, "app_requests": true,
		"contact": "IT desk, +49 30 123", "brand": map[string]any{"logo": "https://acme.test/l.svg", "accent": "#a1231a"},
		"links":     map[string]any{"privacy": "https://acme.test/p", "help": "https://acme.test/h", "request_access": "mailto:it@acme.test"},
		"languages": []string{"de", "en"},
		"texts":     []map[string]any{{"key": "waiting", "language": "de", "title": "Einen Moment", "sentence": "Wir sehen uns das an.", "next": "Rufen Sie an.", "contact": "4711"}},
		"rules": []map[string]any{{
			"name": "staff", "connection": "acme", "attribute": "email", "value": "ann@acme.test", "join": "automatic", "role": "owner", "groups": []string{"g"}, "clients": []string{"app"},
		}},
	}
}

func (c *caller) acme() {
	c.s.t.Helper()
	c.organization("acme")
	c.connection("acme", "acme")
	want(c.s.t, c.api("POST", "/clients", map[string]any{"id": "app", "name": "App", "type": "native", "redirect_uris": []string{"com.example.app:/cb"}}), http.StatusCreated)
}

// TestOrganization_EveryField: what goes in comes out, and the audit has it.
func TestOrganization_EveryField(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.as(store.RoleOwner)
	c.acme()
	fields := everyOrganizationField()
	got := want(t, c.api("PATCH", "/organizations/acme", fields), http.StatusOK).json(t)
	for name, value := range fields {
		wantJSON, _ := json.Marshal(value)
		gotJSON, _ := json.Marshal(got[name])
		var a, b any
		_ = json.Unmarshal(wantJSON, &a)
		_ = json.Unmarshal(gotJSON, &b)
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		if string(x) != string(y) {
			t.Errorf("%s: got %s, want %s", name, y, x)
		}
	}
	if got["join_actor"] == "" {
		t.Error("nobody is recorded as who switched join on")
	}
	again := want(t, c.api("PATCH", "/organizations/acme", map[string]any{"title": "Acme AG"}), http.StatusOK).json(t)
	if again["contact"] != got["contact"] || len(again["rules"].([]any)) != 1 {
		t.Error("a change of the title changed something else")
	}
}

// TestOrganization_AllFaultsAtOnce: each with the path of its field.
func TestOrganization_AllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.as(store.RoleOwner)
	c.acme()
	c.organization("globex")
	c.connection("globex", "globex")
	plain := s.user("")
	got := faultPaths(t, c.api("PATCH", "/organizations/acme", map[string]any{
		"title": " ", "contact": "a\u202eb", "automatic_groups": []string{"x", "x", ""}, "automatic_clients": []string{"nobody"},
		"approvers": []string{plain.ID, "who"}, "request_days": 91, "join_actor": plain.ID,
		"brand":     map[string]any{"logo": "http://acme.test/l.svg", "accent": "#ffcc00"},
		"links":     map[string]any{"privacy": "javascript:alert(1)", "help": "mailto:it@acme.test?body=x", "request_access": "mailto:it%40acme.test"},
		"languages": []string{"fr", "de", "de"},
		"texts": []map[string]any{
			{"key": "nothing", "language": "de", "title": "x"},
			{"key": "waiting", "language": "xx", "title": strings.Repeat("x", 81)},
			{"key": "refused", "language": "en"},
			{"key": "refused", "language": "en", "sentence": "line\nline"},
		},
		"rules": []map[string]any{
			{"name": "", "connection": "globex", "attribute": "email", "value": "", "join": "maybe"},
			{"name": "a", "connection": "acme", "attribute": "shoe_size", "value": "42", "join": "off", "clients": []string{"nobody"}},
			{"name": "a", "connection": "acme", "attribute": "email", "value": "x", "join": "request", "role": "king"},
		},
	}))
	for _, path := range []string{
		"title", "contact", "automatic_groups[1]", "automatic_groups[2]", "automatic_clients[0]", "approvers[0]", "approvers[1]", "request_days", "join_actor",
		"brand.logo", "brand.accent", "links.privacy", "links.help", "links.request_access", "languages[0]", "languages[2]",
		"texts[0].key", "texts[1].language", "texts[1].title", "texts[2]", "texts[3]", "texts[3].sentence",
		"rules[0].name", "rules[0].connection", "rules[0].value", "rules[0].join", "rules[1].attribute", "rules[1].clients[0]", "rules[2].name", "rules[2].role",
	} {
		if !slices.Contains(got, path) {
			t.Errorf("no fault names %s: %q", path, got)
		}
	}
	a := c.api("PATCH", "/organizations/acme", map[string]any{"brand": map[string]any{"accent": "#ffcc00"}})
	if !strings.Contains(string(a.body), "the nearest colour that can be read is #") {
		t.Errorf("no colour is proposed: %s", a.body)
	}
}

// TestB6_RolesOfNewcomersAreForOwners: an admin of the organization gives nobody
// more than they have, not through newcomers either.
func TestB6_RolesOfNewcomersAreForOwners(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	platform := s.as(store.RoleOwner)
	platform.acme()
	member := func(role string) *caller {
		u := s.user("")
		s.update(func(tx store.Tx) error {
			return s.store.Memberships.Insert(tx, store.Membership{OrganizationID: "acme", UserID: u.ID, Role: role})
		})
		return &caller{s: s, token: s.token(u.ID, time.Hour)}
	}
	admin, owner := member(store.RoleAdmin), member(store.RoleOwner)
	rule := map[string]any{"name": "boss", "connection": "acme", "attribute": "email", "value": "ann@acme.test", "join": "automatic", "role": "owner"}
	raise := map[string]any{"default_role": "admin", "rules": []any{rule}, "join": "request"}
	if got := faultPaths(t, admin.api("PATCH", "/organizations/acme", raise)); !slices.Equal(got, []string{"default_role", "rules[0].role"}) {
		t.Errorf("an admin: %q", got)
	}
	want(t, owner.api("PATCH", "/organizations/acme", raise), http.StatusOK)
	// What an owner has set stays when an admin changes something else.
	want(t, admin.api("PATCH", "/organizations/acme", map[string]any{"title": "Acme", "rules": []any{rule}}), http.StatusOK)
	rule["value"] = "eve@acme.test"
	if got := faultPaths(t, admin.api("PATCH", "/organizations/acme", map[string]any{"rules": []any{rule}})); !slices.Equal(got, []string{"rules[0].role"}) {
		t.Errorf("an admin changed an owner's rule: %q", got)
	}
	// What the platform switched off, it alone switches on.
	want(t, platform.api("PATCH", "/organizations/acme", map[string]any{"disabled": true}), http.StatusOK)
	if got := faultPaths(t, owner.api("PATCH", "/organizations/acme", map[string]any{"disabled": false})); !slices.Equal(got, []string{"disabled"}) {
		t.Errorf("an owner of the organization: %q", got)
	}
	want(t, owner.api("PATCH", "/organizations/acme", map[string]any{"sign_in_off": true}), http.StatusOK)
}

// TestConsole_Organization: made, changed, worded, ruled, switched and removed in
// the console.
func TestConsole_Organization(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.console(store.RoleOwner)
	page := want(t, c.get("/new/organization"), http.StatusOK)
	form := filled(t, page)
	form.Set("id", "Not A Slug")
	form.Set("brand.accent", "#FFCC00")
	form.Set("request_days", "soon")
	bad := want(t, c.post("/new/organization", "/new/organization", form), http.StatusUnprocessableEntity)
	if body := string(bad.body); !strings.Contains(body, `value="#FFCC00"`) || !strings.Contains(body, "whole number") {
		t.Errorf("the form came back without what was typed: %s", body)
	}
	form.Set("id", "acme")
	form.Set("title", "Acme")
	form.Set("brand.accent", "#0B5C63")
	form.Set("request_days", "14")
	form.Set("languages", "de\nen")
	form.Set("join", "request")
	form.Del("csrf")
	made := want(t, c.post("/new/organization", "/new/organization", form), http.StatusSeeOther)
	if at := made.header.Get("Location"); at != "/organizations/acme?done=organization-added" {
		t.Fatalf("led to %s", at)
	}
	overview := string(want(t, c.get("/organizations/acme"), http.StatusOK).body)
	for _, part := range []string{"First steps", "/organizations/acme/domains/new", "#0b5c63", "14"} {
		if !strings.Contains(overview, part) {
			t.Errorf("the overview lacks %q", part)
		}
	}

	form = filled(t, want(t, c.get("/organizations/acme/edit"), http.StatusOK))
	form.Set("contact", "IT desk")
	want(t, c.post("/organizations/acme/edit", "/organizations/acme/edit", form), http.StatusSeeOther)
	form.Set("contact", "too late")
	want(t, c.post("/organizations/acme/edit", "/organizations/acme/edit", form), http.StatusConflict)

	texts := filled(t, want(t, c.get("/organizations/acme/texts?language=de"), http.StatusOK))
	texts.Set("waiting.title", "Einen Moment")
	texts.Set("refused.sentence", strings.Repeat("x", 501))
	a := want(t, c.post("/organizations/acme/texts", "/organizations/acme/texts", texts), http.StatusUnprocessableEntity)
	if !strings.Contains(string(a.body), `id="fault-refused.sentence"`) {
		t.Errorf("the fault is not at its input: %s", a.body)
	}
	texts.Set("refused.sentence", "Leider nein.")
	want(t, c.post("/organizations/acme/texts", "/organizations/acme/texts", texts), http.StatusSeeOther)
	english := filled(t, want(t, c.get("/organizations/acme/texts?language=en"), http.StatusOK))
	if english.Get("waiting.title") != "" {
		t.Error("a German text stands among the English ones")
	}
	english.Set("waiting.title", "One moment")
	want(t, c.post("/organizations/acme/texts", "/organizations/acme/texts", english), http.StatusSeeOther)

	s.as(store.RoleOwner).connection("acme", "acme")
	rules := filled(t, want(t, c.get("/organizations/acme/rules"), http.StatusOK))
	rules.Set("rules[0].name", "staff")
	rules.Set("rules[0].attribute", "shoe_size")
	rules.Set("rules[0].value", "42")
	a = want(t, c.post("/organizations/acme/rules", "/organizations/acme/rules", rules), http.StatusUnprocessableEntity)
	if !strings.Contains(string(a.body), `id="fault-rules[0].attribute"`) {
		t.Errorf("the fault is not at its input: %s", a.body)
	}
	rules.Set("rules[0].attribute", "display_name") // whoever chooses that name would let themselves in
	want(t, c.post("/organizations/acme/rules", "/organizations/acme/rules", rules), http.StatusUnprocessableEntity)
	rules.Set("rules[0].attribute", "email")
	rules.Set("rules[0].value", "ann@acme.test")
	want(t, c.post("/organizations/acme/rules", "/organizations/acme/rules", rules), http.StatusSeeOther)
	o := s.organizationRecord("acme")
	if len(o.Texts) != 3 || len(o.Rules) != 1 || o.Rules[0].Attribute != "email" || o.Contact != "IT desk" {
		t.Errorf("kept %+v", o)
	}

	want(t, c.post("/organizations/acme/close", "/organizations/acme", nil), http.StatusSeeOther)
	if !s.organizationRecord("acme").SignInOff {
		t.Error("sign-in is still on")
	}
	want(t, c.post("/organizations/acme/open", "/organizations/acme", nil), http.StatusSeeOther)
	want(t, c.post("/organizations/acme/delete", "/organizations/acme", nil), http.StatusConflict)
}

func (s *site) organizationRecord(id string) (o store.Organization) {
	s.t.Helper()
	err := s.store.View(s.t.Context(), func(tx store.Tx) (err error) {
		o, err = s.store.Organizations.Get(tx, id)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return o
}

// TestConsole_German: a browser that asks for German gets it, an account that
// chose English does not.
func TestConsole_German(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	u := s.user(store.RoleOwner)
	c := &caller{s: s, cookie: s.session(u.ID)}
	german := func() string {
		req, err := http.NewRequestWithContext(t.Context(), "GET", s.server.URL+"/organizations", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept-Language", "de-DE,de;q=0.9,en;q=0.5")
		return string(want(t, c.send(req), http.StatusOK).body)
	}
	if body := german(); !strings.Contains(body, `<html lang="de">`) || !strings.Contains(body, "Noch keine Organisation") {
		t.Errorf("not in German: %s", body)
	}
	s.update(func(tx store.Tx) error {
		u.Language = "en"
		return s.store.Users.Upsert(tx, u)
	})
	if body := german(); !strings.Contains(body, `<html lang="en">`) {
		t.Error("the account's choice does not count")
	}
}

// TestConsole_Domain: claimed, looked at, proven, changed and given up in the
// console, against a real DNS server.
func TestConsole_Domain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.as(store.RoleOwner).organization("acme")
	c := s.console(store.RoleAdmin)
	at := "/organizations/acme/domains/"
	for typed, says := range map[string]string{"gmail.com": "anybody can get an address", "co.uk": "register a name", "not a domain": "not a domain name"} {
		a := want(t, c.post(at+"new", at+"new", url.Values{"name": {typed}}), http.StatusUnprocessableEntity)
		if !strings.Contains(string(a.body), says) {
			t.Errorf("%s: %s", typed, a.body)
		}
	}
	made := want(t, c.post(at+"new", at+"new", url.Values{"name": {"ACME.test"}}), http.StatusSeeOther)
	if got := made.header.Get("Location"); got != at+"acme.test" {
		t.Fatalf("led to %s", got)
	}
	page := string(want(t, c.get(at+"acme.test"), http.StatusOK).body)
	value := between(page, "gatehouse-domain=", "<")
	if !strings.Contains(page, "_gatehouse-challenge.acme.test") || len(value) < 20 {
		t.Errorf("the page does not say which record to set: %s", page)
	}
	look := func(state store.DomainState, says string) {
		t.Helper()
		s.clock.advance(time.Minute)
		want(t, c.post(at+"acme.test/check", at+"acme.test", nil), http.StatusSeeOther)
		d := s.domainRecord("acme", "acme.test")
		if d.State != state || !strings.Contains(d.CheckError, says) {
			t.Errorf("got %s (%s), want %s (%s)", d.State, d.CheckError, state, says)
		}
	}
	look(store.DomainPending, "no TXT record")
	s.dns.fail(true)
	look(store.DomainPending, "could not be asked")
	s.dns.fail(false)
	s.dns.set("_gatehouse-challenge.acme.test", "gatehouse-domain="+value)
	look(store.DomainVerified, "")
	s.dns.set("_gatehouse-challenge.acme.test", "something else")
	look(store.DomainVerified, "no TXT record")
	page = string(want(t, c.get(at+"acme.test"), http.StatusOK).body)
	if !strings.Contains(page, "record missing") || !strings.Contains(page, `id="warnings"`) {
		t.Errorf("a missing record is not shown: %s", page)
	}

	form := filled(t, want(t, c.get(at+"acme.test/edit"), http.StatusOK))
	form.Set("approvers", "nobody-at-all")
	want(t, c.post(at+"acme.test/edit", at+"acme.test/edit", form), http.StatusUnprocessableEntity)
	form.Set("approvers", "")
	form.Set("join", "automatic")
	want(t, c.post(at+"acme.test/edit", at+"acme.test/edit", form), http.StatusSeeOther)
	if d := s.domainRecord("acme", "acme.test"); d.Join != store.JoinAutomatic {
		t.Errorf("kept %+v", d)
	}
	want(t, c.post(at+"acme.test/assert", at+"acme.test", nil), http.StatusForbidden)
	want(t, c.post(at+"acme.test/delete", at+"acme.test", nil), http.StatusSeeOther)
	want(t, c.get(at+"acme.test"), http.StatusNotFound)
}

func (s *site) domainRecord(organization, name string) (d store.Domain) {
	s.t.Helper()
	err := s.store.View(s.t.Context(), func(tx store.Tx) (err error) {
		d, err = s.store.Domains.Get(tx, store.DomainKey(name, organization))
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}
