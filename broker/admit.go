package broker

import (
	"errors"
	"net/http"
	"time"

	"gatehouse/broker/session"
	"gatehouse/federation"
	"gatehouse/provisioning"
	"gatehouse/store"
	"gatehouse/templates"
)

// errMoved: between the look and the update somebody else changed what was
// decided (two first logins at once, an approval); look again.
var errMoved = errors.New("broker: decision changed meanwhile")

// errLoginUsed: this login was finished before (SECURITY-CASES S1).
var errLoginUsed = errors.New("broker: login was finished before")

// admit asks provisioning what becomes of a verified person and carries it out:
// look first, make what is costly (the code), then decide again and write in
// one update.
func (b *Broker) admit(w http.ResponseWriter, r *http.Request, lg *login, req *request, id federation.VerifiedIdentity) {
	b.admitWith(w, r, lg, req, id, b.prepared(r, lg, req), nil)
}

// prepared are the ids that admission may need, and what the login brings along.
func (b *Broker) prepared(r *http.Request, lg *login, req *request) provisioning.Prepared {
	p := provisioning.Prepare()
	p.InvitationHash, p.NoApp, p.Language = lg.Invitation, req.Own != "", b.languageOf(r)
	return p
}

// admitWith is admit with more to write once the person is let in: also runs in
// the same update, right after the decision.
func (b *Broker) admitWith(w http.ResponseWriter, r *http.Request, lg *login, req *request, id federation.VerifiedIdentity, prepared provisioning.Prepared, also func(store.Tx, provisioning.Decision) error) {
	if lg.Link != nil {
		b.finishLink(w, r, lg, id, also)
		return
	}
	for range 3 {
		step := store.Step(r.Context(), store.StepAdmit, store.ConnectionID(id.Connection().ID), store.MailDomain("domain", id.Email()))
		d, err := b.preview(r, id, req, prepared)
		if err != nil {
			step.Done(err)
			b.fail(w, r, lg, req, failure{templates.ErrorInternal, http.StatusServiceUnavailable, errUnavailable(err)})
			return
		}
		admitted(r, step, d)
		b.logger.Info("admission decided", "login", lg.Correlation, "connection", id.Connection().ID, "decision", string(d.Kind), "why", d.Why, "request_id", requestID(r))
		if b.asksWho(w, r, lg, req, id, d) {
			return
		}
		switch d.Kind {
		case provisioning.Refused:
			b.turnedAway(w, r, lg, req, d, &id)
			return
		case provisioning.Pending:
			err = b.enqueue(w, r, lg, req, id, prepared)
		default:
			err = b.letIn(w, r, lg, req, arrival{identity: &id, decision: d, prepared: prepared, also: also})
		}
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

func (b *Broker) preview(r *http.Request, id federation.VerifiedIdentity, req *request, p provisioning.Prepared) (d provisioning.Decision, err error) {
	err = b.store.View(r.Context(), func(tx store.Tx) error {
		d, err = b.provisioner.Preview(tx, id, req.Client, p)
		return err
	})
	return d, err
}

// admitFailed answers an error of the update.
func (b *Broker) admitFailed(w http.ResponseWriter, r *http.Request, lg *login, req *request, err error) {
	switch {
	case errors.Is(err, errLoginUsed):
		b.sessions.ClearLogin(w, lg.ID)
		b.refusePage(w, r, &pageError{Kind: pageExpired, Status: http.StatusBadRequest, cause: err})
	case errors.Is(err, provisioning.ErrNotAllowed):
		b.fail(w, r, lg, req, failure{templates.ErrorNotAdmitted, http.StatusForbidden, errAccessDenied("The person may not use this app.").because(err)})
	case errors.Is(err, session.ErrTooBig):
		b.refuseLogin(w, r, req, err)
	default:
		b.fail(w, r, lg, req, failure{templates.ErrorInternal, http.StatusServiceUnavailable, errUnavailable(err)})
	}
}

// turnedAway shows a refusal: the admin's sentence when an admin said no, the
// way to ask for the app where there is one, else a fixed sentence. Never
// re-routed, never linked (SECURITY-CASES E9, E10).
func (b *Broker) turnedAway(w http.ResponseWriter, r *http.Request, lg *login, req *request, d provisioning.Decision, id *federation.VerifiedIdentity) {
	if d.MayAsk {
		b.offerAsking(w, r, lg, req, d, id)
		return
	}
	if d.Request.State == store.RequestRefused {
		store.TraceOf(r.Context()).Outcome(store.OutcomeRefused)
		lg.Flow = nil
		lg.Waiting = &waiting{RequestID: d.Request.ID}
		if err := b.saveLogin(w, r, lg); err != nil {
			b.refuseLogin(w, r, req, err)
			return
		}
		b.seeOther(w, lg, pathWaiting+"?tx="+lg.ID)
		return
	}
	b.fail(w, r, lg, req, failure{pageOf(d.Reason), http.StatusForbidden, errAccessDenied("The person was not admitted.")})
}

// pageOf is the error page of a refusal.
func pageOf(r provisioning.Reason) templates.ErrorKind {
	switch r {
	case provisioning.ReasonForeignEmail:
		return templates.ErrorWrongCompany
	case provisioning.ReasonAppNotAssigned:
		return templates.ErrorAppMissing
	case provisioning.ReasonInvitationOther:
		return templates.ErrorInvitationOther
	}
	return templates.ErrorNotAdmitted
}

// enqueue keeps the access request and sends the browser to the waiting room.
func (b *Broker) enqueue(w http.ResponseWriter, r *http.Request, lg *login, req *request, id federation.VerifiedIdentity, p provisioning.Prepared) error {
	var d provisioning.Decision
	err := b.store.Update(r.Context(), func(tx store.Tx) (err error) {
		if d, err = b.provisioner.Admit(tx, id, req.Client, p); err != nil {
			return err
		}
		if d.Kind != provisioning.Pending {
			return errMoved
		}
		return b.keepWaiting(tx, lg, &id)
	})
	if err != nil {
		return err
	}
	b.metrics.login("pending")
	store.TraceOf(r.Context()).Outcome(store.OutcomeWaiting)
	lg.Flow = nil
	lg.Waiting = &waiting{RequestID: d.Request.ID, AuthTime: arrival{identity: &id}.session(b.now()).AuthTime, AMR: id.AMR()}
	if err := b.saveLogin(w, r, lg); err != nil {
		return err
	}
	b.seeOther(w, lg, pathWaiting+"?tx="+lg.ID)
	return nil
}

// arrival is a person who gets in, from either way: a fresh identity, or a
// request an admin approved.
type arrival struct {
	identity *federation.VerifiedIdentity // nil when resumed from the waiting room
	waiting  *waiting
	decision provisioning.Decision
	prepared provisioning.Prepared
	also     func(store.Tx, provisioning.Decision) error // nil: nothing more
}

// session is the browser session the arrival begins.
func (a arrival) session(now time.Time) store.Session {
	s := store.Session{UserID: a.decision.UserID, OrganizationID: a.decision.OrganizationID}
	if a.identity != nil {
		s.ConnectionID, s.AuthTime, s.AMR = a.identity.Connection().ID, a.identity.AuthTime(), a.identity.AMR()
	} else {
		s.ConnectionID, s.AuthTime, s.AMR = a.decision.Request.ConnectionID, a.waiting.AuthTime, a.waiting.AMR
	}
	if s.AuthTime.IsZero() { // the provider did not say: then it is now, as far as we know
		s.AuthTime = now
	}
	s.AuthTime = wholeSeconds(s.AuthTime)
	if a.identity != nil && a.identity.Connection().Kind == store.KindLocal {
		s.FactorAt = s.AuthTime // everything the account has was asked for, just now
	}
	// What the provider calls its acr means something only there; federation
	// has held it against what the connection demands.
	s.ACR = acrFederated
	return s
}

// decide repeats the decision inside the update and writes what it demands.
func (b *Broker) decide(tx store.Tx, a arrival, req *request) error {
	var (
		d   provisioning.Decision
		err error
	)
	if a.identity != nil {
		d, err = b.provisioner.Admit(tx, *a.identity, req.Client, a.prepared)
	} else {
		d, err = b.provisioner.Resume(tx, a.waiting.RequestID, req.Client)
	}
	if err != nil {
		return err
	}
	if d.UserID != a.decision.UserID || d.OrganizationID != a.decision.OrganizationID || d.UserID == "" || d.Kind == provisioning.Refused {
		return errMoved
	}
	if a.also != nil {
		if err := a.also(tx, d); err != nil {
			return err
		}
	}
	if err := b.makeWay(tx, d.UserID); err != nil {
		return err
	}
	return b.store.Tell(tx, store.Event{
		Kind: store.EventSignedIn, OrganizationID: d.OrganizationID, Subject: d.UserID,
		Detail: map[string]string{"app": req.Client.ID, "connection": a.session(time.Time{}).ConnectionID},
	})
}

// letIn writes decision, session, spent login, grant and code in one update and
// answers. A third-party app gets its code only after consent.
func (b *Broker) letIn(w http.ResponseWriter, r *http.Request, lg *login, req *request, a arrival) error {
	step := store.Step(r.Context(), store.StepIssue, store.ClientID(req.Client.ID), store.Int("scopes", len(req.Scopes)))
	draft := b.sessions.Draft(a.session(b.now()))
	if req.HintSubject != "" && req.HintSubject != a.decision.UserID {
		b.fail(w, r, lg, req, failure{templates.ErrorNotAdmitted, http.StatusForbidden, errCode("login_required", "Another person signed in than the one in id_token_hint.")})
		return nil
	}
	consent, err := b.needsConsent(r, req, a.decision.UserID)
	if err != nil {
		return err
	}
	step.Add(store.Bool("consent_asked", consent))
	ctx, u := withUnit(r.Context())
	var made issued
	if !consent && req.Own == "" {
		if made, err = b.makeCode(ctx, req, draft.Record); err != nil {
			return err
		}
	}
	b.keepUpstream(u, lg, a, draft.Record.KeyHash, req.Client)
	old, _ := b.sessions.Load(r)
	err = b.store.Update(ctx, func(tx store.Tx) error {
		if err := b.decide(tx, a, req); err != nil {
			return err
		}
		if !consent {
			if err := b.spendLogin(tx, lg); err != nil {
				return err
			}
		}
		if old.KeyHash != "" { // a new id at each sign-in, the old one dies (L1)
			if err := b.store.Sessions.Delete(tx, old.KeyHash); err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
		bounded, err := b.boundSession(tx, draft.Record)
		if err != nil {
			return err
		}
		if err := b.store.Sessions.Insert(tx, bounded); err != nil {
			return err
		}
		return u.apply(tx)
	})
	if err != nil {
		return err
	}
	step.Done(nil)
	b.metrics.login(string(a.decision.Kind))
	if err := b.sessions.Set(w, r, draft); err != nil {
		return err
	}
	if consent {
		lg.Flow, lg.Waiting, lg.Consent = nil, nil, draft.Record.KeyHash
		if err := b.saveLogin(w, r, lg); err != nil {
			return err
		}
		b.seeOther(w, lg, pathConsent+"?tx="+lg.ID)
		return nil
	}
	store.TraceOf(r.Context()).Outcome(store.OutcomeSignedIn)
	b.sessions.ClearLogin(w, lg.ID)
	b.respond(w, r, req, made.params)
	return nil
}

// spendLogin makes a login single use.
func (b *Broker) spendLogin(tx store.Tx, lg *login) error {
	err := b.store.UsedLogins.Insert(tx, store.UsedLogin{ID: lg.ID, ExpiresAt: b.sessions.LoginExpiry(lg.Started)})
	if errors.Is(err, store.ErrExists) {
		return errLoginUsed
	}
	return err
}
