package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
)

// company is an organization with one connection to a mock provider of its own.
type company struct {
	name, issuer string
	idp          *exec.Cmd
}

func (c *company) domain() string { return c.name + ".test" }

// newCompany starts a provider of a shape and sets up what leads to it.
// connection holds the fields beside the usual ones; it gets the issuer.
func (w *world) newCompany(name, shape string, connection func(issuer string) map[string]any) (*company, error) {
	c := &company{name: name}
	var line string
	var err error
	if c.idp, line, err = w.provider(name, "127.0.0.1:0", "domain: "+c.domain()+"\n"+shape); err != nil {
		return nil, err
	}
	w.companies = append(w.companies, c)
	for _, word := range strings.Fields(line) {
		if strings.HasPrefix(word, "http://") {
			c.issuer = word
		}
	}
	if c.issuer == "" {
		return nil, errors.New("the mock provider does not say where it is: " + line)
	}
	fields := map[string]any{
		"id": name, "organization": name, "kind": "oidc", "title": name, "domains": []string{c.domain()}, "issuer": c.issuer,
		"client_id": "gatehouse", "client_secret": "mock-secret", "allow_private_network": true,
	}
	for k, v := range connection(c.issuer) {
		fields[k] = v
	}
	return c, errors.Join(
		w.post("/organizations", map[string]any{"id": name, "title": name, "join": "automatic"}),
		w.post("/organizations/"+name+"/domains", map[string]any{"name": c.domain(), "asserted": true}),
		w.post("/connections", fields),
	)
}

// post creates something through the admin API.
func (w *world) post(path string, body map[string]any) error {
	return send(http.MethodPost, w.admin+"/api/v1"+path, w.apiToken, body, nil)
}

// requests is what came in at the company's provider from us since the last
// call, by endpoint. Authorize requests are browsers'.
func (c *company) requests() (map[string]int, error) {
	var answer struct {
		Counts map[string]int `json:"counts"`
	}
	if err := send(http.MethodGet, c.issuer+"/mock/requests", "", nil, &answer); err != nil {
		return nil, err
	}
	delete(answer.Counts, "authorize")
	return answer.Counts, send(http.MethodDelete, c.issuer+"/mock/requests", "", nil, nil)
}

// send makes a request with a JSON body and reads the answer, which may be nil.
func send(method, url, token string, body, answer any) error {
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(raw)
	}
	req, err := http.NewRequest(method, url, content)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case resp.StatusCode >= 300:
		return fmt.Errorf("%s %s: %d %s", method, req.URL.Path, resp.StatusCode, raw)
	case answer == nil:
		return nil
	}
	return json.Unmarshal(raw, answer)
}
