package provisioning

import (
	"errors"
	"testing"
	"time"

	"gatehouse/store"
)

func isReason(err error, want Reason) bool {
	var no *NotAllowedError
	return errors.Is(err, ErrNotAllowed) && errors.As(err, &no) && no.Reason == want
}

func TestE12_SwitchedOffIsOffEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	d := w.wantKind(w.login("acme", "alice"), Created, "")
	id := w.signIn("acme", "alice") // proven before anything is switched off
	edit := func(on bool, fn func(tx store.Tx, off bool) error) {
		t.Helper()
		w.update(func(tx store.Tx) error { return fn(tx, !on) })
	}
	for _, c := range []struct {
		name   string
		reason Reason
		set    func(tx store.Tx, off bool) error
	}{
		{"connection", ReasonConnection, func(tx store.Tx, off bool) error {
			r, err := w.store.Connections.Get(tx, "acme")
			if r.Disabled = off; err == nil {
				err = w.store.Connections.Put(tx, r)
			}
			return err
		}},
		{"organization", ReasonOrganization, func(tx store.Tx, off bool) error {
			r, err := w.store.Organizations.Get(tx, "acme")
			if r.Disabled = off; err == nil {
				err = w.store.Organizations.Put(tx, r)
			}
			return err
		}},
		{"client", ReasonClient, func(tx store.Tx, off bool) error {
			r, err := w.store.Clients.Get(tx, "app")
			if r.Disabled = off; err == nil {
				err = w.store.Clients.Put(tx, r)
			}
			return err
		}},
		{"user", ReasonUserDisabled, func(tx store.Tx, off bool) error {
			r, err := w.store.Users.Get(tx, d.UserID)
			if r.Status = store.UserActive; off {
				r.Status = store.UserDisabled
			}
			if err == nil {
				err = w.store.Users.Put(tx, r)
			}
			return err
		}},
		{"membership", ReasonNotMember, func(tx store.Tx, off bool) error {
			if off {
				return w.store.Memberships.Delete(tx, store.MembershipKey("acme", d.UserID))
			}
			return w.store.Memberships.Insert(tx, store.Membership{OrganizationID: "acme", UserID: d.UserID, Role: store.RoleUser})
		}},
		{"app of other organizations", ReasonClientNotAllowed, func(tx store.Tx, off bool) error {
			r, err := w.store.Clients.Get(tx, "app")
			if r.Organizations = nil; off {
				r.Organizations = []string{"public"}
			}
			if err == nil {
				err = w.store.Clients.Put(tx, r)
			}
			return err
		}},
	} {
		if _, err := w.authorize(d.UserID, "acme"); err != nil {
			t.Fatalf("before %s: %v", c.name, err)
		}
		edit(false, c.set)
		if s, err := w.authorize(d.UserID, "acme"); !isReason(err, c.reason) || s.Valid() {
			t.Errorf("%s: the gate says %v", c.name, err)
		}
		w.wantKind(w.admit(id), Refused, c.reason)
		edit(true, c.set)
		w.wantKind(w.admit(id), SignedIn, "")
	}
	// Deleted things refuse as well.
	if _, err := w.authorize(d.UserID, "gone"); !isReason(err, ReasonConnection) {
		t.Errorf("unknown connection: %v", err)
	}
	if _, err := w.authorize(d.UserID, ""); !isReason(err, ReasonConnection) {
		t.Errorf("no connection: %v", err)
	}
	if _, err := w.authorize("nobody", "acme"); !isReason(err, ReasonUserRemoved) {
		t.Errorf("unknown user: %v", err)
	}
	w.connect("acme-2", "acme", "acme.test")
	if _, err := w.authorize(d.UserID, "acme-2"); !isReason(err, ReasonNoIdentityHere) {
		t.Errorf("a connection the user never came through: %v", err)
	}
}

func TestEnding(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	now := time.Now().UTC()
	grant := func(id, user, session string, scopes ...string) store.Grant {
		return store.Grant{ID: id, UserID: user, ClientID: "app", SessionKey: session, Scopes: scopes, ExpiresAt: now.Add(time.Hour), KeepUntil: now.Add(2 * time.Hour)}
	}
	session := func(key, user string) store.Session {
		return store.Session{KeyHash: key, SID: "sid-" + key, UserID: user, IdleExpiresAt: now.Add(time.Hour), ExpiresAt: now.Add(time.Hour)}
	}
	w.update(func(tx store.Tx) error {
		for _, g := range []store.Grant{
			grant("browser", "u1", "k1", "openid"), grant("offline", "u1", "k1", "openid", "offline_access"), grant("phone", "u1", "k0"), grant("other", "u1", "k2"), grant("foreign", "u2", "k3"),
		} {
			if err := w.store.Grants.Insert(tx, g); err != nil {
				return err
			}
		}
		for _, s := range []store.Session{session("k1", "u1"), session("k2", "u1"), session("k3", "u2")} {
			if err := w.store.Sessions.Insert(tx, s); err != nil {
				return err
			}
		}
		return nil
	})
	check := func(when, live, sessions string) {
		t.Helper()
		var gotLive, gotSessions string
		w.view(func(tx store.Tx) error {
			for g, err := range w.store.Grants.All(tx) {
				if err != nil {
					return err
				}
				if g.Live(now) {
					gotLive += g.ID + " "
				}
			}
			for s, err := range w.store.Sessions.All(tx) {
				if err != nil {
					return err
				}
				gotSessions += s.KeyHash + " "
			}
			return nil
		})
		if gotLive != live || gotSessions != sessions {
			t.Errorf("%s: live grants %q, sessions %q; want %q, %q", when, gotLive, gotSessions, live, sessions)
		}
	}
	check("at first", "browser foreign offline other phone ", "k1 k2 k3 ")
	for range 2 { // ending twice is no error and changes nothing
		w.update(func(tx store.Tx) error { return w.p.EndSession(tx, "k1") })
		check("session ended", "foreign other phone ", "k2 k3 ")
	}
	for range 2 {
		w.update(func(tx store.Tx) error { return w.p.EndGrant(tx, "phone", "lost") })
		check("grant ended", "foreign other ", "k2 k3 ")
	}
	w.update(func(tx store.Tx) error { return w.p.EndUser(tx, "u1", "left") })
	check("user ended", "foreign ", "k3 ")
	w.view(func(tx store.Tx) error {
		for id, want := range map[string]string{"browser": EndedSignedOut, "offline": EndedSignedOut, "phone": "lost", "other": "left"} {
			if g, err := w.store.Grants.Get(tx, id); err != nil || g.EndReason != want {
				t.Errorf("%s ended with %q, %v; want %q", id, g.EndReason, err, want)
			}
		}
		return nil
	})
	w.update(func(tx store.Tx) error {
		return errors.Join(w.p.EndSession(tx, "none"), w.p.EndGrant(tx, "none", ""), w.p.EndUser(tx, "none", ""))
	})
}
