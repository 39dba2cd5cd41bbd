package admin

import (
	"errors"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"gatehouse/store"
	"gatehouse/templates"
)

// routeOrganizationPages are the pages of organizations and their domains.
func (h *Handler) routeOrganizationPages(t *table) {
	page(t, Admin, "GET", "/organizations", "organizations", h.showOrganizations).in(anywhere).does("list-organizations")
	page(t, Admin, "GET", "/new/organization", "organization-new", h.showNewOrganization).does("create-organization")
	page(t, Admin, "POST", "/new/organization", "organization-new-post", h.doNewOrganization).does("create-organization")
	page(t, Admin, "GET", "/organizations/{organization}", "organization", h.showOrganization).in(inOrganization).does("get-organization")
	page(t, Admin, "GET", "/organizations/{organization}/edit", "organization-edit", h.showEditOrganization).in(inOrganization).does("get-organization")
	page(t, Admin, "POST", "/organizations/{organization}/edit", "organization-edit-post", h.doEditOrganization).in(inOrganization).does("update-organization")
	page(t, Admin, "GET", "/organizations/{organization}/rules", "organization-rules", h.showRules).in(inOrganization).does("get-organization")
	page(t, Admin, "POST", "/organizations/{organization}/rules", "organization-rules-post", h.doRules).in(inOrganization).does("update-organization")
	page(t, Admin, "GET", "/organizations/{organization}/texts", "organization-texts", h.showTexts).in(inOrganization).does("get-organization")
	page(t, Admin, "POST", "/organizations/{organization}/texts", "organization-texts-post", h.doTexts).in(inOrganization).does("update-organization")
	page(t, Admin, "POST", "/organizations/{organization}/close", "organization-close", h.doSwitchOrganization).in(inOrganization).does("update-organization")
	page(t, Admin, "POST", "/organizations/{organization}/open", "organization-open", h.doSwitchOrganization).in(inOrganization).does("update-organization")
	page(t, Owner, "POST", "/organizations/{organization}/delete", "organization-delete", h.doDeleteOrganization).in(inOrganization).does("delete-organization")

	page(t, Admin, "GET", "/domains", "domains", h.showDomains).in(anywhere).does("list-domains")
	page(t, Admin, "GET", "/organizations/{organization}/domains/new", "domain-new", h.showNewDomain).in(inOrganization).does("create-domain")
	page(t, Admin, "POST", "/organizations/{organization}/domains/new", "domain-new-post", h.doNewDomain).in(inOrganization).does("create-domain")
	page(t, Admin, "GET", "/organizations/{organization}/domains/{domain}", "domain", h.showDomain).in(inOrganization).does("get-domain")
	page(t, Admin, "GET", "/organizations/{organization}/domains/{domain}/edit", "domain-edit", h.showEditDomain).in(inOrganization).does("get-domain")
	page(t, Admin, "POST", "/organizations/{organization}/domains/{domain}/edit", "domain-edit-post", h.doEditDomain).in(inOrganization).does("update-domain")
	page(t, Admin, "POST", "/organizations/{organization}/domains/{domain}/check", "domain-check", h.doCheckDomain).in(inOrganization).does("check-domain")
	page(t, Owner, "POST", "/organizations/{organization}/domains/{domain}/assert", "domain-assert", h.doAssertDomain).does("assert-domain")
	page(t, Admin, "POST", "/organizations/{organization}/domains/{domain}/delete", "domain-delete", h.doDeleteDomain).in(inOrganization).does("delete-domain")
}

func organizationURL(id, rest string) string { return "/organizations/" + url.PathEscape(id) + rest }

