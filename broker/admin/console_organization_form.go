package admin

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"gatehouse/store"
	"gatehouse/templates"
)

// lines and fromLines are a list in a text area, one entry per line.
func lines(list []string) string { return strings.Join(list, "\n") }

func fromLines(s string) []string {
	out := []string{}
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

func joinInput(name, label, value string, inherits bool) templates.Input {
	in := templates.Input{Name: name, Label: label, Kind: templates.InputSelect}
	options := [][2]string{{"off", "Nobody new"}, {"request", "By request: an admin decides"}, {"automatic", "At once"}}
	if inherits {
		options = append([][2]string{{"", "As the connection or the organization says"}}, options...)
	}
	in.Options = chosen(options, value)
	return in
}

func chosen(options [][2]string, value string) (out []templates.Option) {
	for _, o := range options {
		out = append(out, templates.Option{Value: o[0], Title: o[1], Selected: o[0] == value})
	}
	return out
}

func approversInput(value string) templates.Input {
	return templates.Input{
		Name: "approvers", Label: "Approvers", Kind: templates.InputArea, Value: value,
		Hint: "User ids of members who are told of requests and may decide, one per line. Empty: all admins and owners.",
	}
}

// organizationValues are what the form shows: the record's values, or what was
// typed.
func organizationValues(o store.Organization) url.Values {
	v := url.Values{}
	for name, value := range map[string]string{
		"id": o.ID, "title": o.Title, "contact": o.Contact, "brand.logo": o.Brand.Logo, "brand.accent": o.Brand.Accent,
		"links.privacy": o.Links.Privacy, "links.help": o.Links.Help, "links.request_access": o.Links.RequestAccess,
		"languages": lines(o.Languages), "join": string(o.Join), "default_role": o.DefaultRole, "join_actor": o.JoinActor,
		"automatic_groups": lines(o.AutomaticGroups), "automatic_clients": lines(o.AutomaticClients), "approvers": lines(o.Approvers),
	} {
		v.Set(name, value)
	}
	if o.RequestDays != 0 {
		v.Set("request_days", strconv.Itoa(o.RequestDays))
	}
	if o.AppRequests {
		v.Set("app_requests", "yes")
	}
	if o.Disabled {
		v.Set("disabled", "yes")
	}
	return v
}

// organizationFields reads the form. A number that is none is a fault.
func organizationFields(v url.Values, platform bool) (f OrganizationFields, err error) {
	text := func(name string) *string {
		s := strings.TrimSpace(v.Get(name))
		return &s
	}
	yes := func(name string) *bool {
		b := v.Get(name) == "yes"
		return &b
	}
	f = OrganizationFields{
		Title: text("title"), Contact: text("contact"), Join: text("join"), DefaultRole: text("default_role"),
		Brand:     &store.Brand{Logo: *text("brand.logo"), Accent: strings.ToLower(*text("brand.accent"))},
		Links:     &store.Links{Privacy: *text("links.privacy"), Help: *text("links.help"), RequestAccess: *text("links.request_access")},
		Languages: fromLines(v.Get("languages")), AutomaticGroups: fromLines(v.Get("automatic_groups")), AutomaticClients: fromLines(v.Get("automatic_clients")),
		Approvers: fromLines(v.Get("approvers")), AppRequests: yes("app_requests"), RequestDays: new(int),
	}
	if platform {
		f.Disabled = yes("disabled")
	}
	if actor := *text("join_actor"); actor != "" {
		f.JoinActor = &actor
	}
	if days := *text("request_days"); days != "" {
		if *f.RequestDays, err = strconv.Atoi(days); err != nil {
			err = fault("request_days", "must be a whole number of days")
		}
	}
	return f, err
}

// organizationGroups are the form's inputs.
func organizationGroups(v url.Values, platform bool) []templates.FormGroup {
	line := func(name, label, hint string) templates.Input {
		return templates.Input{Name: name, Label: label, Hint: hint, Value: v.Get(name)}
	}
	area := func(name, label, hint string) templates.Input {
		in := line(name, label, hint)
		in.Kind = templates.InputArea
		return in
	}
	role := line("default_role", "Role of newcomers", "Above user: for owners.")
	role.Kind, role.Options = templates.InputSelect, chosen([][2]string{{"user", "user"}, {"admin", "admin"}, {"owner", "owner"}}, v.Get("default_role"))
	apps := templates.Input{Name: "app_requests", Label: "People may ask for apps that need an assignment", Kind: templates.InputCheck, Checked: v.Get("app_requests") == "yes"}
	title := line("title", "Title", "What people see.")
	title.Required = true
	groups := []templates.FormGroup{
		{Title: "Name and look", Inputs: []templates.Input{
			title,
			line("contact", "Contact", "Whom people can ask; shown on pages. Plain text."),
			line("brand.logo", "Logo", "https address of a picture, or empty."),
			line("brand.accent", "Accent", "Colour of links and buttons, such as #0b5c63. It must be dark enough to be read; by night a lighter shade is used."),
		}},
		{Title: "Links before sign-in", Intro: "https addresses, or mailto: and an address.", Inputs: []templates.Input{
			line("links.privacy", "Privacy policy", ""), line("links.help", "Help", ""), line("links.request_access", "Request access", ""),
		}},
		{Title: "Languages", Inputs: []templates.Input{
			area("languages", "Languages", "One per line, the default first: "+strings.Join(templates.Languages(), ", ")+". Empty: what the browser asks for."),
		}},
		{Title: "Newcomers", Intro: "People who sign in at their company for the first time. A connection or a domain can have its own answer.", Inputs: []templates.Input{
			joinInput("join", "What happens to newcomers", v.Get("join"), false), role,
			area("automatic_groups", "Groups", "Every newcomer gets them, one per line."),
			area("automatic_clients", "Apps", "Ids of apps that every newcomer gets, one per line."),
			line("join_actor", "In the name of", "User id of the admin in whose name newcomers are made. Empty: whoever switches it on."),
		}},
		{Title: "Requests", Inputs: []templates.Input{
			approversInput(v.Get("approvers")),
			line("request_days", "Days a request waits", "From 1 to 90. Empty: the server's default."), apps,
		}},
	}
	if platform {
		groups = append(groups, templates.FormGroup{Title: "Platform", Inputs: []templates.Input{{
			Name: "disabled", Label: "Disabled: nobody of the organization gets in", Kind: templates.InputCheck, Checked: v.Get("disabled") == "yes",
		}}})
	}
	return groups
}

func newOrganizationPage(v url.Values) templates.FormPage {
	groups := organizationGroups(v, true)
	id := templates.Input{Name: "id", Label: "Id", Required: true, Value: v.Get("id"), Hint: "Short name in lower-case letters, digits and hyphens. It is chosen once and never given out again."}
	groups[0].Inputs = append([]templates.Input{id}, groups[0].Inputs...)
	return templates.FormPage{
		Title: "Add an organization", Back: "/organizations", BackTitle: "Organizations", Action: "/new/organization", Submit: "Add", Groups: groups,
		Intro: "A company whose people will sign in here. Only id and title are needed; the rest can follow.",
	}
}

func (h *Handler) showNewOrganization(w http.ResponseWriter, r *http.Request, p Principal) {
	h.drawForm(w, r, p, newOrganizationPage(organizationValues(store.Organization{Join: store.JoinOff})), nil)
}

func (h *Handler) doNewOrganization(w http.ResponseWriter, r *http.Request, p Principal) {
	in := &createOrganizationInput{Body: createOrganizationBody{ID: strings.TrimSpace(r.PostForm.Get("id"))}}
	var err error
	if in.Body.OrganizationFields, err = organizationFields(r.PostForm, true); err == nil {
		_, err = h.createOrganization(r.Context(), p, in)
	}
	if err != nil {
		h.drawForm(w, r, p, newOrganizationPage(r.PostForm), err)
		return
	}
	http.Redirect(w, r, organizationURL(in.Body.ID, "?done=organization-added"), http.StatusSeeOther)
}

// organizationAt reads the organization that the path names.
func (h *Handler) organizationAt(r *http.Request) (o store.Organization, err error) {
	err = h.store.View(r.Context(), func(tx store.Tx) (err error) {
		o, err = h.store.Organizations.Get(tx, r.PathValue("organization"))
		return err
	})
	return o, err
}

// organizationForm is a form about one part of an organization.
func organizationForm(o store.Organization, title, rest, revision string, groups []templates.FormGroup) templates.FormPage {
	return templates.FormPage{
		Title: title, Back: organizationURL(o.ID, ""), BackTitle: o.Title, Action: organizationURL(o.ID, rest), Submit: "Save", Groups: groups,
		Hidden: []templates.Field{{Name: "revision", Value: revision}},
	}
}

func revisionOf(o store.Organization) string { return strconv.FormatInt(o.Revision, 10) }

func (h *Handler) showEditOrganization(w http.ResponseWriter, r *http.Request, p Principal) {
	o, err := h.organizationAt(r)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	groups := organizationGroups(organizationValues(o), Admin.Allows(p, Object{}))
	h.drawForm(w, r, p, organizationForm(o, "Change "+o.Title, "/edit", revisionOf(o), groups), nil)
}

func (h *Handler) doEditOrganization(w http.ResponseWriter, r *http.Request, p Principal) {
	platform := Admin.Allows(p, Object{})
	fields, err := organizationFields(r.PostForm, platform)
	h.saveOrganization(w, r, p, fields, err, func(o store.Organization) templates.FormPage {
		return organizationForm(o, "Change "+o.Title, "/edit", r.PostForm.Get("revision"), organizationGroups(r.PostForm, platform))
	})
}

// saveOrganization keeps what a form says, unless reading it failed, and draws
// the form again when it cannot be kept.
func (h *Handler) saveOrganization(w http.ResponseWriter, r *http.Request, p Principal, fields OrganizationFields, err error, again func(store.Organization) templates.FormPage) {
	id := r.PathValue("organization")
	revision, _ := strconv.ParseInt(r.PostForm.Get("revision"), 10, 64) // 0 is nobody's
	if err == nil {
		_, err = h.updateOrganization(r.Context(), p, &updateOrganizationInput{
			OrganizationPath: OrganizationPath{ID: id}, Body: updateOrganizationBody{Revision: &revision, OrganizationFields: fields},
		})
	}
	if err == nil {
		http.Redirect(w, r, organizationURL(id, "?done=changed"), http.StatusSeeOther)
		return
	}
	o, readErr := h.organizationAt(r)
	if readErr != nil {
		h.pageError(w, r, p, readErr)
		return
	}
	h.drawForm(w, r, p, again(o), err)
}
