package admin

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"gatehouse/federation/rehearsal"
	"gatehouse/provisioning"
	"gatehouse/store"
	"gatehouse/templates"
)

// showStartTest asks for which app the test is.
func (h *Handler) showStartTest(w http.ResponseWriter, r *http.Request, p Principal) {
	c, err := h.connection(r.Context(), r.PathValue("connection"))
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	page, err := h.startTestPage(r, c)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	h.drawForm(w, r, p, page, nil)
}

func (h *Handler) startTestPage(r *http.Request, c store.Connection) (templates.FormPage, error) {
	page := templates.FormPage{
		Title: "Test login at " + c.Title, Back: connectionURL(c.ID, ""), BackTitle: c.Title, Action: connectionURL(c.ID, "/test"), Submit: "Make the link",
		Intro: "A real sign-in at the provider, after which nobody is signed in here: no user, session or request is made. " +
			"It works for a connection that is switched off, too. To test changes before you save them, use the buttons of the form and of the JSON editor.",
	}
	app := templates.Input{Name: "client", Label: "App", Hint: "Whose rules decide, and whose claims are shown.", Kind: templates.InputSelect}
	err := h.store.View(r.Context(), func(tx store.Tx) error {
		for client, err := range h.store.Clients.All(tx) {
			if err != nil {
				return err
			}
			if len(app.Options) < 500 && !client.Disabled && client.ID != store.ConsoleClient && provisioning.ClientFor(client, c) {
				app.Options = append(app.Options, templates.Option{Value: client.ID, Title: client.Name + " (" + client.ID + ")", Selected: client.ID == r.PostForm.Get("client")})
			}
		}
		return nil
	})
	if len(app.Options) == 0 {
		app = templates.Input{Name: "client", Label: "App", Hint: "No app may use this connection yet. Register one first."}
	}
	page.Groups = []templates.FormGroup{{Title: "The test", Inputs: []templates.Input{
		app, {Name: "email", Label: "Address for the login hint", Hint: "May be left empty.", Value: r.PostForm.Get("email")},
	}}}
	return page, err
}

func (h *Handler) doStartTest(w http.ResponseWriter, r *http.Request, p Principal) {
	id := r.PathValue("connection")
	test, link, err := h.prepareTest(r.Context(), p, id, startTestBody{Client: r.PostForm.Get("client"), Email: strings.TrimSpace(r.PostForm.Get("email"))})
	if err == nil {
		h.drawTest(w, r, p, test, link, templates.Revealed{})
		return
	}
	c, failed := h.connection(r.Context(), id)
	if failed != nil {
		h.pageError(w, r, p, failed)
		return
	}
	page, failed := h.startTestPage(r, c)
	if failed != nil {
		h.pageError(w, r, p, failed)
		return
	}
	h.drawForm(w, r, p, page, err)
}

func (h *Handler) showTest(w http.ResponseWriter, r *http.Request, p Principal) {
	test, err := h.testLogin(r.PathValue("words"))
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	h.drawTest(w, r, p, test, "", templates.Revealed{})
}

// doReveal shows the result again with one value in the clear.
func (h *Handler) doReveal(w http.ResponseWriter, r *http.Request, p Principal) {
	number, _ := strconv.Atoi(r.PostForm.Get("number")) // 0 is no value's
	secret, err := h.reveal(r.Context(), p, r.PathValue("words"), number)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	test, err := h.testLogin(r.PathValue("words"))
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	h.drawTest(w, r, p, test, "", templates.Revealed{Number: number, Value: secret.Reveal()})
}

func testState(t rehearsal.Test) templates.Cell {
	switch {
	case t.State == rehearsal.Ready:
		return templates.BadgeCell("link not used yet", templates.ToneNone)
	case t.State == rehearsal.Running:
		return templates.BadgeCell("under way", templates.ToneWarn)
	case t.Result.Outcome.Works():
		return templates.BadgeCell("✓ works", templates.ToneGood)
	case t.Result.Outcome == rehearsal.Cancelled:
		return templates.BadgeCell("cancelled", templates.ToneWarn)
	}
	return templates.BadgeCell("✗ failed", templates.ToneBad)
}

// drawTest shows a test login; link only right after it was made.
func (h *Handler) drawTest(w http.ResponseWriter, r *http.Request, p Principal, t rehearsal.Test, link string, revealed templates.Revealed) {
	var about facts
	about.code("Connection", t.Connection.ID)
	if t.Unsaved {
		about.badge("Record", "as changed, not saved", templates.ToneWarn)
	} else {
		about.word("Record", "as saved")
	}
	about.code("App", t.ClientID)
	about = append(about, templates.Item{Label: "Kept until", Values: []templates.Cell{templates.TimeCell(t.ExpiresAt)}})
	page := templates.TestPage{
		Frame: h.frame(r, p), Words: t.Words, State: testState(t), Title: t.Connection.Title, Back: connectionURL(t.Connection.ID, ""),
		Facts: about, Link: link, Revealed: revealed,
	}
	if _, err := h.connection(r.Context(), t.Connection.ID); err != nil {
		page.Back, page.Title = "/connections", "" // it was never saved
	}
	if Owner.Allows(p, Object{t.Connection.OrganizationID}) {
		page.Reveal = "/tests/" + url.PathEscape(t.Words) + "/reveal"
	}
	if t.State != rehearsal.Done {
		page.Again = "/tests/" + url.PathEscape(t.Words)
		h.drawn(r, h.templates.Test(w, http.StatusOK, page))
		return
	}
	fillResult(&page, t.Result)
	h.drawn(r, h.templates.Test(w, http.StatusOK, page))
}

