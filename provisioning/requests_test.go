package provisioning

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
)

func (w *world) approve(id, by string, opt Approval) (r store.AccessRequest, err error) {
	err = w.change(by, func(ch *store.Change) (err error) {
		r, err = w.p.Approve(ch, id, by, opt)
		return err
	})
	return r, err
}

func (w *world) refuse(id, by, reason string) (r store.AccessRequest, err error) {
	err = w.change(by, func(ch *store.Change) (err error) {
		r, err = w.p.Refuse(ch, id, by, reason)
		return err
	})
	return r, err
}

func (w *world) resume(id string) (d Decision) {
	w.t.Helper()
	w.view(func(tx store.Tx) (err error) {
		d, err = w.p.Resume(tx, id, store.Client{ID: "app"})
		return err
	})
	return d
}

func TestRequestApproved(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinRequest)
	d := w.wantKind(w.login("acme", "alice"), Pending, "")
	if d.Request.Snapshot.Email != "alice@acme.test" || d.Request.OrganizationID != "acme" || d.Request.ClientID != "app" {
		t.Errorf("request: %+v", d.Request)
	}
	// Signing in again waits for the same request.
	if again := w.wantKind(w.login("acme", "alice"), Pending, ""); again.Request.ID != d.Request.ID {
		t.Error("a second request was made")
	}
	w.wantKind(w.resume(d.Request.ID), Pending, "")
	r, err := w.approve(d.Request.ID, "admin-1", Approval{Role: store.RoleAdmin, Groups: []string{"g"}})
	if err != nil || r.State != store.RequestApproved || r.DecidedBy != "admin-1" || r.UserID == "" {
		t.Fatalf("%+v, %v", r, err)
	}
	in := w.wantKind(w.resume(d.Request.ID), SignedIn, "")
	s, err := w.authorize(in.UserID, "acme")
	if err != nil || s.Membership().Role != store.RoleAdmin || s.User().CreatedBy != "admin-1" || !s.User().EmailVerified {
		t.Errorf("%+v, %v", s, err)
	}
	if again := w.wantKind(w.login("acme", "alice"), SignedIn, ""); again.UserID != in.UserID {
		t.Error("the next login is another user")
	}
}

