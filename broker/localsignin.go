package broker

import (
	"errors"
	"net/http"
	"time"

	"gatehouse/broker/local"
	"gatehouse/federation"
	"gatehouse/profile"
	"gatehouse/provisioning"
	"gatehouse/store"
	"gatehouse/templates"
)

// localLogin is a sign-in with an account that lives here: which connection it
// is at, and who has proven what so far. It travels in the login's sealed
// cookie; until the end nothing but failures is written.
type localLogin struct {
	ConnectionID string    `json:"c"`
	UserID       string    `json:"u,omitempty"` // whose password was right
	Changed      time.Time `json:"p,omitzero"`  // of that password
	AMR          []string  `json:"m,omitempty"`
	Factor       bool      `json:"f,omitempty"` // the second factor was right too, or just set up
}

func (l localLogin) proof() local.Proof { return local.Proof{UserID: l.UserID, ChangedAt: l.Changed} }

// Sentences of the local sign-in. All failures look the same (SECURITY-CASES Y1).
const (
	sayWrongLocal = "The address or the password is not right."
	sayWrongCode  = "The code is not right. Each code counts once: wait for the next one."
	sayPasskey    = "This passkey does not sign you in here."
	sayPausedHere = "Too many tries. Wait half a minute and try again."
)

// arriveAtLocal is depart for a connection of local accounts: nobody goes
// anywhere.
func (b *Broker) arriveAtLocal(w http.ResponseWriter, r *http.Request, lg *login, req *request, conn store.Connection) {
	store.TraceOf(r.Context()).About(store.About{Connection: conn.ID, Organization: conn.OrganizationID})
	store.Step(r.Context(), store.StepLeave, store.ConnectionID(conn.ID), store.Bool("local_accounts", true)).Done(nil)
	lg.Flow, lg.Local = nil, &localLogin{ConnectionID: conn.ID}
	if err := b.saveLogin(w, r, lg); err != nil {
		b.refuseLogin(w, r, req, err)
		return
	}
	b.seeOther(w, lg, pathLocal+"?tx="+lg.ID)
}

// locally opens a page of a local sign-in: the login, and its connection as it
// is now. With posted it is a form of that page. On failure it has answered.
func (b *Broker) locally(w http.ResponseWriter, r *http.Request) (lg *login, req *request, f form, conn store.Connection, ok bool) {
	if r.Method == http.MethodPost {
		lg, req, f, ok = b.posted(w, r)
	} else {
		lg, req, ok = b.resume(w, r, r.URL.Query().Get("tx"))
	}
	if !ok {
		return nil, nil, f, conn, false
	}
	if lg.Local == nil {
		b.refusePage(w, r, &pageError{Kind: pageExpired, Status: http.StatusBadRequest, cause: errors.New("not a local sign-in")})
		return nil, nil, f, conn, false
	}
	err := b.store.View(r.Context(), func(tx store.Tx) (err error) {
		conn, err = b.store.Connections.Get(tx, lg.Local.ConnectionID)
		return err
	})
	if err == nil && (conn.Kind != store.KindLocal || conn.Disabled) {
		err = store.ErrNotFound
	}
	if err != nil {
		b.fail(w, r, lg, req, failure{templates.ErrorNotAdmitted, http.StatusForbidden, errAccessDenied("The connection is switched off.").because(err)})
		return nil, nil, f, conn, false
	}
	knows(r.Context(), conn.OrganizationID)
	store.TraceOf(r.Context()).About(store.About{Connection: conn.ID, Organization: conn.OrganizationID})
	return lg, req, f, conn, true
}

