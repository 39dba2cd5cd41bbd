package broker

import (
	"net/http"
	"time"

	"gatehouse/federation"
	"gatehouse/provisioning"
	"gatehouse/store"
	"gatehouse/templates"
)

// asking is a person who proved who they are and lacks the app: they may ask
// for it, from this browser, as long as the login lives.
type asking struct {
	UserID       string    `json:"u"`
	ConnectionID string    `json:"c"`
	AuthTime     time.Time `json:"t"`
	AMR          []string  `json:"m,omitempty"`
}

// offerAsking seals who may ask into the login and sends the browser to the
// page that offers it. Nothing is written.
func (b *Broker) offerAsking(w http.ResponseWriter, r *http.Request, lg *login, req *request, d provisioning.Decision, id *federation.VerifiedIdentity) {
	store.TraceOf(r.Context()).Outcome(store.OutcomeRefused)
	lg.Flow = nil
	lg.Asking = &asking{
		UserID: d.Asker, ConnectionID: id.Connection().ID,
		AuthTime: arrival{identity: id}.session(b.now()).AuthTime, AMR: id.AMR(),
	}
	if err := b.saveLogin(w, r, lg); err != nil {
		b.refuseLogin(w, r, req, err)
		return
	}
	b.seeOther(w, lg, pathAsk+"?tx="+lg.ID)
}

// askPage offers to ask for an app that has to be given, and takes the wish.
func (b *Broker) askPage(w http.ResponseWriter, r *http.Request) {
	var (
		lg  *login
		req *request
		f   form
		ok  bool
	)
	if r.Method == http.MethodPost {
		lg, req, f, ok = b.posted(w, r)
	} else {
		lg, req, ok = b.resume(w, r, r.URL.Query().Get("tx"))
	}
	if !ok {
		return
	}
	if lg.Asking == nil {
		b.refusePage(w, r, &pageError{Kind: pageExpired, Status: http.StatusBadRequest})
		return
	}
	if r.Method == http.MethodPost {
		b.asks(w, r, lg, req, f.Get("typed"))
		return
	}
	var org store.Organization
	err := b.store.View(r.Context(), func(tx store.Tx) error {
		conn, err := b.store.Connections.Get(tx, lg.Asking.ConnectionID)
		if err != nil {
			return err
		}
		org, err = b.store.Organizations.Get(tx, conn.OrganizationID)
		return err
	})
	if err != nil {
		b.admitFailed(w, r, lg, req, err)
		return
	}
	knows(r.Context(), org.ID)
	here := b.homeOf(lg.Host) + pathAsk + "?tx=" + lg.ID
	b.drawn(r, b.in(r).AppMissing(w, http.StatusForbidden, templates.AppMissingPage{
		App: app(req.Client), Organization: org.Title, Action: here, Cancel: here, CSRF: lg.CSRF,
		Correlation: lg.Correlation, Own: b.ownText(r, store.TextAppMissing),
	}))
}

// asks keeps the wish and goes on to the waiting room.
func (b *Broker) asks(w http.ResponseWriter, r *http.Request, lg *login, req *request, typed string) {
	wish := provisioning.Wish{
		RequestID: provisioning.Prepare().RequestID, UserID: lg.Asking.UserID, ConnectionID: lg.Asking.ConnectionID,
		ClientID: req.Client.ID, Typed: typed, Language: b.languageOf(r),
	}
	step := store.Step(r.Context(), store.StepAdmit, store.ConnectionID(wish.ConnectionID))
	var d provisioning.Decision
	err := b.store.Update(r.Context(), func(tx store.Tx) (err error) {
		d, err = b.provisioner.AskForApp(tx, wish)
		return err
	})
	if err != nil {
		step.Done(err)
		b.admitFailed(w, r, lg, req, err)
		return
	}
	admitted(r, step, d)
	b.logger.Info("app asked for", "login", lg.Correlation, "client", req.Client.ID, "decision", string(d.Kind), "why", d.Why, "request_id", requestID(r))
	switch {
	case d.Kind == provisioning.SignedIn:
		// Given in the meantime: the sign-in goes through when it is begun again.
		lg.Asking = nil
		b.next(w, r, req)
	case d.Request.ID == "":
		b.fail(w, r, lg, req, failure{pageOf(d.Reason), http.StatusForbidden, errAccessDenied("The person may not use this app.")})
	default:
		b.metrics.login("pending")
		store.TraceOf(r.Context()).Outcome(store.OutcomeWaiting)
		lg.Waiting = &waiting{RequestID: d.Request.ID, AuthTime: lg.Asking.AuthTime, AMR: lg.Asking.AMR}
		lg.Asking = nil
		if err := b.saveLogin(w, r, lg); err != nil {
			b.refuseLogin(w, r, req, err)
			return
		}
		b.seeOther(w, lg, pathWaiting+"?tx="+lg.ID)
	}
}
