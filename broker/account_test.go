package broker

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/store"
)

// second adds a connection of acme's that leads to the same provider: another
// sign-in of the same people.
func (w *world) second() {
	w.t.Helper()
	w.change(func(ch *store.Change) error {
		c, err := w.store.Connections.Get(ch.Tx, "acme")
		if err != nil {
			return err
		}
		// A copy has to be sealed anew.
		return w.store.Connections.Insert(ch.Tx, store.Connection{
			ID: "second", OrganizationID: "acme", Kind: store.KindOIDC, Title: "Second", Issuer: c.Issuer, ClientID: c.ClientID,
			ClientSecret: store.Seal("mock-secret"), ClientAuth: c.ClientAuth, Scopes: c.Scopes, UseUserinfo: true,
			Selectors: c.Selectors, AllowPrivateNetwork: true, Domains: []string{"acme.test"},
		})
	})
}

// linked are the connections at which the person with the session of b has an
// identity.
func (b *browser) linked() (out []string) {
	b.w.t.Helper()
	if err := b.w.store.View(b.w.t.Context(), func(tx store.Tx) error {
		s, err := b.w.store.Sessions.Get(tx, store.HashToken(b.sessionCookie()))
		if err != nil {
			return err
		}
		for i, err := range b.w.store.Identities.AllByIndex(tx, "user", s.UserID) {
			if err != nil {
				return err
			}
			out = append(out, i.ConnectionID)
		}
		return nil
	}); err != nil {
		b.w.t.Fatal(err)
	}
	return out
}

func (b *browser) account() answer {
	b.w.t.Helper()
	a := b.follow(b.get(b.w.url + pathAccount))
	if a.StatusCode != http.StatusOK || !strings.Contains(a.body, `id="sign-out"`) {
		b.w.t.Fatalf("account page: %d\n%s", a.StatusCode, a.body)
	}
	return a
}

func (w *world) signedInBrowser() *browser {
	w.t.Helper()
	b := w.browser()
	params, _ := w.ask("native")
	params.Set("connection", "acme")
	if got := b.authorize(params); got.Get("code") == "" {
		w.t.Fatalf("no code: %v", got)
	}
	return b
}

