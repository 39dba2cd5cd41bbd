package admin

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"gatehouse/store"
	"gatehouse/templates"
)

// routePages is the table of the console. Everything works without JavaScript;
// every POST carries a form token (see guardPage).
func (h *Handler) routePages(t *table) {
	t.add(Route{Method: "GET", Path: "/static/", Level: Anyone, Page: true, Name: "static"})
	t.mux.Handle("GET /static/", h.templates.Static())

	page(t, Anyone, "GET", "/signin", "sign-in", h.showSignIn)
	page(t, Anyone, "POST", "/signin", "sign-in-post", h.doSignIn)
	page(t, Anyone, "GET", "/setup", "setup", h.showSetup)
	page(t, Anyone, "POST", "/setup", "setup-post", h.doSetup)
	page(t, SignedIn, "POST", "/signout", "sign-out", h.doSignOut)

	page(t, Admin, "GET", "/{$}", "overview", h.showOverview)
	page(t, Admin, "GET", "/requests", "requests", h.showRequests)
	page(t, Admin, "GET", "/requests/{request}", "request", h.showRequest)
	page(t, Admin, "POST", "/requests/{request}/approve", "request-approve", h.doApprove)
	page(t, Admin, "POST", "/requests/{request}/refuse", "request-refuse", h.doRefuse)
	page(t, Admin, "GET", "/organizations", "organizations", h.showOrganizations)
	page(t, Admin, "GET", "/domains", "domains", h.showDomains)
	page(t, Admin, "GET", "/connections", "connections", h.showConnections)
	page(t, Admin, "GET", "/connections/{connection}", "connection", h.showConnection)
	page(t, Admin, "GET", "/connections/{connection}/edit", "connection-edit", h.showEditConnection)
	page(t, Admin, "POST", "/connections/{connection}/edit", "connection-edit-post", h.doEditConnection)
	page(t, Admin, "GET", "/connections/{connection}/json", "connection-json", h.showConnectionJSON)
	page(t, Admin, "POST", "/connections/{connection}/json", "connection-json-post", h.doConnectionJSON)
	page(t, Admin, "POST", "/connections/{connection}/disable", "connection-disable", h.doConnection)
	page(t, Admin, "POST", "/connections/{connection}/enable", "connection-enable", h.doConnection)
	page(t, Admin, "GET", "/connections/{connection}/delete", "connection-delete", h.showDeleteConnection)
	page(t, Admin, "POST", "/connections/{connection}/delete", "connection-delete-post", h.doDeleteConnection)
	page(t, Admin, "GET", "/connections/{connection}/test", "connection-test", h.showStartTest)
	page(t, Admin, "POST", "/connections/{connection}/test", "connection-test-post", h.doStartTest)
	page(t, Admin, "GET", "/new/connection", "presets", h.showPresets)
	page(t, Admin, "GET", "/new/connection/{preset}", "connection-new", h.showNewConnection)
	page(t, Admin, "POST", "/new/connection/{preset}", "connection-new-post", h.doNewConnection)
	page(t, Admin, "GET", "/tests/{words}", "test-login", h.showTest)
	page(t, Owner, "POST", "/tests/{words}/reveal", "test-login-reveal", h.doReveal)
	page(t, Admin, "GET", "/clients", "clients", h.showClients)
	page(t, Admin, "GET", "/users", "users", h.showUsers)
	page(t, Admin, "GET", "/users/{user}", "user", h.showUser)
	page(t, Admin, "POST", "/users/{user}/disable", "user-disable", h.doUser)
	page(t, Admin, "POST", "/users/{user}/enable", "user-enable", h.doUser)
	page(t, Admin, "POST", "/users/{user}/sign-out", "user-sign-out", h.doUser)
	page(t, Admin, "GET", "/sessions", "sessions", h.showSessions)
	page(t, Admin, "POST", "/sessions/{session}/end", "session-end", h.doEndSession)
	page(t, Admin, "GET", "/traces", "traces", h.showTraces)
	page(t, Admin, "POST", "/find/trace", "traces-find", h.findTraces)
	page(t, Admin, "GET", "/traces/{words}", "trace", h.showTrace)
	page(t, Admin, "GET", "/audit", "audit", h.showAudit)
}

