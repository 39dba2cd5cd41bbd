package main

import (
	"context"
	"fmt"
	"net/http"
)

// source is one place where a provider may have the profile.
type source struct {
	kind    string
	shape   string // of the mock provider
	profile func(issuer string) map[string]any
	least   int // requests that a login cannot do without: the token, then the profile
}

func sources() []source {
	return []source{
		{"none", "", func(string) map[string]any { return map[string]any{"kind": "none"} }, 1},
		{"url", "profile: {path: /me}\n", func(issuer string) map[string]any {
			return map[string]any{"kind": "url", "url": issuer + "/me"}
		}, 2},
		{"url_in_url", "profile: {in: url_in_url, path: /me}\n", func(issuer string) map[string]any {
			return map[string]any{"kind": "url_in_url", "url": issuer + "/link", "url_selector": map[string]any{"path": "profile_url"}}
		}, 3},
		{"token_response", "profile: {in: token_response, member: user}\n", func(string) map[string]any {
			return map[string]any{"kind": "token_response"}
		}, 1},
		{"url_in_token_response", "profile: {in: url_in_token_response, path: /me}\n", func(string) map[string]any {
			return map[string]any{"kind": "url_in_token_response", "url_selector": map[string]any{"path": "profile_url"}}
		}, 2},
	}
}

// sources signs in through each profile source and counts what came in at the
// provider. The first login of all reads the provider's documents besides.
func (w *world) sources() error {
	shared := &http.Transport{MaxIdleConnsPerHost: 4}
	defer shared.CloseIdleConnections()
	fmt.Println()
	for i, s := range sources() {
		c, err := w.newCompany(fmt.Sprintf("source%d", i), s.shape, func(issuer string) map[string]any {
			return map[string]any{"profile": s.profile(issuer), "use_userinfo": false}
		})
		if err != nil {
			return err
		}
		const logins = 20
		count := func(n int) (total int, err error) {
			for i := range n {
				if _, err := w.login(context.Background(), shared, c.domain(), int64(i)); err != nil {
					return 0, fmt.Errorf("profile source %s: %w", s.kind, err)
				}
			}
			counts, err := c.requests()
			for _, n := range counts {
				total += n
			}
			return total, err
		}
		if _, err := c.requests(); err != nil { // saving may have looked at the provider
			return err
		}
		first, err := count(1)
		if err != nil {
			return err
		}
		rest, err := count(logins)
		if err != nil {
			return err
		}
		row("requests per login, profile "+s.kind, fmt.Sprintf("%.2f", float64(rest)/logins), fmt.Sprintf("%d", s.least+1))
		row("  the least it needs · the very first login", fmt.Sprintf("%d · %d", s.least, first), "")
	}
	return nil
}
