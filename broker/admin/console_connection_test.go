package admin_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"gatehouse/federation"
	"gatehouse/store"
)

func (s *site) console(role string) *caller {
	return &caller{s: s, cookie: s.session(s.user(role).ID)}
}

// filled is a form as the page shows it: what a browser would post.
func filled(t *testing.T, page answer) url.Values {
	t.Helper()
	body := string(page.body)
	body = body[strings.Index(body, `id="form"`):]
	v := url.Values{}
	for _, m := range regexp.MustCompile(`<input[^>]*>`).FindAllString(body, -1) {
		name, value := attribute(m, "name"), attribute(m, "value")
		if attribute(m, "type") == "checkbox" && !strings.Contains(m, " checked") || name == "csrf" {
			continue
		}
		v.Set(name, value)
	}
	for _, m := range regexp.MustCompile(`(?s)<textarea([^>]*)>\n?(.*?)</textarea>`).FindAllStringSubmatch(body, -1) {
		v.Set(attribute(m[1], "name"), html.UnescapeString(m[2]))
	}
	for _, m := range regexp.MustCompile(`(?s)<select([^>]*)>(.*?)</select>`).FindAllStringSubmatch(body, -1) {
		for _, o := range regexp.MustCompile(`<option[^>]*>`).FindAllString(m[2], -1) {
			if strings.Contains(o, " selected") || !v.Has(attribute(m[1], "name")) {
				v.Set(attribute(m[1], "name"), attribute(o, "value"))
			}
		}
	}
	return v
}

func attribute(tag, name string) string {
	_, after, ok := strings.Cut(tag, " "+name+`="`)
	if !ok {
		return ""
	}
	value, _, _ := strings.Cut(after, `"`)
	return html.UnescapeString(value)
}

// TestConsole_EveryPresetBecomesAConnection: picker, form, detail.
func TestConsole_EveryPresetBecomesAConnection(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.as(store.RoleOwner).organization("acme")
	b := s.console(store.RoleOwner) // some providers know no PKCE
	picker := string(want(t, b.get("/new/connection"), http.StatusOK).body)
	for i, p := range federation.Presets() {
		path := "/new/connection/" + p.Name
		if !strings.Contains(picker, `href="`+path+`"`) {
			t.Errorf("%s cannot be picked", p.Name)
		}
		form := filled(t, want(t, b.get(path), http.StatusOK))
		id := fmt.Sprintf("c-%d", i)
		form.Set("id", id)
		form.Set("organization", "acme")
		form.Set("domains", id+".example\n*."+id+".example")
		form.Set("client_id", "gatehouse")
		form.Set("client_secret", "canary-secret")
		for _, blank := range p.Blanks {
			form.Set("values."+blank.Name, blank.Example)
		}
		if p.Name == "apple" {
			form.Del("client_secret")
			form.Set("private_key", testKey)
		}
		a := b.post(path, path, form)
		if a.status != http.StatusSeeOther {
			t.Errorf("%s: %d\n%s", p.Name, a.status, between(string(a.body), `id="faults"`, `</div>`))
			continue
		}
		page := string(want(t, b.get(a.header.Get("Location")), http.StatusOK).body)
		for _, text := range []string{"https://login.example/login/callback/" + id, "Register the redirect URI", "disabled", p.Name} {
			if !strings.Contains(page, text) {
				t.Errorf("%s: the page does not say %q", p.Name, text)
			}
		}
		if strings.Contains(page, "canary") {
			t.Errorf("%s: the page shows the secret", p.Name)
		}
	}
	want(t, b.get("/new/connection/nonsense"), http.StatusNotFound)
}

const testKey = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2\nOF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r\n1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G\n-----END PRIVATE KEY-----\n"

func between(s, from, to string) string {
	_, after, _ := strings.Cut(s, from)
	before, _, _ := strings.Cut(after, to)
	return before
}

// TestConsole_AllFaultsAtOnce: beside their inputs, and what was typed stays.
func TestConsole_AllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.as(store.RoleOwner).organization("acme")
	s.as(store.RoleOwner).connection("acme", "acme")
	b := s.console(store.RoleAdmin)
	path := "/connections/acme/edit"
	form := filled(t, want(t, b.get(path), http.StatusOK))
	for name, value := range map[string]string{
		"title": "", "issuer": "ftp://x", "domains": "*.*", "picture": "javascript:alert(1)", "selectors.email": "$..[?(", "client_secret": "canary-typed",
	} {
		form.Set(name, value)
	}
	a := want(t, b.post(path, path, form), http.StatusUnprocessableEntity)
	for _, name := range []string{"title", "issuer", "domains", "picture", "selectors.email"} {
		if !strings.Contains(string(a.body), `id="fault-`+name+`"`) || !strings.Contains(string(a.body), `href="#`+name+`"`) {
			t.Errorf("no fault beside %s:\n%s", name, between(string(a.body), `id="faults"`, `</div>`))
		}
	}
	if again := filled(t, a); again.Get("domains") != "*.*" || again.Get("client_secret") != "" || strings.Contains(string(a.body), "canary") || strings.Contains(string(a.body), `"javascript:`) && !strings.Contains(string(a.body), `value="javascript:`) {
		t.Errorf("typed again: %v", again)
	}
	// The preset form too: blanks and own fields together.
	a = want(t, b.post("/new/connection/okta", "/new/connection/okta", url.Values{"id": {"A B"}, "domains": {"*.*"}}), http.StatusUnprocessableEntity)
	for _, name := range []string{"id", "organization", "domains", "client_id", "values."} {
		if !strings.Contains(string(a.body), `id="fault-`+name) {
			t.Errorf("no fault beside %s:\n%s", name, between(string(a.body), `id="faults"`, `</div>`))
		}
	}
}

