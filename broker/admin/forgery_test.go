package admin_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gatehouse/store"
)

// mutators are the routes that change something.
func mutators(s *site) (pages, api []string) {
	for _, r := range s.handler.Routes() {
		if r.Method == "GET" {
			continue
		}
		if path := fill(r.Path); r.Page {
			pages = append(pages, path)
		} else {
			api = append(api, r.Method+" "+path)
		}
	}
	return pages, api
}

func raw(c *caller, method, path, kind, body string, headers ...string) answer {
	c.s.t.Helper()
	req, err := http.NewRequestWithContext(c.s.t.Context(), method, c.s.server.URL+path, strings.NewReader(body))
	if err != nil {
		c.s.t.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return c.send(req)
}

const formType = "application/x-www-form-urlencoded"

// TestB1_EveryMutatingRoute: what another site can make a signed-in owner's
// browser send changes nothing.
func TestB1_EveryMutatingRoute(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	owner := s.user(store.RoleOwner)
	c := &caller{s: s, cookie: s.session(owner.ID)}
	token := c.api("GET", "/whoami", nil).at(t, "csrf_token").(string)
	pages, api := mutators(s)
	if len(pages) < 8 || len(api) < 20 {
		t.Fatalf("only %d pages and %d API routes change something", len(pages), len(api))
	}
	shown := map[string]bool{}
	for _, r := range s.handler.Routes() {
		if r.Page && r.Method == "GET" {
			shown[fill(r.Path)] = true
		}
	}
	for _, path := range pages {
		want(t, raw(c, "POST", path, formType, ""), http.StatusForbidden)
		want(t, raw(c, "POST", path, formType, "csrf=wrong"), http.StatusForbidden)
		want(t, raw(c, "POST", path, formType, "csrf="+token+"&csrf="+token), http.StatusForbidden)
		want(t, raw(c, "POST", path+"?csrf="+url.QueryEscape(token), formType, ""), http.StatusForbidden)
		want(t, raw(c, "POST", path, "text/plain", "csrf="+token), http.StatusUnsupportedMediaType)
		want(t, raw(c, "POST", path, formType, "csrf="+token, "Origin", "https://evil.example"), http.StatusForbidden)
		want(t, raw(c, "POST", path, formType, "csrf="+token, "Origin", "null"), http.StatusForbidden)
		want(t, raw(c, "POST", path, formType, "csrf="+token, "Sec-Fetch-Site", "cross-site"), http.StatusForbidden)
		want(t, raw(c, "POST", path, formType, "csrf="+token, "Sec-Fetch-Site", "same-site"), http.StatusForbidden)
		if !shown[path] { // a form's own page is read by GET
			get := raw(c, "GET", path, "", "").status
			if get != http.StatusMethodNotAllowed {
				t.Errorf("GET %s: got %d, want 405", path, get)
			}
		}
	}
	for _, route := range api {
		method, path, _ := strings.Cut(route, " ")
		want(t, raw(c, method, path, "application/json", "{}"), http.StatusForbidden)
		want(t, raw(c, method, path, "application/json", "{}", "X-CSRF-Token", "wrong"), http.StatusForbidden)
		want(t, raw(c, method, path, "text/plain", "{}", "X-CSRF-Token", token), http.StatusUnsupportedMediaType)
		want(t, raw(c, method, path, formType, "a=b", "X-CSRF-Token", token), http.StatusUnsupportedMediaType)
		want(t, raw(c, method, path, "application/json; charset=utf-7", "{}", "X-CSRF-Token", token), http.StatusUnsupportedMediaType)
		want(t, raw(c, method, path, "", "{}", "X-CSRF-Token", token), http.StatusUnsupportedMediaType)
		want(t, raw(c, method, path, "application/json", "{}", "X-CSRF-Token", token, "Origin", "https://evil.example"), http.StatusForbidden)
	}
	// The owner is still signed in and unchanged.
	if got := c.api("GET", "/whoami", nil).at(t, "role"); got != store.RoleOwner {
		t.Errorf("role is now %v", got)
	}
}

// TestB1_OtherSessionsToken: a form token is good for its own session only.
func TestB1_OtherSessionsToken(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	mine := &caller{s: s, cookie: s.session(s.user(store.RoleOwner).ID)}
	theirs := &caller{s: s, cookie: s.session(s.user(store.RoleAdmin).ID)}
	token := theirs.api("GET", "/whoami", nil).at(t, "csrf_token").(string)
	mine.csrf = token
	want(t, mine.api("POST", "/organizations", map[string]any{"id": "acme", "title": "Acme"}), http.StatusForbidden)
	mine.csrf = mine.api("GET", "/whoami", nil).at(t, "csrf_token").(string)
	want(t, mine.api("POST", "/organizations", map[string]any{"id": "acme", "title": "Acme"}), http.StatusCreated)
}

// TestB2_NoCORS: no answer lets another origin read it.
func TestB2_NoCORS(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := &caller{s: s, cookie: s.session(s.user(store.RoleOwner).ID)}
	for _, r := range s.handler.Routes() {
		for _, origin := range []string{"null", "https://evil.example", s.server.URL} {
			for _, method := range []string{r.Method, "OPTIONS"} {
				a := raw(c, method, fill(r.Path), "", "", "Origin", origin, "Access-Control-Request-Method", r.Method)
				for name := range a.header {
					if strings.HasPrefix(name, "Access-Control-") {
						t.Errorf("%s %s from %s: %s", method, r.Path, origin, name)
					}
				}
			}
		}
	}
}

// TestB8_NeverFramed: every answer forbids framing and shares no opener.
func TestB8_NeverFramed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	c := &caller{s: s, cookie: s.session(s.user(store.RoleOwner).ID)}
	for _, path := range []string{"/", "/signin", "/requests", "/users", "/nothing", "/api/v1/whoami", "/api/v1/nothing", "/api/v1/openapi.json", "/setup?token=x"} {
		a := c.get(path)
		csp := a.header.Get("Content-Security-Policy")
		for what, ok := range map[string]bool{
			"frame-ancestors 'none'":       strings.Contains(csp, "frame-ancestors 'none'"),
			"default-src 'none'":           strings.Contains(csp, "default-src 'none'"),
			"no unsafe-inline":             !strings.Contains(csp, "unsafe-inline"),
			"X-Frame-Options":              a.header.Get("X-Frame-Options") == "DENY",
			"Cross-Origin-Opener-Policy":   a.header.Get("Cross-Origin-Opener-Policy") == "same-origin",
			"X-Content-Type-Options":       a.header.Get("X-Content-Type-Options") == "nosniff",
			"Cache-Control":                a.header.Get("Cache-Control") == "no-store",
			"Referrer-Policy: same-origin": a.header.Get("Referrer-Policy") == "same-origin",
		} {
			if !ok {
				t.Errorf("%s: no %s (status %d, CSP %q)", path, what, a.status, csp)
			}
		}
	}
}

