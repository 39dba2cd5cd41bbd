package broker

import (
	"errors"
	"net/http"

	"gatehouse/federation"
	"gatehouse/store"
)

// callback is where a provider sends the browser back: one path per connection
// (RFC 9700 §4.4.2.1). The login is found by the state's first half in this
// browser's cookies, or not at all.
func (b *Broker) callback(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	states := query["state"]
	if len(states) != 1 {
		b.refusePage(w, r, &pageError{Kind: pageExpired, Status: http.StatusBadRequest, cause: errors.New("state is missing or repeated")})
		return
	}
	tx, ok := federation.StateTx(states[0])
	if !ok {
		b.refusePage(w, r, &pageError{Kind: pageExpired, Status: http.StatusBadRequest, cause: errors.New("state is not ours")})
		return
	}
	lg, req, ok := b.resume(w, r, tx)
	if !ok {
		return
	}
	// The path, the cookie and the state all name the connection (M7).
	if lg.Flow == nil || lg.Flow.ConnectionID != r.PathValue("connection") {
		b.refusePage(w, r, &pageError{Kind: pageExpired, Status: http.StatusBadRequest, cause: errors.New("callback of another connection")})
		return
	}
	identity, err := b.arrive(r, lg)
	if err != nil {
		f := providerFailure(err)
		if ferr, ok := federation.AsError(err); ok && ferr.Blame == federation.BlameUser && !ferr.Temporary {
			// The person pressed cancel there: no page, straight back.
			b.sessions.ClearLogin(w, lg.ID)
			b.metrics.login("cancelled")
			b.respondError(w, r, req, f.app)
			return
		}
		b.fail(w, r, lg, req, f)
		return
	}
	b.admit(w, r, lg, req, identity)
}

// arrive reads the connection as it is now and has federation check everything
// that came back; the revision in the flow tells if it changed meanwhile (M9).
func (b *Broker) arrive(r *http.Request, lg *login) (federation.VerifiedIdentity, error) {
	var conn store.Connection
	err := b.store.View(r.Context(), func(tx store.Tx) (err error) {
		conn, err = b.store.Connections.Get(tx, lg.Flow.ConnectionID)
		return err
	})
	if err != nil {
		return federation.VerifiedIdentity{}, err
	}
	return b.federation.Return(r.Context(), conn, *lg.Flow, r.URL.Query())
}
