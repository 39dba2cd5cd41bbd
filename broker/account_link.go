package broker

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"

	"gatehouse/federation"
	"gatehouse/profile"
	"gatehouse/provisioning"
	"gatehouse/store"
	"gatehouse/templates"
)

// linking is a login that adds a way to sign in to an account, instead of opening
// one. It lies in the login's sealed cookie, so what proves itself at its end is
// bound to the person and the session that began it, in this browser, once
// (SECURITY-CASES N6).
type linking struct {
	UserID  string `json:"u"`
	Session string `json:"s"` // key of the session that began it
	// Want is the only identity that may come (identityHash), or "" for any.
	Want string `json:"w,omitempty"`
	// Then is the login that waits meanwhile, or "".
	Then string `json:"t,omitempty"`
}

// suggested is what a newcomer proved who may be somebody already: which identity,
// so that no other is linked in its place.
type suggested struct {
	ConnectionID string   `json:"c"`
	Identity     string   `json:"i"` // identityHash
	Known        []string `json:"k"` // connections of the existing person
	Email        string   `json:"e,omitempty"`
	New          bool     `json:"n,omitempty"` // the person says: no, I am new here
}

func identityHash(id federation.VerifiedIdentity) string {
	sum := sha256.Sum256([]byte(store.IdentityKey(id.Connection().ID, id.Issuer(), id.Subject())))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// errNotWanted: another identity came than the one that was asked for, or the
// session that began the link is over.
var errNotWanted = errors.New("broker: not the link that was begun")

// offered is the login of this browser that waits for the person to link, if the
// page was reached from it.
func (b *Broker) offered(r *http.Request) (*login, bool) {
	lg := &login{}
	id := r.URL.Query().Get("then")
	if id == "" || b.sessions.LoadLogin(r, id, lg) != nil || lg.Suggested == nil || lg.Rehearsal != "" {
		return nil, false
	}
	lg.ID = id
	return lg, true
}

// accountLink begins a link: at a connection, or where an address leads. What the
// person came with as a newcomer may be linked right after signing in the old way.
func (b *Broker) accountLink(w http.ResponseWriter, r *http.Request) {
	o, f, ok := b.accountPosted(w, r, true)
	if !ok {
		return
	}
	req := &request{Own: pathAccount, Params: url.Values{}}
	if c := f.Get("connection"); c != "" {
		req.Connection = c
		req.Params.Set("connection", c)
	}
	lg := b.newLogin(r, req)
	lg.Link = &linking{UserID: o.user.ID, Session: o.sess.KeyHash}
	if then := f.Get("then"); then != "" {
		waits := &login{}
		if b.sessions.LoadLogin(r, then, waits) == nil && waits.Suggested != nil && waits.Suggested.ConnectionID == req.Connection {
			lg.Link.Want, lg.Link.Then = waits.Suggested.Identity, then
		}
	}
	b.asked(r, lg, req)
	if req.Connection == "" {
		email, err := profile.ParseEmail(f.Get("email"))
		if err != nil {
			b.drawAccount(w, r, http.StatusBadRequest, o, templates.NoteUnknownEmail)
			return
		}
		lg.Email = email.String()
	}
	if !b.route(w, r, lg, req) {
		b.drawAccount(w, r, http.StatusNotFound, o, templates.NoteUnknownEmail)
	}
}

// finishLink ends it: the other sign-in has proven itself. In one update the login
// is spent, the session and the person looked at again, and the identity linked.
// also makes single-use proofs count.
func (b *Broker) finishLink(w http.ResponseWriter, r *http.Request, lg *login, id federation.VerifiedIdentity, also func(store.Tx, provisioning.Decision) error) {
	step := store.Step(r.Context(), store.StepAdmit, store.ConnectionID(id.Connection().ID))
	o, err := b.owner(r)
	if err == nil && (o.sess.KeyHash != lg.Link.Session || o.user.ID != lg.Link.UserID || lg.Link.Want != "" && lg.Link.Want != identityHash(id)) {
		err = errNotWanted
	}
	if err == nil {
		err = b.store.Update(r.Context(), func(tx store.Tx) error {
			if err := b.spendLogin(tx, lg); err != nil {
				return err
			}
			if _, err := b.stillOwn(tx, o.sess); err != nil {
				return err
			}
			if also != nil {
				if err := also(tx, provisioning.Decision{}); err != nil {
					return err
				}
			}
			_, err := b.provisioner.Link(tx, o.user.ID, id, b.person(r, o))
			return err
		})
	}
	b.sessions.ClearLogin(w, lg.ID)
	if err != nil {
		step.Done(err)
		store.TraceOf(r.Context()).Outcome(store.OutcomeRefused)
		b.logger.Warn("link refused", "login", lg.Correlation, "connection", id.Connection().ID, "cause", err.Error(), "request_id", requestID(r))
		b.linkRefused(w, r, o, err)
		return
	}
	admitted(r, step, provisioning.Decision{Kind: provisioning.Linked, UserID: o.user.ID, OrganizationID: id.Connection().OrganizationID, Why: "the person proved both sign-ins"})
	step.Done(nil)
	store.TraceOf(r.Context()).Outcome(store.OutcomeSignedIn)
	b.metrics.login("linked")
	waits := &login{}
	if lg.Link.Then != "" && b.sessions.LoadLogin(r, lg.Link.Then, waits) == nil && waits.Own == "" {
		// The app that the newcomer came for is still waiting: the session
		// satisfies its request now, or its login begins anew.
		b.sessions.ClearLogin(w, lg.Link.Then)
		b.seeOther(w, waits, pathAuthorize+"?"+waits.Params)
		return
	}
	b.accountDone(w, r, templates.NoteLinked)
}

func (b *Broker) linkRefused(w http.ResponseWriter, r *http.Request, o own, err error) {
	if o.user.ID == "" { // nobody is signed in here
		b.refusePage(w, r, &pageError{Kind: pageExpired, Status: http.StatusBadRequest, cause: err})
		return
	}
	note := templates.NoteLinkRefused
	switch {
	case errors.Is(err, errLoginUsed):
		b.refusePage(w, r, &pageError{Kind: pageExpired, Status: http.StatusBadRequest, cause: err})
		return
	case errors.Is(err, provisioning.ErrLinked):
		note = templates.NoteLinkTaken
	case errors.Is(err, provisioning.ErrLinkAsk):
		note = templates.NoteLinkAsk
	case errors.Is(err, errNotWanted):
		note = templates.NoteLinkOther
	case !errors.Is(err, provisioning.ErrNotAllowed):
		b.refusePage(w, r, &pageError{Kind: pageInternal, Status: http.StatusServiceUnavailable, cause: err})
		return
	}
	b.drawAccount(w, r, http.StatusConflict, o, note)
}

// asksWho stops a newcomer who may be somebody already and asks them; true when
// it has answered. It is asked once per login: "no" counts.
func (b *Broker) asksWho(w http.ResponseWriter, r *http.Request, lg *login, req *request, id federation.VerifiedIdentity, d provisioning.Decision) bool {
	fresh := d.Kind == provisioning.Created || d.Kind == provisioning.Pending && d.Request.CreatedAt.IsZero()
	if !fresh || lg.Suggested != nil && lg.Suggested.New && lg.Suggested.Identity == identityHash(id) {
		return false
	}
	var s provisioning.Suggestion
	err := b.store.View(r.Context(), func(tx store.Tx) (err error) {
		s, err = b.provisioner.Suggest(tx, id)
		return err
	})
	if err != nil {
		b.fail(w, r, lg, req, failure{templates.ErrorInternal, http.StatusServiceUnavailable, errUnavailable(err)})
		return true
	}
	if len(s.Connections) == 0 {
		return false
	}
	lg.Flow, lg.Local = nil, nil
	lg.Suggested = &suggested{ConnectionID: id.Connection().ID, Identity: identityHash(id), Email: id.Email().String()}
	for _, c := range s.Connections {
		lg.Suggested.Known = append(lg.Suggested.Known, c.ID)
	}
	if err := b.saveLogin(w, r, lg); err != nil {
		b.refuseLogin(w, r, req, err)
		return true
	}
	b.seeOther(w, lg, pathIsItYou+"?tx="+lg.ID)
	return true
}

// isItYouPage asks. "Yes" is a sign-in the old way, after which the account page
// offers the link; "no" goes on as a newcomer, by proving the new sign-in again.
func (b *Broker) isItYouPage(w http.ResponseWriter, r *http.Request) {
	var lg *login
	var req *request
	var f form
	var ok bool
	if r.Method == http.MethodPost {
		lg, req, f, ok = b.posted(w, r)
	} else {
		lg, req, ok = b.resume(w, r, r.URL.Query().Get("tx"))
	}
	if !ok {
		return
	}
	if lg.Suggested == nil {
		b.refusePage(w, r, &pageError{Kind: pageExpired, Status: http.StatusBadRequest, cause: errors.New("nothing was suggested")})
		return
	}
	here := b.homeOf(lg.Host) + pathIsItYou + "?tx=" + lg.ID
	page := templates.IsItYouPage{App: app(req.Client), Email: lg.Suggested.Email, Action: here, Cancel: here, CSRF: lg.CSRF}
	var again store.Connection
	err := b.store.View(r.Context(), func(tx store.Tx) (err error) {
		page.Choices = nil
		for _, id := range lg.Suggested.Known {
			c, err := b.store.Connections.Get(tx, id)
			if errors.Is(err, store.ErrNotFound) || err == nil && c.Disabled {
				continue
			}
			if err != nil {
				return err
			}
			page.Choices = append(page.Choices, templates.Choice{ID: c.ID, Title: c.Title, PictureURL: c.Picture})
		}
		again, err = b.store.Connections.Get(tx, lg.Suggested.ConnectionID)
		return err
	})
	if err != nil {
		b.fail(w, r, lg, req, failure{templates.ErrorInternal, http.StatusServiceUnavailable, errUnavailable(err)})
		return
	}
	for _, c := range page.Choices {
		if f.Get("known") == c.ID && r.Method == http.MethodPost {
			old := &request{Own: pathAccount + "?" + url.Values{"then": {lg.ID}}.Encode(), Connection: c.ID, Params: url.Values{"connection": {c.ID}}}
			b.startLogin(w, r, old)
			return
		}
	}
	if r.Method == http.MethodPost && f.Get("new") != "" {
		lg.Suggested.New = true
		b.depart(w, r, lg, req, again)
		return
	}
	status := http.StatusOK
	if r.Method == http.MethodPost {
		status = http.StatusBadRequest
	}
	b.drawn(r, b.in(r).IsItYou(w, status, page))
}
