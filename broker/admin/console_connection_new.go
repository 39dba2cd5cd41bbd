package admin

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"gatehouse/federation"
	"gatehouse/store"
	"gatehouse/templates"
)

// showPresets lists what a connection can begin with.
func (h *Handler) showPresets(w http.ResponseWriter, r *http.Request, p Principal) {
	page := templates.ListPage{
		Frame: h.frame(r, p), Title: "Add a connection", Intro: "Choose what the company signs in with. What a preset fills in can be changed afterwards.",
		Columns: []string{"Provider", "You will be asked for"},
	}
	for _, preset := range federation.Presets() {
		asks := make([]string, 0, len(preset.Blanks))
		for _, b := range preset.Blanks {
			asks = append(asks, b.Title)
		}
		page.Rows = append(page.Rows, templates.Row{URL: "/new/connection/" + preset.Name, Cells: []templates.Cell{
			templates.TextCell(preset.Title), templates.WordCell(strings.Join(append(asks, "client id and secret"), ", ")),
		}})
	}
	page.Rows = append(page.Rows, templates.Row{URL: "/new/local-accounts", Cells: []templates.Cell{
		templates.WordCell("No provider: local accounts"), templates.WordCell("nothing: passwords and passkeys are kept here"),
	}})
	h.drawList(w, r, page)
}

func (h *Handler) showNewConnection(w http.ResponseWriter, r *http.Request, p Principal) {
	preset, ok := federation.PresetNamed(r.PathValue("preset"))
	if !ok {
		h.pageError(w, r, p, store.ErrNotFound)
		return
	}
	groups, err := h.newFields(r.Context(), preset)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	c := store.Connection{Title: preset.Title, Disabled: true}
	h.drawForm(w, r, p, newPage(preset, inputs(groups, c, nil, isOwner(p))), nil)
}

func newPage(preset federation.Preset, groups []templates.FormGroup) templates.FormPage {
	return templates.FormPage{
		Title: "Add a connection: " + preset.Title, Back: "/new/connection", BackTitle: "Presets", Action: "/new/connection/" + preset.Name, Submit: "Add it",
		Notes: preset.Notes, Groups: groups,
	}
}

// newFields are asked for with a preset: its blanks, and what no preset knows.
func (h *Handler) newFields(ctx context.Context, preset federation.Preset) ([]formGroup, error) {
	organization, err := h.organizationField(ctx)
	if err != nil {
		return nil, err
	}
	blanks := formGroup{title: "At " + preset.Title}
	for _, b := range preset.Blanks {
		blanks.fields = append(blanks.fields, formField{
			name: "values." + b.Name, label: strings.ToUpper(b.Title[:1]) + b.Title[1:], hint: "For example " + b.Example, required: true,
			get: func(store.Connection) string { return "" }, set: func(*store.Connection, string) {},
		})
	}
	blanks.fields = append(blanks.fields, clientFields("The provider gives it to you.")...)
	if _, apple := preset.Connection["apple"]; apple {
		key := secretField("private_key", "Private key", "The .p8 file. It goes in and never comes out.", templates.InputArea, func(c *store.Connection) *store.Sealed { return &c.PrivateKey })
		blanks.fields = append(blanks.fields, key)
	}
	return []formGroup{
		{"Who it is for", "", []formField{
			organization,
			needed(text("id", "Id", "Short name in the callback path, chosen once: a-z, 0-9 and -.", func(c *store.Connection) *string { return &c.ID })),
			titleField(), domainsField(),
			yesNo("disabled", "Begin switched off, to test it first", false, func(c *store.Connection) *bool { return &c.Disabled }),
		}},
		blanks,
	}, nil
}

// maxOrganizations is how many are offered to choose from; with more of them
// the id is typed.
const maxOrganizations = 200

func (h *Handler) organizationField(ctx context.Context) (formField, error) {
	f := needed(text("organization", "Organization", "Its id; gatehouse org create makes one.", func(c *store.Connection) *string { return &c.OrganizationID }))
	page, err := h.listOrganizations(ctx, Paging{Limit: maxOrganizations})
	found := page.Items
	if err != nil || len(found) == 0 || page.Next != "" {
		return f, err
	}
	f.hint = "Whose people sign in here."
	options := make([][2]string, 0, len(found)+1)
	if len(found) > 1 {
		options = append(options, [2]string{"", "Choose one"})
	}
	for _, o := range found {
		options = append(options, [2]string{o.ID, o.Title + " (" + o.ID + ")"})
	}
	return choice(f, options...), nil
}

func (h *Handler) doNewConnection(w http.ResponseWriter, r *http.Request, p Principal) {
	preset, ok := federation.PresetNamed(r.PathValue("preset"))
	if !ok {
		h.pageError(w, r, p, store.ErrNotFound)
		return
	}
	groups, err := h.newFields(r.Context(), preset)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	c, err := fromPreset(preset, groups, r.PostForm)
	if err == nil {
		_, err = h.addConnection(r.Context(), p, c)
	} else {
		err = joinFaults(err, h.checkNew(r.Context(), p, c))
	}
	if err == nil {
		http.Redirect(w, r, connectionURL(c.ID, "?done=added"), http.StatusSeeOther)
		return
	}
	h.drawForm(w, r, p, newPage(preset, inputs(groups, c, r.PostForm, isOwner(p))), err)
}

func fromPreset(preset federation.Preset, groups []formGroup, typed url.Values) (store.Connection, error) {
	values := map[string]string{}
	for _, b := range preset.Blanks {
		values[b.Name] = strings.TrimSpace(typed.Get("values." + b.Name))
	}
	c := store.Connection{}
	fillIn(groups, &c, typed, false)
	return c, preset.Apply(values, &c)
}

// checkNew adds what else is wrong when the blanks are: all faults at once.
// Only what people typed themselves is reported then.
func (h *Handler) checkNew(_ context.Context, p Principal, c store.Connection) error {
	var f faults
	for _, e := range fieldErrors(h.checkConnection(p, store.Connection{}, &c)) {
		switch name, _, _ := strings.Cut(e.Path, "["); name {
		case "id", "organization", "title", "domains", "client_id":
			f = append(f, e)
		}
	}
	return f.join()
}
