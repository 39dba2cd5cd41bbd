package mockidp

import (
	"bytes"
	"net/http"
	"strconv"
	"time"
)

// answer is a request that a fault may answer in place of the endpoint.
type answer struct {
	p     *Provider
	w     http.ResponseWriter
	r     *http.Request
	value string
}

// sends answers with a fixed body.
func sends(status int, contentType, body string, header ...string) func(answer) bool {
	return func(a answer) bool {
		for i := 0; i+1 < len(header); i += 2 {
			a.w.Header().Set(header[i], header[i+1])
		}
		writeBody(a.w, status, contentType, []byte(body))
		return true
	}
}

const (
	htmlSorry   = "<!doctype html><title>Maintenance</title><h1>We will be right back</h1><script>alert(1)</script>"
	garbageBody = "{\"access_token\": \x00\xff\xfe not json ]]"
)

// huge sends a well-formed JSON document that is far too long.
func huge(a answer) bool {
	a.w.Header().Set("Content-Type", "application/json")
	a.w.WriteHeader(http.StatusOK)
	chunk := bytes.Repeat([]byte("A"), 64<<10)
	_, err := a.w.Write([]byte(`{"padding":"`))
	for sent := 0; err == nil && sent < a.p.cfg.HugeSize; sent += len(chunk) {
		_, err = a.w.Write(chunk) // an error is a client that had enough
	}
	if err == nil {
		_, _ = a.w.Write([]byte(`"}`))
	}
	return true
}

// slow waits, then lets the endpoint answer as usual.
func slow(a answer) bool {
	wait := a.p.cfg.SlowDelay
	if d, err := time.ParseDuration(a.value); err == nil {
		wait = d
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return false
	case <-a.r.Context().Done():
	case <-a.p.closed:
	}
	return gone(a)
}

// hang answers nothing until the client gives up or the provider closes.
func hang(a answer) bool {
	select {
	case <-a.r.Context().Done():
	case <-a.p.closed:
	}
	return gone(a)
}

// gone ends a request whose client left or whose provider closes.
func gone(a answer) bool {
	a.w.WriteHeader(http.StatusServiceUnavailable)
	return true
}

// drip sends the headers and then never finishes the body.
func drip(a answer) bool {
	a.w.Header().Set("Content-Type", "application/json")
	a.w.WriteHeader(http.StatusOK)
	_, _ = a.w.Write([]byte(`{"access_token":"`))
	_ = http.NewResponseController(a.w).Flush() // a writer that cannot flush drips nothing
	select {
	case <-a.r.Context().Done():
	case <-a.p.closed:
	}
	return true
}

// redirects sends the client elsewhere: the value, by default a metadata service.
func redirects(status int) func(answer) bool {
	return func(a answer) bool {
		a.w.Header().Set("Location", a.value)
		a.w.WriteHeader(status)
		return true
	}
}

// cuts promises more than it sends and drops the connection.
func cuts(a answer) bool {
	a.w.Header().Set("Content-Type", "application/json")
	a.w.Header().Set("Content-Length", strconv.Itoa(4096))
	a.w.WriteHeader(http.StatusOK)
	_, _ = a.w.Write([]byte(`{"access_token":"`))
	return true
}

// internalURL is what nothing may ever call: the metadata service of clouds.
const internalURL = "http://169.254.169.254/latest/meta-data/"
