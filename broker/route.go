package broker

import (
	"net/http"
	"slices"

	"gatehouse/federation"
	"gatehouse/profile"
	"gatehouse/store"
	"gatehouse/templates"
)

// candidates asks federation which connections may sign this person in.
func (b *Broker) candidates(r *http.Request, lg *login, req *request) (federation.Routing, error) {
	q := federation.Query{OrganizationID: req.Organization, ConnectionID: req.Connection, Client: req.Client}
	if lg.Email != "" {
		email, err := profile.ParseEmail(lg.Email)
		if err != nil {
			return federation.Routing{}, err
		}
		q.Email = email
	}
	var routing federation.Routing
	err := b.store.View(r.Context(), func(tx store.Tx) (err error) {
		routing, err = b.federation.Route(tx, q)
		return err
	})
	if err == nil {
		knowsFrom(r.Context(), routing.Candidates)
		routed(r.Context(), lg, q, routing)
	}
	return routing, err
}

// route sends the browser on: to the one provider there is, or to the chooser.
// It reports false when there is none; otherwise it has answered.
func (b *Broker) route(w http.ResponseWriter, r *http.Request, lg *login, req *request) bool {
	routing, err := b.candidates(r, lg, req)
	if err != nil {
		b.refuse(w, r, req, errUnavailable(err))
		return true
	}
	switch len(routing.Candidates) {
	case 0:
		store.TraceOf(r.Context()).Outcome(store.OutcomeFailed)
		return false
	case 1:
		b.depart(w, r, lg, req, routing.Candidates[0])
		return true
	}
	if err := b.saveLogin(w, r, lg); err != nil {
		b.refuseLogin(w, r, req, err)
		return true
	}
	b.seeOther(w, lg, pathChoose+"?tx="+lg.ID)
	return true
}

// choosePage lets the person pick one of several connections.
func (b *Broker) choosePage(w http.ResponseWriter, r *http.Request) {
	var (
		lg     *login
		req    *request
		f      form
		ok     bool
		chosen string
	)
	if r.Method == http.MethodPost {
		lg, req, f, ok = b.posted(w, r)
		chosen = f.Get("connection")
	} else {
		lg, req, ok = b.resume(w, r, r.URL.Query().Get("tx"))
	}
	if !ok {
		return
	}
	routing, err := b.candidates(r, lg, req)
	if err != nil {
		b.refuse(w, r, req, errUnavailable(err))
		return
	}
	// Only what routing offers can be picked (SECURITY-CASES E11).
	at := slices.IndexFunc(routing.Candidates, func(c store.Connection) bool { return c.ID == chosen })
	if chosen != "" && at >= 0 {
		b.depart(w, r, lg, req, routing.Candidates[at])
		return
	}
	here := b.homeOf(lg.Host) + pathChoose + "?tx=" + lg.ID
	page := templates.ChooserPage{
		App: app(req.Client), Action: here, Cancel: here, Restart: b.homeOf(lg.Host) + pathLogin + "?tx=" + lg.ID, CSRF: lg.CSRF, Email: lg.Email,
	}
	for _, c := range routing.Candidates {
		page.Choices = append(page.Choices, templates.Choice{ID: c.ID, Title: c.Title, PictureURL: c.Picture})
	}
	status := http.StatusOK
	if r.Method == http.MethodPost {
		status, page.Error = http.StatusBadRequest, "Choose one of the ways to sign in below."
	}
	b.drawn(r, b.in(r).Chooser(w, status, page))
}

// depart seals state, nonce and verifier into the login's cookie and sends the
// browser to the provider.
func (b *Broker) depart(w http.ResponseWriter, r *http.Request, lg *login, req *request, conn store.Connection) {
	if conn.Kind == store.KindLocal {
		b.arriveAtLocal(w, r, lg, req, conn)
		return
	}
	d := federation.DepartRequest{
		Tx: lg.ID, MaxAge: req.MaxAge, UILocales: req.UILocales,
		// A fresh sign-in here is one there too (SECURITY-CASES A12).
		ForceLogin: req.prompts("login") || (req.MaxAge != nil && *req.MaxAge == 0),
		Host:       lg.Host, Parameters: req.Forward, Session: b.sessionLookup(r),
	}
	if lg.Email != "" {
		d.LoginHint, _ = profile.ParseEmail(lg.Email) // parsed before it was kept
	}
	store.TraceOf(r.Context()).About(store.About{Connection: conn.ID, Organization: conn.OrganizationID})
	store.Step(r.Context(), store.StepLeave, store.ConnectionID(conn.ID), store.Bool("login_hint", !d.LoginHint.IsZero()), store.Bool("fresh_sign_in", d.ForceLogin))
	departure, err := b.federation.Depart(r.Context(), conn, d)
	store.EndStep(r.Context(), err)
	if err != nil {
		lg.Flow = &federation.Flow{ConnectionID: conn.ID}
		b.fail(w, r, lg, req, providerFailure(err))
		return
	}
	lg.Flow = &departure.Flow
	if err := b.saveLogin(w, r, lg); err != nil {
		b.refuseLogin(w, r, req, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", departure.URL)
	w.WriteHeader(http.StatusSeeOther)
}
