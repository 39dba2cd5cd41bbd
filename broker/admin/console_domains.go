package admin

import (
	"net/http"
	"net/url"

	"gatehouse/provisioning/ownership"
	"gatehouse/store"
	"gatehouse/templates"
)

func domainURL(d store.Domain, rest string) string {
	return organizationURL(d.OrganizationID, "/domains/"+url.PathEscape(d.Name)+rest)
}

// domainState is how far a claim has come, for people to see.
func domainState(d store.Domain) templates.Cell {
	switch {
	case d.State == store.DomainLapsed:
		return templates.BadgeCell("lapsed", templates.ToneBad)
	case d.State == store.DomainVerified && !d.MissingSince.IsZero():
		return templates.BadgeCell("record missing", templates.ToneWarn)
	case d.Owned():
		return templates.BadgeCell(string(d.State), templates.ToneGood)
	}
	return templates.BadgeCell(string(d.State), templates.ToneWarn)
}

func (h *Handler) showDomains(w http.ResponseWriter, r *http.Request, p Principal) {
	found, err := h.listDomains(r.Context(), paging(r), "")
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	page := templates.ListPage{
		Frame: h.frame(r, p), Title: "Domains", Intro: "E-mail domains and the organizations they belong to. Add one on the page of its organization.",
		Columns: []string{"Domain", "Organization", "State", "Last look", "Newcomers"},
		Empty: templates.Empty{
			Title: "No domain yet", Text: "A domain leads people to their company's sign-in. Open the organization it belongs to and add it there.",
			Action: "Organizations", URL: "/organizations", Command: "gatehouse domain create acme acme.example",
		},
	}
	for _, v := range found.Items {
		d := store.Domain{Name: v.Name, OrganizationID: v.Organization, State: store.DomainState(v.State)}
		if v.MissingSince != nil {
			d.MissingSince = *v.MissingSince
		}
		page.Rows = append(page.Rows, templates.Row{URL: domainURL(d, ""), Cells: []templates.Cell{
			templates.CodeCell(v.Name), templates.LinkCell(v.Organization, organizationURL(v.Organization, "")), domainState(d),
			timeCell(v.CheckedAt), templates.WordCell(joinWords(store.JoinPolicy(v.Join))),
		}})
	}
	onward(&page, r, found.Next)
	h.drawList(w, r, page)
}

// domainOf reads the domain that the path names.
func (h *Handler) domainOf(r *http.Request) (d store.Domain, err error) {
	key, err := domainPath(r).key()
	if err != nil {
		return d, err
	}
	err = h.store.View(r.Context(), func(tx store.Tx) (err error) {
		d, err = h.store.Domains.Get(tx, key)
		return err
	})
	return d, err
}

func domainPath(r *http.Request) DomainPath {
	return DomainPath{Organization: r.PathValue("organization"), Name: r.PathValue("domain")}
}

func (h *Handler) showDomain(w http.ResponseWriter, r *http.Request, p Principal) {
	h.drawDomain(w, r, p, http.StatusOK, "")
}