// TestAccountLinksAndUnlinks: the whole way in a browser, to a second sign-in and
// back.
func TestAccountLinksAndUnlinks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.second()
	b := w.signedInBrowser()
	page := b.account()
	for _, want := range []string{"alice@acme.test", `id="unlink-`, "Native"} {
		if want == `id="unlink-` {
			if strings.Contains(page.body, want) {
				t.Error("the only identity can be removed")
			}
		} else if !strings.Contains(page.body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	w.acme.SetAuto("bob")
	done := b.follow(b.submit(page, url.Values{"connection": {"second"}}))
	if done.StatusCode != http.StatusOK || !strings.Contains(done.body, "Added.") {
		t.Fatalf("link: %d\n%s", done.StatusCode, done.body)
	}
	if got := b.linked(); len(got) != 2 {
		t.Fatalf("identities at %v", got)
	}
	user := func() string {
		var id string
		_ = w.store.View(t.Context(), func(tx store.Tx) error {
			s, err := w.store.Sessions.Get(tx, store.HashToken(b.sessionCookie()))
			id = s.UserID
			return err
		})
		return id
	}()
	// The linked sign-in opens the same account, for an app too.
	other := w.browser()
	params, _ := w.ask("native")
	params.Del("login_hint")
	params.Set("connection", "second")
	if got := other.authorize(params); got.Get("code") == "" {
		t.Fatalf("through the second: %v", got)
	}
	_ = w.store.View(t.Context(), func(tx store.Tx) error {
		s, err := w.store.Sessions.Get(tx, store.HashToken(other.sessionCookie()))
		if err != nil || s.UserID != user {
			t.Errorf("the second sign-in is %s, not %s: %v", s.UserID, user, err)
		}
		return nil
	})
	// Mail and audit tell of it.
	_ = w.store.View(t.Context(), func(tx store.Tx) error {
		mails, _, err := w.store.Mails.List(tx, store.Page{})
		if err != nil || len(mails) != 1 || mails[0].Kind != "identity_linked" || mails[0].To != "alice@acme.test" {
			t.Errorf("mails %v, %v", mails, err)
		}
		return nil
	})
	// Removing ends what it opened, in the other browser at once.
	page = b.account()
	id := page.body[strings.LastIndex(page.body, `name="identity" value="`)+len(`name="identity" value="`):]
	for _, candidate := range strings.Split(page.body, `name="identity" value="`)[1:] {
		candidate, _, _ = strings.Cut(candidate, `"`)
		if at := strings.Index(page.body, `id="unlink-`+candidate); at > 0 && strings.LastIndex(page.body[:at], "Second") > strings.LastIndex(page.body[:at], ">acme<") {
			id = candidate
		}
	}
	gone := b.follow(b.submit(page, url.Values{"identity": {id}}))
	if !strings.Contains(gone.body, "Removed.") {
		t.Fatalf("unlink: %d\n%s", gone.StatusCode, gone.body)
	}
	if got := b.linked(); len(got) != 1 || got[0] != "acme" {
		t.Errorf("identities at %v", got)
	}
	_ = w.store.View(t.Context(), func(tx store.Tx) error {
		if there, err := w.store.Sessions.Has(tx, store.HashToken(other.sessionCookie())); there || err != nil {
			t.Errorf("the session through the removed sign-in lives: %v", err)
		}
		return nil
	})
}

// TestN6_LinkIsBoundToItsBrowserAndSession: a link that was begun by one person
// is finished by nobody else, nowhere else, and once.
func TestN6_LinkIsBoundToItsBrowserAndSession(t *testing.T) {
	t.Parallel()
	begin := func(w *world, b *browser) string {
		w.t.Helper()
		w.acme.SetAuto("bob")
		away := b.submit(b.account(), url.Values{"connection": {"second"}}) // to the provider
		at := b.get(away.Header.Get("Location"))
		if at.StatusCode != http.StatusSeeOther && at.StatusCode != http.StatusFound {
			w.t.Fatalf("provider: %d\n%s", at.StatusCode, at.body)
		}
		return at.Header.Get("Location")
	}
	for name, finish := range map[string]func(w *world, b *browser, back string) answer{
		// Keycloak CVE-2026-9087: the proof of one is finished in the browser of another.
		"another browser": func(w *world, _ *browser, back string) answer { return w.browser().get(back) },
		"another browser, signed in as somebody else": func(w *world, _ *browser, back string) answer {
			w.acme.SetAuto("*")
			victim := w.browser()
			params, _ := w.ask("native")
			params.Set("login_hint", "carol@acme.test")
			params.Set("connection", "acme")
			victim.authorize(params)
			return victim.get(back)
		},
		// CVE-2025-7365: the person changes under the link.
		"another person signed in meanwhile": func(w *world, b *browser, back string) answer {
			w.acme.SetAuto("carol")
			params, _ := w.ask("native")
			params.Set("prompt", "login")
			params.Set("connection", "acme")
			b.authorize(params)
			return b.get(back)
		},
		"signed out meanwhile": func(w *world, b *browser, back string) answer {
			b.follow(b.submit(b.account(), url.Values{"others": {"1"}}))
			b.client.Jar.SetCookies(parsed(w.url), []*http.Cookie{{Name: "gh_session", Value: "", MaxAge: -1}})
			return b.get(back)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.second()
			b := w.signedInBrowser()
			back := begin(w, b)
			before := w.identities()
			a := finish(w, b, back)
			if a.StatusCode < 400 {
				t.Errorf("finished with %d at %s", a.StatusCode, a.Request.URL)
			}
			for key := range w.identities() {
				if !before[key] && strings.Contains(key, "second") {
					t.Errorf("linked %q", key)
				}
			}
		})
	}
	t.Run("once", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.second()
		b := w.signedInBrowser()
		back := begin(w, b)
		kept := b.client.Jar.Cookies(parsed(w.url))
		if a := b.follow(b.get(back)); !strings.Contains(a.body, "Added.") {
			t.Fatalf("%d\n%s", a.StatusCode, a.body)
		}
		b.client.Jar.SetCookies(parsed(w.url), kept) // the login cookie again
		if a := b.follow(b.get(back)); a.StatusCode < 400 {
			t.Errorf("again: %d", a.StatusCode)
		}
	})
}

func parsed(raw string) *url.URL {
	u, _ := url.Parse(raw) // of a test server
	return u
}

// identities by key and user.
func (w *world) identities() map[string]bool {
	w.t.Helper()
	out := map[string]bool{}
	if err := w.store.View(w.t.Context(), func(tx store.Tx) error {
		for i, err := range w.store.Identities.All(tx) {
			if err != nil {
				return err
			}
			out[i.ConnectionID+" "+i.Subject+" "+i.UserID] = true
		}
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
	return out
}

// TestB1_AccountForms: each form wants the token of this session, and changes of
// sign-ins a fresh one.
func TestB1_AccountForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.second()
	b := w.signedInBrowser()
	stranger := w.signedInBrowser()
	page := b.account()
	_, token, _ := strings.Cut(page.body, `name="csrf" value="`)
	token, _, _ = strings.Cut(token, `"`)
	for _, path := range []string{"/link", "/unlink", "/end", "/sign-out", "/fresh", "/password"} {
		at := w.url + pathAccount + path
		if a := b.post(at, url.Values{"csrf": {"wrong"}, "connection": {"second"}}); a.StatusCode != http.StatusForbidden {
			t.Errorf("%s with a wrong token: %d", path, a.StatusCode)
		}
		if a := stranger.post(at, url.Values{"csrf": {token}, "connection": {"second"}}); a.StatusCode != http.StatusForbidden {
			t.Errorf("%s with another's token: %d", path, a.StatusCode)
		}
		if a := w.browser().post(at, url.Values{"csrf": {token}}); a.StatusCode != http.StatusForbidden {
			t.Errorf("%s signed out: %d", path, a.StatusCode)
		}
		if a := b.get(at); a.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("GET %s: %d", path, a.StatusCode)
		}
	}
	w.clock.add(freshFor + time.Minute)
	for _, path := range []string{"/link", "/unlink", "/password"} {
		if a := b.post(w.url+pathAccount+path, url.Values{"csrf": {token}, "connection": {"second"}}); a.StatusCode != http.StatusForbidden || !strings.Contains(a.body, `id="fresh"`) {
			t.Errorf("%s with an old sign-in: %d", path, a.StatusCode)
		}
	}
	// Signing in again makes it fresh.
	w.acme.SetAuto("alice")
	again := b.follow(b.submit(b.account(), url.Values{}))
	if again.StatusCode != http.StatusOK {
		t.Fatalf("signing in again: %d\n%s", again.StatusCode, again.body)
	}
}

