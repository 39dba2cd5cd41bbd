package broker

import (
	"errors"
	"net/http"
	"net/url"

	"gatehouse/federation"
	"gatehouse/federation/rehearsal"
	"gatehouse/provisioning"
	"gatehouse/store"
	"gatehouse/templates"
)

// errRehearsal: a test login came to a page that is for logins.
var errRehearsal = errors.New("broker: this is a test login")

// testPage begins a test login from its one-time link. The GET uses nothing
// up: mail programs open links before people do. The token in the form is
// proof that the page was shown; the POST is of our own origin (routes.go).
func (b *Broker) testPage(w http.ResponseWriter, r *http.Request) {
	if b.rehearsals == nil {
		b.refusePage(w, r, &pageError{Kind: pageNotFound, Status: http.StatusNotFound})
		return
	}
	if r.Method == http.MethodPost {
		b.testPosted(w, r)
		return
	}
	token := r.URL.Query().Get("t")
	test, err := b.rehearsals.Look(token)
	if err != nil {
		b.refusePage(w, r, &pageError{Kind: pageExpired, Status: http.StatusNotFound, cause: err})
		return
	}
	b.drawn(r, b.in(r).TestStart(w, http.StatusOK, templates.TestStartPage{
		Connection: test.Connection.Title, Action: b.issuer + pathTest, CSRF: token,
	}))
}