// localPage shows and takes address and password.
func (b *Broker) localPage(w http.ResponseWriter, r *http.Request) {
	lg, req, f, conn, ok := b.locally(w, r)
	if !ok {
		return
	}
	if r.Method != http.MethodPost {
		b.drawLocal(w, r, http.StatusOK, lg, req, conn, lg.Email, "")
		return
	}
	email := f.Get("email")
	proof, err := b.accounts.SignIn(r.Context(), local.Try{Login: email, Password: f.Get("password"), From: r.RemoteAddr, Known: b.sessions.Known(r)})
	if err == nil {
		lg.Local = &localLogin{ConnectionID: conn.ID, UserID: proof.UserID, Changed: proof.ChangedAt, AMR: []string{"pwd"}}
		b.afterPassword(w, r, lg, req, conn)
		return
	}
	if len(email) > 254 {
		email = ""
	}
	b.refusedLocally(w, r, lg, req, err, func(status int, paused string) {
		b.drawLocal(w, r, status, lg, req, conn, email, or(paused, sayWrongLocal))
	})
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// refusedLocally answers a proof that does not count by drawing the page again,
// with the sentence of a pause or with "" for the page's own.
func (b *Broker) refusedLocally(w http.ResponseWriter, r *http.Request, lg *login, req *request, err error, again func(status int, paused string)) {
	switch {
	case errors.Is(err, local.ErrPaused):
		b.logger.Warn("local sign-in paused", "login", lg.Correlation, "connection", lg.Local.ConnectionID, "request_id", requestID(r))
		w.Header().Set("Retry-After", "30")
		again(http.StatusTooManyRequests, sayPausedHere)
	case errors.Is(err, local.ErrWrong):
		// Never what was typed: people type passwords into the wrong field.
		b.logger.Warn("local sign-in refused", "login", lg.Correlation, "connection", lg.Local.ConnectionID, "cause", store.Scrub(r.Context(), err.Error()), "request_id", requestID(r))
		again(http.StatusUnauthorized, "")
	default:
		b.fail(w, r, lg, req, failure{templates.ErrorInternal, http.StatusServiceUnavailable, errUnavailable(err)})
	}
}

func (b *Broker) drawLocal(w http.ResponseWriter, r *http.Request, status int, lg *login, req *request, conn store.Connection, email, say string) {
	at := func(path string) string { return b.homeOf(lg.Host) + path + "?tx=" + lg.ID }
	page := templates.LocalSignInPage{
		App: app(req.Client), Connection: conn.Title, Action: at(pathLocal), Cancel: at(pathLocal), CSRF: lg.CSRF, Email: email, Error: say,
		Forgot: at(pathForgot), Restart: at(pathLogin), Leaves: true,
	}
	if i, invited := b.invitationOf(r, lg); invited && i.OrganizationID == conn.OrganizationID {
		page.Join = at(pathJoin)
	}
	passkey, err := b.askPasskey(r, lg, "", pathLocalPasskey)
	if err != nil {
		b.fail(w, r, lg, req, failure{templates.ErrorInternal, http.StatusServiceUnavailable, errUnavailable(err)})
		return
	}
	page.Passkey = passkey
	b.drawn(r, b.in(r).LocalSignIn(w, status, page))
}

// askPasskey begins a ceremony for a page; nil where there can be none: the
// issuer is a network address, or the login is at a branded host.
func (b *Broker) askPasskey(r *http.Request, lg *login, userID, path string) (*templates.Passkey, error) {
	if b.rp == nil || lg.Host != "" {
		return nil, nil //nolint:nilnil // no form on the page
	}
	c, err := b.accounts.AskPasskey(r.Context(), b.rp, userID, passkeyBinding(lg))
	if err != nil {
		return nil, err
	}
	return &templates.Passkey{Action: b.issuer + path + "?tx=" + lg.ID, CSRF: lg.CSRF, Options: c.Options, Ticket: c.Ticket}, nil
}

// passkeyBinding ties a ceremony to the login of one tab.
func passkeyBinding(lg *login) string { return "login:" + lg.ID }

// localPasskeyPage takes a passkey in place of address and password: with its
// PIN or finger it is two factors at once.
func (b *Broker) localPasskeyPage(w http.ResponseWriter, r *http.Request) {
	lg, req, f, conn, ok := b.locally(w, r)
	if !ok {
		return
	}
	if b.rp == nil || lg.Host != "" {
		b.refusePage(w, r, &pageError{Kind: pageNotFound, Status: http.StatusNotFound})
		return
	}
	used, err := b.accounts.CheckPasskey(r.Context(), b.rp, passkeyBinding(lg), f.Get("ticket"), f.Get("answer"), r.RemoteAddr)
	if err != nil {
		b.refusedLocally(w, r, lg, req, err, func(status int, paused string) {
			b.drawLocal(w, r, status, lg, req, conn, lg.Email, or(paused, sayPasskey))
		})
		return
	}
	lg.Local = &localLogin{ConnectionID: conn.ID, UserID: used.UserID, AMR: used.AMR, Factor: true}
	b.finishLocal(w, r, lg, req, conn, func(tx store.Tx) error { return b.accounts.UsePasskey(tx, used) })
}

// localPerson is who a local account is at a connection.
type localPerson struct {
	identity store.Identity
	has      local.Factors
	must     bool // the roles demand a second factor
}

// errNoneHere: the account is not one of this connection. The person is told
// what a wrong password is told.
var errNoneHere = errors.New("broker: no account at this connection")

func (b *Broker) localPerson(r *http.Request, conn store.Connection, userID string) (p localPerson, err error) {
	err = b.store.View(r.Context(), func(tx store.Tx) error {
		p = localPerson{}
		p.identity, err = b.store.Identities.Get(tx, store.IdentityKey(conn.ID, b.issuer, userID))
		if errors.Is(err, store.ErrNotFound) {
			return errNoneHere
		}
		if err != nil {
			return err
		}
		if p.has, err = b.accounts.Factors(tx, userID, b.rp); err != nil {
			return err
		}
		p.must, err = b.demandsFactor(tx, userID)
		return err
	})
	return p, err
}

// demandsFactor: people with a role on the platform, and admins and owners of
// organizations, need a second factor.
func (b *Broker) demandsFactor(tx store.Tx, userID string) (bool, error) {
	if b.factorOptional {
		return false, nil
	}
	u, err := b.store.Users.Get(tx, userID)
	if err != nil || u.PlatformRole != "" {
		return err == nil, err
	}
	for m, err := range b.store.Memberships.AllByIndex(tx, "user", userID) {
		if err != nil || m.Role == store.RoleAdmin || m.Role == store.RoleOwner {
			return err == nil, err
		}
	}
	return false, nil
}

// afterPassword goes on from a password that was right: to the proof of the
// address, to the second factor, to setting one up, or in.
func (b *Broker) afterPassword(w http.ResponseWriter, r *http.Request, lg *login, req *request, conn store.Connection) {
	p, err := b.localPerson(r, conn, lg.Local.UserID)
	if errors.Is(err, errNoneHere) && b.linkInvited(r, lg, conn) {
		p, err = b.localPerson(r, conn, lg.Local.UserID)
	}
	switch {
	case errors.Is(err, errNoneHere):
		email := lg.Email
		lg.Local = &localLogin{ConnectionID: conn.ID}
		b.logger.Warn("local sign-in refused", "login", lg.Correlation, "connection", conn.ID, "cause", err.Error(), "request_id", requestID(r))
		b.drawLocal(w, r, http.StatusUnauthorized, lg, req, conn, email, sayWrongLocal)
		return
	case err != nil:
		b.fail(w, r, lg, req, failure{templates.ErrorInternal, http.StatusServiceUnavailable, errUnavailable(err)})
		return
	case !p.identity.EmailVerified:
		b.proveFirst(w, r, lg, req, p)
		return
	}
	next := ""
	switch {
	case p.has.Any():
		next = pathFactor
	case p.must:
		next = pathEnrol
	default:
		b.finishLocal(w, r, lg, req, conn, nil)
		return
	}
	if err := b.saveLogin(w, r, lg); err != nil {
		b.refuseLogin(w, r, req, err)
		return
	}
	b.seeOther(w, lg, next+"?tx="+lg.ID)
}

// proveFirst: an account whose address nobody has proven opens nothing
// (SECURITY-CASES N3); its owner gets the link once more.
func (b *Broker) proveFirst(w http.ResponseWriter, r *http.Request, lg *login, req *request, p localPerson) {
	address, err := profile.ParseEmail(p.identity.Attributes.Email)
	if err == nil {
		err = b.accounts.AskProof(r.Context(), p.identity.UserID, address, b.languageOf(r))
	}
	if err != nil {
		b.fail(w, r, lg, req, failure{templates.ErrorInternal, http.StatusServiceUnavailable, errUnavailable(err)})
		return
	}
	b.drawn(r, b.in(r).LocalNote(w, http.StatusOK, templates.LocalNotePage{Note: templates.NoteProveFirst, Back: b.homeOf(lg.Host) + pathLocal + "?tx=" + lg.ID}))
}

// finishLocal makes the verified identity and has it decided about like any
// other. use makes single-use proofs count in the update that lets the person in.
func (b *Broker) finishLocal(w http.ResponseWriter, r *http.Request, lg *login, req *request, conn store.Connection, use func(store.Tx) error) {
	who := *lg.Local
	p, err := b.localPerson(r, conn, who.UserID)
	switch {
	case errors.Is(err, errNoneHere) || err == nil && !p.identity.EmailVerified:
		lg.Local = &localLogin{ConnectionID: conn.ID}
		b.drawLocal(w, r, http.StatusUnauthorized, lg, req, conn, lg.Email, sayWrongLocal)
		return
	case err == nil && !who.Factor && (p.has.Any() || p.must):
		err = errors.New("broker: local sign-in without its second factor")
	}
	if err != nil {
		b.fail(w, r, lg, req, failure{templates.ErrorInternal, http.StatusServiceUnavailable, errUnavailable(err)})
		return
	}
	id, err := b.federation.LocalIdentity(conn, federation.LocalPerson{
		UserID: who.UserID, Attributes: p.identity.Attributes, EmailProven: p.identity.EmailVerified, AuthTime: b.now(), AMR: who.AMR,
	})
	if err != nil {
		b.fail(w, r, lg, req, failure{templates.ErrorInternal, http.StatusServiceUnavailable, errUnavailable(err)})
		return
	}
	store.Step(r.Context(), store.StepVerify, store.Bool("local_accounts", true), store.Bool("second_factor", who.Factor)).Done(nil)
	store.TraceOf(r.Context()).Proven()
	b.sessions.Know(w, b.accounts.KnownBrowser(who.UserID), local.KnownFor)
	b.admitWith(w, r, lg, req, id, b.prepared(r, lg, req), func(tx store.Tx, _ provisioning.Decision) error {
		err := b.accounts.Arrived(tx, who.proof())
		if err == nil && use != nil {
			err = use(tx)
		}
		if errors.Is(err, local.ErrWrong) { // the password changed, or the proof was used, meanwhile
			return errors.Join(errLoginUsed, err)
		}
		return err
	})
}

// makeWay ends what an account that carries this person's proven address
// unproven could still open (SECURITY-CASES N3).
func (b *Broker) makeWay(tx store.Tx, userID string) error {
	u, err := b.store.Users.Get(tx, userID)
	if err != nil || !u.EmailVerified {
		return err
	}
	address, err := profile.ParseEmail(u.Attributes.Email)
	if err != nil {
		return nil //nolint:nilerr // no address, nothing to make way for
	}
	return b.accounts.Displace(tx, address, userID)
}
