package broker

import (
	"errors"
	"net/http"

	"gatehouse/broker/local"
	"gatehouse/federation"
	"gatehouse/profile"
	"gatehouse/provisioning"
	"gatehouse/store"
	"gatehouse/templates"
)

// joinPage makes the account of an invited person. The invitation's link was
// opened in this browser, so its address is proven.
func (b *Broker) joinPage(w http.ResponseWriter, r *http.Request) {
	lg, req, f, conn, ok := b.locally(w, r)
	if !ok {
		return
	}
	i, invited := b.invitationOf(r, lg)
	email, err := profile.ParseEmail(i.Email)
	if !invited || err != nil || i.OrganizationID != conn.OrganizationID {
		b.refusePage(w, r, &pageError{Kind: string(templates.ErrorNotAdmitted), Status: http.StatusForbidden, cause: errInvitation})
		return
	}
	name := i.Name
	again := func(status int, say string) {
		here := b.homeOf(lg.Host) + pathJoin + "?tx=" + lg.ID
		b.drawn(r, b.in(r).NewPassword(w, status, templates.NewPasswordPage{
			App: app(req.Client), Action: here, Cancel: here, CSRF: lg.CSRF, Account: email.String(), Join: true, Name: name, Error: say, Leaves: true,
		}))
	}
	if r.Method != http.MethodPost {
		again(http.StatusOK, "")
		return
	}
	name = profile.Untrusted(f.Get("name")).Clean(200)
	password := f.Get("password")
	if say := newPasswordFault(f, email.String()); say != "" {
		again(http.StatusUnprocessableEntity, say)
		return
	}
	if !b.accounts.MayTry(r.RemoteAddr) {
		again(http.StatusTooManyRequests, sayPausedHere)
		return
	}
	hash, err := b.accounts.Hash(r.Context(), password)
	if err != nil {
		b.fail(w, r, lg, req, failure{templates.ErrorInternal, http.StatusServiceUnavailable, errUnavailable(err)})
		return
	}
	prepared := b.prepared(r, lg, req)
	id, err := b.federation.LocalIdentity(conn, federation.LocalPerson{
		UserID: prepared.UserID, Attributes: profile.Attributes{Email: email.String(), DisplayName: name}, EmailProven: true, AuthTime: b.now(), AMR: []string{"pwd"},
	})
	var d provisioning.Decision
	if err == nil {
		d, err = b.makeAccount(r, req, id, prepared, email, hash)
	}
	switch {
	case errors.Is(err, local.ErrTaken):
		again(http.StatusConflict, "There is an account with this address already. Go back and sign in with it.")
	case err != nil:
		b.admitFailed(w, r, lg, req, err)
	case d.UserID == "":
		b.turnedAway(w, r, lg, req, d, &id)
	default:
		lg.Local = &localLogin{ConnectionID: conn.ID, UserID: d.UserID, AMR: []string{"pwd"}}
		b.afterPassword(w, r, lg, req, conn)
	}
}

// newPasswordFault is what is wrong with the two passwords of a form.
func newPasswordFault(f form, login string) string {
	if f.Get("password") != f.Get("password_again") {
		return "The two passwords differ."
	}
	if wrong := local.PasswordFault(f.Get("password"), login); wrong != "" {
		return "The password " + wrong + "."
	}
	return ""
}

// makeAccount admits the invited person and keeps the password in one update:
// user, identity and membership come from admission like everybody's.
func (b *Broker) makeAccount(r *http.Request, req *request, id federation.VerifiedIdentity, prepared provisioning.Prepared, email profile.Email, hash string) (d provisioning.Decision, err error) {
	if d, err = b.preview(r, id, req, prepared); err != nil || d.Kind != provisioning.Activated && d.Kind != provisioning.Created {
		d.UserID = ""
		return d, err
	}
	err = b.store.Update(r.Context(), func(tx store.Tx) (err error) {
		if err := b.accounts.Displace(tx, email, prepared.UserID); err != nil {
			return err
		}
		if err := b.accounts.Insert(tx, prepared.UserID, email, hash); err != nil {
			return err
		}
		if d, err = b.provisioner.Admit(tx, id, req.Client, prepared); err != nil {
			return err
		}
		if d.UserID != prepared.UserID {
			return errMoved
		}
		return nil
	})
	return d, err
}

// linkInvited gives an account of another organization an identity at this
// connection: its owner has just proven the password, and opened the mailed
// link of an invitation to the very address.
func (b *Broker) linkInvited(r *http.Request, lg *login, conn store.Connection) bool {
	i, invited := b.invitationOf(r, lg)
	if !invited || i.OrganizationID != conn.OrganizationID {
		return false
	}
	address, err := profile.ParseEmail(i.Email)
	if err != nil {
		return false
	}
	userID := lg.Local.UserID
	err = b.store.Update(r.Context(), func(tx store.Tx) error {
		login, _, err := b.accounts.Login(tx, userID)
		if err != nil {
			return err
		}
		if login != address.Key() {
			return errNoneHere
		}
		u, err := b.store.Users.Get(tx, userID)
		if err != nil {
			return err
		}
		a := profile.Attributes{FederationID: userID, Email: address.String(), DisplayName: u.Attributes.DisplayName, FirstName: u.Attributes.FirstName, LastName: u.Attributes.LastName}
		return b.store.Identities.Insert(tx, store.Identity{
			ConnectionID: conn.ID, Issuer: b.issuer, Subject: userID, UserID: userID, Attributes: a, EmailVerified: true,
			LinkedBy: "self", LinkedAt: b.now().UTC(),
		})
	})
	if err != nil && !errors.Is(err, errNoneHere) {
		b.logger.Warn("invited account not linked", "login", lg.Correlation, "cause", err.Error(), "request_id", requestID(r))
	}
	return err == nil
}