// drawDomain shows which record proves a claim, what the last look found, and
// what to do.
func (h *Handler) drawDomain(w http.ResponseWriter, r *http.Request, p Principal, status int, problem string) {
	d, err := h.domainOf(r)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	page := templates.DetailPage{
		Frame: h.frame(r, p), Title: d.Name, State: domainState(d), Back: organizationURL(d.OrganizationID, ""), BackTitle: d.OrganizationID,
		Links: []templates.Link{{ID: "edit", Title: "Change", URL: domainURL(d, "/edit")}},
	}
	page.Frame.Problem = problem
	if d.Challenge != "" {
		page.Groups = append(page.Groups, templates.Group{
			Title: "The DNS record that proves it",
			Copies: []templates.Copy{
				{Label: "Type", Text: "TXT"},
				{Label: "Name (some DNS consoles want it without the domain at its end)", Text: ownership.RecordName(d.Name)},
				{Label: "Value", Text: d.Challenge},
			},
		})
	}
	var f facts
	f.word("What to do", whatToDo(d))
	f.word("Last look", d.CheckError)
	times := func(label string, cell templates.Cell) {
		if !cell.Time.IsZero() {
			f = append(f, templates.Item{Label: label, Values: []templates.Cell{cell}})
		}
	}
	times("Looked at", templates.TimeCell(d.CheckedAt))
	times("Seen last", templates.TimeCell(d.VerifiedAt))
	times("Missing since", templates.TimeCell(d.MissingSince))
	if d.State == store.DomainVerified && !d.MissingSince.IsZero() {
		times("Lapses", templates.TimeCell(d.MissingSince.Add(h.ownership.Grace())))
	}
	f.word("Newcomers", joinWords(d.Join))
	f.code("Approvers", d.Approvers...)
	page.Groups = append(page.Groups, templates.Group{Title: "How it stands", Items: f})
	if d.State == store.DomainLapsed || !d.MissingSince.IsZero() {
		page.Warnings = []string{whatToDo(d)}
	}
	if d.State != store.DomainAsserted {
		page.Actions = append(page.Actions, templates.Action{ID: "check", Title: "Look now", URL: domainURL(d, "/check")})
	}
	if d.State != store.DomainAsserted && isOwner(p) {
		page.Actions = append(page.Actions, templates.Action{
			ID: "assert", Title: "Assert without proof", URL: domainURL(d, "/assert"), Danger: true,
			Warning: "You vouch for it that this domain is the organization's: people are routed and admitted by it, and DNS is not asked any more. Several organizations can hold a domain that is asserted; people then choose.",
		})
	}
	page.Actions = append(page.Actions, templates.Action{
		ID: "delete", Title: "Give the domain up", URL: domainURL(d, "/delete"), Danger: true,
		Warning: "Nobody is routed or admitted by it any more. To claim it again takes a new record.",
	})
	h.drawn(r, h.templates.Detail(w, status, page))
}

// whatToDo is the next step for a claim, in a sentence.
func whatToDo(d store.Domain) string {
	switch {
	case d.State == store.DomainAsserted:
		return "Nothing: the operator vouches for it."
	case d.State == store.DomainLapsed:
		return "The record is gone, so nobody is routed or admitted by this domain. Put the record back; it is looked for every hour."
	case d.State == store.DomainVerified && !d.MissingSince.IsZero():
		return "The record is missing. Put it back: otherwise the domain lapses, and nobody is routed or admitted by it any more."
	case d.State == store.DomainVerified:
		return "Nothing. Leave the record where it is: it is looked for every day."
	}
	return "Set the record where your company's DNS is managed, then look. New records can take some minutes; they are also looked for by themselves."
}

func (h *Handler) doCheckDomain(w http.ResponseWriter, r *http.Request, p Principal) {
	path := domainPath(r)
	out, err := h.checkDomain(r.Context(), p, &path)
	done := "looked"
	if err == nil && out.Body.State == string(store.DomainVerified) && out.Body.CheckError == "" {
		done = "proven"
	}
	h.domainDone(w, r, p, err, done)
}

func (h *Handler) doAssertDomain(w http.ResponseWriter, r *http.Request, p Principal) {
	_, err := h.assertDomain(r.Context(), p, &changeDomainInput{DomainPath: domainPath(r)})
	h.domainDone(w, r, p, err, "asserted")
}

func (h *Handler) doDeleteDomain(w http.ResponseWriter, r *http.Request, p Principal) {
	_, err := h.deleteDomain(r.Context(), p, &changeDomainInput{DomainPath: domainPath(r)})
	if err == nil {
		http.Redirect(w, r, organizationURL(r.PathValue("organization"), "?done=given-up-domain"), http.StatusSeeOther)
		return
	}
	h.domainDone(w, r, p, err, "")
}

