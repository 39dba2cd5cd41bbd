package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// throughCompany signs somebody in to the console with their company.
func (v visitor) throughCompany(admin, email, next string) (*url.URL, string) {
	v.t.Helper()
	at, body := v.page(v.c.Get(admin + "/signin/company?next=" + url.QueryEscape(next)))
	if at, body = v.submit(at, body, url.Values{"email": {email}}); strings.Contains(body, `name="username"`) {
		at, body = v.submit(at, body, url.Values{"username": {email}})
	}
	return at, body
}

// TestB3_CompanySignIn: an admin of Acme signs in to the console at Acme's own
// provider, has Acme's rights and no others, and is out as soon as the session
// there ends (B10). Who has no role gets a page that says so.
func TestB3_CompanySignIn(t *testing.T) {
	t.Parallel()
	_, state := startDev(t, t.TempDir())
	owner := []string{"GATEHOUSE_TOKEN=" + state.APIToken, "GATEHOUSE_ADMIN_URL=" + state.Admin}

	stranger := newVisitor(t)
	at, body := stranger.throughCompany(state.Admin, "alice@acme.test", "/")
	if at.Path != "/signin/callback" || !strings.Contains(body, "not an admin, owner or approver") {
		t.Errorf("a plain member gets %s: %s", at, body)
	}
	if at, _ := stranger.page(stranger.c.Get(state.Admin + "/")); at.Path != "/signin" {
		t.Errorf("a plain member has a console session: %s", at)
	}

	v := newVisitor(t)
	if _, body := v.page(v.c.Get(state.Admin + "/signin")); !strings.Contains(body, `id="company" href="/signin/company?next=%2F"`) {
		t.Error("the sign-in page has no link to the company's sign-in")
	}
	at, body = v.throughCompany(state.Admin, "admin@acme.test", "/connections")
	if at.Host != strings.TrimPrefix(state.Admin, "http://") || at.Path != "/connections" {
		t.Fatalf("ended at %s:\n%s", at, body)
	}
	if !strings.Contains(body, ">acme<") || strings.Contains(body, "globex") {
		t.Errorf("the list of connections is not Acme's:\n%s", body)
	}
	for path, want := range map[string]int{
		"/api/v1/connections/acme": http.StatusOK, "/api/v1/connections/globex": http.StatusNotFound, "/api/v1/clients/gatehouse-console": http.StatusNotFound,
		"/api/v1/audit/verify": http.StatusForbidden, "/organizations/acme": http.StatusOK, "/organizations/globex": http.StatusNotFound,
		"/account/passkeys": http.StatusForbidden, // no key to other roles of the account
	} {
		res, err := v.c.Get(state.Admin + path)
		must(t, err)
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: got %d, want %d", path, res.StatusCode, want)
		}
	}

	// A dangerous change asks the company for a fresh proof.
	at, body = v.page(v.c.Get(state.Admin + "/confirm?next=%2Fdomains"))
	if !strings.Contains(body, `name="username"`) && !strings.Contains(body, `name="email"`) {
		t.Errorf("confirming does not lead to the company: %s\n%s", at, body)
	}
	if strings.Contains(body, `name="email"`) {
		at, body = v.submit(at, body, url.Values{"email": {"admin@acme.test"}})
	}
	if at, _ = v.submit(at, body, url.Values{"username": {"admin"}}); at.Path != "/domains" {
		t.Errorf("after confirming at %s", at)
	}

	for name, query := range map[string]string{
		"no cookie":   "?code=x&state=y&iss=" + url.QueryEscape(state.Issuer),
		"two codes":   "?code=x&code=y&state=y&iss=" + url.QueryEscape(state.Issuer),
		"other iss":   "?code=x&state=y&iss=https%3A%2F%2Fevil.example",
		"no anything": "",
	} {
		if status, page, _ := get(t, state.Admin+"/signin/callback"+query); status != http.StatusBadRequest || !strings.Contains(page, "took too long") {
			t.Errorf("callback with %s: got %d", name, status)
		}
	}

	var out, errs syncBuffer
	if got := run(t.Context(), []string{"user", "sign-out", "dev-admin-acme"}, owner, &out, &errs); got != 0 {
		t.Fatal(errs.String())
	}
	if at, _ := v.page(v.c.Get(state.Admin + "/connections")); at.Path != "/signin" {
		t.Errorf("after the sign-out everywhere at %s", at)
	}
	at, _ = v.throughCompany(state.Admin, "admin@acme.test", "/connections")
	if at.Path != "/connections" {
		t.Fatalf("cannot sign in again: %s", at)
	}
	if got := run(t.Context(), []string{"connection", "disable", "acme"}, owner, &out, &errs); got != 0 {
		t.Fatal(errs.String())
	}
	if at, _ := v.page(v.c.Get(state.Admin + "/connections")); at.Path != "/signin" {
		t.Errorf("the gate is shut and the session lives: %s", at)
	}
}
