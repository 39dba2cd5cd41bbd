package broker

import (
	"errors"
	"net/http"
	"time"

	"gatehouse/broker/session"
	"gatehouse/provisioning"
	"gatehouse/store"
)

// authorize is the authorization endpoint (RFC 6749 §3.1, OpenID Connect Core
// §3.1.2), GET and POST. It only decides what comes next; see next.
func (b *Broker) authorize(w http.ResponseWriter, r *http.Request) {
	if !allowMethods(w, r, http.MethodGet, http.MethodPost) {
		return
	}
	f, err := readForm(r)
	if err != nil {
		b.refusePage(w, r, formFault(err))
		return
	}
	req, err := b.parseRequest(r.Context(), f)
	if err != nil {
		b.refuse(w, r, req, err)
		return
	}
	b.next(w, r, req)
}

// next sends a proven request on: to a code when a live session satisfies it,
// to consent, to the login pages, or back to the app when it asked for no
// pages at all (prompt=none).
func (b *Broker) next(w http.ResponseWriter, r *http.Request, req *request) {
	sess, standing, err := b.liveSession(r, req)
	if err != nil {
		b.refuse(w, r, req, err)
		return
	}
	silent := req.prompts("none")
	switch {
	case standing == nil && silent:
		b.refuse(w, r, req, errCode("login_required", "Nobody is signed in who satisfies the request."))
	case standing == nil:
		b.startLogin(w, r, req)
	default:
		needs, err := b.needsConsent(r, req, sess.UserID)
		switch {
		case err != nil:
			b.refuse(w, r, req, err)
		case needs && silent:
			b.refuse(w, r, req, errCode("consent_required", "The person has not allowed this app yet."))
		case needs:
			b.startConsent(w, r, req, sess)
		default:
			b.issueToSession(w, r, req, nil, sess)
		}
	}
}

// liveSession returns the browser's session and the gate's word when both
// satisfy the request; a nil standing means that somebody has to sign in.
func (b *Broker) liveSession(r *http.Request, req *request) (store.Session, *provisioning.Standing, error) {
	sess, err := b.sessions.Load(r)
	if errors.Is(err, session.ErrNone) {
		return sess, nil, nil
	}
	if err != nil {
		return sess, nil, errUnavailable(err)
	}
	if !satisfies(sess, req, b.now()) {
		return sess, nil, nil
	}
	standing, err := b.gate(r.Context(), sess.UserID, req.Client.ID, sess.ConnectionID)
	if errors.Is(err, provisioning.ErrNotAllowed) {
		return sess, nil, nil // sign in again: perhaps another person or connection may
	}
	if err != nil {
		return sess, nil, errUnavailable(err)
	}
	return sess, &standing, nil
}

// satisfies compares a live session with what the request asks (OpenID Connect
// Core §3.1.2.1). What the browser did before never overrules the app.
func satisfies(s store.Session, req *request, now time.Time) bool {
	switch {
	case req.prompts("login") || req.prompts("select_account"):
		return false
	case req.MaxAge != nil && now.Sub(s.AuthTime) >= time.Duration(*req.MaxAge)*time.Second:
		return false
	case req.HintSubject != "" && req.HintSubject != s.UserID:
		return false
	case req.Organization != "" && req.Organization != s.OrganizationID:
		return false
	case req.Connection != "" && req.Connection != s.ConnectionID:
		return false
	}
	return true
}
