package broker

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"gatehouse/broker/local"
	"gatehouse/broker/session"
	"gatehouse/provisioning"
	"gatehouse/store"
	"gatehouse/templates"
)

// freshFor is how long after a sign-in ways to sign in may be changed.
const freshFor = 10 * time.Minute

// own is who looks at their account: the live session of this browser, which the
// gate lets be here now.
type own struct {
	sess store.Session
	user store.User
}

func (o own) fresh(now time.Time) bool { return now.Sub(o.sess.AuthTime) < freshFor }

// accountPage shows people who they are here: their ways to sign in, their apps
// and devices. Whoever is not signed in signs in first, like anywhere.
func (b *Broker) accountPage(w http.ResponseWriter, r *http.Request) {
	o, err := b.owner(r)
	switch {
	case errors.Is(err, session.ErrNone), errors.Is(err, provisioning.ErrNotAllowed):
		b.startLogin(w, r, &request{Own: ownPath(r), Params: url.Values{}})
	case err != nil:
		b.refusePage(w, r, &pageError{Kind: pageInternal, Status: http.StatusServiceUnavailable, cause: err})
	default:
		b.drawAccount(w, r, http.StatusOK, o, noteOf(r))
	}
}

// ownPath is the account page that a sign-in leads to: with the login that waits
// meanwhile, if there is one.
func ownPath(r *http.Request) string {
	if then := r.URL.Query().Get("then"); then != "" {
		return pathAccount + "?" + url.Values{"then": {then}}.Encode()
	}
	return pathAccount
}

// noteOf is what the page is told to say by the redirect to it: good news only.
func noteOf(r *http.Request) templates.AccountNote {
	if n := templates.AccountNote(r.URL.Query().Get("done")); n.Good() {
		return n
	}
	return ""
}

// owner finds out who it is: session.ErrNone without a session,
// provisioning.ErrNotAllowed for one that must not be here any more.
func (b *Broker) owner(r *http.Request) (o own, err error) {
	if o.sess, err = b.sessions.Load(r); err != nil {
		return o, err
	}
	err = b.store.View(r.Context(), func(tx store.Tx) error {
		o.user, err = b.stillOwn(tx, o.sess)
		return err
	})
	knows(r.Context(), o.sess.OrganizationID)
	return o, err
}

// stillOwn asks about a session inside a transaction.
func (b *Broker) stillOwn(tx store.Tx, s store.Session) (store.User, error) {
	now, err := b.store.Sessions.Get(tx, s.KeyHash)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && (now.UserID != s.UserID || !now.Valid(b.now())):
		return store.User{}, session.ErrNone
	case err != nil:
		return store.User{}, err
	}
	return b.provisioner.Present(tx, s.UserID, s.ConnectionID)
}