func (h *Handler) showOrganizations(w http.ResponseWriter, r *http.Request, p Principal) {
	found, err := h.listOrganizations(r.Context(), paging(r))
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	page := templates.ListPage{
		Frame: h.frame(r, p), Title: "Organizations", Intro: "Companies whose people sign in here.",
		Columns: []string{"Title", "Id", "Newcomers", "State"},
		Empty: templates.Empty{
			Title: "No organization yet", Text: "An organization owns domains and connections. Add the first one:",
			Command: "gatehouse org create acme --title Acme",
		},
	}
	if Admin.Allows(p, Object{}) {
		page.Links = []templates.Link{{ID: "new", Title: "Add an organization", URL: "/new/organization"}}
		page.Empty.Action, page.Empty.URL = "Add an organization", "/new/organization"
	}
	for _, o := range found.Items {
		page.Rows = append(page.Rows, templates.Row{URL: organizationURL(o.ID, ""), Cells: []templates.Cell{
			templates.TextCell(o.Title), templates.CodeCell(o.ID), templates.WordCell(joinWords(store.JoinPolicy(o.Join))), organizationState(o.Disabled, o.SignInOff),
		}})
	}
	onward(&page, r, found.Next)
	h.drawList(w, r, page)
}

func organizationState(disabled, closed bool) templates.Cell {
	if !disabled && closed {
		return templates.BadgeCell("sign-in off", templates.ToneWarn)
	}
	return onOff(disabled)
}

// joinWords is a policy as people read it; the empty one is somebody else's.
func joinWords(j store.JoinPolicy) string {
	switch j {
	case store.JoinOff:
		return "nobody new"
	case store.JoinRequest:
		return "by request"
	case store.JoinAutomatic:
		return "at once"
	}
	return "as elsewhere"
}

// belongings is what an organization's page counts and lists.
type belongings struct {
	org                           store.Organization
	domains                       []store.Domain
	connections                   []store.Connection
	people, requests, invitations int
	moreDomains, moreConnections  bool
	joinActor                     string
}

// most is how far a page counts and lists.
const most = 50

func (h *Handler) belongings(r *http.Request) (b belongings, err error) {
	id := r.PathValue("organization")
	err = h.store.View(r.Context(), func(tx store.Tx) error {
		var errs [6]error
		var next string
		b.org, errs[0] = h.store.Organizations.Get(tx, id)
		b.domains, next, errs[1] = h.store.Domains.ByIndex(tx, "organization", id, store.Page{Limit: most})
		b.moreDomains = next != ""
		b.connections, next, errs[2] = h.store.Connections.ByIndex(tx, "organization", id, store.Page{Limit: most})
		b.moreConnections = next != ""
		b.people, errs[3] = h.store.Memberships.CountByIndex(tx, "organization", id, 1000)
		b.requests, errs[4] = h.store.AccessRequests.CountByIndex(tx, "organization_state", store.OrganizationState(id, store.RequestPending), 1000)
		b.invitations, errs[5] = h.store.Invitations.CountByIndex(tx, "organization", id, 1000)
		if b.org.JoinActor != "" {
			b.joinActor = h.nameByID(tx, b.org.JoinActor)
		}
		return errors.Join(errs[:]...)
	})
	return b, err
}

func count(n int) string {
	if n >= 1000 {
		return "1000+"
	}
	return strconv.Itoa(n)
}

func (h *Handler) showOrganization(w http.ResponseWriter, r *http.Request, p Principal) {
	h.drawOrganization(w, r, p, http.StatusOK, "")
}

