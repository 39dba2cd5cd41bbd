package admin_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gatehouse/profile"
	"gatehouse/store"
)

// localCompany is an organization whose people have accounts here.
func (s *site) localCompany() {
	s.t.Helper()
	s.update(func(tx store.Tx) error {
		if err := s.store.Organizations.Insert(tx, store.Organization{ID: "guests", Title: "Guests"}); err != nil {
			return err
		}
		if err := s.store.Connections.Insert(tx, store.Connection{ID: "oidc", OrganizationID: "guests", Kind: store.KindOIDC, Title: "Other"}); err != nil {
			return err
		}
		return s.store.Connections.Insert(tx, store.Connection{ID: "guests", OrganizationID: "guests", Kind: store.KindLocal, Title: "Guests", Domains: []string{"*"}})
	})
}

// mailKinds are the mails that wait, by kind and receiver.
func (s *site) mailKinds() map[string]int {
	s.t.Helper()
	found := map[string]int{}
	s.update(func(tx store.Tx) error {
		for m, err := range s.store.Mails.All(tx) {
			if err != nil {
				return err
			}
			found[m.Kind+" "+m.To]++
		}
		return nil
	})
	return found
}

// TestLocalAccounts_MadeByAdmins: no admin sees or chooses a password; the
// account opens nothing until its owner used the mailed link.
func TestLocalAccounts_MadeByAdmins(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.localCompany()
	admin := s.as(store.RoleAdmin)
	made := want(t, admin.api("POST", "/connections/guests/accounts", map[string]any{"email": "Cara@Guests.example", "name": "Cara Cole"}), http.StatusCreated)
	if strings.Contains(string(made.body), "password") || strings.Contains(string(made.body), "token") {
		t.Errorf("a secret is shown: %s", made.body)
	}
	id := made.at(t, "user").(string)
	if got := s.mailKinds()["reset_password cara@guests.example"]; got != 1 {
		t.Errorf("%d mails", got)
	}
	s.update(func(tx store.Tx) error {
		i, err := s.store.Identities.Get(tx, store.IdentityKey("guests", "https://login.example", id))
		if err != nil || i.EmailVerified || i.UserID != id {
			t.Errorf("identity %+v: %v", i, err)
		}
		pw, err := s.store.Passwords.Get(tx, id)
		if err != nil || pw.Hash != "" {
			t.Errorf("a password nobody chose: %v", err)
		}
		return nil
	})
	want(t, s.browser().signIn("cara@guests.example", ""), http.StatusUnauthorized)
	want(t, admin.api("POST", "/connections/guests/accounts", map[string]any{"email": "cara@guests.example"}), http.StatusConflict)
	want(t, admin.api("POST", "/connections/guests/accounts", map[string]any{"email": "not an address"}), http.StatusUnprocessableEntity)
	want(t, admin.api("POST", "/connections/oidc/accounts", map[string]any{"email": "dora@guests.example"}), http.StatusConflict)
	want(t, admin.api("POST", "/connections/gone/accounts", map[string]any{"email": "dora@guests.example"}), http.StatusNotFound)
	want(t, admin.api("POST", "/connections/guests/accounts", map[string]any{"email": "dora@guests.example", "role": "emperor"}), http.StatusUnprocessableEntity)

	want(t, admin.api("POST", "/users/"+id+"/password-link", nil), http.StatusNoContent)
	want(t, admin.api("DELETE", "/users/"+id+"/second-factor", nil), http.StatusNoContent)
	if got := s.mailKinds()["factor_removed cara@guests.example"]; got != 1 {
		t.Errorf("%d mails about the factor", got)
	}
	want(t, admin.api("DELETE", "/users/"+id+"/credentials", nil), http.StatusNoContent)
	want(t, admin.api("POST", "/users/"+id+"/password-link", nil), http.StatusConflict)
	// B6: nobody touches who is above them.
	owner := s.account("olga@staff.example", password, store.RoleOwner)
	for _, path := range []string{"/second-factor", "/credentials"} {
		want(t, admin.api("DELETE", "/users/"+owner.ID+path, nil), http.StatusForbidden)
	}
	want(t, admin.api("POST", "/users/"+owner.ID+"/password-link", nil), http.StatusForbidden)
}

// TestLocalAccounts_OfMembers: a member gets an account at their own address; an
// organization's admin does it for their own people only.
func TestLocalAccounts_OfMembers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.localCompany()
	boss, member, stranger := s.user(""), s.user(""), s.user("")
	s.update(func(tx store.Tx) error {
		for _, m := range []store.Membership{{OrganizationID: "guests", UserID: boss.ID, Role: store.RoleAdmin}, {OrganizationID: "guests", UserID: member.ID, Role: store.RoleUser}} {
			if err := s.store.Memberships.Insert(tx, m); err != nil {
				return err
			}
		}
		return nil
	})
	admin := &caller{s: s, token: s.token(boss.ID, 3600e9)}
	made := want(t, admin.api("POST", "/connections/guests/accounts", map[string]any{"user": member.ID}), http.StatusCreated)
	if got, _ := profile.ParseEmail(member.Attributes.Email); made.at(t, "login") != got.Key() {
		t.Errorf("login %v", made.at(t, "login"))
	}
	want(t, admin.api("POST", "/connections/guests/accounts", map[string]any{"user": stranger.ID}), http.StatusUnprocessableEntity)
	want(t, admin.api("POST", "/connections/guests/accounts", map[string]any{"email": "eve@guests.example", "role": "owner"}), http.StatusForbidden)
	want(t, admin.api("DELETE", "/users/"+stranger.ID+"/credentials", nil), http.StatusNotFound)
}

// TestLocalAccounts_InTheConsole: connection, account and factors by forms.
func TestLocalAccounts_InTheConsole(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.localCompany()
	s.account("ann@staff.example", password, store.RoleOwner)
	b := s.browser()
	want(t, b.signIn("ann@staff.example", password), http.StatusSeeOther)
	bad := want(t, b.post("/new/local-accounts", "/new/local-accounts", url.Values{"organization": {"guests"}, "id": {"No Slug"}, "title": {"Guests"}, "domains": {"*"}}), http.StatusUnprocessableEntity)
	if !strings.Contains(string(bad.body), "short name") {
		t.Errorf("the page does not say what is wrong:\n%s", bad.body)
	}
	want(t, b.post("/new/local-accounts", "/new/local-accounts", url.Values{"organization": {"guests"}, "id": {"more-guests"}, "title": {"More guests"}, "domains": {"guests.example\n*.guests.example"}}), http.StatusSeeOther)
	page := want(t, b.get("/connections/more-guests"), http.StatusOK)
	if !strings.Contains(string(page.body), `href="/connections/more-guests/accounts"`) || strings.Contains(string(page.body), "Client id") {
		t.Error("the page is not that of local accounts")
	}
	made := want(t, b.post("/connections/more-guests/accounts", "/connections/more-guests/accounts", url.Values{"email": {"cara@guests.example"}, "name": {"Cara"}, "role": {"user"}}), http.StatusSeeOther)
	user, _, _ := strings.Cut(made.header.Get("Location"), "?")
	want(t, b.post(user+"/password-link", user, nil), http.StatusSeeOther)
	want(t, b.post(user+"/reset-factor", user, nil), http.StatusSeeOther)
	s.clock.advance(freshly)
	if got := want(t, b.post(user+"/remove-credentials", user, nil), http.StatusSeeOther).header.Get("Location"); !strings.HasPrefix(got, "/confirm") {
		t.Errorf("dangerous, and not asked: %q", got)
	}
}

const freshly = 600e9 // ten minutes
