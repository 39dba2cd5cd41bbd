package broker

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"gatehouse/broker/session"
	"gatehouse/provisioning"
	"gatehouse/store"
	"gatehouse/templates"
)

// errInvitation: the link leads to no open invitation.
var errInvitation = errors.New("broker: no open invitation")

// invitationPage shows who invites. The GET uses nothing up: mail programs open
// links before people do. The token in the form is proof that the page was
// shown; the POST is of our own origin (routes.go) and begins a sign-in that
// carries the invitation in its sealed cookie.
func (b *Broker) invitationPage(w http.ResponseWriter, r *http.Request) {
	token := r.URL.Query().Get("t")
	if r.Method == http.MethodPost {
		f, err := readForm(r)
		if err != nil || len(f.repeated) > 0 {
			b.refusePage(w, r, formFault(err))
			return
		}
		token = f.Get("csrf")
	}
	i, org, inviter, err := b.invitation(r, store.HashToken(token))
	switch {
	case errors.Is(err, provisioning.ErrInvitationGone):
		b.refusePage(w, r, &pageError{Kind: string(templates.ErrorInvitationGone), Status: http.StatusNotFound, cause: errInvitation})
		return
	case err != nil:
		b.refusePage(w, r, &pageError{Kind: pageInternal, Status: http.StatusServiceUnavailable, cause: err})
		return
	}
	knows(r.Context(), org.ID)
	if r.Method == http.MethodPost {
		b.startInvited(w, r, i)
		return
	}
	b.drawn(r, b.in(r).Invitation(w, http.StatusOK, templates.InvitationPage{
		Organization: org.Title, Inviter: inviter, Email: i.Email, Expires: i.ExpiresAt, Action: b.issuer + pathInvitation, CSRF: token,
	}))
}

// invitation is the open invitation of a link, while its organization lets
// anybody sign in.
func (b *Broker) invitation(r *http.Request, hash string) (i store.Invitation, org store.Organization, inviter string, err error) {
	err = b.store.View(r.Context(), func(tx store.Tx) (err error) {
		if i, err = b.provisioner.InvitationByHash(tx, hash); err != nil {
			return err
		}
		if org, err = b.store.Organizations.Get(tx, i.OrganizationID); errors.Is(err, store.ErrNotFound) || err == nil && (org.Disabled || org.SignInOff) {
			return provisioning.ErrInvitationGone
		}
		if err != nil {
			return err
		}
		u, err := b.store.Users.Get(tx, i.InvitedBy)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		inviter = fullName(u.Attributes)
		return err
	})
	return i, org, inviter, err
}

// invitationOf is the open invitation that a login began with, if one did.
func (b *Broker) invitationOf(r *http.Request, lg *login) (store.Invitation, bool) {
	if lg.Invitation == "" {
		return store.Invitation{}, false
	}
	i, _, _, err := b.invitation(r, lg.Invitation)
	return i, err == nil
}

// startInvited begins the sign-in: where the address's domain leads within the
// organization, else at any of its connections.
func (b *Broker) startInvited(w http.ResponseWriter, r *http.Request, i store.Invitation) {
	req := &request{Own: pathWelcome, Organization: i.OrganizationID, Params: url.Values{"organization": {i.OrganizationID}}}
	lg := b.newLogin(r, req)
	lg.Invitation, lg.Email = i.Hash, i.Email
	b.asked(r, lg, req)
	if b.route(w, r, lg, req) {
		return
	}
	lg.Email = ""
	if b.route(w, r, lg, req) {
		return
	}
	b.fail(w, r, lg, req, failure{templates.ErrorNotAdmitted, http.StatusForbidden, errAccessDenied("The organization has no connection that is switched on.")})
}

// welcomePage is the end of an invitation that no app waits for.
func (b *Broker) welcomePage(w http.ResponseWriter, r *http.Request) {
	sess, err := b.sessions.Load(r)
	if err != nil {
		if errors.Is(err, session.ErrNone) {
			b.refusePage(w, r, &pageError{Kind: pageExpired, Status: http.StatusBadRequest, cause: err})
			return
		}
		b.refusePage(w, r, &pageError{Kind: pageInternal, Status: http.StatusServiceUnavailable, cause: err})
		return
	}
	page := templates.WelcomePage{}
	err = b.store.View(r.Context(), func(tx store.Tx) error {
		org, err := b.store.Organizations.Get(tx, sess.OrganizationID)
		if err != nil {
			return err
		}
		u, err := b.store.Users.Get(tx, sess.UserID)
		if err != nil {
			return err
		}
		knows(r.Context(), org.ID)
		page.Organization, page.Person = org.Title, u.Attributes.Email
		if page.Person == "" {
			page.Person = fullName(u.Attributes)
		}
		page.Apps, err = b.appsOf(tx, sess)
		return err
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		b.refusePage(w, r, &pageError{Kind: pageInternal, Status: http.StatusServiceUnavailable, cause: err})
		return
	}
	b.drawn(r, b.in(r).Welcome(w, http.StatusOK, page))
}

// maxApps bounds the list of the welcome page and what is looked at for it.
const maxApps = 50

// appsOf are the names of the apps that the gate would let the person use.
func (b *Broker) appsOf(tx store.Tx, sess store.Session) (names []string, err error) {
	clients, _, err := b.store.Clients.List(tx, store.Page{Limit: 500})
	if err != nil {
		return nil, err
	}
	for _, c := range clients {
		if c.Type == store.ClientService || c.ID == store.ConsoleClient || c.ThirdParty || len(names) == maxApps {
			continue
		}
		_, err := b.provisioner.Authorize(tx, sess.UserID, c.ID, sess.ConnectionID)
		switch {
		case err == nil:
			names = append(names, c.Name)
		case !errors.Is(err, provisioning.ErrNotAllowed):
			return nil, err
		}
	}
	slices.Sort(names)
	return names, nil
}
