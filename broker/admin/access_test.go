package admin_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/broker/admin"
	"gatehouse/store"
)

func jsonLogger(w *lockedBuffer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// principals of the access test: what each may reach at most, and whether it
// counts as signed in.
type principalKind struct {
	name   string
	level  admin.Level // highest level it satisfies
	signed bool
	make   func(*site) *caller
}

func principalKinds() []principalKind {
	session := func(role string, edit ...func(*store.Session)) func(*site) *caller {
		return func(s *site) *caller { return &caller{s: s, cookie: s.session(s.user(role).ID, edit...)} }
	}
	token := func(role string, life time.Duration) func(*site) *caller {
		return func(s *site) *caller { return &caller{s: s, token: s.token(s.user(role).ID, life)} }
	}
	return []principalKind{
		{"nobody", admin.Anyone, false, func(s *site) *caller { return &caller{s: s} }},
		{"unknown session", admin.Anyone, false, func(s *site) *caller { return &caller{s: s, cookie: strings.Repeat("A", 43)} }},
		{"unknown token", admin.Anyone, false, func(s *site) *caller { return &caller{s: s, token: "gh_" + strings.Repeat("A", 43)} }},
		{"idle-expired owner session", admin.Anyone, false, session(store.RoleOwner, func(x *store.Session) { x.IdleExpiresAt = x.CreatedAt })},
		{"absolute-expired owner session", admin.Anyone, false, session(store.RoleOwner, func(x *store.Session) { x.ExpiresAt = x.CreatedAt })},
		{"owner's session of the public listener", admin.Anyone, false, session(store.RoleOwner, func(x *store.Session) { x.Console = false })},
		{"plain user", admin.SignedIn, true, session("")},
		{"disabled admin", admin.Anyone, false, func(s *site) *caller {
			u := s.user(store.RoleAdmin)
			c := &caller{s: s, cookie: s.session(u.ID)}
			u.Status = store.UserDisabled
			s.update(func(tx store.Tx) error { return s.store.Users.Put(tx, u) })
			return c
		}},
		{"deleted admin", admin.Anyone, false, func(s *site) *caller {
			u := s.user(store.RoleAdmin)
			c := &caller{s: s, token: s.token(u.ID, time.Hour)}
			s.update(func(tx store.Tx) error { return s.store.Users.Delete(tx, u.ID) })
			return c
		}},
		{"admin", admin.Admin, true, session(store.RoleAdmin)},
		{"owner", admin.Owner, true, session(store.RoleOwner)},
		{"admin's token", admin.Admin, true, token(store.RoleAdmin, time.Hour)},
		{"owner's token", admin.Owner, true, token(store.RoleOwner, time.Hour)},
		{"plain user's token", admin.SignedIn, true, token("", time.Hour)},
		{"expired token", admin.Anyone, false, token(store.RoleOwner, -time.Second)},
		{"revoked token", admin.Anyone, false, func(s *site) *caller {
			c := token(store.RoleOwner, time.Hour)(s)
			s.update(func(tx store.Tx) error { return s.store.APITokens.Delete(tx, store.HashToken(c.token)) })
			return c
		}},
	}
}

// TestB3_EveryRouteEveryPrincipal walks the route table.
func TestB3_EveryRouteEveryPrincipal(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.user(store.RoleOwner) // one who stays
	routes := s.handler.Routes()
	if len(routes) < 50 {
		t.Fatalf("only %d routes", len(routes))
	}
	for _, kind := range principalKinds() {
		for _, route := range routes {
			c := kind.make(s)
			path := fill(route.Path)
			got := callRoute(c, route, path).status
			switch {
			case route.Page && c.token != "" && route.Level > admin.Anyone, route.Level > kind.level && !kind.signed:
				wantStatus := http.StatusUnauthorized
				if route.Page && route.Method == "GET" {
					wantStatus = http.StatusSeeOther
				}
				if got != wantStatus {
					t.Errorf("%s %s as %s: got %d, want %d", route.Method, path, kind.name, got, wantStatus)
				}
			case route.Level > kind.level:
				if got != http.StatusForbidden {
					t.Errorf("%s %s as %s: got %d, want 403", route.Method, path, kind.name, got)
				}
			case got == http.StatusForbidden || got >= 500 || got == http.StatusUnauthorized && route.Name != "sign-in-post":
				t.Errorf("%s %s as %s: got %d, want it let through", route.Method, path, kind.name, got)
			}
		}
	}
}

// fill puts something into a pattern's wildcards.
func fill(pattern string) string {
	pattern = strings.TrimSuffix(pattern, "{$}")
	for strings.Contains(pattern, "{") {
		i, j := strings.IndexByte(pattern, '{'), strings.IndexByte(pattern, '}')
		value := "aaaaaaaaaaaaaaaaaaaaaaaa"
		if pattern[i:j+1] == "{domain}" {
			value = "a.example"
		}
		pattern = pattern[:i] + value + pattern[j+1:]
	}
	return pattern
}

// callRoute sends what gets past every guard but the access level: the right
// form token and media type.
func callRoute(c *caller, route admin.Route, path string) answer {
	if !route.Page {
		if c.cookie != "" {
			who := c.api("GET", "/whoami", nil)
			if who.status == http.StatusOK {
				c.csrf, _ = who.at(c.s.t, "csrf_token").(string)
			}
		}
		var body any
		if route.Method != "GET" && route.Method != "DELETE" {
			body = "{}"
		}
		return c.api(route.Method, strings.TrimPrefix(path, "/api/v1"), body)
	}
	if route.Method == "GET" {
		return c.get(path)
	}
	// Every page with a form shows the caller's own token; the sign-in page
	// shows an anonymous one to who is not signed in.
	if c.cookie != "" && c.token == "" {
		if who := c.api("GET", "/whoami", nil); who.status == http.StatusOK {
			return c.post(path, "", url.Values{"csrf": {who.at(c.s.t, "csrf_token").(string)}})
		}
	}
	b := c.s.browser()
	b.cookie, b.token = c.cookie, c.token
	return b.post(path, "/signin", nil)
}

// TestB3_OpenAPIAgrees: the document and the table name the same routes with
// the same access.
func TestB3_OpenAPIAgrees(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var doc struct {
		OpenAPI string `json:"openapi"`
		Paths   map[string]map[string]struct {
			ID       string                `json:"operationId"`
			Access   string                `json:"x-access"`
			Security []map[string][]string `json:"security"`
		} `json:"paths"`
	}
	a := want(t, (&caller{s: s}).api("GET", "/openapi.json", nil), http.StatusOK)
	if err := json.Unmarshal(a.body, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("got OpenAPI %q", doc.OpenAPI)
	}
	table := map[string]string{}
	for _, r := range s.handler.Routes() {
		if !r.Page && r.Name != "openapi" {
			table[r.Method+" "+r.Path+" "+r.Name] = r.Level.String()
		}
	}
	document := map[string]string{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			document[strings.ToUpper(method)+" "+path+" "+op.ID] = op.Access
			if op.Access != "anyone" && len(op.Security) == 0 {
				t.Errorf("%s %s says no security", method, path)
			}
		}
	}
	for key, level := range table {
		if document[key] != level {
			t.Errorf("%s: OpenAPI says %q, table %q", key, document[key], level)
		}
	}
	if len(document) != len(table) {
		t.Errorf("OpenAPI has %d operations, the table %d", len(document), len(table))
	}
	if i := slices.Index([]bool{strings.Contains(string(a.body), `"$schema"`), strings.Contains(string(a.body), `"null"`)}, true); i >= 0 {
		t.Errorf("OpenAPI holds $schema or a nullable type (%d)", i)
	}
}

// TestB9_OnlyOwnHost: the console does not answer for another host name, as
// when a proxy leads the public one here.
func TestB9_OnlyOwnHost(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, host := range []string{"login.example", "localhost", "127.0.0.1", "evil.example:80"} {
		for _, path := range []string{"/", "/signin", "/api/v1/whoami", "/static/x", "/setup?token=x"} {
			req, err := http.NewRequestWithContext(t.Context(), "GET", s.server.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Host = host
			want(t, (&caller{s: s}).send(req), http.StatusMisdirectedRequest)
		}
	}
}
