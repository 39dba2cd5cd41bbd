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

// Errors of Approve and Refuse.
var (
	// ErrDecided: somebody was first; the *DecidedError says who.
	ErrDecided = errors.New("provisioning: request is already decided")
	// ErrOwnRequest: nobody decides about themselves (SECURITY-CASES G8).
	ErrOwnRequest = errors.New("provisioning: nobody decides their own request")
	// ErrExpired: the request waited too long; the person can ask again.
	ErrExpired = errors.New("provisioning: request has expired")
	// ErrRole: not a role of a membership.
	ErrRole = errors.New("provisioning: no such role")
)

// DecidedError tells the second admin who was first (G5).
type DecidedError struct {
	State string // of the request
	By    string // user id
	At    time.Time
}

// Error implements error.
func (e *DecidedError) Error() string {
	return fmt.Sprintf("provisioning: request was already %s by %s", e.State, e.By)
}

// Unwrap makes errors.Is(err, ErrDecided) true.
func (e *DecidedError) Unwrap() error { return ErrDecided }

// Approval is what an admin gives a newcomer.
type Approval struct {
	Role   string // RoleUser when empty
	Groups []string
	// UserID of the new user, from Prepare; made here when empty.
	UserID string
}

// newRequest is bound to a snapshot of the identity as it was verified now
// (SECURITY-CASES G7): the admin decides on these facts. A later login of the
// same person with other attributes does not change them; approval makes the
// user from the snapshot, and the next login refreshes it.
func (p *Provisioner) newRequest(id federation.VerifiedIdentity, s situation, clientID, requestID string) store.AccessRequest {
	return store.AccessRequest{
		ID: requestID, OrganizationID: s.conn.OrganizationID, ConnectionID: s.conn.ID,
		Issuer: id.Issuer(), Subject: id.Subject(), ClientID: clientID,
		Snapshot: id.Attributes(), EmailVerified: s.trusted,
		State: store.RequestPending, ExpiresAt: p.now().UTC().Add(p.requestTTL),
	}
}

func (p *Provisioner) enqueue(tx store.Tx, s situation, r store.AccessRequest) error {
	if s.expired != nil {
		if err := p.expire(tx, *s.expired); err != nil {
			return err
		}
	}
	return p.store.AccessRequests.Insert(tx, r)
}

func (p *Provisioner) expire(tx store.Tx, r store.AccessRequest) error {
	r.State, r.DecidedAt = store.RequestExpired, p.now().UTC()
	return p.store.AccessRequests.Put(tx, r)
}

// Approve decides a waiting request and lets the person in as the snapshot
// shows them: user, identity and membership are written here, and the person's
// waiting browser goes on by itself. Who may approve in an organization is the
// caller's to check; that nobody approves themselves is checked here. A
// *NotAllowedError says that nobody could come in that way any more: the
// connection or organization is off, or lost the address's domain (E12, E13).
func (p *Provisioner) Approve(ch *store.Change, id, approverID string, opt Approval) (store.AccessRequest, error) {
	r, err := p.undecided(ch.Tx, id, approverID)
	if err != nil {
		return store.AccessRequest{}, err
	}
	if opt.Role == "" {
		opt.Role = store.RoleUser
	}
	if !slices.Contains([]string{store.RoleUser, store.RoleAdmin, store.RoleOwner}, opt.Role) {
		return store.AccessRequest{}, ErrRole
	}
	if opt.UserID == "" {
		opt.UserID = store.NewID()
	}
	conn, err := p.stillOpen(ch.Tx, r)
	if err != nil {
		return store.AccessRequest{}, err
	}
	err = p.join(ch.Tx, newcomer{
		userID: opt.UserID, conn: conn, issuer: r.Issuer, subject: r.Subject,
		attributes: r.Snapshot, emailVerified: r.EmailVerified, role: opt.Role, groups: opt.Groups, by: approverID,
	})
	if err != nil {
		return store.AccessRequest{}, fmt.Errorf("provisioning: approve: %w", err)
	}
	r.State, r.UserID = store.RequestApproved, opt.UserID
	return p.decided(ch, r, approverID, "access_request.approve", map[string]any{
		"user": opt.UserID, "role": opt.Role, "groups": opt.Groups,
	})
}