// TestAccountEndsOneGrant: "this phone" is out on every path, the other stays.
func TestAccountEndsOneGrant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	sign := func(client string) tokens {
		params, verifier := w.ask(client)
		got := b.authorize(params)
		return w.redeem(client, got.Get("code"), verifier)
	}
	phone, site := sign("native"), sign("web")
	page := b.account()
	at := strings.Index(page.body, ">Native<")
	_, id, _ := strings.Cut(page.body[at:], `name="grant" value="`)
	id, _, _ = strings.Cut(id, `"`)
	if a := b.follow(b.submit(page, url.Values{"grant": {id}})); !strings.Contains(a.body, "Signed out there.") {
		t.Fatalf("end: %d\n%s", a.StatusCode, a.body)
	}
	w.dead(t, "native", phone)
	if status, _ := w.userinfo(site.Access); status != http.StatusOK {
		t.Errorf("the other app: userinfo %d", status)
	}
	// Everywhere: the session too.
	if a := b.follow(b.submit(b.account(), url.Values{"csrf": nil})); a.StatusCode >= 500 {
		t.Fatalf("%d", a.StatusCode)
	}
	_, form, _ := strings.Cut(b.account().body, `id="sign-out" `)
	_, token, _ := strings.Cut(form, `name="csrf" value="`)
	token, _, _ = strings.Cut(token, `"`)
	if a := b.post(w.url+pathAccount+"/sign-out", url.Values{"csrf": {token}}); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("sign out everywhere: %d", a.StatusCode)
	}
	w.dead(t, "web", site)
	if got := b.authorize(w.edited("native", "prompt", "none")); got.Get("error") != "login_required" {
		t.Errorf("the session lives: %v", got)
	}
}

// TestIsItYou: a newcomer with a known person's proven address is asked, may link
// by proving both, and goes on to the app; "no" makes a newcomer of them.
func TestIsItYou(t *testing.T) {
	t.Parallel()
	start := func(t *testing.T) (*world, *browser, answer) {
		w := newWorld(t)
		w.second()
		w.acme.SetUser("alice2", map[string]any{"sub": "alice-again", "email": "alice@acme.test", "email_verified": true, "name": "Alice"})
		w.acme.SetAuto("alice")
		params, _ := w.ask("native")
		params.Set("connection", "acme")
		w.browser().authorize(params)
		w.acme.SetAuto("alice2")
		b := w.browser()
		params.Set("connection", "second")
		page := b.follow(b.get(w.url + pathAuthorize + "?" + params.Encode()))
		if page.StatusCode != http.StatusOK || !strings.Contains(page.body, "Is this you?") {
			t.Fatalf("%d at %s\n%s", page.StatusCode, page.Request.URL, page.body)
		}
		return w, b, page
	}
	t.Run("yes", func(t *testing.T) {
		t.Parallel()
		w, b, page := start(t)
		w.acme.SetAuto("alice")
		account := b.follow(b.submit(page, url.Values{"known": {"acme"}}))
		if !strings.Contains(account.body, `id="link-suggested"`) {
			t.Fatalf("%d at %s\n%s", account.StatusCode, account.Request.URL, account.body)
		}
		w.acme.SetAuto("bob") // somebody else than before is not linked in their place
		if a := b.follow(b.submit(account, url.Values{"then": {page.Request.URL.Query().Get("tx")}})); a.StatusCode != http.StatusConflict || !strings.Contains(a.body, "somebody else than before") {
			t.Errorf("another identity: %d\n%s", a.StatusCode, a.body)
		}
		w.acme.SetAuto("alice2")
		end := b.follow(b.submit(account, url.Values{"then": {page.Request.URL.Query().Get("tx")}}))
		if got := w.toApp(end); got.Get("code") == "" {
			t.Errorf("the app got %v", got)
		}
		if got := b.linked(); len(got) != 2 {
			t.Errorf("identities at %v", got)
		}
	})
	t.Run("no", func(t *testing.T) {
		t.Parallel()
		w, b, page := start(t)
		end := b.follow(b.submit(page, url.Values{"new": {"1"}}))
		if got := w.toApp(end); got.Get("code") == "" {
			t.Errorf("the app got %v", got)
		}
		if got := b.linked(); len(got) != 1 || got[0] != "second" {
			t.Errorf("identities at %v", got)
		}
	})
}
