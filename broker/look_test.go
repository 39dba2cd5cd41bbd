package broker

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gatehouse/store"
)

// globexLook gives globex a look, links and texts of its own.
func (w *world) globexLook(languages ...string) {
	w.change(func(ch *store.Change) error {
		o, err := w.store.Organizations.Get(ch.Tx, "globex")
		if err != nil {
			return err
		}
		o.Languages, o.Contact = languages, "Globex IT desk"
		o.Brand = store.Brand{Logo: "https://globex.test/logo.svg", Accent: "#a1231a"}
		o.Links = store.Links{Privacy: "https://globex.test/privacy", Help: "https://globex.test/help", RequestAccess: "mailto:it@globex.test"}
		o.Texts = []store.Text{
			{Key: store.TextWaiting, Language: "de", Title: "Einen Moment noch", Next: "Rufen Sie 4711 an."},
			{Key: store.TextNotAdmitted, Language: "en", Title: "Globex takes nobody new", Sentence: "Ask your manager <first>."},
		}
		return w.store.Organizations.Put(ch.Tx, o)
	})
}

func (b *browser) getIn(u, accept string) answer {
	b.w.t.Helper()
	req, err := http.NewRequest(http.MethodGet, u, nil)
	if err != nil {
		b.w.t.Fatal(err)
	}
	req.Header.Set("Accept-Language", accept)
	return b.do(req)
}

// TestLook_Language: the app's ui_locales, then the browser's header, on the
// pages of a login and on errors before anything is proven.
func TestLook_Language(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.globexLook("de")
	for _, c := range []struct{ name, locales, accept, organization, want string }{
		{"nothing", "", "", "", "en"},
		{"browser", "", "de-DE,de;q=0.9", "", "de"},
		{"app before browser", "de-AT en", "en", "", "de"},
		{"app asks for what is not there", "fr", "de", "", "de"},
		{"garbage", "<script>", "\"><b>", "", "en"},
		{"organization's default", "", "fr", "globex", "de"},
		{"organization does not force", "", "en", "globex", "en"},
	} {
		t.Run(c.name, func(t *testing.T) {
			params, _ := w.ask("native")
			params.Del("login_hint")
			if c.locales != "" {
				params.Set("ui_locales", c.locales)
			}
			b := w.browser()
			a := b.getIn(w.url+pathAuthorize+"?"+params.Encode(), c.accept)
			if c.organization == "" {
				a = b.getIn(w.url+strings.TrimPrefix(a.Header.Get("Location"), w.url), c.accept)
			} else {
				params.Set("organization", c.organization)
				params.Set("scope", "not-a-scope-of-this-client")
				params.Set("redirect_uri", "https://elsewhere.test") // a page, not a redirect
				a = b.getIn(w.url+pathAuthorize+"?"+params.Encode(), c.accept)
				c.want = map[bool]string{true: "de", false: "en"}[strings.HasPrefix(c.accept, "de")]
			}
			if got := a.Header.Get("Content-Language"); got != c.want || !strings.Contains(a.body, `<html lang="`+c.want+`">`) {
				t.Errorf("got %q, want %q\n%s", got, c.want, a.body)
			}
			if a.Header.Get("Vary") != "Accept-Language" {
				t.Errorf("Vary: %q", a.Header.Values("Vary"))
			}
		})
	}
	a := w.browser().getIn(w.url+"/nowhere", "de")
	if !strings.Contains(a.body, "Hier ist nichts") {
		t.Errorf("a page outside of logins is not German: %s", a.body)
	}
}

// TestLook_WaitingRoom: the organization's look and its own words, once it is
// known whose people the login is about, and not before.
func TestLook_WaitingRoom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.globexLook("de", "en")
	params, _ := w.ask("native")
	params.Set("login_hint", "nina@globex.test")
	params.Set("ui_locales", "de")
	b := w.browser()
	page := b.follow(b.get(w.url + pathAuthorize + "?" + params.Encode()))
	for _, want := range []string{
		`<html lang="de">`, "/static/accent-a1231a.css", `src="https://globex.test/logo.svg"`, "Einen Moment noch", "Rufen Sie 4711 an.",
		"Globex IT desk", "https://globex.test/privacy", "mailto:it@globex.test", "Zugang beantragen",
	} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the waiting room lacks %q", want)
		}
	}
	if csp := page.Header.Get("Content-Security-Policy"); strings.Contains(csp, "unsafe") {
		t.Errorf("CSP %q", csp)
	}
	sheet := b.get(w.url + "/static/accent-a1231a.css")
	if sheet.StatusCode != http.StatusOK || !strings.Contains(sheet.body, "#a1231a") {
		t.Errorf("the style sheet: %d %s", sheet.StatusCode, sheet.body)
	}

	// The e-mail page of nobody in particular shows nobody's look.
	params, _ = w.ask("native")
	params.Del("login_hint")
	other := w.browser()
	if page := other.follow(other.get(w.url + pathAuthorize + "?" + params.Encode())); strings.Contains(page.body, "globex") || strings.Contains(page.body, "accent-") {
		t.Errorf("the first page shows an organization: %s", page.body)
	}
}

// TestLook_BeforeSignIn: an app that names the organization has its links shown
// before anybody signs in, and its own words when nobody new is taken.
func TestLook_BeforeSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.globexLook()
	w.change(func(ch *store.Change) error {
		o, err := w.store.Organizations.Get(ch.Tx, "globex")
		if err != nil {
			return err
		}
		o.Join = store.JoinOff
		if err := w.store.Organizations.Put(ch.Tx, o); err != nil {
			return err
		}
		c, err := w.store.Connections.Get(ch.Tx, "globex")
		if err != nil {
			return err
		}
		c.ID, c.Title = "globex-two", "Second way"
		return w.store.Connections.Insert(ch.Tx, c)
	})
	params, _ := w.ask("native")
	params.Set("login_hint", "nina@globex.test")
	params.Set("organization", "globex")
	b := w.browser()
	page := b.follow(b.get(w.url + pathAuthorize + "?" + params.Encode()))
	if page.Request.URL.Path != pathChoose || !strings.Contains(page.body, "https://globex.test/help") || !strings.Contains(page.body, "Request access") {
		t.Fatalf("%s: %s", page.Request.URL, page.body)
	}
	page = b.follow(b.submit(page, url.Values{"connection": {"globex"}}))
	if page.StatusCode != http.StatusForbidden || !strings.Contains(page.body, "Globex takes nobody new") || !strings.Contains(page.body, "Ask your manager &lt;first&gt;.") {
		t.Errorf("%d: %s", page.StatusCode, page.body)
	}

	// An organization that does not exist, or is off, looks like none.
	w.change(func(ch *store.Change) error {
		o, err := w.store.Organizations.Get(ch.Tx, "globex")
		if err != nil {
			return err
		}
		o.Disabled = true
		return w.store.Organizations.Put(ch.Tx, o)
	})
	for _, id := range []string{"globex", "nobody", `"><script>`} {
		params.Set("organization", id)
		other := w.browser()
		page := other.follow(other.get(w.url + pathAuthorize + "?" + params.Encode()))
		if strings.Contains(page.body, "globex.test/help") || strings.Contains(page.body, "<script>") {
			t.Errorf("%s: %s", id, page.body)
		}
	}
}

// TestDiscovery_Languages: what the pages are written in.
func TestDiscovery_Languages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if a := w.browser().get(w.url + pathOpenIDConfiguration); !strings.Contains(a.body, `"ui_locales_supported":["en","de"]`) {
		t.Errorf("discovery: %s", a.body)
	}
}
