package provisioning

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/store"
)

func (w *world) ask(user, typed string) (d Decision) {
	w.t.Helper()
	id := Prepare().RequestID
	w.update(func(tx store.Tx) (err error) {
		d, err = w.p.AskForApp(tx, Wish{RequestID: id, UserID: user, ConnectionID: "acme", ClientID: "app", Typed: typed})
		return err
	})
	return d
}

func TestAppThatHasToBeGiven(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	member := w.wantKind(w.login("acme", "alice"), Created, "")
	w.client(func(c *store.Client) { c.RequireAssignment = true })
	if _, err := w.authorize(member.UserID, "acme"); !isReason(err, ReasonAppNotAssigned) {
		t.Errorf("gate: %v", err)
	}
	d := w.wantKind(w.login("acme", "alice"), Refused, ReasonAppNotAssigned)
	if d.MayAsk {
		t.Error("may ask though the organization lets nobody")
	}
	w.wantKind(w.ask(member.UserID, "x"), Refused, ReasonAppNotAssigned)
	w.wantKind(w.login("acme", "bob"), Refused, ReasonAppNotAssigned) // a newcomer would not have it either
	w.organization(func(o *store.Organization) { o.AppRequests = true })
	// A newcomer of an automatic organization waits for the app.
	w.wantKind(w.login("acme", "bob"), Pending, "")
	d = w.wantKind(w.login("acme", "alice"), Refused, ReasonAppNotAssigned)
	if !d.MayAsk || d.Asker != member.UserID {
		t.Errorf("%+v", d)
	}
	wish := w.wantKind(w.ask(member.UserID, "For the tour.\u202e"), Pending, "")
	if wish.Request.Kind != store.RequestApp || wish.Request.Typed != "For the tour." || wish.Request.UserID != member.UserID {
		t.Errorf("%+v", wish.Request)
	}
	if again := w.wantKind(w.ask(member.UserID, "y"), Pending, ""); again.Request.ID != wish.Request.ID {
		t.Error("a second wish was made")
	}
	if again := w.wantKind(w.login("acme", "alice"), Pending, ""); again.Request.ID != wish.Request.ID {
		t.Error("signing in again does not lead to the wish")
	}
	if _, err := w.approve(wish.Request.ID, member.UserID, Approval{}); !errors.Is(err, ErrOwnRequest) {
		t.Errorf("own wish: %v", err)
	}
	r, err := w.approve(wish.Request.ID, "admin-1", Approval{Clients: []string{"wiki"}, Role: store.RoleOwner})
	if err != nil || !slices.Contains(r.Clients, "app") {
		t.Fatalf("%+v, %v", r, err)
	}
	if m := w.membership(member.UserID); m.Role != store.RoleUser || !slices.Contains(m.Clients, "app") || !slices.Contains(m.Clients, "wiki") {
		t.Errorf("%+v", m)
	}
	w.wantKind(w.resume(wish.Request.ID), SignedIn, "")
	w.wantKind(w.login("acme", "alice"), SignedIn, "")
	w.wantKind(w.ask(member.UserID, ""), SignedIn, "")
	w.view(func(tx store.Tx) error {
		newest, err := w.p.NewestWish(tx, member.UserID, "app")
		if newest.ID != wish.Request.ID {
			t.Errorf("newest %+v", newest)
		}
		return err
	})
	if users, _, _ := w.counts(); users != 1 {
		t.Errorf("%d users: an app's approval makes nobody", users)
	}
	// Who was refused waits before asking again.
	w.update(func(tx store.Tx) error {
		m, err := w.store.Memberships.Get(tx, store.MembershipKey("acme", member.UserID))
		m.Clients = nil
		if err == nil {
			err = w.store.Memberships.Put(tx, m)
		}
		return err
	})
	next := w.wantKind(w.ask(member.UserID, ""), Pending, "")
	if _, err := w.refuse(next.Request.ID, "admin-1", "No."); err != nil {
		t.Fatal(err)
	}
	w.wantKind(w.ask(member.UserID, ""), Refused, ReasonRefused)
	w.wantKind(w.login("acme", "alice"), Refused, ReasonRefused)
	w.later(25 * time.Hour)
	w.wantKind(w.ask(member.UserID, ""), Pending, "")
}

