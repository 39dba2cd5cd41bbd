package mockidp

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestControl(t *testing.T) {
	t.Parallel()
	p, err := New(Config{Issuer: "http://idp.test"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		method, path, body string
		want               int
	}{
		{"POST", "/mock/faults", `{"fault":"token_500","count":1}`, 204},
		{"POST", "/mock/faults", `{"fault":"foreign_email","value":"x@y.test"}`, 204},
		{"POST", "/mock/faults", `{"fault":"no_such"}`, 400},
		{"POST", "/mock/faults", `{"fault":"token_500","count":-1}`, 400},
		{"POST", "/mock/faults", `{"fualt":"token_500"}`, 400},
		{"POST", "/mock/faults", `{"fault":"token_500"} {}`, 400},
		{"GET", "/mock/faults", "", 200},
		{"POST", "/mock/keys/rotate", "", 200},
		{"POST", "/mock/keys/rotate", `{"drop_old":true}`, 200},
		{"PUT", "/mock/users/zoe", `{"sub":12345678901234567890,"nested":{"a":[1]}}`, 204},
		{"GET", "/mock/users/zoe", "", 200},
		{"PUT", "/mock/users/zoe", `[]`, 400},
		{"PUT", "/mock/auto", `{"user":"zoe"}`, 204},
		{"PUT", "/mock/auto", `{"user":"\u0000"}`, 400},
		{"GET", "/mock/requests", "", 200},
		{"DELETE", "/mock/requests", "", 204},
		{"DELETE", "/mock/faults", "", 204},
		{"GET", "/mock/nothing", "", 404},
	} {
		if got := serve(p, tt.method, tt.path, tt.body); got.Code != tt.want {
			t.Errorf("%s %s %s = %d %s, want %d", tt.method, tt.path, tt.body, got.Code, got.Body, tt.want)
		}
	}
	if got := serve(p, "GET", "/mock/users/zoe", "").Body.String(); !strings.Contains(got, "12345678901234567890") {
		t.Errorf("a big number was changed: %s", got)
	}
	var list struct{ Faults []Fault }
	if err := json.Unmarshal(serve(p, "GET", "/mock/faults", "").Body.Bytes(), &list); err != nil || len(list.Faults) != len(Faults()) {
		t.Errorf("the list has %d faults of %d: %v", len(list.Faults), len(Faults()), err)
	}
	r := httptest.NewRequest("POST", "/mock/faults", strings.NewReader(`{"fault":"token_500"}`))
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	if p.ServeHTTP(w, r); w.Code != 403 {
		t.Errorf("a web page may steer the provider: %d", w.Code)
	}
}

// TestRequests: a test sees what came in, but no secret of it.
func TestRequests(t *testing.T) {
	t.Parallel()
	idp := Start(t, Config{AutoLogin: "alice"})
	o := &observed{idp: idp}
	signIn(t, o, Fault{}, testNonce, "")
	got := idp.Requests()
	for endpoint, want := range map[string]int{"discovery": 1, "authorize": 1, "token": 2, "jwks": 1, "userinfo": 1} {
		if got.Counts[endpoint] != want {
			t.Errorf("%d requests at %s, want %d", got.Counts[endpoint], endpoint, want)
		}
	}
	token := got.Of("token")[0]
	if token.Form["client_secret"][0] != hidden || token.Param("code") != hidden || token.Param("client_id") != "gatehouse" {
		t.Errorf("token request = %+v", token)
	}
	if got.Of("authorize")[0].Query["nonce"][0] != testNonce || got.Of("userinfo")[0].Authorization != "Bearer" {
		t.Errorf("recorded %+v", got)
	}
	all, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"mock-secret", o.callback.Get("code"), o.token.json()["access_token"].(string)} {
		if strings.Contains(string(all), secret) {
			t.Errorf("the record holds the secret %s", secret)
		}
	}
	for range maxRecorded + 10 {
		serve(idp.Provider, "GET", "/jwks", "")
	}
	if got := idp.Requests(); len(got.Recent) != maxRecorded || got.Counts["jwks"] != maxRecorded+11 {
		t.Errorf("%d kept, %d counted", len(got.Recent), got.Counts["jwks"])
	}
}

func TestPeople(t *testing.T) {
	t.Parallel()
	p := newPeople("acme.test", map[string]map[string]any{"carol": {"sub": "0001", "x": 1}})
	for name, want := range map[string]string{
		"alice": "alice@acme.test", "Alice@ACME.test": "alice@acme.test", "bob": "bob@acme.test", "mary.jones": "mary.jones@acme.test",
		"Anna Berg": "anna.berg@acme.test", "someone@other.test": "someone@other.test", "Odd+Tag@Other.test": "Odd+Tag@Other.test",
	} {
		if got := p.find(name).profile["email"]; got != want {
			t.Errorf("%s has the e-mail %v, want %s", name, got, want)
		}
	}
	if a, b := p.find("dave").profile["sub"], p.find("dave").profile["sub"]; a != b || a == p.find("erin").profile["sub"] {
		t.Error("sub is not one per name")
	}
	if p.find("carol").profile["sub"] != "0001" || p.find("dave").profile["given_name"] != "Dave" {
		t.Errorf("carol %v, dave %v", p.find("carol"), p.find("dave"))
	}
}

func FuzzAuthorize(f *testing.F) {
	p, err := New(Config{Issuer: "http://idp.test", AutoLogin: autoFromHint})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("response_type=code&client_id=gatehouse&redirect_uri=http%3A%2F%2Flocalhost%2Fcb&state=s&scope=openid&login_hint=alice")
	f.Add("client_id=gatehouse&redirect_uri=http://localhost/&response_mode=form_post&prompt=none&max_age=0&fault=wrong_nonce")
	f.Add("client_id=gatehouse&redirect_uri=http://localhost@evil/&response_type=code")
	f.Fuzz(func(t *testing.T, query string) {
		if strings.Contains(query, "slow") || strings.Contains(query, "hang") || strings.Contains(query, "%") && strings.Contains(query, "fault") {
			return
		}
		r := httptest.NewRequest("GET", "/authorize", nil)
		r.URL.RawQuery = query
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		loc := w.Header().Get("Location")
		if loc == "" {
			return
		}
		// The promise: whatever is sent, a redirect leads to a loopback address only.
		u, err := url.Parse(loc)
		if err != nil || (u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1" && u.Hostname() != "::1") {
			t.Errorf("%q redirects to %q", query, loc)
		}
	})
}
