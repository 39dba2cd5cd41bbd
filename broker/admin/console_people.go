package admin

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"gatehouse/store"
	"gatehouse/templates"
)

func (h *Handler) routePeoplePages(t *table) {
	page(t, Admin, "GET", "/users", "users", h.showUsers).in(anywhere).does("list-users", "list-members")
	page(t, Admin, "GET", "/users/{user}", "user", h.showUser).in(byObject).does("get-user", "list-grants")
	page(t, Admin, "POST", "/users/{user}/disable", "user-disable", h.doUser).in(byObject).does("disable-user")
	page(t, Admin, "POST", "/users/{user}/enable", "user-enable", h.doUser).in(byObject).does("enable-user")
	page(t, Admin, "POST", "/users/{user}/sign-out", "user-sign-out", h.doUser).in(byObject).does("sign-out-user")
	page(t, Admin, "POST", "/users/{user}/remove", "user-remove", h.doUser).in(byObject).does("remove-user").dangerous()
	page(t, Admin, "POST", "/users/{user}/unlink", "user-unlink", h.doUser).in(byObject).does("unlink-identity").dangerous()
	page(t, Admin, "POST", "/grants/{grant}/end", "grant-end", h.doEndGrant).in(byObject).does("end-grant")
	page(t, Admin, "GET", "/organizations/{organization}/members/{user}", "member", h.showMember).in(inOrganization).does("get-member")
	page(t, Admin, "POST", "/organizations/{organization}/members/{user}", "member-post", h.doMember).in(inOrganization).does("update-member")
	page(t, Admin, "POST", "/organizations/{organization}/members/{user}/remove", "member-remove", h.doRemoveMember).in(inOrganization).does("remove-member")
	page(t, Admin, "GET", "/organizations/{organization}/add-member", "member-new", h.showAddMember).in(inOrganization).does("add-member")
	page(t, Admin, "POST", "/organizations/{organization}/add-member", "member-new-post", h.doAddMember).in(inOrganization).does("add-member")
}

// filterOf reads the search of the list of people; what is no choice is left out.
func filterOf(q url.Values) (f UserFilter, organization string) {
	f = UserFilter{Query: q.Get("q"), Connection: q.Get("connection"), Client: q.Get("client")}
	switch role := q.Get("role"); role {
	case store.RoleOwner, store.RoleAdmin, store.RoleUser:
		f.Role = role
	}
	switch state := q.Get("state"); state {
	case store.UserActive, store.UserDisabled:
		f.State = state
	}
	if len(f.Query) > 200 {
		f.Query = f.Query[:200]
	}
	return f, q.Get("organization")
}

func (h *Handler) showUsers(w http.ResponseWriter, r *http.Request, p Principal) {
	filter, organization := filterOf(r.URL.Query())
	found, err := h.listUsers(r.Context(), listUsersInput{Paging: paging(r), UserFilter: filter, Organization: organization})
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	page := templates.ListPage{
		Frame: h.frame(r, p), Title: "People", Columns: []string{"Name", "E-mail", "Role", "State", "Last sign-in"},
		Empty: templates.Empty{Title: "Nobody yet", Text: "People appear here when they sign in for the first time."},
		Search: &templates.Search{Action: "/users", Label: "Name or e-mail address", Value: filter.Query, Selects: []templates.SearchSelect{
			{Name: "state", Label: "State", Options: []templates.Option{{Value: "", Title: "any"}, {Value: store.UserActive, Title: "active"}, {Value: store.UserDisabled, Title: "disabled"}}, Value: filter.State},
			{Name: "role", Label: "Role", Options: []templates.Option{{Value: "", Title: "any"}, {Value: store.RoleOwner, Title: "owner"}, {Value: store.RoleAdmin, Title: "admin"}, {Value: store.RoleUser, Title: "user"}}, Value: filter.Role},
		}},
	}
	for name, value := range map[string]string{"organization": organization, "connection": filter.Connection, "client": filter.Client} {
		if value != "" {
			page.Search.Hidden = append(page.Search.Hidden, templates.Field{Name: name, Value: value})
		}
	}
	if organization != "" {
		page.Links = append(page.Links, templates.Link{ID: "add", Title: "Add a known person", URL: "/organizations/" + url.PathEscape(organization) + "/add-member"})
	}
	if filter != (UserFilter{}) {
		page.Empty = templates.Empty{Title: "Nobody found", Text: "Search by the beginning of a name or an address, or take a filter away."}
		if found.Next != "" {
			page.Empty.Text = "Nobody on this page; the search goes on with the next."
		}
	}
	for _, u := range found.Items {
		name := attributesName(u.Attributes)
		if name == "" {
			name = u.ID
		}
		to := "/users/" + u.ID
		if organization != "" {
			to = memberURL(organization, u.ID)
		}
		page.Rows = append(page.Rows, templates.Row{URL: to, Cells: []templates.Cell{
			templates.TextCell(name), templates.TextCell(u.Attributes.Email), templates.WordCell(u.PlatformRole),
			onOff(u.Status != "active"), timeCell(u.LastLoginAt),
		}})
	}
	onward(&page, r, found.Next)
	if page.Next != "" || page.First != "" {
		q := r.URL.Query()
		q.Del("cursor")
		if page.First != "" {
			page.First = r.URL.Path + "?" + q.Encode()
		}
		if page.Next != "" {
			q.Set("cursor", found.Next)
			page.Next = r.URL.Path + "?" + q.Encode()
		}
	}
	h.drawList(w, r, page)
}