// accountToken is in every form of the account page: of this session and no other.
func (b *Broker) accountToken(s store.Session) string {
	m := hmac.New(sha256.New, b.formKey)
	m.Write([]byte("account\x00" + s.KeyHash))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// identityID names an identity on the page, without telling its subject.
func identityID(i store.Identity) string {
	sum := sha256.Sum256([]byte(store.IdentityKey(i.ConnectionID, i.Issuer, i.Subject)))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

func (b *Broker) drawAccount(w http.ResponseWriter, r *http.Request, status int, o own, note templates.AccountNote) {
	p := templates.AccountPage{
		CSRF: b.accountToken(o.sess), Note: note, Name: fullName(o.user.Attributes), Email: o.user.Attributes.Email,
		Fresh: o.fresh(b.now()), Base: b.homeOf(b.hostOf(r)) + pathAccount,
	}
	lg, offered := b.offered(r)
	err := b.store.View(r.Context(), func(tx store.Tx) error {
		if err := b.identitiesOf(tx, o, &p); err != nil {
			return err
		}
		if err := b.grantsOf(tx, o, &p); err != nil {
			return err
		}
		if offered {
			c, err := b.store.Connections.Get(tx, lg.Suggested.ConnectionID)
			if err == nil && !c.Disabled {
				p.Suggested, p.Then = templates.Choice{ID: c.ID, Title: c.Title, PictureURL: c.Picture}, lg.ID
			}
		}
		return b.localOf(tx, o, &p)
	})
	if err != nil {
		b.refusePage(w, r, &pageError{Kind: pageInternal, Status: http.StatusServiceUnavailable, cause: err})
		return
	}
	b.drawn(r, b.in(r).Account(w, status, p))
}

// identitiesOf adds the ways to sign in, and the connections of the person's
// organizations that could be added.
func (b *Broker) identitiesOf(tx store.Tx, o own, p *templates.AccountPage) error {
	has := map[string]bool{}
	for i, err := range b.store.Identities.AllByIndex(tx, "user", o.user.ID) {
		if err != nil {
			return err
		}
		has[i.ConnectionID] = true
		title := i.ConnectionID
		if c, err := b.store.Connections.Get(tx, i.ConnectionID); err == nil {
			title = c.Title
		}
		source := string(o.user.Source) == store.IdentityKey(i.ConnectionID, i.Issuer, i.Subject)
		if source && o.user.EmailVerified {
			p.Vouched, p.VouchedAt = title, i.LastLoginAt
		}
		p.Identities = append(p.Identities, templates.AccountIdentity{
			ID: identityID(i), Title: title, Email: i.Attributes.Email, Proven: i.EmailVerified, LastAt: i.LastLoginAt,
			Source: source, Current: i.ConnectionID == o.sess.ConnectionID,
		})
	}
	if len(p.Identities) == 1 {
		p.Identities[0].Stays = true
	}
	for m, err := range b.store.Memberships.AllByIndex(tx, "user", o.user.ID) {
		if err != nil {
			return err
		}
		for c, err := range b.store.Connections.AllByIndex(tx, "organization", m.OrganizationID) {
			if err != nil {
				return err
			}
			if linkable(c) && !has[c.ID] && len(p.Linkable) < 20 {
				p.Linkable = append(p.Linkable, templates.Choice{ID: c.ID, Title: c.Title, PictureURL: c.Picture})
			}
		}
	}
	return nil
}

// linkable: accounts that live here are made by admins and invitations, and a
// connection for servers has no pages.
func linkable(c store.Connection) bool {
	return !c.Disabled && !c.ServerOnly && c.Kind != store.KindLocal
}

// grantsOf adds the apps and devices, the newest first, and what the person waits
// for.
func (b *Broker) grantsOf(tx store.Tx, o own, p *templates.AccountPage) error {
	now := b.now()
	for g, err := range b.store.Grants.AllByIndex(tx, "user", o.user.ID) {
		if err != nil {
			return err
		}
		if !g.Live(now) || g.Offline && !g.RefreshExpiresAt.IsZero() && !now.Before(g.RefreshExpiresAt) {
			continue
		}
		name := g.ClientID
		if c, err := b.store.Clients.Get(tx, g.ClientID); err == nil {
			name = c.Name
		}
		p.Grants = append(p.Grants, templates.AccountGrant{ID: g.ID, App: name, CreatedAt: g.CreatedAt, UsedAt: g.RotatedAt, Here: g.SessionKey == o.sess.KeyHash})
		for _, c := range []string{g.ClientID} {
			r, err := b.store.AccessRequests.ByUnique(tx, "pending_app", store.UserClient(o.user.ID, c))
			if err == nil && r.State == store.RequestPending && !slices.Contains(p.Waiting, name) {
				p.Waiting = append(p.Waiting, name)
			}
		}
	}
	slices.SortStableFunc(p.Grants, func(a, z templates.AccountGrant) int { return z.CreatedAt.Compare(a.CreatedAt) })
	p.Grants = p.Grants[:min(len(p.Grants), 100)]
	return nil
}

// localOf adds the account that lives here, if there is one.
func (b *Broker) localOf(tx store.Tx, o own, p *templates.AccountPage) error {
	login, _, err := b.accounts.Login(tx, o.user.ID)
	if errors.Is(err, local.ErrNoAccount) {
		return nil
	}
	if err != nil {
		return err
	}
	p.Password = login
	has, err := b.accounts.Factors(tx, o.user.ID, b.rp)
	if err != nil {
		return err
	}
	p.TOTP = has.TOTP
	keys, err := b.accounts.Passkeys(tx, o.user.ID)
	for _, k := range keys {
		p.Passkeys = append(p.Passkeys, k.Name)
	}
	return err
}
