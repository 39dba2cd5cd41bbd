package broker

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"time"

	"gatehouse/federation"
	"gatehouse/provisioning"
	"gatehouse/store"
)

// grantConnection is our extension grant (RFC 6749 §4.5): an app signs a person
// in at a connection that has no browser.
const grantConnection = "urn:gatehouse:params:oauth:grant-type:connection"

// directRedirect stands where a code of the direct grant has its redirect URI.
// No client can register it.
const directRedirect = "urn:gatehouse:direct"

// direct answers grantConnection: connection, scope, and what the connection's
// grant needs (username and password, assertion, or parameters that the client
// may forward). After the provider's yes it goes the way of every other login:
// the same admission and gate in one update that keeps grant and code, then the
// same redemption; the code never leaves this function.
func (b *Broker) direct(r *http.Request, f form) (_ map[string]any, err error) {
	started := b.now()
	defer func() { b.directEnded(r, started, err) }()
	rec, conn, req, err := b.directRequest(r, f)
	if err != nil {
		return nil, err
	}
	// Guessing a person's password through an app is slowed down like guessing
	// the app's own secret (SECURITY-CASES Y5).
	guessing := "direct " + conn.ID + " " + f.Get("username")
	if !b.guesses.allow(guessing, r.RemoteAddr) {
		return nil, &oauthError{Code: "invalid_grant", Description: "Too many failed attempts. Wait a minute.", Status: http.StatusTooManyRequests}
	}
	id, err := b.federation.Direct(r.Context(), conn, federation.DirectRequest{
		Username: f.Get("username"), Password: store.Secret(f.Get("password")), Assertion: store.Secret(f.Get("assertion")),
		Parameters: req.Forward,
	})
	if err != nil {
		if e, ok := federation.AsError(err); ok && e.Code == federation.CodeCredentialsRefused {
			b.guesses.failed(guessing, r.RemoteAddr)
		}
		return nil, directFault(err)
	}
	store.TraceOf(r.Context()).Proven()
	verifier := randomToken("") // 43 characters
	challenge := sha256.Sum256([]byte(verifier))
	req.RedirectURI = directRedirect
	req.Params.Set("redirect_uri", directRedirect)
	req.Params.Set("code_challenge", base64.RawURLEncoding.EncodeToString(challenge[:]))
	req.Params.Set("code_challenge_method", "S256")
	made, err := b.admitDirect(r, req, id)
	if err != nil {
		return nil, err
	}
	redeem := form{Values: url.Values{
		"grant_type": {"authorization_code"}, "code": {made.params.Get("code")}, "redirect_uri": {directRedirect}, "code_verifier": {verifier},
	}}
	for _, name := range []string{"client_id", "client_secret"} { // as they were sent
		if v := f.Get(name); v != "" {
			redeem.Set(name, v)
		}
	}
	again := r.Clone(r.Context())
	again.Form, again.PostForm = redeem.Values, redeem.Values
	b.logger.Info("signed in without a browser", logged(r.Context(), []any{"client", rec.ID, "connection", conn.ID, "request_id", requestID(r)})...)
	return b.exchange(again, redeem)
}

// directBegun makes the request a login with a trace of its own: the client has
// proven itself, so no stranger can begin one. What is recorded of the request
// are names of parameters.
func (b *Broker) directBegun(r *http.Request, f form, rec store.Client) *store.Span {
	trace := store.TraceOf(r.Context())
	trace.Begin(b.store.Traces.NewWords(r.Context()), b.now())
	trace.About(store.About{Client: rec.ID})
	return store.Step(r.Context(), store.StepAuthorize, store.ClientID(rec.ID), store.Names("parameters", f.Values), store.Bool("browser", false))
}

// directEnded records how the login ended; the answer to the app names its words.
func (b *Broker) directEnded(r *http.Request, started time.Time, err error) {
	trace := store.TraceOf(r.Context())
	words := trace.Words()
	if words == "" {
		return
	}
	trace.Begin(words, started) // the code's redemption has set it to its own
	var ended directEnd
	switch {
	case err == nil:
	case errors.As(err, &ended):
		trace.Outcome(store.Outcome(ended))
	default:
		b.failed(r, store.OutcomeFailed, asOAuth(err))
	}
}

// directEnd is the cause of a refusal that is an outcome and no fault.
type directEnd store.Outcome

func (e directEnd) Error() string { return "the login ended as " + string(e) }