// domainDone leads back to the domain's page, with a notice or with what went
// wrong.
func (h *Handler) domainDone(w http.ResponseWriter, r *http.Request, p Principal, err error, done string) {
	if err == nil {
		d := store.Domain{Name: r.PathValue("domain"), OrganizationID: r.PathValue("organization")}
		http.Redirect(w, r, domainURL(d, "?done="+done), http.StatusSeeOther)
		return
	}
	m := h.problemFor(r.Context(), err)
	if m.Status == http.StatusNotFound || m.Status >= 500 {
		h.pageProblem(w, r, p, m)
		return
	}
	h.drawDomain(w, r, p, m.Status, problemText(m))
}

func (h *Handler) showNewDomain(w http.ResponseWriter, r *http.Request, p Principal) {
	h.drawForm(w, r, p, h.newDomainPage(r, p), nil)
}

func (h *Handler) newDomainPage(r *http.Request, p Principal) templates.FormPage {
	id := r.PathValue("organization")
	inputs := []templates.Input{{
		Name: "name", Label: "Domain", Required: true, Value: r.PostForm.Get("name"),
		Hint: "What stands after the @ in the company's addresses, such as acme.example.",
	}}
	if isOwner(p) {
		inputs = append(inputs, templates.Input{
			Name: "asserted", Label: "I vouch for it: no DNS record is needed", Kind: templates.InputCheck, Checked: r.PostForm.Get("asserted") == "yes",
		})
	}
	return templates.FormPage{
		Title: "Add a domain", Intro: "The next page shows the DNS record that proves that the domain is the company's.",
		Back: organizationURL(id, ""), BackTitle: id, Action: organizationURL(id, "/domains/new"), Submit: "Add", Groups: []templates.FormGroup{{Title: "Domain", Inputs: inputs}},
	}
}

func (h *Handler) doNewDomain(w http.ResponseWriter, r *http.Request, p Principal) {
	in := &createDomainInput{Organization: r.PathValue("organization")}
	in.Body.Name, in.Body.Asserted = r.PostForm.Get("name"), r.PostForm.Get("asserted") == "yes"
	out, err := h.createDomain(r.Context(), p, in)
	if err != nil {
		h.drawForm(w, r, p, h.newDomainPage(r, p), err)
		return
	}
	http.Redirect(w, r, domainURL(store.Domain{Name: out.Body.Name, OrganizationID: out.Body.Organization}, ""), http.StatusSeeOther)
}

func (h *Handler) showEditDomain(w http.ResponseWriter, r *http.Request, p Principal) {
	d, err := h.domainOf(r)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	h.drawForm(w, r, p, editDomainPage(d, string(d.Join), lines(d.Approvers)), nil)
}

func editDomainPage(d store.Domain, join, approvers string) templates.FormPage {
	return templates.FormPage{
		Title: "Change " + d.Name, Back: domainURL(d, ""), BackTitle: d.Name, Action: domainURL(d, "/edit"), Submit: "Save",
		Groups: []templates.FormGroup{{Title: "Newcomers", Inputs: []templates.Input{
			joinInput("join", "What happens to newcomers with an address of this domain", join, true),
			approversInput(approvers),
		}}},
	}
}

func (h *Handler) doEditDomain(w http.ResponseWriter, r *http.Request, p Principal) {
	d, err := h.domainOf(r)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	join := r.PostForm.Get("join")
	in := &updateDomainInput{DomainPath: domainPath(r)}
	in.Body.Join, in.Body.Approvers = &join, fromLines(r.PostForm.Get("approvers"))
	if _, err := h.updateDomain(r.Context(), p, in); err != nil {
		h.drawForm(w, r, p, editDomainPage(d, join, r.PostForm.Get("approvers")), err)
		return
	}
	http.Redirect(w, r, domainURL(d, "?done=changed"), http.StatusSeeOther)
}