// drawOrganization is the overview of an organization: how it stands, what
// belongs to it, and the way to everything.
func (h *Handler) drawOrganization(w http.ResponseWriter, r *http.Request, p Principal, status int, problem string) {
	b, err := h.belongings(r)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	o := b.org
	at := func(rest string) string { return organizationURL(o.ID, rest) }
	page := templates.DetailPage{
		Frame: h.frame(r, p), Title: o.Title, State: organizationState(o.Disabled, o.SignInOff), Back: "/organizations", BackTitle: "Organizations",
		Links: []templates.Link{
			{ID: "edit", Title: "Change", URL: at("/edit")},
			{ID: "domain", Title: "Add a domain", URL: at("/domains/new")},
			{ID: "connection", Title: "Add a connection", URL: "/new/connection"},
			{ID: "people", Title: "People", URL: "/users?organization=" + url.QueryEscape(o.ID)},
			{ID: "requests", Title: "Requests", URL: "/requests?organization=" + url.QueryEscape(o.ID)},
			{ID: "invitations", Title: "Invitations", URL: "/invitations?organization=" + url.QueryEscape(o.ID)},
			{ID: "rules", Title: "Rules", URL: at("/rules")},
			{ID: "texts", Title: "Texts", URL: at("/texts")},
		},
		Groups: []templates.Group{organizationFacts(b), newcomerFacts(b), domainFacts(b), connectionFacts(b), lookFacts(o)},
	}
	page.Frame.Problem = problem
	if steps := firstSteps(b); len(steps.Items) > 0 {
		page.Groups = append([]templates.Group{steps}, page.Groups...)
	}
	for _, d := range b.domains {
		if d.State == store.DomainLapsed || !d.MissingSince.IsZero() {
			page.Warnings = append(page.Warnings, "The DNS record of a domain is missing: look at the domains below.")
			break
		}
	}
	if o.SignInOff {
		page.Actions = append(page.Actions, templates.Action{ID: "open", Title: "Switch sign-in on", URL: at("/open")})
	} else {
		page.Actions = append(page.Actions, templates.Action{
			ID: "close", Title: "Switch sign-in off", URL: at("/close"), Danger: true,
			Warning: "Nobody signs in through the organization's connections any more, and tokens of people who did stop working.",
		})
	}
	if Owner.Allows(p, Object{o.ID}) {
		page.Actions = append(page.Actions, templates.Action{
			ID: "delete", Title: "Remove the organization", URL: at("/delete"), Danger: true,
			Warning: "Only when no connection, domain or member is left. Its id is never given out again.",
		})
	}
	h.drawn(r, h.templates.Detail(w, status, page))
}

// firstSteps are what an organization needs before anybody signs in.
func firstSteps(b belongings) templates.Group {
	g := templates.Group{Title: "First steps"}
	add := func(label, text, address string) {
		g.Items = append(g.Items, templates.Item{Label: label, Values: []templates.Cell{templates.WordCell(text), {Text: "Go there", URL: address}}})
	}
	owned := false
	for _, d := range b.domains {
		owned = owned || d.Owned()
	}
	switch {
	case len(b.domains) == 0:
		add("Domain", "Say which e-mail addresses are the company's, and prove it with a DNS record.", organizationURL(b.org.ID, "/domains/new"))
	case !owned:
		add("Domain", "No domain is proven yet: set the DNS record that its page shows.", domainURL(b.domains[0], ""))
	}
	if len(b.connections) == 0 {
		add("Connection", "Connect the company's own sign-in, so that its people have a way in.", "/new/connection")
	}
	if b.org.Join == store.JoinOff && b.people == 0 {
		add("Newcomers", "Nobody may join yet: let people in by request or at once, or invite them.", organizationURL(b.org.ID, "/edit"))
	}
	return g
}

func organizationFacts(b belongings) templates.Group {
	var f facts
	f.code("Id", b.org.ID)
	f.text("People", count(b.people))
	f.text("Waiting requests", count(b.requests))
	f.text("Invitations", count(b.invitations))
	f.text("Contact", b.org.Contact)
	return templates.Group{Title: "Overview", Items: f}
}

func newcomerFacts(b belongings) templates.Group {
	var f facts
	o := b.org
	f.word("Newcomers", joinWords(o.Join))
	f.text("In the name of", b.joinActor)
	f.word("Role", map[string]string{"": "user"}[o.DefaultRole]+o.DefaultRole)
	f.code("Groups", o.AutomaticGroups...)
	f.code("Apps", o.AutomaticClients...)
	if len(o.Rules) > 0 {
		f.text("Rules", count(len(o.Rules)))
	}
	f.code("Approvers", o.Approvers...)
	if o.RequestDays > 0 {
		f.text("Requests wait, in days", strconv.Itoa(o.RequestDays))
	}
	if o.AppRequests {
		f.badge("Asking for apps", "allowed", templates.ToneGood)
	}
	return templates.Group{Title: "Newcomers", Items: f}
}

