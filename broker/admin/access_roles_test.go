package admin_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"gatehouse/broker/admin"
	"gatehouse/store"
)

const (
	rolesPath  = "../../docs/roles.md"
	rolesBegin = "<!-- permissions -->\n"
	rolesEnd   = "<!-- end of permissions -->"
)

// roleColumns of the permission table, from the least to the most.
func roleColumns() []string {
	return []string{"anyone", "signed in", "approver", "company admin", "company owner", "platform admin", "platform owner"}
}

// permission is what a role may do on a route: "yes", "own" (in its own
// organization) or "no".
func permission(r admin.Route, column string) string {
	company := map[string]admin.Level{"approver": admin.Approver, "company admin": admin.Admin, "company owner": admin.Owner}[column]
	platform := map[string]admin.Level{"platform admin": admin.Admin, "platform owner": admin.Owner}[column]
	switch {
	case r.Level == admin.Anyone, r.Level == admin.SignedIn && column != "anyone", platform >= r.Level:
		return "yes"
	case company >= r.Level && r.In.String() != "platform":
		return "own"
	}
	return "no"
}

func rolesTable(routes []admin.Route) string {
	var b strings.Builder
	for _, part := range []struct {
		title string
		page  bool
	}{{"API", false}, {"Console page", true}} {
		fmt.Fprintf(&b, "\n| %s | %s |\n|---|%s\n", part.title, strings.Join(roleColumns(), " | "), strings.Repeat("---|", len(roleColumns())))
		for _, r := range routes {
			if r.Page != part.page {
				continue
			}
			fmt.Fprintf(&b, "| `%s %s` |", r.Method, r.Path)
			for _, c := range roleColumns() {
				fmt.Fprintf(&b, " %s |", permission(r, c))
			}
			b.WriteString("\n")
		}
	}
	b.WriteString("\n")
	return b.String()
}

// TestDocs_Roles: docs/roles.md shows the permissions as they are.
func TestDocs_Roles(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile(rolesPath)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(doc), rolesBegin)
	have, after, ok2 := strings.Cut(rest, rolesEnd)
	if !ok || !ok2 {
		t.Fatal("docs/roles.md has no place for the permission table")
	}
	now := rolesTable(newSite(t).handler.Routes())
	if *update {
		if err := os.WriteFile(rolesPath, []byte(before+rolesBegin+now+rolesEnd+after), 0o644); err != nil { //nolint:gosec // a document
			t.Fatal(err)
		}
		return
	}
	if have != now {
		t.Error("docs/roles.md is out of date: go test ./broker/admin -run TestDocs -update, and look at what changed")
	}
}

// documented reads the permission table back: "GET /path" → column → answer.
func documented(t *testing.T) map[string]map[string]string {
	t.Helper()
	doc, err := os.ReadFile(rolesPath)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]string{}
	for line := range strings.Lines(string(doc)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != len(roleColumns())+1 || !strings.Contains(cells[0], "`") {
			continue
		}
		row := map[string]string{}
		for i, c := range roleColumns() {
			row[c] = strings.TrimSpace(cells[i+1])
		}
		out[strings.Trim(strings.TrimSpace(cells[0]), "`")] = row
	}
	return out
}

// visitor is one principal of the walk.
type visitor struct {
	name, column string
	org          string // whose role it has
	cookie       string
}

