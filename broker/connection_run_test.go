package broker

import (
	"context"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
)

// edit changes the record of a connection, as an admin does.
func (w *world) edit(id string, change func(*store.Connection)) {
	w.t.Helper()
	w.change(func(ch *store.Change) error {
		c, err := w.store.Connections.Get(ch.Tx, id)
		if err != nil {
			return err
		}
		change(&c)
		return w.store.Connections.Put(ch.Tx, c)
	})
}

// editClient changes the record of a client.
func (w *world) editClient(id string, change func(*store.Client)) {
	w.t.Helper()
	w.change(func(ch *store.Change) error {
		c, err := w.store.Clients.Get(ch.Tx, id)
		if err != nil {
			return err
		}
		change(&c)
		return w.store.Clients.Put(ch.Tx, c)
	})
}

// postedPage goes to the provider and reads the form that it posts back.
func (b *browser) postedPage(params url.Values) (action string, form url.Values) {
	b.w.t.Helper()
	a := b.get(b.w.url + pathAuthorize + "?" + params.Encode())
	a = b.get(a.Header.Get("Location")) // the provider's authorize endpoint
	if a.StatusCode != http.StatusOK || !strings.Contains(a.body, "<form") {
		b.w.t.Fatalf("no form_post page: %d %s", a.StatusCode, a.body)
	}
	form = url.Values{}
	for _, part := range strings.Split(a.body, "<input")[1:] {
		name, _, _ := strings.Cut(afterText(part, `name="`), `"`)
		value, _, _ := strings.Cut(afterText(part, `value="`), `"`)
		if name != "" {
			form.Set(name, strings.NewReplacer("&#43;", "+", "&amp;", "&", "&#34;", `"`).Replace(value))
		}
	}
	action, _, _ = strings.Cut(afterText(a.body, `action="`), `"`)
	return action, form
}

func afterText(s, mark string) string {
	_, after, _ := strings.Cut(s, mark)
	return after
}

func TestS5_FormPostIsTwoSteps(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.edit("acme", func(c *store.Connection) { c.ResponseMode = "form_post" })
	b, stranger := w.browser(), w.browser()
	params, verifier := w.ask("web")
	action, form := b.postedPage(params)
	if action != w.url+"/login/callback/acme" || form.Get("code") == "" {
		t.Fatalf("posted to %s: %v", action, form)
	}
	// The bare POST, as browsers send it from another site: without cookies.
	posted := stranger.post(action, form)
	location := posted.Header.Get("Location")
	if posted.StatusCode != http.StatusSeeOther || len(posted.Cookies()) != 0 || !strings.HasPrefix(location, action+"?r=") {
		t.Fatalf("%d %s %v", posted.StatusCode, location, posted.Cookies())
	}
	for _, secret := range []string{form.Get("code"), form.Get("state")} {
		if strings.Contains(location, secret) || strings.Contains(w.logs.String(), form.Get("code")) {
			t.Error("the answer is readable in a URL or the log")
		}
	}
	if n := w.acme.Requests().Counts["token"]; n != 0 {
		t.Errorf("the bare POST made %d token requests", n)
	}
	refused := func(name string, a answer) {
		t.Helper()
		if a.StatusCode != http.StatusBadRequest || a.Header.Get("Location") != "" || len(a.Cookies()) != 0 {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.Header.Get("Location"))
		}
	}
	refused("another browser", stranger.get(location))
	refused("altered", b.get(location[:len(location)-4]+"AAAA"))
	refused("beside a query", b.get(location+"&code=x"))
	refused("at another connection", b.get(strings.Replace(location, "/acme?", "/globex?", 1)))
	refused("in the clear to a connection without form_post", stranger.post(w.url+"/login/callback/globex", form))
	refused("with a query", stranger.post(action+"?state=x", form))
	if got := stranger.do(jsonRequest(t, action)); got.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("JSON: %d", got.StatusCode)
	}
	got := w.toApp(b.follow(b.get(location)))
	if got.Get("code") == "" {
		t.Fatalf("no code: %v", got)
	}
	if tok := w.redeem("web", got.Get("code"), verifier); tok.status != http.StatusOK {
		t.Errorf("redeem: %+v", tok)
	}
	refused("a second time", b.get(location))
}

func TestS5_PostedAnswerIsShortLived(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.edit("acme", func(c *store.Connection) { c.ResponseMode = "form_post" })
	b := w.browser()
	params, _ := w.ask("web")
	action, form := b.postedPage(params)
	location := w.browser().post(action, form).Header.Get("Location")
	w.clock.add(postedLife + time.Second)
	if got := b.get(location); got.StatusCode != http.StatusBadRequest {
		t.Errorf("after a minute: %d", got.StatusCode)
	}
	// Repeated parameters stay repeated, and are refused like in a query.
	form.Add("state", "another")
	location = w.browser().post(action, form).Header.Get("Location")
	if got := b.get(location); got.StatusCode != http.StatusBadRequest {
		t.Errorf("two states: %d", got.StatusCode)
	}
}

func jsonRequest(t *testing.T, target string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, target, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	return req
}