// Refuse decides a waiting request with a sentence for the person.
func (p *Provisioner) Refuse(ch *store.Change, id, approverID, reason string) (store.AccessRequest, error) {
	r, err := p.undecided(ch.Tx, id, approverID)
	if err != nil {
		return store.AccessRequest{}, err
	}
	r.State, r.Reason = store.RequestRefused, profile.Untrusted(reason).Clean(1000)
	return p.decided(ch, r, approverID, "access_request.refuse", map[string]any{"reason": r.Reason})
}

func (p *Provisioner) decided(ch *store.Change, r store.AccessRequest, by, action string, detail map[string]any) (store.AccessRequest, error) {
	r.DecidedBy, r.DecidedAt = by, p.now().UTC()
	if err := p.store.AccessRequests.Put(ch.Tx, r); err != nil {
		return store.AccessRequest{}, err
	}
	detail["connection"], detail["organization"] = r.ConnectionID, r.OrganizationID
	if err := ch.Record(action, "access_request/"+r.ID, detail); err != nil {
		return store.AccessRequest{}, err
	}
	return p.store.AccessRequests.Get(ch.Tx, r.ID)
}

// undecided returns a request that this admin may decide now.
func (p *Provisioner) undecided(tx store.Tx, id, approverID string) (store.AccessRequest, error) {
	r, err := p.store.AccessRequests.Get(tx, id)
	switch {
	case err != nil:
		return r, err
	case r.State == store.RequestExpired, r.State == store.RequestPending && !p.now().Before(r.ExpiresAt):
		return r, ErrExpired
	case r.State != store.RequestPending:
		return r, &DecidedError{State: r.State, By: r.DecidedBy, At: r.DecidedAt}
	}
	own, err := p.isOwn(tx, r, approverID)
	if err != nil {
		return r, err
	}
	if own {
		return r, ErrOwnRequest
	}
	return r, nil
}

// isOwn reports whether the request seems to be the approver's own second
// identity (G8): the same subject at the same issuer, through whatever
// connection, or an address that is the approver's at an identity, on the
// profile or at the console's sign-in.
func (p *Provisioner) isOwn(tx store.Tx, r store.AccessRequest, approverID string) (bool, error) {
	address := mailKey(r.Snapshot.Email)
	for i, err := range p.store.Identities.AllByIndex(tx, "user", approverID) {
		if err != nil {
			return false, err
		}
		if i.Issuer == r.Issuer && i.Subject == r.Subject || address != "" && mailKey(i.Attributes.Email) == address {
			return true, nil
		}
	}
	u, err := p.store.Users.Get(tx, approverID)
	if found, err := present(err); err != nil || found && address != "" && mailKey(u.Attributes.Email) == address {
		return err == nil, err
	}
	pw, err := p.store.Passwords.Get(tx, approverID)
	found, err := present(err)
	return found && address != "" && mailKey(pw.Login) == address, err
}

func mailKey(s string) string {
	e, err := profile.ParseEmail(s)
	if err != nil {
		return ""
	}
	return e.Key()
}

// stillOpen checks that the way the person came still exists.
func (p *Provisioner) stillOpen(tx store.Tx, r store.AccessRequest) (store.Connection, error) {
	conn, _, connOn, orgOn, err := p.origin(tx, r.ConnectionID)
	switch {
	case err != nil:
		return conn, err
	case !connOn:
		return conn, notAllowed(ReasonConnection)
	case !orgOn:
		return conn, notAllowed(ReasonOrganization)
	}
	owned, err := p.mayVouch(tx, conn, r.Snapshot.Email)
	if err == nil && !owned {
		err = notAllowed(ReasonForeignEmail)
	}
	return conn, err
}