func (s *site) visitors() []visitor {
	s.t.Helper()
	signedIn := func(u store.User, edit ...func(*store.Session)) string { return s.session(u.ID, edit...) }
	disabled := s.member("acme", store.RoleOwner)
	removed := s.member("acme", store.RoleOwner)
	left := s.approver("acme")
	list := []visitor{
		{"nobody", "anyone", "", ""},
		{"unknown session", "anyone", "", strings.Repeat("A", 43)},
		{"idle-expired owner of acme", "anyone", "", signedIn(s.member("acme", store.RoleOwner), func(x *store.Session) { x.IdleExpiresAt = x.CreatedAt })},
		{"expired platform owner", "anyone", "", signedIn(s.user(store.RoleOwner), func(x *store.Session) { x.ExpiresAt = x.CreatedAt })},
		{"public session of an owner of acme", "anyone", "", signedIn(s.member("acme", store.RoleOwner), func(x *store.Session) { x.Console = false })},
		{"disabled owner of acme", "anyone", "", signedIn(disabled)},
		{"owner removed from acme", "signed in", "", signedIn(removed)},
		{"approver who left acme", "signed in", "", signedIn(left)},
		{"plain user", "signed in", "", signedIn(s.user(""))},
		{"member of acme", "signed in", "", signedIn(s.member("acme", store.RoleUser))},
		{"approver of acme", "approver", "acme", signedIn(s.approver("acme"))},
		{"approver of globex", "approver", "globex", signedIn(s.approver("globex"))},
		{"admin of acme", "company admin", "acme", signedIn(s.member("acme", store.RoleAdmin))},
		{"admin of globex", "company admin", "globex", signedIn(s.member("globex", store.RoleAdmin))},
		{"owner of acme", "company owner", "acme", signedIn(s.member("acme", store.RoleOwner))},
		{"owner of globex", "company owner", "globex", signedIn(s.member("globex", store.RoleOwner))},
		{"platform admin", "platform admin", "", signedIn(s.user(store.RoleAdmin))},
		{"platform owner", "platform owner", "", signedIn(s.user(store.RoleOwner))},
	}
	s.update(func(tx store.Tx) error {
		disabled.Status = store.UserDisabled
		if err := s.store.Users.Put(tx, disabled); err != nil {
			return err
		}
		if err := s.store.Memberships.Delete(tx, store.MembershipKey("acme", left.ID)); err != nil {
			return err
		}
		return s.store.Memberships.Delete(tx, store.MembershipKey("acme", removed.ID))
	})
	return list
}

// knock sends a request that gets past the gate and no further when it changes
// something: without form token. Reading is done for real.
func (s *site) knock(v visitor, r admin.Route, path string) (status int, passed bool, body string) {
	req := httptest.NewRequestWithContext(s.t.Context(), r.Method, path, nil)
	req.Host = strings.TrimPrefix(s.server.URL, "http://")
	if v.cookie != "" {
		req.AddCookie(&http.Cookie{Name: "gh_console", Value: v.cookie})
	}
	rec := httptest.NewRecorder()
	s.handler.ServeHTTP(rec, req)
	body = rec.Body.String()
	switch {
	case r.Method == "GET":
		passed = rec.Code < 400 && (r.Level == admin.Anyone || !strings.HasPrefix(rec.Header().Get("Location"), "/signin")) ||
			rec.Code == http.StatusUnprocessableEntity || rec.Code == http.StatusConflict
	case r.Page:
		passed = rec.Code == http.StatusUnsupportedMediaType
	default:
		passed = rec.Code == http.StatusForbidden && strings.Contains(body, "X-CSRF-Token")
	}
	return rec.Code, passed, body
}

// TestB3_RoleRouteObject walks role × route × object over the whole route table
// and compares each answer with the permission table of docs/roles.md. What is
// read is searched for traces of the other organization. A route without a row,
// or with a wildcard that has no sample, fails.
func TestB3_RoleRouteObject(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.twoCompanies()
	table := documented(t)
	visitors := s.visitors()
	answers := 0
	for _, r := range s.handler.Routes() {
		row := table[r.Method+" "+r.Path]
		if row == nil {
			t.Errorf("%s %s has no row in docs/roles.md: go test ./broker/admin -run TestDocs -update", r.Method, r.Path)
			continue
		}
		objects := []string{"acme", "globex", ""}
		if !strings.Contains(r.Path, "{") {
			objects = objects[:1]
		}
		for _, object := range objects {
			path := fillFor(t, r.Path, object)
			for _, v := range visitors {
				at := path
				if v.org != "" && r.Name == "export-audit" { // companies name whose they want
					at += "?organization=" + v.org
				}
				status, passed, body := s.knock(v, r, at)
				answers++
				if problem := disagreement(row[v.column], r, v, object, status, passed); problem != "" {
					t.Errorf("%s %s as %s: got %d, want %s", r.Method, path, v.name, status, problem)
				}
				if v.org == "acme" && object != "globex" && strings.Contains(strings.ToLower(body), "globex") {
					t.Errorf("%s %s shows %s something of globex:\n%s", r.Method, path, v.name, body)
				}
			}
		}
	}
	t.Logf("%d answers", answers)
}

