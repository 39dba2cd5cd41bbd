package admin

import (
	"net/http"

	"gatehouse/store"
	"gatehouse/templates"
)

// overviewDays is the longer of the overview's two spans.
const overviewDays = 30

func (h *Handler) showOverview(w http.ResponseWriter, r *http.Request, p Principal) {
	days := 1
	if r.URL.Query().Get("days") != "" {
		days = overviewDays
	}
	v, err := h.overview(r.Context(), p, days)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	tone := templates.ToneNone
	if v.Waiting > 0 {
		tone = templates.ToneWarn
	}
	page := templates.OverviewPage{Frame: h.frame(r, p), Tiles: []templates.Tile{{Title: "Waiting requests", Value: v.Waiting, URL: "/requests", Tone: tone}}}
	if p.highest() >= rankAdmin {
		page.Tiles = append(page.Tiles,
			templates.Tile{Title: "Organizations", Value: v.Organizations, URL: "/organizations"},
			templates.Tile{Title: "Connections", Value: v.Connections, URL: "/connections"},
			templates.Tile{Title: "Apps", Value: v.Clients, URL: "/clients"},
		)
		page.Steps = overviewSteps(v, Admin.Allows(p, Object{}))
		page.ByDay, page.Other = days > 1, "/?days=30"
		if page.ByDay {
			page.Other = "/"
		}
	}
	for _, l := range v.Logins {
		page.Logins = append(page.Logins, templates.LoginPoint{
			At: l.At, SignedIn: l.Outcomes[string(store.OutcomeSignedIn)], Waiting: l.Outcomes[string(store.OutcomeWaiting)],
			Refused: l.Outcomes[string(store.OutcomeRefused)], Lost: l.Outcomes[string(store.OutcomeFailed)] + l.Outcomes[string(store.OutcomeCancelled)],
		})
	}
	for _, f := range v.Failing {
		page.Failing = append(page.Failing, templates.FailingConnection{
			Title: f.Title, URL: connectionURL(f.Connection, ""), Logs: "/traces?outcome=failed&connection=" + f.Connection,
			Failed: f.Failed, Logins: f.Logins, Silent: f.Silent,
		})
	}
	h.drawn(r, h.templates.Overview(w, http.StatusOK, page))
}

// overviewSteps explains a new installation, or a company without a connection.
func overviewSteps(v overviewView, platform bool) []templates.Step {
	if v.Connections > 0 && (!platform || v.Organizations > 0 && v.Clients > 0) {
		return nil
	}
	connect := templates.Step{Title: "Connect its identity provider", Text: "gatehouse connection create acme --organization acme --issuer https://…", URL: "/new/connection", Done: v.Connections > 0}
	if !platform {
		return []templates.Step{connect}
	}
	return []templates.Step{
		{Title: "Add an organization", Text: "gatehouse org create acme --title Acme", URL: "/organizations", Done: v.Organizations > 0},
		connect,
		{Title: "Register an app", Text: "gatehouse client create my-app --type native --redirect-uri com.example.app:/callback", URL: "/clients", Done: v.Clients > 0},
	}
}