// TestL2_LoginForgery: another site cannot sign a browser in as somebody else.
func TestL2_LoginForgery(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.account("eve@staff.example", "correct horse battery", store.RoleAdmin)
	form := url.Values{"email": {"eve@staff.example"}, "password": {"correct horse battery"}}
	// Without the token of a form shown to this browser.
	want(t, raw(&caller{s: s}, "POST", "/signin", formType, form.Encode()), http.StatusForbidden)
	// With a token shown to the attacker's browser.
	attacker := s.browser()
	m := csrfField.FindSubmatch(attacker.get("/signin").body)
	form.Set("csrf", string(m[1]))
	victim := s.browser()
	victim.get("/signin")
	want(t, raw(victim, "POST", "/signin", formType, form.Encode()), http.StatusForbidden)
	// With everything right, but from another site.
	m = csrfField.FindSubmatch(victim.get("/signin").body)
	form.Set("csrf", string(m[1]))
	want(t, raw(victim, "POST", "/signin", formType, form.Encode(), "Sec-Fetch-Site", "cross-site"), http.StatusForbidden)
	want(t, raw(victim, "POST", "/signin", formType, form.Encode(), "Sec-Fetch-Site", "same-origin"), http.StatusSeeOther)
}

// TestZ2_NoSecretsInURLs: a token in the query is no token.
func TestZ2_NoSecretsInURLs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token := s.token(s.user(store.RoleOwner).ID, 3600e9)
	for _, query := range []string{"?access_token=" + token, "?token=" + token, "?authorization=Bearer%20" + token} {
		want(t, (&caller{s: s}).api("GET", "/whoami"+query, nil), http.StatusUnauthorized)
	}
	for _, header := range []string{"Basic " + token, "Bearer  " + token, token, "Bearer gh_", "Bearer " + token[3:]} {
		want(t, (&caller{s: s}).api("GET", "/whoami", nil, "Authorization", header), http.StatusUnauthorized)
	}
	// A bad token does not fall back to a good cookie.
	c := &caller{s: s, cookie: s.session(s.user(store.RoleOwner).ID)}
	want(t, c.api("GET", "/whoami", nil, "Authorization", "Bearer gh_wrong"), http.StatusUnauthorized)
}
