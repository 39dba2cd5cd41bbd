package main

import (
	"slices"
	"strings"
	"testing"
)

func TestPublicHosts(t *testing.T) {
	t.Parallel()
	cfg := defaultConfig()
	cfg.Issuer = "https://login.example.com"
	cfg.PublicHosts = []string{"https://login.brand.test", "https://a.test:8443", "http://b.test", "https://login.example.com:443", "https://c.test/x", "login.d.test"}
	wrong := map[string]bool{}
	for _, f := range cfg.check(origins{}) {
		if strings.HasPrefix(f.Field, "public_hosts") {
			wrong[f.Field] = true
		}
	}
	for field, want := range map[string]bool{
		"public_hosts[0]": false, "public_hosts[1]": false, "public_hosts[2]": true, "public_hosts[3]": true, "public_hosts[4]": true, "public_hosts[5]": true,
	} {
		if wrong[field] != want {
			t.Errorf("%s refused: %t, want %t", field, wrong[field], want)
		}
	}
	cfg.PublicHosts = cfg.PublicHosts[:2]
	if got, want := publicHosts(&cfg), []string{"login.example.com", "login.brand.test", "a.test:8443"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
