package admin

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"gatehouse/federation"
	"gatehouse/profile"
	"gatehouse/store"
	"gatehouse/templates"
)

func (h *Handler) showConnection(w http.ResponseWriter, r *http.Request, p Principal) {
	h.drawConnection(w, r, p, http.StatusOK, "")
}

func connectionURL(id, rest string) string { return "/connections/" + url.PathEscape(id) + rest }

// drawConnection shows every setting in plain words, what to register at the
// provider, and what refers to the connection.
func (h *Handler) drawConnection(w http.ResponseWriter, r *http.Request, p Principal, status int, problem string) {
	var c store.Connection
	var refs []reference
	err := h.store.View(r.Context(), func(tx store.Tx) (err error) {
		if c, err = h.store.Connections.Get(tx, r.PathValue("connection")); err != nil {
			return err
		}
		refs, err = h.references(tx, c)
		return err
	})
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	v := h.viewConnection(c)
	page := templates.DetailPage{
		Frame: h.frame(r, p), Title: c.Title, State: onOff(c.Disabled), Back: "/connections", BackTitle: "Connections",
		Links: []templates.Link{
			{ID: "test", Title: "Test login", URL: connectionURL(c.ID, "/test")},
			{ID: "edit", Title: "Change", URL: connectionURL(c.ID, "/edit")},
			{ID: "json", Title: "Edit as JSON", URL: connectionURL(c.ID, "/json")},
			{ID: "delete", Title: "Remove …", URL: connectionURL(c.ID, "/delete")},
		},
		Groups: []templates.Group{registration(v), routing(c), provider(c), clientSide(c), request(c), source(c), selectors(c), sessionRules(c), referring(refs)},
	}
	if Admin.Allows(p, Object{}) { // who sees all rules
		page.Links = slices.Insert(page.Links, 3, templates.Link{ID: "routing", Title: "Routing", URL: "/routing"})
	}
	if c.Kind == store.KindLocal { // nothing of a provider's
		page.Links = append([]templates.Link{{ID: "account", Title: "Make an account", URL: connectionURL(c.ID, "/accounts")}}, page.Links[2:]...)
		page.Groups = []templates.Group{routing(c), sessionRules(c), referring(refs)}
	}
	page.Frame.Problem = problem
	for _, warning := range v.Warnings {
		page.Warnings = append(page.Warnings, warningText(warning))
	}
	if g := h.testsOf(c.ID); len(g.Items) > 0 {
		page.Groups = append(page.Groups, g)
	}
	if c.Disabled {
		page.Actions = append(page.Actions, templates.Action{ID: "enable", Title: "Switch on", URL: connectionURL(c.ID, "/enable")})
	} else {
		page.Actions = append(page.Actions, templates.Action{
			ID: "disable", Title: "Switch off", URL: connectionURL(c.ID, "/disable"), Danger: true,
			Warning: "Nobody signs in through it any more, and tokens of people who did are not renewed. Its domains stay its own.",
		})
	}
	h.drawn(r, h.templates.Detail(w, status, page))
}

func warningText(v warningView) string {
	if v.Fix == "" {
		return v.Path + ": " + v.Problem + "."
	}
	return v.Path + ": " + v.Problem + ". What helps: " + v.Fix + "."
}

// facts builds items from label and value; empty values are left out.
type facts []templates.Item

func (f *facts) code(label string, values ...string) {
	var cells []templates.Cell
	for _, v := range values {
		if v != "" {
			cells = append(cells, templates.CodeCell(v))
		}
	}
	if len(cells) > 0 {
		*f = append(*f, templates.Item{Label: label, Values: cells})
	}
}

// word is one of ours, in the language of the page.
func (f *facts) word(label, word string) {
	if word != "" {
		*f = append(*f, templates.Item{Label: label, Values: []templates.Cell{templates.WordCell(word)}})
	}
}

func (f *facts) text(label, value string) {
	if value != "" {
		*f = append(*f, templates.Item{Label: label, Values: []templates.Cell{templates.TextCell(value)}})
	}
}

func (f *facts) badge(label, value string, tone templates.Tone) {
	*f = append(*f, templates.Item{Label: label, Values: []templates.Cell{templates.BadgeCell(value, tone)}})
}

