package e2e

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// browser is a person's browser without scripts, as HtmlUnit is in the
// conformance suite: one cookie jar, HTML forms, redirects. The one script it
// knows is that of the form_post page.
type browser struct {
	t      testing.TB
	client *http.Client
	// stops are prefixes of the apps' own addresses: what goes there is an
	// answer to the app (page.callback) and is not sent.
	stops []string
	// visited are the URLs of this browser, redirects included.
	visited []string
}

func (w *world) browser(t testing.TB, stops ...string) *browser {
	t.Helper()
	return newBrowser(t, w.secrets, nil, stops...)
}

func newBrowser(t testing.TB, s *secrets, tlsConfig *tls.Config, stops ...string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = tlsConfig.Clone() // a transport writes into it
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{t: t, stops: stops, client: &http.Client{
		Jar: jar, Transport: watching{s, transport}, Timeout: 60 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// callback is an authorization response as it reached the app.
type callback struct {
	url         *url.URL
	method      string
	contentType string
	params      url.Values // of the query, or of the body for POST
}

// get opens an address, as typing it or following a link does.
func (b *browser) get(address string) *page {
	b.t.Helper()
	r, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "none")
	return b.follow(r)
}

// post sends a form as another site's page would.
func (b *browser) post(address string, form url.Values) *page {
	b.t.Helper()
	r, err := http.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	return b.follow(r)
}

// submit fills a page's form and presses the button with that id.
func (b *browser) submit(p *page, button string, values map[string]string) *page {
	b.t.Helper()
	f := p.form(b.t, button)
	for name, value := range values {
		if !f.fields.Has(name) {
			b.t.Fatalf("the form of %s has no field %s, only %v", p.url, name, f.fields)
		}
		f.fields.Set(name, value)
	}
	return b.send(p, f)
}

func (b *browser) send(p *page, f *form) *page {
	b.t.Helper()
	if b.stopped(f.action) {
		return &page{url: f.action, callback: &callback{
			url: f.action, method: f.method, contentType: "application/x-www-form-urlencoded", params: f.fields,
		}}
	}
	var r *http.Request
	var err error
	if f.method == http.MethodPost {
		r, err = http.NewRequest(http.MethodPost, f.action.String(), strings.NewReader(f.fields.Encode()))
		if err == nil {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Origin", "null") // what Chromium sends from pages with Referrer-Policy: no-referrer
		}
	} else {
		u := *f.action
		u.RawQuery = f.fields.Encode()
		r, err = http.NewRequest(http.MethodGet, u.String(), nil)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if f.action.Scheme+f.action.Host != p.url.Scheme+p.url.Host {
		r.Header.Set("Sec-Fetch-Site", "cross-site")
	}
	return b.follow(r)
}

// maxHops is how many redirects in a row are a loop.
const maxHops = 20

func (b *browser) follow(r *http.Request) *page {
	b.t.Helper()
	for range maxHops {
		r.Header.Set("Accept", "text/html")
		b.visited = append(b.visited, r.URL.String())
		resp, err := b.client.Do(r)
		if err != nil {
			b.t.Fatalf("%s %s: %v", r.Method, r.URL.Redacted(), err)
		}
		location := resp.Header.Get("Location")
		if resp.StatusCode < 300 || resp.StatusCode > 399 || location == "" {
			return b.arrived(resp)
		}
		_ = resp.Body.Close()
		next, err := r.URL.Parse(location)
		if err != nil {
			b.t.Fatalf("%s redirects to %q: %v", r.URL, location, err)
		}
		if b.stopped(next) {
			return &page{url: next, status: resp.StatusCode, header: resp.Header, callback: &callback{
				url: next, method: http.MethodGet, params: next.Query(),
			}}
		}
		method, body := http.MethodGet, io.Reader(nil)
		if resp.StatusCode == http.StatusTemporaryRedirect || resp.StatusCode == http.StatusPermanentRedirect {
			b.t.Fatalf("%s answers %d: a form would be posted on", r.URL, resp.StatusCode)
		}
		if r, err = http.NewRequest(method, next.String(), body); err != nil {
			b.t.Fatal(err)
		}
		r.Header.Set("Sec-Fetch-Site", "cross-site")
	}
	b.t.Fatalf("more than %d redirects: %v", maxHops, b.visited)
	return nil
}

func (b *browser) arrived(resp *http.Response) *page {
	b.t.Helper()
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err != nil {
		b.t.Fatalf("reading %s: %v", resp.Request.URL, err)
	}
	p := parsePage(b.t, resp, string(body))
	if f := p.autoSubmit(); f != nil {
		return b.send(p, f)
	}
	return p
}

func (b *browser) stopped(u *url.URL) bool {
	return slices.ContainsFunc(b.stops, func(s string) bool { return strings.HasPrefix(u.String(), s) })
}

// saw reports whether the browser was at an address with this path of this site.
func (b *browser) saw(site, path string) bool {
	return slices.ContainsFunc(b.visited, func(v string) bool {
		u, err := url.Parse(v)
		return err == nil && u.Scheme+"://"+u.Host == site && u.Path == path
	})
}

// eventually polls a condition of a real process until it holds.
func eventually(t testing.TB, within time.Duration, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: not within %s", what, within)
		}
	}
}

// clockReaches waits until the wall clock has passed a moment: for promises that
// are about time itself, such as max_age.
func clockReaches(t testing.TB, at time.Time) {
	t.Helper()
	wait := time.NewTimer(time.Until(at))
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-t.Context().Done():
		t.Fatal("the test ended before its time came")
	}
}

// mustParse is for addresses made here.
func mustParse(t testing.TB, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func (c *callback) String() string { return fmt.Sprintf("%s %s %v", c.method, c.url, c.params) }
