package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestBrowser walks Chromium through every page, as people of flesh and blood
// would, and has each judged by axe-core in light and dark.
func TestBrowser(t *testing.T) {
	t.Parallel()
	c := startChrome(t)
	for name, walk := range map[string]func(*testing.T, *chrome){
		"sign-in":                     pagesSignIn,
		"waiting room, approved":      pagesApproved,
		"waiting room, refused":       pagesRefused,
		"without scripts":             pagesWithoutScripts,
		"chooser":                     pagesChooser,
		"unknown domain":              pagesUnknownDomain,
		"error pages":                 pagesErrors,
		"consent of a third party":    pagesConsent,
		"form_post":                   pagesFormPost,
		"sign-out":                    pagesSignOut,
		"console":                     pagesConsole,
		"connections":                 pagesConnections,
		"test logins":                 pagesTestLogin,
		"routing":                     pagesRouting,
		"traces":                      pagesTraces,
		"set-up and an empty console": pagesSetUp,
		"organizations":               pagesOrganizations,
		"in German":                   pagesGerman,
		"a bad page":                  pagesBad,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			walk(t, c)
		})
	}
}

// begin goes from the demo app to the e-mail page and on with an address.
func (w *tab) begin(address string) {
	w.t.Helper()
	w.open(shared.Demo)
	w.press("signin", "#email")
	w.fill("email", address)
}

// atProvider signs in on the mock provider's page.
func (w *tab) atProvider(name, next string) {
	w.t.Helper()
	w.fill("username", name)
	w.press("submit", next)
}

func pagesSignIn(t *testing.T, c *chrome) {
	w := c.tab(t, look{})
	w.open(shared.Demo)
	w.at("#signin")
	w.good("demo-start")
	w.press("signin", "#email")
	w.good("email")
	w.fill("email", "not an address")
	w.press("submit", "#error")
	w.good("email-wrong")
	w.fill("email", "alice@acme.test")
	w.press("submit", "#username")
	w.good("mock-login")
	w.atProvider("alice", "#id_token")
	w.good("demo-tokens")
	w.says("#name", "Alice")
	w.says("#id_token", shared.Issuer)
	w.says("#userinfo", "alice@acme.test")
	w.press("refresh", "#renewals")
	w.says("#renewals", "1")
	w.press("signout", "#signin")
	w.complaints("sign-out")
	// The company's own session is still there: one press signs in again.
	w.press("signin", "#email")
	w.fill("email", "alice@acme.test")
	w.press("submit", "#id_token")
}

// owner opens the console and signs in.
func (c *chrome) owner(t *testing.T, l look, check bool) *tab {
	t.Helper()
	w := c.tab(t, l)
	w.open(shared.Admin)
	w.at("#password")
	if check {
		w.good("console-sign-in")
	}
	w.fill("email", shared.Owner.Email)
	w.fill("password", shared.Owner.Password)
	w.press("submit", "#signout")
	return w
}

// waits brings a person to the waiting room.
func (c *chrome) waits(t *testing.T, l look, name string) *tab {
	t.Helper()
	w := c.tab(t, l)
	w.begin(name + "@globex.test")
	w.press("submit", "#username")
	w.atProvider(name, "#status")
	w.says("main", "Globex")
	w.says("main", name+"@globex.test")
	return w
}

// goesOnWithin is what the waiting room promises after the approval.
const goesOnWithin = 2 * time.Second

func pagesApproved(t *testing.T, c *chrome) {
	w := c.waits(t, look{}, "grace.hopper")
	w.good("waiting")
	owner := c.owner(t, look{}, true)
	owner.good("console")
	owner.open(shared.Admin + "/requests")
	id := shared.api(t).requestOf("grace.hopper@globex.test")
	owner.at("#approve-" + id)
	owner.good("queue")

	// What this machine needs for the pages alone, at this moment: the promise
	// is about waiting, not about a browser short of processors.
	loaded := time.Now()
	other := c.tab(t, look{})
	other.open(shared.Demo)
	other.press("signin", "#email")
	margin := time.Since(loaded)

	pressed := time.Now()
	owner.press("approve-"+id, "#notice")
	w.at("#id_token") // no second sign-in, no press of a button
	arrived, ok := w.arrivedAt(shared.Demo, pressed)
	if !ok {
		t.Fatal("the waiting page did not go to the app")
	}
	took := arrived.Sub(pressed)
	t.Logf("from the admin's press to the app: %s (the browser itself needs up to %s for such pages)", took, margin)
	if took > goesOnWithin+margin {
		t.Errorf("the waiting page went on after %s, want within %s", took, goesOnWithin)
	}
	w.says("#userinfo", "grace.hopper@globex.test")
	w.complaints("waiting")
	owner.good("queue-approved")
}

