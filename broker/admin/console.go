package admin

import (
	"net/http"
	"net/url"
	"strings"

	"gatehouse/store"
	"gatehouse/templates"
)

// routePages is the table of the console. Everything works without JavaScript;
// every POST carries a form token (see guardPage).
func (h *Handler) routePages(t *table) {
	t.add(&Route{Method: "GET", Path: "/static/", Level: Anyone, Page: true, Name: "static"})
	t.mux.Handle("GET /static/", h.templates.Static())

	page(t, Anyone, "GET", "/signin", "sign-in", h.showSignIn)
	page(t, Anyone, "POST", "/signin", "sign-in-post", h.doSignIn)
	h.routeAccount(t)
	page(t, Anyone, "GET", "/signin/company", "sign-in-company", h.goCompany)
	page(t, Anyone, "GET", callbackPath, "sign-in-callback", h.companyCallback)
	page(t, Anyone, "GET", "/setup", "setup", h.showSetup)
	page(t, Anyone, "POST", "/setup", "setup-post", h.doSetup)
	page(t, SignedIn, "POST", "/signout", "sign-out", h.doSignOut)

	page(t, Approver, "GET", "/{$}", "overview", h.showOverview).in(anywhere).does("show-overview")
	h.routeRequestPages(t)
	h.routeInvitationPages(t)
	h.routeOrganizationPages(t)
	page(t, Admin, "GET", "/connections", "connections", h.showConnections).in(anywhere).does("list-connections")
	page(t, Admin, "GET", "/connections/{connection}", "connection", h.showConnection).in(byObject).does("get-connection", "list-connection-references")
	page(t, Admin, "GET", "/connections/{connection}/edit", "connection-edit", h.showEditConnection).in(byObject).does("get-connection")
	page(t, Admin, "POST", "/connections/{connection}/edit", "connection-edit-post", h.doEditConnection).in(byObject).does("update-connection")
	page(t, Admin, "GET", "/connections/{connection}/json", "connection-json", h.showConnectionJSON).in(byObject).does("get-connection-record")
	page(t, Admin, "POST", "/connections/{connection}/json", "connection-json-post", h.doConnectionJSON).in(byObject).does("put-connection")
	page(t, Admin, "POST", "/connections/{connection}/disable", "connection-disable", h.doConnection).in(byObject).does("update-connection")
	page(t, Admin, "POST", "/connections/{connection}/enable", "connection-enable", h.doConnection).in(byObject).does("update-connection")
	page(t, Admin, "GET", "/connections/{connection}/delete", "connection-delete", h.showDeleteConnection).in(byObject).does("list-connection-references")
	page(t, Admin, "POST", "/connections/{connection}/delete", "connection-delete-post", h.doDeleteConnection).in(byObject).does("delete-connection")
	page(t, Admin, "GET", "/connections/{connection}/test", "connection-test", h.showStartTest).in(byObject).does("start-test-login")
	page(t, Admin, "POST", "/connections/{connection}/test", "connection-test-post", h.doStartTest).in(byObject).does("start-test-login")
	page(t, Admin, "GET", "/new/connection", "presets", h.showPresets).in(anywhere).does("list-presets")
	page(t, Admin, "GET", "/new/connection/{preset}", "connection-new", h.showNewConnection).in(anywhere).does("list-presets", "connection-schema")
	page(t, Admin, "POST", "/new/connection/{preset}", "connection-new-post", h.doNewConnection).in(anywhere).does("create-connection", "start-test-login")
	page(t, Admin, "GET", "/tests/{words}", "test-login", h.showTest).in(byObject).does("get-test-login", "list-test-logins")
	page(t, Owner, "POST", "/tests/{words}/reveal", "test-login-reveal", h.doReveal).in(byObject).does("reveal-test-value")
	page(t, Admin, "GET", "/routing", "routing", h.showRouting).does("lint-routes")
	page(t, Admin, "POST", "/routing", "routing-post", h.doRouting).does("explain-route")
	page(t, Admin, "GET", "/clients", "clients", h.showClients).in(anywhere).does("list-clients")
	h.routePeoplePages(t)
	page(t, Admin, "GET", "/sessions", "sessions", h.showSessions).in(anywhere).does("list-sessions")
	page(t, Admin, "POST", "/sessions/{session}/end", "session-end", h.doEndSession).in(byObject).does("end-session")
	page(t, Admin, "GET", "/traces", "traces", h.showTraces).in(anywhere).does("list-traces")
	page(t, Admin, "POST", "/find/trace", "traces-find", h.findTraces).in(anywhere).does("list-traces")
	page(t, Admin, "GET", "/traces/{words}", "trace", h.showTrace).in(byObject).does("get-trace")
	h.routeWebhookPages(t)
	h.routeMailPages(t)
	page(t, Admin, "GET", "/settings", "settings", h.showSettings).does("show-settings")
	page(t, Admin, "GET", "/keys", "keys", h.showKeys).does("list-keys")
	page(t, Owner, "POST", "/keys/{algorithm}/rotate", "keys-rotate", h.doRotateKeys).does("rotate-keys").dangerous()
	h.routeAuditPages(t)
	h.routeConfigurationPages(t)
}

