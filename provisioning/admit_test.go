package provisioning

import (
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"gatehouse/federation"
	"gatehouse/profile"
	"gatehouse/store"
)

func TestAutomaticJoin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	d := w.wantKind(w.login("acme", "alice"), Created, "")
	u := w.user(d.UserID)
	if u.Attributes.Email != "alice@acme.test" || !u.EmailVerified || u.CreatedBy != "owner-1" || u.Status != store.UserActive || u.LastLoginAt.IsZero() {
		t.Errorf("user: %+v", u)
	}
	s, err := w.authorize(d.UserID, "acme")
	if err != nil || s.Membership().Role != store.RoleUser || !slices.Equal(s.Membership().Groups, []string{"newcomers"}) || !s.Valid() {
		t.Errorf("standing: %+v, %v", s, err)
	}
	again := w.wantKind(w.login("acme", "alice"), SignedIn, "")
	if again.UserID != d.UserID {
		t.Errorf("second login is user %s, first was %s", again.UserID, d.UserID)
	}
	if users, ids, _ := w.counts(); users != 1 || ids != 1 {
		t.Errorf("%d users, %d identities", users, ids)
	}
}

// 16 first logins of one person at once make one user.
func TestFirstLoginInParallel(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	id := w.signIn("acme", "alice")
	users := make([]string, 16)
	var wg sync.WaitGroup
	for i := range users {
		wg.Go(func() {
			pr := Prepare()
			err := w.store.Update(t.Context(), func(tx store.Tx) error {
				d, err := w.p.Admit(tx, id, store.Client{ID: "app"}, pr)
				users[i] = d.UserID
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if users[0] == "" || slices.ContainsFunc(users, func(u string) bool { return u != users[0] }) {
		t.Errorf("users %q", users)
	}
}

func TestN2_UnverifiedAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	claims := func(verified any) map[string]any {
		c := map[string]any{"sub": "s-1", "email": "carol@acme.test", "name": "Carol"}
		if verified != nil {
			c["email_verified"] = verified
		}
		return c
	}
	// Newcomer: false is a request, and writes nobody.
	w.person("acme", "carol", claims(false))
	w.wantKind(w.login("acme", "carol"), Pending, "")
	// Not said, or said as text: the company's own provider admits, the address stays unverified.
	w.person("acme", "dave", map[string]any{"sub": "s-2", "email": "dave@acme.test", "email_verified": "true"})
	d := w.wantKind(w.login("acme", "dave"), Created, "")
	if u := w.user(d.UserID); u.EmailVerified || u.Attributes.Email != "dave@acme.test" {
		t.Errorf("address %q, verified %v", u.Attributes.Email, u.EmailVerified)
	}
	// Known: the same function says what counts as verified, at every login.
	w.person("acme", "dave", map[string]any{"sub": "s-2", "email": "dave@acme.test", "email_verified": true})
	w.wantKind(w.login("acme", "dave"), SignedIn, "")
	if !w.user(d.UserID).EmailVerified {
		t.Error("true was not taken")
	}
	w.person("acme", "dave", map[string]any{"sub": "s-2", "email": "dave@acme.test", "email_verified": false})
	w.wantKind(w.login("acme", "dave"), SignedIn, "")
	if w.user(d.UserID).EmailVerified {
		t.Error("verification survived the provider's no")
	}
	// Known and of a foreign domain: refused as a newcomer would be.
	w.person("acme", "dave", map[string]any{"sub": "s-2", "email": "dave@other.test", "email_verified": true})
	w.wantKind(w.login("acme", "dave"), Refused, ReasonForeignEmail)
	if u := w.user(d.UserID); u.Attributes.Email != "dave@acme.test" {
		t.Errorf("a refused login changed the address to %q", u.Attributes.Email)
	}
}

func TestTrustSetting(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	c := w.connection("acme")
	c.TrustEmail = federation.TrustAlways
	w.update(func(tx store.Tx) error { return w.store.Connections.Put(tx, c) })
	w.person("acme", "x", map[string]any{"sub": "s-1", "email": "x@acme.test"})
	if d := w.wantKind(w.login("acme", "x"), Created, ""); !w.user(d.UserID).EmailVerified {
		t.Error("the operator vouches, and the address is unverified")
	}
	w.person("acme", "y", map[string]any{"sub": "s-2", "email": "y@acme.test", "email_verified": false})
	w.wantKind(w.login("acme", "y"), Pending, "")
}

func TestNoEmail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	w.person("acme", "mute", map[string]any{"sub": "s-1", "name": "Mute", "email_verified": true})
	d := w.wantKind(w.login("acme", "mute"), Pending, "")
	if err := w.change("admin-1", func(ch *store.Change) error {
		_, err := w.p.Approve(ch, d.Request.ID, "admin-1", Approval{})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	in := w.wantKind(w.login("acme", "mute"), SignedIn, "")
	if u := w.user(in.UserID); u.EmailVerified || u.Attributes.Email != "" {
		t.Errorf("user: %+v", u)
	}
}

func TestN3_PreHijack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinRequest)
	w.connect("acme-2", "acme", "acme.test")
	// An attacker waits at one connection with the victim's address, unverified.
	w.person("acme", "attacker", map[string]any{"sub": "attacker", "email": "alice@acme.test", "email_verified": false})
	early := w.wantKind(w.login("acme", "attacker"), Pending, "")
	if err := w.change("admin-1", func(ch *store.Change) error {
		_, err := w.p.Approve(ch, early.Request.ID, "admin-1", Approval{})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	first := w.wantKind(w.login("acme", "attacker"), SignedIn, "")
	// The victim arrives by another connection, proven: someone else.
	w.person("acme-2", "alice", map[string]any{"sub": "alice", "email": "alice@acme.test", "email_verified": true})
	late := w.wantKind(w.login("acme-2", "alice"), Pending, "")
	if err := w.change("admin-1", func(ch *store.Change) error {
		_, err := w.p.Approve(ch, late.Request.ID, "admin-1", Approval{})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	second := w.wantKind(w.login("acme-2", "alice"), SignedIn, "")
	if first.UserID == second.UserID {
		t.Error("one address, one user: linked without proof")
	}
	if w.user(first.UserID).EmailVerified {
		t.Error("the attacker's address became verified")
	}
}

func TestN4_SameSubjectElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	w.connect("acme-2", "acme", "acme.test")
	// The same issuer behind a third connection.
	c := w.connection("acme")
	c.ID, c.Meta, c.ClientSecret = "acme-3", store.Meta{}, store.Seal("mock-secret")
	w.update(func(tx store.Tx) error { return w.store.Connections.Insert(tx, c) })
	w.idps["acme-3"] = w.idps["acme"]
	claims := map[string]any{"sub": "b:c", "email": "x@acme.test", "email_verified": true}
	w.person("acme", "x", claims)
	w.person("acme-2", "x", claims)
	seen := map[string]bool{}
	for _, conn := range []string{"acme", "acme-2", "acme-3"} {
		seen[w.wantKind(w.login(conn, "x"), Created, "").UserID] = true
	}
	if len(seen) != 3 {
		t.Errorf("%d users for 3 identities", len(seen))
	}
	if store.IdentityKey("a", "i", "b:c") == store.IdentityKey("a:b", "i", "c") || store.IdentityKey("a", "ib", "c") == store.IdentityKey("a", "i", "bc") {
		t.Error("keys of different tuples meet")
	}
}

func TestN5_UpstreamIDThatIsOurs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	alice := w.wantKind(w.login("acme", "alice"), Created, "")
	for name, sub := range map[string]string{"one": "1", "two": "admin", "three": "app", "four": alice.UserID, "five": "acme"} {
		w.person("acme", name, map[string]any{"sub": sub, "email": name + "@acme.test"})
		d := w.wantKind(w.login("acme", name), Created, "")
		if d.UserID == sub || d.UserID == alice.UserID || len(d.UserID) != 26 {
			t.Errorf("sub %q became user %q", sub, d.UserID)
		}
	}
}

func TestN8_DeletedUserIsNotRevived(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	d := w.wantKind(w.login("acme", "alice"), Created, "")
	// User gone, identity left behind (a half deletion): refused, not re-created.
	w.update(func(tx store.Tx) error { return w.store.Users.Delete(tx, d.UserID) })
	w.wantKind(w.login("acme", "alice"), Refused, ReasonUserRemoved)
	if _, err := w.authorize(d.UserID, "acme"); !isReason(err, ReasonUserRemoved) {
		t.Errorf("gate: %v", err)
	}
	// All of it gone: a new person, under a new id; the old id is never given again.
	key := store.IdentityKey("acme", w.idps["acme"].URL, w.signIn("acme", "alice").Subject())
	w.update(func(tx store.Tx) error {
		if err := w.store.Memberships.Delete(tx, store.MembershipKey("acme", d.UserID)); err != nil {
			return err
		}
		return w.store.Identities.Delete(tx, key)
	})
	again := w.wantKind(w.login("acme", "alice"), Created, "")
	if again.UserID == d.UserID {
		t.Error("the id was used again")
	}
	err := w.store.Update(t.Context(), func(tx store.Tx) error {
		_, err := w.p.Admit(tx, w.signIn("acme", "bob"), store.Client{ID: "app"}, Prepared{UserID: d.UserID, RequestID: "r"})
		return err
	})
	if err == nil {
		t.Error("a deleted user's id was taken")
	}
}

func TestN9_AddressThatIsANameElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	a := w.wantKind(w.login("acme", "alice"), Created, "")
	w.person("acme", "eve", map[string]any{"sub": "alice@acme.test", "name": "alice", "preferred_username": "alice@acme.test", "email": "alice@acme.test", "email_verified": true})
	e := w.wantKind(w.login("acme", "eve"), Created, "")
	if a.UserID == e.UserID {
		t.Error("one user for two people")
	}
	if again := w.wantKind(w.login("acme", "alice"), SignedIn, ""); again.UserID != a.UserID {
		t.Error("alice signs in as somebody else")
	}
}

func TestN11_AddressBecomesAnotherUsers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	a := w.wantKind(w.login("acme", "alice"), Created, "")
	w.person("acme", "mallory", map[string]any{"sub": "m", "email": "mallory@acme.test", "email_verified": true})
	m := w.wantKind(w.login("acme", "mallory"), Created, "")
	w.person("acme", "mallory", map[string]any{"sub": "m", "email": "alice@acme.test", "email_verified": true})
	if d := w.wantKind(w.login("acme", "mallory"), SignedIn, ""); d.UserID != m.UserID || !strings.Contains(d.Why, "address changed") {
		t.Errorf("the address switched the user, or nobody noticed: %+v", d)
	}
	if w.user(a.UserID).Attributes.Email != "alice@acme.test" || w.user(m.UserID).Attributes.Email != "alice@acme.test" {
		t.Error("attributes are not each one's own")
	}
	if d := w.wantKind(w.login("acme", "alice"), SignedIn, ""); d.UserID != a.UserID {
		t.Error("alice signs in as somebody else")
	}
}

func TestG1_ClaimsGiveNoRole(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	claims := map[string]any{
		"sub": "s", "email": "x@acme.test", "email_verified": true, "role": "admin", "roles": []string{"owner"}, "groups": []string{"admin", "owners"},
		"is_admin": true, "platform_role": "owner", "status": "active", "membership": map[string]any{"role": "owner"},
	}
	w.person("acme", "x", claims)
	d := w.wantKind(w.login("acme", "x"), Created, "")
	check := func() {
		t.Helper()
		s, err := w.authorize(d.UserID, "acme")
		if err != nil || s.Membership().Role != store.RoleUser || !slices.Equal(s.Membership().Groups, []string{"newcomers"}) || s.User().PlatformRole != "" {
			t.Errorf("membership %+v, user %+v, %v", s.Membership(), s.User(), err)
		}
	}
	check()
	w.wantKind(w.login("acme", "x"), SignedIn, "")
	check()
	if got := w.user(d.UserID).Attributes.Custom["teams"]; !slices.Equal(got, []string{"admin", "owners"}) {
		t.Errorf("the mapped attribute is %q", got)
	}
}

func TestAttributesAreRefreshedAndTakenAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	w.person("acme", "x", map[string]any{"sub": "s", "email": "x@acme.test", "email_verified": true, "name": "X", "given_name": "Old", "groups": []string{"a", "b"}})
	d := w.wantKind(w.login("acme", "x"), Created, "")
	w.person("acme", "x", map[string]any{"sub": "s", "given_name": "New", "groups": []string{"b"}})
	w.wantKind(w.login("acme", "x"), SignedIn, "")
	u := w.user(d.UserID)
	want := profile.Attributes{FederationID: "s", FirstName: "New", Custom: map[string][]string{"teams": {"b"}}}
	if !reflect.DeepEqual(u.Attributes, want) || u.EmailVerified {
		t.Errorf("got %+v verified %v, want %+v", u.Attributes, u.EmailVerified, want)
	}
}

func TestG11_JoinOff(t *testing.T) {
	t.Parallel()
	for _, policy := range []store.JoinPolicy{store.JoinOff, "", "Automatic"} {
		w := newWorld(t, policy)
		d := w.wantKind(w.login("acme", "alice"), Refused, ReasonJoinOff)
		if users, ids, pending := w.counts(); users+ids+pending != 0 || d.Request.ID != "" {
			t.Errorf("%q: written: %d users, %d identities, %d requests", policy, users, ids, pending)
		}
	}
}
