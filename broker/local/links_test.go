package local

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/store"
)

// TestL4_ResetEndsEverything: a mailed link works once and within its hour; a
// new password ends sessions, API tokens and every other link, and proves the
// address.
func TestL4_ResetEndsEverything(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.account("ann@acme.test", password, false)
	now := w.clock()
	w.update(func(tx store.Tx) error {
		return errors.Join(
			w.store.Sessions.Insert(tx, store.Session{KeyHash: "k", SID: "s", UserID: u.ID, IdleExpiresAt: now.Add(time.Hour), ExpiresAt: now.Add(time.Hour)}),
			w.store.APITokens.Insert(tx, store.APIToken{Hash: "t", UserID: u.ID, ExpiresAt: now.Add(time.Hour)}),
			w.MailProof(tx, u.ID, w.email("new@acme.test"), "", "proof"),
		)
	})
	w.advance(time.Second)
	for range 2 { // the second link replaces the first
		if err := w.AskReset(t.Context(), "ANN@acme.test", w.network(1), ""); err != nil {
			t.Fatal(err)
		}
		w.advance(time.Second)
	}
	kinds, links := w.mails()
	if len(kinds) != 3 || kinds[1] != "reset_password" || kinds[2] != "reset_password" {
		t.Fatalf("mails: %v", kinds)
	}
	reset := func(token string) error {
		hash, err := w.Hash(t.Context(), "another horse battery")
		if err != nil {
			t.Fatal(err)
		}
		return w.store.Update(t.Context(), func(tx store.Tx) error { _, err := w.Reset(tx, token, hash, "de"); return err })
	}
	if err := reset(links[1]); !errors.Is(err, ErrLink) {
		t.Errorf("the replaced link: %v", err)
	}
	if err := reset("proof"); !errors.Is(err, ErrLink) {
		t.Errorf("a link of another kind: %v", err)
	}
	if err := reset(links[2]); err != nil {
		t.Fatal(err)
	}
	if err := reset(links[2]); !errors.Is(err, ErrLink) {
		t.Errorf("the same link again: %v", err)
	}
	w.view(func(tx store.Tx) error {
		if _, err := w.store.Sessions.Get(tx, "k"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the session lives: %v", err)
		}
		if _, err := w.store.APITokens.Get(tx, "t"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the API token lives: %v", err)
		}
		if _, err := w.Link(tx, store.LinkProveEmail, "proof"); !errors.Is(err, ErrLink) {
			t.Errorf("another link lives: %v", err)
		}
		i, err := w.store.Identities.Get(tx, store.IdentityKey("acme-local", testIssuer, u.ID))
		if err != nil || !i.EmailVerified {
			t.Errorf("the address is not proven: %v", err)
		}
		return nil
	})
	if _, err := w.SignIn(t.Context(), Try{Login: "ann@acme.test", Password: password, From: w.network(2)}); !errors.Is(err, ErrWrong) {
		t.Errorf("the old password: %v", err)
	}
	if _, err := w.SignIn(t.Context(), Try{Login: "ann@acme.test", Password: "another horse battery", From: w.network(3)}); err != nil {
		t.Error(err)
	}
	if kinds, _ = w.mails(); kinds[len(kinds)-1] != "password_changed" {
		t.Errorf("nobody told the person: %v", kinds)
	}
	w.advance(time.Minute)
	if err := w.AskReset(t.Context(), "ann@acme.test", w.network(4), ""); err != nil {
		t.Fatal(err)
	}
	_, links = w.mails()
	w.advance(time.Hour)
	if err := reset(links[len(links)-1]); !errors.Is(err, ErrLink) {
		t.Errorf("a link of an hour ago: %v", err)
	}
}

// TestY1_ForgottenPasswordTellsNothing: known, unknown, disabled and
// throttled addresses get the same answer, and one commit each.
func TestY1_ForgottenPasswordTellsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("ann@acme.test", password, true)
	for i := range 8 {
		for _, login := range []string{"ann@acme.test", "nobody@acme.test", "not an address"} {
			if err := w.AskReset(t.Context(), login, w.network(i), ""); err != nil {
				t.Errorf("%s: %v", login, err)
			}
		}
	}
	if kinds, _ := w.mails(); len(kinds) != 3 {
		t.Errorf("%d mails to one address at once, want 3", len(kinds))
	}
}