// frame is what surrounds every console page.
func (h *Handler) frame(r *http.Request, p Principal) templates.Frame {
	f := templates.Frame{
		Language: languageOf(r, p),
		Person:   p.Name, Role: p.title(), Account: "/account", SignOut: "/signout", CSRF: h.csrf.token(p.credential.sessionHash),
		Notice: notices()[r.URL.Query().Get("done")],
	}
	waiting := 0
	_ = h.store.View(r.Context(), func(tx store.Tx) (err error) { // a missing figure is no reason to fail the page
		waiting, err = h.waiting(tx, p)
		return err
	})
	for _, item := range []struct{ title, url string }{
		{"Overview", "/"},
		{"Requests", "/requests"},
		{"Invitations", "/invitations"},
		{"Organizations", "/organizations"},
		{"Domains", "/domains"},
		{"Connections", "/connections"},
		{"Routing", "/routing"},
		{"Apps", "/clients"},
		{"People", "/users"},
		{"Sessions", "/sessions"},
		{"Logins", "/traces"},
		{"Webhooks", "/webhooks"},
		{"Mails", "/mails"},
		{"Audit", "/audit"},
		{"Configuration", "/configuration"},
		{"Settings", "/settings"},
	} {
		if !h.mayOpen(p, item.url) {
			continue
		}
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

// mayOpen reports whether a page's guard would let the caller through.
func (h *Handler) mayOpen(p Principal, path string) bool {
	if path == "/" {
		path = "/{$}"
	}
	for _, r := range h.routes {
		if r.Page && r.Method == http.MethodGet && r.Path == path {
			return r.Level.Allows(p, Object{}) || r.In != inPlatform && p.highest() >= r.Level.rank()
		}
	}
	return false
}

// notices are the sentences after a redirect, by the key in ?done=.
func notices() map[string]string {
	return map[string]string{
		"approved": "Approved. The person goes on by themselves.", "refused": "Refused. The person sees your reason.",
		"asked": "Asked. The person sees your question and can answer.", "decided": "Decided, each on its own.",
		"invited": "Invited. The mail is on its way.", "resent": "Mailed again. The link before is dead.", "revoked": "Revoked. Its link is dead.", "imported": "Invited. The mails are on their way.",
		"disabled": "Disabled. Sessions and tokens are dead.", "enabled": "Enabled.",
		"added": "Added. Register the redirect URI at the provider, then try a test login.", "saved": "Saved. Logins under way start again.",
		"switched-on": "Switched on. People can sign in through it.", "switched-off": "Switched off. Nobody signs in through it any more.",
		"rotated-key": "The successor is published. It signs in a day.",
		"removed":     "Removed. Its id is never given out again.", "queued": "It is on its way.", "given-up": "Given up. It is not sent.", "webhook-saved": "Saved.",
		"signed-out": "Signed out everywhere.", "ended": "The session has ended.",
		"organization-added": "Added. The first steps are below.", "changed": "Saved.", "closed": "Sign-in is off. Nobody gets in through the connections.", "opened": "Sign-in is on.",
		"looked": "DNS was asked. See below what it said.", "proven": "The record is there: the domain is proven.", "asserted": "The domain counts now, without a record.",
		"applied":         "Applied. The configuration is what the document says.",
		"given-up-domain": "The domain is given up.",
		"local-added":     "Added. Make accounts, or invite people.", "saved-factor": "The second factor is set up.", "removed-factor": "Removed.", "password": "Your password is changed. Everything else was signed out.",
		"removed-token": "The token is revoked.", "account-made": "The account is made. The person gets a mail to set the password.",
		"factor-reset": "The second factor is removed. The person is told by mail.", "link-sent": "A mail with a link is on its way.",
		"credentials-removed": "Password and factors are removed.",
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

// drawList shows a list page.
func (h *Handler) drawList(w http.ResponseWriter, r *http.Request, p templates.ListPage) {
	h.drawn(r, h.templates.List(w, http.StatusOK, p))
}
