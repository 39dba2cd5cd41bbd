package e2e

import (
	"testing"

	"github.com/chromedp/chromedp"
)

func clickOn(selector string) chromedp.Action[chromedp.Void] {
	return chromedp.Click(chromedp.CSS(selector))
}

// pagesConsole looks at every list and detail of the console, on a phone and on
// a laptop.
func pagesConsole(t *testing.T, c *chrome) {
	a := shared.native(t)
	who := shared.person(t, "acme.test")
	a.tokens(a.browser(shared), who)
	user := shared.api(t).usersCalled(who.email)
	if len(user) != 1 {
		t.Fatalf("users called %s: %v", who.email, user)
	}
	w := c.owner(t, look{wide: true}, false)
	for _, p := range []struct{ name, path, holds string }{
		{"console-overview", "/", "Waiting requests"},
		{"console-requests", "/requests?state=approved", ""},
		{"console-organizations", "/organizations", "Globex"},
		{"console-domains", "/domains", "acme.test"},
		{"console-connections", "/connections", "Acme"},
		{"console-clients", "/clients", "demo-native"},
		{"console-users", "/users", ""},
		{"console-user", "/users/" + user[0], who.email},
		{"console-sessions", "/sessions", ""},
		{"console-audit", "/audit", ""},
		{"console-not-found", "/users/nobody", ""},
	} {
		w.open(shared.Admin + p.path)
		w.at("main")
		w.says("main", p.holds)
		w.good(p.name)
	}
	phone := c.owner(t, look{}, false)
	for _, path := range []string{"/", "/connections", "/users/" + user[0], "/audit"} {
		phone.open(shared.Admin + path)
		phone.at("main")
		phone.good("console-phone")
	}
	phone.press("signout", "#password")
	phone.open(shared.Admin + "/users")
	phone.at("#password") // signed out means signed out
}

// pagesSetUp is the first start of a Gatehouse: the one-time link, the first
// owner, a console with nothing in it.
func pagesSetUp(t *testing.T, c *chrome) {
	s := startServe(t, "http")
	w := c.tab(t, look{})
	w.open(s.setupURL)
	w.at("#password_again")
	w.good("setup")
	w.fill("email", "owner@company.test")
	w.fill("password", "short")
	w.fill("password_again", "short")
	w.press("submit", "#error")
	w.good("setup-wrong")
	w.fill("password", "seven quiet lanterns upstream")
	w.fill("password_again", "seven quiet lanterns upstream")
	w.press("submit", "#qr") // an owner needs a second factor before anything else
	w.good("setup-factor")
	app := w.scan()
	w.fill("code", app.code())
	w.press("submit", "#codes")
	w.press("submit", "#signout")
	w.good("console-empty")
	for _, path := range []string{"/requests", "/organizations", "/connections", "/clients"} {
		w.open(s.admin + path)
		w.at("main")
		w.good("console-empty-list")
	}
	w.open(s.setupURL)
	w.at("#correlation")
	w.says("body", "nothing")
}
