package admin

import (
	"net/http"
	"strings"

	"gatehouse/federation"
	"gatehouse/store"
	"gatehouse/templates"
)

// Bounds of the routing page.
const (
	maxFindings      = 100 // shown; the command line lists all
	maxClientOptions = 500
)

func (h *Handler) showRouting(w http.ResponseWriter, r *http.Request, p Principal) {
	h.drawRouting(w, r, p, nil, nil)
}

// doRouting answers on the same page. The question is posted, so that nobody's
// address gets into the browser's history or a log.
func (h *Handler) doRouting(w http.ResponseWriter, r *http.Request, p Principal) {
	in := &explainRouteInput{Address: strings.TrimSpace(r.PostForm.Get("address")), Client: r.PostForm.Get("client")}
	if in.Address == "" {
		h.drawRouting(w, r, p, nil, fault("address", "is missing: type the address of somebody who wants to sign in"))
		return
	}
	out, err := h.explainRoute(r.Context(), p, in)
	if err != nil {
		h.drawRouting(w, r, p, nil, err)
		return
	}
	h.drawRouting(w, r, p, &out.Body, nil)
}

// drawRouting shows the question, the answer if there is one, and what the
// linter finds.
func (h *Handler) drawRouting(w http.ResponseWriter, r *http.Request, p Principal, e *explanationView, failed error) {
	page := templates.RoutingPage{
		Frame: h.frame(r, p), Action: "/routing", Address: r.PostForm.Get("address"),
		Links: []templates.Link{{ID: "connections", Title: "Connections", URL: "/connections"}, {ID: "domains", Title: "Domains", URL: "/domains"}},
	}
	status := http.StatusOK
	if failed != nil {
		m := h.problemFor(r.Context(), failed)
		status = m.Status
		found := fieldErrors(failed)
		if found == nil {
			h.pageProblem(w, r, p, m)
			return
		}
		for _, f := range found {
			label := map[string]string{"address": "E-mail address", "client": "App"}[f.Path]
			page.Faults = append(page.Faults, templates.InputFault{Input: f.Path, Label: label, Text: withoutPath(f)})
		}
	}
	var findings []federation.Finding
	err := h.store.View(r.Context(), func(tx store.Tx) (err error) {
		if some, _, err := h.store.Connections.List(tx, store.Page{Limit: 1}); err != nil {
			return err
		} else if len(some) == 0 {
			page.Empty = templates.Empty{
				Title: "Nobody is led anywhere yet", Text: "Rules are the domains of connections. Add the first connection, then see here where its people go.",
				Action: "Add a connection", URL: "/new/connection",
			}
			return nil
		}
		for c, err := range h.store.Clients.All(tx) {
			if err != nil {
				return err
			}
			if !c.Disabled && c.ID != store.ConsoleClient && len(page.Clients) < maxClientOptions {
				page.Clients = append(page.Clients, templates.Option{Value: c.ID, Title: c.Name + " (" + c.ID + ")", Selected: c.ID == r.PostForm.Get("client")})
			}
		}
		findings, err = h.federation.Lint(tx)
		return err
	})
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	if e != nil {
		page.Answer = routingAnswer(*e)
	}
	page.Omitted = max(0, len(findings)-maxFindings)
	for _, f := range findings[:len(findings)-page.Omitted] {
		page.Findings = append(page.Findings, routingFinding(f))
	}
	h.drawn(r, h.templates.Routing(w, status, page))
}

// routingAnswer puts an explanation into words.
func routingAnswer(e explanationView) templates.RoutingAnswer {
	a := templates.RoutingAnswer{List: templates.ListPage{Title: "Rules that cover the address", Columns: []string{"Connection", "Rule", "Result", "Why", "Organization"}}}
	winner := ""
	for _, c := range e.Considered {
		result := templates.BadgeCell("✗ "+strings.ReplaceAll(c.Reason, "_", " "), templates.ToneNone)
		if c.Reason == string(federation.ReasonWon) {
			winner, result = c.Title, templates.BadgeCell("✓ won", templates.ToneGood)
		}
		a.List.Rows = append(a.List.Rows, templates.Row{URL: connectionURL(c.Connection, ""), Cells: []templates.Cell{
			templates.TextCell(c.Title), templates.CodeCell(c.Rule), result, templates.WordCell(c.Sentence), templates.CodeCell(c.Organization),
		}})
	}
	switch {
	case len(e.Candidates) == 1:
		a.Tone, a.Outcome = templates.ToneGood, e.Address+" goes to “"+winner+"” by the rule "+e.Rule+"."
	case len(e.Candidates) > 1:
		a.Tone, a.Outcome = templates.ToneGood, e.Address+" chooses between "+itoa(len(e.Candidates))+" connections of the rule "+e.Rule+"."
	case e.Rule != "":
		a.Tone, a.Outcome = templates.ToneBad, e.Address+" cannot sign in: the rule "+e.Rule+" wins and leads nowhere, and no other takes over."
		a.Do = "Look at the reasons below: switch a connection on, or let the app use one."
	case len(e.Considered) > 0:
		a.Tone, a.Outcome = templates.ToneBad, e.Address+" cannot sign in: no rule that covers it counts."
		a.Do = "Verify the domain for the connection's organization, or have an owner assert it."
	default:
		a.Tone, a.Outcome = templates.ToneWarn, e.Address+" cannot sign in: no connection has a rule for its domain."
		a.Do = "Check the spelling; else add the domain to a connection and verify it."
	}
	return a
}

func routingFinding(f federation.Finding) templates.RoutingFinding {
	out := templates.RoutingFinding{
		Rule: f.Rule, Problem: f.Problem, Do: f.Fix, Code: f.Code,
		Level: templates.BadgeCell("! warning", templates.ToneWarn),
	}
	if f.Level == federation.LevelNote {
		out.Level = templates.BadgeCell("note", templates.ToneNone)
	}
	for _, id := range f.Connections {
		out.Where = append(out.Where, templates.LinkCell(id, connectionURL(id, "")))
	}
	if f.Organization != "" {
		out.Where = append(out.Where, templates.Cell{Text: "domains of " + f.Organization, URL: "/domains", Word: true})
	}
	return out
}
