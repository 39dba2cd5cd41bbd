package admin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"gatehouse/federation/rehearsal"
	"gatehouse/profile"
	"gatehouse/provisioning"
	"gatehouse/store"
)

// testView is a test login as its admin sees it: masked.
type testView struct {
	Words      string            `json:"words" doc:"What the test is called, also on the pages of who runs it"`
	Connection string            `json:"connection"`
	Title      string            `json:"title"`
	Unsaved    bool              `json:"unsaved" doc:"The record that was tested is not the stored one"`
	Client     string            `json:"client" doc:"App whose claims are shown"`
	State      string            `json:"state" enum:"ready,running,done"`
	CreatedAt  time.Time         `json:"created_at"`
	ExpiresAt  time.Time         `json:"expires_at"`
	Result     *rehearsal.Result `json:"result,omitempty"`
}

func viewTest(t rehearsal.Test) testView {
	v := testView{
		Words: t.Words, Connection: t.Connection.ID, Title: t.Connection.Title, Unsaved: t.Unsaved, Client: t.ClientID,
		State: string(t.State), CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt,
	}
	if t.State == rehearsal.Done {
		v.Result = &t.Result
	}
	return v
}

// TestPath names a test login.
type TestPath struct {
	Words string `path:"words" maxLength:"100"`
}

type startTestInput struct {
	ConnectionPath
	Body startTestBody
}

type startTestBody struct {
	Client     string          `json:"client,omitempty" maxLength:"255" doc:"App whose claims are shown and whose rules decide"`
	Email      string          `json:"email,omitempty" maxLength:"254" doc:"Sent to the provider as login hint"`
	Connection json.RawMessage `json:"connection,omitempty" doc:"Record to test in place of the stored one (schemas/connection.json); it is not saved. Secrets that are left out are the stored ones"`
}

type startedTest struct {
	testView
	Link     string        `json:"link" doc:"Opens the test, once; whoever has it runs the test"`
	Warnings []warningView `json:"warnings"`
}

type startTestOutput struct{ Body startedTest }

type testOutput struct{ Body testView }

type testsOutput struct {
	Body struct {
		Items []testView `json:"items"`
	}
}

type revealInput struct {
	TestPath
	Body struct {
		Number int `json:"number" minimum:"1" doc:"Number of the value"`
	}
}

type revealOutput struct {
	Body struct {
		Value string `json:"value"`
	}
}

func (h *Handler) routeTestLogins(t *table) {
	endpoint(t, Admin, operation{
		Method: "POST", Path: "/connections/{connection}/test", In: anywhere, Name: "start-test-login", Status: http.StatusCreated, Tag: "test logins",
		Summary: "Prepare a test login at a stored, changed, new or disabled connection; the link opens it once",
	}, h.startTest)
	endpoint(t, Admin, operation{Method: "GET", Path: "/tests", In: anywhere, Name: "list-test-logins", Summary: "Test logins of the last half hour", Tag: "test logins"},
		func(_ context.Context, p Principal, _ *struct{}) (*testsOutput, error) {
			out := &testsOutput{}
			out.Body.Items = []testView{}
			if h.rehearsals != nil {
				for _, t := range h.rehearsals.Tests() {
					if !p.sees(t.Connection.OrganizationID) {
						continue
					}
					v := viewTest(t)
					v.Result = nil
					out.Body.Items = append(out.Body.Items, v)
				}
			}
			return out, nil
		})
	endpoint(t, Admin, operation{Method: "GET", Path: "/tests/{words}", In: byObject, Name: "get-test-login", Summary: "State and result of a test login, values masked", Tag: "test logins"},
		func(_ context.Context, _ Principal, in *TestPath) (*testOutput, error) {
			test, err := h.testLogin(in.Words)
			return &testOutput{viewTest(test)}, err
		})
	endpoint(t, Owner, operation{Method: "POST", Path: "/tests/{words}/reveal", In: byObject, Name: "reveal-test-value", Dangerous: true, Summary: "Show what is behind the mask of one value; recorded in the audit", Tag: "test logins"},
		func(ctx context.Context, p Principal, in *revealInput) (*revealOutput, error) {
			out := &revealOutput{}
			secret, err := h.reveal(ctx, p, in.Words, in.Body.Number)
			out.Body.Value = secret.Reveal()
			return out, err
		})
}

func (h *Handler) testLogin(words string) (rehearsal.Test, error) {
	if h.rehearsals == nil {
		return rehearsal.Test{}, store.ErrNotFound
	}
	test, err := h.rehearsals.Find(store.CleanWords(words))
	if errors.Is(err, rehearsal.ErrGone) {
		err = store.ErrNotFound
	}
	return test, err
}

// startTest prepares a test login. A record that is not saved has to pass the
// same checks by the same people as if it were: a test reaches out, and sends
// secrets, as a login does.
func (h *Handler) startTest(ctx context.Context, p Principal, in *startTestInput) (*startTestOutput, error) {
	test, link, err := h.prepareTest(ctx, p, in.ID, in.Body)
	if err != nil {
		return nil, err
	}
	return &startTestOutput{startedTest{testView: viewTest(test), Link: link, Warnings: h.viewConnection(test.Connection).Warnings}}, nil
}

