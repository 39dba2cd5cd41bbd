package admin

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"gatehouse/store"
	"gatehouse/templates"
)

// rulesPage is the form for admission rules: those there are, and one more.
func rulesPage(o store.Organization, conns []store.Connection, revision string, n int, v url.Values) templates.FormPage {
	var connections [][2]string
	for _, c := range conns {
		connections = append(connections, [2]string{c.ID, c.Title})
	}
	var groups []templates.FormGroup
	for i := range n {
		at := indexed("rules", i)
		line := func(part, label, hint string) templates.Input {
			return templates.Input{Name: at + "." + part, Label: label, Hint: hint, Value: v.Get(at + "." + part)}
		}
		pick := func(part, label string, options [][2]string) templates.Input {
			in := line(part, label, "")
			in.Kind, in.Options = templates.InputSelect, chosen(options, in.Value)
			return in
		}
		area := func(part, label, hint string) templates.Input {
			in := line(part, label, hint)
			in.Kind = templates.InputArea
			return in
		}
		group := templates.FormGroup{Title: v.Get(at + ".name"), Inputs: []templates.Input{
			line("name", "Name", "The audit and the record of a newcomer name the rule. Empty removes it."),
			pick("connection", "Connection", connections),
			line("attribute", "Attribute", "As the connection's selectors call it, such as email or groups."),
			line("value", "Value", "The whole value, exactly so; upper and lower case count."),
			joinInput(at+".join", "What happens", v.Get(at+".join"), false),
			pick("role", "Role", [][2]string{{"", "user"}, {store.RoleAdmin, "admin"}, {store.RoleOwner, "owner"}}),
			area("groups", "Groups", "Given besides the organization's, one per line."),
			area("clients", "Apps", "Given besides the organization's, one per line."),
		}}
		if i == n-1 {
			group.Title, group.Intro = "A new rule", "Leave the name empty to add none."
		}
		groups = append(groups, group)
	}
	page := organizationForm(o, "Rules", "/rules", revision, groups)
	page.Intro = "Rules decide about newcomers before anything else does, the first that fits: by one exact value that the company's sign-in says about a person. A value that is missing fits nothing."
	return page
}

func ruleValues(rules []store.AdmissionRule) url.Values {
	v := url.Values{}
	for i, r := range rules {
		at := indexed("rules", i)
		for part, value := range map[string]string{
			"name": r.Name, "connection": r.ConnectionID, "attribute": r.Attribute, "value": r.Value, "join": string(r.Join),
			"role": r.Role, "groups": lines(r.Groups), "clients": lines(r.Clients),
		} {
			v.Set(at+"."+part, value)
		}
	}
	v.Set("rules", strconv.Itoa(len(rules)+1))
	return v
}

// connectionsOf are an organization's connections, for a select.
func (h *Handler) connectionsOf(r *http.Request) (conns []store.Connection, err error) {
	err = h.store.View(r.Context(), func(tx store.Tx) (err error) {
		conns, _, err = h.store.Connections.ByIndex(tx, "organization", r.PathValue("organization"), store.Page{Limit: 200})
		return err
	})
	return conns, err
}

func (h *Handler) showRules(w http.ResponseWriter, r *http.Request, p Principal) {
	o, err := h.organizationAt(r)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	conns, err := h.connectionsOf(r)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	page := rulesPage(o, conns, revisionOf(o), len(o.Rules)+1, ruleValues(o.Rules))
	page.Hidden = append(page.Hidden, templates.Field{Name: "rules", Value: strconv.Itoa(len(o.Rules) + 1)})
	h.drawForm(w, r, p, page, nil)
}

func (h *Handler) doRules(w http.ResponseWriter, r *http.Request, p Principal) {
	n, err := strconv.Atoi(r.PostForm.Get("rules"))
	if err != nil || n < 1 || n > 101 {
		h.pageError(w, r, p, problem(http.StatusBadRequest, formSentence(http.StatusBadRequest)))
		return
	}
	rules := []store.AdmissionRule{}
	shown := url.Values{} // the rules that stay, under their new places
	for i := range n {
		part := func(name string) string { return strings.TrimSpace(r.PostForm.Get(indexed("rules", i) + "." + name)) }
		if part("name") == "" && (i < n-1 || part("value") == "") {
			continue
		}
		rules = append(rules, store.AdmissionRule{
			Name: part("name"), ConnectionID: part("connection"), Attribute: part("attribute"), Value: part("value"), Join: store.JoinPolicy(part("join")),
			Role: part("role"), Groups: orNone(fromLines(part("groups"))), Clients: orNone(fromLines(part("clients"))),
		})
	}
	shown = ruleValues(rules)
	conns, err := h.connectionsOf(r)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	h.saveOrganization(w, r, p, OrganizationFields{Rules: rules}, nil, func(o store.Organization) templates.FormPage {
		page := rulesPage(o, conns, r.PostForm.Get("revision"), len(rules)+1, shown)
		page.Hidden = append(page.Hidden, templates.Field{Name: "rules", Value: strconv.Itoa(len(rules) + 1)})
		return page
	})
}

// orNone keeps empty lists out of records.
func orNone(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return list
}
