package broker

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"gatehouse/provisioning"
	"gatehouse/store"
	"gatehouse/templates"
)

const (
	// watchEvery is how often a waiting browser's request is looked up: well
	// within the two seconds promised, and cheap enough for every process to ask
	// its store instead of being told.
	watchEvery = 500 * time.Millisecond
	// watchFor ends an event stream; the browser's EventSource opens the next.
	watchFor = 5 * time.Minute
	// maxWatchers bounds the streams open at once (SECURITY-CASES W5).
	maxWatchers = 5000
)

// waitingPage is the waiting room of one login. It shows what happens next,
// and goes on to the app, or to the refusal, as soon as an admin has decided.
func (b *Broker) waitingPage(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		b.waitingPosted(w, r)
		return
	}
	lg, req, ok := b.resume(w, r, r.URL.Query().Get("tx"))
	if !ok {
		return
	}
	if lg.Waiting == nil {
		b.refusePage(w, r, &pageError{Kind: pageExpired, Status: http.StatusBadRequest})
		return
	}
	for range 3 {
		d, org, err := b.standingOf(r, lg, req)
		if err != nil {
			b.admitFailed(w, r, lg, req, err)
			return
		}
		switch d.Kind {
		case provisioning.Pending:
			b.showWaiting(w, r, lg, req, d, org)
			return
		case provisioning.Refused:
			admitted(r, store.Step(r.Context(), store.StepAdmit), d)
			store.TraceOf(r.Context()).Outcome(store.OutcomeRefused)
			b.forgetWaiting(r.Context(), lg)
			b.waitedInVain(w, r, lg, req, d, org)
			return
		}
		admitted(r, store.Step(r.Context(), store.StepAdmit), d)
		err = b.letIn(w, r, lg, req, arrival{waiting: lg.Waiting, decision: d})
		if err == nil {
			return
		}
		if !errors.Is(err, errMoved) {
			b.admitFailed(w, r, lg, req, err)
			return
		}
	}
	b.admitFailed(w, r, lg, req, errMoved)
}

// waitingPosted takes what a waiting person says, and the way back to the app;
// cancel is answered by posted.
func (b *Broker) waitingPosted(w http.ResponseWriter, r *http.Request) {
	lg, req, f, ok := b.posted(w, r)
	if !ok {
		return
	}
	say := b.provisioner.Say
	text := f.Get("typed")
	if f.Get("answer") != "" {
		say, text = b.provisioner.Answer, f.Get("answer")
	}
	if text == "" || lg.Waiting == nil {
		b.forgetWaiting(r.Context(), lg)
		b.sessions.ClearLogin(w, lg.ID)
		b.respondError(w, r, req, b.withHandle(errAccessDenied("The request for access was not granted."), lg, req))
		return
	}
	err := b.store.Update(r.Context(), func(tx store.Tx) error { return say(tx, lg.Waiting.RequestID, text) })
	switch {
	case errors.Is(err, provisioning.ErrDecided), errors.Is(err, provisioning.ErrExpired), errors.Is(err, provisioning.ErrTalk), errors.Is(err, store.ErrNotFound):
		// the page shows how it stands
	case err != nil:
		b.admitFailed(w, r, lg, req, err)
		return
	}
	b.seeOther(w, lg, pathWaiting+"?tx="+lg.ID)
}

// waitedInVain ends the waiting: with the admin's sentence when an admin said
// no, else with what else is in the way.
func (b *Broker) waitedInVain(w http.ResponseWriter, r *http.Request, lg *login, req *request, d provisioning.Decision, org store.Organization) {
	if d.Reason == provisioning.ReasonRefused {
		b.showRefused(w, r, lg, req, d, org)
		return
	}
	knows(r.Context(), org.ID)
	page := pageOf(d.Reason)
	if d.Reason == provisioning.ReasonExpired {
		page = templates.ErrorRequestExpired
	}
	b.fail(w, r, lg, req, failure{page, http.StatusForbidden, b.withHandle(errAccessDenied("The request for access was not granted."), lg, req)})
}

