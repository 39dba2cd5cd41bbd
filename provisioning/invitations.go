package provisioning

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"gatehouse/federation"
	"gatehouse/profile"
	"gatehouse/store"
)

// Bounds of invitations.
const (
	InvitationDays    = 14 // an invitation is good for, unless it says otherwise
	MaxInvitationDays = 60
	maxSends          = 10               // of one invitation
	resendPause       = 10 * time.Minute // between two mails of one invitation
	keepDecided       = 180 * 24 * time.Hour
)

// Errors of invitations.
var (
	// ErrInvited: an open invitation waits for the address already.
	ErrInvited = errors.New("provisioning: the address is invited already")
	// ErrInvitationGone: unknown, used, revoked or expired; which of them is for
	// the organization's admins only.
	ErrInvitationGone = errors.New("provisioning: no such open invitation")
	// ErrInvitationLimit: the organization sent too many today.
	ErrInvitationLimit = errors.New("provisioning: too many invitations today")
	// ErrResendPause: this invitation was mailed a moment ago, or too often.
	ErrResendPause = errors.New("provisioning: invitation was mailed a moment ago, or too often")
)

// Invitee is what an admin says about somebody to be invited. The caller has
// checked who may give the role and that the apps exist.
type Invitee struct {
	Email           profile.Email
	Name            string
	Role            string // RoleUser when empty
	Groups, Clients []string
	Language        string
	Days            int // InvitationDays when 0
}

// InvitationToken is made before the transaction. Token is the link's secret,
// 256 bits at random, of which only the hash is kept; it leaves by mail alone.
type InvitationToken struct{ ID, Token string }

// NewInvitationToken makes one.
func NewInvitationToken() InvitationToken {
	return InvitationToken{ID: store.NewID(), Token: store.NewID() + store.NewID()}
}

// InvitationByHash is the open invitation that a mailed link leads to, or
// ErrInvitationGone. It uses nothing up.
func (p *Provisioner) InvitationByHash(tx store.Tx, hash string) (store.Invitation, error) {
	i, err := p.store.Invitations.ByUnique(tx, "hash", hash)
	found, err := present(err)
	if err != nil {
		return i, err
	}
	if !found || !p.open(i) {
		return store.Invitation{}, ErrInvitationGone
	}
	return i, nil
}

func (p *Provisioner) open(i store.Invitation) bool {
	return i.State == store.InvitationOpen && p.now().Before(i.ExpiresAt)
}

// invitationFacts: an open invitation counts when the invited address is
// proven: by the provider's word, or by the mailed link unless the provider
// says that the address is not the person's (SECURITY-CASES G1, N3).
func (p *Provisioner) invitationFacts(tx store.Tx, id federation.VerifiedIdentity, s *situation, pr Prepared) error {
	key := id.Email().Key()
	if pr.InvitationHash != "" {
		i, err := p.InvitationByHash(tx, pr.InvitationHash)
		switch {
		case errors.Is(err, ErrInvitationGone): // no help, and no harm
		case err != nil:
			return err
		case i.OrganizationID != s.conn.OrganizationID:
		case key != "" && key != i.Email:
			s.facts.invitation = invitationOther
			return nil
		case s.email != emailForeign && s.proof != proofDenied:
			s.facts.invitation, s.invitation = invitationProven, i
			return nil
		}
	}
	if !s.trusted {
		return nil
	}
	i, err := p.store.Invitations.ByUnique(tx, "open_to", store.InvitationTo(s.conn.OrganizationID, key))
	found, err := present(err)
	if err == nil && found && p.open(i) {
		s.facts.invitation, s.invitation = invitationProven, i
	}
	return err
}

// Invite keeps an open invitation and tells the event whose mail carries the
// link.
func (p *Provisioner) Invite(ch *store.Change, organization string, who Invitee, by string, made InvitationToken) (store.Invitation, error) {
	if who.Role == "" {
		who.Role = store.RoleUser
	}
	if !Role(who.Role) {
		return store.Invitation{}, ErrRole
	}
	if err := p.invitable(ch.Tx, organization, who.Email); err != nil {
		return store.Invitation{}, err
	}
	now := p.now().UTC()
	old, err := p.store.Invitations.ByUnique(ch.Tx, "open_to", store.InvitationTo(organization, who.Email.Key()))
	expired, err := present(err)
	if err != nil {
		return store.Invitation{}, err
	}
	if expired {
		old.State = store.InvitationExpired
		if err := p.store.Invitations.Put(ch.Tx, old); err != nil {
			return store.Invitation{}, err
		}
		if err := ch.Record("invitation.expire", "invitation/"+old.ID, map[string]any{"organization": organization}); err != nil {
			return store.Invitation{}, err
		}
	}
	i := store.Invitation{
		ID: made.ID, OrganizationID: organization, Email: who.Email.Key(), Name: profile.Untrusted(who.Name).Clean(200), Role: who.Role,
		Groups: slices.Clone(who.Groups), Clients: slices.Clone(who.Clients), Language: who.Language, InvitedBy: by,
		State: store.InvitationOpen,
	}
	p.send(&i, who.Days, made.Token, now)
	if err := p.store.Invitations.Insert(ch.Tx, i); err != nil {
		return store.Invitation{}, fmt.Errorf("provisioning: invite: %w", err)
	}
	if err := ch.Record("invitation.create", "invitation/"+i.ID, map[string]any{
		"organization": organization, "email": i.Email, "role": i.Role, "groups": i.Groups, "apps": i.Clients, "expires": i.ExpiresAt,
	}); err != nil {
		return store.Invitation{}, err
	}
	if err := p.tellInvited(ch.Tx, i, made.Token); err != nil {
		return store.Invitation{}, err
	}
	return p.store.Invitations.Get(ch.Tx, i.ID)
}

