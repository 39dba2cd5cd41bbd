package provisioning

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"gatehouse/federation"
	"gatehouse/store"
)

// Errors of linking.
var (
	// ErrLinked: the identity is somebody's already.
	ErrLinked = errors.New("provisioning: the identity belongs to a person already")
	// ErrLinkAsk: the connection's organization lets newcomers in on request only.
	ErrLinkAsk = errors.New("provisioning: the organization has to be asked for access first")
	// ErrLastIdentity: without it the person could not sign in any more.
	ErrLastIdentity = errors.New("provisioning: the last identity of a person stays")
	// ErrNotCandidate: an admin may link a waiting request only to a person of the
	// organization whose proven address is the request's proven address.
	ErrNotCandidate = errors.New("provisioning: not the same proven address")
)

// LinkedBySelf is Identity.LinkedBy of what a person linked themselves.
const LinkedBySelf = "self"

// Link adds an identity, verified just now, to a person who has just proven who
// they are as well: whoever calls it has held the browser, the session and the
// login of both against each other (SECURITY-CASES N6). The identity must be
// nobody's. A member of the connection's organization may link; for anybody else
// the table decides as about a newcomer, and only when it would let one in does
// the link make a membership. The person's own record stays as it is.
// Errors: ErrLinked, ErrLinkAsk, a *NotAllowedError.
func (p *Provisioner) Link(tx store.Tx, userID string, id federation.VerifiedIdentity, actor store.Actor) (store.Identity, error) {
	none := store.Identity{}
	s, err := p.factsOf(tx, id, "", Prepared{NoApp: true})
	if err != nil {
		return none, fmt.Errorf("provisioning: link: %w", err)
	}
	if s.facts.person != personNew {
		return none, ErrLinked
	}
	if s.person, err = p.store.Users.Get(tx, userID); err != nil {
		return none, err
	}
	s.member, err = p.store.Memberships.Get(tx, store.MembershipKey(s.conn.OrganizationID, userID))
	member, err := present(err)
	switch {
	case err != nil:
		return none, err
	case s.person.Status != store.UserActive:
		s.facts.person = personDisabled
	case member:
		s.facts.person = personMember
	}
	s.facts.invitation = invitationNone // one is accepted by signing in
	s.grant = s.newcomerGrant()
	switch d := p.decideAbout(s); d.Kind {
	case SignedIn:
		member = true
	case Created:
		member = false
	case Pending:
		return none, ErrLinkAsk
	default:
		return none, notAllowed(cmp.Or(d.Reason, ReasonNoIdentity))
	}
	return p.link(tx, s, store.Identity{
		ConnectionID: s.conn.ID, Issuer: id.Issuer(), Subject: id.Subject(), Attributes: id.Attributes(),
		EmailVerified: s.trusted, LinkedBy: LinkedBySelf,
	}, member, actor)
}

// link writes a link that was decided about: to s.person.
func (p *Provisioner) link(tx store.Tx, s situation, i store.Identity, member bool, actor store.Actor) (store.Identity, error) {
	now := p.now().UTC()
	i.UserID, i.LinkedAt, i.LastLoginAt = s.person.ID, now, now
	if err := p.store.Identities.Insert(tx, i); err != nil {
		if errors.Is(err, store.ErrExists) {
			return i, ErrLinked
		}
		return i, err
	}
	if !member {
		if err := p.store.Memberships.Insert(tx, s.grant.membership(s.conn, i.UserID)); err != nil {
			return i, err
		}
	}
	if s.request == requestPending { // the person waited as a newcomer, and is none
		r := s.waiting
		r.State, r.UserID, r.DecidedBy = store.RequestApproved, i.UserID, actor.UserID
		if err := p.close(tx, r, store.EventApproved); err != nil {
			return i, err
		}
	}
	if err := p.tellLinked(tx, s.person, s.conn); err != nil {
		return i, err
	}
	return i, p.store.Record(tx, actor, "identity.link", "user/"+i.UserID, map[string]any{
		"connection": i.ConnectionID, "organization": s.conn.OrganizationID, "linked_by": i.LinkedBy, "membership_made": !member,
	})
}

// tellLinked mails the person, at the address they had before.
func (p *Provisioner) tellLinked(tx store.Tx, u store.User, conn store.Connection) error {
	if u.Attributes.Email == "" || !u.EmailVerified {
		return nil
	}
	now := p.now().UTC()
	data := store.MailData{OrganizationID: conn.OrganizationID, Account: u.Attributes.Email, Connection: conn.Title}
	return p.store.Mails.Insert(tx, store.Mail{
		ID: fmt.Sprintf("%016x-%s", now.UnixNano(), store.NewID()), Kind: "identity_linked", To: u.Attributes.Email, Language: u.Language,
		Data: data.Seal(), CreatedAt: now, NextAt: now, ExpiresAt: now.Add(noticeFor),
	})
}