func registration(v connectionView) templates.Group {
	g := templates.Group{Title: "To register at the provider"}
	for i, uri := range v.RedirectURIs {
		label := "Redirect URI, exactly so"
		if n := len(v.RedirectURIs); n > 1 {
			label = fmt.Sprintf("Redirect URI %d of %d, exactly so; all of them are needed", i+1, n)
		}
		g.Copies = append(g.Copies, templates.Copy{Label: label, Text: uri})
	}
	if len(v.PublicKeys) > 0 {
		g.Copies = append(g.Copies, templates.Copy{Label: "Public key set (JWKS)", Text: string(v.PublicKeys)})
	}
	return g
}

func routing(c store.Connection) templates.Group {
	var f facts
	f.code("Id", c.ID)
	f.code("Organization", c.OrganizationID)
	f.code("Domains", c.Domains...)
	if c.Join != "" {
		f.word("Newcomers", map[store.JoinPolicy]string{store.JoinOff: "nobody new", store.JoinRequest: "by request", store.JoinAutomatic: "at once"}[c.Join])
	}
	if c.AllowPublicDomains {
		f.badge("Public mail domains", "allowed", templates.ToneWarn)
	}
	f.text("Picture", c.Picture)
	return templates.Group{Title: "Who is led here", Items: f}
}

func provider(c store.Connection) templates.Group {
	var f facts
	f.word("Protocol", map[store.ConnectionKind]string{store.KindOIDC: "OpenID Connect", store.KindOAuth2: "OAuth 2.0 without ID tokens"}[c.Kind])
	f.code("Preset", c.Preset)
	f.code("Issuer", c.Issuer)
	for _, e := range []struct{ label, value string }{
		{"Authorize", c.Endpoints.Authorize},
		{"Token", c.Endpoints.Token},
		{"Userinfo", c.Endpoints.Userinfo},
		{"Keys (JWKS)", c.Endpoints.JWKS},
		{"End of session", c.Endpoints.EndSession},
		{"Revocation", c.Endpoints.Revocation},
		{"Pushed authorization", c.Endpoints.PushedAuthorization},
	} {
		f.code(e.label, e.value)
	}
	f.code("Accepted algorithms", c.Algorithms...)
	if c.AllowPrivateNetwork {
		f.badge("Private network", "may be reached", templates.ToneWarn)
	}
	return templates.Group{Title: "Provider", Items: f}
}

func clientSide(c store.Connection) templates.Group {
	var f facts
	f.code("Client id", c.ClientID)
	f.word("Authentication", map[string]string{
		store.AuthHeader: "secret in the Authorization header", store.AuthForm: "secret in the form", store.AuthPrivateKeyJWT: "signed assertion (private_key_jwt)",
		store.AuthNone: "none",
	}[cmp.Or(c.ClientAuth, store.AuthHeader)])
	set := func(label string, s store.Sealed) {
		if s.IsZero() {
			f.badge(label, "none", templates.ToneNone)
		} else {
			f.badge(label, "set, never shown", templates.ToneGood)
		}
	}
	set("Client secret", c.ClientSecret)
	if !c.PrivateKey.IsZero() || c.ClientAuth == store.AuthPrivateKeyJWT {
		set("Own key", c.PrivateKey)
		f.code("Signs with", cmp.Or(c.ClientAuthAlg, "ES256"))
	}
	if c.Apple != nil {
		f.word("Secret", "made here from Apple's key")
		f.code("Apple team and key", c.Apple.TeamID, c.Apple.KeyID)
	}
	return templates.Group{Title: "Our client there", Items: f}
}

func request(c store.Connection) templates.Group {
	var f facts
	f.code("Scopes", c.Scopes...)
	onOff := func(label string, off bool) {
		if off {
			f.badge(label, "off", templates.ToneBad)
		} else {
			f.badge(label, "on", templates.ToneGood)
		}
	}
	onOff("PKCE", c.InsecureNoPKCE)
	if c.Kind != store.KindOAuth2 {
		onOff("Nonce", c.InsecureNoNonce)
	}
	f.code("PKCE parameter names", c.PKCENames.Challenge, c.PKCENames.Method, c.PKCENames.Verifier)
	if c.PushAuthorization {
		f.badge("Pushed authorization requests", "on", templates.ToneGood)
	}
	f.word("Answer comes as", map[string]string{"": "redirect", "form_post": "form post"}[c.ResponseMode])
	if c.LoginHint == federation.LoginHintOff {
		f.word("Login hint", "not sent")
	} else {
		f.word("Login hint", map[string]string{"": "whole address", "local": "part before the @", "domain": "domain", "template": "template"}[c.Hint.Format])
		f.code("Login hint parameter", cmp.Or(c.Hint.Parameter, "login_hint"), c.Hint.Template)
	}
	if c.DomainHint.Parameter != "" {
		f.code("Domain hint", c.DomainHint.Parameter, cmp.Or(c.DomainHint.Value, "(domain of the address)"))
	}
	f.code("Demanded sign-in strength", c.ACRValues...)
	for _, p := range c.Parameters {
		f.code("Parameter "+p.Name, p.Source+": "+p.Value, strings.Join(p.In, ", "), p.As)
	}
	return templates.Group{Title: "What is asked of it", Items: f}
}

