package provisioning

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/federation"
	"gatehouse/profile"
	"gatehouse/store"
)

func address(t testing.TB, s string) profile.Email {
	t.Helper()
	e, err := profile.ParseEmail(s)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (w *world) invite(to string, who Invitee) (store.Invitation, InvitationToken) {
	w.t.Helper()
	who.Email = address(w.t, to)
	made := NewInvitationToken()
	var i store.Invitation
	if err := w.change("admin-1", func(ch *store.Change) (err error) {
		i, err = w.p.Invite(ch, "acme", who, "admin-1", made)
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return i, made
}

func (w *world) invitation(id string) (i store.Invitation) {
	w.t.Helper()
	w.view(func(tx store.Tx) (err error) {
		i, err = w.store.Invitations.Get(tx, id)
		return err
	})
	return i
}

// arrive admits with what a login's cookie carries.
func (w *world) arrive(id federation.VerifiedIdentity, pr Prepared) (d Decision) {
	w.t.Helper()
	ids := Prepare()
	pr.UserID, pr.RequestID = ids.UserID, ids.RequestID
	app := store.Client{ID: "app"}
	if pr.NoApp {
		app = store.Client{}
	}
	w.update(func(tx store.Tx) (err error) {
		d, err = w.p.Admit(tx, id, app, pr)
		return err
	})
	return d
}

func TestInvitationByTheProvenAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinOff)
	i, made := w.invite("Alice@ACME.test", Invitee{Role: store.RoleAdmin, Groups: []string{"g"}, Clients: []string{"wiki"}})
	if i.Email != "alice@acme.test" || i.Hash != store.HashToken(made.Token) || len(made.Token) < 43 || i.State != store.InvitationOpen {
		t.Errorf("%+v, token of %d characters", i, len(made.Token))
	}
	w.person("acme", "bob", grouped("bob"))
	w.wantKind(w.login("acme", "bob"), Refused, ReasonJoinOff)
	w.person("acme", "liar", map[string]any{"sub": "liar", "email": "alice@acme.test", "email_verified": false})
	w.wantKind(w.login("acme", "liar"), Refused, ReasonJoinOff)
	w.person("acme", "quiet", map[string]any{"sub": "quiet", "email": "alice@acme.test"})
	w.wantKind(w.login("acme", "quiet"), Refused, ReasonJoinOff) // absent proves nothing without the link
	w.person("acme", "alice", grouped("alice"))
	d := w.wantKind(w.login("acme", "alice"), Activated, "")
	m, u := w.membership(d.UserID), w.user(d.UserID)
	if m.Role != store.RoleAdmin || !slices.Equal(m.Groups, []string{"newcomers", "g"}) || !slices.Equal(m.Clients, []string{"wiki"}) || u.CreatedBy != "admin-1" {
		t.Errorf("%+v, %+v", m, u)
	}
	if got := w.invitation(i.ID); got.State != store.InvitationAccepted || got.AcceptedBy != d.UserID || got.Hash != "" {
		t.Errorf("%+v", got)
	}
	w.wantKind(w.login("acme", "alice"), SignedIn, "")
	w.person("acme", "again", map[string]any{"sub": "again", "email": "alice@acme.test", "email_verified": true})
	w.wantKind(w.login("acme", "again"), Refused, ReasonJoinOff) // single use
	w.audited("invitation.create", "invitation.accept")
}

// audited wants the newest audit entries to have these actions, in order.
func (w *world) audited(actions ...string) {
	w.t.Helper()
	var got []string
	w.view(func(tx store.Tx) error {
		page, _, err := w.store.AuditPage(tx, store.AuditFilter{}, store.Page{Limit: 200})
		for _, e := range page {
			got = append(got, e.Action)
		}
		return err
	})
	slices.Sort(got)
	want := slices.Clone(actions)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.t.Errorf("audit has %q, want %q", got, want)
	}
}

func TestInvitationByTheMailedLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinOff)
	i, made := w.invite("alice@acme.test", Invitee{})
	link := Prepared{InvitationHash: store.HashToken(made.Token), NoApp: true}
	w.person("acme", "denied", map[string]any{"sub": "denied", "email": "alice@acme.test", "email_verified": false})
	w.wantKind(w.arrive(w.signIn("acme", "denied"), link), Refused, ReasonJoinOff)
	w.person("acme", "other", map[string]any{"sub": "other", "email": "mallory@acme.test"})
	w.wantKind(w.arrive(w.signIn("acme", "other"), link), Refused, ReasonInvitationOther)
	w.person("acme", "foreign", map[string]any{"sub": "foreign", "email": "alice@other.test", "email_verified": true})
	w.wantKind(w.arrive(w.signIn("acme", "foreign"), link), Refused, ReasonForeignEmail)
	w.person("acme", "quiet", map[string]any{"sub": "quiet", "email": "alice@acme.test"})
	w.wantKind(w.arrive(w.signIn("acme", "quiet"), Prepared{InvitationHash: "guess"}), Refused, ReasonJoinOff)
	if got := w.invitation(i.ID); got.State != store.InvitationOpen {
		t.Fatalf("the tries spent it: %+v", got)
	}
	d := w.wantKind(w.arrive(w.signIn("acme", "quiet"), link), Activated, "")
	if u := w.user(d.UserID); u.EmailVerified {
		t.Error("the provider never said that the address is verified")
	}
	w.person("acme", "late", map[string]any{"sub": "late", "email": "alice@acme.test"})
	w.wantKind(w.arrive(w.signIn("acme", "late"), link), Refused, ReasonJoinOff)
	// The link of another organization's invitation opens nothing here.
	var foreign store.Invitation
	other := NewInvitationToken()
	if err := w.change("admin-1", func(ch *store.Change) (err error) {
		foreign, err = w.p.Invite(ch, "public", Invitee{Email: address(t, "carol@acme.test")}, "admin-1", other)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	w.person("acme", "carol", grouped("carol"))
	w.wantKind(w.arrive(w.signIn("acme", "carol"), Prepared{InvitationHash: foreign.Hash}), Refused, ReasonJoinOff)
}

func TestInvitationExpiresIsResentAndRevoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinOff)
	i, made := w.invite("alice@acme.test", Invitee{Days: 3})
	again := func(to string) error {
		return w.change("admin-2", func(ch *store.Change) error {
			_, err := w.p.Invite(ch, "acme", Invitee{Email: address(t, to)}, "admin-2", NewInvitationToken())
			return err
		})
	}
	if err := again("ALICE@acme.test"); !errors.Is(err, ErrInvited) {
		t.Errorf("a second invitation: %v", err)
	}
	resend := func(id string) (made InvitationToken, err error) {
		made = NewInvitationToken()
		return made, w.change("admin-2", func(ch *store.Change) error {
			_, err := w.p.Resend(ch, id, 0, made)
			return err
		})
	}
	if _, err := resend(i.ID); !errors.Is(err, ErrResendPause) {
		t.Errorf("resent at once: %v", err)
	}
	w.later(time.Hour)
	fresh, err := resend(i.ID)
	if err != nil {
		t.Fatal(err)
	}
	look := func(token string) error {
		var err error
		w.view(func(tx store.Tx) error {
			_, err = w.p.InvitationByHash(tx, store.HashToken(token))
			return nil
		})
		return err
	}
	if err := look(made.Token); !errors.Is(err, ErrInvitationGone) {
		t.Errorf("the old link: %v", err)
	}
	if err := look(fresh.Token); err != nil {
		t.Errorf("the new link: %v", err)
	}
	w.later(15 * 24 * time.Hour)
	w.person("acme", "alice", grouped("alice"))
	w.wantKind(w.login("acme", "alice"), Refused, ReasonJoinOff)
	if err := look(fresh.Token); !errors.Is(err, ErrInvitationGone) {
		t.Errorf("expired: %v", err)
	}
	if err := again("alice@acme.test"); err != nil { // over: the address can be invited anew
		t.Errorf("inviting anew: %v", err)
	}
	if got := w.invitation(i.ID); got.State != store.InvitationExpired {
		t.Errorf("the first is %s", got.State)
	}
	b, link := w.invite("bob@acme.test", Invitee{})
	revoke := func() error {
		return w.change("admin-1", func(ch *store.Change) error {
			_, err := w.p.Revoke(ch, b.ID)
			return err
		})
	}
	if err := revoke(); err != nil {
		t.Fatal(err)
	}
	if err := revoke(); !errors.Is(err, ErrInvitationGone) {
		t.Errorf("revoked twice: %v", err)
	}
	if err := look(link.Token); !errors.Is(err, ErrInvitationGone) {
		t.Errorf("the revoked link: %v", err)
	}
	w.person("acme", "bob", grouped("bob"))
	w.wantKind(w.login("acme", "bob"), Refused, ReasonJoinOff)
}

