package federation

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"gatehouse/store"
)

func TestH1_Addresses(t *testing.T) {
	t.Parallel()
	for _, a := range []string{
		"127.0.0.1", "127.255.255.255", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "169.254.169.254", "100.64.0.1", "100.127.255.255",
		"0.0.0.0", "0.1.2.3", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "192.88.99.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
		"::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00::1", "fec0::1", "ff02::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
		"64:ff9b::7f00:1", "64:ff9b:1::1", "2001::1", "2001:db8::1", "2002:7f00:1::1", "3fff::1", "100::1", "5f00::1",
	} {
		ip := netip.MustParseAddr(a)
		if (NetworkPolicy{}).permits("idp.example", ip, reachPublic) || loopback().permits("idp.example", ip, reachPublic) {
			t.Errorf("%s is permitted to a connection without AllowPrivateNetwork", a)
		}
		want := ip.Unmap().WithZone("") == netip.MustParseAddr("127.0.0.1") || a == "127.255.255.255" || a == "::1"
		if got := loopback().permits("idp.example", ip, reachPublicOrListed); got != want {
			t.Errorf("%s with loopback listed: %v, want %v", a, got, want)
		}
	}
	for _, a := range []string{"8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1", "::ffff:8.8.8.8"} {
		ip := netip.MustParseAddr(a)
		if !(NetworkPolicy{}).permits("idp.example", ip, reachPublic) {
			t.Errorf("public %s is refused", a)
		}
		if loopback().permits("idp.example", ip, reachListed) {
			t.Errorf("plain http to public %s is permitted", a)
		}
	}
	// A listed name may be private, never the metadata service; nothing opens
	// multicast or the unspecified address.
	p := NetworkPolicy{Hosts: []string{"idp.corp.example"}, Prefixes: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}}
	for a, want := range map[string]bool{"224.0.0.1": false, "0.0.0.0": false, "::": false, "ff02::1": false, "10.0.0.1": true} {
		if got := p.permits("x", netip.MustParseAddr(a), reachPublicOrListed); got != want {
			t.Errorf("%s with everything listed: %v, want %v", a, got, want)
		}
	}
	p.Prefixes = nil
	for a, want := range map[string]bool{"10.0.0.1": true, "169.254.169.254": false, "fe80::1": false} {
		if got := p.permits("IDP.corp.example.", netip.MustParseAddr(a), reachListed); got != want {
			t.Errorf("listed name at %s: %v, want %v", a, got, want)
		}
	}
}

func TestH1_URLs(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"http://idp.example/x", "HTTP://idp.example/x", "ftp://idp.example/", "file:///etc/passwd", "gopher://x/", "javascript:alert(1)", "//idp.example/x", "/x", "",
		"https://", "https:///x", "https://u:p@idp.example/", "https://u@idp.example/", "https://idp.example/#f", "https://idp.example/#", "https:idp.example", "https://idp.example:/",
		"https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/", "https://169.254.169.254/latest/meta-data/", "https://[fd00::1]/", "https://[::ffff:10.0.0.1]/", "https://0.0.0.0/", "https://[fe80::1%25eth0]/",
	} {
		if _, _, err := (NetworkPolicy{}).reachOf(raw, true); err == nil {
			t.Errorf("%q is allowed", raw)
		}
		if _, _, err := loopback().reachOf(raw, false); err == nil {
			t.Errorf("%q is allowed although the connection may not use the operator's list", raw)
		}
	}
	for raw, want := range map[string]reach{
		"https://idp.example/x": reachPublicOrListed, "http://localhost:9101/x": reachListed, "http://127.0.0.1:9101": reachListed, "https://127.0.0.1": reachPublicOrListed,
	} {
		if _, got, err := loopback().reachOf(raw, true); err != nil || got != want {
			t.Errorf("%q: reach %v, %v, want %v", raw, got, err, want)
		}
	}
}

