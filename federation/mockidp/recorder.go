package mockidp

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Requests is what came in at the protocol's endpoints.
type Requests struct {
	// Counts per endpoint: discovery, jwks, authorize, pushed_authorization, login, token,
	// userinfo, introspect, revoke, logout; profile and profile_link where the shape has them.
	Counts map[string]int `json:"counts"`
	// Recent requests, oldest first, at most 256.
	Recent []Request `json:"recent"`
}

// Of are the recent requests of one endpoint.
func (r Requests) Of(endpoint string) []Request {
	var of []Request
	for _, q := range r.Recent {
		if q.Endpoint == endpoint {
			of = append(of, q)
		}
	}
	return of
}

// Request is one request, without its secrets.
type Request struct {
	Time     time.Time `json:"time"`
	Endpoint string    `json:"endpoint"`
	Method   string    `json:"method"`
	// Query and Form parameters apart, so that a test sees which way was used. Values
	// of secrets are "***".
	Query map[string][]string `json:"query,omitempty"`
	Form  map[string][]string `json:"form,omitempty"`
	// Header are the X- headers.
	Header map[string][]string `json:"header,omitempty"`
	// Authorization is the header's scheme: "Basic", "Bearer" or "".
	Authorization string `json:"authorization,omitempty"`
	ContentType   string `json:"content_type,omitempty"`
	Accept        string `json:"accept,omitempty"`
	UserAgent     string `json:"user_agent,omitempty"`
}

// Param is the first value of a query or form parameter.
func (r Request) Param(name string) string {
	for _, vs := range [][]string{r.Query[name], r.Form[name]} {
		if len(vs) > 0 {
			return vs[0]
		}
	}
	return ""
}

const (
	maxRecorded = 256
	maxValue    = 1024 // bytes of one recorded value
	hidden      = "***"
)

// recorder keeps the last requests in a ring of fixed size.
type recorder struct {
	mu     sync.Mutex
	counts map[string]int
	ring   []Request
	next   int
	// hide are parameters that hold secrets under names of the provider's shape.
	hide []string
}

func newRecorder(hide ...string) *recorder {
	return &recorder{counts: map[string]int{}, ring: make([]Request, 0, maxRecorded), hide: hide}
}

// add records a request whose form is parsed.
func (l *recorder) add(now time.Time, endpoint string, r *http.Request) {
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	q := Request{
		Time: now, Endpoint: endpoint, Method: r.Method, Form: l.withoutSecrets(r.PostForm),
		Authorization: cut(scheme), ContentType: cut(r.Header.Get("Content-Type")), Accept: cut(r.Header.Get("Accept")),
		UserAgent: cut(r.Header.Get("User-Agent")),
	}
	if r.URL.RawQuery != "" {
		q.Query = l.withoutSecrets(r.URL.Query())
	}
	extra := map[string][]string{}
	for name, values := range r.Header {
		if strings.HasPrefix(name, "X-") {
			extra[name] = values
		}
	}
	q.Header = l.withoutSecrets(extra)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts[endpoint]++
	if len(l.ring) < maxRecorded {
		l.ring = append(l.ring, q)
		return
	}
	l.ring[l.next] = q
	l.next = (l.next + 1) % maxRecorded
}

func (l *recorder) withoutSecrets(v map[string][]string) map[string][]string {
	if len(v) == 0 {
		return nil
	}
	out := make(map[string][]string, len(v))
	for name, values := range v {
		kept := make([]string, len(values))
		for i, value := range values {
			if kept[i] = cut(value); (isSecret(name) || slices.Contains(l.hide, name)) && value != "" {
				kept[i] = hidden
			}
		}
		out[name] = kept
	}
	return out
}

func isSecret(name string) bool {
	switch name {
	case "client_secret", "client_assertion", "code", "code_verifier", "refresh_token", "access_token", "token",
		"id_token_hint", "password", "assertion", "tx":
		return true
	}
	return false
}

func cut(s string) string { return s[:min(len(s), maxValue)] }

func (l *recorder) snapshot() Requests {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Requests{Counts: maps.Clone(l.counts), Recent: slices.Concat(l.ring[l.next:], l.ring[:l.next])}
}

func (l *recorder) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.counts)
	l.ring, l.next = l.ring[:0], 0
}