// send gives the invitation a new link and a new time.
func (p *Provisioner) send(i *store.Invitation, days int, token string, now time.Time) {
	if days <= 0 {
		days = InvitationDays
	}
	i.Hash, i.SentAt = store.HashToken(token), now
	i.Sends++
	i.ExpiresAt = now.AddDate(0, 0, min(days, MaxInvitationDays))
	i.KeepUntil = i.ExpiresAt.Add(keepDecided)
}

func (p *Provisioner) tellInvited(tx store.Tx, i store.Invitation, token string) error {
	return p.store.Tell(tx, store.Event{
		Kind: store.EventInvited, OrganizationID: i.OrganizationID, Subject: i.ID,
		Detail: map[string]string{"invited_by": i.InvitedBy, "role": i.Role}, Secret: store.Seal(store.Secret(token)),
	})
}

// invitable answers ErrInvited, or ErrInvitationLimit.
func (p *Provisioner) invitable(tx store.Tx, organization string, e profile.Email) error {
	i, err := p.store.Invitations.ByUnique(tx, "open_to", store.InvitationTo(organization, e.Key()))
	found, err := present(err)
	switch {
	case err != nil:
		return err
	case found && p.open(i):
		return ErrInvited
	}
	n, err := p.store.Invitations.CountByIndex(tx, "sent", store.InvitationSent(organization, p.now()), p.maxInvited)
	if err == nil && n >= p.maxInvited {
		err = ErrInvitationLimit
	}
	return err
}

// Resend mails an open or expired invitation again, with a new link: the link
// before is dead.
func (p *Provisioner) Resend(ch *store.Change, id string, days int, made InvitationToken) (store.Invitation, error) {
	i, err := p.store.Invitations.Get(ch.Tx, id)
	if err != nil {
		return i, err
	}
	now := p.now().UTC()
	switch {
	case i.State != store.InvitationOpen:
		return i, ErrInvitationGone
	case i.Sends >= maxSends, now.Before(i.SentAt.Add(resendPause)):
		return i, ErrResendPause
	}
	p.send(&i, days, made.Token, now)
	return p.changed(ch, i, "invitation.resend", map[string]any{"sends": i.Sends, "expires": i.ExpiresAt}, made.Token)
}

// Revoke withdraws an open invitation: its link is dead at once.
func (p *Provisioner) Revoke(ch *store.Change, id string) (store.Invitation, error) {
	i, err := p.store.Invitations.Get(ch.Tx, id)
	if err != nil {
		return i, err
	}
	if i.State != store.InvitationOpen {
		return i, ErrInvitationGone
	}
	i.State, i.Hash, i.KeepUntil = store.InvitationRevoked, "", p.now().UTC().Add(keepDecided)
	return p.changed(ch, i, "invitation.revoke", map[string]any{}, "")
}

func (p *Provisioner) changed(ch *store.Change, i store.Invitation, action string, detail map[string]any, token string) (store.Invitation, error) {
	if err := p.store.Invitations.Put(ch.Tx, i); err != nil {
		return i, err
	}
	detail["organization"] = i.OrganizationID
	if err := ch.Record(action, "invitation/"+i.ID, detail); err != nil {
		return i, err
	}
	if token != "" {
		if err := p.tellInvited(ch.Tx, i, token); err != nil {
			return i, err
		}
	}
	return p.store.Invitations.Get(ch.Tx, i.ID)
}

// accept spends an invitation: single use, in the same transaction that makes
// the membership.
func (p *Provisioner) accept(tx store.Tx, i store.Invitation, userID, how string) error {
	i.State, i.AcceptedBy, i.AcceptedAt, i.Hash = store.InvitationAccepted, userID, p.now().UTC(), ""
	i.KeepUntil = i.AcceptedAt.Add(keepDecided)
	if err := p.store.Invitations.Put(tx, i); err != nil {
		return err
	}
	return p.store.Record(tx, store.Actor{UserID: userID, Via: "login"}, "invitation.accept", "invitation/"+i.ID, map[string]any{
		"organization": i.OrganizationID, "user": userID, "proven_by": how, "role": i.Role,
	})
}

// howProven says in the audit what proved the invited address.
func howProven(s situation, pr Prepared) string {
	switch {
	case s.trusted && pr.InvitationHash == s.invitation.Hash:
		return "provider and link"
	case s.trusted:
		return "provider"
	}
	return "link"
}
