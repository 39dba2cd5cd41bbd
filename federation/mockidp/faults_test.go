package mockidp

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestFaults runs a login with every fault of the table, armed by API and asked for by
// parameter, and looks from outside whether it provokes what it says.
func TestFaults(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, f := range Faults() {
		if names[f.Name] {
			t.Errorf("fault %s stands twice in the table", f.Name)
		}
		names[f.Name] = true
		expected, ok := expectation(f)
		if !ok {
			t.Errorf("fault %s has no expectation: nobody would notice if it did nothing", f.Name)
			continue
		}
		for _, way := range []string{"armed", "asked"} {
			t.Run(f.Name+"/"+way, func(t *testing.T) {
				t.Parallel()
				if o := observe(t, f, way == "asked"); !expected(o) {
					t.Errorf("%s: not seen\ncallback %v\ntoken %d %.300s\nID token %v %.600s verified: %v\nuserinfo %d %.300s", f.Description,
						o.callback, o.token.status, o.token.body, o.header, o.payload, o.verified, o.userinfo.status, o.userinfo.body)
				}
			})
		}
	}
	for name := range expectations() {
		if !names[name] {
			t.Errorf("expectation for %s, which is no fault", name)
		}
	}
}

// TestNoFault holds the other half: none of the expectations is met by a correct login,
// so each of them sees its fault and not something that is always there.
func TestNoFault(t *testing.T) {
	t.Parallel()
	o := &observed{idp: Start(t, Config{AutoLogin: "alice", SlowDelay: time.Hour, HugeSize: 256 << 10})}
	signIn(t, &observed{idp: o.idp}, Fault{}, "nonce-before", "")
	signIn(t, o, Fault{}, testNonce, "")
	if o.verified != nil || o.claims["nonce"] != testNonce {
		t.Fatalf("correct login: %v, claims %v", o.verified, o.claims)
	}
	for _, f := range Faults() {
		expected, _ := expectation(f)
		if !strings.HasSuffix(f.Name, "_slow") && expected != nil && expected(o) {
			t.Errorf("the expectation of %s is met without the fault", f.Name)
		}
	}
}

func TestFaultCount(t *testing.T) {
	t.Parallel()
	idp := Start(t, Config{AutoLogin: "alice"})
	idp.SetFault("token_500", 2)
	idp.SetFault("userinfo_html", 0)
	var token []int
	for range 3 {
		o := &observed{idp: idp}
		signIn(t, o, Fault{}, testNonce, "")
		token = append(token, o.token.status)
		if !strings.Contains(o.userinfo.body, "<h1>") {
			t.Error("a fault until cleared is gone")
		}
	}
	if want := []int{500, 500, 200}; !slices.Equal(token, want) {
		t.Errorf("token answers %v, want %v", token, want)
	}
	idp.ClearFaults()
	o := &observed{idp: idp}
	if signIn(t, o, Fault{}, testNonce, ""); o.userinfo.status != 200 || o.token.status != 200 {
		t.Errorf("after clearing: token %d, userinfo %d", o.token.status, o.userinfo.status)
	}
}

// TestFaultStaysWithItsLogin: a fault asked for by one login must not touch another.
func TestFaultStaysWithItsLogin(t *testing.T) {
	t.Parallel()
	idp := Start(t, Config{AutoLogin: "alice"})
	broken, whole := &observed{idp: idp}, &observed{idp: idp}
	wrong := Fault{Name: "wrong_nonce", Stage: StageIDToken}
	signIn(t, broken, wrong, testNonce, "wrong_nonce,userinfo_wrong_sub")
	signIn(t, whole, Fault{}, testNonce, "")
	if broken.claims["nonce"] == testNonce || broken.userinfo.json()["sub"] != "somebody-else" {
		t.Errorf("asked for two faults, got %v, %s", broken.claims, broken.userinfo.body)
	}
	if whole.claims["nonce"] != testNonce || whole.userinfo.json()["sub"] != whole.claims["sub"] {
		t.Errorf("another login was touched: %v, %s", whole.claims, whole.userinfo.body)
	}
}

// TestCloseEndsHang: neither a provider nor a test may wait for a client that waits.
func TestCloseEndsHang(t *testing.T) {
	t.Parallel()
	p, err := New(Config{Issuer: "http://idp.test", Faults: []string{"jwks_hang", "discovery_slow:10h", "authorize_hang"}})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan int)
	paths := []string{"/jwks", "/.well-known/openid-configuration", "/authorize?" + url.Values{"client_id": {"gatehouse"}, "redirect_uri": {callback}}.Encode()}
	for _, path := range paths {
		go func() {
			w := httptest.NewRecorder()
			p.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
			done <- w.Code
		}()
	}
	p.Close()
	for range paths {
		if code := <-done; code != http.StatusServiceUnavailable {
			t.Errorf("a hanging request ended with %d", code)
		}
	}
}

func TestHangEndsWithRequest(t *testing.T) {
	t.Parallel()
	p, err := New(Config{Issuer: "http://idp.test", Faults: []string{"jwks_hang"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/jwks", nil).WithContext(ctx))
	if err := ctx.Err(); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestUnknownFaultIsRefused(t *testing.T) {
	t.Parallel()
	p := newParty(t, Start(t, Config{AutoLogin: "alice"}))
	for _, fault := range []string{"no_such_fault", "discovery_500", "wrong_nonce:value"} {
		got := p.get(p.oauth.AuthCodeURL("s") + "&fault=" + fault)
		if got.status != http.StatusBadRequest || got.params != nil {
			t.Errorf("fault=%s: status %d, callback %v", fault, got.status, got.params)
		}
	}
}
