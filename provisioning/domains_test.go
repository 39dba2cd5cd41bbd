package provisioning

import (
	"testing"

	"gatehouse/federation"
	"gatehouse/store"
)

func TestE9_ForeignDomainIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	w.connect("globex", "public", "globex.test")
	w.update(func(tx store.Tx) error {
		return w.store.Domains.Insert(tx, store.Domain{Name: "globex.test", OrganizationID: "public", State: store.DomainVerified})
	})
	for _, address := range []string{"x@globex.test", "x@nobody.test", "x@sub.acme.test", "x@evilacme.test", "x@acme.test.evil.test"} {
		w.person("acme", "x", map[string]any{"sub": "s-" + address, "email": address, "email_verified": true})
		d := w.wantKind(w.login("acme", "x"), Refused, ReasonForeignEmail)
		if d.UserID != "" || d.Request.ID != "" || d.Reason.Sentence() == "" {
			t.Errorf("%s: %+v", address, d)
		}
	}
	if users, ids, pending := w.counts(); users+ids+pending != 0 {
		t.Errorf("written: %d users, %d identities, %d requests", users, ids, pending)
	}
}

func TestE10_CatchAllAndOwnedDomain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	w.connect("any", "public", "*")
	sign := func(address string, verified any) Decision {
		c := map[string]any{"sub": "s-" + address, "email": address}
		if verified != nil {
			c["email_verified"] = verified
		}
		w.person("any", "x", c)
		return w.login("any", "x")
	}
	w.wantKind(sign("ceo@acme.test", true), Refused, ReasonForeignEmail)
	w.wantKind(sign("x@elsewhere.test", true), Created, "")
	// A provider that serves any domain must say that the address is proven.
	w.wantKind(sign("y@elsewhere.test", nil), Pending, "")
	w.wantKind(sign("z@elsewhere.test", false), Pending, "")
	// Nobody else's domain stays with its owner while the owner is switched off.
	c := w.connection("acme")
	c.Disabled = true
	w.update(func(tx store.Tx) error { return w.store.Connections.Put(tx, c) })
	w.wantKind(sign("ceo2@acme.test", true), Refused, ReasonForeignEmail)
}

func TestE11_PolicyAtTheCallbackNotOnlyAtRouting(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	id := w.signIn("acme", "alice")
	for name, c := range map[string]store.Client{
		"organization": {Organizations: []string{"public"}}, "connection": {Connections: []string{"other"}},
	} {
		c.ID = "only-" + name
		w.update(func(tx store.Tx) error {
			if err := w.store.Clients.Insert(tx, c); err != nil {
				return err
			}
			d, err := w.p.Admit(tx, id, store.Client{ID: c.ID}, Prepare())
			if d.Reason != ReasonClientNotAllowed {
				t.Errorf("%s: %+v", name, d)
			}
			return err
		})
	}
	w.update(func(tx store.Tx) error {
		d, err := w.p.Admit(tx, id, store.Client{ID: "unknown"}, Prepare())
		if d.Reason != ReasonClient {
			t.Errorf("unknown app: %+v", d)
		}
		d, err2 := w.p.Admit(tx, federation.VerifiedIdentity{}, store.Client{ID: "app"}, Prepare())
		if d.Reason != ReasonNoIdentity || err2 != nil {
			t.Errorf("no identity: %+v, %v", d, err2)
		}
		return err
	})
}

func TestE13_DomainWithNewOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	old := w.wantKind(w.login("acme", "alice"), Created, "")
	// The provider forgets alice; somebody new gets her address: a new subject.
	w.person("acme", "alice", map[string]any{"sub": "new-owner", "email": "alice@acme.test", "email_verified": true})
	fresh := w.wantKind(w.login("acme", "alice"), Created, "")
	if fresh.UserID == old.UserID {
		t.Error("the new owner of the address got the old user")
	}
	// The organization loses the domain: its connection speaks for it no more.
	w.update(func(tx store.Tx) error { return w.store.Domains.Delete(tx, store.DomainKey("acme.test", "acme")) })
	w.wantKind(w.login("acme", "alice"), Refused, ReasonForeignEmail)
}

func TestT5_DomainMoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinAutomatic)
	d := w.wantKind(w.login("acme", "alice"), Created, "")
	w.connect("globex", "public", "acme.test")
	w.update(func(tx store.Tx) error {
		if err := w.store.Domains.Delete(tx, store.DomainKey("acme.test", "acme")); err != nil {
			return err
		}
		return w.store.Domains.Insert(tx, store.Domain{Name: "acme.test", OrganizationID: "public", State: store.DomainVerified})
	})
	if _, err := w.authorize(d.UserID, "acme"); !isReason(err, ReasonForeignEmail) {
		t.Errorf("gate: %v", err)
	}
}
