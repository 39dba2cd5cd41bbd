package broker

import (
	"testing"

	"gatehouse/store"
)

func TestR_RedirectURIMatching(t *testing.T) {
	t.Parallel()
	native := store.Client{Type: store.ClientNative, RedirectURIs: []string{
		"http://127.0.0.1/cb", "http://[::1]/cb", "com.example.app:/cb", "https://127.0.0.1/tls", "http://127.0.0.1:7000/fixed", "http://127.0.0.1/a%2Fb",
	}}
	web := store.Client{Type: store.ClientWeb, RedirectURIs: []string{"https://c/cb", "http://127.0.0.1/cb"}}
	for _, c := range []struct {
		id     string
		client store.Client
		uri    string
		want   bool
	}{
		{"R1", web, "https://c/cb", true},
		{"R1", web, "https://c/cb/", false},
		{"R1", web, "https://c/cb?x=1", false},
		{"R1", web, "https://c/cb#f", false},
		{"R1", web, "https://c/cb#", false},
		{"R1", web, "https://C/cb", false},
		{"R1", web, "HTTPS://c/cb", false},
		{"R1", web, "https://c:443/cb", false},
		{"R1", web, "https://c/%63b", false},
		{"R1", web, "https://c/cb/../x", false},
		{"R1", web, "https://c/./cb", false},
		{"R1", web, " https://c/cb", false},
		{"R1", web, "https://c/cb\r\n", false},
		{"R1", web, "https://c@evil/cb", false},
		{"R1", web, `https://c\@evil/cb`, false},
		{"R1", web, "https://c.evil/cb", false},
		{"R1", web, "", false},
		{"R2", web, "https%3A%2F%2Fc%2Fcb", false},
		{"R3", native, "http://127.0.0.1/cb", true},
		{"R3", native, "http://127.0.0.1:1/cb", true},
		{"R3", native, "http://127.0.0.1:65535/cb", true},
		{"R3", native, "http://[::1]:5000/cb", true},
		{"R3", native, "http://127.0.0.1:9/fixed", true},
		{"R4", native, "http://127.0.0.1:5000/cb?x=1", false},
		{"R4", native, "http://127.0.0.1:5000/cb#", false},
		{"R4", native, "http://u:p@127.0.0.1:5000/cb", false},
		{"R4", native, "http://127.0.0.1:0/cb", false},
		{"R4", native, "http://127.0.0.1:99999/cb", false},
		{"R4", native, "http://127.0.0.1:080/cb", false},
		{"R4", native, "http://127.0.0.1:/cb", false},
		{"R4", native, "http://127.0.0.1:5000/a/b", false},
		{"R4", native, "http://127.0.0.1:5000/a%2Fb", true},
		{"R4", native, "http://127.0.0.1:5000/a%2fb", false},
		{"R4", native, "HTTP://127.0.0.1:5000/cb", false},
		{"R4", native, "http://127.0.0.1:5000", false},
		{"R4", native, "http://127.0.0.1:5000@evil/cb", false},
		{"R5", native, "http://127.0.0.1:5555/tls", false},
		{"R5", native, "https://127.0.0.1:5555/tls", false},
		{"R6", native, "http://127.0.0.2:5000/cb", false},
		{"R6", native, "http://0.0.0.0:5000/cb", false},
		{"R6", native, "http://2130706433:5000/cb", false},
		{"R6", native, "http://0x7f.1:5000/cb", false},
		{"R6", native, "http://[::ffff:127.0.0.1]:5000/cb", false},
		{"R6", native, "http://[0:0:0:0:0:0:0:1]:5000/cb", false},
		{"R6", native, "http://localhost:5000/cb", false},
		{"R6", native, "http://localhost.:5000/cb", false},
		{"R6", native, "http://x.localhost:5000/cb", false},
		{"R6", native, "http://127.0.0.1.evil.test/cb", false},
		{"R7", web, "http://127.0.0.1:5000/cb", false},
		{"R7", web, "http://127.0.0.1/cb", true},
		{"R9", native, "com.example.app:/cb", true},
		{"R9", native, "com.example.app://cb", false},
		{"R9", native, "COM.example.app:/cb", false},
	} {
		if got := matchRedirectURI(c.client, c.uri); got != c.want {
			t.Errorf("%s %q: got %v, want %v", c.id, c.uri, got, c.want)
		}
	}
}

// What the matcher accepts is a registered URI, byte for byte, or one up to the
// port of a registered loopback address.
func FuzzR_RedirectURI(f *testing.F) {
	f.Add("http://127.0.0.1:5000/cb")
	f.Add("http://127.0.0.1:5000@evil/cb")
	c := store.Client{Type: store.ClientNative, RedirectURIs: []string{"http://127.0.0.1/cb", "https://c/cb"}}
	f.Fuzz(func(t *testing.T, uri string) {
		if !matchRedirectURI(c, uri) || uri == "https://c/cb" {
			return
		}
		const head, tail = "http://127.0.0.1", "/cb"
		if len(uri) < len(head)+len(tail) || uri[:len(head)] != head || uri[len(uri)-len(tail):] != tail {
			t.Fatalf("accepted %q", uri)
		}
		port := uri[len(head) : len(uri)-len(tail)]
		for i, ch := range port {
			if (i == 0) != (ch == ':') || (i > 0 && (ch < '0' || ch > '9')) {
				t.Fatalf("accepted %q", uri)
			}
		}
	})
}