func fillResult(page *templates.TestPage, r rehearsal.Result) {
	page.Done, page.Good, page.Warnings = true, r.Outcome.Works(), r.Warnings
	page.Outcome = map[rehearsal.Outcome]string{
		rehearsal.WouldSignIn: "This person would be signed in at once.",
		rehearsal.WouldWait:   "The provider's part works. This person would wait until an admin lets them in.",
		rehearsal.WouldRefuse: "The provider's part works. This person would not be let in.",
		rehearsal.Cancelled:   "The sign-in was cancelled at the provider.",
		rehearsal.Failed:      "The sign-in failed.",
	}[r.Outcome]
	if f := r.Fault; f != nil {
		page.Code, page.Why = f.Code, f.Why
		page.Fault = templates.Verdict{Blame: blameWords(f.Blame), Means: f.Means, Do: f.Do}
	}
	page.Token, page.Profile = documents(r.Token), documents(r.Profile)
	var who facts
	who.code("Issuer", r.Identity.Issuer)
	if s := r.Identity.Subject; s != nil {
		who.code("Subject (sub)", s.Shown)
	}
	who.word("The provider says the address is verified", r.Identity.Verified)
	page.Identity = who
	// What found nothing and should have comes first, what need not have last.
	rank := func(s rehearsal.Selection) int {
		switch {
		case s.Matched:
			return 1
		case s.Optional:
			return 2
		}
		return 0
	}
	sorted := slices.SortedStableFunc(slices.Values(r.Identity.Selectors), func(a, b rehearsal.Selection) int { return cmp.Compare(rank(a), rank(b)) })
	for _, s := range sorted {
		page.Selectors = append(page.Selectors, selectorView(s))
	}
	if a := r.Admission; a != nil {
		var f facts
		tone := templates.ToneGood
		switch r.Outcome {
		case rehearsal.WouldWait:
			tone = templates.ToneWarn
		case rehearsal.WouldRefuse:
			tone = templates.ToneBad
		}
		f.badge("Decision", strings.ReplaceAll(a.Decision, "_", " "), tone)
		f.word("Because", a.Why)
		f.code("Organization", a.Organization)
		f.code("Reason", a.Reason)
		f.word("The person would read", a.Sentence)
		page.Admission = f
	}
	if c := r.Claims; c != nil {
		page.ClaimNote = strings.TrimSpace("If " + c.Client + " asks for all of its scopes: " + strings.Join(c.Scopes, " ") + ". " + c.Note)
		page.Claims = []templates.TestDocument{{Title: "ID token", Values: testValues(c.IDToken)}, {Title: "Userinfo", Values: testValues(c.Userinfo)}}
	}
}

func documents(list []rehearsal.Document) (out []templates.TestDocument) {
	for _, d := range list {
		doc := templates.TestDocument{Title: d.From + " · " + strconv.Itoa(d.Status) + " · " + strconv.Itoa(d.Bytes) + " bytes", Note: d.Note, Values: testValues(d.Values)}
		if d.Endpoint == "id_token" {
			doc.Title = "Claims of the verified ID token"
		}
		out = append(out, doc)
	}
	return out
}

func testValues(list []rehearsal.Value) (out []templates.TestValue) {
	for _, v := range list {
		out = append(out, templates.TestValue{Path: v.Path, Shown: v.Shown, Number: v.Number})
	}
	return out
}

func selectorView(s rehearsal.Selection) templates.TestSelector {
	v := templates.TestSelector{
		Attribute: strings.TrimPrefix(s.Attribute, "custom."), Path: s.Path, Source: strings.ReplaceAll(s.Source, "_", " "), Why: s.Why, Values: testValues(s.Values),
		State: templates.BadgeCell("✓ matched", templates.ToneGood),
	}
	if !s.Matched {
		v.State = templates.BadgeCell("✗ nothing", templates.ToneWarn)
		if s.Optional {
			v.State = templates.BadgeCell("nothing, optional", templates.ToneNone)
		}
	}
	for _, p := range s.Proposals {
		v.Proposals = append(v.Proposals, templates.TestProposal{Path: p.Path, Source: strings.ReplaceAll(p.Source, "_", " "), Sample: p.Sample})
	}
	return v
}
