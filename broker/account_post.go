package broker

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"

	"gatehouse/broker/session"
	"gatehouse/provisioning"
	"gatehouse/store"
	"gatehouse/templates"
)

// Reasons kept with grants that people end on the account page.
const (
	endedByPerson = "ended_by_person"
)

// accountPosted opens a form of the account page: same origin (routes.go), of
// this session (its token), and of somebody who may still be here. With fresh
// the person signed in just now (SECURITY-CASES N6). On failure it has answered.
func (b *Broker) accountPosted(w http.ResponseWriter, r *http.Request, fresh bool) (own, form, bool) {
	f, err := readForm(r)
	if err != nil || len(f.repeated) > 0 {
		b.refusePage(w, r, formFault(err))
		return own{}, f, false
	}
	o, err := b.owner(r)
	switch {
	case errors.Is(err, session.ErrNone), errors.Is(err, provisioning.ErrNotAllowed):
		b.refusePage(w, r, &pageError{Kind: pageForm, Status: http.StatusForbidden, cause: err})
		return o, f, false
	case err != nil:
		b.refusePage(w, r, &pageError{Kind: pageInternal, Status: http.StatusServiceUnavailable, cause: err})
		return o, f, false
	case subtle.ConstantTimeCompare([]byte(f.Get("csrf")), []byte(b.accountToken(o.sess))) != 1:
		b.refusePage(w, r, &pageError{Kind: pageForm, Status: http.StatusForbidden})
		return o, f, false
	case fresh && !o.fresh(b.now()):
		b.drawAccount(w, r, http.StatusForbidden, o, "")
		return o, f, false
	}
	return o, f, true
}

func (b *Broker) accountDone(w http.ResponseWriter, r *http.Request, note templates.AccountNote) {
	b.seeOther(w, &login{Host: b.hostOf(r)}, pathAccount+"?done="+string(note))
}

// accountChanged answers for a change: done, or a page that says why not.
func (b *Broker) accountChanged(w http.ResponseWriter, r *http.Request, o own, err error, done templates.AccountNote) {
	note := templates.AccountNote("")
	switch {
	case err == nil:
		b.accountDone(w, r, done)
		return
	case errors.Is(err, provisioning.ErrLastIdentity):
		note = templates.NoteLastIdentity
	case errors.Is(err, provisioning.ErrLastOwner):
		note = templates.NoteLastOwner
	case errors.Is(err, store.ErrNotFound): // gone already
		b.accountDone(w, r, done)
		return
	case errors.Is(err, session.ErrNone), errors.Is(err, provisioning.ErrNotAllowed):
		b.refusePage(w, r, &pageError{Kind: pageForm, Status: http.StatusForbidden, cause: err})
		return
	default:
		b.refusePage(w, r, &pageError{Kind: pageInternal, Status: http.StatusServiceUnavailable, cause: err})
		return
	}
	b.drawAccount(w, r, http.StatusConflict, o, note)
}

// accountUnlink takes a way to sign in away.
func (b *Broker) accountUnlink(w http.ResponseWriter, r *http.Request) {
	o, f, ok := b.accountPosted(w, r, true)
	if !ok {
		return
	}
	err := b.store.Update(r.Context(), func(tx store.Tx) error {
		if _, err := b.stillOwn(tx, o.sess); err != nil {
			return err
		}
		for i, err := range b.store.Identities.AllByIndex(tx, "user", o.user.ID) {
			if err != nil {
				return err
			}
			if identityID(i) == f.Get("identity") {
				return b.provisioner.Unlink(tx, o.user.ID, store.IdentityKey(i.ConnectionID, i.Issuer, i.Subject), b.person(r, o))
			}
		}
		return store.ErrNotFound
	})
	b.accountChanged(w, r, o, err, templates.NoteUnlinked)
}

// person is the actor of what people do to themselves.
func (b *Broker) person(r *http.Request, o own) store.Actor {
	return store.Actor{UserID: o.user.ID, Via: "account", From: network(r.RemoteAddr), RequestID: requestID(r)}
}

