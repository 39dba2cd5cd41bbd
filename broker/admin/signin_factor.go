package admin

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"gatehouse/broker/local"
	"gatehouse/store"
	"gatehouse/templates"
)

// halfFor is how long a sign-in may wait for its second factor.
const halfFor = 10 * time.Minute

// half is a sign-in whose password was right and whose second factor is not
// there yet. It lives in a sealed cookie and opens nothing: no session exists.
type half struct {
	UserID  string    `json:"u"`
	Changed time.Time `json:"c"` // of the password: another one ends the sign-in
	Until   time.Time `json:"t"`
	Next    string    `json:"n"`
}

func (h *Handler) goHalf(w http.ResponseWriter, r *http.Request, proof local.Proof, next, to string) {
	raw, err := json.Marshal(half{UserID: proof.UserID, Changed: proof.ChangedAt, Until: h.now().Add(halfFor), Next: next})
	if err != nil {
		h.pageError(w, r, Principal{}, err)
		return
	}
	h.cookies.set(w, cookieHalf, base64.RawURLEncoding.EncodeToString(h.halves.Seal(raw, []byte("half"))), int(halfFor.Seconds()))
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// halfOf reads the cookie; it is over when it is.
func (h *Handler) halfOf(r *http.Request) (half, bool) {
	var s half
	box, err := base64.RawURLEncoding.DecodeString(h.cookies.read(r, cookieHalf))
	if err != nil {
		return s, false
	}
	raw, _, err := h.halves.Open(box, []byte("half"))
	ok := err == nil && json.Unmarshal(raw, &s) == nil && s.UserID != "" && h.now().Before(s.Until)
	return s, ok
}

func (s half) proof() local.Proof { return local.Proof{UserID: s.UserID, ChangedAt: s.Changed} }

// halfway opens a page of a sign-in under way, with what the person has; else it
// sends the browser back to the beginning.
func (h *Handler) halfway(w http.ResponseWriter, r *http.Request) (half, local.Factors, bool) {
	s, ok := h.halfOf(r)
	if !ok {
		http.Redirect(w, r, "/signin", http.StatusSeeOther)
		return s, local.Factors{}, false
	}
	var has local.Factors
	if err := h.store.View(r.Context(), func(tx store.Tx) (err error) {
		has, err = h.accounts.Factors(tx, s.UserID, h.rp)
		return err
	}); err != nil {
		h.pageError(w, r, Principal{}, err)
		return s, has, false
	}
	return s, has, true
}

func (h *Handler) showFactor(w http.ResponseWriter, r *http.Request, _ Principal) {
	if s, has, ok := h.halfway(w, r); ok {
		h.drawFactor(w, r, http.StatusOK, s, has, "")
	}
}

func (h *Handler) drawFactor(w http.ResponseWriter, r *http.Request, status int, s half, has local.Factors, say string) {
	binding, csrf := h.anonymous(w, r)
	page := templates.FactorPage{Action: "/signin/factor", CSRF: csrf, Error: say, Code: has.TOTP || has.Recovery > 0}
	if has.Passkeys > 0 {
		passkey, err := h.askPasskey(r, s.UserID, binding, "/signin/factor", csrf, nil)
		if err != nil {
			h.pageError(w, r, Principal{}, err)
			return
		}
		page.Passkey = passkey
	}
	h.drawn(r, h.in(r, principalFrom(r.Context())).Factor(w, status, page))
}

// doFactor takes a code or a passkey after the password.
func (h *Handler) doFactor(w http.ResponseWriter, r *http.Request, _ Principal) {
	s, has, ok := h.halfway(w, r)
	if !ok {
		return
	}
	binding, _ := h.anonymous(w, r)
	method, use, wrong, err := h.factorPosted(r, s.UserID, binding)
	if err == nil {
		err = h.startSession(w, r, s.Next, begin{proof: s.proof(), amr: append([]string{"pwd"}, method...), factor: true, use: use})
		if err == nil {
			return
		}
	}
	if !h.refusedProof(w, r, err, wrong, func(status int, say string) { h.drawFactor(w, r, status, s, has, say) }) {
		h.pageError(w, r, Principal{}, err)
	}
}

// factorPosted proves the second factor of a form: a passkey's answer, or a
// code. use makes a passkey count in the Update that lets the person on.
func (h *Handler) factorPosted(r *http.Request, userID, binding string) (amr []string, use func(store.Tx) error, wrong string, err error) {
	if answer := r.PostForm.Get("answer"); answer != "" && h.rp != nil {
		used, err := h.accounts.CheckPasskey(r.Context(), h.rp, binding, r.PostForm.Get("ticket"), answer, remoteHost(r))
		if err == nil && used.UserID != userID {
			err = local.ErrWrong
		}
		return used.AMR, func(tx store.Tx) error { return h.accounts.UsePasskey(tx, used) }, sayPasskey, err
	}
	err = h.accounts.Code(r.Context(), userID, r.PostForm.Get("code"), remoteHost(r))
	return []string{"otp", "mfa"}, nil, sayCode, err
}

// showEnrol leads somebody whose role needs a second factor to their first one.
func (h *Handler) showEnrol(w http.ResponseWriter, r *http.Request, _ Principal) {
	s, has, ok := h.halfway(w, r)
	if !ok {
		return
	}
	if has.Any() { // a password alone adds no factor to one that is there
		http.Redirect(w, r, "/signin/factor", http.StatusSeeOther)
		return
	}
	_, csrf := h.anonymous(w, r)
	h.drawEnrol(w, r, http.StatusOK, enrolling{userID: s.UserID, binding: "half:" + s.UserID, csrf: csrf, action: "/signin/enrol", must: true})
}

// doEnrol keeps the first factor and shows the recovery codes; the session
// begins with it.
func (h *Handler) doEnrol(w http.ResponseWriter, r *http.Request, _ Principal) {
	s, has, ok := h.halfway(w, r)
	if !ok {
		return
	}
	if has.Any() {
		http.Redirect(w, r, "/signin/factor", http.StatusSeeOther)
		return
	}
	_, csrf := h.anonymous(w, r)
	e := enrolling{userID: s.UserID, binding: "half:" + s.UserID, csrf: csrf, action: "/signin/enrol", must: true}
	keep, amr, err := h.enrolPosted(r, e)
	if err == nil {
		codes := local.NewRecoveryCodes()
		var hash string
		hash, err = h.beginSession(w, r, begin{
			proof: s.proof(), amr: append([]string{"pwd"}, amr...), factor: true,
			use: func(tx store.Tx) error {
				has, err := h.accounts.Factors(tx, s.UserID, h.rp)
				if err != nil {
					return err
				}
				if has.Any() { // somebody else was faster: then this password is known to two
					return local.ErrWrong
				}
				if err := keep(tx); err != nil {
					return err
				}
				return h.accounts.KeepRecoveryCodes(tx, s.UserID, codes)
			},
		})
		if err == nil {
			h.drawRecovery(w, r, h.csrf.token(hash), s.Next, codes)
			return
		}
	}
	again := func(status int, say string) {
		e.say, e.ticket = say, r.PostForm.Get("ticket")
		h.drawEnrol(w, r, status, e)
	}
	if errors.Is(err, local.ErrTooMany) {
		again(http.StatusConflict, "There are twenty passkeys already. Remove one first.")
		return
	}
	if !h.refusedProof(w, r, err, "The code is not right. Check the clock of your phone.", again) {
		h.pageError(w, r, Principal{}, err)
	}
}

// drawRecovery shows recovery codes, this once.
func (h *Handler) drawRecovery(w http.ResponseWriter, r *http.Request, csrf, next string, codes local.RecoveryCodes) {
	h.drawn(r, h.in(r, principalFrom(r.Context())).Recovery(w, http.StatusOK, templates.RecoveryPage{
		Action: "/recovery-kept", CSRF: csrf, Codes: codes.Plain, Fields: []templates.Field{{Name: "next", Value: next}},
	}))
}

// doRecoveryKept goes on from the page of recovery codes.
func (h *Handler) doRecoveryKept(w http.ResponseWriter, r *http.Request, _ Principal) {
	http.Redirect(w, r, localPath(r.PostForm.Get("next")), http.StatusSeeOther)
}

// enrolling is a page on which a factor is set up.
type enrolling struct {
	userID, binding, csrf, action string
	back                          string
	must, passkeyOnly             bool
	say, ticket                   string
}

func (h *Handler) drawEnrol(w http.ResponseWriter, r *http.Request, status int, e enrolling) {
	var account string
	if err := h.store.View(r.Context(), func(tx store.Tx) (err error) {
		account, _, err = h.accounts.Login(tx, e.userID)
		return err
	}); err != nil {
		h.pageError(w, r, principalFrom(r.Context()), err)
		return
	}
	page := templates.EnrolPage{Action: e.action, CSRF: e.csrf, Error: e.say, Must: e.must, Back: e.back, PasskeyOnly: e.passkeyOnly}
	if !e.passkeyOnly {
		t, err := h.accounts.ContinueTOTP(e.userID, account, e.ticket)
		if err != nil {
			h.pageError(w, r, principalFrom(r.Context()), err)
			return
		}
		page.QR, page.Secret, page.Ticket = t.QR, t.Secret, t.Ticket
	}
	if h.rp != nil && (e.must || e.passkeyOnly) {
		c, err := h.accounts.NewPasskey(r.Context(), h.rp, e.userID, account, e.binding)
		if err != nil {
			h.pageError(w, r, principalFrom(r.Context()), err)
			return
		}
		page.Passkey = &templates.Passkey{Action: e.action, CSRF: e.csrf, Options: c.Options, Ticket: c.Ticket, Create: true, Name: "Passkey"}
	}
	h.drawn(r, h.in(r, principalFrom(r.Context())).Enrol(w, status, page))
}

// enrolPosted checks what the page of drawEnrol posted; keep puts it in force.
func (h *Handler) enrolPosted(r *http.Request, e enrolling) (keep func(store.Tx) error, amr []string, err error) {
	ticket := r.PostForm.Get("ticket")
	if answer := r.PostForm.Get("answer"); answer != "" && h.rp != nil {
		made, err := h.accounts.CheckNewPasskey(h.rp, e.userID, e.binding, ticket, answer, r.PostForm.Get("passkey_name"))
		return func(tx store.Tx) error { return h.accounts.KeepPasskey(tx, made) }, []string{"hwk", "mfa"}, err
	}
	confirmed, err := h.accounts.ConfirmTOTP(e.userID, ticket, r.PostForm.Get("code"))
	return func(tx store.Tx) error { return h.accounts.KeepTOTP(tx, confirmed) }, []string{"otp", "mfa"}, err
}
