package provisioning

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"gatehouse/federation"
	"gatehouse/profile"
	"gatehouse/store"
)

// Errors of decisions about access requests.
var (
	// ErrDecided: somebody was first; the *DecidedError says who.
	ErrDecided = errors.New("provisioning: request is already decided")
	// ErrOwnRequest: nobody decides about themselves (SECURITY-CASES G8).
	ErrOwnRequest = errors.New("provisioning: nobody decides their own request")
	// ErrExpired: the request waited too long; the person can ask again.
	ErrExpired = errors.New("provisioning: request has expired")
	// ErrRole: not a role of a membership.
	ErrRole = errors.New("provisioning: no such role")
	// ErrSnapshot: the facts are not those the decision was made on (G7).
	ErrSnapshot = errors.New("provisioning: what the provider says has changed")
	// ErrTalk: no question waits for an answer, or enough has been said.
	ErrTalk = errors.New("provisioning: nothing to be said now")
)

// DecidedError tells the second admin who was first (G5).
type DecidedError struct {
	State string // of the request
	By    string // user id, or "rule:<name>"
	At    time.Time
}

// Error implements error.
func (e *DecidedError) Error() string {
	return fmt.Sprintf("provisioning: request was already %s by %s", e.State, e.By)
}

// Unwrap makes errors.Is(err, ErrDecided) true.
func (e *DecidedError) Unwrap() error { return ErrDecided }

// Approval is what an admin gives.
type Approval struct {
	Role            string // RoleUser when empty
	Groups, Clients []string
	// UserID of the new user, from Prepare; made here when empty.
	UserID string
	// Snapshot is the SnapshotHash of the facts the admin saw. It may be left
	// out while the provider has said the same ever since the person asked.
	Snapshot string
}

// newRequest is bound to a snapshot of the identity as it was verified now
// (SECURITY-CASES G7): the admin decides on these facts, and approval makes the
// user from them. When the person signs in again with other facts while the
// request waits, it shows the new ones, and who decided on the old is told.
func (p *Provisioner) newRequest(id federation.VerifiedIdentity, s situation, pr Prepared) store.AccessRequest {
	r := store.AccessRequest{
		ID: pr.RequestID, OrganizationID: s.conn.OrganizationID, ConnectionID: s.conn.ID,
		Issuer: id.Issuer(), Subject: id.Subject(), ClientID: s.client.ID,
		Snapshot: id.Attributes(), EmailVerified: s.trusted, Language: pr.Language,
		State: store.RequestPending, ExpiresAt: p.expiry(s.org),
	}
	r.SnapshotHash = snapshotHash(r)
	return r
}

func (p *Provisioner) expiry(org store.Organization) time.Time {
	if org.RequestDays > 0 {
		return p.now().UTC().AddDate(0, 0, org.RequestDays)
	}
	return p.now().UTC().Add(p.requestTTL)
}

// refreshed is a waiting newcomer's request with what the provider says now.
func (p *Provisioner) refreshed(r store.AccessRequest, id federation.VerifiedIdentity, s situation) store.AccessRequest {
	if r.State != store.RequestPending || r.Kind != store.RequestJoin {
		return r
	}
	old := r.SnapshotHash
	r.Snapshot, r.EmailVerified = id.AttributesAfter(r.Snapshot), s.trusted
	if r.SnapshotHash = snapshotHash(r); r.SnapshotHash != old {
		r.ChangedAt = p.now().UTC()
	}
	return r
}

