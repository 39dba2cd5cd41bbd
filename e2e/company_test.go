package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// company makes an organization of the test's own: its domain, and a connection
// to Acme's mock provider under that name, so that faults and outages of one
// test are nobody else's. fields override the connection's.
func (a *api) company(name, join string, fields map[string]any) (domain string) {
	a.t.Helper()
	domain = name + ".test"
	a.call(http.StatusCreated, http.MethodPost, "/organizations", map[string]any{"id": name, "title": strings.ToUpper(name[:1]) + name[1:], "join": join})
	a.call(http.StatusCreated, http.MethodPost, "/organizations/"+name+"/domains", map[string]any{"name": domain, "asserted": true})
	connection := map[string]any{
		"id": name, "organization": name, "title": name + " sign-in", "domains": []string{domain}, "allow_private_network": true,
		"issuer": shared.idp("acme").Issuer, "client_id": "gatehouse", "client_secret": "mock-secret",
	}
	for k, v := range fields {
		connection[k] = v
	}
	a.call(http.StatusCreated, http.MethodPost, "/connections", connection)
	return domain
}

// guest is somebody of a company's own domain: at the mock provider, which is
// Acme's, they sign in with their whole address.
func (w *world) guest(t testing.TB, domain string) person {
	t.Helper()
	who := w.person(t, domain)
	who.name = who.email
	return who
}

// fresh makes up a name that no other test run of this process uses.
func (w *world) fresh(prefix string) string { return fmt.Sprintf("%s%d", prefix, w.people.Add(1)) }