func domainFacts(b belongings) templates.Group {
	g := templates.Group{Title: "Domains"}
	for _, d := range b.domains {
		g.Items = append(g.Items, templates.Item{Label: d.Name, Values: []templates.Cell{{Text: d.Name, Code: true, URL: domainURL(d, "")}, domainState(d)}})
	}
	if b.moreDomains {
		g.Items = append(g.Items, templates.Item{Label: "More", Values: []templates.Cell{templates.LinkCell("/domains", "/domains")}})
	}
	if len(g.Items) == 0 {
		g.Items = []templates.Item{{Label: "Domains", Values: []templates.Cell{templates.WordCell("None yet.")}}}
	}
	return g
}

func connectionFacts(b belongings) templates.Group {
	g := templates.Group{Title: "Connections"}
	for _, c := range b.connections {
		g.Items = append(g.Items, templates.Item{Label: c.ID, Values: []templates.Cell{templates.LinkCell(c.Title, connectionURL(c.ID, "")), onOff(c.Disabled)}})
	}
	if b.moreConnections {
		g.Items = append(g.Items, templates.Item{Label: "More", Values: []templates.Cell{templates.LinkCell("/connections", "/connections")}})
	}
	if len(g.Items) == 0 {
		g.Items = []templates.Item{{Label: "Connections", Values: []templates.Cell{templates.WordCell("None yet.")}}}
	}
	return g
}

func lookFacts(o store.Organization) templates.Group {
	var f facts
	f.text("Logo", o.Brand.Logo)
	f.code("Accent", o.Brand.Accent)
	f.text("Privacy", o.Links.Privacy)
	f.text("Help", o.Links.Help)
	f.text("Request access", o.Links.RequestAccess)
	f.code("Languages", o.Languages...)
	for _, t := range o.Texts {
		f.text(t.Key+" ("+t.Language+")", strings.TrimSpace(t.Title+" "+t.Sentence))
	}
	if len(f) == 0 {
		f.word("Look", "As the product: no logo, colour or link of its own.")
	}
	return templates.Group{Title: "Look and texts", Items: f}
}

// doSwitchOrganization switches sign-in on or off, by the last part of the path.
func (h *Handler) doSwitchOrganization(w http.ResponseWriter, r *http.Request, p Principal) {
	id, off := r.PathValue("organization"), path.Base(r.URL.Path) == "close"
	_, err := h.updateOrganization(r.Context(), p, &updateOrganizationInput{
		OrganizationPath: OrganizationPath{ID: id}, Body: updateOrganizationBody{OrganizationFields: OrganizationFields{SignInOff: &off}},
	})
	done := "opened"
	if off {
		done = "closed"
	}
	h.organizationDone(w, r, p, err, organizationURL(id, "?done="+done))
}

func (h *Handler) doDeleteOrganization(w http.ResponseWriter, r *http.Request, p Principal) {
	_, err := h.deleteOrganization(r.Context(), p, &deleteOrganizationInput{OrganizationPath: OrganizationPath{ID: r.PathValue("organization")}})
	h.organizationDone(w, r, p, err, "/organizations?done=removed")
}

// organizationDone leads on, or back to the overview with what went wrong.
func (h *Handler) organizationDone(w http.ResponseWriter, r *http.Request, p Principal, err error, next string) {
	if err == nil {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	m := h.problemFor(r.Context(), err)
	if m.Status == http.StatusNotFound || m.Status >= 500 {
		h.pageProblem(w, r, p, m)
		return
	}
	h.drawOrganization(w, r, p, m.Status, problemText(m))
}
