package broker

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"

	"gatehouse/broker/local"
	"gatehouse/profile"
	"gatehouse/store"
	"gatehouse/templates"
)

// forgotPage takes an address and says the same whatever it is (SECURITY-CASES
// Y1).
func (b *Broker) forgotPage(w http.ResponseWriter, r *http.Request) {
	lg, req, f, _, ok := b.locally(w, r)
	if !ok {
		return
	}
	at := func(path string) string { return b.homeOf(lg.Host) + path + "?tx=" + lg.ID }
	if r.Method != http.MethodPost {
		b.drawn(r, b.in(r).Forgot(w, http.StatusOK, templates.ForgotPage{Action: at(pathForgot), CSRF: lg.CSRF, Email: lg.Email, Back: at(pathLocal)}))
		return
	}
	err := b.accounts.AskReset(r.Context(), f.Get("email"), r.RemoteAddr, b.languageOf(r))
	switch {
	case errors.Is(err, local.ErrPaused):
		b.refusePage(w, r, &pageError{Kind: string(templates.ErrorTooMany), Status: http.StatusTooManyRequests, cause: err})
	case err != nil:
		b.fail(w, r, lg, req, failure{templates.ErrorInternal, http.StatusServiceUnavailable, errUnavailable(err)})
	default:
		b.drawn(r, b.in(r).Forgot(w, http.StatusOK, templates.ForgotPage{Sent: true, Back: at(pathLocal)}))
	}
}

// linkToken is the form token of a page that a mailed link opened: it is tied
// to the link, which no other site knows.
func (b *Broker) linkToken(token string) string {
	m := hmac.New(sha256.New, b.formKey)
	m.Write([]byte("link\x00" + token))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// linked opens the page of a mailed link; the link itself is used up by the
// form, not by looking (mail scanners look). On failure it has answered.
func (b *Broker) linked(w http.ResponseWriter, r *http.Request, kind string) (link store.AccountLink, account, token string, f form, ok bool) {
	token = r.URL.Query().Get("token")
	if r.Method == http.MethodPost {
		var err error
		if f, err = readForm(r); err != nil || len(f.repeated) > 0 {
			b.refusePage(w, r, formFault(err))
			return link, "", "", f, false
		}
		token = f.Get("token")
		if !hmac.Equal([]byte(f.Get("csrf")), []byte(b.linkToken(token))) {
			b.refusePage(w, r, &pageError{Kind: pageForm, Status: http.StatusForbidden})
			return link, "", "", f, false
		}
	}
	err := b.store.View(r.Context(), func(tx store.Tx) (err error) {
		if link, err = b.accounts.Link(tx, kind, token); err != nil {
			return err
		}
		account, _, err = b.accounts.Login(tx, link.UserID)
		return err
	})
	if err != nil {
		b.linkFailed(w, r, err)
		return link, "", "", f, false
	}
	return link, account, token, f, true
}

func (b *Broker) linkFailed(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, local.ErrLink), errors.Is(err, local.ErrNoAccount):
		b.drawn(r, b.in(r).LocalNote(w, http.StatusGone, templates.LocalNotePage{Note: templates.NoteLinkGone}))
	case errors.Is(err, local.ErrTaken):
		b.drawn(r, b.in(r).LocalNote(w, http.StatusConflict, templates.LocalNotePage{Note: templates.NoteTaken}))
	default:
		b.refusePage(w, r, &pageError{Kind: pageInternal, Status: http.StatusServiceUnavailable, cause: err})
	}
}

// resetPage sets a new password with a mailed link. It signs nobody in: the
// second factor is asked for as always.
func (b *Broker) resetPage(w http.ResponseWriter, r *http.Request) {
	_, account, token, f, ok := b.linked(w, r, store.LinkResetPassword)
	if !ok {
		return
	}
	again := func(status int, say string) {
		b.drawn(r, b.in(r).NewPassword(w, status, templates.NewPasswordPage{
			Action: b.issuer + local.PathReset, CSRF: b.linkToken(token), Fields: []templates.Field{{Name: "token", Value: token}}, Account: account, Error: say,
		}))
	}
	if r.Method != http.MethodPost {
		again(http.StatusOK, "")
		return
	}
	if say := newPasswordFault(f, account); say != "" {
		again(http.StatusUnprocessableEntity, say)
		return
	}
	if !b.accounts.MayTry(r.RemoteAddr) {
		again(http.StatusTooManyRequests, sayPausedHere)
		return
	}
	hash, err := b.accounts.Hash(r.Context(), f.Get("password"))
	if err == nil {
		err = b.store.Update(r.Context(), func(tx store.Tx) error {
			userID, err := b.accounts.Reset(tx, token, hash, b.languageOf(r))
			if err != nil {
				return err
			}
			return b.byThemselves(tx, r, userID, "user.reset_password_by_mail")
		})
	}
	if err != nil {
		b.linkFailed(w, r, err)
		return
	}
	b.sessions.Clear(w)
	b.drawn(r, b.in(r).LocalNote(w, http.StatusOK, templates.LocalNotePage{Note: templates.NotePasswordSet}))
}

// provePage proves an address with a mailed link and the account's password:
// who gets the link without knowing the password is not the one who asked
// (SECURITY-CASES N3, N7).
func (b *Broker) provePage(w http.ResponseWriter, r *http.Request) {
	link, account, token, f, ok := b.linked(w, r, store.LinkProveEmail)
	if !ok {
		return
	}
	again := func(status int, say string) {
		b.drawn(r, b.in(r).Prove(w, status, templates.ProvePage{
			Action: b.issuer + local.PathProve, CSRF: b.linkToken(token), Fields: []templates.Field{{Name: "token", Value: token}},
			Account: account, Address: link.Email, Error: say,
		}))
	}
	if r.Method != http.MethodPost {
		again(http.StatusOK, "")
		return
	}
	proof, err := b.accounts.Again(r.Context(), link.UserID, f.Get("password"), r.RemoteAddr)
	if err == nil {
		err = b.store.Update(r.Context(), func(tx store.Tx) error {
			if err := b.accounts.Arrived(tx, proof); err != nil {
				return err
			}
			if err := b.accounts.ProveEmail(tx, token, proof.UserID); err != nil {
				return err
			}
			return b.byThemselves(tx, r, proof.UserID, "user.prove_email")
		})
	}
	switch {
	case err == nil:
		b.drawn(r, b.in(r).LocalNote(w, http.StatusOK, templates.LocalNotePage{Note: templates.NoteProven, Address: link.Email}))
	case errors.Is(err, local.ErrPaused):
		w.Header().Set("Retry-After", "30")
		again(http.StatusTooManyRequests, sayPausedHere)
	case errors.Is(err, local.ErrWrong):
		again(http.StatusUnauthorized, "The password is not right.")
	default:
		b.linkFailed(w, r, err)
	}
}

// byThemselves puts into the audit what people do to their own accounts.
func (b *Broker) byThemselves(tx store.Tx, r *http.Request, userID, action string) error {
	return b.store.Record(tx, store.Actor{UserID: userID, Via: "account", From: profile.Untrusted(r.RemoteAddr).Clean(64), RequestID: requestID(r)}, action, "user/"+userID, nil)
}
