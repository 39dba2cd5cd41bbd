package broker

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"gatehouse/broker/session"
	"gatehouse/federation"
	"gatehouse/provisioning"
	"gatehouse/store"
)

// traced gives a request a recorder. What it records is kept only when the
// request turns out to belong to a login.
func (b *Broker) traced(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := b.store.Traces.Recorder()
		defer rec.Close()
		// The mux has matched already: the copy keeps its path values.
		next.ServeHTTP(w, r.WithContext(store.WithTrace(r.Context(), rec)))
	})
}

// recording says that the request belongs to a login.
func (b *Broker) recording(r *http.Request, lg *login, client store.Client) {
	rec := store.TraceOf(r.Context())
	rec.Begin(lg.Correlation, lg.Started)
	rec.About(store.About{Client: client.ID})
}

// asked records what the app wants.
func (b *Broker) asked(r *http.Request, lg *login, req *request) {
	b.recording(r, lg, req.Client)
	store.Hide(r.Context(), req.State, req.Params.Get("nonce"))
	store.Step(r.Context(), store.StepAuthorize,
		store.ClientID(req.Client.ID), store.Names("parameters", req.Params), store.Int("scopes", len(req.Scopes)),
		store.Bool("pkce", req.Params.Has("code_challenge")), store.Bool("fresh_sign_in", req.prompts("login") || req.MaxAge != nil),
	).Done(nil)
}

// refused records a request that is wrong although client and redirect URI are
// proven, so that the app's developer has a reference. What prompt=none asks
// again and again is no login and leaves none.
func (b *Broker) refused(r *http.Request, req *request, e *oauthError) {
	rec := store.TraceOf(r.Context())
	if rec.Words() == "" {
		switch e.Code {
		case "login_required", "consent_required", "interaction_required":
			return
		}
		if rec == nil {
			return
		}
		rec.Begin(b.store.Traces.NewWords(r.Context()), b.now())
		rec.About(store.About{Client: req.Client.ID})
		store.Step(r.Context(), store.StepAuthorize, store.ClientID(req.Client.ID), store.Names("parameters", req.Params))
	}
	b.failed(r, store.OutcomeFailed, e)
}

// failed records how the login ended, and why, unless a step has said so.
func (b *Broker) failed(r *http.Request, outcome store.Outcome, err error) {
	rec := store.TraceOf(r.Context())
	if f, ok := causeFault(err); ok {
		err = traceFault{f}
	}
	store.EndStep(r.Context(), err)
	if !rec.Failed() {
		store.Step(r.Context(), stepOf(r)).Done(err)
	}
	rec.Outcome(outcome)
}

// stepOf is the step that a request which failed before any other is at.
func stepOf(r *http.Request) store.StepName {
	switch {
	case strings.HasSuffix(r.URL.Path, pathAuthorize):
		return store.StepAuthorize
	case strings.Contains(r.URL.Path, "/login/callback/"):
		return store.StepReturn
	case strings.HasSuffix(r.URL.Path, pathWaiting):
		return store.StepAdmit
	case strings.HasSuffix(r.URL.Path, pathConsent):
		return store.StepIssue
	case strings.HasSuffix(r.URL.Path, pathToken):
		return store.StepToken
	}
	return store.StepRoute
}

// reference is the end of an error_description: the words by which an admin
// finds the trace. They are letters and hyphens (RFC 6749 §4.1.2.1).
func reference(r *http.Request) string {
	if words := store.TraceOf(r.Context()).Words(); words != "" {
		return " Reference: " + words + "."
	}
	return ""
}

// correlation is what a page and a log line name the request by.
func correlation(r *http.Request) string {
	if words := store.TraceOf(r.Context()).Words(); words != "" {
		return words
	}
	return requestID(r)
}

// logged adds the login to the attributes of a log line.
func logged(ctx context.Context, attrs []any) []any {
	if words := store.TraceOf(ctx).Words(); words != "" {
		return append(attrs, "login", words)
	}
	return attrs
}