// A wish approved for somebody who is gone meanwhile gives nothing.
func TestG7_WishOfSomebodyGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	member := w.wantKind(w.login("acme", "alice"), Created, "")
	w.client(func(c *store.Client) { c.RequireAssignment = true })
	w.organization(func(o *store.Organization) { o.AppRequests = true })
	wish := w.wantKind(w.ask(member.UserID, ""), Pending, "")
	w.update(func(tx store.Tx) error {
		return w.store.Memberships.Delete(tx, store.MembershipKey("acme", member.UserID))
	})
	if _, err := w.approve(wish.Request.ID, "admin-1", Approval{}); !isReason(err, ReasonNotMember) {
		t.Errorf("no member: %v", err)
	}
	w.wantKind(w.ask(member.UserID, ""), Refused, ReasonNotMember)
	w.update(func(tx store.Tx) error { return w.store.Users.Delete(tx, member.UserID) })
	if _, err := w.approve(wish.Request.ID, "admin-1", Approval{}); !isReason(err, ReasonUserRemoved) {
		t.Errorf("user gone: %v", err)
	}
	w.wantKind(w.ask(member.UserID, ""), Refused, ReasonUserRemoved)
}

func TestE12_SignInOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinRequest)
	d := w.wantKind(w.login("acme", "alice"), Pending, "")
	w.organization(func(o *store.Organization) { o.SignInOff = true })
	w.wantKind(w.resume(d.Request.ID), Refused, ReasonSignInOff)
	w.wantKind(w.login("acme", "alice"), Refused, ReasonSignInOff)
	if _, err := w.approve(d.Request.ID, "admin-1", Approval{}); !isReason(err, ReasonSignInOff) {
		t.Errorf("approving: %v", err)
	}
	w.organization(func(o *store.Organization) { o.SignInOff = false })
	r, err := w.approve(d.Request.ID, "admin-1", Approval{})
	if err != nil {
		t.Fatal(err)
	}
	w.organization(func(o *store.Organization) { o.SignInOff = true })
	if _, err := w.authorize(r.UserID, "acme"); !isReason(err, ReasonSignInOff) {
		t.Errorf("gate: %v", err)
	}
}

func TestQuestionsAndAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinRequest)
	w.organization(func(o *store.Organization) { o.RequestDays = 3 })
	d := w.wantKind(w.login("acme", "alice"), Pending, "")
	if left := d.Request.ExpiresAt.Sub(w.now()); left > 3*24*time.Hour || left < 71*time.Hour {
		t.Errorf("waits for %s", left)
	}
	id := d.Request.ID
	say := func(text string) error {
		return w.store.Update(t.Context(), func(tx store.Tx) error { return w.p.Say(tx, id, text) })
	}
	answer := func(text string) error {
		return w.store.Update(t.Context(), func(tx store.Tx) error { return w.p.Answer(tx, id, text) })
	}
	ask := func(by, text string) error {
		return w.change(by, func(ch *store.Change) error {
			_, err := w.p.Ask(ch, id, by, text)
			return err
		})
	}
	if err := say("I am the new driver.\n" + strings.Repeat("x", 1000)); err != nil {
		t.Fatal(err)
	}
	if err := say("And more."); !errors.Is(err, ErrTalk) {
		t.Errorf("said twice: %v", err)
	}
	if err := answer("nobody asked"); !errors.Is(err, ErrTalk) {
		t.Errorf("an answer without a question: %v", err)
	}
	if err := ask("admin-1", "Which team?"); err != nil {
		t.Fatal(err)
	}
	if r := w.resume(id).Request; Question(r) != "Which team?" || len(r.Typed) > maxTyped || !strings.HasPrefix(r.Typed, "I am the new driver. x") {
		t.Errorf("%+v", r)
	}
	if err := answer("Trucks."); err != nil {
		t.Fatal(err)
	}
	if r := w.resume(id).Request; Question(r) != "" || len(r.Messages) != 2 || r.Messages[1].By != "" || r.State != store.RequestPending {
		t.Errorf("%+v", r.Messages)
	}
	for range 40 {
		if err := ask("admin-1", "And?"); err != nil {
			if !errors.Is(err, ErrTalk) {
				t.Error(err)
			}
			break
		}
	}
	if n := len(w.resume(id).Request.Messages); n != maxMessages {
		t.Errorf("%d messages", n)
	}
	if _, err := w.approve(id, "admin-1", Approval{}); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{"say": say("x"), "answer": answer("x"), "ask": ask("admin-1", "x")} {
		if !errors.Is(err, ErrDecided) {
			t.Errorf("%s after the decision: %v", name, err)
		}
	}
	if r := w.resume(id).Request; r.KeepUntil.Before(w.now().Add(179 * 24 * time.Hour)) {
		t.Errorf("kept until %s", r.KeepUntil)
	}
}

func TestToldOfARequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinRequest)
	d := w.wantKind(w.login("acme", "alice"), Pending, "")
	w.update(func(tx store.Tx) error {
		for id, role := range map[string]string{"boss": store.RoleOwner, "admin": store.RoleAdmin, "clerk": store.RoleUser} {
			if err := w.store.Memberships.Insert(tx, store.Membership{OrganizationID: "acme", UserID: id, Role: role}); err != nil {
				return err
			}
		}
		return nil
	})
	told := func() (ids []string) {
		w.view(func(tx store.Tx) (err error) {
			ids, err = w.p.Told(tx, d.Request)
			return err
		})
		slices.Sort(ids)
		return ids
	}
	if got := told(); !slices.Equal(got, []string{"admin", "boss"}) {
		t.Errorf("told: %q", got)
	}
	w.organization(func(o *store.Organization) { o.Approvers = []string{"clerk"} })
	if got := told(); !slices.Equal(got, []string{"clerk"}) {
		t.Errorf("told: %q", got)
	}
	w.update(func(tx store.Tx) error {
		dom, err := w.store.Domains.Get(tx, store.DomainKey("acme.test", "acme"))
		dom.Approvers = []string{"boss"}
		if err == nil {
			err = w.store.Domains.Put(tx, dom)
		}
		return err
	})
	if got := told(); !slices.Equal(got, []string{"boss"}) {
		t.Errorf("told: %q", got)
	}
}

// What happened is told in the transaction in which it did.
func TestEventsOfAdmission(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinRequest)
	kinds := func() (out []string) {
		w.view(func(tx store.Tx) error {
			for e, err := range w.store.Events.All(tx) {
				if err != nil {
					return err
				}
				out = append(out, e.Kind)
				if e.Kind == store.EventInvited {
					if token, err := e.Secret.Reveal(); err != nil || len(token) < 43 {
						t.Errorf("the event has no link: %v", err)
					}
				}
			}
			return nil
		})
		return out
	}
	d := w.wantKind(w.login("acme", "alice"), Pending, "")
	w.wantKind(w.login("acme", "alice"), Pending, "") // told once
	if _, err := w.approve(d.Request.ID, "admin-1", Approval{}); err != nil {
		t.Fatal(err)
	}
	e := w.wantKind(w.login("acme", "bob"), Pending, "")
	if _, err := w.refuse(e.Request.ID, "admin-1", "No."); err != nil {
		t.Fatal(err)
	}
	w.invite("carol@acme.test", Invitee{})
	w.wantKind(w.login("acme", "dave"), Pending, "")
	w.later(15 * 24 * time.Hour)
	if err := w.p.ExpireRequests(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{
		store.EventRequested, store.EventUserCreated, store.EventApproved, store.EventRequested, store.EventRefused,
		store.EventInvited, store.EventRequested, store.EventExpired,
	}
	if got := kinds(); !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
}

// E10: a local account proves its address here, but never one that another
// organization has proven.
func TestE10_LocalAccountsAndOthersDomains(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	local := store.Connection{ID: "acme-local", OrganizationID: "acme", Kind: store.KindLocal, Domains: []string{}}
	w.update(func(tx store.Tx) error {
		return w.store.Domains.Insert(tx, store.Domain{Name: "globex.test", OrganizationID: "public", State: store.DomainVerified})
	})
	for who, want := range map[string]bool{
		"a@acme.test": true, "a@eu.acme.test": true, "a@gmail.com": true, "a@globex.test": false, "a@eu.globex.test": false,
	} {
		w.view(func(tx store.Tx) error {
			got, err := w.p.mayVouch(tx, local, who)
			if got != want {
				t.Errorf("%s: %v, want %v", who, got, want)
			}
			return err
		})
	}
}
