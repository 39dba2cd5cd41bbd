package broker

import (
	"errors"
	"net/http"

	"gatehouse/broker/local"
	"gatehouse/store"
	"gatehouse/templates"
)

// halfway is locally for the pages between the password and the end.
func (b *Broker) halfway(w http.ResponseWriter, r *http.Request) (lg *login, req *request, f form, conn store.Connection, p localPerson, ok bool) {
	if lg, req, f, conn, ok = b.locally(w, r); !ok {
		return lg, req, f, conn, p, false
	}
	if lg.Local.UserID == "" {
		b.seeOther(w, lg, pathLocal+"?tx="+lg.ID)
		return lg, req, f, conn, p, false
	}
	p, err := b.localPerson(r, conn, lg.Local.UserID)
	if err != nil {
		b.fail(w, r, lg, req, failure{templates.ErrorInternal, http.StatusServiceUnavailable, errUnavailable(err)})
		return lg, req, f, conn, p, false
	}
	return lg, req, f, conn, p, true
}

// factorPage takes the second factor: a code or a passkey.
func (b *Broker) factorPage(w http.ResponseWriter, r *http.Request) {
	lg, req, f, conn, p, ok := b.halfway(w, r)
	if !ok {
		return
	}
	if r.Method != http.MethodPost {
		b.drawFactor(w, r, http.StatusOK, lg, req, p, "")
		return
	}
	if answer := f.Get("answer"); answer != "" && b.rp != nil {
		used, err := b.accounts.CheckPasskey(r.Context(), b.rp, passkeyBinding(lg), f.Get("ticket"), answer, r.RemoteAddr)
		if err == nil && used.UserID != lg.Local.UserID {
			err = local.ErrWrong
		}
		if err == nil {
			lg.Local.AMR, lg.Local.Factor = append(lg.Local.AMR, used.AMR...), true
			b.finishLocal(w, r, lg, req, conn, func(tx store.Tx) error { return b.accounts.UsePasskey(tx, used) })
			return
		}
		b.refusedLocally(w, r, lg, req, err, func(status int, paused string) {
			b.drawFactor(w, r, status, lg, req, p, or(paused, sayPasskey))
		})
		return
	}
	err := b.accounts.Code(r.Context(), lg.Local.UserID, f.Get("code"), r.RemoteAddr)
	if err == nil {
		lg.Local.AMR, lg.Local.Factor = append(lg.Local.AMR, "otp", "mfa"), true
		b.finishLocal(w, r, lg, req, conn, nil)
		return
	}
	b.refusedLocally(w, r, lg, req, err, func(status int, paused string) {
		b.drawFactor(w, r, status, lg, req, p, or(paused, sayWrongCode))
	})
}

func (b *Broker) drawFactor(w http.ResponseWriter, r *http.Request, status int, lg *login, req *request, p localPerson, say string) {
	here := b.homeOf(lg.Host) + pathFactor + "?tx=" + lg.ID
	page := templates.FactorPage{
		App: app(req.Client), Action: here, Cancel: here, CSRF: lg.CSRF, Error: say, Code: p.has.TOTP || p.has.Recovery > 0, Leaves: true,
	}
	if p.has.Passkeys > 0 {
		passkey, err := b.askPasskey(r, lg, lg.Local.UserID, pathFactor)
		if err != nil {
			b.fail(w, r, lg, req, failure{templates.ErrorInternal, http.StatusServiceUnavailable, errUnavailable(err)})
			return
		}
		page.Passkey = passkey
	}
	b.drawn(r, b.in(r).Factor(w, status, page))
}

