package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"
)

const (
	redirect   = "http://127.0.0.1/callback"
	acmeDomain = "acme.test"
)

// newPerson is a browser with a fresh cookie jar on shared connections.
func (w *world) newPerson(shared http.RoundTripper) *http.Client {
	jar, _ := cookiejar.New(nil) // never fails
	return &http.Client{Jar: jar, Transport: shared, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), redirect) {
			return http.ErrUseLastResponse
		}
		return nil
	}}
}

// login is a complete one: authorize, provider, callback, code, tokens.
func (w *world) login(ctx context.Context, shared http.RoundTripper, domain string, n int64) (refresh string, err error) {
	verifier := oauth2.GenerateVerifier()
	q := url.Values{
		"client_id": {"demo-native"}, "redirect_uri": {redirect}, "response_type": {"code"},
		"scope": {"openid profile email offline_access"}, "state": {"bench-state"}, "nonce": {fmt.Sprint("nonce-", n)},
		"code_challenge": {oauth2.S256ChallengeFromVerifier(verifier)}, "code_challenge_method": {"S256"},
		"login_hint": {fmt.Sprintf("person%d@%s", n%500, domain)},
	}
	person := w.newPerson(shared)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.issuer+"/oauth2/authorize?"+q.Encode(), nil)
	if err != nil {
		return "", err
	}
	resp, err := person.Do(req)
	if err != nil {
		return "", err
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	back, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || back.Query().Get("code") == "" {
		return "", fmt.Errorf("login ended with %d at %s, Location %q", resp.StatusCode, resp.Request.URL.Path, resp.Header.Get("Location"))
	}
	return w.token(person, url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"demo-native"}, "redirect_uri": {redirect},
		"code": {back.Query().Get("code")}, "code_verifier": {verifier},
	})
}

func (w *world) token(c *http.Client, form url.Values) (refresh string, err error) {
	resp, err := c.PostForm(w.issuer+"/oauth2/token", form)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var body struct {
		Refresh string `json:"refresh_token"`
		ID      string `json:"id_token"`
		Error   string `json:"error"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK || body.Refresh == "" || body.ID == "" {
		return "", fmt.Errorf("token endpoint: %d %s", resp.StatusCode, body.Error)
	}
	return body.Refresh, nil
}

// run spreads n calls over workers and says what they cost.
func (w *world) run(what string, workers, n int, cpuGoal, crypto, fsync time.Duration, call func(worker int, i int64) error) error {
	for i := range workers { // warm connections and caches
		if err := call(i, int64(1_000_000+i)); err != nil {
			return err
		}
	}
	before, err := w.usage()
	if err != nil {
		return err
	}
	var (
		next  atomic.Int64
		wg    sync.WaitGroup
		once  sync.Once
		first error
	)
	start := time.Now()
	for worker := range workers {
		wg.Go(func() {
			for {
				i := next.Add(1)
				if i > int64(n) {
					return
				}
				if err := call(worker, i); err != nil {
					once.Do(func() { first = err })
					return
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(start)
	if first != nil {
		return first
	}
	after, err := w.usage()
	if err != nil {
		return err
	}
	cpu := (after.cpu - before.cpu) / time.Duration(n)
	row(fmt.Sprintf("%s per second, %d workers", what, workers), fmt.Sprintf("%.0f", float64(n)/took.Seconds()), "")
	row(fmt.Sprintf("server CPU per %s", strings.TrimSuffix(strings.TrimSuffix(what, "s"), "e")), fmt.Sprintf("%.2f ms", cpu.Seconds()*1000),
		fmt.Sprintf("%.1f ms", cpuGoal.Seconds()*1000))
	fsyncs := 2 * (after.commits - before.commits) / float64(n) // bbolt: pages, then the root
	row("  limit: signatures · fsyncs alone", fmt.Sprintf("%.2f · %.2f ms", crypto.Seconds()*1000, fsyncs*fsync.Seconds()*1000), "")
	row("  updates · fsyncs each", fmt.Sprintf("%.2f · %.2f", (after.updates-before.updates)/float64(n), fsyncs), "")
	return nil
}

func (w *world) logins(workers, n int, l limits) error {
	shared := &http.Transport{MaxIdleConnsPerHost: 64}
	defer shared.CloseIdleConnections()
	return w.run("logins", workers, n, 2*time.Millisecond, l.login(), l.fsyncCPU, func(_ int, i int64) error {
		_, err := w.login(context.Background(), shared, acmeDomain, i)
		return err
	})
}

func (w *world) refreshes(workers, n int, l limits) error {
	shared := &http.Transport{MaxIdleConnsPerHost: 64}
	defer shared.CloseIdleConnections()
	phones := make([]string, workers)
	for i := range phones {
		var err error
		if phones[i], err = w.login(context.Background(), shared, acmeDomain, int64(i)); err != nil {
			return err
		}
	}
	c := &http.Client{Transport: shared}
	return w.run("refreshes", workers, n, 600*time.Microsecond, l.refresh(), l.fsyncCPU, func(worker int, _ int64) error {
		next, err := w.token(c, url.Values{"grant_type": {"refresh_token"}, "client_id": {"demo-native"}, "refresh_token": {phones[worker]}})
		phones[worker] = next
		return err
	})
}
