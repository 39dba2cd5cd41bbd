package provisioning

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/federation"
	"gatehouse/profile"
	"gatehouse/store"
)

// local adds a connection of local accounts: its people prove themselves without
// HTTP, which makes long histories cheap.
func (w *world) local(id, organization string) {
	w.t.Helper()
	w.update(func(tx store.Tx) error {
		return w.store.Connections.Insert(tx, store.Connection{ID: id, OrganizationID: organization, Kind: store.KindLocal, Title: id})
	})
}

// proven is somebody who has just proven to be subject at a local connection.
func (w *world) proven(connection, subject, email string) federation.VerifiedIdentity {
	w.t.Helper()
	id, err := w.fed.LocalIdentity(w.connection(connection), federation.LocalPerson{
		UserID: subject, EmailProven: email != "", AuthTime: time.Now(),
		Attributes: profile.Attributes{Email: email, DisplayName: "Name of " + subject},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func (w *world) link(user string, id federation.VerifiedIdentity) error {
	return w.store.Update(w.t.Context(), func(tx store.Tx) error {
		_, err := w.p.Link(tx, user, id, store.Actor{UserID: user, Via: "account"})
		return err
	})
}

func (w *world) unlink(user string, id federation.VerifiedIdentity) error {
	return w.store.Update(w.t.Context(), func(tx store.Tx) error {
		return w.p.Unlink(tx, user, store.IdentityKey(id.Connection().ID, id.Issuer(), id.Subject()), store.Actor{UserID: user, Via: "account"})
	})
}

// people is everything about people, without revisions and times.
func (w *world) people() string {
	w.t.Helper()
	var b strings.Builder
	line := func(kind string, rec any) {
		raw, err := json.Marshal(rec)
		if err != nil {
			w.t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %s\n", kind, raw)
	}
	w.view(func(tx store.Tx) error {
		for u, err := range w.store.Users.All(tx) {
			if err != nil {
				return err
			}
			u.Meta, u.LastLoginAt = store.Meta{}, time.Time{}
			line("user", u)
		}
		for i, err := range w.store.Identities.All(tx) {
			if err != nil {
				return err
			}
			i.Meta, i.LastLoginAt, i.LinkedAt = store.Meta{}, time.Time{}, time.Time{}
			line("identity", i)
		}
		for m, err := range w.store.Memberships.All(tx) {
			if err != nil {
				return err
			}
			m.Meta = store.Meta{}
			line("membership", m)
		}
		for r, err := range w.store.AccessRequests.All(tx) {
			if err != nil {
				return err
			}
			line("request", r)
		}
		return nil
	})
	return b.String()
}

// TestLinkThenUnlinkGivesAnEqualStore: in generated histories of people who sign
// in, link, sign in through what they linked, and unlink again in any order, the
// store is what it was before the first link, and nobody was ever linked who had
// not proven both sides.
func TestLinkThenUnlinkGivesAnEqualStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	w.update(func(tx store.Tx) error {
		return w.store.Organizations.Insert(tx, store.Organization{ID: "ask", Title: "Ask", Join: store.JoinRequest})
	})
	for _, c := range []string{"a1 acme", "a2 acme", "p1 public", "p2 public", "q1 ask"} {
		id, org, _ := strings.Cut(c, " ")
		w.local(id, org)
	}
	r := rand.New(rand.NewPCG(4, 2026))
	connections := []string{"a1", "a2", "p1", "p2", "q1"}
	links, refused := 0, 0
	for history := range 60 {
		home := connections[r.IntN(4)]
		subject := fmt.Sprintf("home-%d", history)
		own := w.proven(home, subject, subject+"@mail.test")
		user := w.wantKind(w.admit(own), Created, "").UserID
		before := w.people()
		held := []federation.VerifiedIdentity{}
		for range 1 + r.IntN(4) {
			at := connections[r.IntN(len(connections))]
			id := w.proven(at, fmt.Sprintf("other-%d-%d", history, r.IntN(3)), fmt.Sprintf("other%d@else.test", history))
			err := w.link(user, id)
			switch {
			case err == nil:
				links++
				held = append(held, id)
				if r.IntN(2) == 0 { // it becomes the source of the attributes
					w.later(time.Second)
					if d := w.wantKind(w.admit(id), SignedIn, ""); d.UserID != user {
						t.Fatalf("the linked identity opens %s, not %s", d.UserID, user)
					}
				}
			case errors.Is(err, ErrLinked), errors.Is(err, ErrLinkAsk) && at == "q1":
				refused++
			default:
				t.Fatalf("history %d: link at %s: %v", history, at, err)
			}
		}
		r.Shuffle(len(held), func(i, j int) { held[i], held[j] = held[j], held[i] })
		for _, id := range held {
			if err := w.unlink(user, id); err != nil {
				t.Fatalf("history %d: unlink: %v", history, err)
			}
		}
		if after := w.people(); after != before {
			t.Fatalf("history %d: before\n%s\nafter\n%s", history, before, after)
		}
		if err := w.unlink(user, own); !errors.Is(err, ErrLastIdentity) {
			t.Fatalf("the last identity: got %v", err)
		}
	}
	if links < 60 || refused == 0 {
		t.Errorf("%d links, %d refused: the histories show nothing", links, refused)
	}
	t.Logf("%d links undone, %d refused", links, refused)
}

// TestN6_LinkNeedsWhatIsNobodys: an identity that is somebody's is never moved,
// not even to its own person, and not while two people want it at once.
func TestN6_LinkNeedsWhatIsNobodys(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	w.local("l1", "acme")
	w.local("l2", "acme")
	jane := w.admit(w.proven("l1", "jane", "jane@acme.test")).UserID
	bob := w.admit(w.proven("l1", "bob", "bob@acme.test")).UserID
	before := w.people()
	for name, user := range map[string]string{"own": jane, "another's": bob} {
		if err := w.link(user, w.proven("l1", "jane", "jane@acme.test")); !errors.Is(err, ErrLinked) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := w.link(jane, federation.VerifiedIdentity{}); !errors.Is(err, ErrNotAllowed) {
		t.Errorf("no identity: got %v", err)
	}
	if w.people() != before {
		t.Error("a refused link wrote something")
	}
	var wg sync.WaitGroup
	won := make([]error, 2)
	for i, user := range []string{jane, bob} {
		id := w.proven("l2", "both", "")
		wg.Go(func() { won[i] = w.link(user, id) })
	}
	wg.Wait()
	if (won[0] == nil) == (won[1] == nil) {
		t.Errorf("two people linked one identity: %v, %v", won[0], won[1])
	}
	if err := w.unlink(bob, w.proven("l1", "jane", "")); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("unlinking another's: got %v", err)
	}
}

// TestLinkAsTheTableSays: who may not come in through a connection cannot get in
// by linking.
func TestLinkAsTheTableSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	w.local("home", "acme")
	w.local("other", "public")
	w.connect("oidc", "acme", "acme.test")
	jane := w.admit(w.proven("home", "jane", "jane@acme.test")).UserID
	edit := func(fn func(*store.Organization)) {
		w.update(func(tx store.Tx) error {
			o, err := w.store.Organizations.Get(tx, "public")
			if err != nil {
				return err
			}
			fn(&o)
			return w.store.Organizations.Put(tx, o)
		})
	}
	n := 0
	try := func() error {
		n++
		return w.link(jane, w.proven("other", fmt.Sprintf("jane-%d", n), ""))
	}
	before := w.people()
	edit(func(o *store.Organization) { o.Join = store.JoinOff })
	if err := try(); !errors.Is(err, ErrNotAllowed) {
		t.Errorf("join off: got %v", err)
	}
	edit(func(o *store.Organization) { o.Join = store.JoinRequest })
	if err := try(); !errors.Is(err, ErrLinkAsk) {
		t.Errorf("join request: got %v", err)
	}
	edit(func(o *store.Organization) { o.SignInOff = true })
	if err := try(); !errors.Is(err, ErrNotAllowed) {
		t.Errorf("sign-in off: got %v", err)
	}
	w.person("oidc", "mallory", map[string]any{"sub": "m-1", "email": "jane@elsewhere.test", "email_verified": true})
	if err := w.link(jane, w.signIn("oidc", "mallory")); !errors.Is(err, ErrNotAllowed) {
		t.Errorf("foreign address: got %v", err)
	}
	if w.people() != before {
		t.Error("a refused link wrote something")
	}
	w.update(func(tx store.Tx) error {
		u, err := w.store.Users.Get(tx, jane)
		if err != nil {
			return err
		}
		u.Status = store.UserDisabled
		return w.store.Users.Put(tx, u)
	})
	if err := w.link(jane, w.proven("home", "jane-2", "")); !errors.Is(err, ErrNotAllowed) {
		t.Errorf("disabled person: got %v", err)
	}
}

// TestLegitimateLinksAreNotRefused is the corpus of people who have every right.
func TestLegitimateLinksAreNotRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	w.local("home", "acme")
	w.connect("second", "acme", "acme.test")
	w.connect("any", "public", "*")
	for name, claims := range map[string]map[string]any{
		"no email_verified":                  {"email": "p1@acme.test"},
		"email_verified false":               {"email": "p2@acme.test", "email_verified": false},
		"login name differs from the mail":   {"email": "p3@acme.test", "email_verified": true, "preferred_username": "x99"},
		"no address at all":                  {},
		"address of another domain of ours":  {"email": "p5@acme.test", "email_verified": true},
		"the same address as at home":        {"email": "home@acme.test", "email_verified": true},
		"subject is a number like an id":     {"sub": "1", "email": "p7@acme.test"},
		"subject is the person's own number": {"sub": "admin", "email": "p8@acme.test"},
		"plus and capitals in the address":   {"email": "P9+Tag@ACME.test", "email_verified": true},
	} {
		subject := strings.ReplaceAll(name, " ", "-")
		user := w.admit(w.proven("home", "h-"+subject, subject+"@people.test")).UserID
		all := map[string]any{"sub": subject}
		for k, v := range claims {
			all[k] = v
		}
		w.person("second", subject, all)
		id := w.signIn("second", subject)
		if err := w.link(user, id); err != nil {
			t.Errorf("%s: refused: %v", name, err)
			continue
		}
		if d := w.admit(id); d.Kind != SignedIn || d.UserID != user {
			t.Errorf("%s: then %s %s (%s)", name, d.Kind, d.UserID, d.Why)
		}
		for _, connection := range []string{"home", "second"} {
			if _, err := w.authorize(user, connection); err != nil {
				t.Errorf("%s: the gate at %s: %v", name, connection, err)
			}
		}
	}
}

// TestN3_NobodyIsLinkedByAddress: the same proven address at a second connection
// of the organization is a newcomer; the person is asked, and only asked.
func TestN3_NobodyIsLinkedByAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinRequest)
	w.local("home", "acme")
	w.connect("second", "acme", "acme.test")
	join := func(policy store.JoinPolicy) {
		w.update(func(tx store.Tx) error {
			o, err := w.store.Organizations.Get(tx, "acme")
			if err != nil {
				return err
			}
			o.Join = policy
			return w.store.Organizations.Put(tx, o)
		})
	}
	join(store.JoinAutomatic)
	jane := w.admit(w.proven("home", "jane", "jane@acme.test")).UserID
	join(store.JoinRequest)
	suggest := func(id federation.VerifiedIdentity) (s Suggestion) {
		w.view(func(tx store.Tx) (err error) {
			s, err = w.p.Suggest(tx, id)
			return err
		})
		return s
	}
	w.person("second", "jane", map[string]any{"sub": "j2", "email": "Jane@acme.test", "email_verified": true})
	id := w.signIn("second", "jane")
	if s := suggest(id); len(s.Connections) != 1 || s.Connections[0].ID != "home" {
		t.Errorf("suggested %v", s.Connections)
	}
	d := w.wantKind(w.admit(id), Pending, "")
	var candidates []string
	w.view(func(tx store.Tx) (err error) {
		candidates, err = w.p.Candidates(tx, d.Request)
		return err
	})
	if !slices.Equal(candidates, []string{jane}) {
		t.Errorf("candidates %v, want %s", candidates, jane)
	}

	// What nobody vouches for suggests nobody.
	for name, claims := range map[string]map[string]any{
		"unproven": {"sub": "u1", "email": "jane@acme.test"}, "denied": {"sub": "u2", "email": "jane@acme.test", "email_verified": false},
		"none": {"sub": "u3"}, "longer": {"sub": "u4", "email": "jane@acme.test.acme.test", "email_verified": true},
	} {
		w.person("second", name, claims)
		if s := suggest(w.signIn("second", name)); len(s.Connections) != 0 {
			t.Errorf("%s: suggested %v", name, s.Connections)
		}
	}
	// A known person is asked nothing.
	if s := suggest(w.proven("home", "jane", "jane@acme.test")); len(s.Connections) != 0 {
		t.Errorf("known: suggested %v", s.Connections)
	}

	// "This is Jane": the request's identity becomes hers.
	if err := w.change("owner-1", func(ch *store.Change) error {
		_, err := w.p.ApproveAs(ch, d.Request.ID, "owner-1", "nobody", "")
		return err
	}); !errors.Is(err, ErrNotCandidate) {
		t.Errorf("a stranger: got %v", err)
	}
	if err := w.change(jane, func(ch *store.Change) error {
		_, err := w.p.ApproveAs(ch, d.Request.ID, jane, jane, "")
		return err
	}); !errors.Is(err, ErrOwnRequest) {
		t.Errorf("herself (G8): got %v", err)
	}
	if err := w.change("owner-1", func(ch *store.Change) error {
		_, err := w.p.ApproveAs(ch, d.Request.ID, "owner-1", jane, "")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if d := w.wantKind(w.admit(id), SignedIn, ""); d.UserID != jane {
		t.Errorf("signed in as %s", d.UserID)
	}

	// Two people with one address are nobody.
	join(store.JoinAutomatic)
	w.admit(w.proven("home", "jane-again", "jane@acme.test"))
	w.person("second", "third", map[string]any{"sub": "j3", "email": "jane@acme.test", "email_verified": true})
	if s := suggest(w.signIn("second", "third")); len(s.Connections) != 0 {
		t.Errorf("of two: suggested %v", s.Connections)
	}
}

// TestN11_AddressOfAnother: an address that changes upstream to somebody else's
// switches nothing, and is noted.
func TestN11_AddressOfAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	w.local("home", "acme")
	w.local("more", "acme")
	jane := w.admit(w.proven("home", "jane", "jane@acme.test")).UserID
	bob := w.admit(w.proven("more", "bob", "bob@acme.test")).UserID
	notes := func() (n int) {
		w.view(func(tx store.Tx) error {
			page, _, err := w.store.AuditPage(tx, store.AuditFilter{}, store.Page{Limit: 1000})
			for _, e := range page {
				if e.Action == "identity.conflict" && e.Target == "user/"+bob {
					n++
				}
			}
			return err
		})
		return n
	}
	if d := w.admit(w.proven("more", "bob", "bob.new@acme.test")); d.UserID != bob || notes() != 0 {
		t.Errorf("a new address of his own: %s, %d notes", d.UserID, notes())
	}
	d := w.admit(w.proven("more", "bob", "jane@acme.test"))
	if d.Kind != SignedIn || d.UserID != bob || !strings.Contains(d.Why, "another person") {
		t.Errorf("got %s as %s (%s)", d.Kind, d.UserID, d.Why)
	}
	if n := notes(); n != 1 {
		t.Errorf("%d notes in the audit, want 1", n)
	}
	w.admit(w.proven("more", "bob", "jane@acme.test"))
	if n := notes(); n != 1 {
		t.Errorf("%d notes after a login that changed nothing, want 1", n)
	}
	if d := w.admit(w.proven("home", "jane", "jane@acme.test")); d.UserID != jane {
		t.Errorf("jane is %s now", d.UserID)
	}
}

