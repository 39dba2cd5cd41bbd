package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// visitor is a browser that follows redirects, as the company's IT person has.
type visitor struct {
	t *testing.T
	c *http.Client
}

func newVisitor(t *testing.T) visitor {
	jar, err := cookiejar.New(nil)
	must(t, err)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return visitor{t, &http.Client{Jar: jar, Transport: transport}}
}

// page reads an answer; at is where the browser ended up.
func (v visitor) page(res *http.Response, err error) (at *url.URL, body string) {
	v.t.Helper()
	must(v.t, err)
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	must(v.t, err)
	return res.Request.URL, string(raw)
}

var hiddenInput = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)"`)

// submit posts the page's first form.
func (v visitor) submit(at *url.URL, body string, fields url.Values) (*url.URL, string) {
	v.t.Helper()
	_, after, _ := strings.Cut(body, `action="`)
	action, _, _ := strings.Cut(after, `"`)
	for _, m := range hiddenInput.FindAllStringSubmatch(body, -1) {
		if !fields.Has(m[1]) {
			fields.Set(m[1], m[2])
		}
	}
	to, err := at.Parse(strings.ReplaceAll(action, "&amp;", "&"))
	must(v.t, err)
	return v.page(v.c.PostForm(to.String(), fields))
}

// TestConnectionTest: `gatehouse connection test` against a running server: a
// saved connection, and a changed record in a file; a person without an account
// opens the link.
func TestConnectionTest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, state := startDev(t, dir)
	environ := []string{"GATEHOUSE_TOKEN=" + state.APIToken, "GATEHOUSE_ADMIN_URL=" + state.Admin}
	link := regexp.MustCompile(`http://\S+/login/test\?t=\S+`)
	try := func(want int, args ...string) string {
		t.Helper()
		out := &syncBuffer{}
		errs := newAwaitedBuffer("Waiting")
		status := make(chan int, 1)
		go func() {
			status <- run(t.Context(), append([]string{"connection", "test"}, args...), environ, out, errs)
		}()
		select {
		case <-errs.seen:
		case got := <-status:
			t.Fatalf("ended with %d: %s%s", got, out, errs)
		}
		v := newVisitor(t)
		at, body := v.page(v.c.Get(link.FindString(errs.String())))
		at, body = v.submit(at, body, url.Values{})
		if strings.Contains(body, `name="username"`) {
			_, body = v.submit(at, body, url.Values{"username": {"alice"}})
		}
		if !strings.Contains(body, "is over. You are not signed in.") || strings.Contains(body, "alice") {
			t.Errorf("the last page says %s", body)
		}
		if got := <-status; got != want {
			t.Errorf("exit status %d, want %d: %s%s", got, want, out, errs)
		}
		return out.String()
	}
	out := try(0, "acme", "--client", "demo-web")
	for _, text := range []string{"would sign in", "Token response", "Profile response", "✓ email = email", "a•••@acme.test", "Admission: created", "Claims for demo-web"} {
		if !strings.Contains(out, text) {
			t.Errorf("it does not print %q:\n%s", text, out)
		}
	}
	if strings.Contains(out, "alice@acme.test") {
		t.Error("a value is not masked")
	}
	var record map[string]any
	var shown, errs syncBuffer
	if got := run(t.Context(), []string{"connection", "record", "acme"}, environ, &shown, &errs); got != 0 {
		t.Fatal(errs.String())
	}
	must(t, json.Unmarshal([]byte(shown.String()), &record))
	record["selectors"] = map[string]any{"federation_id": map[string]any{"path": "user.id"}, "email": map[string]any{"path": "mail"}}
	raw, err := json.Marshal(record)
	must(t, err)
	file := filepath.Join(dir, "acme.json")
	must(t, os.WriteFile(file, raw, 0o600))
	out = try(1, "--file", file, "--client", "demo-web")
	for _, text := range []string{"federation_id_absent", "✗ federation_id = user.id", "would match: sub"} {
		if !strings.Contains(out, text) {
			t.Errorf("it does not print %q:\n%s", text, out)
		}
	}
	log, err := os.ReadFile(filepath.Join(dir, "gatehouse.log"))
	must(t, err)
	if strings.Contains(string(log), "/login/test?t=") || strings.Contains(string(log), "alice@") {
		t.Error("link or person in the log")
	}
}
