package admin_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gatehouse/broker/admin"
	"gatehouse/profile"
	"gatehouse/store"
)

// jsonNames are the names of a struct's fields in JSON.
func jsonNames(t reflect.Type) (names []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// TestConnection_EveryField: each field of the record goes in by PATCH and by
// PUT and comes out again; a field added tomorrow fails here.
func TestConnection_EveryField(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.as(store.RoleOwner)
	c.organization("acme")
	c.connection("acme", "acme")
	view := c.api("GET", "/connections/acme", nil).json(t)
	given := jsonNames(reflect.TypeFor[admin.ConnectionFields]())
	shown := map[string]string{"client_secret": "has_client_secret", "private_key": "has_private_key"}
	omitted := []string{ // left out of the answer while empty
		"preset", "picture", "client_auth_alg", "apple", "response_mode", "grant", "extension_grant_type", "assertion_connection",
		"refresh_outage_seconds", "max_session_seconds", "idle_session_seconds", "concurrent_logins",
	}
	for _, name := range jsonNames(reflect.TypeFor[store.Connection]()) {
		if name != "id" && name != "organization" && !slices.Contains(given, name) {
			t.Errorf("%s cannot be set", name)
		}
		if other := shown[name]; other != "" {
			name = other
		}
		if _, ok := view[name]; !ok && !slices.Contains(omitted, name) {
			t.Errorf("%s is not shown", name)
		}
	}
	set := map[string]any{
		"kind": "oauth2", "preset": "github", "title": "New", "picture": "https://acme.example/p.png", "disabled": true, "domains": []any{"acme.example", "*.acme.example"},
		"allow_public_domains": true, "issuer": "", "client_id": "other", "client_auth": "form",
		"endpoints": map[string]any{"authorize": "https://idp.example/a", "token": "https://idp.example/t", "revocation": "https://idp.example/r"},
		"scopes":    []any{"user"}, "pkce_names": map[string]any{"challenge": "cc"}, "response_mode": "form_post", "login_hint": "on",
		"hint": map[string]any{"parameter": "login", "format": "local"}, "domain_hint": map[string]any{"parameter": "hd"}, "public_hosts": []any{"https://login.brand.example"},
		"parameters":   []any{map[string]any{"name": "tenant", "source": "constant", "value": "a", "in": []any{"authorize"}, "as": "query"}},
		"use_userinfo": false, "profile": map[string]any{"kind": "url", "url": "https://idp.example/me", "token_as": "query", "token_name": "at", "method": "GET"},
		"selectors":   map[string]any{"federation_id": map[string]any{"path": "id"}, "email": map[string]any{"path": "mail"}},
		"trust_email": "always", "max_session_seconds": 3600.0, "idle_session_seconds": 600.0, "server_only": true, "concurrent_logins": "one",
		"refresh_login": true, "refresh_outage_seconds": 60.0,
	}
	saved := want(t, c.api("PATCH", "/connections/acme", set), http.StatusOK).json(t)
	contains(t, "PATCH", saved, set)
	if uris := saved["redirect_uris"].([]any); len(uris) != 2 || uris[1] != "https://login.brand.example/login/callback/acme" {
		t.Errorf("register %v", uris)
	}
	if len(saved["warnings"].([]any)) == 0 {
		t.Error("always believing addresses is no warning")
	}
	// The record comes out whole, goes in again, and its secrets stay.
	record := want(t, c.api("GET", "/connections/acme/record", nil), http.StatusOK)
	if strings.Contains(string(record.body), "secret") && strings.Contains(string(record.body), "canary") {
		t.Errorf("a secret came out: %s", record.body)
	}
	again := want(t, c.api("PUT", "/connections/acme", string(record.body), "If-Match", record.header.Get("ETag")), http.StatusOK).json(t)
	if again["has_client_secret"] != true {
		t.Error("the secret that was left out did not stay")
	}
	contains(t, "PUT", again, set)
	want(t, c.api("PUT", "/connections/acme", string(record.body), "If-Match", record.header.Get("ETag")), http.StatusPreconditionFailed)
	// What PATCH cannot take away, PUT does; and it adds.
	bare := `{"id":"acme","organization":"acme","title":"Bare","domains":["acme.example"],"issuer":"https://idp.example","client_id":"x","client_secret":""}`
	if got := want(t, c.api("PUT", "/connections/acme", bare), http.StatusUnprocessableEntity); !strings.Contains(string(got.body), "client_secret") {
		t.Errorf("got %s", got.body)
	}
	got := want(t, c.api("PUT", "/connections/acme", strings.Replace(bare, `,"client_secret":""`, "", 1)), http.StatusOK).json(t)
	if len(got["parameters"].([]any)) != 0 || got["server_only"] != false {
		t.Errorf("something stayed: %v", got)
	}
	want(t, c.api("PUT", "/connections/second", strings.NewReplacer(`"id":"acme"`, `"id":"second"`, `"client_secret":""`, `"client_secret":"canary-second"`, "acme.example", "second.example").Replace(bare)), http.StatusOK)
	want(t, c.api("PUT", "/connections/third", bare), http.StatusUnprocessableEntity) // another id
	if a := want(t, c.api("PUT", "/connections/acme", `{"id":"acme","organization":"acme","titel":"x","domains":[]}`), http.StatusUnprocessableEntity); !strings.Contains(string(a.body), "titel") {
		t.Errorf("an unknown field: %s", a.body)
	}
}

func contains(t *testing.T, how string, have, want map[string]any) {
	t.Helper()
	for name, v := range want {
		if m, ok := v.(map[string]any); ok {
			inner, _ := have[name].(map[string]any)
			for k, x := range m {
				if !reflect.DeepEqual(inner[k], x) {
					t.Errorf("%s: %s.%s is %v, want %v", how, name, k, inner[k], x)
				}
			}
			continue
		}
		if v == "" {
			v = have[name]
		}
		if !reflect.DeepEqual(have[name], v) {
			t.Errorf("%s: %s is %v, want %v", how, name, have[name], v)
		}
	}
}

// TestZ1_SecretsDoNotMove: who cannot read a secret cannot have it sent to a
// place of their own; in the audit stands that it changed, not what it is.
func TestZ1_SecretsDoNotMove(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c, owner := s.as(store.RoleAdmin), s.as(store.RoleOwner)
	c.organization("acme")
	c.connection("acme", "acme")
	for name, change := range map[string]map[string]any{
		"token endpoint": {"endpoints": map[string]any{"token": "https://evil.example/t"}},
		"issuer":         {"issuer": "https://evil.example"},
	} {
		if a := want(t, c.api("PATCH", "/connections/acme", change), http.StatusUnprocessableEntity); !strings.Contains(string(a.body), "body.client_secret") {
			t.Errorf("%s: %s", name, a.body)
		}
		record := map[string]any{"id": "acme", "organization": "acme", "title": "x", "domains": []string{}, "issuer": "https://idp.example", "client_id": "gatehouse"}
		maps.Copy(record, change)
		if a := want(t, c.api("POST", "/connections/acme/test", map[string]any{"connection": record}), http.StatusUnprocessableEntity); !strings.Contains(string(a.body), "body.connection.client_secret") {
			t.Errorf("test login, %s: %s", name, a.body)
		}
		change["client_secret"] = "canary-given-again"
		want(t, c.api("PATCH", "/connections/acme", change), http.StatusOK)
		delete(change, "client_secret")
		want(t, owner.api("PATCH", "/connections/acme", map[string]any{"issuer": issuer, "endpoints": map[string]any{}}), http.StatusOK)
	}
	audit := string(owner.api("GET", "/audit", nil).body)
	if strings.Contains(audit, "canary") || !strings.Contains(audit, `"client_secret":"changed"`) {
		t.Errorf("the audit says %s", audit)
	}
	// A key is made when it is needed; only its public half is ever seen.
	made := want(t, owner.api("PATCH", "/connections/acme", map[string]any{"client_auth": "private_key_jwt", "client_secret": ""}), http.StatusOK)
	keys, _ := json.Marshal(made.at(t, "public_keys"))
	if made.at(t, "has_private_key") != true || !strings.Contains(string(keys), `"kty":"EC"`) || strings.Contains(string(keys), `"d"`) {
		t.Errorf("got %s", made.body)
	}
}

// TestConnection_NamesExist: what a connection names is there.
func TestConnection_NamesExist(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.as(store.RoleOwner)
	c.organization("acme")
	c.connection("acme", "acme")
	c.connection("other", "acme")
	lend := func(id string) map[string]any {
		return map[string]any{"parameters": []any{map[string]any{"name": "x", "source": "session", "value": id + ".profile.email", "in": []string{"authorize"}}}}
	}
	if a := want(t, c.api("PATCH", "/connections/acme", lend("nobody")), http.StatusUnprocessableEntity); !strings.Contains(string(a.body), "body.parameters[0].value") {
		t.Errorf("got %s", a.body)
	}
	want(t, c.api("PATCH", "/connections/acme", lend("other")), http.StatusOK)
}

// TestConnection_Removing: everything that refers to it is listed, refused
// without force, and the force is in the audit.
func TestConnection_Removing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := s.as(store.RoleOwner)
	c.organization("acme")
	c.connection("acme", "acme")
	c.connection("other", "acme")
	want(t, c.api("PATCH", "/connections/other", map[string]any{"parameters": []any{map[string]any{"name": "x", "source": "session", "value": "acme.profile.email", "in": []string{"authorize"}}}}), http.StatusOK)
	want(t, c.api("POST", "/clients", map[string]any{"id": "wiki", "type": "native", "name": "Wiki", "redirect_uris": []string{"com.example.app:/cb"}, "connections": []string{"acme"}}), http.StatusCreated)
	u := s.user("")
	s.update(func(tx store.Tx) error {
		if err := s.store.Identities.Insert(tx, store.Identity{ConnectionID: "acme", Issuer: issuer, Subject: "1", UserID: u.ID}); err != nil {
			return err
		}
		return s.store.AccessRequests.Insert(tx, store.AccessRequest{ID: store.NewID(), ConnectionID: "acme", OrganizationID: "acme", Issuer: issuer, Subject: "2", State: store.RequestPending, ExpiresAt: s.clock.now().AddDate(0, 0, 1), Snapshot: profile.Attributes{}})
	})
	wanted := []string{`"route acme.example"`, `"client wiki"`, `"connection other"`, `"identity 1"`, `"access_request 1"`}
	refused := want(t, c.api("DELETE", "/connections/acme", nil), http.StatusConflict)
	for _, text := range wanted {
		if !strings.Contains(string(refused.body), text) {
			t.Errorf("the refusal does not name %s: %s", text, refused.body)
		}
	}
	if items := c.api("GET", "/connections/acme/references", nil).at(t, "items").([]any); len(items) != len(wanted) {
		t.Errorf("got %v", items)
	}
	b := &caller{s: s, cookie: s.session(s.user(store.RoleOwner).ID)}
	page := want(t, b.get("/connections/acme/delete"), http.StatusOK)
	for _, text := range []string{"App wiki", "People 1", `name="force"`} {
		if !strings.Contains(string(page.body), text) {
			t.Errorf("the page does not say %q", text)
		}
	}
	want(t, b.post("/connections/acme/delete", "/connections/acme/delete", nil), http.StatusConflict)
	want(t, b.post("/connections/acme/delete", "/connections/acme/delete", url.Values{"force": {"yes"}, "revision": {"99"}}), http.StatusPreconditionFailed)
	want(t, b.post("/connections/acme/delete", "/connections/acme/delete", url.Values{"force": {"yes"}}), http.StatusSeeOther)
	want(t, c.api("GET", "/connections/acme", nil), http.StatusNotFound)
	if audit := string(c.api("GET", "/audit", nil).body); !strings.Contains(audit, `"forced":[`) {
		t.Error("the audit does not tell that it was by force")
	}
	want(t, c.api("PATCH", "/connections/other", map[string]any{"domains": []string{}}), http.StatusUnprocessableEntity) // it names what is gone
	want(t, c.api("PATCH", "/connections/other", map[string]any{"domains": []string{}, "parameters": []any{}}), http.StatusOK)
	want(t, c.api("DELETE", "/connections/other", nil), http.StatusNoContent)
}
