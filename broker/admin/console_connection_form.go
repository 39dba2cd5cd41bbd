package admin

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"gatehouse/federation"
	"gatehouse/profile"
	"gatehouse/store"
	"gatehouse/templates"
)

// formField ties an input to a field of the record. Its name is the field's
// path in faults.
type formField struct {
	name, label, hint string
	kind              templates.InputKind
	options           [][2]string
	owner             bool // owners only
	required          bool
	get               func(store.Connection) string
	set               func(*store.Connection, string)
}

type formGroup struct {
	title, intro string
	fields       []formField
}

// text is a field that is a line of text.
func text(name, label, hint string, at func(*store.Connection) *string) formField {
	return formField{
		name: name, label: label, hint: hint,
		get: func(c store.Connection) string { return *at(&c) }, set: func(c *store.Connection, v string) { *at(c) = v },
	}
}

func yesNo(name, label string, owner bool, at func(*store.Connection) *bool) formField {
	return formField{
		name: name, label: label, kind: templates.InputCheck, owner: owner,
		get: func(c store.Connection) string { return map[bool]string{true: "yes"}[*at(&c)] }, set: func(c *store.Connection, v string) { *at(c) = v == "yes" },
	}
}

func choice(f formField, options ...[2]string) formField {
	f.kind, f.options = templates.InputSelect, options
	return f
}

// words is a list, separated by spaces, commas or lines.
func words(f formField, at func(*store.Connection) *[]string, between string) formField {
	f.get = func(c store.Connection) string { return strings.Join(*at(&c), between) }
	f.set = func(c *store.Connection, v string) {
		*at(c) = strings.FieldsFunc(v, func(r rune) bool { return r == ' ' || r == ',' || r == '\n' || r == '\r' || r == '\t' })
	}
	return f
}

func needed(f formField) formField { f.required = true; return f }

// secretField goes in and never comes out: empty keeps what is there.
func secretField(name, label, hint string, kind templates.InputKind, at func(*store.Connection) *store.Sealed) formField {
	return formField{
		name: name, label: label, hint: hint, kind: kind, get: func(store.Connection) string { return "" },
		set: func(c *store.Connection, v string) {
			if v != "" {
				*at(c) = store.Seal(store.Secret(v))
			}
		},
	}
}

func titleField() formField {
	return needed(text("title", "Title", "What people see at sign-in.", func(c *store.Connection) *string { return &c.Title }))
}

func joinField() formField {
	return choice(formField{
		name: "join", label: "Newcomers", get: func(c store.Connection) string { return string(c.Join) },
		set: func(c *store.Connection, v string) { c.Join = store.JoinPolicy(v) },
	}, [2]string{"", "As the organization says"}, [2]string{"off", "Nobody new"}, [2]string{"request", "By request"}, [2]string{"automatic", "At once"})
}

func domainsField() formField {
	return words(formField{name: "domains", label: "Domains", kind: templates.InputArea, hint: "One per line: acme.example, *.acme.example for sub-domains, or * for all that nobody else has."},
		func(c *store.Connection) *[]string { return &c.Domains }, "\n")
}

// clientFields are asked for with secret, which says what an empty one means.
func clientFields(secret string) []formField {
	return []formField{
		needed(text("client_id", "Client id", "Who we are at the provider.", func(c *store.Connection) *string { return &c.ClientID })),
		secretField("client_secret", "Client secret", "It goes in and never comes out. "+secret, templates.InputSecret,
			func(c *store.Connection) *store.Sealed { return &c.ClientSecret }),
	}
}

