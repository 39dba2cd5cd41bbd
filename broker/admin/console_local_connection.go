package admin

import (
	"net/http"
	"strings"

	"gatehouse/store"
	"gatehouse/templates"
)

func (h *Handler) showNewLocalConnection(w http.ResponseWriter, r *http.Request, p Principal) {
	h.drawNewLocalConnection(w, r, http.StatusOK, p, nil)
}

// drawNewLocalConnection asks for the little that local accounts need: there is
// no provider to describe.
func (h *Handler) drawNewLocalConnection(w http.ResponseWriter, r *http.Request, status int, p Principal, faults []templates.InputFault) {
	var organizations []templates.Option
	err := h.store.View(r.Context(), func(tx store.Tx) error {
		organizations = nil
		for o, err := range h.store.Organizations.All(tx) {
			if err != nil {
				return err
			}
			if Admin.Allows(p, Object{o.ID}) && len(organizations) < 1000 {
				organizations = append(organizations, templates.Option{Value: o.ID, Title: o.Title, Selected: o.ID == r.PostForm.Get("organization")})
			}
		}
		return nil
	})
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	h.drawn(r, h.templates.Form(w, status, templates.FormPage{
		Frame: h.frame(r, p), Title: "Local accounts", Back: "/new/connection", BackTitle: "Presets", Action: "/new/local-accounts", Submit: "Add it", Faults: faults,
		Intro: "People sign in with a password or a passkey that is kept here. For companies without an identity provider, and for guests.",
		Groups: []templates.FormGroup{{Title: "Local accounts", Inputs: []templates.Input{
			{Name: "organization", Label: "Organization", Kind: templates.InputSelect, Options: organizations},
			{Name: "id", Label: "Id", Hint: "Chosen once: lower-case letters, digits and hyphens.", Value: r.PostForm.Get("id"), Required: true},
			{Name: "title", Label: "Title", Hint: "What people see at sign-in.", Value: r.PostForm.Get("title"), Required: true},
			{Name: "domains", Label: "Domains", Kind: templates.InputArea, Hint: "One rule per line, such as acme.test; * for every domain that nobody else has.", Value: r.PostForm.Get("domains")},
		}}},
	}))
}

func (h *Handler) doNewLocalConnection(w http.ResponseWriter, r *http.Request, p Principal) {
	c := store.Connection{
		ID: r.PostForm.Get("id"), OrganizationID: r.PostForm.Get("organization"), Kind: store.KindLocal, Title: strings.TrimSpace(r.PostForm.Get("title")),
		Domains: strings.Fields(r.PostForm.Get("domains")),
	}
	saved, err := h.addConnection(r.Context(), p, c)
	if err == nil {
		http.Redirect(w, r, connectionURL(saved.ID, "")+"?done=local-added", http.StatusSeeOther)
		return
	}
	var faults []templates.InputFault
	for _, f := range fieldErrors(err) {
		input, _, _ := strings.Cut(f.Path, "[")
		faults = append(faults, templates.InputFault{Input: input, Text: f.Problem, Label: map[string]string{
			"id": "Id", "title": "Title", "domains": "Domains", "organization": "Organization",
		}[input]})
	}
	if m := h.problemFor(r.Context(), err); len(faults) == 0 && m.Status == http.StatusConflict {
		faults = []templates.InputFault{{Input: "id", Text: m.Detail, Label: "Id"}}
	}
	if len(faults) == 0 {
		h.pageError(w, r, p, err)
		return
	}
	h.drawNewLocalConnection(w, r, http.StatusUnprocessableEntity, p, faults)
}
