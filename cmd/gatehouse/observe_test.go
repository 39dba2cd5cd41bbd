package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestFT24_PanicBecomesAPage(t *testing.T) {
	t.Parallel()
	o, log := newObserver(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Set-Cookie", "half=done")
		panic(errors.New("index out of range"))
	}))
	server := httptest.NewServer(o)
	defer server.Close()
	for range 2 { // the process lives on
		status, body, header := get(t, server.URL+"/x?code=secret")
		id := header.Get(requestIDHeader)
		if status != 500 || id == "" || !strings.Contains(body, id) {
			t.Errorf("got %d %q, want 500 with the request id %q", status, body, id)
		}
		if strings.Contains(body, "index") || strings.Contains(body, ".go") || header.Get("Set-Cookie") != "" {
			t.Errorf("the page tells too much: %q %v", body, header)
		}
		if !strings.Contains(log.String(), id) || !strings.Contains(log.String(), "observe_test.go") {
			t.Errorf("the log lacks id or stack: %s", log)
		}
	}
}

func TestFT24_PanicInMidAnswerCutsTheConnection(t *testing.T) {
	t.Parallel()
	o, log := newObserver(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		panic("late")
	}))
	server := httptest.NewServer(o)
	defer server.Close()
	res, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if body, err := io.ReadAll(res.Body); err == nil {
		t.Errorf("got a whole answer %q, want a broken one", body)
	}
	if !strings.Contains(log.String(), `"panic":"late"`) {
		t.Errorf("not logged: %s", log)
	}
}

func TestZ1_LogLineHoldsNoSecret(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /form/{token}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	o, log := newObserver(mux)
	r := httptest.NewRequest(http.MethodPost, "/form/CANARY-path?code=CANARY-query", strings.NewReader("password=CANARY-body"))
	r.Header.Set("Cookie", "s=CANARY-cookie")
	r.Header.Set("Authorization", "Bearer CANARY-bearer")
	r.Header.Set("Referer", "https://app/?code=CANARY-referer")
	r.Header.Set(requestIDHeader, "CANARY-id")
	r.RemoteAddr = "192.0.2.7:1"
	w := httptest.NewRecorder()
	o.ServeHTTP(w, r)
	if strings.Contains(log.String(), "CANARY") {
		t.Errorf("the log holds a secret: %s", log)
	}
	var line map[string]any
	if err := json.Unmarshal([]byte(log.String()), &line); err != nil {
		t.Fatalf("not one line of JSON: %v\n%s", err, log)
	}
	for name, want := range map[string]any{
		"method": "POST", "path": "/form/{token}", "status": 418.0, "ip": "192.0.2.7", "request_id": w.Header().Get(requestIDHeader),
	} {
		if line[name] != want {
			t.Errorf("%s: got %v, want %v", name, line[name], want)
		}
	}
}

func TestLogCannotBeForged(t *testing.T) {
	t.Parallel()
	o, log := newObserver(http.NotFoundHandler())
	r := httptest.NewRequest(http.MethodGet, "/a%0a%7b%22level%22:%22ERROR%22%7d"+strings.Repeat("x", 5000), nil)
	r.Header.Set(requestIDHeader, "mine")
	o.ServeHTTP(httptest.NewRecorder(), r)
	if got := strings.Count(log.String(), "\n"); got != 1 {
		t.Errorf("got %d lines, want 1", got)
	}
	if len(log.String()) > 600 || strings.Contains(log.String(), "mine") {
		t.Errorf("got %s", log)
	}
	if r.Header.Get(requestIDHeader) == "mine" {
		t.Error("handlers see the caller's request id")
	}
}

// TestW11_HeadersOnEveryAnswer goes through the real stack, errors included.
func TestW11_HeadersOnEveryAnswer(t *testing.T) {
	t.Parallel()
	p, state := startDev(t, t.TempDir())
	host := strings.TrimPrefix(state.Issuer, "http://")
	adminHost := strings.TrimPrefix(state.Admin, "http://")
	check := func(name string, header http.Header) {
		t.Helper()
		for _, want := range []string{
			"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy",
			"Cross-Origin-Opener-Policy", "X-Frame-Options", "Cache-Control", requestIDHeader,
		} {
			if len(header[want]) != 1 {
				t.Errorf("%s: %s is %q", name, want, header[want])
			}
		}
		if csp := header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %q", name, csp)
		}
	}
	for _, base := range []string{state.Issuer, state.Admin} {
		for _, path := range []string{
			"/", "/nothing", "/login", "/oauth2/authorize", "/oauth2/token", "/oauth2/jwks",
			"/.well-known/openid-configuration", "/signed-out", "/healthz", "/metrics", "/api/v1/users", "/oauth2/../x",
		} {
			_, _, header := get(t, base+path)
			check(base+path, header)
		}
	}
	for _, address := range []string{host, adminHost} {
		for _, request := range []string{
			"GET / HTTP/1.1\r\nHost: evil\r\n\r\n",
			"GET http://evil/ HTTP/1.1\r\nHost: " + address + "\r\n\r\n",
			"TRACE / HTTP/1.1\r\nHost: " + address + "\r\n\r\n",
			"OPTIONS * HTTP/1.1\r\nHost: " + address + "\r\n\r\n",
			"DELETE /oauth2/token HTTP/1.1\r\nHost: " + address + "\r\n\r\n",
		} {
			check(request, raw(t, address, request).Header)
		}
	}
	p.stop()
}