// usualFields are the form: the fields most connections need. The others are in
// the JSON editor.
func usualFields() []formGroup {
	selector := func(name, label string, at func(*store.Connection) *string) formField {
		return text("selectors."+name, label, "", at)
	}
	return []formGroup{
		{"What people see", "", []formField{
			titleField(),
			text("picture", "Picture", "https address, or empty.", func(c *store.Connection) *string { return &c.Picture }),
		}},
		{"Who is led here", "", []formField{domainsField(), joinField(), yesNo("allow_public_domains", "Public mail domains such as gmail.com are meant", true, func(c *store.Connection) *bool { return &c.AllowPublicDomains })}},
		{"Provider", "With an issuer the endpoints are discovered; those written here win.", []formField{
			choice(formField{name: "kind", label: "Protocol", get: func(c store.Connection) string { return string(c.Kind) }, set: func(c *store.Connection, v string) { c.Kind = store.ConnectionKind(v) }},
				[2]string{"oidc", "OpenID Connect"}, [2]string{"oauth2", "OAuth 2.0 without ID tokens"}),
			text("issuer", "Issuer", "For example https://login.acme.example", func(c *store.Connection) *string { return &c.Issuer }),
			text("endpoints.authorize", "Authorize endpoint", "", func(c *store.Connection) *string { return &c.Endpoints.Authorize }),
			text("endpoints.token", "Token endpoint", "", func(c *store.Connection) *string { return &c.Endpoints.Token }),
			text("endpoints.userinfo", "Userinfo endpoint", "", func(c *store.Connection) *string { return &c.Endpoints.Userinfo }),
			text("endpoints.jwks", "Keys (JWKS)", "", func(c *store.Connection) *string { return &c.Endpoints.JWKS }),
		}},
		{"Our client there", "", append(clientFields("Empty keeps the present one."),
			choice(text("client_auth", "Client authentication", "", func(c *store.Connection) *string { return &c.ClientAuth }),
				[2]string{"header", "Secret in the Authorization header"}, [2]string{"form", "Secret in the form"}, [2]string{"private_key_jwt", "Signed assertion (private_key_jwt)"}, [2]string{"none", "None"}),
			words(formField{name: "scopes", label: "Scopes", hint: "Separated by spaces."}, func(c *store.Connection) *[]string { return &c.Scopes }, " "),
		)},
		{"Profile", "", []formField{
			yesNo("use_userinfo", "Read the userinfo endpoint", false, func(c *store.Connection) *bool { return &c.UseUserinfo }),
			choice(text("profile.kind", "Profile comes from", "", func(c *store.Connection) *string { return &c.Profile.Kind }),
				[2]string{"", "ID token, and userinfo if ticked"}, [2]string{"none", "ID token alone"}, [2]string{"url", "A URL"}, [2]string{"url_in_url", "A URL inside another response"},
				[2]string{"token_response", "The token response"}, [2]string{"url_in_token_response", "A URL inside the token response"},
				[2]string{"posted_user", "Names posted beside the code (Apple)"}),
			text("profile.url", "Profile URL", "", func(c *store.Connection) *string { return &c.Profile.URL }),
		}},
		{"Attributes", "Where each stands in the provider's answers: name.first, email[0], or RFC 9535 JSONPath.", []formField{
			selector("federation_id", "Federation id (required)", func(c *store.Connection) *string { return &c.Selectors.FederationID.Path }),
			selector("first_name", "First name", func(c *store.Connection) *string { return &c.Selectors.FirstName.Path }),
			selector("last_name", "Last name", func(c *store.Connection) *string { return &c.Selectors.LastName.Path }),
			selector("display_name", "Display name", func(c *store.Connection) *string { return &c.Selectors.DisplayName.Path }),
			selector("email", "E-mail", func(c *store.Connection) *string { return &c.Selectors.Email.Path }),
			selector("email_verified", "Says that the e-mail is verified", func(c *store.Connection) *string { return &c.Selectors.EmailVerified.Path }),
			selector("phone", "Phone", func(c *store.Connection) *string { return &c.Selectors.Phone.Path }),
			selector("picture", "Picture of the person", func(c *store.Connection) *string { return &c.Selectors.Picture.Path }),
		}},
		{"Switches", "", []formField{
			yesNo("disabled", "Switched off: nobody signs in through it", false, func(c *store.Connection) *bool { return &c.Disabled }),
			choice(formField{name: "login_hint", label: "Send the address to the provider", get: func(c store.Connection) string { return c.LoginHint }, set: func(c *store.Connection, v string) { c.LoginHint = v }},
				[2]string{"on", "Yes"}, [2]string{"off", "No"}),
			choice(text("trust_email", "E-mail addresses are believed", "", func(c *store.Connection) *string { return &c.TrustEmail }),
				[2]string{federation.TrustVerified, "When the provider says they are verified"}, [2]string{federation.TrustAlways, "Always (owners only)"}),
			yesNo("insecure_no_pkce", "Dangerous: leave PKCE out", true, func(c *store.Connection) *bool { return &c.InsecureNoPKCE }),
			yesNo("insecure_no_nonce", "Dangerous: leave the nonce out", true, func(c *store.Connection) *bool { return &c.InsecureNoNonce }),
			yesNo("allow_private_network", "Dangerous: may reach the private addresses that the configuration lists", true, func(c *store.Connection) *bool { return &c.AllowPrivateNetwork }),
		}},
	}
}

// inputs draws fields with what was typed, or with the record.
func inputs(groups []formGroup, c store.Connection, typed url.Values, owner bool) []templates.FormGroup {
	out := make([]templates.FormGroup, 0, len(groups))
	for _, g := range groups {
		drawn := templates.FormGroup{Title: g.title, Intro: g.intro}
		for _, f := range g.fields {
			if f.owner && !owner {
				continue
			}
			value := f.get(c)
			if typed != nil && f.kind != templates.InputSecret {
				value = typed.Get(f.name)
			}
			in := templates.Input{Name: f.name, Label: f.label, Hint: f.hint, Kind: f.kind, Value: value, Required: f.required, Checked: f.kind == templates.InputCheck && value == "yes"}
			for _, o := range f.options {
				in.Options = append(in.Options, templates.Option{Value: o[0], Title: o[1], Selected: o[0] == value})
			}
			drawn.Inputs = append(drawn.Inputs, in)
		}
		out = append(out, drawn)
	}
	return out
}

