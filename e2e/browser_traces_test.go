package e2e

import "testing"

// pagesTraces finds a failed login by its words, its connection, its outcome and
// its person, and reads why it failed.
func pagesTraces(t *testing.T, c *chrome) {
	company := shared.fresh("vehement")
	a := shared.api(t)
	domain := a.company(company, "automatic", nil)
	person := "russ@" + domain

	it := c.tab(t, look{})
	it.begin(person)
	it.press("submit", "#username")
	it.atProvider(person, "#id_token")
	user := a.usersCalled(person)
	if len(user) != 1 {
		t.Fatalf("users called %s: %v", person, user)
	}

	stranger := c.tab(t, look{})
	stranger.begin("walter@" + domain)
	stranger.press("submit", "#username")
	stranger.open(stranger.url() + "&fault=wrong_nonce")
	stranger.atProvider("walter@"+domain, "#correlation")
	words := stranger.text("#correlation")

	w := c.admin(t, look{wide: true})
	w.open(shared.Admin + "/traces")
	w.fill("words", words)
	w.press("find", "#verdict")
	w.sees("#verdict", []string{"Failed at verify", "nonce", "At fault: the provider"})
	w.sees("main", []string{words, company, "What to do:", "id_token_nonce"}, "walter@")
	w.sees("#hops", []string{"App", "Gatehouse", "Provider", "✓ ok", "✗ failed", "not reached"})
	w.good("trace")

	w.press("back", "#find")
	w.write(map[string]string{"connection": company, "outcome": "failed"})
	w.press("find", `main:has(#first) table a[href="/traces/`+words+`"]`)
	if n := w.eval(`String(document.querySelectorAll("main tbody tr").length)`); n != "1" {
		t.Errorf("%s failed logins of %s, want 1", n, company)
	}
	w.write(map[string]string{"outcome": ""})
	w.press("find", `main:not(:has(#outcome [selected])) tbody tr:nth-child(2)`)
	w.good("traces")
	w.write(map[string]string{"user": user[0]})
	w.press("find", `main:has(#user[value="`+user[0]+`"]) tbody tr`)
	w.sees("main table", nil, words)
	w.follow(w.eval(`document.querySelector("main tbody a").getAttribute("href")`), `#hops`)
	w.at(`a[href="/users/` + user[0] + `"]`)
	w.sees("#hops", []string{"✓ ok"}, "✗ failed")
	w.open(shared.Admin + "/traces")
	w.fill("words", "no-such-words")
	w.press("find", ".empty")
	w.good("traces-none")

	phone := c.owner(t, look{}, false)
	for _, path := range []string{"/traces?connection=" + company, "/traces/" + words} {
		phone.open(shared.Admin + path)
		phone.at("main")
		phone.good("phone-trace")
	}
}