// TestLink_OnlyOneOfMany: of 32 who use one link at once, one does.
func TestLink_OnlyOneOfMany(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.account("ann@acme.test", password, true)
	w.update(func(tx store.Tx) error { return w.MailReset(tx, u.ID, "", "token") })
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			err := w.store.Update(t.Context(), func(tx store.Tx) error { _, err := w.Reset(tx, "token", "hash", ""); return err })
			switch {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, ErrLink):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d used it", won.Load())
	}
}

// TestN3_UnprovenMakesWay: whoever proves an address by another way ends the
// account that carries it unproven, with its password, sessions, factors and
// links. A proven account and one of the platform's own people stay.
func TestN3_UnprovenMakesWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hijack := w.account("victim@acme.test", password, false)
	w.enrol(hijack.ID)
	now := w.clock()
	w.update(func(tx store.Tx) error {
		return errors.Join(
			w.store.Sessions.Insert(tx, store.Session{KeyHash: "k", SID: "s", UserID: hijack.ID, IdleExpiresAt: now.Add(time.Hour), ExpiresAt: now.Add(time.Hour)}),
			w.MailReset(tx, hijack.ID, "", "token"),
		)
	})
	proven := w.account("ann@acme.test", password, true)
	staff := w.account("olga@acme.test", password, false)
	staff.PlatformRole, staff.Revision = store.RoleOwner, 1
	w.update(func(tx store.Tx) error { return w.store.Users.Put(tx, staff) })
	for _, address := range []string{"VICTIM@acme.test", "ann@acme.test", "olga@acme.test", "nobody@acme.test"} {
		w.update(func(tx store.Tx) error { return w.Displace(tx, w.email(address), "somebody-else") })
	}
	w.view(func(tx store.Tx) error {
		if _, _, err := w.Login(tx, hijack.ID); !errors.Is(err, ErrNoAccount) {
			t.Errorf("the password lives: %v", err)
		}
		if has, err := w.Factors(tx, hijack.ID, nil); err != nil || has.Any() {
			t.Errorf("factors live: %+v %v", has, err)
		}
		if _, err := w.Link(tx, store.LinkResetPassword, "token"); !errors.Is(err, ErrLink) {
			t.Errorf("the link lives: %v", err)
		}
		if _, err := w.store.Sessions.Get(tx, "k"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the session lives: %v", err)
		}
		for _, id := range []string{proven.ID, staff.ID} {
			if _, has, err := w.Login(tx, id); err != nil || !has {
				t.Errorf("%s lost the account: %v", id, err)
			}
		}
		return nil
	})
}

// TestN7_NewAddressNeedsProof: the link names both, works for the account that
// asked and no other, and an address that somebody has proven stays theirs.
func TestN7_NewAddressNeedsProof(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann, eve := w.account("ann@acme.test", password, true), w.account("eve@acme.test", password, true)
	prove := func(token, user string) error {
		return w.store.Update(t.Context(), func(tx store.Tx) error { return w.ProveEmail(tx, token, user) })
	}
	ask := func(user, address string, token Token) {
		w.update(func(tx store.Tx) error { return w.MailProof(tx, user, w.email(address), "", token) })
	}
	ask(eve.ID, "ann@acme.test", "theft")
	if err := prove("theft", ann.ID); !errors.Is(err, ErrWrong) {
		t.Errorf("proven by another account's password: %v", err)
	}
	if err := prove("theft", eve.ID); !errors.Is(err, ErrTaken) {
		t.Errorf("a proven address changed hands: %v", err)
	}
	ask(ann.ID, "ann.archer@acme.test", "mine")
	if _, err := w.SignIn(t.Context(), Try{Login: "ann.archer@acme.test", Password: password, From: w.network(1)}); !errors.Is(err, ErrWrong) {
		t.Errorf("the new address signs in unproven: %v", err)
	}
	if err := prove("mine", ann.ID); err != nil {
		t.Fatal(err)
	}
	if err := prove("mine", ann.ID); !errors.Is(err, ErrLink) {
		t.Errorf("the link again: %v", err)
	}
	if _, err := w.SignIn(t.Context(), Try{Login: "ann.archer@acme.test", Password: password, From: w.network(2)}); err != nil {
		t.Error(err)
	}
	w.view(func(tx store.Tx) error {
		u, err := w.store.Users.Get(tx, ann.ID)
		if err != nil || u.Attributes.Email != "ann.archer@acme.test" || !u.EmailVerified {
			t.Errorf("user has %q, verified %v: %v", u.Attributes.Email, u.EmailVerified, err)
		}
		return nil
	})
}