// disagreement says what an answer should have been; "" when it is right.
func disagreement(cell string, r admin.Route, v visitor, object string, status int, passed bool) string {
	missing := object == "" && status == http.StatusNotFound
	switch {
	case cell == "no" && v.column == "anyone":
		want := http.StatusUnauthorized
		if r.Page && r.Method == "GET" {
			want = http.StatusSeeOther
		}
		if status != want || passed {
			return fmt.Sprint(want)
		}
	case cell == "no":
		if status != http.StatusForbidden || passed {
			return "403"
		}
	case cell == "own" && aboutObject(r) && object != v.org:
		if status != http.StatusNotFound {
			return "404"
		}
	case (cell == "own" || cell == "yes") && !passed && !missing && !unauthorizedByItself(r, status):
		return "it let through"
	case cell == "":
		return "an answer of docs/roles.md"
	}
	return ""
}

// unauthorizedByItself: pages for visitors, and about the caller alone, that
// judge what they bring along.
func unauthorizedByItself(r admin.Route, status int) bool {
	return r.Level <= admin.SignedIn && (status == http.StatusNotFound || status == http.StatusForbidden || status == http.StatusBadRequest || status == http.StatusGone)
}

// TestB10_StandingIsReadAgain: who loses the role between the guard and the
// change changes nothing, with every kind of standing.
func TestB10_StandingIsReadAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.twoCompanies()
	never := func(*store.Change) error {
		t.Error("the change ran")
		return nil
	}
	for name, lose := range map[string]func(store.Tx, store.User) error{
		"disabled": func(tx store.Tx, u store.User) error {
			u.Status = store.UserDisabled
			return s.store.Users.Put(tx, u)
		},
		"removed from the organization": func(tx store.Tx, u store.User) error {
			return s.store.Memberships.Delete(tx, store.MembershipKey("acme", u.ID))
		},
		"demoted": func(tx store.Tx, u store.User) error {
			m, err := s.store.Memberships.Get(tx, store.MembershipKey("acme", u.ID))
			if err != nil {
				return err
			}
			m.Role = store.RoleUser
			return s.store.Memberships.Put(tx, m)
		},
		"owner made admin": func(tx store.Tx, u store.User) error {
			m, err := s.store.Memberships.Get(tx, store.MembershipKey("acme", u.ID))
			if err != nil {
				return err
			}
			m.Role = store.RoleAdmin
			return s.store.Memberships.Put(tx, m)
		},
	} {
		u := s.member("acme", store.RoleOwner)
		token := s.token(u.ID, time.Hour)
		err := s.handler.ChangeWithin(t.Context(), token, admin.Admin, "acme", func() {
			s.update(func(tx store.Tx) error { return lose(tx, u) })
		}, never)
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	u := s.member("acme", store.RoleAdmin)
	ran := false
	if err := s.handler.ChangeWithin(t.Context(), s.token(u.ID, time.Hour), admin.Admin, "acme", func() {}, func(ch *store.Change) error {
		ran = true
		return ch.Record("test.run", "test/1", nil)
	}); err != nil || !ran {
		t.Errorf("an admin who stays: %v", err)
	}
	for _, org := range []string{"globex", ""} {
		if err := s.handler.ChangeWithin(t.Context(), s.token(u.ID, time.Hour), admin.Admin, org, func() {}, never); err == nil {
			t.Errorf("a change in %q went through", org)
		}
	}
}
