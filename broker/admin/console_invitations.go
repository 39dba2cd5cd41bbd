package admin

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"gatehouse/provisioning"
	"gatehouse/store"
	"gatehouse/templates"
)

// routeInvitationPages is the console's part of invitations.
func (h *Handler) routeInvitationPages(t *table) {
	page(t, Admin, "GET", "/invitations", "invitations", h.showInvitations).in(anywhere).does("list-invitations")
	page(t, Admin, "GET", "/invitations/{invitation}", "invitation", h.showInvitation).in(byObject).does("get-invitation")
	page(t, Admin, "POST", "/invitations/{invitation}/resend", "invitation-resend", h.doInvitation).in(byObject).does("resend-invitation")
	page(t, Admin, "POST", "/invitations/{invitation}/revoke", "invitation-revoke", h.doInvitation).in(byObject).does("revoke-invitation")
	page(t, Admin, "GET", "/new/invitation", "invitation-new", h.showNewInvitation).in(anywhere).does("create-invitation")
	page(t, Admin, "POST", "/new/invitation", "invitation-new-post", h.doNewInvitation).in(anywhere).does("create-invitation")
	page(t, Admin, "GET", "/new/invitations", "invitations-import", h.showImport).in(anywhere).does("import-invitations")
	page(t, Admin, "POST", "/new/invitations", "invitations-import-post", h.doImport).in(anywhere).does("import-invitations")
	page(t, Admin, "GET", "/organizations/{organization}/invitations.csv", "invitations-export", h.showInvitationsCSV).in(inOrganization).does("export-invitations")
}

func invitationState(v invitationView) templates.Cell {
	tone := templates.ToneNone
	switch v.State {
	case store.InvitationOpen:
		tone = templates.ToneWarn
	case store.InvitationAccepted:
		tone = templates.ToneGood
	}
	return templates.BadgeCell(v.State, tone)
}

func (h *Handler) showInvitations(w http.ResponseWriter, r *http.Request, p Principal) {
	state := r.URL.Query().Get("state")
	switch state {
	case store.InvitationOpen, store.InvitationAccepted, store.InvitationRevoked, store.InvitationExpired:
	default:
		state = ""
	}
	organization := r.URL.Query().Get("organization")
	found, err := h.listInvitations(r.Context(), paging(r), state, organization)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	page := templates.ListPage{
		Frame: h.frame(r, p), Title: "Invitations", Intro: "People an admin has promised to let in, by their address.",
		Links:   []templates.Link{{ID: "new", Title: "Invite somebody", URL: "/new/invitation"}, {ID: "import", Title: "Invite many", URL: "/new/invitations"}},
		Columns: []string{"Address", "Organization", "Role", "State", "Mailed", "Good until"},
		Empty: templates.Empty{
			Title: "Nobody is invited", Text: "Whoever is invited and proves the address comes in at once, with the role you choose:",
			Command: "gatehouse invitation create alice@acme.example --organization acme",
			Action:  "Invite somebody", URL: "/new/invitation",
		},
	}
	if organization != "" {
		page.Links = append(page.Links, templates.Link{ID: "export", Title: "Download as CSV", URL: "/organizations/" + organization + "/invitations.csv"})
	}
	for _, v := range found.Items {
		page.Rows = append(page.Rows, templates.Row{URL: "/invitations/" + v.ID, Cells: []templates.Cell{
			templates.TextCell(v.Email), templates.CodeCell(v.Organization), templates.WordCell(v.Role), invitationState(v),
			templates.TimeCell(v.SentAt), templates.TimeCell(v.ExpiresAt),
		}})
	}
	onward(&page, r, found.Next)
	h.drawList(w, r, page)
}

func (h *Handler) showInvitation(w http.ResponseWriter, r *http.Request, p Principal) {
	h.drawInvitation(w, r, p, http.StatusOK, "")
}

func (h *Handler) drawInvitation(w http.ResponseWriter, r *http.Request, p Principal, status int, fault string) {
	i, err := h.getInvitation(r.Context(), r.PathValue("invitation"))
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	v := h.viewInvitation(i)
	names, err := h.namesByID(r.Context(), []string{v.InvitedBy, v.AcceptedBy})
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	text := func(label string, values ...string) templates.Item {
		item := templates.Item{Label: label}
		for _, s := range values {
			if s != "" {
				item.Values = append(item.Values, templates.TextCell(s))
			}
		}
		return item
	}
	page := templates.DetailPage{
		Frame: h.frame(r, p), Title: v.Email, State: invitationState(v), Back: "/invitations", BackTitle: "Invitations",
		Groups: []templates.Group{{Title: "Invitation", Items: []templates.Item{
			text("Organization", v.Organization), text("Name", v.Name),
			{Label: "Role", Values: []templates.Cell{templates.WordCell(v.Role)}},
			text("Groups", v.Groups...), text("Apps", v.Clients...),
			text("Language", v.Language), text("Invited by", names[v.InvitedBy]),
			{Label: "Mailed", Values: []templates.Cell{templates.TimeCell(v.SentAt)}},
			text("Mails", strconv.Itoa(v.Sends)),
			{Label: "Good until", Values: []templates.Cell{templates.TimeCell(v.ExpiresAt)}},
		}}},
	}
	page.Frame.Problem = fault
	if v.AcceptedBy != "" {
		page.Groups[0].Items = append(page.Groups[0].Items, templates.Item{Label: "Accepted by", Values: []templates.Cell{templates.LinkCell(names[v.AcceptedBy], "/users/"+v.AcceptedBy)}})
	}
	if i.State == store.InvitationOpen {
		page.Actions = []templates.Action{
			{ID: "resend", Title: "Mail it again", URL: "/invitations/" + v.ID + "/resend"},
			{ID: "revoke", Title: "Revoke", URL: "/invitations/" + v.ID + "/revoke", Danger: true, Warning: "The link in the mail stops working. You can invite the address again."},
		}
	}
	h.drawn(r, h.templates.Detail(w, status, page))
}