// TestConsole_FormChangesOnlyWhatItShows: saving the form as it is changes
// nothing; dangerous switches are not there for admins, and stay.
func TestConsole_FormChangesOnlyWhatItShows(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	owner := s.as(store.RoleOwner)
	owner.organization("acme")
	owner.connection("acme", "acme")
	want(t, owner.api("PATCH", "/connections/acme", map[string]any{
		"insecure_no_pkce": true, "hint": map[string]any{"format": "local"}, "algorithms": []string{"ES256"}, "max_session_seconds": 3600,
		"parameters": []any{map[string]any{"name": "x", "source": "constant", "value": "y", "in": []string{"authorize"}}},
	}), http.StatusOK)
	before := owner.api("GET", "/connections/acme/record", nil)
	b := s.console(store.RoleAdmin)
	page := want(t, b.get("/connections/acme/edit"), http.StatusOK)
	if strings.Contains(string(page.body), "insecure_no_pkce") {
		t.Error("an admin sees a switch for owners")
	}
	want(t, b.post("/connections/acme/edit", "/connections/acme/edit", filled(t, page)), http.StatusSeeOther)
	if after := owner.api("GET", "/connections/acme/record", nil); string(after.body) != string(before.body) {
		t.Errorf("the form changed more than it shows:\n%s\n%s", before.body, after.body)
	}
	// The form was of an older revision.
	want(t, b.post("/connections/acme/edit", "/connections/acme/edit", filled(t, page)), http.StatusConflict)
	// Posted all the same, a switch for owners does nothing, or is refused.
	form := filled(t, want(t, b.get("/connections/acme/edit"), http.StatusOK))
	form.Set("allow_private_network", "yes")
	want(t, b.post("/connections/acme/edit", "/connections/acme/edit", form), http.StatusSeeOther)
	if owner.api("GET", "/connections/acme", nil).at(t, "allow_private_network") != false {
		t.Error("an admin opened the private network")
	}
	form = filled(t, want(t, b.get("/connections/acme/edit"), http.StatusOK))
	form.Set("trust_email", "always")
	want(t, b.post("/connections/acme/edit", "/connections/acme/edit", form), http.StatusForbidden)
	boss := s.console(store.RoleOwner)
	form = filled(t, want(t, boss.get("/connections/acme/edit"), http.StatusOK))
	form.Del("insecure_no_pkce")
	want(t, boss.post("/connections/acme/edit", "/connections/acme/edit", form), http.StatusSeeOther)
	if owner.api("GET", "/connections/acme", nil).at(t, "insecure_no_pkce") != false {
		t.Error("the owner could not turn PKCE on")
	}
	for verb, off := range map[string]bool{"disable": true, "enable": false} {
		want(t, b.post("/connections/acme/"+verb, "/connections/acme", nil), http.StatusSeeOther)
		if owner.api("GET", "/connections/acme", nil).at(t, "disabled") != off {
			t.Errorf("%s does nothing", verb)
		}
	}
}

// TestConsole_JSONRoundTrip: everything but the secrets, which stay; faults with
// their paths; typed secrets are not shown again.
func TestConsole_JSONRoundTrip(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	owner := s.as(store.RoleOwner)
	owner.organization("acme")
	owner.connection("acme", "acme")
	want(t, owner.api("PATCH", "/connections/acme", map[string]any{
		"title": `Ünï "quoted" <b>&amp;`, "selectors": map[string]any{"federation_id": map[string]any{"path": "sub"}, "custom": map[string]any{"x": map[string]any{"path": "$['a\u200fb']"}}},
	}), http.StatusOK)
	before := owner.api("GET", "/connections/acme/record", nil)
	b := s.console(store.RoleAdmin)
	path := "/connections/acme/json"
	page := want(t, b.get(path), http.StatusOK)
	form := filled(t, page)
	if strings.Contains(string(page.body), "canary") || !strings.Contains(form.Get("record"), `"title"`) {
		t.Fatalf("got %s", form.Get("record"))
	}
	want(t, b.post(path, path, form), http.StatusSeeOther)
	if after := owner.api("GET", "/connections/acme/record", nil); string(after.body) != string(before.body) {
		t.Errorf("not the same:\n%s\n%s", before.body, after.body)
	}
	if owner.api("GET", "/connections/acme", nil).at(t, "has_client_secret") != true {
		t.Error("the secret is gone")
	}
	form = filled(t, want(t, b.get(path), http.StatusOK))
	form.Set("record", `{"id":"acme","organization":"acme","title":"","domains":["*.*"],"titel":"x","client_secret":"canary-\"typed","issuer":"https://idp.example"}`)
	a := want(t, b.post(path, path, form), http.StatusUnprocessableEntity)
	if !strings.Contains(string(a.body), "record.titel") || strings.Contains(string(a.body), "canary") || strings.Contains(string(a.body), "typed") {
		t.Errorf("got %s", between(string(a.body), `<main`, `</main>`))
	}
	form.Set("record", `{"id":"acme","organization":"acme","title":"","domains":["*.*"],"issuer":"ftp://x","client_id":"x"}`)
	a = want(t, b.post(path, path, form), http.StatusUnprocessableEntity)
	for _, at := range []string{"record.title", "record.domains", "record.issuer"} {
		if !strings.Contains(string(a.body), at) {
			t.Errorf("no fault at %s", at)
		}
	}
	form.Set("record", `{`)
	want(t, b.post(path, path, form), http.StatusUnprocessableEntity)
	form.Set("record", strings.Repeat("[", 200<<10))
	want(t, b.post(path, path, form), http.StatusUnprocessableEntity)
}