func TestG5_ParallelDecisions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinRequest)
	d := w.wantKind(w.login("acme", "alice"), Pending, "")
	var won, lost atomic.Int32
	var winner atomic.Value
	var wg sync.WaitGroup
	for n := range 64 {
		wg.Go(func() {
			by := fmt.Sprint("admin-", n)
			var err error
			if n%4 == 3 {
				_, err = w.refuse(d.Request.ID, by, "no")
			} else {
				_, err = w.approve(d.Request.ID, by, Approval{UserID: Prepare().UserID})
			}
			var first *DecidedError
			switch {
			case err == nil:
				won.Add(1)
				winner.Store(by)
			case errors.Is(err, ErrDecided) && errors.As(err, &first) && first.By != by && first.By != "" && !first.At.IsZero():
				lost.Add(1)
			default:
				t.Errorf("%s: %v", by, err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || lost.Load() != 63 {
		t.Errorf("%d won, %d were told who", won.Load(), lost.Load())
	}
	users, ids, pending := w.counts()
	got := w.resume(d.Request.ID)
	if pending != 0 || got.Request.DecidedBy != winner.Load() || (got.Kind == SignedIn) != (users == 1 && ids == 1) {
		t.Errorf("%d users, %d identities, %d pending, decided by %s, winner %v", users, ids, pending, got.Request.DecidedBy, winner.Load())
	}
	entries := 0
	w.view(func(tx store.Tx) error {
		page, _, err := w.store.AuditPage(tx, store.AuditFilter{}, store.Page{Limit: 100})
		entries = len(page)
		return err
	})
	if entries != 1 {
		t.Errorf("%d audit entries for one decision", entries)
	}
}

func TestG5_DecidedTwiceAndAfterDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinRequest)
	d := w.wantKind(w.login("acme", "alice"), Pending, "")
	if _, err := w.approve(d.Request.ID, "admin-1", Approval{Role: "superuser"}); !errors.Is(err, ErrRole) {
		t.Errorf("role: %v", err)
	}
	if _, err := w.approve(d.Request.ID, "admin-1", Approval{}); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{second(w.approve(d.Request.ID, "admin-2", Approval{})), second(w.refuse(d.Request.ID, "admin-1", "x"))} {
		if !errors.Is(err, ErrDecided) {
			t.Errorf("second decision: %v", err)
		}
	}
	b := w.wantKind(w.login("acme", "bob"), Pending, "")
	w.update(func(tx store.Tx) error { return w.store.AccessRequests.Delete(tx, b.Request.ID) })
	if _, err := w.approve(b.Request.ID, "admin-1", Approval{}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("deleted: %v", err)
	}
	w.wantKind(w.resume(b.Request.ID), Refused, ReasonRequestGone)
}

func second(_ store.AccessRequest, err error) error { return err }

func TestG6_WaitingHasNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinRequest)
	d := w.wantKind(w.login("acme", "alice"), Pending, "")
	if users, ids, pending := w.counts(); users != 0 || ids != 0 || pending != 1 || d.UserID != "" {
		t.Errorf("%d users, %d identities, %d requests, decision %+v", users, ids, pending, d)
	}
	for _, user := range []string{"", d.Request.ID, d.Request.UserID, d.Request.Subject} {
		if _, err := w.authorize(user, "acme"); !errors.Is(err, ErrNotAllowed) {
			t.Errorf("gate for %q: %v", user, err)
		}
	}
	// Approved, but switched off before the browser comes back.
	if _, err := w.approve(d.Request.ID, "admin-1", Approval{}); err != nil {
		t.Fatal(err)
	}
	c := w.connection("acme")
	c.Disabled = true
	w.update(func(tx store.Tx) error { return w.store.Connections.Put(tx, c) })
	w.wantKind(w.resume(d.Request.ID), Refused, ReasonConnection)
}

func TestG7_ApprovalIsOfTheSnapshot(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinRequest)
	w.person("acme", "x", map[string]any{"sub": "s", "email": "intern@acme.test", "email_verified": true, "name": "Intern"})
	d := w.wantKind(w.login("acme", "x"), Pending, "")
	// What the provider says changes while the request waits: the same request
	// shows it, and an approval of what was there before is void.
	seen := d.Request.SnapshotHash
	w.person("acme", "x", map[string]any{"sub": "s", "email": "ceo@acme.test", "email_verified": true, "name": "The CEO"})
	again := w.wantKind(w.login("acme", "x"), Pending, "")
	if again.Request.ID != d.Request.ID || again.Request.Snapshot.Email != "ceo@acme.test" || again.Request.SnapshotHash == seen || seen == "" || again.Request.ChangedAt.IsZero() {
		t.Errorf("the request does not show the change: %+v", again.Request)
	}
	for _, snapshot := range []string{seen, "", "x"} {
		if _, err := w.approve(d.Request.ID, "admin-1", Approval{Snapshot: snapshot}); !errors.Is(err, ErrSnapshot) {
			t.Errorf("approving %q: %v", snapshot, err)
		}
	}
	if users, ids, pending := w.counts(); users+ids != 0 || pending != 1 {
		t.Errorf("%d users, %d identities, %d pending", users, ids, pending)
	}
	r, err := w.approve(d.Request.ID, "admin-1", Approval{Snapshot: again.Request.SnapshotHash})
	if err != nil {
		t.Fatal(err)
	}
	if u := w.user(r.UserID); u.Attributes.Email != "ceo@acme.test" || u.Attributes.DisplayName != "The CEO" {
		t.Errorf("approved as %+v", u.Attributes)
	}
	// Another subject is another person, whatever the address.
	w.person("acme", "y", map[string]any{"sub": "s2", "email": "ceo@acme.test", "email_verified": true, "name": "The CEO"})
	w.wantKind(w.login("acme", "y"), Pending, "")
	w.person("acme", "x", map[string]any{"sub": "s", "email": "cfo@acme.test", "email_verified": true})
	w.wantKind(w.login("acme", "x"), SignedIn, "")
	if u := w.user(r.UserID); u.Attributes.Email != "cfo@acme.test" {
		t.Errorf("not refreshed: %+v", u.Attributes)
	}
}

func TestG7_ApprovalWhenTheWayIsClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinRequest)
	d := w.wantKind(w.login("acme", "alice"), Pending, "")
	w.update(func(tx store.Tx) error { return w.store.Domains.Delete(tx, store.DomainKey("acme.test", "acme")) })
	if _, err := w.approve(d.Request.ID, "admin-1", Approval{}); !isReason(err, ReasonForeignEmail) {
		t.Errorf("domain lost: %v", err)
	}
	c := w.connection("acme")
	c.Disabled = true
	w.update(func(tx store.Tx) error { return w.store.Connections.Put(tx, c) })
	if _, err := w.approve(d.Request.ID, "admin-1", Approval{}); !isReason(err, ReasonConnection) {
		t.Errorf("connection off: %v", err)
	}
	w.wantKind(w.resume(d.Request.ID), Refused, ReasonConnection)
	if users, ids, pending := w.counts(); users+ids != 0 || pending != 1 {
		t.Errorf("%d users, %d identities, %d pending", users, ids, pending)
	}
}

func TestG8_OwnSecondIdentity(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	admin := w.wantKind(w.login("acme", "alice"), Created, "").UserID
	org := func(join store.JoinPolicy) {
		w.update(func(tx store.Tx) error {
			o, err := w.store.Organizations.Get(tx, "acme")
			if o.Join = join; err == nil {
				err = w.store.Organizations.Put(tx, o)
			}
			return err
		})
	}
	org(store.JoinRequest)
	w.connect("acme-2", "acme", "acme.test")
	// The same address, in another spelling, through another connection.
	w.person("acme-2", "alice", map[string]any{"sub": "other", "email": "Alice@ACME.test", "email_verified": true})
	d := w.wantKind(w.login("acme-2", "alice"), Pending, "")
	if _, err := w.approve(d.Request.ID, admin, Approval{Role: store.RoleOwner}); !errors.Is(err, ErrOwnRequest) {
		t.Errorf("same address: %v", err)
	}
	if _, err := w.refuse(d.Request.ID, admin, "x"); !errors.Is(err, ErrOwnRequest) {
		t.Errorf("refusing: %v", err)
	}
	// The same subject of the same issuer, through another connection, without an address.
	c := w.connection("acme")
	c.ID, c.Meta, c.ClientSecret = "acme-3", store.Meta{}, store.Seal("mock-secret")
	w.update(func(tx store.Tx) error { return w.store.Connections.Insert(tx, c) })
	w.idps["acme-3"] = w.idps["acme"]
	sub := w.signIn("acme", "alice").Subject()
	w.person("acme-3", "alice2", map[string]any{"sub": sub})
	e := w.wantKind(w.login("acme-3", "alice2"), Pending, "")
	if _, err := w.approve(e.Request.ID, admin, Approval{}); !errors.Is(err, ErrOwnRequest) {
		t.Errorf("same subject: %v", err)
	}
	// A console account with that address as its sign-in name.
	w.update(func(tx store.Tx) error {
		return w.store.Passwords.Insert(tx, store.Password{UserID: "local-1", Login: "alice@acme.test", Hash: "x"})
	})
	if _, err := w.approve(d.Request.ID, "local-1", Approval{}); !errors.Is(err, ErrOwnRequest) {
		t.Errorf("console account: %v", err)
	}
	// An admin who has the address at a further identity only.
	w.update(func(tx store.Tx) error {
		return w.store.Identities.Insert(tx, store.Identity{ConnectionID: "acme", Issuer: "i", Subject: "s", UserID: "admin-9", Attributes: profile.Attributes{Email: "ALICE@acme.test"}})
	})
	if _, err := w.approve(d.Request.ID, "admin-9", Approval{}); !errors.Is(err, ErrOwnRequest) {
		t.Errorf("further identity: %v", err)
	}
	if _, err := w.approve(d.Request.ID, "somebody-else", Approval{}); err != nil {
		t.Errorf("another admin: %v", err)
	}
}

