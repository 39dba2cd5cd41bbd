package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"index/suffixarray"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// secrets are the canaries: every value seen on the wire that must never be
// seen in a log, a metric or a file (SECURITY-CASES Z1).
type secrets struct {
	mu   sync.Mutex
	seen map[string]string // value → what it is
}

func newSecrets() *secrets { return &secrets{seen: map[string]string{}} }

// add keeps a value long enough to be found by nothing but itself.
func (s *secrets) add(what, value string) {
	if len(value) < 16 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[value] = what
}

// secretParameters are secret in a query, a form and a JSON document alike.
func secretParameters() []string {
	return []string{
		"code", "state", "nonce", "code_verifier", "access_token", "refresh_token", "id_token", "id_token_hint",
		"token", "client_secret", "csrf", "password", "secret",
	}
}

func (s *secrets) values(v url.Values) {
	for _, name := range secretParameters() {
		for _, value := range v[name] {
			s.add(name, value)
		}
	}
}

// watching is a transport that remembers every secret going by.
type watching struct {
	secrets *secrets
	next    http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (w watching) RoundTrip(r *http.Request) (*http.Response, error) {
	w.secrets.values(r.URL.Query())
	if _, credential, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok {
		w.secrets.add("Authorization", credential)
	}
	if r.Body != nil && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if v, err := url.ParseQuery(string(body)); err == nil {
			w.secrets.values(v)
		}
	}
	resp, err := w.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	for _, c := range resp.Cookies() {
		w.secrets.add("cookie "+c.Name, c.Value)
	}
	if u, err := url.Parse(resp.Header.Get("Location")); err == nil {
		w.secrets.values(u.Query())
	}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, err
		}
		_ = resp.Body.Close()
		resp.Body = io.NopCloser(bytes.NewReader(body))
		var doc map[string]any
		if json.Unmarshal(body, &doc) == nil {
			for _, name := range secretParameters() {
				if value, ok := doc[name].(string); ok {
					w.secrets.add(name, value)
				}
			}
		}
	}
	return resp, nil
}

// leaks looks for every secret in what the process printed and in the files it
// wrote, dev.json and the sealed data excepted.
func (w *world) leaks() []string {
	texts := map[string][]byte{
		"standard error":  []byte(w.proc.stderr.String()),
		"standard output": []byte(w.screenWithoutCredentials()),
	}
	if logs, err := os.ReadFile(filepath.Join(w.Data, "gatehouse.log")); err == nil {
		texts["gatehouse.log"] = logs
	}
	return w.secrets.foundIn(texts)
}

// screenWithoutCredentials is what dev printed without the credentials it is
// there to print.
func (w *world) screenWithoutCredentials() string {
	text := w.proc.stdout.String()
	for _, c := range w.Clients {
		if c.Secret != "" {
			text = strings.ReplaceAll(text, c.Secret, "")
		}
	}
	return strings.NewReplacer(w.Owner.Password, "", w.APIToken, "").Replace(text)
}

// only are the secrets of some kinds: names of parameters, "cookie" for all.
func (s *secrets) only(kinds ...string) *secrets {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := newSecrets()
	for value, what := range s.seen {
		first, _, _ := strings.Cut(what, " ")
		if slices.Contains(kinds, first) {
			out.seen[value] = what
		}
	}
	return out
}

func (s *secrets) foundIn(texts map[string][]byte) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []string
	for name, text := range texts {
		index := suffixarray.New(text)
		for value, what := range s.seen {
			for _, form := range []string{value, url.QueryEscape(value)} {
				if at := index.Lookup([]byte(form), 1); len(at) > 0 {
					line := text[bytes.LastIndexByte(text[:at[0]], '\n')+1:]
					line, _, _ = bytes.Cut(line, []byte("\n"))
					found = append(found, fmt.Sprintf("%s is in %s: %.600s", what, name, line))
					break
				}
			}
		}
	}
	return found
}