func source(c store.Connection) templates.Group {
	var f facts
	where := map[string]string{
		"": "ID token only", store.ProfileNone: "ID token only", store.ProfileURL: "profile at a URL", store.ProfileURLInURL: "URL of the profile in another response",
		store.ProfileTokenResponse: "token response", store.ProfileURLInTokenResponse: "URL of the profile in the token response",
		store.ProfilePosted: "names posted beside the code",
	}[c.Profile.Kind]
	if c.Profile.Kind == "" && c.UseUserinfo {
		where = "ID token and userinfo"
	}
	f.word("Profile comes from", where)
	f.code("Profile URL", c.Profile.URL)
	f.code("Selector of the URL", c.Profile.URLSelector.Path)
	if c.Profile.Kind != "" && c.Profile.Kind != store.ProfileNone {
		f.code("Access token as", cmp.Or(c.Profile.TokenAs, "header"), c.Profile.TokenName)
		f.code("Method", cmp.Or(c.Profile.Method, http.MethodGet))
	}
	f.code("Further hosts", c.Profile.AllowedHosts...)
	if c.TrustEmail == federation.TrustAlways {
		f.badge("E-mail addresses", "always believed", templates.ToneWarn)
	} else {
		f.badge("E-mail addresses", "believed when verified", templates.ToneGood)
	}
	return templates.Group{Title: "Profile", Items: f}
}

func selectors(c store.Connection) templates.Group {
	var f facts
	one := func(label string, s profile.Selector) {
		if s.Path == "" {
			return
		}
		values := []templates.Cell{templates.CodeCell(s.Path)}
		if s.Source != "" {
			values = append(values, templates.WordCell("in the "+strings.ReplaceAll(string(s.Source), "_", " ")))
		}
		if s.Cardinality != "" && s.Cardinality != profile.One {
			values = append(values, templates.WordCell(map[profile.Cardinality]string{profile.First: "the first of several", profile.List: "as a list"}[s.Cardinality]))
		}
		f = append(f, templates.Item{Label: label, Values: values})
	}
	s := c.Selectors
	one("Federation id", s.FederationID)
	one("First name", s.FirstName)
	one("Last name", s.LastName)
	one("Display name", s.DisplayName)
	one("E-mail", s.Email)
	one("E-mail is verified", s.EmailVerified)
	one("Phone", s.Phone)
	one("Picture", s.Picture)
	for _, name := range slices.Sorted(maps.Keys(s.Custom)) {
		one(name, s.Custom[name])
	}
	return templates.Group{Title: "Attributes", Items: f}
}

func sessionRules(c store.Connection) templates.Group {
	var f facts
	f.word("Signs in by", map[string]string{
		"": "the browser", store.GrantPassword: "password, without a browser", store.GrantJWTBearer: "JWT assertion, without a browser",
		store.GrantExtension: "extension grant, without a browser", store.GrantClientCredentials: "client credentials, without a browser",
	}[c.Grant])
	f.code("Grant type", c.ExtensionGrantType)
	f.code("Assertion of", c.AssertionConnection)
	if c.RefreshLogin {
		f.badge("At each refresh", "asks the provider again", templates.ToneGood)
	}
	seconds := func(label string, n int64) {
		if n > 0 {
			f.word(label, fmt.Sprintf("%d seconds", n))
		}
	}
	seconds("Tolerated outage", c.RefreshOutageSeconds)
	seconds("Longest session", c.MaxSessionSeconds)
	seconds("Longest idle session", c.IdleSessionSeconds)
	if c.ServerOnly {
		f.word("Apps", "only those that keep a secret")
	}
	f.word("Logins at once", map[string]string{"": "unlimited", "one_per_app": "one per app", "one": "one over all apps"}[c.ConcurrentLogins])
	return templates.Group{Title: "Sessions", Items: f}
}

func referring(refs []reference) templates.Group {
	var f facts
	for _, r := range refs {
		f.code(referenceTitle(r), r.Name)
	}
	if len(f) == 0 {
		f.word("References", "nothing")
	}
	return templates.Group{Title: "What refers to it", Items: f}
}

