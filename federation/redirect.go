package federation

import (
	"net/url"
	"strings"

	"gatehouse/store"
)

// RedirectURI is the callback URL to register at a connection's provider.
func (f *Federation) RedirectURI(connectionID string) string {
	return callbackAt(f.publicURL, connectionID)
}

// RedirectURIs are all callback URLs to register at the connection's provider,
// byte for byte: the one of the public URL first, then one per public host.
func (f *Federation) RedirectURIs(conn store.Connection) []string {
	uris := []string{f.RedirectURI(conn.ID)}
	for _, host := range conn.PublicHosts {
		uris = append(uris, f.callbackAtHost(host, conn.ID))
	}
	return uris
}

func callbackAt(base, connectionID string) string { return base + "/login/callback/" + connectionID }

// callbackAtHost is the callback at a branded host: the issuer's path stays.
func (f *Federation) callbackAtHost(origin, connectionID string) string {
	path := ""
	if u, err := url.Parse(f.publicURL); err == nil {
		path = u.EscapedPath()
	}
	return callbackAt(strings.TrimSuffix(origin, "/")+path, connectionID)
}

// redirectURI is the callback of a login that began at host (as in the request's
// Host header; "" is the public URL's). A host that the connection does not
// list is refused: the browser would come back where its cookie is not.
func (f *Federation) redirectURI(conn *store.Connection, host string) (string, error) {
	if u, err := url.Parse(f.publicURL); host == "" || err == nil && sameHost(u, host) {
		return f.RedirectURI(conn.ID), nil
	}
	for _, origin := range conn.PublicHosts {
		if u, err := url.Parse(origin); err == nil && sameHost(u, host) {
			return f.callbackAtHost(origin, conn.ID), nil
		}
	}
	return "", fault(BlameOurs, CodeHostUnknown, "the login began at %s, which is not among the connection's public_hosts", quoted(host))
}

// sameHost compares a URL's host with a Host header; the scheme's own port may
// be left out of either.
func sameHost(u *url.URL, host string) bool {
	return stripPort(u.Host, u.Scheme) == stripPort(host, u.Scheme)
}

func stripPort(host, scheme string) string {
	port := ":443"
	if scheme == "http" {
		port = ":80"
	}
	return strings.TrimSuffix(strings.ToLower(host), port)
}
