package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// admin opens the console as a new admin, who is no owner.
func (c *chrome) admin(t *testing.T, l look) *tab {
	t.Helper()
	who := shared.person(t, "admins.test")
	made := shared.api(t).call(http.StatusCreated, http.MethodPost, "/users", map[string]any{"email": who.email, "name": "Dana Whitfield", "platform_role": "admin"})
	w := c.tab(t, l)
	w.open(shared.Admin)
	w.fill("email", who.email)
	w.fill("password", made["password"].(string))
	w.press("submit", "#signout")
	return w
}

// write types into fields whose names no selector can hold as they are.
func (w *tab) write(fields map[string]string) {
	w.t.Helper()
	for name, text := range fields {
		w.at(fmt.Sprintf("[name=%q]", name))
		w.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.getElementsByName(%q)[0].value = %q`, name, text)))
	}
}

// tick sets a check box.
func (w *tab) tick(name string) {
	w.t.Helper()
	w.do(clickOn(fmt.Sprintf("[name=%q]", name)))
}

// follow clicks a link and waits for what the next page has.
func (w *tab) follow(path, next string) {
	w.t.Helper()
	link := fmt.Sprintf("main a[href=%q]", path)
	w.at(link)
	w.do(clickOn(link))
	w.at(next)
}

// sees demands words, and that none of the others are there.
func (w *tab) sees(selector string, words []string, never ...string) {
	w.t.Helper()
	text := w.text(selector)
	for _, s := range words {
		if !strings.Contains(text, s) {
			w.t.Errorf("%s does not say %q:\n%s", selector, s, text)
		}
	}
	for _, s := range never {
		if strings.Contains(text, s) {
			w.t.Errorf("%s says %q:\n%s", selector, s, text)
		}
	}
}

// record is what the JSON editor holds.
func (w *tab) record() map[string]any {
	w.t.Helper()
	var doc map[string]any
	if err := json.Unmarshal([]byte(w.eval(`document.getElementById("record").value`)), &doc); err != nil {
		w.t.Fatal(err)
	}
	return doc
}

func (w *tab) writeRecord(doc map[string]any) {
	w.t.Helper()
	raw, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(map[string]string{"record": string(raw)})
}

// pagesConnections is a connection's life in the console: made from a preset,
// with faults beside their fields, changed, edited as JSON, switched off and on,
// removed.
func pagesConnections(t *testing.T, c *chrome) {
	company := shared.fresh("initrode")
	domain := shared.api(t).company(company, "automatic", nil)
	id, issuer := company+"-sso", shared.idp("acme").Issuer
	page := shared.Admin + "/connections/" + id

	w := c.admin(t, look{wide: true})
	w.open(shared.Admin + "/connections")
	w.press("go-new", `a[href="/new/connection/openid"]`)
	w.good("presets")
	w.follow("/new/connection/openid", "#form")
	w.write(map[string]string{"id": "Initrode SSO", "organization": company, "domains": "*.*", "values.issuer": "ftp://login"})
	w.press("submit", "#faults")
	for _, field := range []string{"id", "domains", "client_id", "values.issuer"} {
		w.at(fmt.Sprintf("[id=%q]", "fault-"+field))
	}
	w.good("connection-faults")
	w.write(map[string]string{
		"id": id, "title": "Initrode staff", "domains": "staff." + domain, "values.issuer": "https://login.initrode.test",
		"client_id": "gatehouse", "client_secret": "mock-secret",
	})
	w.press("submit", "#notice")
	w.sees("main", []string{"Redirect URI, exactly so", shared.Issuer + "/login/callback/" + id, "set, never shown", "login.initrode.test", "disabled"}, "mock-secret")

	// An admin does not loosen; an owner may.
	w.press("go-edit", "#form")
	if w.eval(`String(document.getElementsByName("allow_private_network").length)`) != "0" {
		t.Error("an admin sees a switch for owners")
	}
	w.good("connection-edit")
	owner := c.owner(t, look{wide: true}, false)
	owner.open(page + "/edit")
	owner.write(map[string]string{"issuer": "not a URL", "title": "Initrode"})
	owner.tick("allow_private_network")
	owner.press("submit", "#fault-issuer")
	owner.sees("#faults", []string{"Issuer: "})
	owner.write(map[string]string{"issuer": issuer})
	owner.press("do-test", "#link") // changed, not saved
	owner.sees("main", []string{"as changed, not saved"})
	owner.open(page + "/edit")
	owner.write(map[string]string{"title": "Initrode", "issuer": issuer, "scopes": "openid email profile phone"})
	owner.tick("allow_private_network")
	owner.press("submit", "#notice")
	owner.sees("main", []string{issuer, "may be reached"})

	// The JSON editor: a fault with its path, then saved.
	owner.press("go-json", "#record")
	doc := owner.record()
	hosts := []string{"https://login.brand.test"}
	doc["public_hosts"], doc["selectors"].(map[string]any)["email"] = hosts, map[string]any{"path": "$..[?("}
	owner.writeRecord(doc)
	owner.press("submit", "#fault-record")
	owner.sees("#fault-record", []string{"record.selectors.email:"})
	owner.good("connection-json-fault")
	doc["selectors"].(map[string]any)["email"] = map[string]any{"path": "email"}
	owner.writeRecord(doc)
	owner.press("submit", "#notice")
	for _, uri := range append(hosts, shared.Issuer) {
		owner.sees("main", []string{uri + "/login/callback/" + id})
	}

	// The admin's form is older than what the owner saved.
	w.write(map[string]string{"title": "Something else"})
	w.press("submit", "#problem")
	w.sees("#problem", []string{"changed this in the meantime"})
	w.open(page)
	w.press("action-enable", "#notice")
	w.good("connection")
	w.do(clickOn("details summary"))
	w.press("action-disable", "#action-enable")

	w.press("go-delete", "#form")
	w.sees("main", []string{"Route staff." + domain})
	w.press("submit", "#problem")
	w.good("connection-remove")
	w.tick("force")
	w.press("submit", "#notice")
	w.open(page)
	w.at("#correlation")

	phone := c.owner(t, look{}, false)
	for _, path := range []string{"/new/connection", "/new/connection/keycloak", "/connections/" + company, "/connections/" + company + "/edit", "/connections/" + company + "/json"} {
		phone.open(shared.Admin + path)
		phone.at("main")
		phone.good("phone" + strings.ReplaceAll(path, "/", "-"))
	}
}

// pagesTestLogin is a test login of a changed record, run by the company's own
// IT person, to its result; and of the record as it is.
func pagesTestLogin(t *testing.T, c *chrome) {
	company := shared.fresh("hooli")
	domain := shared.api(t).company(company, "request", map[string]any{"title": "Hooli staff", "scopes": []string{"openid", "email", "profile", "phone"}, "disabled": true})
	page := shared.Admin + "/connections/" + company
	person := "gavin.belson@" + domain

	// Changed and not saved: a selector that finds nothing.
	w := c.admin(t, look{wide: true})
	w.open(page + "/json")
	doc := w.record()
	doc["selectors"].(map[string]any)["phone"] = map[string]any{"path": "mobile"}
	w.writeRecord(doc)
	w.press("do-test", "#link")
	w.good("test-link")
	again, link := w.eval(`document.getElementById("again").href`), w.text("#link")

	it := c.tab(t, look{})
	it.open(link)
	it.at("#submit")
	it.good("test-start")
	it.open(link) // looking uses nothing up
	it.press("submit", "#username")
	it.atProvider(person, "#correlation")
	it.good("test-end")
	it.sees("main", []string{"The sign-in works", "You are not signed in"}, person)
	words := it.text("#correlation")
	it.open(link)
	it.at("main")
	if it.eval(`String(document.getElementById("submit") === null)`) != "true" {
		t.Error("the link works twice")
	}

	w.open(again)
	w.at("#outcome")
	w.sees("main", []string{words, "would wait until an admin lets them in", "as changed, not saved"}, person, "mock-secret")
	w.sees("#token", []string{"$.access_token", "$.id_token", "Claims of the verified ID token", "$.sub"})
	w.sees("#profile", []string{"userinfo", "$.email", "g•••@" + domain})
	w.sees("#identity", []string{"email", "✓ matched", "phone", "mobile", "✗ nothing", "These would find something", "phone_number"})
	w.sees("#admission", []string{"Decision", company})
	w.sees("#claims", []string{"ID token", "Userinfo", "$.sub"})
	w.sees("#warnings", []string{"phone"})
	if w.eval(`String(document.querySelectorAll("[id^=reveal-]").length)`) != "0" {
		t.Error("an admin may reveal values")
	}
	w.good("test-result")
	w.do(clickOn(`.tabs a[href="#identity"]`))
	w.picture("test-identity")

	owner := c.owner(t, look{wide: true}, false)
	owner.open(again)
	owner.at("#profile form")
	button := owner.eval(`[...document.querySelectorAll("#profile dt")].find((d) => d.innerText === "$.email").nextElementSibling.querySelector("button").id`)
	owner.press(button, "#revealed")
	owner.says("#revealed", person)
	owner.good("test-revealed")
	owner.open(shared.Admin + "/audit")
	owner.says("main", "connection.test_reveal")

	// As it is saved, and switched off. The person presses cancel at the provider.
	w.open(page)
	w.press("go-test", "#form")
	w.good("test-form")
	w.write(map[string]string{"email": "not an address"})
	w.press("submit", "#fault-email")
	w.write(map[string]string{"email": person})
	w.press("submit", "#link")
	other := c.tab(t, look{noScripts: true})
	other.open(w.text("#link"))
	other.press("submit", "#username")
	other.open(other.url() + "&fault=wrong_nonce")
	other.atProvider(person, "#correlation")
	other.says("h1", "does not work yet")
	w.press("again", "#fault")
	w.sees("#fault", []string{"nonce", "the provider", "What to do"})
	w.good("test-failed")
	for _, path := range []string{"/users", "/sessions", "/requests"} { // it leaves nothing behind
		w.open(shared.Admin + path)
		w.at("main")
		w.sees("main", nil, person)
	}

	phone := c.owner(t, look{}, false)
	for _, address := range []string{again, page + "/test"} {
		phone.open(address)
		phone.at("main")
		phone.good("phone-test")
	}
}

// pagesRouting asks where an address goes, without scripts and by keyboard.
func pagesRouting(t *testing.T, c *chrome) {
	company := shared.fresh("massive")
	domain := shared.api(t).company(company, "automatic", map[string]any{"title": "Massive Dynamic"})
	w := c.admin(t, look{wide: true, noScripts: true})
	w.open(shared.Admin + "/connections/" + company)
	w.press("go-routing", "#address")
	w.at(`nav a[href="/routing"][aria-current]`)
	w.press("submit", "#fault-address")
	w.good("routing-wrong")
	w.fill("address", "nina@"+domain)
	w.do(chromedp.KeyEvent("\r"))
	w.at("#answer")
	w.sees("#outcome", []string{"nina@" + domain, "Massive Dynamic", domain})
	w.sees("#answer table", []string{"✓ won", "✗ less specific", "A more specific rule has won."})
	w.good("routing")

	shared.api(t).call(http.StatusOK, http.MethodPatch, "/connections/"+company, map[string]any{"disabled": true})
	phone := c.owner(t, look{}, false)
	phone.open(shared.Admin + "/routing")
	phone.at("#findings")
	phone.sees("#findings", []string{domain, "dead_rule", "What to do"})
	phone.fill("address", "nina@"+domain)
	phone.press("submit", "#answer")
	phone.sees("#answer", []string{"cannot sign in", "✗ disabled"})
	phone.good("phone-routing")
}
