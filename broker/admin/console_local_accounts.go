package admin

import (
	"net/http"
	"path"

	"gatehouse/templates"
)

func (h *Handler) showNewLocalAccount(w http.ResponseWriter, r *http.Request, p Principal) {
	h.drawNewLocalAccount(w, r, http.StatusOK, p, nil)
}

func (h *Handler) drawNewLocalAccount(w http.ResponseWriter, r *http.Request, status int, p Principal, faults []templates.InputFault) {
	id := r.PathValue("connection")
	role := r.PostForm.Get("role")
	h.drawn(r, h.templates.Form(w, status, templates.FormPage{
		Frame: h.frame(r, p), Title: "Make a local account", Back: "/connections/" + id, BackTitle: id, Action: "/connections/" + id + "/accounts", Submit: "Make the account and send the mail",
		Notes: []string{"The person gets a mail with a link and sets the password. Nobody else ever sees it."}, Faults: faults,
		Groups: []templates.FormGroup{{Title: "Person", Inputs: []templates.Input{
			{Name: "email", Label: "E-mail address", Hint: "What the person signs in with.", Value: r.PostForm.Get("email"), Required: true},
			{Name: "name", Label: "Name", Value: r.PostForm.Get("name")},
			{Name: "role", Label: "Role in the organization", Kind: templates.InputSelect, Options: []templates.Option{
				{Value: "user", Title: "user", Selected: role == "user" || role == ""}, {Value: "admin", Title: "admin", Selected: role == "admin"}, {Value: "owner", Title: "owner", Selected: role == "owner"},
			}},
		}}},
	}))
}

func (h *Handler) doNewLocalAccount(w http.ResponseWriter, r *http.Request, p Principal) {
	in := &createLocalAccountInput{ID: r.PathValue("connection")}
	in.Body.Email, in.Body.Name, in.Body.Role = r.PostForm.Get("email"), r.PostForm.Get("name"), r.PostForm.Get("role")
	out, err := h.createLocalAccount(r.Context(), p, in)
	if err == nil {
		http.Redirect(w, r, "/users/"+out.Body.User+"?done=account-made", http.StatusSeeOther)
		return
	}
	var faults []templates.InputFault
	for _, f := range fieldErrors(err) {
		faults = append(faults, templates.InputFault{Input: f.Path, Text: f.Problem, Label: map[string]string{"email": "E-mail address", "name": "Name"}[f.Path]})
	}
	if m := h.problemFor(r.Context(), err); len(faults) == 0 && m.Status == http.StatusConflict {
		faults = []templates.InputFault{{Text: m.Detail}}
	}
	if len(faults) == 0 {
		h.pageError(w, r, p, err)
		return
	}
	h.drawNewLocalAccount(w, r, http.StatusUnprocessableEntity, p, faults)
}

// doCredentials runs the action named by the last part of the path.
func (h *Handler) doCredentials(w http.ResponseWriter, r *http.Request, p Principal) {
	in := &credentialsPath{ID: r.PathValue("user")}
	var err error
	done := "factor-reset"
	switch path.Base(r.URL.Path) {
	case "password-link":
		done = "link-sent"
		_, err = h.sendPasswordLink(r.Context(), p, in)
	case "remove-credentials":
		done = "credentials-removed"
		_, err = h.removeLocalCredentials(r.Context(), p, in)
	default:
		_, err = h.resetSecondFactor(r.Context(), p, in)
	}
	if err != nil {
		h.userProblem(w, r, p, err)
		return
	}
	http.Redirect(w, r, "/users/"+in.ID+"?done="+done, http.StatusSeeOther)
}
