package admin_test

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/store"
)

// memberOf calls as somebody with a role in one organization.
func (s *site) memberOf(organization, role string) (*caller, store.User) {
	s.t.Helper()
	u := s.user("")
	s.update(func(tx store.Tx) error {
		return s.store.Memberships.Insert(tx, store.Membership{OrganizationID: organization, UserID: u.ID, Role: role})
	})
	return &caller{s: s, token: s.token(u.ID, time.Hour)}, u
}

func TestInvitationsInTheAPI(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.globex()
	owner, admin := s.as(store.RoleOwner), (*caller)(nil)
	want(t, owner.api("POST", "/organizations", map[string]any{"id": "acme", "title": "Acme"}), 201)
	admin, _ = s.memberOf("globex", store.RoleAdmin)
	made := want(t, admin.api("POST", "/invitations", map[string]any{
		"organization": "globex", "email": "Dora@GLOBEX.example", "name": "Dora", "groups": []string{"drivers"}, "clients": []string{}, "days": 3,
	}), 201)
	id, _ := made.at(t, "id").(string)
	if made.at(t, "email") != "dora@globex.example" || made.at(t, "role") != "user" || made.at(t, "state") != "open" || made.header.Get("ETag") == "" {
		t.Errorf("%s", made.body)
	}
	s.update(func(tx store.Tx) error { // the link leaves by mail alone
		i, err := s.store.Invitations.Get(tx, id)
		if strings.Contains(string(made.body), i.Hash) {
			t.Error("the answer has the link's hash")
		}
		return err
	})
	for name, c := range map[string]struct {
		as     *caller
		body   map[string]any
		status int
	}{
		"twice":               {admin, map[string]any{"organization": "globex", "email": "DORA@globex.example"}, 409},
		"no address":          {admin, map[string]any{"organization": "globex", "email": "Dora <d@globex.example>"}, 422},
		"another company":     {admin, map[string]any{"organization": "acme", "email": "x@acme.example"}, 404},
		"no company":          {owner, map[string]any{"organization": "none", "email": "x@acme.example"}, 422},
		"more than they have": {admin, map[string]any{"organization": "globex", "email": "e@globex.example", "role": "owner"}, 403},
		"as much":             {admin, map[string]any{"organization": "globex", "email": "f@globex.example", "role": "admin"}, 201},
		"owner":               {owner, map[string]any{"organization": "globex", "email": "g@globex.example", "role": "owner"}, 201},
		"no app":              {admin, map[string]any{"organization": "globex", "email": "h@globex.example", "clients": []string{"none"}}, 422},
		"too long":            {admin, map[string]any{"organization": "globex", "email": "i@globex.example", "days": 61}, 422},
		"state by mass":       {admin, map[string]any{"organization": "globex", "email": "j@globex.example", "state": "accepted"}, 422},
	} {
		if a := c.as.api("POST", "/invitations", c.body); a.status != c.status {
			t.Errorf("%s: got %d, want %d: %s", name, a.status, c.status, a.body)
		}
	}
	page := want(t, admin.api("GET", "/invitations?state=open&organization=globex", nil), 200)
	if n := strings.Count(string(page.body), `"id"`); n != 3 {
		t.Errorf("%d invitations: %s", n, page.body)
	}
	want(t, admin.api("POST", "/invitations/"+id+"/resend", map[string]any{}), 429)
	s.clock.advance(time.Hour)
	admin.token, owner.token = s.token(s.ownerOf("globex"), time.Hour), s.token(s.user(store.RoleOwner).ID, time.Hour)
	again := want(t, admin.api("POST", "/invitations/"+id+"/resend", map[string]any{"days": 5}), 200)
	if again.at(t, "sends") != float64(2) {
		t.Errorf("%s", again.body)
	}
	want(t, admin.api("POST", "/invitations/"+id+"/revoke", nil, "If-Match", `"1"`), 412)
	want(t, admin.api("POST", "/invitations/"+id+"/revoke", nil, "If-Match", again.header.Get("ETag")), 200)
	want(t, admin.api("POST", "/invitations/"+id+"/revoke", nil), 409)
	want(t, admin.api("POST", "/invitations/"+id+"/resend", map[string]any{}), 409)
	audit := string(owner.api("GET", "/audit?limit=200", nil).body)
	for _, action := range []string{"invitation.create", "invitation.resend", "invitation.revoke"} {
		if !strings.Contains(audit, action) {
			t.Errorf("%s is not in the audit", action)
		}
	}
}

// ownerOf makes an owner of an organization.
func (s *site) ownerOf(organization string) string {
	s.t.Helper()
	_, u := s.memberOf(organization, store.RoleOwner)
	return u.ID
}