// ApproveAs decides a waiting request by an admin who knows whose it is: "this is
// Jane". Both sides have to be proven: the person is one of Candidates. The
// request's identity is linked, and the waiting browser goes on as that person.
// Whether the admin may act on that person is the caller's to check. Errors:
// those of Approve, and ErrNotCandidate.
func (p *Provisioner) ApproveAs(ch *store.Change, id, approverID, userID, snapshot string) (store.AccessRequest, error) {
	none := store.AccessRequest{}
	r, err := p.undecided(ch.Tx, id, approverID)
	if err != nil {
		return none, err
	}
	if snapshot != r.SnapshotHash && (snapshot != "" || !r.ChangedAt.IsZero()) || r.SnapshotHash != "" && r.SnapshotHash != snapshotHash(r) {
		return none, ErrSnapshot
	}
	candidates, err := p.Candidates(ch.Tx, r)
	if err != nil {
		return none, err
	}
	if userID == approverID || !slices.Contains(candidates, userID) {
		return none, ErrNotCandidate
	}
	s := situation{}
	if s.conn, err = p.stillOpen(ch.Tx, r); err != nil {
		return none, err
	}
	if s.person, err = p.store.Users.Get(ch.Tx, userID); err != nil {
		return none, err
	}
	i := store.Identity{
		ConnectionID: r.ConnectionID, Issuer: r.Issuer, Subject: r.Subject, Attributes: r.Snapshot, EmailVerified: r.EmailVerified, LinkedBy: approverID,
	}
	if _, err := p.link(ch.Tx, s, i, true, ch.Actor); err != nil {
		return none, err
	}
	r.State, r.UserID = store.RequestApproved, userID
	return p.decided(ch, r, approverID, "access_request.link", map[string]any{"user": userID, "snapshot": r.SnapshotHash})
}

// Unlink takes an identity from a person and restores what was before: a
// membership that came with it goes when it was the last way in through its
// connection, the attributes fall back to the identity that signed in last, and
// what was opened through it ends. key is IdentityKey. Errors: store.ErrNotFound
// when it is not theirs, ErrLastIdentity, ErrLastOwner.
func (p *Provisioner) Unlink(tx store.Tx, userID, key string, actor store.Actor) error {
	gone, err := p.store.Identities.Get(tx, key)
	if err != nil {
		return err
	}
	if gone.UserID != userID {
		return fmt.Errorf("%w: identity", store.ErrNotFound)
	}
	var left []store.Identity
	for i, err := range p.store.Identities.AllByIndex(tx, "user", userID) {
		if err != nil {
			return err
		}
		if store.IdentityKey(i.ConnectionID, i.Issuer, i.Subject) != key {
			left = append(left, i)
		}
	}
	if len(left) == 0 {
		return ErrLastIdentity
	}
	if err := p.store.Identities.Delete(tx, key); err != nil {
		return err
	}
	if !slices.ContainsFunc(left, func(i store.Identity) bool { return i.ConnectionID == gone.ConnectionID }) {
		if err := p.leaveConnection(tx, userID, gone.ConnectionID, left); err != nil {
			return err
		}
	}
	if err := p.fallBack(tx, userID, key, left); err != nil {
		return err
	}
	return p.store.Record(tx, actor, "identity.unlink", "user/"+userID, map[string]any{"connection": gone.ConnectionID})
}

// leaveConnection ends what the person had through a connection at which they
// have no identity any more.
func (p *Provisioner) leaveConnection(tx store.Tx, userID, connectionID string, left []store.Identity) error {
	if err := p.endWhere(tx, userID, EndedUnlinked, func(_, connection string) bool { return connection == connectionID }); err != nil {
		return err
	}
	for m, err := range p.store.Memberships.AllByIndex(tx, "user", userID) {
		if err != nil {
			return err
		}
		if m.ConnectionID != connectionID {
			continue
		}
		other, err := p.otherWayInto(tx, m.OrganizationID, left)
		if err != nil {
			return err
		}
		if other == "" {
			return p.dropMembership(tx, m)
		}
		m.ConnectionID = other
		return p.store.Memberships.Put(tx, m)
	}
	return nil
}

// otherWayInto is a connection of an organization that the person still has.
func (p *Provisioner) otherWayInto(tx store.Tx, organization string, left []store.Identity) (string, error) {
	for _, i := range left {
		c, err := p.store.Connections.Get(tx, i.ConnectionID)
		there, err := present(err)
		if err != nil {
			return "", err
		}
		if there && c.OrganizationID == organization {
			return c.ID, nil
		}
	}
	return "", nil
}

// fallBack gives the person the attributes of the identity that signed in last,
// if theirs were those of the identity that went.
func (p *Provisioner) fallBack(tx store.Tx, userID, key string, left []store.Identity) error {
	u, err := p.store.Users.Get(tx, userID)
	if err != nil || string(u.Source) != key {
		return err
	}
	newest := slices.MaxFunc(left, func(a, b store.Identity) int { return a.LastLoginAt.Compare(b.LastLoginAt) })
	u.Attributes, u.EmailVerified = newest.Attributes, newest.EmailVerified
	u.Source = []byte(store.IdentityKey(newest.ConnectionID, newest.Issuer, newest.Subject))
	return p.store.Users.Put(tx, u)
}
