package admin

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"gatehouse/store"
	"gatehouse/templates"
)

// textKeys are the pages an organization can word itself, with their titles.
func textKeys() [][2]string {
	return [][2]string{
		{store.TextWaiting, "While an admin decides"},
		{store.TextRefused, "Refused by an admin or a rule"},
		{store.TextNotAdmitted, "Not admitted: nobody new, no member, disabled"},
		{store.TextAppMissing, "An app that needs an assignment"},
		{store.TextExpired, "Nobody decided in time"},
	}
}

// textLanguage is the language whose texts the page shows.
func textLanguage(r *http.Request) string {
	if v := r.FormValue("language"); slices.Contains(templates.Languages(), v) {
		return v
	}
	return templates.Languages()[0]
}

// textsPage is the form for the texts of one language. Faults name a text by
// its place in the list; at says which inputs that is.
func textsPage(o store.Organization, language, revision string, v url.Values) templates.FormPage {
	groups := make([]templates.FormGroup, 0, len(textKeys()))
	for _, key := range textKeys() {
		line := func(part, label string, kind templates.InputKind) templates.Input {
			name := key[0] + "." + part
			return templates.Input{Name: name, Label: label, Kind: kind, Value: v.Get(name)}
		}
		groups = append(groups, templates.FormGroup{Title: key[1], Inputs: []templates.Input{
			line("title", "Title", ""), line("sentence", "Sentence", ""), line("next", "Next step", ""), line("contact", "Contact", ""),
		}})
	}
	page := organizationForm(o, "Texts", "/texts", revision, groups)
	page.Intro = "Your own sentences on pages that people of the organization see. Plain text; what is empty keeps ours."
	page.Hidden = append(page.Hidden, templates.Field{Name: "language", Value: language})
	page.Notes = []string{"Language of these texts: " + language}
	for _, other := range templates.Languages() {
		if other != language {
			page.Links = append(page.Links, templates.Link{ID: "language-" + other, Title: "Texts in " + other, URL: organizationURL(o.ID, "/texts?language="+other)})
		}
	}
	return page
}

func textValues(texts []store.Text, language string) url.Values {
	v := url.Values{}
	for _, t := range texts {
		if t.Language == language {
			v.Set(t.Key+".title", t.Title)
			v.Set(t.Key+".sentence", t.Sentence)
			v.Set(t.Key+".next", t.Next)
			v.Set(t.Key+".contact", t.Contact)
		}
	}
	return v
}

func (h *Handler) showTexts(w http.ResponseWriter, r *http.Request, p Principal) {
	o, err := h.organizationAt(r)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	language := textLanguage(r)
	h.drawForm(w, r, p, textsPage(o, language, revisionOf(o), textValues(o.Texts, language)), nil)
}

func (h *Handler) doTexts(w http.ResponseWriter, r *http.Request, p Principal) {
	o, err := h.organizationAt(r)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	language := textLanguage(r)
	// The texts of this language first, so that their places are known to the form.
	texts := []store.Text{}
	var f faults
	for _, key := range textKeys() {
		part := func(name string) string { return strings.TrimSpace(r.PostForm.Get(key[0] + "." + name)) }
		t := store.Text{Key: key[0], Language: language, Title: part("title"), Sentence: part("sentence"), Next: part("next"), Contact: part("contact")}
		if t.Title+t.Sentence+t.Next+t.Contact == "" {
			continue
		}
		var one faults
		one.texts([]store.Text{t})
		for _, e := range one {
			for _, fe := range fieldErrors(e) {
				f.add(strings.Replace(fe.Path, "texts[0]", key[0], 1), "%s", fe.Problem)
			}
		}
		texts = append(texts, t)
	}
	for _, t := range o.Texts {
		if t.Language != language {
			texts = append(texts, t)
		}
	}
	h.saveOrganization(w, r, p, OrganizationFields{Texts: texts}, f.join(), func(o store.Organization) templates.FormPage {
		return textsPage(o, language, r.PostForm.Get("revision"), r.PostForm)
	})
}