func pagesRefused(t *testing.T, c *chrome) {
	w := c.waits(t, look{}, "mallory.stranger")
	owner := c.owner(t, look{}, false)
	id := shared.api(t).requestOf("mallory.stranger@globex.test")
	owner.open(shared.Admin + "/requests/" + id)
	owner.at("#open-refuse-" + id)
	owner.do(clickOn("#open-refuse-" + id))
	owner.fill("reason-"+id, "Please use the account of your own department.")
	owner.good("refuse")
	owner.press("refuse-"+id, "#notice")

	w.at("#reason")
	w.says("#reason", "Please use the account of your own department.")
	w.good("refused")
	w.press("submit", "#error")
	w.says("#error", "access_denied")
	w.good("demo-error")
}

func pagesWithoutScripts(t *testing.T, c *chrome) {
	w := c.waits(t, look{noScripts: true}, "ada.noscript")
	// While there is something to type, the page leaves a minute for it; then it looks every four seconds.
	w.fill("typed", "I am new here.")
	w.press("send", "#said")
	id := shared.api(t).requestOf("ada.noscript@globex.test")
	shared.api(t).call(http.StatusOK, http.MethodPost, "/access-requests/"+id+"/approve", map[string]any{})
	w.at("#id_token")
	w.says("#userinfo", "ada.noscript@globex.test")

	again := c.tab(t, look{noScripts: true})
	again.begin("dora.noscript@acme.test")
	again.press("submit", "#username")
	again.atProvider("dora.noscript", "#id_token")
	again.complaints("without scripts")
}

func pagesChooser(t *testing.T, c *chrome) {
	a := shared.api(t)
	domain := a.company("initech", "automatic", map[string]any{"title": "Initech staff"})
	a.call(http.StatusCreated, http.MethodPost, "/connections", map[string]any{
		"id": "initech-guests", "organization": "initech", "title": "Initech guests", "domains": []string{domain},
		"allow_private_network": true, "issuer": shared.idp("any").Issuer, "client_id": "gatehouse", "client_secret": "mock-secret",
	})
	w := c.tab(t, look{})
	w.begin("peter@" + domain)
	w.press("submit", "#connection-initech-guests")
	w.good("chooser")
	w.press("restart", "#email")
	w.press("submit", "#connection-initech")
	w.press("connection-initech-guests", "#username")
	if !strings.HasPrefix(w.url(), shared.idp("any").Issuer) {
		t.Errorf("the choice led to %s", w.url())
	}
	w.atProvider("peter@"+domain, "#id_token")
	w.says("#userinfo", "peter@"+domain)
}

// pagesBad shows that the judge judges: a page that nobody should make.
func pagesBad(t *testing.T, c *chrome) {
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		rw.Header().Set("Content-Security-Policy", "script-src 'none'")
		_, _ = fmt.Fprint(rw, `<!doctype html><title>Bad</title><link rel="icon" href="data:,">
<style>@media (prefers-color-scheme: dark) {p {color: #ccc}}</style><p style="background: #fff">Words<input><script>1</script>`)
	}))
	t.Cleanup(server.Close)
	w := c.tab(t, look{})
	w.open(server.URL)
	w.at("p")
	for scheme, want := range map[string]string{"light": "label", "dark": "color-contrast"} {
		w.scheme(scheme)
		if found := fmt.Sprint(w.violations(axeAll)); !strings.Contains(found, "{"+want+" ") {
			t.Errorf("%s: axe-core found no %s, only %s", scheme, want, found)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.problems) == 0 {
		t.Error("the browser did not complain about a violated policy")
	}
}

// receiver is an app that only shows that an answer came.
func receiver(t *testing.T, fields map[string]any) (a *app, answers chan *http.Request) {
	t.Helper()
	answers = make(chan *http.Request, 8)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/callback" && r.ParseForm() == nil {
			answers <- r
		}
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(rw, `<!doctype html><title>App</title><link rel="icon" href="data:,"><h1 id="arrived">Arrived</h1>`)
	}))
	t.Cleanup(server.Close)
	redirect := server.URL + "/callback"
	id := shared.fresh("receiver")
	body := map[string]any{"id": id, "type": "web", "name": "Receiver", "redirect_uris": []string{redirect}}
	for k, v := range fields {
		body[k] = v
	}
	secret := shared.api(t).createClient(body)
	return newApp(t, shared, id, secret, redirect), answers
}