// A member is never raised by an invitation; somebody who was removed comes back.
func TestInvitationOfKnownPeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	w.person("acme", "alice", grouped("alice"))
	d := w.wantKind(w.login("acme", "alice"), Created, "")
	i, _ := w.invite("alice@acme.test", Invitee{Role: store.RoleOwner, Clients: []string{"wiki"}})
	w.wantKind(w.login("acme", "alice"), SignedIn, "")
	if m := w.membership(d.UserID); m.Role != store.RoleUser || !slices.Contains(m.Clients, "wiki") || w.invitation(i.ID).State != store.InvitationAccepted {
		t.Errorf("%+v, %+v", m, w.invitation(i.ID))
	}
	w.update(func(tx store.Tx) error { return w.store.Memberships.Delete(tx, store.MembershipKey("acme", d.UserID)) })
	w.wantKind(w.login("acme", "alice"), Refused, ReasonNotMember)
	w.invite("alice@acme.test", Invitee{Role: store.RoleAdmin})
	back := w.wantKind(w.login("acme", "alice"), Activated, "")
	if m := w.membership(d.UserID); back.UserID != d.UserID || m.Role != store.RoleAdmin {
		t.Errorf("user %s came back as %s with %+v", d.UserID, back.UserID, m)
	}
	w.update(func(tx store.Tx) error {
		u, err := w.store.Users.Get(tx, d.UserID)
		u.Status = store.UserDisabled
		if err == nil {
			err = w.store.Users.Put(tx, u)
		}
		return err
	})
	w.invite("alice@acme.test", Invitee{})
	w.wantKind(w.login("acme", "alice"), Refused, ReasonUserDisabled)
}

// 16 people with the invited address at once: one is activated.
func TestInvitationIsSingleUseInParallel(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinOff)
	w.invite("alice@acme.test", Invitee{})
	ids := make([]federation.VerifiedIdentity, 16)
	for n := range ids {
		sub := string(rune('a' + n))
		w.person("acme", sub, map[string]any{"sub": sub, "email": "alice@acme.test", "email_verified": true})
		ids[n] = w.signIn("acme", sub)
	}
	var in, out atomic.Int32
	var wg sync.WaitGroup
	for _, id := range ids {
		wg.Go(func() {
			pr := Prepare()
			var d Decision
			if err := w.store.Update(t.Context(), func(tx store.Tx) (err error) {
				d, err = w.p.Admit(tx, id, store.Client{ID: "app"}, pr)
				return err
			}); err != nil {
				t.Error(err)
			}
			switch {
			case d.Kind == Activated:
				in.Add(1)
			case d.Reason == ReasonJoinOff:
				out.Add(1)
			}
		})
	}
	wg.Wait()
	if in.Load() != 1 || out.Load() != 15 {
		t.Errorf("%d came in, %d were refused", in.Load(), out.Load())
	}
}

// N3: an account somebody made with the address before never gets the
// newcomer's identity, and the newcomer never gets the account.
func TestN3_InvitedAddressFindsNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	w.person("acme", "attacker", map[string]any{"sub": "attacker", "email": "victim@acme.test"})
	early := w.login("acme", "attacker")
	w.invite("victim@acme.test", Invitee{Role: store.RoleAdmin})
	w.wantKind(w.login("acme", "attacker"), SignedIn, "") // absent proof accepts nothing
	w.person("acme", "victim", map[string]any{"sub": "victim", "email": "victim@acme.test", "email_verified": true})
	d := w.wantKind(w.login("acme", "victim"), Activated, "")
	if d.UserID == early.UserID || w.membership(early.UserID).Role != store.RoleUser || w.membership(d.UserID).Role != store.RoleAdmin {
		t.Errorf("early %s %+v, victim %s %+v", early.UserID, w.membership(early.UserID), d.UserID, w.membership(d.UserID))
	}
}

func TestInvitationsPerDay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinOff)
	w.p = New(Config{Store: w.store, Federation: w.fed, Now: w.now, MaxInvitationsPerDay: 2})
	w.invite("a@acme.test", Invitee{})
	w.invite("b@acme.test", Invitee{})
	third := func() error {
		return w.change("admin-1", func(ch *store.Change) error {
			_, err := w.p.Invite(ch, "acme", Invitee{Email: address(t, "c@acme.test")}, "admin-1", NewInvitationToken())
			return err
		})
	}
	if err := third(); !errors.Is(err, ErrInvitationLimit) {
		t.Errorf("third: %v", err)
	}
	w.later(25 * time.Hour)
	if err := third(); err != nil {
		t.Errorf("the next day: %v", err)
	}
}
