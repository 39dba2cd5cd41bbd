package broker

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gatehouse/broker/session"
	"gatehouse/store/storetest"
)

// W8: no header, prefix or query opens a door; W11: every answer carries the
// security headers.
func TestW8_W11_NoExemptionsAndHeadersEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct{ path, agent string }{
		{pathUserinfo, "kube-probe/1.30"},
		{pathUserinfo + "?health", "ELB-HealthChecker/2.0"},
		{pathUserinfo + "#x", ""},
		{"/oauth2//userinfo", ""},
		{"/oauth2/userinfo/", ""},
		{"/static/../oauth2/userinfo", ""},
		{pathIntrospect, "GoogleHC/1.0"},
		{pathLogin, ""},
		{pathWaiting, ""},
		{pathEvents, ""},
		{pathConsent, ""},
		{pathBack, ""},
		{"/", ""},
		{"/debug/pprof/", ""},
		{"/metrics", ""},
		{"/api/v1/users", ""},
		{"/healthz", ""},
		{"/login/callback/acme", ""},
	} {
		req, err := http.NewRequest(http.MethodGet, w.url+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.agent != "" {
			req.Header.Set("User-Agent", c.agent)
		}
		a := w.browser().do(req)
		if a.StatusCode < 300 {
			t.Errorf("%s answers %d to a stranger", c.path, a.StatusCode)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
		} {
			if got := a.Header.Get(name); got != want && a.StatusCode != http.StatusMovedPermanently && a.StatusCode != http.StatusTemporaryRedirect {
				t.Errorf("%s: %s is %q", c.path, name, got)
			}
		}
		if csp := a.Header.Get("Content-Security-Policy"); a.StatusCode >= 400 && !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: CSP %q", c.path, csp)
		}
	}
}

// W10: every cookie of a whole login, under http here and under https below.
func TestW10_Cookies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	seen := 0
	check := func(a answer) {
		for _, c := range a.Cookies() {
			seen++
			if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || len(c.Raw) > 4096 {
				t.Errorf("cookie %s: %s", c.Name, c.Raw[:min(len(c.Raw), 200)])
			}
		}
	}
	a := b.get(w.url + pathAuthorize + "?" + w.edited("native", "login_hint", "").Encode())
	check(a)
	a = b.submit(b.follow(a), url.Values{"email": {"alice@acme.test"}})
	check(a)
	for a.StatusCode == http.StatusSeeOther && !strings.HasPrefix(a.Header.Get("Location"), appRedirect) {
		a = b.get(a.Header.Get("Location"))
		if strings.HasPrefix(a.Request.URL.String(), w.url) {
			check(a)
		}
	}
	if seen < 4 { // login kept twice and cleared, session set
		t.Errorf("%d cookies seen", seen)
	}
	secure, err := session.New(session.Config{Store: storetest.Open(t), Issuer: "https://login.test"})
	if err != nil {
		t.Fatal(err)
	}
	rec := &recorder{header: http.Header{}}
	secure.Clear(rec)
	if err := secure.SaveLogin(rec, a.Request, secure.NewLoginID(), w.clock.now(), "x"); err != nil {
		t.Fatal(err)
	}
	for _, raw := range rec.header.Values("Set-Cookie") {
		if !strings.HasPrefix(raw, "__Host-") || !strings.Contains(raw, "; Secure") {
			t.Errorf("https cookie %q", raw)
		}
	}
}

type recorder struct{ header http.Header }

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) Write(p []byte) (int, error) { return len(p), nil }
func (r *recorder) WriteHeader(int)             {}

// I15: nobody may keep an introspection answer; we keep none ourselves.
func TestI15_IntrospectionIsNotCached(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tk := w.signedIn("web")
	_, header, body := w.tokenCall(pathIntrospect, "web", url.Values{"token": {tk.Access}})
	if body["active"] != true || header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v, Cache-Control %q", body["active"], header.Get("Cache-Control"))
	}
	w.tokenCall(pathRevoke, "web", url.Values{"token": {tk.Refresh}})
	if _, body := w.introspectAs("web", tk.Access); body["active"] != false {
		t.Error("active after revocation")
	}
}
