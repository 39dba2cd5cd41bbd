package admin

import (
	"net/http"

	"gatehouse/templates"
)

func (h *Handler) showKeys(w http.ResponseWriter, r *http.Request, p Principal) {
	h.drawKeys(w, r, p, http.StatusOK, "")
}

func (h *Handler) drawKeys(w http.ResponseWriter, r *http.Request, p Principal, status int, fault string) {
	found, err := h.listKeys(r.Context(), Paging{Limit: 200})
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	page := templates.DetailPage{Frame: h.frame(r, p), Title: "Keys", Word: true, State: templates.BadgeCell("active", templates.ToneGood), Back: "/settings", BackTitle: "Settings"}
	page.Frame.Problem = fault
	for _, k := range found.Items {
		state := templates.BadgeCell(k.State, templates.ToneGood)
		if k.State != "signing" {
			state.Tone = templates.ToneNone
		}
		page.Groups = append(page.Groups, templates.Group{Title: k.Algorithm + " " + k.ID, Items: []templates.Item{
			{Label: "State", Values: []templates.Cell{state}},
			{Label: "Made", Values: []templates.Cell{templates.TimeCell(k.CreatedAt)}},
			{Label: "Signs from", Values: []templates.Cell{templates.TimeCell(k.ActiveAt)}},
			{Label: "Retired", Values: []templates.Cell{timeCell(k.RetiredAt)}},
			{Label: "Removed", Values: []templates.Cell{timeCell(k.RemoveAt)}},
		}})
	}
	if h.keys != nil && Owner.Allows(p, Object{}) {
		const warning = "The successor is published now and signs in a day, when apps have met it. The old key proves tokens until they have expired."
		page.Actions = append(page.Actions,
			templates.Action{ID: "rotate-es256", Title: "Rotate the ES256 key", URL: "/keys/ES256/rotate", Danger: true, Warning: warning},
			templates.Action{ID: "rotate-rs256", Title: "Rotate the RS256 key", URL: "/keys/RS256/rotate", Danger: true, Warning: warning},
		)
	}
	h.drawn(r, h.templates.Detail(w, status, page))
}

func (h *Handler) doRotateKeys(w http.ResponseWriter, r *http.Request, p Principal) {
	if err := h.rotateKeys(r.Context(), p, r.PathValue("algorithm")); err != nil {
		h.pageError(w, r, p, err)
		return
	}
	http.Redirect(w, r, "/keys?done=rotated-key", http.StatusSeeOther)
}

func (h *Handler) showSettings(w http.ResponseWriter, r *http.Request, p Principal) {
	v := h.settingsView()
	page := templates.DetailPage{
		Frame: h.frame(r, p), Title: "Settings", Word: true, State: templates.BadgeCell("read-only", templates.ToneNone), Back: "/", BackTitle: "Overview",
		Links: []templates.Link{{ID: "keys", Title: "Keys", URL: "/keys"}},
	}
	var here, file facts
	here.code("Version", v.Version)
	here.code("Issuer", v.Issuer)
	here.code("Admin console", v.AdminURL)
	for _, s := range v.Items {
		file.code(s.Name, s.Value)
	}
	page.Groups = []templates.Group{{Title: "This server", Items: here}, {Title: "From the configuration file; change them there", Items: file}}
	h.drawn(r, h.templates.Detail(w, http.StatusOK, page))
}