// frame is what surrounds every console page.
func (h *Handler) frame(r *http.Request, p Principal) templates.Frame {
	f := templates.Frame{
		Person: p.Name, Role: p.Role, SignOut: "/signout", CSRF: h.csrf.token(p.credential.sessionHash),
		Notice: notices()[r.URL.Query().Get("done")],
	}
	waiting := 0
	_ = h.store.View(r.Context(), func(tx store.Tx) error { // a missing figure is no reason to fail the page
		found, _, err := h.store.AccessRequests.ByIndex(tx, "state", store.RequestPending, store.Page{Limit: 99})
		waiting = len(found)
		return err
	})
	for _, item := range []struct{ title, url string }{
		{"Overview", "/"},
		{"Requests", "/requests"},
		{"Organizations", "/organizations"},
		{"Domains", "/domains"},
		{"Connections", "/connections"},
		{"Apps", "/clients"},
		{"People", "/users"},
		{"Sessions", "/sessions"},
		{"Logins", "/traces"},
		{"Audit", "/audit"},
	} {
		n := templates.NavItem{Title: item.title, URL: item.url}
		n.Current = r.URL.Path == item.url || item.url != "/" && strings.HasPrefix(r.URL.Path, item.url+"/") ||
			item.url == "/connections" && (strings.HasPrefix(r.URL.Path, "/new/connection") || strings.HasPrefix(r.URL.Path, "/tests/"))
		if item.url == "/requests" {
			n.Count = waiting
		}
		f.Nav = append(f.Nav, n)
	}
	return f
}

// notices are the sentences after a redirect, by the key in ?done=.
func notices() map[string]string {
	return map[string]string{
		"approved": "Approved. The person goes on by themselves.", "refused": "Refused. The person sees your reason.",
		"disabled": "Disabled. Sessions and tokens are dead.", "enabled": "Enabled.",
		"added": "Added. Register the redirect URI at the provider, then try a test login.", "saved": "Saved. Logins under way start again.",
		"switched-on": "Switched on. People can sign in through it.", "switched-off": "Switched off. Nobody signs in through it any more.",
		"removed": "Removed. Its id is never given out again.", "signed-out": "Signed out everywhere.", "ended": "The session has ended.",
	}
}

// paging reads ?cursor= of a page.
func paging(r *http.Request) Paging { return Paging{Cursor: r.URL.Query().Get("cursor"), Limit: 50} }

// onward fills the links of a list page.
func onward(p *templates.ListPage, r *http.Request, next string) {
	p.Next = nextPage(r, next)
	if r.URL.Query().Get("cursor") != "" {
		p.First = r.URL.Path
	}
}

func nextPage(r *http.Request, next string) string {
	if next == "" {
		return ""
	}
	q := url.Values{"cursor": {next}}
	if state := r.URL.Query().Get("state"); state != "" {
		q.Set("state", state)
	}
	return r.URL.Path + "?" + q.Encode()
}

func (h *Handler) showOverview(w http.ResponseWriter, r *http.Request, p Principal) {
	o := templates.OverviewPage{Frame: h.frame(r, p)}
	var organizations, connections, clients, waiting int
	err := h.store.View(r.Context(), func(tx store.Tx) error {
		var errs []error
		organizations = figure(tx, h.store.Organizations, &errs)
		connections = figure(tx, h.store.Connections, &errs)
		clients = figure(tx, h.store.Clients, &errs)
		found, _, err := h.store.AccessRequests.ByIndex(tx, "state", store.RequestPending, store.Page{Limit: 999})
		waiting = len(found)
		return errors.Join(append(errs, err)...)
	})
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	tone := templates.ToneNone
	if waiting > 0 {
		tone = templates.ToneWarn
	}
	o.Tiles = []templates.Tile{
		{Title: "Waiting requests", Value: waiting, URL: "/requests", Tone: tone},
		{Title: "Organizations", Value: organizations, URL: "/organizations"},
		{Title: "Connections", Value: connections, URL: "/connections"},
		{Title: "Apps", Value: clients, URL: "/clients"},
	}
	if organizations == 0 || connections == 0 || clients == 0 {
		o.Steps = []templates.Step{
			{Title: "Add an organization", Text: "gatehouse org create acme --title Acme", URL: "/organizations", Done: organizations > 0},
			{Title: "Connect its identity provider", Text: "gatehouse connection create acme --organization acme --issuer https://…", URL: "/connections", Done: connections > 0},
			{Title: "Register an app", Text: "gatehouse client create my-app --type native --redirect-uri com.example.app:/callback", URL: "/clients", Done: clients > 0},
		}
	}
	h.drawn(r, h.templates.Overview(w, http.StatusOK, o))
}

// figure counts up to 999: the overview is no place to walk a million records.
func figure[T any](tx store.Tx, c *store.Collection[T], errs *[]error) int {
	found, _, err := c.List(tx, store.Page{Limit: 999})
	if err != nil {
		*errs = append(*errs, err)
	}
	return len(found)
}

// drawList shows a list page.
func (h *Handler) drawList(w http.ResponseWriter, r *http.Request, p templates.ListPage) {
	h.drawn(r, h.templates.List(w, http.StatusOK, p))
}
