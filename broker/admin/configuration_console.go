package admin

import (
	"fmt"
	"net/http"
	"strings"

	"gatehouse/templates"
)

func (h *Handler) routeConfigurationPages(t *table) {
	page(t, Owner, "GET", "/configuration", "configuration", h.showConfiguration).does("export-configuration")
	page(t, Owner, "GET", "/configuration/export", "configuration-export", h.downloadConfiguration).does("export-configuration")
	page(t, Owner, "POST", "/configuration/plan", "configuration-plan", h.doPlanConfiguration).does("plan-configuration")
	page(t, Owner, "POST", "/configuration/apply", "configuration-apply", h.doApplyConfiguration).does("apply-configuration").dangerous()
}

func configurationPage(text string, prune bool) templates.FormPage {
	return templates.FormPage{
		Title: "Configuration", Action: "/configuration/plan", Submit: "Show the plan",
		Intro: "Organizations, domains, connections, apps and webhooks as one document. Change it here or take it elsewhere, and see what it would change before it does.",
		Links: []templates.Link{{ID: "export", Title: "Download", URL: "/configuration/export"}},
		Groups: []templates.FormGroup{{Title: "Document", Inputs: []templates.Input{
			{Name: "record", Label: "YAML", Kind: templates.InputCode, Value: text, Hint: "A secret that says from: keep stays as it is. Secrets from variables and files are for gatehouse apply on the command line."},
			{Name: "prune", Label: "Remove what the document does not name", Kind: templates.InputCheck, Checked: prune, Hint: "Sections that are left out are left alone. Ids of what is removed are never given out again."},
		}}},
	}
}

func (h *Handler) showConfiguration(w http.ResponseWriter, r *http.Request, p Principal) {
	out, err := h.exportConfiguration(r.Context(), p, nil)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	h.drawForm(w, r, p, configurationPage(out.Body.Document, false), nil)
}

func (h *Handler) downloadConfiguration(w http.ResponseWriter, r *http.Request, p Principal) {
	out, err := h.exportConfiguration(r.Context(), p, nil)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	w.Header().Set("Content-Type", "application/yaml; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="gatehouse.yaml"`)
	_, _ = w.Write([]byte(out.Body.Document))
}

// typedConfiguration is the document of a form; browsers send lines as CR LF.
func typedConfiguration(r *http.Request) ConfigurationInput {
	return ConfigurationInput{
		Document: strings.ReplaceAll(r.PostForm.Get("record"), "\r\n", "\n"),
		Prune:    r.PostForm.Get("prune") != "",
	}
}

func (h *Handler) doPlanConfiguration(w http.ResponseWriter, r *http.Request, p Principal) {
	in := typedConfiguration(r)
	plan, err := h.configure(r.Context(), p, in, "", true)
	if err != nil {
		h.drawForm(w, r, p, configurationPage(in.Document, in.Prune), atRecord(err))
		return
	}
	h.drawPlan(w, r, p, in, plan)
}

func (h *Handler) drawPlan(w http.ResponseWriter, r *http.Request, p Principal, in ConfigurationInput, plan configurationPlan) {
	prune := ""
	if in.Prune {
		prune = "yes"
	}
	fields := []templates.Field{{Name: "record", Value: in.Document}, {Name: "prune", Value: prune}, {Name: "fingerprint", Value: plan.Fingerprint}}
	page := templates.DetailPage{
		Frame: h.frame(r, p), Title: "Plan", Word: true, Back: "/configuration", BackTitle: "Configuration",
		Actions: []templates.Action{{ID: "apply", Title: "Apply", URL: "/configuration/apply", Fields: fields, Warning: "All of it is done at once, or nothing. Logins under way at connections that change start again."}},
	}
	if len(plan.Changes) == 0 {
		page.Actions = nil
		page.Groups = []templates.Group{{Title: "Nothing changes", Items: []templates.Item{{Label: "Plan", Values: []templates.Cell{templates.WordCell("The configuration is what the document says.")}}}}}
	}
	for _, c := range plan.Changes {
		page.Groups = append(page.Groups, planGroup(c))
	}
	h.drawn(r, h.templates.Detail(w, http.StatusOK, page))
}

// planGroup is one object of a plan: the badge says what happens to it.
func planGroup(c plannedChange) templates.Group {
	tone := map[string]templates.Tone{"create": templates.ToneGood, "change": templates.ToneWarn, "remove": templates.ToneBad}[c.Action]
	items := []templates.Item{{Label: c.Action, Values: []templates.Cell{templates.BadgeCell(c.Action, tone), templates.CodeCell(c.ID)}}}
	for _, f := range c.Fields {
		var cell []templates.Cell
		switch {
		case f.Secret:
			cell = []templates.Cell{templates.WordCell("changes")}
		case f.Before == nil:
			cell = []templates.Cell{templates.CodeCell(shownValue(f.After))}
		case f.After == nil:
			cell = []templates.Cell{templates.CodeCell(shownValue(f.Before) + " → –")}
		default:
			cell = []templates.Cell{templates.CodeCell(fmt.Sprintf("%s → %s", shownValue(f.Before), shownValue(f.After)))}
		}
		items = append(items, templates.Item{Label: f.Path, Values: cell})
	}
	for _, n := range c.Notes {
		items = append(items, templates.Item{Label: "Note", Values: []templates.Cell{templates.TextCell(n)}})
	}
	return templates.Group{Title: c.Kind + " " + c.ID, Items: items}
}

func (h *Handler) doApplyConfiguration(w http.ResponseWriter, r *http.Request, p Principal) {
	in := typedConfiguration(r)
	if _, err := h.configure(r.Context(), p, in, r.PostForm.Get("fingerprint"), false); err != nil {
		h.drawForm(w, r, p, configurationPage(in.Document, in.Prune), atRecord(err))
		return
	}
	http.Redirect(w, r, "/configuration?done=applied", http.StatusSeeOther)
}
