package broker

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gatehouse/store"
)

// ends is how an authorization request is expected to end.
type ends struct {
	page  int    // status of a page, no redirect
	error string // OAuth error at the app
	code  bool
}

func (w *world) checkEnds(t *testing.T, a answer, want ends) {
	t.Helper()
	if want.page != 0 {
		if a.StatusCode != want.page || a.Header.Get("Location") != "" || !strings.Contains(a.Header.Get("Content-Type"), "text/html") {
			t.Errorf("got %d to %q (%s), want a page with %d", a.StatusCode, a.Header.Get("Location"), a.Header.Get("Content-Type"), want.page)
		}
		return
	}
	loc := a.Header.Get("Location")
	u, err := url.Parse(loc)
	if err != nil || a.StatusCode != http.StatusSeeOther {
		t.Fatalf("got %d to %q, want 303 to the app:\n%s", a.StatusCode, loc, a.body)
	}
	q := u.Query()
	if q.Get("iss") != w.url {
		t.Errorf("iss = %q, want %q", q.Get("iss"), w.url)
	}
	if q.Get("error") != want.error || (q.Get("code") != "") != want.code {
		t.Errorf("got %v, want error %q, code %v", q, want.error, want.code)
	}
}

// edited is a request with parameters set (empty string: removed).
func (w *world) edited(client string, edits ...string) url.Values {
	p, _ := w.ask(client)
	for i := 0; i < len(edits); i += 2 {
		if edits[i+1] == "" {
			p.Del(edits[i])
		} else {
			p.Set(edits[i], edits[i+1])
		}
	}
	return p
}

func TestA1_RepeatedParameters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"client_id", "redirect_uri", "scope", "state", "code_challenge", "response_type", "foo"} {
		p := w.edited("native", "foo", "bar")
		raw := p.Encode()
		again := url.Values{name: {p.Get(name)}}.Encode()
		w.checkEnds(t, w.browser().get(w.url+pathAuthorize+"?"+raw+"&"+again), ends{page: 400})
		// One in the query, one in the body.
		w.checkEnds(t, w.browser().post(w.url+pathAuthorize+"?"+again, p), ends{page: 400})
		// Both in the body.
		p[name] = append(p[name], "other")
		w.checkEnds(t, w.browser().post(w.url+pathAuthorize, p), ends{page: 400})
	}
}

func TestA2_UnknownDisabledDeletedClientsLookAlike(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.change(func(ch *store.Change) error { return w.store.Clients.Delete(ch.Tx, "third") })
	bodies := map[string]bool{}
	for _, id := range []string{"unknown", "disabled", "third", ""} {
		a := w.browser().get(w.url + pathAuthorize + "?" + w.edited("native", "client_id", id).Encode())
		w.checkEnds(t, a, ends{page: 400})
		bodies[a.body] = true
	}
	if len(bodies) != 1 {
		t.Errorf("%d different pages, want one", len(bodies))
	}
}

