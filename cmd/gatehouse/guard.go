package main

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// guard decides what of a request's surroundings may be believed. It stands in
// front of every handler, so none has to know about proxies or foreign hosts.
//
// Behind it r.RemoteAddr is the client's address, no forwarding header is left,
// and r.Host is one of ours. URLs are made from the configured issuer anyway;
// these are the second lock (SECURITY-CASES W1, W2).
type guard struct {
	hosts []string // exact values of Host; empty: not checked here
	proxy proxyRule
	// onlyProxies refuses direct connections: the issuer is https, but this
	// listener is not, so plain requests must come through the proxy (W12).
	onlyProxies bool
	next        http.Handler
}

// proxyRule says who may speak for clients, and in which header.
type proxyRule struct {
	trusted []netip.Prefix
	header  string // canonical
}

// ServeHTTP implements http.Handler.
func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	peer := addrOf(r.RemoteAddr)
	client := g.proxy.client(peer, r.Header[g.proxy.header])
	dropForwarded(r.Header)
	if client.IsValid() {
		r.RemoteAddr = netip.AddrPortFrom(client, 0).String()
	}
	switch {
	case r.URL.IsAbs() || r.URL.Host != "" || r.Method == http.MethodConnect:
		// GET http://elsewhere/ HTTP/1.1: we are nobody's proxy.
		refuse(w, http.StatusBadRequest, "This server is not a proxy.")
	case g.onlyProxies && !contains(g.proxy.trusted, peer):
		refuse(w, http.StatusForbidden, "Use https: this port answers its proxy only.")
	case len(g.hosts) > 0 && !slices.Contains(g.hosts, canonicalHost(r.Host)):
		refuse(w, http.StatusMisdirectedRequest, "There is no such site here.")
	default:
		g.next.ServeHTTP(w, r)
	}
}

func refuse(w http.ResponseWriter, status int, sentence string) {
	w.Header().Set("Connection", "close")
	http.Error(w, sentence, status)
}

// canonicalHost lowers the case and drops the port that the scheme implies;
// which of 80 and 443 it was makes no difference to whose host it is.
func canonicalHost(host string) string {
	host = strings.ToLower(host)
	for _, port := range []string{":443", ":80"} {
		if rest, ok := strings.CutSuffix(host, port); ok {
			return rest
		}
	}
	return host
}

// client is the right-most address that is not a trusted proxy, going from the
// connection's peer backwards through the header. What stands further left was
// written by the client and is not looked at. A value that is no address ends
// the walk at the proxy that let it through.
func (p proxyRule) client(peer netip.Addr, values []string) netip.Addr {
	current := peer
	hops := strings.Split(strings.Join(values, ","), ",")
	for i := len(hops) - 1; i >= 0 && contains(p.trusted, current); i-- {
		hop := parseHop(hops[i])
		if !hop.IsValid() {
			break
		}
		current = hop
	}
	return current
}

// parseHop reads "192.0.2.1", "192.0.2.1:4711", "2001:db8::1" or "[2001:db8::1]:4711".
func parseHop(text string) netip.Addr {
	text = strings.TrimSpace(text)
	if addr, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil && addr.Zone() == "" {
		return addr.Unmap()
	}
	return addrOf(text)
}

// dropForwarded removes every header in which somebody says what the request
// was before it came here, in any spelling: some frameworks read "_" as "-".
func dropForwarded(h http.Header) {
	for name := range h {
		switch plain := strings.ToLower(strings.ReplaceAll(name, "_", "-")); {
		case strings.HasPrefix(plain, "x-forwarded"), strings.HasPrefix(plain, "x-original"),
			strings.HasPrefix(plain, "x-rewrite"), strings.HasPrefix(plain, "x-envoy"),
			plain == "forwarded", plain == "x-real-ip", plain == "x-client-ip", plain == "true-client-ip",
			plain == "cf-connecting-ip", plain == "x-cluster-client-ip", plain == "x-host",
			plain == "x-http-method-override", plain == "x-method-override":
			delete(h, name)
		case strings.Contains(name, "_"):
			delete(h, name)
		}
	}
}
