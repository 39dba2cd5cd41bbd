package templates

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// directive returns the sources of one CSP directive and whether it is there.
func directive(csp, name string) (string, bool) {
	for part := range strings.SplitSeq(csp, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), " ")
		if key == name {
			return value, true
		}
	}
	return "", false
}

func eachHeader(t *testing.T, check func(t *testing.T, h http.Header)) {
	t.Helper()
	pages := newTemplates(t)
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) { check(t, drawn(t, pages, s).Header()) })
	}
	t.Run("not a page", func(t *testing.T) {
		h := http.Header{}
		pages.SetHeaders(h)
		check(t, h)
	})
	t.Run("missing static file", func(t *testing.T) {
		w := httptest.NewRecorder()
		pages.Static().ServeHTTP(w, httptest.NewRequest("GET", "/static/none.css", nil))
		check(t, w.Header())
	})
}

func TestW11_SecurityHeadersEverywhere(t *testing.T) {
	t.Parallel()
	eachHeader(t, func(t *testing.T, h http.Header) {
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
			"Cross-Origin-Opener-Policy": "same-origin", "Cache-Control": "no-store", "Strict-Transport-Security": "",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		csp := h.Get("Content-Security-Policy")
		for name, want := range map[string]string{"default-src": "'none'", "frame-ancestors": "'none'", "base-uri": "'none'"} {
			if got, _ := directive(csp, name); got != want {
				t.Errorf("CSP %s %q, want %q", name, got, want)
			}
		}
		if strings.Contains(csp, "unsafe") {
			t.Errorf("CSP %q", csp)
		}
	})
	strict, err := New(Config{StrictTransport: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := drawn(t, strict, samples()[0]).Header().Get("Strict-Transport-Security"); got != "max-age=63072000" {
		t.Errorf("Strict-Transport-Security: %q", got)
	}
}

func TestB8_NeverFramed(t *testing.T) {
	t.Parallel()
	eachHeader(t, func(t *testing.T, h http.Header) {
		if got, _ := directive(h.Get("Content-Security-Policy"), "frame-ancestors"); got != "'none'" {
			t.Errorf("frame-ancestors %q", got)
		}
	})
}

func TestL9_OpenerIsCutOff(t *testing.T) {
	t.Parallel()
	eachHeader(t, func(t *testing.T, h http.Header) {
		if got := h.Get("Cross-Origin-Opener-Policy"); got != "same-origin" {
			t.Errorf("Cross-Origin-Opener-Policy %q", got)
		}
	})
	pages := newTemplates(t)
	for name, file := range pages.assets.byName {
		if strings.Contains(string(file.body), "postMessage") || strings.Contains(string(file.body), "opener") {
			t.Errorf("%s speaks to other windows", name)
		}
	}
}

func TestC9_NoReferrer(t *testing.T) {
	t.Parallel()
	eachHeader(t, func(t *testing.T, h http.Header) {
		if got := h.Get("Referrer-Policy"); got != "no-referrer" {
			t.Errorf("Referrer-Policy %q", got)
		}
	})
}

// TestV6_NoSniffing: pages and files say what they are.
func TestV6_NoSniffing(t *testing.T) {
	t.Parallel()
	eachHeader(t, func(t *testing.T, h http.Header) {
		if got := h.Get("X-Content-Type-Options"); got != "nosniff" {
			t.Errorf("X-Content-Type-Options %q", got)
		}
	})
}

// TestFormAction: Chromium applies form-action to every redirect after a POST,
// so pages that lead elsewhere leave it out or name all targets; the others
// keep forms at home.
func TestFormAction(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		targets []string
		want    string
		present bool
	}{
		{"unknown hops", nil, "", false},
		{"an app on the web", []string{"https://app.example/cb?x=1"}, "'self' https://app.example", true},
		{"loopback with port", []string{"http://127.0.0.1:4711/cb"}, "'self' http://127.0.0.1:4711", true},
		{"IPv6 loopback", []string{"http://[::1]:4711/cb"}, "'self' http:", true},
		{"a phone app", []string{"com.example.app:/cb"}, "'self' com.example.app:", true},
		{"bare scheme", []string{"com.example.app:"}, "'self' com.example.app:", true},
		{"the same twice", []string{"https://a.example/1", "https://a.example/2"}, "'self' https://a.example", true},
		{"a directive of their own", []string{"https://a.example;script-src *"}, "'self'", true},
		{"spaces", []string{"https://a.example 'unsafe-inline'"}, "'self'", true},
		{"wildcard", []string{"https://*/"}, "'self'", true},
		{"new line", []string{"https://a.example\r\nX: y"}, "'self'", true},
		{"script", []string{"javascript:alert(1)"}, "'self'", true},
	} {
		got, present := directive(policyTo(tc.targets), "form-action")
		if got != tc.want || present != tc.present {
			t.Errorf("%s: form-action %q (%v), want %q (%v)", tc.name, got, present, tc.want, tc.present)
		}
	}
	pages := newTemplates(t)
	leaves := map[string]bool{
		"email_entry": true, "email_entry_error": true, "email_entry_bare": true, "chooser": true, "no_route": true,
		"waiting": true, "refused": true, "refused_silent": true, "logout_confirm": true, "consent": true, "form_post": true, "test_start": true,
		"waiting_say": true, "waiting_asked": true, "app_missing": true, "account": true, "account_stale": true, "is_it_you": true, "invitation": true, "local_sign_in": true, "factor": true, "join": true,
	}
	for _, s := range samples() {
		got, present := directive(drawn(t, pages, s).Header().Get("Content-Security-Policy"), "form-action")
		if !leaves[s.name] && got != "'self'" {
			t.Errorf("%s: form-action %q, want 'self'", s.name, got)
		}
		if leaves[s.name] && s.name != "form_post" && present {
			t.Errorf("%s: form-action %q would stop the redirect", s.name, got)
		}
	}
}

// TestV5_FormPostGoesToTheAppOnly: escaped fields, form-action is the app's
// origin and nothing else.
func TestV5_FormPostGoesToTheAppOnly(t *testing.T) {
	t.Parallel()
	pages := newTemplates(t)
	w := httptest.NewRecorder()
	evil := `"><script>alert(1)</script>` + "\u202e"
	p := FormPostPage{
		App: App{Name: evil}, Action: `https://app.example:8443/cb?a="><script>`,
		Fields: []Field{{"code", "c"}, {"state", evil}, {"submit", "shadow"}},
	}
	if err := pages.FormPost(w, 200, p); err != nil {
		t.Fatal(err)
	}
	nodes := parsePage(t, w)
	checkInert(t, nodes)
	if got, _ := directive(w.Header().Get("Content-Security-Policy"), "form-action"); got != "https://app.example:8443" {
		t.Errorf("form-action %q", got)
	}
	var sent []Field
	for _, n := range nodes {
		if kind, _ := attr(n, "type"); n.Data == "input" && kind == "hidden" {
			name, _ := attr(n, "name")
			value, _ := attr(n, "value")
			sent = append(sent, Field{name, value})
		}
	}
	if len(sent) != 3 || sent[0] != p.Fields[0] || sent[1] != p.Fields[1] || sent[2] != p.Fields[2] {
		t.Errorf("fields %q, want %q byte for byte and in order", sent, p.Fields)
	}
	if byID(nodes, "submit").Data != "button" {
		t.Error("no visible button for browsers without JavaScript")
	}
}

func TestV5_FormPostRefusesOtherTargets(t *testing.T) {
	t.Parallel()
	pages := newTemplates(t)
	for _, action := range []string{"", "javascript:alert(1)", "com.example.app:/cb", "data:text/html,x", "/local", "https://", "https://a b/"} {
		w := httptest.NewRecorder()
		err := pages.FormPost(w, 200, FormPostPage{Action: action})
		if !errors.Is(err, ErrFormPostTarget) || w.Body.Len() != 0 || len(w.Header()) != 0 {
			t.Errorf("action %q: error %v and %d bytes sent", action, err, w.Body.Len())
		}
	}
}