func TestAuthorizeRequestTable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		name   string
		client string
		edits  []string
		want   ends
	}{
		{"A3 redirect_uri missing", "native", []string{"redirect_uri", ""}, ends{page: 400}},
		{"A3 redirect_uri missing with one registered", "post", []string{"redirect_uri", ""}, ends{page: 400}},
		{"A4 response_type missing", "native", []string{"response_type", ""}, ends{error: "invalid_request"}},
		{"A5 token", "native", []string{"response_type", "token"}, ends{error: "unsupported_response_type"}},
		{"A5 id_token", "native", []string{"response_type", "id_token"}, ends{error: "unsupported_response_type"}},
		{"A5 code token", "native", []string{"response_type", "code token"}, ends{error: "unsupported_response_type"}},
		{"A5 code id_token", "native", []string{"response_type", "code id_token"}, ends{error: "unsupported_response_type"}},
		{"A5 code code", "native", []string{"response_type", "code code"}, ends{error: "unsupported_response_type"}},
		{"A5 CODE", "native", []string{"response_type", "CODE"}, ends{error: "unsupported_response_type"}},
		{"A5 none", "native", []string{"response_type", "none"}, ends{error: "unsupported_response_type"}},
		{"A7 fragment", "native", []string{"response_mode", "fragment"}, ends{error: "invalid_request"}},
		{"A7 web_message", "native", []string{"response_mode", "web_message"}, ends{error: "invalid_request"}},
		{"A7 query.jwt", "native", []string{"response_mode", "query.jwt"}, ends{error: "invalid_request"}},
		{"A7 form_post of a client that has it not", "native", []string{"response_mode", "form_post"}, ends{error: "invalid_request"}},
		{"A8 scope missing", "native", []string{"scope", ""}, ends{error: "invalid_scope"}},
		{"A8 unknown scope", "native", []string{"scope", "openid admin"}, ends{error: "invalid_scope"}},
		{"A8 two spaces", "native", []string{"scope", "openid  email"}, ends{error: "invalid_scope"}},
		{"A8 twice", "native", []string{"scope", "openid openid"}, ends{error: "invalid_scope"}},
		{"A8 quote", "native", []string{"scope", `openid "x"`}, ends{error: "invalid_scope"}},
		{"A8 markup", "native", []string{"scope", "openid <script>"}, ends{error: "invalid_scope"}},
		{"A8 tab", "native", []string{"scope", "openid\temail"}, ends{page: 400}},
		{"A8 newline", "native", []string{"scope", "openid\nemail"}, ends{page: 400}},
		{"A8 NUL", "native", []string{"scope", "openid\x00"}, ends{page: 400}},
		{"A8 10000 scopes", "native", []string{"scope", strings.Repeat("a ", 5000)}, ends{error: "invalid_scope"}},
		{"A9 wildcard is no wildcard", "native", []string{"scope", "openid api.read.all"}, ends{error: "invalid_scope"}},
		{"A13 max_age negative", "native", []string{"max_age", "-1"}, ends{error: "invalid_request"}},
		{"A13 max_age text", "native", []string{"max_age", "abc"}, ends{error: "invalid_request"}},
		{"A13 max_age exponent", "native", []string{"max_age", "1e9"}, ends{error: "invalid_request"}},
		{"A13 max_age plus", "native", []string{"max_age", "+5"}, ends{error: "invalid_request"}},
		{"A14 hint garbage", "native", []string{"id_token_hint", "x.y.z"}, ends{error: "invalid_request"}},
		{"A14 hint alg none", "native", []string{"id_token_hint", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."}, ends{error: "invalid_request"}},
		{"A15 hint of 15 kB", "native", []string{"login_hint", strings.Repeat("a", 15000)}, ends{code: false, page: 200}},
		{"A17 request object", "native", []string{"request", "eyJhbGciOiJub25lIn0.e30."}, ends{error: "request_not_supported"}},
		{"A18 request_uri", "native", []string{"request_uri", "https://169.254.169.254/"}, ends{error: "request_uri_not_supported"}},
		{"A20 no state", "native", []string{"state", ""}, ends{code: true}},
		{"A20 short state", "native", []string{"state", "a"}, ends{code: true}},
		{"prompt unknown", "native", []string{"prompt", "maybe"}, ends{error: "invalid_request"}},
		{"prompt none and login", "native", []string{"prompt", "none login"}, ends{error: "invalid_request"}},
		{"prompt none without session", "native", []string{"prompt", "none"}, ends{error: "login_required"}},
		{"claims not JSON", "native", []string{"claims", "{"}, ends{error: "invalid_request"}},
		{"audience not registered", "native", []string{"audience", "https://api.test"}, ends{error: "invalid_target"}},
		{"unknown parameter", "native", []string{"extra", "foobar"}, ends{code: true}},
		{"P missing PKCE", "native", []string{"code_challenge", "", "code_challenge_method", ""}, ends{page: 400}},
		{"P missing PKCE, confidential", "web", []string{"code_challenge", "", "code_challenge_method", ""}, ends{page: 400}},
		{"P2 plain", "native", []string{"code_challenge_method", "plain"}, ends{error: "invalid_request"}},
		{"P2 method absent", "native", []string{"code_challenge_method", ""}, ends{error: "invalid_request"}},
		{"P2 s256", "native", []string{"code_challenge_method", "s256"}, ends{error: "invalid_request"}},
		{"P2 S512", "native", []string{"code_challenge_method", "S512"}, ends{error: "invalid_request"}},
		{"P3 abc", "native", []string{"code_challenge", "abc"}, ends{error: "invalid_request"}},
		{"P3 42", "native", []string{"code_challenge", strings.Repeat("a", 42)}, ends{error: "invalid_request"}},
		{"P3 44", "native", []string{"code_challenge", strings.Repeat("a", 44)}, ends{error: "invalid_request"}},
		{"P3 equal signs", "native", []string{"code_challenge", strings.Repeat("=", 43)}, ends{error: "invalid_request"}},
		{"P3 method alone", "native", []string{"code_challenge", ""}, ends{error: "invalid_request"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := w.browser()
			w.checkEnds(t, b.follow(b.get(w.url+pathAuthorize+"?"+w.edited(c.client, c.edits...).Encode())), c.want)
		})
	}
}

func TestA13_EmptyMaxAge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.checkEnds(t, w.browser().get(w.url+pathAuthorize+"?"+w.edited("native").Encode()+"&max_age="), ends{error: "invalid_request"})
}

func TestA6_LaterStepsReadTheSealedRequestOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	page := b.follow(b.get(w.url + pathAuthorize + "?" + w.edited("native", "login_hint", "").Encode()))
	u := page.Request.URL
	q := u.Query()
	q.Set("response_type", "token")
	q.Set("redirect_uri", "https://evil.test/")
	u.RawQuery = q.Encode()
	got := b.follow(b.submit(b.get(u.String()), url.Values{"email": {"alice@acme.test"}}))
	if loc := got.Header.Get("Location"); !strings.HasPrefix(loc, appRedirect+"?code=") {
		t.Errorf("went to %q", loc)
	}
}

