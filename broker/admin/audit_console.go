package admin

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"gatehouse/store"
	"gatehouse/templates"
)

func (h *Handler) routeAuditPages(t *table) {
	page(t, Admin, "GET", "/audit", "audit", h.showAudit).in(anywhere).does("list-audit")
	page(t, Admin, "GET", "/audit/find", "audit-find", h.showFindAudit).in(anywhere).does("list-audit")
	page(t, Admin, "POST", "/audit/find", "audit-find-post", h.doFindAudit).in(anywhere).does("list-audit")
	page(t, Admin, "GET", "/audit/export", "audit-export", h.downloadAudit).in(anywhere).does("export-audit")
	page(t, Owner, "GET", "/audit/verify", "audit-verify", h.showVerifyAudit).does("verify-audit")
	page(t, Admin, "GET", "/audit/entries/{entry}", "audit-entry", h.showAuditEntry).in(byObject).does("get-audit-entry")
}

// auditQuery reads what a page is narrowed to; a time that is none is left out.
func auditQuery(q url.Values) AuditQuery {
	moment := func(name string) time.Time {
		for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", time.DateOnly} {
			if t, err := time.Parse(layout, q.Get(name)); err == nil {
				return t
			}
		}
		return time.Time{}
	}
	return AuditQuery{
		Actor: q.Get("actor"), Action: q.Get("action"), Target: q.Get("target"), Organization: q.Get("organization"),
		Since: moment("since"), Until: moment("until"),
	}
}

// values are the query of a page that is narrowed like this.
func (q AuditQuery) values() url.Values {
	out := url.Values{}
	for name, v := range map[string]string{
		"actor": q.Actor, "action": q.Action, "target": q.Target, "organization": q.Organization, "since": stamp(q.Since), "until": stamp(q.Until),
	} {
		if v != "" {
			out.Set(name, v)
		}
	}
	return out
}