// TestUnlinkEndsWhatItOpened: sessions and grants through the connection go, the
// others stay.
func TestUnlinkEndsWhatItOpened(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	w.local("home", "acme")
	w.local("more", "acme")
	jane := w.admit(w.proven("home", "jane", "jane@acme.test")).UserID
	second := w.proven("more", "jane-2", "")
	if err := w.link(jane, second); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Hour)
	w.update(func(tx store.Tx) error {
		for _, c := range []string{"home", "more"} {
			if err := w.store.Sessions.Insert(tx, store.Session{KeyHash: c, SID: c, UserID: jane, ConnectionID: c, OrganizationID: "acme", ExpiresAt: later, IdleExpiresAt: later}); err != nil {
				return err
			}
			if err := w.store.Grants.Insert(tx, store.Grant{ID: c, UserID: jane, ClientID: "app", ConnectionID: c, OrganizationID: "acme", SessionKey: c, ExpiresAt: later, KeepUntil: later}); err != nil {
				return err
			}
		}
		return nil
	})
	if err := w.unlink(jane, second); err != nil {
		t.Fatal(err)
	}
	w.view(func(tx store.Tx) error {
		for c, want := range map[string]bool{"home": true, "more": false} {
			there, err := w.store.Sessions.Has(tx, c)
			if err != nil || there != want {
				t.Errorf("session at %s: %v, %v", c, there, err)
			}
			g, err := w.store.Grants.Get(tx, c)
			if err != nil || g.Live(time.Now()) != want {
				t.Errorf("grant at %s: %v, %v", c, g.EndedAt, err)
			}
		}
		return nil
	})
	if _, err := w.authorize(jane, "more"); !errors.Is(err, ErrNotAllowed) {
		t.Errorf("the gate: got %v", err)
	}
	if _, err := w.authorize(jane, "home"); err != nil {
		t.Errorf("the gate at home: %v", err)
	}
}