// snapshotHash covers everything the provider vouched for.
func snapshotHash(r store.AccessRequest) string {
	raw, err := json.Marshal(r.Snapshot) // strings only: no error; members of maps are sorted
	if err != nil {
		return ""
	}
	h := sha256.New()
	for _, part := range [][]byte{
		[]byte(r.ConnectionID), []byte(r.Issuer), []byte(r.Subject), []byte(strconv.FormatBool(r.EmailVerified)), raw,
	} {
		fmt.Fprintf(h, "%d:", len(part))
		h.Write(part)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// enqueue keeps a new request, or what has changed about the waiting one.
func (p *Provisioner) enqueue(tx store.Tx, s situation, r store.AccessRequest) error {
	if s.request == requestPending {
		if r.SnapshotHash == s.waiting.SnapshotHash {
			return nil
		}
		return p.store.AccessRequests.Put(tx, r)
	}
	if s.expired != nil {
		if err := p.expire(tx, *s.expired); err != nil {
			return err
		}
	}
	if err := p.store.AccessRequests.Insert(tx, r); err != nil {
		return err
	}
	return p.tell(tx, store.EventRequested, r)
}

func (p *Provisioner) tell(tx store.Tx, kind string, r store.AccessRequest) error {
	detail := map[string]string{"connection": r.ConnectionID, "app": r.ClientID, "state": r.State}
	if r.UserID != "" {
		detail["user"] = r.UserID
	}
	if r.DecidedBy != "" {
		detail["decided_by"] = r.DecidedBy
	}
	return p.store.Tell(tx, store.Event{Kind: kind, OrganizationID: r.OrganizationID, Subject: r.ID, Detail: detail})
}

// close writes a request that has just left the queue, and tells.
func (p *Provisioner) close(tx store.Tx, r store.AccessRequest, event string) error {
	r.DecidedAt = p.now().UTC()
	r.KeepUntil = r.DecidedAt.Add(keepDecided)
	if err := p.store.AccessRequests.Put(tx, r); err != nil {
		return err
	}
	return p.tell(tx, event, r)
}

func (p *Provisioner) expire(tx store.Tx, r store.AccessRequest) error {
	r.State = store.RequestExpired
	return p.close(tx, r, store.EventExpired)
}

// Approve decides a waiting request. A newcomer comes in as the snapshot shows
// them: user, identity and membership are written here; a member gets the app
// they asked for. The person's waiting browser goes on by itself. Who may
// approve in an organization, and give the role, is the caller's to check; that
// nobody approves themselves is checked here. A *NotAllowedError says that
// nobody could come in that way any more: the connection or organization is
// off, or lost the address's domain (E12, E13).
func (p *Provisioner) Approve(ch *store.Change, id, approverID string, opt Approval) (store.AccessRequest, error) {
	r, err := p.undecided(ch.Tx, id, approverID)
	if err != nil {
		return store.AccessRequest{}, err
	}
	if opt.Role == "" {
		opt.Role = store.RoleUser
	}
	switch {
	case !Role(opt.Role):
		return store.AccessRequest{}, ErrRole
	case opt.Snapshot != r.SnapshotHash && (opt.Snapshot != "" || !r.ChangedAt.IsZero()), r.SnapshotHash != "" && r.SnapshotHash != snapshotHash(r):
		return store.AccessRequest{}, ErrSnapshot
	}
	conn, err := p.stillOpen(ch.Tx, r)
	if err != nil {
		return store.AccessRequest{}, err
	}
	r.State, r.Groups, r.Clients = store.RequestApproved, slices.Clone(opt.Groups), slices.Clone(opt.Clients)
	if r.Kind == store.RequestApp {
		r.Clients = union(r.Clients, []string{r.ClientID})
		err = p.give(ch.Tx, r)
	} else {
		if r.UserID = opt.UserID; r.UserID == "" {
			r.UserID = store.NewID()
		}
		r.Role = opt.Role
		err = p.join(ch.Tx, newcomer{
			userID: r.UserID, conn: conn, issuer: r.Issuer, subject: r.Subject, attributes: r.Snapshot, emailVerified: r.EmailVerified,
			language: r.Language, grant: grant{role: r.Role, groups: r.Groups, clients: r.Clients, by: approverID},
		})
	}
	if err != nil {
		return store.AccessRequest{}, fmt.Errorf("provisioning: approve: %w", err)
	}
	return p.decided(ch, r, approverID, "access_request.approve", map[string]any{
		"user": r.UserID, "role": r.Role, "groups": r.Groups, "apps": r.Clients, "snapshot": r.SnapshotHash,
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
	r.DecidedBy = by
	event := store.EventRefused
	if r.State == store.RequestApproved {
		event = store.EventApproved
	}
	if err := p.close(ch.Tx, r, event); err != nil {
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

// isOwn reports whether the request is the approver's, or seems to be of their
// own second identity (G8): the same subject at the same issuer, through whatever
// connection, or an address that is the approver's at an identity, on the
// profile or at the console's sign-in.
func (p *Provisioner) isOwn(tx store.Tx, r store.AccessRequest, approverID string) (bool, error) {
	if r.UserID == approverID {
		return true, nil
	}
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
	conn, org, connOn, orgOn, err := p.origin(tx, r.ConnectionID)
	switch {
	case err != nil:
		return conn, err
	case !connOn:
		return conn, notAllowed(ReasonConnection)
	case !orgOn:
		return conn, notAllowed(ReasonOrganization)
	case org.SignInOff:
		return conn, notAllowed(ReasonSignInOff)
	}
	owned, err := p.mayVouch(tx, conn, r.Snapshot.Email)
	if err == nil && !owned {
		err = notAllowed(ReasonForeignEmail)
	}
	return conn, err
}