func (b *Broker) testPosted(w http.ResponseWriter, r *http.Request) {
	f, err := readForm(r)
	if err != nil || len(f.repeated) > 0 {
		b.refusePage(w, r, formFault(err))
		return
	}
	test, err := b.rehearsals.Begin(f.Get("csrf"))
	if err != nil {
		b.refusePage(w, r, &pageError{Kind: pageExpired, Status: http.StatusBadRequest, cause: err})
		return
	}
	lg := &login{ID: b.sessions.NewLoginID(), Correlation: test.Words, CSRF: store.NewID(), Started: b.now(), Rehearsal: test.ID}
	departure, err := b.federation.RehearseDepart(r.Context(), test.Connection, federation.DepartRequest{Tx: lg.ID, LoginHint: test.Email})
	if err != nil {
		b.rehearsalEnds(w, r, test, failedResult(test, federation.Seen{}, err))
		return
	}
	lg.Flow = &departure.Flow
	if err := b.saveLogin(w, r, lg); err != nil {
		b.rehearsalEnds(w, r, test, failedResult(test, federation.Seen{}, err))
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", departure.URL)
	w.WriteHeader(http.StatusSeeOther)
}

// rehearsed takes a callback that is a test login's and reports whether it was.
// From here on nothing is written: no session, no user, no trace.
func (b *Broker) rehearsed(w http.ResponseWriter, r *http.Request, tx string, params url.Values) bool {
	lg := &login{}
	if b.rehearsals == nil || b.sessions.LoadLogin(r, tx, lg) != nil || lg.Rehearsal == "" {
		return false
	}
	if lg.Flow == nil || lg.Flow.ConnectionID != r.PathValue("connection") { // M7
		b.refusePage(w, r, &pageError{Kind: pageExpired, Status: http.StatusBadRequest, cause: errors.New("callback of another connection")})
		return true
	}
	b.sessions.ClearLogin(w, tx)
	test, err := b.rehearsals.Arrive(lg.Rehearsal)
	if err != nil {
		b.refusePage(w, r, &pageError{Kind: pageExpired, Status: http.StatusBadRequest, cause: err})
		return true
	}
	id, seen, err := b.federation.RehearseReturn(r.Context(), test.Connection, *lg.Flow, params)
	if err != nil {
		b.rehearsalEnds(w, r, test, failedResult(test, seen, err))
		return true
	}
	result := newResult(test, seen)
	if err := b.rehearseAdmission(r, test, id, &result); err != nil {
		b.logger.Error("test login: admission not decided", "login", test.Words, "cause", err.Error())
		result.Fail("store_unavailable", "ours", "the decision could not be looked up")
	}
	b.rehearsalEnds(w, r, test, result)
	return true
}

// newResult is what a test shows of the provider. The client's secret is
// struck out of it.
func newResult(test rehearsal.Test, seen federation.Seen) rehearsal.Result {
	secret, _ := test.Connection.ClientSecret.Reveal() // what cannot be opened was not sent either
	key, _ := test.Connection.PrivateKey.Reveal()
	result := rehearsal.Empty(secret, key)
	result.Saw(test.Connection, seen)
	return result
}

func failedResult(test rehearsal.Test, seen federation.Seen, err error) rehearsal.Result {
	result := newResult(test, seen)
	ferr, ok := federation.AsError(err)
	if !ok {
		result.Fail("internal", "ours", "")
		return result
	}
	f := ferr.TraceFault()
	result.Fail(f.Code, f.Blame, f.Why)
	if ferr.Code == federation.CodeDeniedByUser {
		result.Outcome = rehearsal.Cancelled
	}
	return result
}

// rehearseAdmission adds the decision that would be made and the claims that
// would follow.
func (b *Broker) rehearseAdmission(r *http.Request, test rehearsal.Test, id federation.VerifiedIdentity, result *rehearsal.Result) error {
	result.Person(id)
	var would provisioning.Rehearsal
	var client store.Client
	err := b.store.View(r.Context(), func(tx store.Tx) (err error) {
		if client, err = b.store.Clients.Get(tx, test.ClientID); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		would, err = b.provisioner.Rehearse(tx, id, test.ClientID)
		return err
	})
	if err != nil {
		return err
	}
	result.Admission = &rehearsal.Admission{
		Decision: string(would.Kind), Organization: would.OrganizationID, Reason: string(would.Reason), Why: would.Why, Sentence: would.Reason.Sentence(),
	}
	switch would.Kind {
	case provisioning.Refused:
		result.Outcome = rehearsal.WouldRefuse
		return nil
	case provisioning.Pending:
		result.Outcome = rehearsal.WouldWait
	default:
		result.Outcome = rehearsal.WouldSignIn
	}
	result.Claims = b.rehearsedClaims(client, would, result)
	return nil
}

// rehearsedClaims are the claims of ID token and userinfo if the app asked for
// every scope it is registered for.
func (b *Broker) rehearsedClaims(client store.Client, would provisioning.Rehearsal, result *rehearsal.Result) *rehearsal.Claims {
	p := person{user: would.User, org: would.Organization, membership: would.Membership}
	sub := p.user.ID
	c := &rehearsal.Claims{Client: client.ID, Scopes: client.Scopes}
	if sub == "" {
		sub = "(made at the first sign-in)"
		p.user.UpdatedAt = b.now()
	}
	if would.Kind == provisioning.Pending {
		c.Note = "After an admin has approved the request, with the role user."
	}
	idToken := map[string]any{"iss": b.issuer, "aud": client.ID}
	userinfo := map[string]any{}
	b.addClaims(idToken, p, tokenScopes(client.Scopes), nil)
	b.addClaims(userinfo, p, client.Scopes, nil)
	first := rehearsal.Value{Path: "$.sub", Kind: "text", Shown: sub}
	c.IDToken = append([]rehearsal.Value{first}, result.Claim(idToken)...)
	c.Userinfo = append([]rehearsal.Value{first}, result.Claim(userinfo)...)
	return c
}

// rehearsalEnds hands the result in and tells the person how it went, in words
// of ours: the values are for the admin.
func (b *Broker) rehearsalEnds(w http.ResponseWriter, r *http.Request, test rehearsal.Test, result rehearsal.Result) {
	for _, warning := range b.federation.ConnectionWarnings(test.Connection) {
		result.Warn(warning.Path + ": " + warning.Problem)
	}
	code := ""
	say := map[rehearsal.Outcome]string{
		rehearsal.WouldSignIn: "People like you would be signed in at once.",
		rehearsal.WouldWait:   "People like you would wait until an administrator lets them in.",
		rehearsal.WouldRefuse: "The sign-in at your company works, but you would not be let in here.",
		rehearsal.Cancelled:   "The sign-in was cancelled at your company's sign-in page.",
	}[result.Outcome]
	if result.Fault != nil {
		code = result.Fault.Code
		if say == "" {
			say = result.Fault.Means
		}
	}
	b.logger.Info("test login ended", "login", test.Words, "connection", test.Connection.ID, "outcome", string(result.Outcome), "code", code, "request_id", requestID(r))
	if err := b.rehearsals.Finish(test.ID, result); err != nil {
		b.refusePage(w, r, &pageError{Kind: pageExpired, Status: http.StatusBadRequest, cause: err})
		return
	}
	b.drawn(r, b.in(r).TestEnd(w, http.StatusOK, templates.TestEndPage{
		Connection: test.Connection.Title, Words: test.Words, Works: result.Outcome.Works(), Say: say,
	}))
}