func TestA12_FreshLoginIsAskedUpstreamToo(t *testing.T) {
	t.Parallel()
	for name, edits := range map[string][]string{"prompt": {"prompt", "login"}, "max_age": {"max_age", "0"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			b := w.browser()
			p, _ := w.ask("native")
			if b.authorize(p).Get("code") == "" {
				t.Fatal("first login failed")
			}
			p = w.edited("native", edits...)
			a := b.get(w.url + pathAuthorize + "?" + p.Encode())
			out, err := url.Parse(a.Header.Get("Location"))
			if err != nil || !strings.HasPrefix(out.String(), w.acme.URL) {
				t.Fatalf("went to %q, want the provider", a.Header.Get("Location"))
			}
			if out.Query().Get("prompt") != "login" && out.Query().Get("max_age") != "0" {
				t.Errorf("provider is not asked for a fresh login: %v", out.Query())
			}
		})
	}
}

func TestA12_CancelGivesNoCodeForTheOldSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	p, _ := w.ask("native")
	b.authorize(p)
	page := b.follow(b.get(w.url + pathAuthorize + "?" + w.edited("native", "prompt", "login", "login_hint", "").Encode()))
	w.checkEnds(t, b.submit(page, url.Values{"cancel": {"1"}}), ends{error: "access_denied"})
}

func TestA14_HintOfAnotherPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	alice := w.signedIn("native")
	b := w.browser()
	if b.authorize(w.edited("native", "login_hint", "bob@acme.test")).Get("code") == "" {
		t.Fatal("bob is not signed in")
	}
	w.checkEnds(t, b.get(w.url+pathAuthorize+"?"+w.edited("native", "prompt", "none", "id_token_hint", alice.ID).Encode()), ends{error: "login_required"})
	// A hint made for another client is none of ours to read.
	w.checkEnds(t, b.get(w.url+pathAuthorize+"?"+w.edited("web", "id_token_hint", alice.ID).Encode()), ends{error: "invalid_request"})
	// With pages: bob signs in again although alice was meant.
	a := b.follow(b.get(w.url + pathAuthorize + "?" + w.edited("native", "login_hint", "bob@acme.test", "id_token_hint", alice.ID).Encode()))
	if a.StatusCode != http.StatusForbidden || !strings.Contains(a.body, "error=login_required") {
		t.Errorf("got %d, want the page that offers login_required to the app", a.StatusCode)
	}
}

func TestA15_LoginHintOnlyRoutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	p, verifier := w.ask("native")
	got := b.authorize(p)
	first := claimsOf(t, w.redeem("native", got.Get("code"), verifier).ID)["sub"]
	for _, hint := range []string{"ceo@globex.test", "<b>x</b>@acme.test", "a@b\u0000c"} {
		p, verifier = w.ask("native")
		p.Set("login_hint", strings.ReplaceAll(hint, "\u0000", ""))
		if sub := claimsOf(t, w.redeem("native", b.authorize(p).Get("code"), verifier).ID)["sub"]; sub != first {
			t.Errorf("hint %q changed the person", hint)
		}
	}
}

func TestA21_MethodsAndMediaTypes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, m := range []string{http.MethodPut, http.MethodDelete, http.MethodTrace, http.MethodHead, http.MethodPatch} {
		req, err := http.NewRequest(m, w.url+pathAuthorize+"?"+w.edited("native").Encode(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if a := w.browser().do(req); a.StatusCode != http.StatusMethodNotAllowed || a.Header.Get("Allow") != "GET, POST" {
			t.Errorf("%s: %d, Allow %q", m, a.StatusCode, a.Header.Get("Allow"))
		}
	}
	for _, mt := range []string{"application/json", "multipart/form-data; boundary=x", "text/plain", ""} {
		req, err := http.NewRequest(http.MethodPost, w.url+pathAuthorize, strings.NewReader(w.edited("native").Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", mt)
		if a := w.browser().do(req); a.StatusCode != http.StatusUnsupportedMediaType {
			t.Errorf("%q: %d, want 415", mt, a.StatusCode)
		}
	}
}

func TestA22_A23_EveryRedirectIs303WithIss(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	a := b.follow(b.post(w.url+pathAuthorize, w.edited("native")))
	w.checkEnds(t, a, ends{code: true}) // 303 and iss are checked there
	status, _, meta := 0, 0, w.browser().get(w.url+pathOpenIDConfiguration)
	_ = status
	if !strings.Contains(meta.body, `"authorization_response_iss_parameter_supported":true`) {
		t.Error("discovery does not announce iss")
	}
}

func TestTooBigForACookieSaysSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	p := w.edited("native", "login_hint", "", "state", strings.Repeat("s", 6000))
	w.checkEnds(t, b.get(w.url+pathAuthorize+"?"+p.Encode()), ends{page: 413})
}