func (h *Handler) doInvitation(w http.ResponseWriter, r *http.Request, p Principal) {
	id, done := r.PathValue("invitation"), "resent"
	var err error
	if strings.HasSuffix(r.URL.Path, "/revoke") {
		done = "revoked"
		_, err = h.revokeInvitation(r.Context(), p, id, Precondition{})
	} else {
		_, err = h.resendInvitation(r.Context(), p, id, 0, Precondition{})
	}
	if err == nil {
		http.Redirect(w, r, "/invitations/"+id+"?done="+done, http.StatusSeeOther)
		return
	}
	m := h.problemFor(r.Context(), err)
	if m.Status == http.StatusConflict || m.Status == http.StatusTooManyRequests {
		h.drawInvitation(w, r, p, m.Status, m.Detail)
		return
	}
	h.pageProblem(w, r, p, m)
}

// invitationInputs are what one invitation and an import have in common.
func invitationInputs(r *http.Request) []templates.Input {
	role := r.PostForm.Get("role")
	return []templates.Input{
		{Name: "role", Label: "Role", Kind: templates.InputSelect, Options: []templates.Option{
			{Value: "user", Title: "user", Selected: role == "" || role == "user"}, {Value: "admin", Title: "admin", Selected: role == "admin"}, {Value: "owner", Title: "owner", Selected: role == "owner"},
		}, Hint: "You cannot give more than you have."},
		{Name: "groups", Label: "Groups", Hint: "Separated by commas; besides those that every newcomer gets.", Value: r.PostForm.Get("groups")},
		{Name: "clients", Label: "Apps", Hint: "Client ids of apps that have to be given, separated by commas.", Value: r.PostForm.Get("clients")},
		{Name: "language", Label: "Language of the mail", Hint: "Such as en or de.", Value: r.PostForm.Get("language")},
		{Name: "days", Label: "Days it is good for", Hint: "1 to 60; 14 when empty.", Value: r.PostForm.Get("days")},
	}
}

func defaultsOf(r *http.Request) (d InviteDefaults, err error) {
	d = InviteDefaults{
		Role: r.PostForm.Get("role"), Groups: commas(r.PostForm.Get("groups")), Clients: commas(r.PostForm.Get("clients")),
		Language: strings.TrimSpace(r.PostForm.Get("language")),
	}
	if days := strings.TrimSpace(r.PostForm.Get("days")); days != "" {
		if d.Days, err = strconv.Atoi(days); err != nil || d.Days < 1 || d.Days > provisioning.MaxInvitationDays {
			return d, fault("days", "must be 1 to 60")
		}
	}
	if d.Role != "" && !provisioning.Role(d.Role) {
		return d, fault("role", "is not a role")
	}
	return d, nil
}

func (h *Handler) showNewInvitation(w http.ResponseWriter, r *http.Request, p Principal) {
	h.drawNewInvitation(w, r, p, http.StatusOK, nil)
}

func (h *Handler) drawNewInvitation(w http.ResponseWriter, r *http.Request, p Principal, status int, faults []templates.InputFault) {
	h.drawn(r, h.templates.Form(w, status, templates.FormPage{
		Frame: h.frame(r, p), Title: "Invite somebody", Back: "/invitations", BackTitle: "Invitations", Action: "/new/invitation", Submit: "Invite", Faults: faults,
		Intro: "The address gets a mail with a link that works once. Whoever signs in with that address, proven by the company's provider or by the link, comes in.",
		Groups: []templates.FormGroup{{Title: "Invitation", Inputs: append([]templates.Input{
			h.organizationInput(r), {Name: "email", Label: "E-mail address", Value: r.PostForm.Get("email"), Required: true}, {Name: "name", Label: "Name", Value: r.PostForm.Get("name")},
		}, invitationInputs(r)...)}},
	}))
}

func (h *Handler) organizationInput(r *http.Request) templates.Input {
	value := r.PostForm.Get("organization")
	if value == "" {
		value = r.URL.Query().Get("organization")
	}
	return templates.Input{Name: "organization", Label: "Organization", Hint: "Its id.", Value: value, Required: true}
}

