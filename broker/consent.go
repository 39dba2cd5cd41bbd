package broker

import (
	"errors"
	"net/http"
	"slices"

	"gatehouse/broker/session"
	"gatehouse/store"
	"gatehouse/templates"
)

// needsConsent reports whether a third party's app must ask the person first:
// always with prompt=consent, else when it wants more than was allowed before.
func (b *Broker) needsConsent(r *http.Request, req *request, user string) (bool, error) {
	if !req.Client.ThirdParty {
		return false, nil
	}
	if req.prompts("consent") {
		return true, nil
	}
	var c store.Consent
	err := b.store.View(r.Context(), func(tx store.Tx) (err error) {
		c, err = b.store.Consents.Get(tx, store.ConsentKey(user, req.Client.ID))
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, errUnavailable(err)
	}
	return slices.ContainsFunc(req.Scopes, func(s string) bool { return !slices.Contains(c.Scopes, s) }), nil
}

// startConsent opens a login whose only step is consent, for a live session.
func (b *Broker) startConsent(w http.ResponseWriter, r *http.Request, req *request, by store.Session) {
	lg := b.newLogin(r, req)
	b.asked(r, lg, req)
	lg.Consent = by.KeyHash
	if err := b.saveLogin(w, r, lg); err != nil {
		b.refuseLogin(w, r, req, err)
		return
	}
	b.seeOther(w, lg, pathConsent+"?tx="+lg.ID)
}

// consentPage asks, and issues the code to the session that was asked.
func (b *Broker) consentPage(w http.ResponseWriter, r *http.Request) {
	var (
		lg  *login
		req *request
		ok  bool
	)
	if r.Method == http.MethodPost {
		lg, req, _, ok = b.posted(w, r)
	} else {
		lg, req, ok = b.resume(w, r, r.URL.Query().Get("tx"))
	}
	if !ok {
		return
	}
	sess, err := b.sessions.Load(r)
	if err != nil && !errors.Is(err, session.ErrNone) {
		b.refuse(w, r, req, errUnavailable(err))
		return
	}
	// Only the very session that was asked may answer (L6).
	if err != nil || lg.Consent == "" || sess.KeyHash != lg.Consent {
		b.refusePage(w, r, &pageError{Kind: pageExpired, Status: http.StatusBadRequest, cause: err})
		return
	}
	if r.Method != http.MethodPost {
		b.askConsent(w, r, lg, req, sess)
		return
	}
	b.issueToSession(w, r, req, lg, sess, func(tx store.Tx) error { return b.keepConsent(tx, sess.UserID, req) })
}

func (b *Broker) askConsent(w http.ResponseWriter, r *http.Request, lg *login, req *request, sess store.Session) {
	standing, err := b.gate(r.Context(), sess.UserID, req.Client.ID, sess.ConnectionID)
	if err != nil {
		b.admitFailed(w, r, lg, req, err)
		return
	}
	a := standing.User().Attributes
	person := a.Email
	if person == "" {
		person = fullName(a)
	}
	here := b.homeOf(lg.Host) + pathConsent + "?tx=" + lg.ID
	b.drawn(r, b.in(r).Consent(w, http.StatusOK, templates.ConsentPage{
		App: app(req.Client), Person: person, Scopes: req.Scopes, Action: here, Cancel: here, CSRF: lg.CSRF,
	}))
}

// keepConsent adds the scopes to what the person allowed before.
func (b *Broker) keepConsent(tx store.Tx, user string, req *request) error {
	key := store.ConsentKey(user, req.Client.ID)
	c, err := b.store.Consents.Get(tx, key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	known := err == nil
	c.UserID, c.ClientID, c.At = user, req.Client.ID, b.now().UTC()
	for _, s := range req.Scopes {
		if !slices.Contains(c.Scopes, s) {
			c.Scopes = append(c.Scopes, s)
		}
	}
	if known {
		return b.store.Consents.Put(tx, c)
	}
	return b.store.Consents.Insert(tx, c)
}