func memberURL(organization, user string) string {
	return "/organizations/" + url.PathEscape(organization) + "/members/" + url.PathEscape(user)
}

func (h *Handler) showMember(w http.ResponseWriter, r *http.Request, p Principal) {
	h.drawMember(w, r, p, http.StatusOK, nil, "")
}

func (h *Handler) drawMember(w http.ResponseWriter, r *http.Request, p Principal, status int, faults []templates.InputFault, problem string) {
	organization := r.PathValue("organization")
	var m memberView
	err := h.store.View(r.Context(), func(tx store.Tx) (err error) {
		m, err = h.member(tx, organization, r.PathValue("user"))
		return err
	})
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	if m.Name == "" {
		m.Name = m.User
	}
	here := memberURL(organization, m.User)
	page := templates.FormPage{
		Frame: h.frame(r, p), Title: m.Name, Intro: m.Email, Back: "/users?organization=" + url.QueryEscape(organization), BackTitle: "People",
		Action: here, Submit: "Change the membership", Faults: faults,
		Hidden: []templates.Field{{Name: "revision", Value: strconv.FormatInt(m.Revision, 10)}},
		More:   []templates.Button{{Value: "remove", Title: "End the membership"}},
		Links:  []templates.Link{{ID: "user", Title: "Everything about this person", URL: "/users/" + m.User}},
		Groups: []templates.FormGroup{{Title: "Membership", Inputs: memberInputs(m)}},
	}
	page.Frame.Problem = problem
	h.drawn(r, h.templates.Form(w, status, page))
}

func memberInputs(m memberView) []templates.Input {
	return []templates.Input{
		{Name: "role", Label: "Role", Kind: templates.InputSelect, Value: m.Role, Options: []templates.Option{
			{Value: store.RoleUser, Title: "user"}, {Value: store.RoleAdmin, Title: "admin"}, {Value: store.RoleOwner, Title: "owner"},
		}},
		{Name: "groups", Label: "Groups", Kind: templates.InputArea, Value: strings.Join(m.Groups, "\n"), Hint: "One in each line."},
		{Name: "clients", Label: "Apps", Kind: templates.InputArea, Value: strings.Join(m.Clients, "\n"), Hint: "Client ids of apps that have to be given, one in each line."},
	}
}

// memberFields reads the form: the whole membership.
func memberFields(form url.Values) MemberFields {
	role := form.Get("role")
	f := MemberFields{Role: &role, Groups: []string{}, Clients: []string{}}
	f.Groups = append(f.Groups, inLines(form.Get("groups"))...)
	f.Clients = append(f.Clients, inLines(form.Get("clients"))...)
	return f
}

