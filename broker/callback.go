package broker

import (
	"errors"
	"net/http"
	"net/url"

	"gatehouse/federation"
	"gatehouse/store"
)

// callback is where a provider sends the browser back: one path per connection
// (RFC 9700 §4.4.2.1). The login is found by the state's first half in this
// browser's cookies, or not at all.
func (b *Broker) callback(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		b.callbackPosted(w, r)
		return
	}
	params, err := b.callbackParams(r)
	if err != nil {
		b.refusePage(w, r, &pageError{Kind: pageExpired, Status: http.StatusBadRequest, cause: err})
		return
	}
	states := params["state"]
	if len(states) != 1 {
		b.strayed(r, params)
		b.refusePage(w, r, &pageError{Kind: pageExpired, Status: http.StatusBadRequest, cause: errors.New("state is missing or repeated")})
		return
	}
	tx, ok := federation.StateTx(states[0])
	if !ok {
		b.strayed(r, params)
		b.refusePage(w, r, &pageError{Kind: pageExpired, Status: http.StatusBadRequest, cause: errors.New("state is not ours")})
		return
	}
	if b.rehearsed(w, r, tx, params) {
		return
	}
	lg, req, ok := b.resume(w, r, tx)
	if !ok {
		return
	}
	// The path, the cookie and the state all name the connection (M7).
	if lg.Flow == nil || lg.Flow.ConnectionID != r.PathValue("connection") {
		store.Step(r.Context(), store.StepReturn, store.ConnectionID(r.PathValue("connection"))).Done(traceFault{store.TraceFault{Code: "connection_mismatch"}})
		b.refusePage(w, r, &pageError{Kind: pageExpired, Status: http.StatusBadRequest, cause: errors.New("callback of another connection")})
		return
	}
	identity, err := b.arrive(r, lg, params)
	if err != nil {
		f := providerFailure(err)
		if ferr, ok := federation.AsError(err); ok && ferr.Blame == federation.BlameUser && !ferr.Temporary {
			// The person pressed cancel there: no page, straight back.
			b.sessions.ClearLogin(w, lg.ID)
			b.metrics.login("cancelled")
			outcome := store.OutcomeFailed
			if ferr.Code == federation.CodeDeniedByUser {
				outcome = store.OutcomeCancelled
			}
			b.failed(r, outcome, err)
			b.respondError(w, r, req, f.app)
			return
		}
		b.fail(w, r, lg, req, f)
		return
	}
	store.TraceOf(r.Context()).Proven()
	b.admit(w, r, lg, req, identity)
}

// strayed records a callback without a state that leads to its login in the
// trace of the login that this browser has under way at the connection: the
// newest, if there are several. It is for the admin's eyes only; nothing else
// goes by it.
func (b *Broker) strayed(r *http.Request, params url.Values) {
	for _, id := range b.sessions.Logins(r) {
		lg := &login{}
		if b.sessions.LoadLogin(r, id, lg) != nil || lg.Rehearsal != "" || lg.Flow == nil || lg.Flow.ConnectionID != r.PathValue("connection") {
			continue
		}
		b.recording(r, lg, store.Client{})
		store.Step(r.Context(), store.StepReturn, store.Names("parameters", params), store.Int("states", len(params["state"]))).
			Done(traceFault{store.TraceFault{Code: federation.CodeStateMismatch, Blame: string(federation.BlameProvider)}})
		return
	}
}

// arrive reads the connection as it is now and has federation check everything
// that came back; the revision in the flow tells if it changed meanwhile (M9).
func (b *Broker) arrive(r *http.Request, lg *login, params url.Values) (federation.VerifiedIdentity, error) {
	var conn store.Connection
	err := b.store.View(r.Context(), func(tx store.Tx) (err error) {
		conn, err = b.store.Connections.Get(tx, lg.Flow.ConnectionID)
		return err
	})
	if err != nil {
		return federation.VerifiedIdentity{}, err
	}
	return b.federation.Return(r.Context(), conn, *lg.Flow, params)
}