// fillIn puts what was typed into the record. Fields the form did not show to
// this person stay as they are.
func fillIn(groups []formGroup, c *store.Connection, typed url.Values, owner bool) {
	for _, g := range groups {
		for _, f := range g.fields {
			if !f.owner || owner {
				f.set(c, strings.TrimSpace(typed.Get(f.name)))
			}
		}
	}
}

// inputFaults sorts the faults of an error to the inputs of a form; ok is false
// when the error is of another kind.
func (h *Handler) inputFaults(err error, groups []templates.FormGroup) (out []templates.InputFault, ok bool) {
	for _, e := range fieldErrors(err) {
		fault := templates.InputFault{Text: e.Error()}
		for _, g := range groups {
			for _, in := range g.Inputs {
				switch {
				case e.Path == in.Name:
					fault = templates.InputFault{Input: in.Name, Label: in.Label, Text: withoutPath(e)}
				case strings.HasPrefix(e.Path, in.Name+".") || strings.HasPrefix(e.Path, in.Name+"["):
					fault.Input = in.Name
				}
			}
		}
		out = append(out, fault)
	}
	return out, len(out) > 0
}

// withoutPath is a fault beside the input that it is about.
func withoutPath(e *profile.FieldError) string {
	return strings.TrimPrefix(e.Error(), e.Path+": ")
}

// drawForm shows a form again with everything that is wrong with it, or shows
// it for the first time.
func (h *Handler) drawForm(w http.ResponseWriter, r *http.Request, p Principal, page templates.FormPage, err error) {
	status := http.StatusOK
	page.Frame = h.frame(r, p)
	if err != nil {
		m := h.problemFor(r.Context(), err)
		status = m.Status
		var ok bool
		if page.Faults, ok = h.inputFaults(err, page.Groups); !ok {
			if m.Status == http.StatusNotFound || m.Status >= 500 {
				h.pageProblem(w, r, p, m)
				return
			}
			page.Frame.Problem = problemText(m)
			if m.Status == http.StatusForbidden {
				page.Frame.Problem = "What weakens a connection is for owners: PKCE, nonce, private network, always believing addresses, public mail domains."
			}
		}
	}
	h.drawn(r, h.templates.Form(w, status, page))
}

func isOwner(p Principal) bool { return Owner.Allows(p, Object{}) }

func (h *Handler) showEditConnection(w http.ResponseWriter, r *http.Request, p Principal) {
	c, err := h.connection(r.Context(), r.PathValue("connection"))
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	h.drawForm(w, r, p, editPage(c, inputs(usualFields(), c, nil, isOwner(p)), c.Revision), nil)
}

func editPage(c store.Connection, groups []templates.FormGroup, revision int64) templates.FormPage {
	return templates.FormPage{
		Title: "Change " + c.Title, Back: connectionURL(c.ID, ""), BackTitle: c.Title, Action: connectionURL(c.ID, "/edit"), Submit: "Save",
		Intro: "The usual settings; all of them are in the JSON editor. Logins under way start again when you save.",
		More:  []templates.Button{{Value: "test", Title: "Test without saving"}}, Groups: groups,
		Hidden: []templates.Field{{Name: "revision", Value: strconv.FormatInt(revision, 10)}},
	}
}

func (h *Handler) doEditConnection(w http.ResponseWriter, r *http.Request, p Principal) {
	id := r.PathValue("connection")
	before, err := h.connection(r.Context(), id)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	revision, _ := strconv.ParseInt(r.PostForm.Get("revision"), 10, 64) // 0 is nobody's
	groups, owner := usualFields(), isOwner(p)
	edit := func(c *store.Connection) error {
		fillIn(groups, c, r.PostForm, owner)
		return nil
	}
	if r.PostForm.Get("do") == "test" {
		after := before
		_ = edit(&after) // sets fields, nothing else
		if err = h.testFromForm(w, r, p, after); err == nil {
			return
		}
	} else if _, err = h.editConnection(r.Context(), p, id, Precondition{}, &revision, edit); err == nil {
		http.Redirect(w, r, connectionURL(id, "?done=saved"), http.StatusSeeOther)
		return
	}
	h.drawForm(w, r, p, editPage(before, inputs(groups, before, r.PostForm, owner), revision), err)
}

// testFromForm begins a test login of a record that was not saved.
func (h *Handler) testFromForm(w http.ResponseWriter, r *http.Request, p Principal, c store.Connection) error {
	test, link, err := h.rehearse(r.Context(), p, c.ID, startTestBody{}, func(store.Connection) (store.Connection, error) { return c, nil })
	if err != nil {
		return outside("connection", err)
	}
	h.drawTest(w, r, p, test, link, templates.Revealed{})
	return nil
}