// accountEnd ends what one app has on one device.
func (b *Broker) accountEnd(w http.ResponseWriter, r *http.Request) {
	o, f, ok := b.accountPosted(w, r, false)
	if !ok {
		return
	}
	err := b.store.Update(r.Context(), func(tx store.Tx) error {
		if _, err := b.stillOwn(tx, o.sess); err != nil {
			return err
		}
		g, err := b.store.Grants.Get(tx, f.Get("grant"))
		if err != nil {
			return err
		}
		if g.UserID != o.user.ID { // another's is as good as none
			return store.ErrNotFound
		}
		if err := b.provisioner.EndGrant(tx, g.ID, endedByPerson); err != nil {
			return err
		}
		return b.store.Record(tx, b.person(r, o), "grant.end", "grant/"+g.ID, map[string]any{"user": g.UserID, "client": g.ClientID})
	})
	b.accountChanged(w, r, o, err, templates.NoteEnded)
}

// accountSignOut ends everything, or everything but this browser.
func (b *Broker) accountSignOut(w http.ResponseWriter, r *http.Request) {
	o, f, ok := b.accountPosted(w, r, false)
	if !ok {
		return
	}
	keep := ""
	if f.Get("others") != "" {
		keep = o.sess.KeyHash
	}
	end := func(tx store.Tx) error {
		if _, err := b.stillOwn(tx, o.sess); err != nil {
			return err
		}
		if err := b.provisioner.EndElsewhere(tx, o.user.ID, keep, endedByPerson); err != nil {
			return err
		}
		return b.store.Record(tx, b.person(r, o), "user.sign_out", "user/"+o.user.ID, map[string]any{"but_this_browser": keep != ""})
	}
	if keep != "" {
		b.accountChanged(w, r, o, b.store.Update(r.Context(), end), templates.NoteEnded)
		return
	}
	if err := b.endUpstream(r.Context(), o.sess.KeyHash, end); err != nil {
		b.accountChanged(w, r, o, err, "")
		return
	}
	b.sessions.Clear(w)
	b.metrics.login("logout")
	b.seeOther(w, &login{Host: b.hostOf(r)}, pathSignedOut)
}

// accountFresh has the person sign in again, the way they did, with proof of it
// where the provider can give one.
func (b *Broker) accountFresh(w http.ResponseWriter, r *http.Request) {
	o, _, ok := b.accountPosted(w, r, false)
	if !ok {
		return
	}
	req := &request{
		Own: pathAccount, Organization: o.sess.OrganizationID, Connection: o.sess.ConnectionID,
		Params: url.Values{"organization": {o.sess.OrganizationID}, "connection": {o.sess.ConnectionID}},
	}
	var conn store.Connection
	err := b.store.View(r.Context(), func(tx store.Tx) (err error) {
		conn, err = b.store.Connections.Get(tx, o.sess.ConnectionID)
		return err
	})
	if err != nil {
		b.accountChanged(w, r, o, err, "")
		return
	}
	if conn.Kind != store.KindOAuth2 { // which has no way to ask for it
		req.Prompt = []string{"login"}
		req.Params.Set("prompt", "login")
	}
	b.startLogin(w, r, req)
}

// accountPassword mails the owner of a local account a link for a new password.
func (b *Broker) accountPassword(w http.ResponseWriter, r *http.Request) {
	o, _, ok := b.accountPosted(w, r, true)
	if !ok {
		return
	}
	var address string
	err := b.store.View(r.Context(), func(tx store.Tx) (err error) {
		address, _, err = b.accounts.Login(tx, o.user.ID)
		return err
	})
	if err == nil {
		err = b.accounts.AskReset(r.Context(), address, r.RemoteAddr, b.languageOf(r))
	}
	if err != nil {
		b.accountChanged(w, r, o, err, "")
		return
	}
	b.drawn(r, b.in(r).Forgot(w, http.StatusOK, templates.ForgotPage{Sent: true, Back: b.homeOf(b.hostOf(r)) + pathAccount}))
}