func inLines(s string) (out []string) {
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// memberFault draws the form again with what is wrong.
func (h *Handler) memberFault(w http.ResponseWriter, r *http.Request, p Principal, err error, draw func(int, []templates.InputFault, string)) {
	if faults := fieldErrors(err); len(faults) > 0 {
		shown := make([]templates.InputFault, len(faults))
		for i, f := range faults {
			input, _, _ := strings.Cut(f.Path, "[")
			shown[i] = templates.InputFault{Input: input, Text: f.Problem, Label: input}
		}
		draw(http.StatusUnprocessableEntity, shown, "")
		return
	}
	m := h.problemFor(r.Context(), err)
	if m.Status == http.StatusConflict || m.Status == http.StatusForbidden {
		draw(m.Status, nil, m.Detail)
		return
	}
	h.pageProblem(w, r, p, m)
}

func (h *Handler) doMember(w http.ResponseWriter, r *http.Request, p Principal) {
	if r.PostForm.Get("do") == "remove" {
		h.doRemoveMember(w, r, p)
		return
	}
	revision, _ := strconv.ParseInt(r.PostForm.Get("revision"), 10, 64) // 0 is nobody's
	in := &updateMemberInput{MemberPath: MemberPath{r.PathValue("organization"), r.PathValue("user")}}
	in.Body.Revision, in.Body.MemberFields = &revision, memberFields(r.PostForm)
	if _, err := h.updateMember(r.Context(), p, in); err != nil {
		h.memberFault(w, r, p, err, func(status int, faults []templates.InputFault, problem string) {
			h.drawMember(w, r, p, status, faults, problem)
		})
		return
	}
	http.Redirect(w, r, memberURL(in.Organization, in.User)+"?done=changed", http.StatusSeeOther)
}

func (h *Handler) doRemoveMember(w http.ResponseWriter, r *http.Request, p Principal) {
	in := &removeMemberInput{MemberPath: MemberPath{r.PathValue("organization"), r.PathValue("user")}}
	if _, err := h.removeMember(r.Context(), p, in); err != nil {
		h.memberFault(w, r, p, err, func(status int, faults []templates.InputFault, problem string) {
			h.drawMember(w, r, p, status, faults, problem)
		})
		return
	}
	http.Redirect(w, r, "/users?organization="+url.QueryEscape(in.Organization)+"&done=removed", http.StatusSeeOther)
}

func (h *Handler) showAddMember(w http.ResponseWriter, r *http.Request, p Principal) {
	h.drawAddMember(w, r, p, http.StatusOK, nil, "")
}

func (h *Handler) drawAddMember(w http.ResponseWriter, r *http.Request, p Principal, status int, faults []templates.InputFault, problem string) {
	organization := r.PathValue("organization")
	m := memberView{Role: store.RoleUser}
	page := templates.FormPage{
		Frame: h.frame(r, p), Title: "Add a known person", Intro: "Somebody who has signed in before. Invite everybody else.",
		Back: "/users?organization=" + url.QueryEscape(organization), BackTitle: "People",
		Action: "/organizations/" + url.PathEscape(organization) + "/add-member", Submit: "Add", Faults: faults,
		Groups: []templates.FormGroup{{Title: "Membership", Inputs: append([]templates.Input{
			{Name: "user", Label: "User id", Hint: "It stands on the person's page.", Value: r.PostForm.Get("user"), Required: true},
		}, memberInputs(m)...)}},
	}
	page.Frame.Problem = problem
	h.drawn(r, h.templates.Form(w, status, page))
}

func (h *Handler) doAddMember(w http.ResponseWriter, r *http.Request, p Principal) {
	in := &addMemberInput{Organization: r.PathValue("organization")}
	in.Body.User, in.Body.MemberFields = strings.TrimSpace(r.PostForm.Get("user")), memberFields(r.PostForm)
	if _, err := h.addMember(r.Context(), p, in); err != nil {
		h.memberFault(w, r, p, err, func(status int, faults []templates.InputFault, problem string) {
			h.drawAddMember(w, r, p, status, faults, problem)
		})
		return
	}
	http.Redirect(w, r, memberURL(in.Organization, in.Body.User), http.StatusSeeOther)
}

func (h *Handler) doEndGrant(w http.ResponseWriter, r *http.Request, p Principal) {
	user, err := h.endGrant(r.Context(), p, r.PathValue("grant"))
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	http.Redirect(w, r, "/users/"+user+"?done=ended", http.StatusSeeOther)
}