func (h *Handler) prepareTest(ctx context.Context, p Principal, id string, body startTestBody) (rehearsal.Test, string, error) {
	if len(body.Connection) == 0 {
		return h.rehearse(ctx, p, id, body, nil)
	}
	return h.rehearse(ctx, p, id, body, func(before store.Connection) (store.Connection, error) {
		return decodeRecord(body.Connection, id, before)
	})
}

// rehearse prepares a test login of the stored connection, or of what edit makes
// of it.
func (h *Handler) rehearse(ctx context.Context, p Principal, id string, body startTestBody, edit func(store.Connection) (store.Connection, error)) (rehearsal.Test, string, error) {
	none := rehearsal.Test{}
	if h.rehearsals == nil {
		return none, "", problem(http.StatusConflict, "Test logins need the running server: people sign in at its public address. Use --url instead of --config.")
	}
	d := rehearsal.Draft{ClientID: body.Client, By: p.UserID, Unsaved: edit != nil}
	if body.Email != "" {
		email, err := profile.ParseEmail(body.Email)
		if err != nil {
			return none, "", fault("email", "is not an e-mail address (%s)", err)
		}
		d.Email = email
	}
	before, err := h.connection(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound) && d.Unsaved:
	case err != nil:
		return none, "", err
	default:
		p = p.about("connection", id)
		if err := h.allowed(ctx, p); err != nil {
			return none, "", err
		}
	}
	d.Connection = before
	if d.Unsaved {
		if d.Connection, err = edit(before); err != nil {
			return none, "", inside("connection", err)
		}
		if before.ID == "" {
			p = p.within(d.Connection.OrganizationID)
		}
		if err := h.checkConnection(p, before, &d.Connection); err != nil {
			return none, "", inside("connection", err)
		}
	}
	if d.Connection.Grant != "" {
		return none, "", fault("connection.grant", "signs people in without a browser: there is no page to test. Call the token endpoint with the app's own client")
	}
	for d.Words == "" || h.rehearsals.Taken(d.Words) {
		d.Words = h.store.Traces.NewWords(ctx)
	}
	err = h.change(ctx, p, func(ch *store.Change) error {
		if err := h.namesExist(ch.Tx, p, d.Connection); err != nil {
			return inside("connection", err)
		}
		if err := h.testClient(ch.Tx, &d); err != nil {
			return err
		}
		detail := map[string]any{"words": d.Words, "client": d.ClientID, "unsaved": d.Unsaved}
		if d.Unsaved {
			detail["settings"] = h.testedSettings(before, d.Connection)
		}
		return ch.Record("connection.test", "connection/"+id, detail)
	})
	if err != nil {
		return none, "", err
	}
	test, token := h.rehearsals.Add(d)
	return test, h.issuer + "/login/test?" + url.Values{"t": {token.Reveal()}}.Encode(), nil
}

// testedSettings is what of a record that was never stored goes into the audit.
func (h *Handler) testedSettings(before, tested store.Connection) map[string]any {
	if before.ID == "" {
		return h.connectionDifference(nil, &tested)
	}
	return h.connectionDifference(&before, &tested)
}

// testClient chooses the app whose claims are shown: the one named, else the
// first that is on and for this connection.
func (h *Handler) testClient(tx store.Tx, d *rehearsal.Draft) error {
	if d.ClientID != "" {
		ok, err := has(tx, h.store.Clients, d.ClientID)
		if err == nil && !ok {
			err = fault("client", "names an app that does not exist")
		}
		return err
	}
	for c, err := range h.store.Clients.All(tx) {
		if err != nil {
			return err
		}
		if !c.Disabled && c.ID != store.ConsoleClient && provisioning.ClientFor(c, d.Connection) {
			d.ClientID = c.ID
			return nil
		}
	}
	return fault("client", "is missing, and no app may use this connection: register one first")
}

// inside puts the faults of a record under the field that holds it.
func inside(field string, err error) error {
	found := fieldErrors(err)
	if found == nil {
		return err
	}
	var f faults
	for _, e := range found {
		f = append(f, &profile.FieldError{Path: field + "." + e.Path, Problem: e.Problem, Fix: e.Fix})
	}
	return f.join()
}

// reveal shows what is behind the mask of one value, after it is written down
// who looked. Owners only: see the route.
func (h *Handler) reveal(ctx context.Context, p Principal, words string, number int) (store.Secret, error) {
	test, err := h.testLogin(words)
	if err != nil {
		return "", err
	}
	path := pathOf(test.Result, number)
	if path == "" {
		return "", store.ErrNotFound
	}
	err = h.change(ctx, p, func(ch *store.Change) error {
		return ch.Record("connection.test_reveal", "connection/"+test.Connection.ID, map[string]any{"words": test.Words, "value": number, "path": path})
	})
	if err != nil {
		return "", err
	}
	secret, err := h.rehearsals.Reveal(test.Words, number)
	if errors.Is(err, rehearsal.ErrGone) {
		err = store.ErrNotFound
	}
	return secret, err
}

// pathOf is where a value stands: which document, and the path in it.
func pathOf(r rehearsal.Result, number int) string {
	found := ""
	r.Each(func(tab string, v rehearsal.Value) {
		if v.Number == number {
			found = tab + " " + v.Path
		}
	})
	return found
}