func referenceTitle(r reference) string {
	return map[string]string{"route": "Route", "client": "App", "identity": "People", "access_request": "Waiting newcomers", "connection": "Connection"}[r.Kind]
}

// testsOf lists the test logins of a connection that are kept.
func (h *Handler) testsOf(id string) templates.Group {
	g := templates.Group{Title: "Test logins of the last half hour"}
	if h.rehearsals == nil {
		return g
	}
	for _, t := range h.rehearsals.Tests() {
		if t.Connection.ID == id {
			g.Items = append(g.Items, templates.Item{Label: testState(t).Text, Values: []templates.Cell{
				templates.LinkCell(t.Words, "/tests/"+t.Words), templates.TimeCell(t.CreatedAt),
			}})
		}
	}
	return g
}

// doConnection switches a connection on or off, by the last part of the path.
func (h *Handler) doConnection(w http.ResponseWriter, r *http.Request, p Principal) {
	id, off := r.PathValue("connection"), path.Base(r.URL.Path) == "disable"
	_, err := h.updateConnection(r.Context(), p, &updateConnectionInput{ConnectionPath: ConnectionPath{ID: id}, Body: updateConnectionBody{ConnectionFields: ConnectionFields{Disabled: &off}}})
	if err != nil {
		m := h.problemFor(r.Context(), err)
		if m.Status == http.StatusNotFound {
			h.pageProblem(w, r, p, m)
			return
		}
		h.drawConnection(w, r, p, m.Status, problemText(m))
		return
	}
	done := "switched-on"
	if off {
		done = "switched-off"
	}
	http.Redirect(w, r, connectionURL(id, "?done="+done), http.StatusSeeOther)
}

func problemText(m *huma.ErrorModel) string {
	text := m.Detail
	for _, d := range m.Errors {
		text += "\n" + strings.TrimPrefix(d.Location, "body.") + ": " + d.Message + "." // each on a line: see templates, sayFault
	}
	return text
}

func (h *Handler) showDeleteConnection(w http.ResponseWriter, r *http.Request, p Principal) {
	h.drawDeleteConnection(w, r, p, http.StatusOK, "")
}

// drawDeleteConnection lists what would miss the connection before it goes.
func (h *Handler) drawDeleteConnection(w http.ResponseWriter, r *http.Request, p Principal, status int, problem string) {
	c, err := h.connection(r.Context(), r.PathValue("connection"))
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	refs, err := h.connectionReferences(r.Context(), p, &ConnectionPath{ID: c.ID})
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	page := templates.FormPage{
		Frame: h.frame(r, p), Title: "Remove " + c.Title, Back: connectionURL(c.ID, ""), BackTitle: c.Title, Submit: "Remove it for good", Danger: true,
		Action: connectionURL(c.ID, "/delete"), Intro: "Its id is never given out again. To keep people out for a while, switch it off instead.",
		Hidden: []templates.Field{{Name: "revision", Value: fmt.Sprint(c.Revision)}},
	}
	page.Frame.Problem = problem
	for _, ref := range refs.Body.Items {
		page.Notes = append(page.Notes, referenceTitle(ref)+" "+ref.Name+": "+ref.Says)
	}
	if len(page.Notes) > 0 {
		page.NotesTitle = "What refers to it"
		page.Groups = []templates.FormGroup{{Title: "It is still in use", Intro: "Change what refers to it first, or:", Inputs: []templates.Input{
			{Name: "force", Label: "Remove it all the same", Kind: templates.InputCheck},
		}}}
	}
	h.drawn(r, h.templates.Form(w, status, page))
}

func (h *Handler) doDeleteConnection(w http.ResponseWriter, r *http.Request, p Principal) {
	in := &deleteConnectionInput{ConnectionPath: ConnectionPath{ID: r.PathValue("connection")}, Force: r.PostForm.Get("force") == "yes"}
	if n := r.PostForm.Get("revision"); n != "" {
		in.IfMatch = `"` + n + `"`
	}
	_, err := h.deleteConnection(r.Context(), p, in)
	switch {
	case errors.Is(err, store.ErrNotFound):
		h.pageError(w, r, p, err)
	case err != nil:
		m := h.problemFor(r.Context(), err)
		h.drawDeleteConnection(w, r, p, m.Status, m.Detail)
	default:
		http.Redirect(w, r, "/connections?done=removed", http.StatusSeeOther)
	}
}
