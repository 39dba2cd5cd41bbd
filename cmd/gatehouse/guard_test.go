package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func prefixes(t *testing.T, list ...string) (out []netip.Prefix) {
	t.Helper()
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// echo answers with what handlers behind the guard see.
func echo(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, "ip="+addrOf(r.RemoteAddr).String()+" host="+r.Host)
	for name := range r.Header {
		if strings.HasPrefix(strings.ToLower(name), "x") || strings.Contains(strings.ToLower(name), "forwarded") {
			_, _ = io.WriteString(w, " "+name)
		}
	}
}

func TestW1_HostAndTarget(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(&guard{hosts: []string{"login.example.com"}, next: http.HandlerFunc(echo)})
	t.Cleanup(server.Close) // after the parallel cases
	address := server.Listener.Addr().String()
	for name, c := range map[string]struct {
		request string
		want    int
	}{
		"ours":            {"GET / HTTP/1.1\r\nHost: login.example.com\r\n\r\n", 200},
		"ours, shouted":   {"GET / HTTP/1.1\r\nHost: LOGIN.example.com:443\r\n\r\n", 200},
		"foreign":         {"GET / HTTP/1.1\r\nHost: evil\r\n\r\n", 421},
		"other port":      {"GET / HTTP/1.1\r\nHost: login.example.com:8443\r\n\r\n", 421},
		"suffix":          {"GET / HTTP/1.1\r\nHost: login.example.com.evil\r\n\r\n", 421},
		"trailing dot":    {"GET / HTTP/1.1\r\nHost: login.example.com.\r\n\r\n", 421},
		"none":            {"GET / HTTP/1.0\r\n\r\n", 421},
		"two":             {"GET / HTTP/1.1\r\nHost: login.example.com\r\nHost: evil\r\n\r\n", 400},
		"absolute":        {"GET http://login.example.com/ HTTP/1.1\r\nHost: login.example.com\r\n\r\n", 400},
		"absolute, evil":  {"GET http://evil/ HTTP/1.1\r\nHost: login.example.com\r\n\r\n", 400},
		"connect":         {"CONNECT evil:443 HTTP/1.1\r\nHost: login.example.com\r\n\r\n", 400},
		"two slashes":     {"GET //evil/ HTTP/1.1\r\nHost: login.example.com\r\n\r\n", 200}, // a path, not a host
		"x-forwarded":     {"GET / HTTP/1.1\r\nHost: login.example.com\r\nX-Forwarded-Host: evil\r\n\r\n", 200},
		"host in header":  {"GET / HTTP/1.1\r\nHost: evil\r\nX-Forwarded-Host: login.example.com\r\n\r\n", 421},
		"userinfo trick":  {"GET / HTTP/1.1\r\nHost: login.example.com@evil\r\n\r\n", 400},
		"smuggled length": {"POST / HTTP/1.1\r\nHost: login.example.com\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := rawStatus(t, address, c.request); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestW1_ForwardedHeadersAreGone(t *testing.T) {
	t.Parallel()
	for _, trusted := range []bool{false, true} {
		g := &guard{next: http.HandlerFunc(echo), proxy: proxyRule{header: "X-Forwarded-For"}}
		if trusted {
			g.proxy.trusted = prefixes(t, "192.0.2.1/32")
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = "192.0.2.1:1234"
		for _, name := range []string{
			"X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix", "X-Forwarded-Uri", "X-Forwarded-For", "Forwarded",
			"X_Forwarded_Host", "X-Original-Url", "X-Rewrite-Url", "X-Real-Ip", "True-Client-Ip", "Cf-Connecting-Ip",
			"X-Http-Method-Override", "X-Host", "Any_Thing",
		} {
			r.Header[name] = []string{"203.0.113.9"}
		}
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		want := "ip=192.0.2.1 host=example.com"
		if trusted {
			want = "ip=203.0.113.9 host=example.com"
		}
		if got := w.Body.String(); got != want {
			t.Errorf("trusted %v: got %q, want %q", trusted, got, want)
		}
		if len(r.Header) != 0 {
			t.Errorf("trusted %v: headers got through: %v", trusted, r.Header)
		}
	}
}

func TestW2_RightMostUntrustedHop(t *testing.T) {
	t.Parallel()
	rule := proxyRule{trusted: prefixes(t, "10.0.0.0/8", "fd00::/8"), header: "X-Forwarded-For"}
	for name, c := range map[string]struct {
		peer   string
		values []string
		want   string
	}{
		"direct":                     {"203.0.113.1", nil, "203.0.113.1"},
		"direct, lying":              {"203.0.113.1", []string{"198.51.100.7"}, "203.0.113.1"},
		"one proxy":                  {"10.0.0.1", []string{"198.51.100.7"}, "198.51.100.7"},
		"spoofed left-most":          {"10.0.0.1", []string{"127.0.0.1, 198.51.100.7"}, "198.51.100.7"},
		"spoofed as a proxy":         {"10.0.0.1", []string{"10.9.9.9, 198.51.100.7"}, "198.51.100.7"},
		"two proxies":                {"10.0.0.1", []string{"1.2.3.4, 198.51.100.7, 10.0.0.2"}, "198.51.100.7"},
		"two header lines":           {"10.0.0.1", []string{"1.2.3.4", "198.51.100.7"}, "198.51.100.7"},
		"header stripped":            {"10.0.0.1", nil, "10.0.0.1"}, // Connection: X-Forwarded-For
		"empty":                      {"10.0.0.1", []string{""}, "10.0.0.1"},
		"garbage at the right":       {"10.0.0.1", []string{"198.51.100.7, evil"}, "10.0.0.1"},
		"garbage further left":       {"10.0.0.1", []string{"evil, 198.51.100.7"}, "198.51.100.7"},
		"with port":                  {"10.0.0.1", []string{"198.51.100.7:4711"}, "198.51.100.7"},
		"IPv6":                       {"fd00::1", []string{"2001:db8::7"}, "2001:db8::7"},
		"IPv6 with port":             {"fd00::1", []string{"[2001:db8::7]:4711"}, "2001:db8::7"},
		"IPv6 in brackets":           {"fd00::1", []string{"[2001:db8::7]"}, "2001:db8::7"},
		"IPv4 in IPv6":               {"10.0.0.1", []string{"::ffff:198.51.100.7"}, "198.51.100.7"},
		"a proxy as IPv4 in IPv6":    {"::ffff:10.0.0.1", []string{"198.51.100.7"}, "198.51.100.7"},
		"zone":                       {"10.0.0.1", []string{"fe80::1%eth0"}, "10.0.0.1"},
		"only proxies":               {"10.0.0.1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"decimal and other spelling": {"10.0.0.1", []string{"3325256711"}, "10.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := rule.client(netip.MustParseAddr(c.peer).Unmap(), c.values)
			if got.String() != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestW12_PlainRequestsComeThroughTheProxyOnly(t *testing.T) {
	t.Parallel()
	g := &guard{
		next: http.HandlerFunc(echo), onlyProxies: true,
		proxy: proxyRule{trusted: prefixes(t, "10.0.0.0/8"), header: "X-Forwarded-For"},
	}
	for peer, want := range map[string]int{"10.0.0.1:1": 200, "203.0.113.1:1": 403, "127.0.0.1:1": 403} {
		r := httptest.NewRequest(http.MethodPost, "/oauth2/token", nil)
		r.RemoteAddr = peer
		r.Header.Set("X-Forwarded-For", "10.0.0.1") // does not make a proxy of anyone
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		if w.Code != want || w.Header().Get("Location") != "" {
			t.Errorf("%s: got %d, want %d without redirect", peer, w.Code, want)
		}
	}
}

func FuzzClientAddress(f *testing.F) {
	f.Add("10.0.0.1, 198.51.100.7:80,[2001:db8::1]:1")
	f.Add(",,,%eth0]")
	trusted := netip.MustParsePrefix("10.0.0.0/8")
	rule := proxyRule{trusted: []netip.Prefix{trusted}, header: "X-Forwarded-For"}
	f.Fuzz(func(t *testing.T, header string) {
		stranger := netip.MustParseAddr("203.0.113.1")
		if got := rule.client(stranger, []string{header}); got != stranger {
			t.Errorf("a stranger became %s by sending %q", got, header)
		}
		// Whatever a client sends, the hop the proxy appends decides.
		if got := rule.client(trusted.Addr().Next(), []string{header, stranger.String()}); got != stranger {
			t.Errorf("a client became %s by sending %q", got, header)
		}
	})
}
