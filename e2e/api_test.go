package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"
)

// api is the admin API with an API token.
type api struct {
	t     testing.TB
	base  string
	token string
	http  *http.Client
}

func (w *world) api(t testing.TB) *api {
	t.Helper()
	return &api{t: t, base: w.Admin + "/api/v1", token: w.APIToken, http: &http.Client{
		Timeout: 60 * time.Second, Transport: watching{w.secrets, http.DefaultTransport},
	}}
}

// call sends a request and gives the answer's JSON; want is the status it must have.
func (a *api) call(want int, method, path string, body any) map[string]any {
	a.t.Helper()
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			a.t.Fatal(err)
		}
		content = bytes.NewReader(raw)
	}
	r, err := http.NewRequest(method, a.base+path, content)
	if err != nil {
		a.t.Fatal(err)
	}
	if a.token != "" { // else a console session's cookie
		r.Header.Set("Authorization", "Bearer "+a.token)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := a.http.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	if resp.StatusCode != want {
		a.t.Fatalf("%s %s: got %d %s, want %d", method, path, resp.StatusCode, raw, want)
	}
	var doc map[string]any
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &doc); err != nil {
			a.t.Fatalf("%s %s: %v", method, path, err)
		}
	}
	return doc
}

// createClient registers a client and gives its secret.
func (a *api) createClient(fields map[string]any) string {
	a.t.Helper()
	secret, _ := a.call(http.StatusCreated, http.MethodPost, "/clients", fields)["client_secret"].(string)
	return secret
}

// requestOf finds the pending access request of an address.
func (a *api) requestOf(email string) (id string) {
	a.t.Helper()
	for cursor := ""; ; {
		list := a.call(http.StatusOK, http.MethodGet, "/access-requests?limit=100"+cursor, nil)
		items, _ := list["items"].([]any)
		for _, item := range items {
			r := item.(map[string]any)
			if attributes, _ := r["attributes"].(map[string]any); attributes["email"] == email {
				return r["id"].(string)
			}
		}
		next, _ := list["next"].(string)
		if next == "" {
			return ""
		}
		cursor = "&cursor=" + next
	}
}

// usersCalled are the ids of users with this address. It reads every page: there
// is no search, on purpose.
func (a *api) usersCalled(email string) (ids []string) {
	a.t.Helper()
	for cursor := ""; ; {
		list := a.call(http.StatusOK, http.MethodGet, "/users?limit=100"+cursor, nil)
		items, _ := list["items"].([]any)
		for _, item := range items {
			u := item.(map[string]any)
			if attributes, _ := u["attributes"].(map[string]any); attributes["email"] == email {
				ids = append(ids, u["id"].(string))
			}
		}
		next, _ := list["next"].(string)
		if next == "" {
			return ids
		}
		cursor = "&cursor=" + next
	}
}