// standingOf looks up what became of the access request.
func (b *Broker) standingOf(r *http.Request, lg *login, req *request) (d provisioning.Decision, org store.Organization, err error) {
	err = b.store.View(r.Context(), func(tx store.Tx) error {
		if d, err = b.provisioner.Resume(tx, lg.Waiting.RequestID, req.Client); err != nil {
			return err
		}
		org, err = b.store.Organizations.Get(tx, d.Request.OrganizationID)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	})
	return d, org, err
}

func (b *Broker) showWaiting(w http.ResponseWriter, r *http.Request, lg *login, req *request, d provisioning.Decision, org store.Organization) {
	knows(r.Context(), org.ID)
	here := b.homeOf(lg.Host) + pathWaiting + "?tx=" + lg.ID
	say, question := here, provisioning.Question(d.Request)
	if d.Request.Typed != "" && question == "" {
		say = ""
	}
	b.drawn(r, b.in(r).Waiting(w, http.StatusOK, templates.WaitingPage{
		Own: b.ownText(r, store.TextWaiting), Say: say, Question: question, Said: d.Request.Typed,
		App: app(req.Client), Organization: org.Title, Email: d.Request.Snapshot.Email,
		Events: b.homeOf(lg.Host) + pathEvents + "?tx=" + lg.ID, Next: here, Cancel: here, CSRF: lg.CSRF, Correlation: lg.Correlation,
	}))
}

func (b *Broker) showRefused(w http.ResponseWriter, r *http.Request, lg *login, req *request, d provisioning.Decision, org store.Organization) {
	b.metrics.login("refused")
	knows(r.Context(), org.ID)
	b.drawn(r, b.in(r).Refused(w, http.StatusForbidden, templates.RefusedPage{
		App: app(req.Client), Organization: org.Title, Reason: d.Request.Reason,
		Action: b.homeOf(lg.Host) + pathWaiting + "?tx=" + lg.ID, CSRF: lg.CSRF, Correlation: lg.Correlation,
		Own: b.ownText(r, store.TextRefused),
	}))
}

// events tells a waiting browser, by server-sent events, when its request was
// decided. It looks instead of being told, so that a decision made by any
// process on the same store is seen.
func (b *Broker) events(w http.ResponseWriter, r *http.Request) {
	lg, req, ok := b.resume(w, r, r.URL.Query().Get("tx"))
	if !ok {
		return
	}
	flusher, streams := w.(http.Flusher)
	if lg.Waiting == nil || !streams {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if b.watchers.Add(1) > maxWatchers {
		b.watchers.Add(-1)
		w.Header().Set("Retry-After", "10")
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	defer b.watchers.Add(-1)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	limits := http.NewResponseController(w)
	_ = limits.SetWriteDeadline(time.Time{}) // a stream outlives the usual limits,
	_ = limits.SetReadDeadline(time.Time{})  // and the reading one would end r.Context
	fmt.Fprint(w, "retry: 1000\n\n")
	flusher.Flush()

	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	end := time.NewTimer(watchFor)
	defer end.Stop()
	asked := -1
	for {
		d, _, err := b.standingOf(r, lg, req)
		if said := len(d.Request.Messages); err == nil && d.Kind == provisioning.Pending {
			if asked >= 0 && said > asked && provisioning.Question(d.Request) != "" {
				fmt.Fprint(w, "event: asked\ndata: {}\n\n")
				flusher.Flush()
			}
			asked = said
		}
		if err != nil || d.Kind != provisioning.Pending {
			fmt.Fprint(w, "event: decided\ndata: {}\n\n")
			flusher.Flush()
			return
		}
		select {
		case <-tick.C:
		case <-end.C:
			return
		case <-r.Context().Done():
			return
		case <-b.closing:
			return
		}
	}
}