// enrolPage sets the first second factor up, for people whose role needs one,
// and shows the recovery codes before it goes on.
func (b *Broker) enrolPage(w http.ResponseWriter, r *http.Request) {
	lg, req, f, conn, p, ok := b.halfway(w, r)
	if !ok {
		return
	}
	switch {
	case lg.Local.Factor && r.Method == http.MethodPost: // the recovery codes were seen
		b.finishLocal(w, r, lg, req, conn, nil)
		return
	case p.has.Any(): // a password alone adds no factor to one that is there
		b.seeOther(w, lg, pathFactor+"?tx="+lg.ID)
		return
	case r.Method != http.MethodPost:
		b.drawEnrol(w, r, http.StatusOK, lg, req, p, "", "")
		return
	}
	keep, amr, err := b.enrolPosted(lg, f)
	codes := local.NewRecoveryCodes()
	if err == nil {
		err = b.store.Update(r.Context(), func(tx store.Tx) error {
			has, err := b.accounts.Factors(tx, lg.Local.UserID, b.rp)
			if err != nil {
				return err
			}
			if has.Any() { // somebody else was faster: then two know this password
				return local.ErrWrong
			}
			if err := errors.Join(b.accounts.Arrived(tx, lg.Local.proof()), keep(tx)); err != nil {
				return err
			}
			return b.accounts.KeepRecoveryCodes(tx, lg.Local.UserID, codes)
		})
	}
	if err != nil {
		b.refusedLocally(w, r, lg, req, err, func(status int, paused string) {
			b.drawEnrol(w, r, status, lg, req, p, f.Get("ticket"), or(paused, "The code is not right. Check the clock of your phone."))
		})
		return
	}
	lg.Local.AMR, lg.Local.Factor = append(lg.Local.AMR, amr...), true
	if err := b.saveLogin(w, r, lg); err != nil {
		b.refuseLogin(w, r, req, err)
		return
	}
	b.drawn(r, b.in(r).Recovery(w, http.StatusOK, templates.RecoveryPage{
		App: app(req.Client), Action: b.homeOf(lg.Host) + pathEnrol + "?tx=" + lg.ID, CSRF: lg.CSRF, Codes: codes.Plain, Leaves: true,
	}))
}

func (b *Broker) enrolPosted(lg *login, f form) (keep func(store.Tx) error, amr []string, err error) {
	if answer := f.Get("answer"); answer != "" && b.rp != nil {
		made, err := b.accounts.CheckNewPasskey(b.rp, lg.Local.UserID, passkeyBinding(lg), f.Get("ticket"), answer, f.Get("passkey_name"))
		return func(tx store.Tx) error { return b.accounts.KeepPasskey(tx, made) }, []string{"hwk", "mfa"}, err
	}
	confirmed, err := b.accounts.ConfirmTOTP(lg.Local.UserID, f.Get("ticket"), f.Get("code"))
	return func(tx store.Tx) error { return b.accounts.KeepTOTP(tx, confirmed) }, []string{"otp", "mfa"}, err
}

func (b *Broker) drawEnrol(w http.ResponseWriter, r *http.Request, status int, lg *login, req *request, p localPerson, ticket, say string) {
	here, account := b.homeOf(lg.Host)+pathEnrol+"?tx="+lg.ID, p.identity.Attributes.Email
	t, err := b.accounts.ContinueTOTP(lg.Local.UserID, account, ticket)
	page := templates.EnrolPage{
		App: app(req.Client), Action: here, Cancel: here, CSRF: lg.CSRF, Error: say, Must: true, QR: t.QR, Secret: t.Secret, Ticket: t.Ticket,
	}
	if err == nil && b.rp != nil && lg.Host == "" {
		var c local.Ceremony
		if c, err = b.accounts.NewPasskey(r.Context(), b.rp, lg.Local.UserID, account, passkeyBinding(lg)); err == nil {
			page.Passkey = &templates.Passkey{Action: here, CSRF: lg.CSRF, Options: c.Options, Ticket: c.Ticket, Create: true, Name: "Passkey"}
		}
	}
	if err != nil {
		b.fail(w, r, lg, req, failure{templates.ErrorInternal, http.StatusServiceUnavailable, errUnavailable(err)})
		return
	}
	b.drawn(r, b.in(r).Enrol(w, status, page))
}