// routed records what routing found.
func routed(ctx context.Context, lg *login, q federation.Query, found federation.Routing) {
	step := store.Step(ctx, store.StepRoute,
		store.MailDomain("domain", q.Email), store.Rule("rule", found.Rule), store.Int("candidates", len(found.Candidates)),
		store.Bool("asked_for_connection", q.ConnectionID != ""), store.Bool("asked_for_organization", q.OrganizationID != ""))
	for i, c := range found.Candidates {
		if i < 5 {
			step.Add(store.ConnectionID(c.ID))
		}
	}
	switch {
	case len(found.Candidates) > 0:
		step.Done(nil)
	case found.Rule != "":
		step.Done(traceFault{store.TraceFault{Code: "route_closed"}})
	case lg.Email != "" || q.ConnectionID != "" || q.OrganizationID != "":
		step.Done(traceFault{store.TraceFault{Code: "no_route"}})
	}
}

// traceFault is a fault that is only for the trace.
type traceFault struct{ fault store.TraceFault }

func (f traceFault) Error() string { return f.fault.Code }

// TraceFault implements store.Traceable.
func (f traceFault) TraceFault() store.TraceFault { return f.fault }

// TraceFault implements store.Traceable: the cause when it can tell, else the
// code and its fixed sentence.
func (e *oauthError) TraceFault() store.TraceFault {
	if e.cause != nil {
		if f, ok := causeFault(e.cause); ok {
			return f
		}
	}
	return store.TraceFault{Code: e.Code, Why: e.Description}
}

func (e *pageError) TraceFault() store.TraceFault {
	if e.cause != nil {
		if f, ok := causeFault(e.cause); ok {
			return f
		}
	}
	switch e.Kind {
	case pageTooLarge:
		return store.TraceFault{Code: "login_too_big"}
	case pageExpired:
		return store.TraceFault{Code: "login_expired"}
	}
	return store.TraceFault{Code: "invalid_request"}
}

// admitted records the decision about a person.
func admitted(r *http.Request, step *store.Span, d provisioning.Decision) {
	step.Add(store.Enum("decision", d.Kind, "signed_in", "created", "linked", "activated", "pending", "refused"))
	step.Explain(d)
	store.TraceOf(r.Context()).About(store.About{User: d.UserID, Organization: d.OrganizationID, Request: d.Request.ID})
}

// causeFault is what the cause of an answer tells a trace, if it can.
func causeFault(err error) (store.TraceFault, bool) {
	var t store.Traceable
	switch {
	case errors.As(err, &t):
		return t.TraceFault(), true
	case errors.Is(err, errLoginUsed):
		return store.TraceFault{Code: "login_used"}, true
	case errors.Is(err, errMoved):
		return store.TraceFault{Code: "decision_changed"}, true
	case errors.Is(err, session.ErrTooBig):
		return store.TraceFault{Code: "login_too_big"}, true
	case errors.Is(err, session.ErrNoLogin):
		return store.TraceFault{Code: "login_expired"}, true
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, store.ErrClosed):
		return store.TraceFault{Code: "store_unavailable"}, true
	case errors.Is(err, context.Canceled):
		return store.TraceFault{Code: "abandoned"}, true
	}
	return store.TraceFault{}, false
}

// resumed records a code for a live session: a login of its own unless a page
// (consent) came before.
func (b *Broker) resumed(r *http.Request, req *request, lg *login, by store.Session) {
	rec := store.TraceOf(r.Context())
	if lg == nil && rec != nil {
		b.asked(r, &login{Correlation: b.store.Traces.NewWords(r.Context()), Started: b.now()}, req)
	}
	rec.Proven()
	rec.About(store.About{User: by.UserID, Connection: by.ConnectionID, Organization: by.OrganizationID})
}

// redeemed records what became of the code in the trace of its login.
func (b *Broker) redeemed(r *http.Request, u *unit, err error) {
	rec := store.TraceOf(r.Context())
	if u.code == nil || u.code.grant.Trace == "" {
		return // no code of ours: then no login's words are known, and nothing is kept
	}
	g := u.code.grant
	rec.Begin(g.Trace, g.CreatedAt)
	rec.Proven()
	rec.About(store.About{User: g.UserID, Connection: g.ConnectionID, Organization: g.OrganizationID, Client: g.ClientID})
	store.Note(r.Context(), store.ClientID(g.ClientID), store.Bool("offline", g.Offline))
	if err == nil {
		store.EndStep(r.Context(), nil)
		rec.Outcome(store.OutcomeSignedIn)
		return
	}
	b.failed(r, store.OutcomeFailed, asOAuth(err))
}
