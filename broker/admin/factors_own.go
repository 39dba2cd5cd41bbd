package admin

import (
	"net/http"
	"strconv"
	"strings"

	"gatehouse/store"
	"gatehouse/templates"
)

func (h *Handler) showForgot(w http.ResponseWriter, r *http.Request, _ Principal) {
	_, csrf := h.anonymous(w, r)
	h.drawn(r, h.in(r, principalFrom(r.Context())).Forgot(w, http.StatusOK, templates.ForgotPage{Action: "/forgot", CSRF: csrf, Back: "/signin"}))
}

// doForgot says the same whoever asks (Y1). The mailed link leads to the public
// listener, where passwords are set.
func (h *Handler) doForgot(w http.ResponseWriter, r *http.Request, _ Principal) {
	if err := h.accounts.AskReset(r.Context(), r.PostForm.Get("email"), remoteHost(r), ""); err != nil {
		again := func(status int, _ string) { h.pageProblem(w, r, Principal{}, problem(status, sayPaused)) }
		if !h.refusedProof(w, r, err, sayPaused, again) {
			h.pageError(w, r, Principal{}, err)
		}
		return
	}
	h.drawn(r, h.in(r, principalFrom(r.Context())).Forgot(w, http.StatusOK, templates.ForgotPage{Sent: true, Back: "/signin"}))
}

func (h *Handler) showPassword(w http.ResponseWriter, r *http.Request, p Principal) {
	h.drawPassword(w, r, http.StatusOK, p, nil)
}

func (h *Handler) drawPassword(w http.ResponseWriter, r *http.Request, status int, p Principal, faults []templates.InputFault) {
	h.drawn(r, h.templates.Form(w, status, templates.FormPage{
		Frame: h.frame(r, p), Title: "Change your password", Back: "/account", BackTitle: "Your account", Action: "/account/password", Submit: "Change the password",
		Notes: []string{"Your other sessions, your apps and your API tokens end."}, Faults: faults,
		Groups: []templates.FormGroup{{Title: "Password", Inputs: []templates.Input{
			{Name: "current_password", Label: "Current password", Kind: templates.InputSecret},
			{Name: "new_password", Label: "New password", Kind: templates.InputSecret, Hint: "At least 12 characters."},
			{Name: "again", Label: "New password again", Kind: templates.InputSecret},
		}}},
	}))
}

func (h *Handler) doPassword(w http.ResponseWriter, r *http.Request, p Principal) {
	in := &changePasswordInput{}
	in.Body.Current, in.Body.New = r.PostForm.Get("current_password"), r.PostForm.Get("new_password")
	if in.Body.New != r.PostForm.Get("again") {
		h.drawPassword(w, r, http.StatusUnprocessableEntity, p, []templates.InputFault{{Input: "again", Text: "is not the same", Label: "New password again"}})
		return
	}
	_, err := h.changeOwnPassword(r.Context(), p, in)
	if faults := fieldErrors(err); len(faults) > 0 {
		shown := make([]templates.InputFault, len(faults))
		for i, f := range faults {
			shown[i] = templates.InputFault{Input: f.Path, Text: f.Problem, Label: map[string]string{"current_password": "Current password", "new_password": "New password"}[f.Path]}
		}
		h.drawPassword(w, r, http.StatusUnprocessableEntity, p, shown)
		return
	}
	h.backToAccount(w, r, p, err, "password")
}

// doEndOwnSession ends one of one's own sessions, of the console or of the
// apps' sign-in.
func (h *Handler) doEndOwnSession(w http.ResponseWriter, r *http.Request, p Principal) {
	sid := r.PathValue("session")
	err := h.change(r.Context(), p, func(ch *store.Change) error {
		s, err := h.store.Sessions.ByUnique(ch.Tx, "sid", sid)
		if err != nil {
			return err
		}
		if s.UserID != p.UserID {
			return store.ErrNotFound
		}
		if err := h.provisioner.EndSession(ch.Tx, s.KeyHash); err != nil {
			return err
		}
		return ch.Record("session.end", "session/"+sid, map[string]any{"user": p.UserID, "console": s.Console})
	})
	h.backToAccount(w, r, p, err, "ended")
}

func (h *Handler) showNewToken(w http.ResponseWriter, r *http.Request, p Principal) {
	h.drawNewToken(w, r, http.StatusOK, p, nil)
}

func (h *Handler) drawNewToken(w http.ResponseWriter, r *http.Request, status int, p Principal, faults []templates.InputFault) {
	h.drawn(r, h.templates.Form(w, status, templates.FormPage{
		Frame: h.frame(r, p), Title: "Make an API token", Back: "/account", BackTitle: "Your account", Action: "/account/tokens", Submit: "Make the token",
		Intro: "For scripts and the command line. It may what you may, and is shown once.", Faults: faults,
		Groups: []templates.FormGroup{{Title: "Token", Inputs: []templates.Input{
			{Name: "name", Label: "Name", Hint: "What will use it.", Value: r.PostForm.Get("name"), Required: true},
			{Name: "days", Label: "Days until it expires", Hint: "1 to 366; 90 when empty.", Value: r.PostForm.Get("days")},
			{Name: "scopes", Label: "Scopes", Hint: "Such as connections:read users:write, or empty for all that you may.", Value: r.PostForm.Get("scopes")},
		}}},
	}))
}

func (h *Handler) doNewToken(w http.ResponseWriter, r *http.Request, p Principal) {
	in := &createTokenInput{}
	in.Body.Name, in.Body.Scopes = r.PostForm.Get("name"), strings.Fields(r.PostForm.Get("scopes"))
	if days := r.PostForm.Get("days"); days != "" {
		n, err := strconv.Atoi(days)
		if err != nil || n < 1 || n > tokenMaxDays {
			h.drawNewToken(w, r, http.StatusUnprocessableEntity, p, []templates.InputFault{{Input: "days", Text: "is not a number from 1 to 366", Label: "Days"}})
			return
		}
		in.Body.Days = n
	}
	out, err := h.createToken(r.Context(), p, in)
	if faults := fieldErrors(err); len(faults) > 0 {
		h.drawNewToken(w, r, http.StatusUnprocessableEntity, p, []templates.InputFault{{Input: faults[0].Path, Text: faults[0].Problem, Label: "Name"}})
		return
	}
	if err != nil {
		h.backToAccount(w, r, p, err, "")
		return
	}
	h.drawn(r, h.templates.Detail(w, http.StatusOK, templates.DetailPage{
		Frame: h.frame(r, p), Title: out.Body.Token.Name, Back: "/account", BackTitle: "Your account",
		Groups: []templates.Group{{Title: "API token", Copies: []templates.Copy{{Label: "Shown this once: copy it now", Text: out.Body.Secret}}, Items: []templates.Item{
			{Label: "Expires", Values: []templates.Cell{templates.TimeCell(out.Body.Token.ExpiresAt)}},
		}}},
	}))
}

func (h *Handler) doDeleteToken(w http.ResponseWriter, r *http.Request, p Principal) {
	_, err := h.deleteToken(r.Context(), p, &TokenPath{ID: r.PathValue("token")})
	h.backToAccount(w, r, p, err, "removed-token")
}