func TestPublicHosts_LoginStaysAtItsHost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const brand = "http://login.brand.test"
	w.broker.hosts = map[string]string{"login.brand.test": brand}
	w.edit("acme", func(c *store.Connection) { c.PublicHosts = []string{brand} })
	listener := strings.TrimPrefix(w.url, "http://")
	jar, _ := cookiejar.New(nil) // never fails
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		if strings.HasPrefix(addr, "login.brand.test") {
			addr = listener
		}
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	b := &browser{w: w, client: &http.Client{Jar: jar, Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	params, verifier := w.ask("web")
	params.Del("login_hint")
	page := b.get(b.get(brand + pathAuthorize + "?" + params.Encode()).Header.Get("Location"))
	if page.Request.URL.Host != "login.brand.test" || !strings.Contains(page.body, brand+pathLogin) {
		t.Fatalf("the e-mail page is at %s", page.Request.URL)
	}
	away := b.submit(page, url.Values{"email": {"alice@acme.test"}})
	to, err := url.Parse(away.Header.Get("Location"))
	if err != nil || to.Query().Get("redirect_uri") != brand+"/login/callback/acme" {
		t.Fatalf("sent to %s", to)
	}
	// The mock provider takes loopback addresses only; its answer is the same.
	w.acme.SetAuto("alice")
	q := to.Query()
	q.Set("redirect_uri", w.url+"/login/callback/acme")
	to.RawQuery = q.Encode()
	_ = verifier
	back, err := url.Parse(b.get(to.String()).Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	if a := b.get(w.url + back.RequestURI()); a.StatusCode != http.StatusBadRequest {
		t.Errorf("at the main host, where no cookie is: %d", a.StatusCode)
	}
	if a := b.get(brand + back.RequestURI()); a.StatusCode == http.StatusBadRequest {
		t.Errorf("at the branded host the login is not found: %d %s", a.StatusCode, a.body)
	}
	if got := w.acme.Requests().Of("token"); len(got) != 1 || got[0].Param("redirect_uri") != brand+"/login/callback/acme" {
		t.Errorf("token requests %+v", got)
	}
}

func TestForwardParameters_OnlyThoseListed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.editClient("web", func(c *store.Client) { c.ForwardParameters = []string{"theme", "client_secret"} })
	w.edit("acme", func(c *store.Connection) {
		for _, name := range []string{"theme", "other", "client_secret"} {
			c.Parameters = append(c.Parameters, store.Parameter{Name: "x_" + name, Source: store.FromRequest, Value: name, In: []string{"authorize", "token"}})
		}
	})
	params, _ := w.ask("web")
	params.Set("theme", "dark")
	params.Set("other", "no")
	params.Set("client_secret", "no")
	if got := w.browser().authorize(params); got.Get("code") == "" {
		t.Fatalf("%v", got)
	}
	for _, endpoint := range []string{"authorize", "token"} {
		q := w.acme.Requests().Of(endpoint)[0]
		if q.Param("x_theme") != "dark" || q.Param("x_other")+q.Param("x_client_secret") != "" {
			t.Errorf("%s: %v %v", endpoint, q.Query, q.Form)
		}
	}
	params, _ = w.ask("web")
	params.Set("theme", strings.Repeat("x", maxForwardedValue+1))
	if got := w.browser().authorize(params); got.Get("error") != "invalid_request" {
		t.Errorf("too long: %v", got)
	}
}

// Apple's word about the person: names get through the two steps, sealed, and
// nothing else of it does.
func TestS5_PostedNamesAreKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	idToken := func(path string) profile.Selector { return profile.Selector{Path: path, Source: profile.FromIDToken} }
	w.edit("acme", func(c *store.Connection) {
		c.ResponseMode, c.UseUserinfo, c.Profile.Kind = "form_post", false, store.ProfilePosted
		c.Selectors = profile.Selectors{
			FederationID: idToken("sub"), Email: idToken("email"), EmailVerified: idToken("email_verified"),
			FirstName: profile.Selector{Path: "name.firstName", Source: profile.FromProfile, Optional: true},
			LastName:  profile.Selector{Path: "name.lastName", Source: profile.FromProfile, Optional: true},
		}
	})
	signIn := func(user ...string) map[string]any {
		t.Helper()
		b := w.browser()
		params, verifier := w.ask("web")
		action, form := b.postedPage(params)
		form["user"] = user
		location := w.browser().post(action, form).Header.Get("Location")
		if strings.Contains(location, "Ada") || strings.Contains(location, "user") {
			t.Errorf("the name is readable in %s", location)
		}
		got := w.toApp(b.follow(b.get(location)))
		_, info := w.userinfo(w.redeem("web", got.Get("code"), verifier).Access)
		return info
	}
	const ada = `{"name":{"firstName":"Ada","lastName":"Lovelace"},"email":"ceo@acme.test"}`
	for name, user := range map[string][]string{"twice": {ada, ada}, "broken": {`{"name":{"firstName":"Eve"`}, "huge": {`{"name":{"firstName":"Eve"},"x":"` + strings.Repeat("x", 4096) + `"}`}} {
		if info := signIn(user...); info["given_name"] != nil || info["email"] != "alice@acme.test" {
			t.Errorf("%s: %v", name, info)
		}
	}
	if info := signIn(ada); info["given_name"] != "Ada" || info["family_name"] != "Lovelace" || info["email"] != "alice@acme.test" {
		t.Errorf("with a name: %v", info)
	}
	if info := signIn(); info["given_name"] != "Ada" { // as Apple does ever after
		t.Errorf("a later login: %v", info)
	}
	if strings.Contains(w.logs.String(), "Lovelace") {
		t.Error("the name is in the log")
	}
}