// directRequest proves the client and reads what it asks for. Connections that
// are unknown, switched off, for other apps or for browsers answer alike.
func (b *Broker) directRequest(r *http.Request, f form) (rec store.Client, conn store.Connection, req *request, err error) {
	cl, err := b.authenticateClient(r.Context(), r, f.Values)
	if err != nil {
		return rec, conn, nil, err
	}
	rec = cl.(*client).Client
	if !rec.DirectGrants || rec.Public() || rec.ThirdParty {
		return rec, conn, nil, errCode("unauthorized_client", "This client may not sign people in without a browser.")
	}
	step := b.directBegun(r, f, rec)
	err = b.store.View(r.Context(), func(tx store.Tx) (err error) {
		conn, err = b.store.Connections.Get(tx, f.Get("connection"))
		return err
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return rec, conn, nil, errUnavailable(err)
	}
	if err != nil || conn.Disabled || conn.Grant == "" || !provisioning.ClientFor(rec, conn) {
		return rec, conn, nil, errInvalidRequest("connection does not name a connection that this client may use without a browser.")
	}
	store.TraceOf(r.Context()).About(store.About{Connection: conn.ID, Organization: conn.OrganizationID})
	req = &request{Params: url.Values{"client_id": {rec.ID}}, Client: rec}
	if oerr := readScopes(req, f); oerr != nil {
		return rec, conn, nil, oerr
	}
	var oerr *oauthError
	if req.Forward, oerr = forwarded(rec, f); oerr != nil {
		return rec, conn, nil, oerr
	}
	step.Add(store.ConnectionID(conn.ID), store.Int("scopes", len(req.Scopes)))
	step.Done(nil)
	return rec, conn, req, nil
}

// admitDirect decides about a verified person and keeps grant and code in the
// one update that decides again.
func (b *Broker) admitDirect(r *http.Request, req *request, id federation.VerifiedIdentity) (issued, error) {
	ctx := r.Context()
	prepared := provisioning.Prepare()
	for range 3 {
		step := store.Step(ctx, store.StepAdmit, store.ConnectionID(id.Connection().ID), store.MailDomain("domain", id.Email()))
		var d provisioning.Decision
		err := b.store.View(ctx, func(tx store.Tx) (err error) {
			d, err = b.provisioner.Preview(tx, id, req.Client, prepared)
			return err
		})
		if err != nil {
			return issued{}, errUnavailable(err)
		}
		admitted(r, step, d)
		b.logger.Info("admission decided", logged(ctx, []any{"client", req.Client.ID, "connection", id.Connection().ID, "decision", string(d.Kind), "why", d.Why})...)
		if d.Kind == provisioning.Refused {
			return issued{}, errCode("access_denied", "The person was not admitted.").because(directEnd(store.OutcomeRefused))
		}
		a := arrival{identity: &id, decision: d, prepared: prepared}
		writes, u := withUnit(ctx)
		var made issued
		if d.Kind != provisioning.Pending {
			step = store.Step(ctx, store.StepIssue, store.ClientID(req.Client.ID), store.Int("scopes", len(req.Scopes)))
			if made, err = b.makeCode(writes, req, a.session(b.now())); err != nil {
				return issued{}, err
			}
		}
		err = b.store.Update(ctx, func(tx store.Tx) error {
			if d.Kind != provisioning.Pending {
				if err := b.decide(tx, a, req); err != nil {
					return err
				}
				return u.apply(tx)
			}
			now, err := b.provisioner.Admit(tx, id, req.Client, prepared)
			if err == nil && now.Kind != provisioning.Pending {
				return errMoved
			}
			return err
		})
		switch {
		case errors.Is(err, errMoved):
			continue
		case errors.Is(err, provisioning.ErrNotAllowed):
			return issued{}, errCode("access_denied", "The person may not use this app.").because(err)
		case err != nil:
			return issued{}, errUnavailable(err)
		}
		b.metrics.login(string(d.Kind))
		if d.Kind == provisioning.Pending {
			waits := errCode("access_denied", "The person waits for an admin's decision. Ask again after it.").because(directEnd(store.OutcomeWaiting))
			waits.accessRequest = b.requestHandle(d.Request.ID, req.Client.ID)
			return issued{}, waits
		}
		step.Done(nil)
		return made, nil
	}
	return issued{}, errUnavailable(errMoved)
}

// directFault turns federation's word into an answer of the token endpoint.
func directFault(err error) *oauthError {
	e, ok := federation.AsError(err)
	switch {
	case !ok, e.Temporary:
		return errUnavailable(err)
	case e.Code == federation.CodeCredentialsRefused, e.Code == federation.CodeAssertionRefused:
		return errInvalidGrant("The identity provider does not accept these credentials.").because(err)
	case e.Blame == federation.BlameApp:
		return errInvalidRequest("The request lacks what the connection's grant needs, or it is not well-formed.").because(err)
	}
	return errCode("access_denied", "The identity provider's answer was not accepted.").because(err)
}