func pagesUnknownDomain(t *testing.T, c *chrome) {
	a, answers := receiver(t, map[string]any{"name": "Timesheets", "connections": []string{"acme", "globex"}})
	w := c.tab(t, look{})
	w.open(a.authorizeURL(a.authorization()))
	w.fill("email", "somebody@nowhere.test")
	w.press("submit", "#error")
	w.says("h1", "nowhere.test")
	w.good("unknown-domain")
	w.press("cancel", "#arrived")
	if got := (<-answers).Form.Get("error"); got != "access_denied" {
		t.Errorf("cancel: the app got error %q, want access_denied", got)
	}
}

func pagesErrors(t *testing.T, c *chrome) {
	w := c.tab(t, look{})
	domain := shared.api(t).company(shared.fresh("broken"), "automatic", nil)
	w.begin("walter@" + domain)
	w.press("submit", "#username")
	w.open(w.url() + "&fault=wrong_nonce")
	w.atProvider("walter@"+domain, "#correlation")
	w.says("h1", "did not work")
	w.good("error")
	w.press("back", "#error")
	w.says("#error", "access_denied")

	a := shared.native(t)
	r := a.authorization()
	r.params.Set("redirect_uri", "https://evil.example/")
	w.open(a.authorizeURL(r))
	w.at("#correlation")
	w.good("error-redirect-uri")
	w.open(shared.Issuer + "/nothing/here")
	w.at("#correlation")
	w.good("not-found")
}

func pagesConsent(t *testing.T, c *chrome) {
	a, answers := receiver(t, map[string]any{
		"name": "Holiday Planner", "third_party": true, "policy_uri": "https://planner.example/privacy", "terms_uri": "https://planner.example/terms",
	})
	for _, button := range []string{"cancel", "submit"} {
		w := c.tab(t, look{})
		r := a.authorization()
		w.open(a.authorizeURL(r))
		w.fill("email", "bob@acme.test")
		w.press("submit", "#username")
		w.fill("username", "bob")
		w.press("submit", ".ticks")
		w.says("main", "Holiday Planner")
		w.says("main", "bob@acme.test")
		w.good("consent")
		w.press(button, "#arrived")
		got := (<-answers).Form
		if button == "cancel" && got.Get("error") != "access_denied" {
			t.Errorf("cancel: got %v, want access_denied", got)
		}
		if button == "submit" {
			if tokens := a.redeem(got.Get("code"), r.verifier); tokens.status != http.StatusOK {
				t.Errorf("after consent: got %d %s", tokens.status, tokens.body)
			}
			w.open(a.authorizeURL(a.authorization())) // allowed once, not asked again
			w.at("#arrived")
		}
	}
}

func pagesFormPost(t *testing.T, c *chrome) {
	for name, l := range map[string]look{"scripts": {}, "no scripts": {noScripts: true}} {
		a, answers := receiver(t, map[string]any{"name": "Old Portal", "response_modes": []string{"form_post"}})
		a.responseMode = "form_post"
		w := c.tab(t, l)
		r := a.authorization()
		who := shared.person(t, "acme.test")
		w.open(a.authorizeURL(r))
		w.fill("email", who.email)
		w.press("submit", "#username")
		w.fill("username", who.name)
		if l.noScripts {
			w.press("submit", "form#form_post")
			w.good("form-post")
			w.press("submit", "#arrived")
		} else {
			w.press("submit", "#arrived")
		}
		got := <-answers
		if got.Method != http.MethodPost || got.URL.RawQuery != "" || got.PostForm.Get("state") != r.state {
			t.Errorf("%s: got %s %s, want a POST with the state and nothing in the URL", name, got.Method, got.URL)
		}
		if tokens := a.redeem(got.PostForm.Get("code"), r.verifier); tokens.status != http.StatusOK {
			t.Errorf("%s: got %d %s", name, tokens.status, tokens.body)
		}
		w.complaints("form_post")
	}
}

func pagesSignOut(t *testing.T, c *chrome) {
	w := c.tab(t, look{})
	w.begin("sofia@acme.test")
	w.press("submit", "#username")
	w.atProvider("sofia", "#id_token")
	w.open(shared.Issuer + "/oauth2/logout")
	w.at("#cancel")
	w.good("logout")
	w.press("cancel", "main:not(:has(#cancel))")
	w.open(shared.Issuer + "/oauth2/logout?" + url.Values{"client_id": {"demo-web"}}.Encode())
	w.press("submit", "main:not(:has(#submit))")
	w.says("h1", "signed out")
	w.good("signed-out")
	a := shared.web(t)
	r := a.authorization()
	r.params.Set("prompt", "none")
	w.open(a.authorizeURL(r))
	w.at("#error")
}
