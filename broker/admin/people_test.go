package admin_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

// people inserts an organization with members, ids and roles as given.
func (s *site) people(organization string, roles map[string]string) {
	s.t.Helper()
	s.update(func(tx store.Tx) error {
		if err := s.store.Organizations.Insert(tx, store.Organization{ID: organization, Title: organization}); err != nil {
			return err
		}
		for id, role := range roles {
			err := s.store.Users.Insert(tx, store.User{ID: id, Status: store.UserActive, Attributes: profile.Attributes{DisplayName: "Person " + id, Email: id + "@" + organization + ".test"}})
			if err != nil && !errors.Is(err, store.ErrExists) {
				return err
			}
			if err := s.store.Memberships.Insert(tx, store.Membership{OrganizationID: organization, UserID: id, Role: role}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *site) memberRole(organization, user string) (role string) {
	s.t.Helper()
	if err := s.store.View(s.t.Context(), func(tx store.Tx) error {
		m, err := s.store.Memberships.Get(tx, store.MembershipKey(organization, user))
		role = m.Role
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	return role
}

// TestB6_LastOwnerOfAnOrganizationStays: neither demoted nor removed, not by
// themselves and not when two go at once.
func TestB6_LastOwnerOfAnOrganizationStays(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.people("acme", map[string]string{"anna": store.RoleOwner, "berta": store.RoleOwner, "carl": store.RoleUser})
	owner := s.as(store.RoleOwner)
	at := "/organizations/acme/members/"
	var wg sync.WaitGroup
	status := make([]int, 2)
	for i, call := range []func() answer{
		func() answer { return owner.api("PATCH", at+"anna", map[string]any{"role": "user"}) },
		func() answer { return owner.api("DELETE", at+"berta", nil) },
	} {
		wg.Go(func() { status[i] = call().status })
	}
	wg.Wait()
	if (status[0] == http.StatusOK) == (status[1] == http.StatusNoContent) {
		t.Errorf("both or neither went: %v", status)
	}
	last := "anna"
	if s.memberRole("acme", "anna") != store.RoleOwner {
		last = "berta"
	}
	want(t, owner.api("PATCH", at+last, map[string]any{"role": "admin"}), http.StatusConflict)
	want(t, owner.api("DELETE", at+last, nil), http.StatusConflict)
	if got := s.memberRole("acme", last); got != store.RoleOwner {
		t.Errorf("%s is %q", last, got)
	}
	storetest.Check(t, s.store)
}

// TestMembers: added, changed and removed; what was opened through the
// organization ends with the membership, the rest stays.
func TestMembers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.people("acme", map[string]string{"anna": store.RoleOwner})
	s.people("globex", map[string]string{"bob": store.RoleOwner, "dora": store.RoleUser})
	owner := s.as(store.RoleOwner)
	want(t, owner.api("POST", "/organizations/acme/members", map[string]any{"user": "dora", "groups": []string{"night"}}), http.StatusCreated)
	want(t, owner.api("POST", "/organizations/acme/members", map[string]any{"user": "dora"}), http.StatusConflict)
	want(t, owner.api("POST", "/organizations/acme/members", map[string]any{"user": "nobody"}), http.StatusNotFound)
	want(t, owner.api("PATCH", "/organizations/acme/members/dora", map[string]any{"clients": []string{"no-such-app"}}), http.StatusUnprocessableEntity)
	want(t, owner.api("PATCH", "/organizations/acme/members/dora", map[string]any{"role": "admin"}), http.StatusOK)
	later := s.clock.now().Add(time.Hour)
	s.update(func(tx store.Tx) error {
		for _, org := range []string{"acme", "globex"} {
			if err := s.store.Sessions.Insert(tx, store.Session{KeyHash: org, SID: org, UserID: "dora", OrganizationID: org, ConnectionID: org, ExpiresAt: later, IdleExpiresAt: later}); err != nil {
				return err
			}
			if err := s.store.Grants.Insert(tx, store.Grant{ID: org, UserID: "dora", OrganizationID: org, ConnectionID: org, ExpiresAt: later, KeepUntil: later}); err != nil {
				return err
			}
		}
		return nil
	})
	want(t, owner.api("DELETE", "/organizations/acme/members/dora", nil), http.StatusNoContent)
	_ = s.store.View(t.Context(), func(tx store.Tx) error {
		for org, lives := range map[string]bool{"acme": false, "globex": true} {
			there, err := s.store.Sessions.Has(tx, org)
			g, err2 := s.store.Grants.Get(tx, org)
			if there != lives || g.Live(s.clock.now()) != lives || err != nil || err2 != nil {
				t.Errorf("%s: session %v, grant %v, want %v", org, there, g.Live(s.clock.now()), lives)
			}
		}
		return nil
	})
	storetest.Check(t, s.store)
}

// TestN8_RemovedUserNeverComesBack: a removed person is gone with everything of
// theirs, and the id is never given out again.
func TestN8_RemovedUserNeverComesBack(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.people("acme", map[string]string{"anna": store.RoleOwner, "dora": store.RoleUser})
	s.update(func(tx store.Tx) error {
		if err := s.store.Consents.Upsert(tx, store.Consent{UserID: "dora", ClientID: "app"}); err != nil {
			return err
		}
		if err := s.store.Passkeys.Insert(tx, store.Passkey{ID: "key", UserID: "dora"}); err != nil {
			return err
		}
		return s.store.Identities.Insert(tx, store.Identity{ConnectionID: "acme", Issuer: "https://idp", Subject: "d", UserID: "dora"})
	})
	owner := s.as(store.RoleOwner)
	want(t, owner.api("DELETE", "/users/anna", nil), http.StatusConflict) // the last owner
	want(t, owner.api("DELETE", "/users/dora", nil), http.StatusNoContent)
	want(t, owner.api("GET", "/users/dora", nil), http.StatusNotFound)
	if err := s.store.View(t.Context(), func(tx store.Tx) error {
		for name, has := range map[string]func() (bool, error){
			"identity":   func() (bool, error) { return s.store.Identities.Has(tx, store.IdentityKey("acme", "https://idp", "d")) },
			"membership": func() (bool, error) { return s.store.Memberships.Has(tx, store.MembershipKey("acme", "dora")) },
			"consent":    func() (bool, error) { return s.store.Consents.Has(tx, store.ConsentKey("dora", "app")) },
			"passkey":    func() (bool, error) { return s.store.Passkeys.Has(tx, "key") },
		} {
			if there, err := has(); there || err != nil {
				t.Errorf("%s: %v, %v", name, there, err)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.store.Update(t.Context(), func(tx store.Tx) error {
		return s.store.Users.Insert(tx, store.User{ID: "dora", Status: store.UserActive})
	}); !errors.Is(err, store.ErrTombstone) {
		t.Errorf("the id again: got %v", err)
	}
	storetest.Check(t, s.store)
}

// TestSearchUsers: by words of names and addresses, narrowed, page by page, and
// each person once.
func TestSearchUsers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.update(func(tx store.Tx) error {
		for i := range 120 {
			u := store.User{ID: fmt.Sprintf("u%03d", i), Status: store.UserActive, Attributes: profile.Attributes{FirstName: "Anna", LastName: fmt.Sprintf("Annis%d", i), Email: fmt.Sprintf("a%d@acme.test", i)}}
			if i%10 == 0 {
				u.Status = store.UserDisabled
			}
			org := "acme"
			if i%3 == 0 {
				org = "globex"
			}
			if err := s.store.Users.Insert(tx, u); err != nil {
				return err
			}
			if err := s.store.Memberships.Insert(tx, store.Membership{OrganizationID: org, UserID: u.ID, Role: store.RoleUser}); err != nil {
				return err
			}
		}
		return nil
	})
	owner := s.as(store.RoleOwner)
	for query, wanted := range map[string]int{
		"q=ANN": 120, "q=annis1": 31, "q=annis11+ann": 11, "q=a7%40": 1, "q=nobody": 0, "q=%22%22": 0,
		"q=ann&organization=globex": 40, "q=ann&state=disabled": 12, "state=disabled&organization=globex": 4, "role=owner&organization=acme": 0,
		"q=ann&client=none": 0, "connection=none": 0,
	} {
		seen := map[string]bool{}
		for cursor := ""; ; {
			path := "/users?limit=7&" + query
			if cursor != "" {
				path += "&cursor=" + cursor
			}
			page := want(t, owner.api("GET", path, nil), http.StatusOK).json(t)
			items, _ := page["items"].([]any)
			if len(items) > 7 {
				t.Errorf("%s: %d on a page of 7", query, len(items))
			}
			for _, item := range items {
				id, _ := item.(map[string]any)["id"].(string)
				if seen[id] {
					t.Errorf("%s: %s twice", query, id)
				}
				seen[id] = true
			}
			if cursor, _ = page["next"].(string); cursor == "" {
				break
			}
		}
		if len(seen) != wanted {
			t.Errorf("%s: found %d, want %d", query, len(seen), wanted)
		}
	}
	// A cursor is good for its own search only (B5).
	page := want(t, owner.api("GET", "/users?limit=7&q=ann", nil), http.StatusOK).json(t)
	want(t, owner.api("GET", "/users?limit=7&q=anna&cursor="+page["next"].(string), nil), http.StatusBadRequest)
}
