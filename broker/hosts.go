package broker

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// brandedHosts reads Config.PublicHosts: base URLs of ours by Host header.
func brandedHosts(origins []string, issuer *url.URL) (map[string]string, error) {
	hosts := map[string]string{}
	for _, origin := range origins {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || u.Scheme != issuer.Scheme {
			return nil, fmt.Errorf("broker: public host %q is not %s:// and a host", origin, issuer.Scheme)
		}
		hosts[strings.ToLower(u.Host)] = strings.ToLower(u.Scheme+"://"+u.Host) + strings.TrimSuffix(issuer.EscapedPath(), "/")
	}
	return hosts, nil
}

// hostOf is the branded host that a request came to; "" is the issuer's, which
// also stands in for every host we do not know (SECURITY-CASES W1).
func (b *Broker) hostOf(r *http.Request) string {
	host := strings.ToLower(r.Host)
	if _, ok := b.hosts[host]; ok {
		return host
	}
	for _, port := range []string{":443", ":80"} {
		if bare, cut := strings.CutSuffix(host, port); cut && b.hosts[bare] != "" {
			return bare
		}
	}
	return ""
}

// homeOf is where our pages are at a host of hostOf. A login stays at the host
// it began at, for its cookie does; the issuer in tokens is always the same.
func (b *Broker) homeOf(host string) string {
	if home, ok := b.hosts[host]; ok {
		return home
	}
	return b.issuer
}
