package admin

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"gatehouse/broker/local"
	"gatehouse/store"
	"gatehouse/templates"
)

// freshFor is how long a proof of who one is counts for dangerous changes.
const freshFor = 10 * time.Minute

// typeStepUp is the type of the problem a dangerous request gets that needs a
// fresh proof first.
const typeStepUp = "urn:gatehouse:problem:step-up"

// errStepUp: the change is dangerous and the last proof too old. Pages send the
// person to /confirm, the API answers 403 with typeStepUp.
var errStepUp = errors.New("admin: confirm first")

// fresh is nil when the caller has proven themselves not long ago. Only people
// at a browser are asked: an API token has scopes and an end, the operator has
// the data. Handlers call it for changes that are dangerous only sometimes;
// routes that always are say so in the table.
func (h *Handler) fresh(p Principal) error {
	if p.Via == viaConsole && h.now().Sub(p.provenAt) >= freshFor {
		return errStepUp
	}
	return nil
}

// goConfirm sends a browser to the page that asks, and from there back to the
// page whose form it has posted.
func (h *Handler) goConfirm(w http.ResponseWriter, r *http.Request) {
	next := r.URL.RequestURI()
	if !safe(r.Method) {
		next = "/"
		if from, err := url.Parse(r.Referer()); err == nil && from.Host == h.base.Host {
			next = from.RequestURI()
		}
	}
	http.Redirect(w, r, "/confirm?"+url.Values{"next": {localPath(next)}}.Encode(), http.StatusSeeOther)
}

func (h *Handler) showConfirm(w http.ResponseWriter, r *http.Request, p Principal) {
	next := localPath(r.URL.Query().Get("next"))
	if p.connection != "" { // what proves them is their company's
		http.Redirect(w, r, "/signin/company?"+url.Values{"again": {"1"}, "next": {next}}.Encode(), http.StatusSeeOther)
		return
	}
	h.drawConfirm(w, r, http.StatusOK, p, next, "")
}

// drawConfirm asks for a second factor, or for the password of who has none.
func (h *Handler) drawConfirm(w http.ResponseWriter, r *http.Request, status int, p Principal, next, say string) {
	has, err := h.factorsOf(r, p.UserID)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	csrf := h.csrf.token(p.credential.sessionHash)
	page := templates.FactorPage{
		Action: "/confirm", CSRF: csrf, Confirm: true, Back: next, Error: say, Code: has.TOTP || has.Any() && has.Recovery > 0, Password: !has.Any(),
		Fields: []templates.Field{{Name: "next", Value: next}},
	}
	if has.Passkeys > 0 {
		if page.Passkey, err = h.askPasskey(r, p.UserID, p.credential.sessionHash, "/confirm", csrf, page.Fields); err != nil {
			h.pageError(w, r, p, err)
			return
		}
	}
	h.drawn(r, h.in(r, p).Factor(w, status, page))
}

func (h *Handler) factorsOf(r *http.Request, userID string) (has local.Factors, err error) {
	err = h.store.View(r.Context(), func(tx store.Tx) error {
		has, err = h.accounts.Factors(tx, userID, h.rp)
		return err
	})
	return has, err
}

// doConfirm takes the proof. The session gets a new id (L1).
func (h *Handler) doConfirm(w http.ResponseWriter, r *http.Request, p Principal) {
	next := localPath(r.PostForm.Get("next"))
	has, err := h.factorsOf(r, p.UserID)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	var use func(store.Tx) error
	wrong := "The password is not right."
	if has.Any() {
		_, use, wrong, err = h.factorPosted(r, p.UserID, p.credential.sessionHash)
	} else {
		_, err = h.accounts.Again(r.Context(), p.UserID, r.PostForm.Get("password"), remoteHost(r))
	}
	if err == nil {
		_, err = h.renewSession(w, r, p, "session.confirm", use)
	}
	if err == nil {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	if !h.refusedProof(w, r, err, wrong, func(status int, say string) { h.drawConfirm(w, r, status, p, next, say) }) {
		h.pageError(w, r, p, err)
	}
}

// renewSession gives the caller's session a new id and counts it as freshly
// proven, in the Update in which use makes the proof count. Its sid stays.
// keyHash is the new key.
func (h *Handler) renewSession(w http.ResponseWriter, r *http.Request, p Principal, action string, use func(store.Tx) error) (keyHash string, err error) {
	value := randomValue()
	err = h.change(r.Context(), p, func(ch *store.Change) error {
		s, err := h.validSession(ch.Tx, p.credential.sessionHash)
		if err != nil {
			return err
		}
		if use != nil {
			if err := use(ch.Tx); err != nil {
				return err
			}
		}
		if err := h.store.Sessions.Delete(ch.Tx, s.KeyHash); err != nil {
			return err
		}
		s.KeyHash, s.FactorAt = store.HashToken(value), h.now().UTC()
		if err := h.store.Sessions.Insert(ch.Tx, s); err != nil {
			return err
		}
		return ch.Record(action, "session/"+s.SID, map[string]any{"user": p.UserID})
	})
	if err != nil {
		return "", err
	}
	h.cookies.set(w, cookieSession, value, 0)
	return store.HashToken(value), nil
}