// The names that only a resolver understands are stopped at the dial, whatever
// they looked like before: numbers, localhost, a name that points inside (H2).
func TestH2_CheckedAtDial(t *testing.T) {
	t.Parallel()
	var hits atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	t.Cleanup(srv.Close)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(srv.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	f := newFederation(t, Config{})
	for _, host := range []string{"localhost", "127.0.0.1", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433", "0x7f.1"} {
		conn := connectionTo("https://idp.example")
		conn.AllowPrivateNetwork = false
		_, err := f.do(context.Background(), &conn, f.upstream(&conn), request{endpoint: "jwks", method: http.MethodGet, url: "https://" + host + ":" + port})
		switch c := code(err); {
		case host == "localhost" && c != CodeAddressRefused:
			t.Errorf("%s: %v, want %s", host, err, CodeAddressRefused)
		case c != CodeAddressRefused && c != CodeURLRefused && c != CodeUnreachable:
			t.Errorf("%s: %v, want a refusal", host, err)
		}
	}
	// A pooled connection of one that may is not lent to one that may not.
	allowed, denied := connectionTo(srv.URL), connectionTo(srv.URL)
	denied.ID, denied.AllowPrivateNetwork = "denied", false
	if _, err := f.do(context.Background(), &allowed, f.upstream(&allowed), request{endpoint: "jwks", method: http.MethodGet, url: srv.URL}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.do(context.Background(), &denied, f.upstream(&denied), request{endpoint: "jwks", method: http.MethodGet, url: srv.URL}); err == nil {
		t.Error("a connection without AllowPrivateNetwork reached loopback")
	}
	if n := hits.Load(); n != 1 {
		t.Errorf("%d requests arrived, want 1", n)
	}
}

func TestH2_ProxyOfTheEnvironmentIsNotUsed(t *testing.T) {
	t.Parallel()
	for _, tr := range newClient(loopback(), nil).transports {
		if tr.Proxy != nil {
			t.Error("a transport has a proxy")
		}
	}
}

// H4, H6: URLs are configuration. A placeholder in one is refused at save, and
// nothing of a token or session is ever put into one.
func TestH6_PlaceholdersInURLs(t *testing.T) {
	t.Parallel()
	f := newFederation(t, Config{})
	for _, u := range []string{"https://{tenant}.idp.example/authorize", "https://idp.example/${token}", "https://idp.example/<sub>", "https://idp.example/a b"} {
		conn := connectionTo("https://idp.example")
		conn.Endpoints.Token = u
		if got := paths(f.CheckConnection(&conn)); len(got) != 1 || got[0] != "endpoints.token" {
			t.Errorf("%q: faults at %v, want endpoints.token", u, got)
		}
	}
}

func TestH4_BearerStaysWithTheConfiguredOrigin(t *testing.T) {
	t.Parallel()
	f := newFederation(t, Config{})
	conn := connectionTo("https://idp.acme.test")
	doc := map[string]any{
		"issuer": "https://idp.acme.test", "authorization_endpoint": "https://idp.acme.test/a", "token_endpoint": "https://idp.acme.test/t",
		"jwks_uri": "https://idp.acme.test/k", "userinfo_endpoint": "https://collector.example/u",
	}
	_, err := f.readDiscovery(&conn, doc)
	wantCode(t, err, CodeDiscoveryEndpoint)
}

func TestM6_EndpointsLiveWithTheIssuer(t *testing.T) {
	t.Parallel()
	f := newFederation(t, Config{})
	for _, c := range []struct {
		issuer, token string
		want          bool
	}{
		{"https://idp.acme.test", "https://idp.acme.test/t", true},
		{"https://idp.acme.test", "https://login.acme.test/t", true},
		{"https://idp.acme.test", "https://IDP.ACME.test:8443/t", true},
		{"https://acme.co.uk", "https://login.acme.co.uk/t", true},
		{"https://acme.co.uk", "https://evil.co.uk/t", false},
		{"https://acme.github.io", "https://evil.github.io/t", false},
		{"https://idp.acme.test", "https://idp.acme.test.evil.example/t", false},
		{"https://idp.acme.test", "https://evilacme.test/t", false},
		{"https://idp.acme.test", "http://idp.acme.test@evil.example/t", false},
		{"https://idp.acme.test", "ftp://idp.acme.test/t", false},
		{"http://127.0.0.1:1001", "http://127.0.0.1:1001/t", true},
		{"http://127.0.0.1:1001", "http://127.0.0.1:1002/t", false},
		{"http://localhost:1001", "http://localhost:1002/t", false},
	} {
		conn := connectionTo(c.issuer)
		if err := f.endpointFits(&conn, c.token); (err == nil) != c.want {
			t.Errorf("issuer %s, token endpoint %s: %v, want fit %v", c.issuer, c.token, err, c.want)
		}
		// Named on the connection by its admin, it is taken.
		conn.Endpoints = store.Endpoints{Token: "https://elsewhere.example/t"}
		base := strings.TrimSuffix(c.issuer, "/")
		md, err := f.readDiscovery(&conn, map[string]any{
			"issuer": c.issuer, "authorization_endpoint": base + "/a", "token_endpoint": c.token, "jwks_uri": base + "/k", "userinfo_endpoint": base + "/u",
		})
		if err != nil || md.token != "https://elsewhere.example/t" {
			t.Errorf("overridden endpoint: %+v, %v", md, err)
		}
	}
}

func TestM7_SaysWhatDiffers(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		"https://idp.acme.test/":             "slash",
		"https://IDP.acme.test":              "case",
		"http://idp.acme.test":               "scheme",
		"https://idp.acme.test:443":          "port",
		"https://idp.acme.test/x":            "path",
		"https://login.example/{tenantid}/v": "placeholder",
		"https://evil.example":               "different",
	} {
		if s := issuerDifference("https://idp.acme.test", got); !strings.Contains(s, want) {
			t.Errorf("%s: %q does not speak of the %s", got, s, want)
		}
	}
}

func TestParseNetworkPolicy(t *testing.T) {
	t.Parallel()
	p, err := ParseNetworkPolicy([]string{"127.0.0.0/8", "::1", "IdP.corp.example."})
	if err != nil || len(p.Prefixes) != 2 || len(p.Hosts) != 1 || p.Hosts[0] != "idp.corp.example" {
		t.Errorf("got %+v, %v", p, err)
	}
	for _, bad := range []string{"", "10.0.0.1/8", "https://x", "*.corp.example", "a b", "host:80"} {
		if _, err := ParseNetworkPolicy([]string{bad}); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestManualEndpoints_NeedNoDiscovery(t *testing.T) {
	t.Parallel()
	f := newFederation(t, Config{})
	conn := connectionTo("https://idp.acme.test")
	conn.Endpoints = store.Endpoints{Authorize: "https://a.example/a?tenant=1&response_type=token", Token: "https://t.example/t", JWKS: "https://k.example/k", Userinfo: "https://u.example/u"}
	d, err := f.Depart(t.Context(), conn, DepartRequest{Tx: "t"})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(d.URL)
	if err != nil || u.Host != "a.example" || u.Query().Get("tenant") != "1" || u.Query().Get("response_type") != "code" {
		t.Errorf("departure %s, %v", d.URL, err)
	}
}