func TestRequestRefusedExpiredAndCapped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinRequest)
	w.p = New(Config{Store: w.store, Federation: w.fed, Now: w.now, MaxPendingPerConnection: 2, RequestTTL: time.Hour, RefusalRest: 30 * time.Minute})
	d := w.wantKind(w.login("acme", "alice"), Pending, "")
	w.wantKind(w.login("acme", "bob"), Pending, "")
	w.wantKind(w.login("acme", "carol"), Refused, ReasonQueueFull)
	w.wantKind(w.login("acme", "alice"), Pending, "") // who waits already is not turned away
	if _, err := w.refuse(d.Request.ID, "admin-1", "Ask HR.\u202e\n"); err != nil {
		t.Fatal(err)
	}
	for _, got := range []Decision{w.resume(d.Request.ID), w.login("acme", "alice")} {
		w.wantKind(got, Refused, ReasonRefused)
		if got.Request.Reason != "Ask HR." || got.Request.ID != d.Request.ID {
			t.Errorf("refused with %+v", got.Request)
		}
	}
	w.later(31 * time.Minute)
	again := w.wantKind(w.login("acme", "alice"), Pending, "")
	if again.Request.ID == d.Request.ID {
		t.Error("the refused request waits again")
	}
	// Nobody decides.
	w.later(61 * time.Minute)
	w.wantKind(w.resume(again.Request.ID), Refused, ReasonExpired)
	if _, err := w.approve(again.Request.ID, "admin-1", Approval{}); !errors.Is(err, ErrExpired) {
		t.Errorf("approving too late: %v", err)
	}
	if err := w.p.ExpireRequests(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, _, pending := w.counts(); pending != 0 {
		t.Errorf("%d requests still wait", pending)
	}
	w.wantKind(w.resume(again.Request.ID), Refused, ReasonExpired)
	if third := w.wantKind(w.login("acme", "alice"), Pending, ""); third.Request.ID == again.Request.ID {
		t.Error("the expired request waits again")
	}
}

// An expired request that no sweep has seen does not stand in the way.
func TestExpiredRequestIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinRequest)
	d := w.wantKind(w.login("acme", "alice"), Pending, "")
	w.later(15 * 24 * time.Hour)
	again := w.wantKind(w.login("acme", "alice"), Pending, "")
	if again.Request.ID == d.Request.ID {
		t.Error("the expired request waits again")
	}
	w.wantKind(w.resume(d.Request.ID), Refused, ReasonExpired)
}

// Join becomes automatic while somebody waits: the next login, and the waiting
// browser, go on.
func TestWaitingWhenJoinBecomesAutomatic(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinRequest)
	d := w.wantKind(w.login("acme", "alice"), Pending, "")
	w.update(func(tx store.Tx) error {
		o, err := w.store.Organizations.Get(tx, "acme")
		if o.Join = store.JoinAutomatic; err == nil {
			err = w.store.Organizations.Put(tx, o)
		}
		return err
	})
	in := w.wantKind(w.login("acme", "alice"), Created, "")
	got := w.wantKind(w.resume(d.Request.ID), SignedIn, "")
	if got.UserID != in.UserID || got.Request.DecidedBy != "owner-1" {
		t.Errorf("%+v", got)
	}
	if _, err := w.approve(d.Request.ID, "admin-1", Approval{}); !errors.Is(err, ErrDecided) {
		t.Errorf("approving what is decided: %v", err)
	}
}