func auditURL(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

func (h *Handler) showAudit(w http.ResponseWriter, r *http.Request, p Principal) {
	query := auditQuery(r.URL.Query())
	found, err := h.listAudit(r.Context(), paging(r), query)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	page := templates.ListPage{
		Frame: h.frame(r, p), Title: "Audit", Intro: "Who changed what, newest first.",
		Links: []templates.Link{
			{ID: "find", Title: "Find", URL: auditURL("/audit/find", query.values())},
			{ID: "export", Title: "Download as JSON lines", URL: auditURL("/audit/export", query.values())},
		},
		Columns: []string{"When", "Who", "What", "On", "Through", "From"},
		Empty:   templates.Empty{Title: "Nothing yet", Text: "Every change through console, API and command line is recorded here."},
	}
	if len(query.values()) > 0 {
		page.Links = append(page.Links, templates.Link{ID: "all", Title: "Show all", URL: "/audit"})
		page.Empty = templates.Empty{Title: "Nothing fits", Text: "No entry on this page fits what you look for.", Action: "Look for something else", URL: auditURL("/audit/find", query.values())}
	}
	if Owner.Allows(p, Object{}) {
		page.Links = append(page.Links, templates.Link{ID: "verify", Title: "Check the chain", URL: "/audit/verify"})
	}
	actors := make([]string, len(found.Items))
	for i, e := range found.Items {
		actors[i] = e.Actor
	}
	names, err := h.namesByID(r.Context(), actors)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	for _, e := range found.Items {
		page.Rows = append(page.Rows, templates.Row{URL: entryURL(e.Seq), Cells: []templates.Cell{
			templates.TimeCell(e.At), personCell(e.Actor, names), templates.CodeCell(e.Action),
			templates.CodeCell(e.Target), templates.TextCell(e.Via), templates.CodeCell(e.From),
		}})
	}
	if found.Next != "" {
		next := query.values()
		next.Set("cursor", found.Next)
		page.Next = auditURL("/audit", next)
	}
	if r.URL.Query().Get("cursor") != "" {
		page.First = auditURL("/audit", query.values())
	}
	h.drawList(w, r, page)
}

func entryURL(seq uint64) string { return "/audit/entries/" + strconv.FormatUint(seq, 10) }

func (h *Handler) showFindAudit(w http.ResponseWriter, r *http.Request, p Principal) {
	q := r.URL.Query()
	line := func(name, label, help string) templates.Input {
		return templates.Input{Name: name, Label: label, Hint: help, Value: q.Get(name)}
	}
	h.drawForm(w, r, p, templates.FormPage{
		Title: "Find in the audit", Back: "/audit", BackTitle: "Audit", Action: "/audit/find", Submit: "Find",
		Intro: "Everything you fill in has to fit, to the letter.",
		Groups: []templates.FormGroup{{Title: "Entries", Inputs: []templates.Input{
			line("actor", "Who", "User id, operator or system."),
			line("action", "What", "Such as organization.update."),
			line("target", "On", "Kind and id, such as connection/acme."),
			line("organization", "Organization", "What concerns it, by its id."),
			line("since", "Since", "Day or time, such as 2026-05-31 or 2026-05-31T18:00:00Z."),
			line("until", "Until", "The same; the moment itself is left out."),
		}}},
	}, nil)
}

func (h *Handler) doFindAudit(w http.ResponseWriter, r *http.Request, _ Principal) {
	http.Redirect(w, r, auditURL("/audit", auditQuery(r.PostForm).values()), http.StatusSeeOther)
}

func (h *Handler) downloadAudit(w http.ResponseWriter, r *http.Request, p Principal) {
	query := auditQuery(r.URL.Query())
	if !Admin.Allows(p, Object{}) && query.Organization == "" {
		if theirs := p.organizationsAt(Admin); len(theirs) == 1 {
			query.Organization = theirs[0]
		}
	}
	if err := query.mayExport(p); err != nil {
		h.pageError(w, r, p, err)
		return
	}
	w.Header().Set("Content-Type", auditLines)
	w.Header().Set("Content-Disposition", `attachment; filename="gatehouse-audit.jsonl"`)
	h.streamAudit(r.Context(), w, query)
}

func (h *Handler) showAuditEntry(w http.ResponseWriter, r *http.Request, p Principal) {
	seq, _ := strconv.ParseUint(r.PathValue("entry"), 10, 64) // the guard has looked it up
	e, err := h.auditEntry(r.Context(), seq)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	names, err := h.namesByID(r.Context(), []string{e.Actor.UserID})
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	f := facts{
		{Label: "When", Values: []templates.Cell{templates.TimeCell(e.At)}},
		{Label: "Who", Values: []templates.Cell{personCell(e.Actor.UserID, names)}},
	}
	f.code("What", e.Action)
	f.code("On", e.Target)
	f.code("Organization", e.OrganizationID)
	f.code("Through", e.Actor.Via)
	f.code("From", e.Actor.From)
	f.code("Request", e.Actor.RequestID)
	f.code("Entry", e.Anchor().String())
	page := templates.DetailPage{
		Frame: h.frame(r, p), Title: e.Action + " " + e.Target, Back: "/audit", BackTitle: "Audit",
		Links: []templates.Link{{ID: "same", Title: "Everything about this", URL: auditURL("/audit", url.Values{"target": {e.Target}})}},
		Groups: []templates.Group{
			{Title: "Entry", Items: f}, detailGroup("Before", e.Detail["before"]), detailGroup("After", e.Detail["after"]), otherDetail(e),
		},
	}
	page.Groups = slices.DeleteFunc(page.Groups, func(g templates.Group) bool { return len(g.Items) == 0 })
	h.drawn(r, h.templates.Detail(w, http.StatusOK, page))
}

// detailGroup shows the fields of one side of a change.
func detailGroup(title string, side any) templates.Group {
	fields, _ := side.(map[string]any)
	var f facts
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		f.code(name, shownValue(fields[name]))
	}
	return templates.Group{Title: title, Items: f}
}

func otherDetail(e store.AuditEntry) templates.Group {
	rest := maps.Clone(e.Detail)
	delete(rest, "before")
	delete(rest, "after")
	return detailGroup("Detail", rest)
}

// shownValue is a value of JSON for people to read.
func shownValue(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(raw)
}

func (h *Handler) showVerifyAudit(w http.ResponseWriter, r *http.Request, p Principal) {
	v, err := h.verifyAudit(r.Context(), "")
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	var f facts
	f.code("Entries", strconv.FormatUint(v.Entries, 10))
	f.code("First entry that is kept", strconv.FormatUint(v.First, 10))
	page := templates.DetailPage{
		Frame: h.frame(r, p), Title: "Check of the audit", Word: true, Back: "/audit", BackTitle: "Audit",
		State: templates.BadgeCell("intact", templates.ToneGood),
	}
	if !v.Intact {
		page.State = templates.BadgeCell("broken", templates.ToneBad)
		page.Warnings = []string{"The audit was altered, or entries are missing. Keep a copy of the data file and of the log, and find out who could write to it."}
		if v.Broken > 0 {
			f.code("First entry that is not sound", strconv.FormatUint(v.Broken, 10))
		}
		f.code("What is wrong", v.Problem)
	}
	page.Groups = []templates.Group{{Title: "The chain", Items: f}}
	if v.Head != "" {
		page.Groups[0].Copies = []templates.Copy{{Label: "Newest entry: keep this elsewhere, and expect it at the next check", Text: v.Head}}
	}
	h.drawn(r, h.templates.Detail(w, http.StatusOK, page))
}