func (h *Handler) doNewInvitation(w http.ResponseWriter, r *http.Request, p Principal) {
	in := &inviteInput{}
	in.Body.Organization, in.Body.Email, in.Body.Name = strings.TrimSpace(r.PostForm.Get("organization")), strings.TrimSpace(r.PostForm.Get("email")), strings.TrimSpace(r.PostForm.Get("name"))
	var err error
	if in.Body.InviteDefaults, err = defaultsOf(r); err == nil {
		var saved store.Invitation
		if saved, err = h.invite(r.Context(), p, in); err == nil {
			http.Redirect(w, r, "/invitations/"+saved.ID+"?done=invited", http.StatusSeeOther)
			return
		}
	}
	status, faults := h.formFaults(r, err)
	h.drawNewInvitation(w, r, p, status, faults)
}

// formFaults shows an error beside the inputs it is about.
func (h *Handler) formFaults(r *http.Request, err error) (int, []templates.InputFault) {
	m := h.problemFor(r.Context(), err)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, errForbidden) {
		return m.Status, []templates.InputFault{{Text: "There is no such organization of yours, or your role does not allow this there."}}
	}
	var out []templates.InputFault
	for _, f := range fieldErrors(err) {
		out = append(out, templates.InputFault{Input: f.Path, Text: sentence(f)})
	}
	if len(out) == 0 {
		out = append(out, templates.InputFault{Text: m.Detail})
	}
	return m.Status, out
}

func (h *Handler) showImport(w http.ResponseWriter, r *http.Request, p Principal) {
	h.drawImport(w, r, p, http.StatusOK, nil, nil)
}

func (h *Handler) drawImport(w http.ResponseWriter, r *http.Request, p Principal, status int, faults []templates.InputFault, notes []string) {
	h.drawn(r, h.templates.Form(w, status, templates.FormPage{
		Frame: h.frame(r, p), Title: "Invite many", Back: "/invitations", BackTitle: "Invitations", Action: "/new/invitations", Submit: "Invite all",
		More: []templates.Button{{Value: "check", Title: "Check first"}}, Faults: faults, Notes: notes,
		Intro: "Paste a CSV text. The first line names the columns: email, and any of name, role, groups, apps, language. Several groups or apps are separated by |. Nobody is invited while a line is bad.",
		Groups: []templates.FormGroup{{Title: "People", Inputs: []templates.Input{
			h.organizationInput(r), {Name: "csv", Label: "CSV", Kind: templates.InputCode, Value: r.PostForm.Get("csv"), Hint: "At most 5,000 lines. For texts over 700 kB use the command line.", Required: true},
		}}, {Title: "Where a line says nothing", Inputs: invitationInputs(r)}},
	}))
}

// doImport checks the text, and invites everybody in it when no line is bad.
func (h *Handler) doImport(w http.ResponseWriter, r *http.Request, p Principal) {
	in := &importInput{}
	in.Body.Organization, in.Body.CSV, in.Body.DryRun = strings.TrimSpace(r.PostForm.Get("organization")), r.PostForm.Get("csv"), r.PostForm.Get("do") == "check"
	var err error
	if in.Body.InviteDefaults, err = defaultsOf(r); err != nil {
		status, faults := h.formFaults(r, err)
		h.drawImport(w, r, p, status, faults, nil)
		return
	}
	if err := h.allowed(r.Context(), p.within(in.Body.Organization)); err != nil {
		status, faults := h.formFaults(r, err)
		h.drawImport(w, r, p, status, faults, nil)
		return
	}
	result, err := h.runImport(r.Context(), p, in)
	var faults []templates.InputFault
	var notes []string
	for _, problem := range result.Problems {
		said := "Line " + strconv.Itoa(problem.Line) + ": " + problem.Message
		if problem.Warning {
			notes = append(notes, said)
		} else if len(faults) < 200 {
			faults = append(faults, templates.InputFault{Input: "csv", Text: said})
		}
	}
	switch {
	case err == nil && !in.Body.DryRun:
		http.Redirect(w, r, "/invitations?done=imported&organization="+in.Body.Organization, http.StatusSeeOther)
	case err == nil:
		notes = append([]string{strconv.Itoa(result.Good) + " can be invited, " + strconv.Itoa(result.Bad) + " cannot. Nobody was invited yet."}, notes...)
		h.drawImport(w, r, p, http.StatusOK, faults, notes[:min(len(notes), 200)])
	default:
		status, more := h.formFaults(r, err)
		h.drawImport(w, r, p, status, append(more, faults...), notes[:min(len(notes), 200)])
	}
}

func (h *Handler) showInvitationsCSV(w http.ResponseWriter, r *http.Request, p Principal) {
	raw, err := h.invitationsCSV(r.Context(), r.PathValue("organization"))
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="invitations.csv"`)
	_, _ = w.Write(raw)
}