func TestInvitationsFromCSV(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.globex()
	admin, _ := s.memberOf("globex", store.RoleAdmin)
	want(t, admin.api("POST", "/invitations", map[string]any{"organization": "globex", "email": "there@globex.example"}), 201)
	text := "email,name,role\na@globex.example,=HYPERLINK(\"x\"),\nthere@globex.example,,\nbad,,\nb@globex.example,,owner\na@globex.example,,\nc@gmail.com,,\n"
	body := map[string]any{"organization": "globex", "csv": strings.ReplaceAll(text, `=HYPERLINK("x")`, "=1+1"), "dry_run": true, "groups": []string{"many"}}
	dry := want(t, admin.api("POST", "/invitations/import", body), 200)
	if dry.at(t, "good") != float64(2) || dry.at(t, "bad") != float64(4) || dry.at(t, "invited") != float64(0) {
		t.Errorf("%s", dry.body)
	}
	for _, code := range []string{`"line":3`, `"invited"`, `"line":4`, `"address"`, `"line":5`, `"right"`, `"line":6`, `"duplicate"`, `"line":7`, `"public"`} {
		if !strings.Contains(string(dry.body), code) {
			t.Errorf("the dry run does not name %s: %s", code, dry.body)
		}
	}
	if n := len(listed(t, admin.api("GET", "/invitations", nil))); n != 1 {
		t.Errorf("the dry run invited %d", n-1)
	}
	body["dry_run"] = false
	want(t, admin.api("POST", "/invitations/import", body), 422)
	if n := len(listed(t, admin.api("GET", "/invitations", nil))); n != 1 {
		t.Errorf("an import with bad lines invited %d", n-1)
	}
	body["skip_bad"] = true
	if a := want(t, admin.api("POST", "/invitations/import", body), 200); a.at(t, "invited") != float64(2) {
		t.Errorf("%s", a.body)
	}
	out := want(t, admin.api("GET", "/organizations/globex/invitations.csv", nil), 200)
	rows, err := csv.NewReader(strings.NewReader(string(out.body))).ReadAll()
	if err != nil || len(rows) != 4 || !strings.HasPrefix(out.header.Get("Content-Type"), "text/csv") {
		t.Fatalf("%v, %d rows, %s", err, len(rows), out.header)
	}
	for _, row := range rows[1:] {
		for _, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
				t.Errorf("V4: a cell begins with a formula: %q", cell)
			}
		}
		if row[0] == "a@globex.example" && (row[1] != "'=1+1" || row[3] != "many") {
			t.Errorf("%q", row)
		}
	}
	want(t, admin.api("GET", "/organizations/acme/invitations.csv", nil), 404)
	// The same bytes again, as an export: nobody is invited twice.
	body["csv"], body["skip_bad"] = string(out.body), false
	if a := admin.api("POST", "/invitations/import", body); a.status != 422 {
		t.Errorf("%d %s", a.status, a.body)
	}
	// Large texts get through, larger ones do not.
	body["csv"], body["dry_run"] = "email\n"+strings.Repeat("x@globex.example\n", 60_000), true
	if a := admin.api("POST", "/invitations/import", body); a.status != 200 {
		t.Errorf("1 MB: %d %.300s", a.status, a.body)
	}
	body["csv"] = "email\n" + strings.Repeat("x", 3<<20)
	if a := admin.api("POST", "/invitations/import", body); a.status != http.StatusRequestEntityTooLarge && a.status != 422 {
		t.Errorf("3 MB: %d", a.status)
	}
}

func listed(t *testing.T, a answer) []any {
	t.Helper()
	items, _ := want(t, a, 200).at(t, "items").([]any)
	return items
}

func TestInvitationsInTheConsole(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.globex()
	c := s.browser()
	c.cookie = s.session(s.ownerOf("globex"))
	if page := c.get("/invitations"); page.status != 200 || !strings.Contains(string(page.body), "Nobody is invited") {
		t.Fatalf("%d", page.status)
	}
	bad := c.post("/new/invitation", "/new/invitation", url.Values{"organization": {"globex"}, "email": {"nobody"}, "role": {"user"}})
	if bad.status != 422 || !strings.Contains(string(bad.body), "fault-email") {
		t.Errorf("%d %s", bad.status, bad.body)
	}
	made := c.post("/new/invitation", "/new/invitation", url.Values{"organization": {"globex"}, "email": {"dora@globex.example"}, "role": {"admin"}, "groups": {"a, b"}})
	if made.status != 303 {
		t.Fatalf("%d %s", made.status, made.body)
	}
	at := made.header.Get("Location")
	page := want(t, c.get(at), 200)
	if !strings.Contains(string(page.body), "dora@globex.example") || !strings.Contains(string(page.body), "The mail is on its way") {
		t.Errorf("%s", page.body)
	}
	path, _, _ := strings.Cut(at, "?")
	if again := c.post(path+"/resend", path, nil); again.status != 429 || !strings.Contains(string(again.body), "ten minutes") {
		t.Errorf("resent at once: %d", again.status)
	}
	if gone := c.post(path+"/revoke", path, nil); gone.status != 303 {
		t.Errorf("revoke: %d %s", gone.status, gone.body)
	}
	if page := c.get(path); strings.Contains(string(page.body), "action-revoke") || !strings.Contains(string(page.body), "revoked") {
		t.Error("a revoked invitation can be revoked")
	}
	form := url.Values{"organization": {"globex"}, "csv": {"email\r\na@globex.example\r\nbad\r\n"}, "do": {"check"}}
	checked := want(t, c.post("/new/invitations", "/new/invitations", form), 200)
	if !strings.Contains(string(checked.body), "Line 3") || !strings.Contains(string(checked.body), "1 can be invited, 1 cannot") {
		t.Errorf("%s", checked.body)
	}
	form.Del("do")
	if a := c.post("/new/invitations", "/new/invitations", form); a.status != 422 {
		t.Errorf("with a bad line: %d", a.status)
	}
	form.Set("csv", "email\r\na@globex.example\r\n")
	if a := c.post("/new/invitations", "/new/invitations", form); a.status != 303 {
		t.Errorf("import: %d %s", a.status, a.body)
	}
	form.Set("organization", "acme")
	if a := c.post("/new/invitations", "/new/invitations", form); a.status != 404 {
		t.Errorf("another company: %d", a.status)
	}
	if a := want(t, c.get("/organizations/globex/invitations.csv"), 200); !strings.Contains(string(a.body), "a@globex.example") {
		t.Errorf("%s", a.body)
	}
}
