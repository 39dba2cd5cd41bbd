package admin

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/idna"

	"gatehouse/store"
)

// privateScheme is a private-use scheme of RFC 8252 §7.1: a reversed domain
// name, so at least one dot, lower case.
var privateScheme = regexp.MustCompile(`^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+$`)

// dnsHost is a lower-case DNS name. Its last label begins with a letter, which
// leaves out every spelling browsers take for an IPv4 address: dotted, short,
// decimal, octal and hexadecimal.
var dnsHost = regexp.MustCompile(`^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$`)

// redirectFault says what is wrong with a redirect URI for a kind of client;
// "" when nothing is. The rules (R8, R9; RFC 8252, RFC 9700 §4.1.3):
//
//   - https: a DNS host in lower case, no IP literal; native and web clients.
//   - http: 127.0.0.1, [::1] and localhost. The port of a native client's IP
//     literal is free at run time; everything else is compared byte by byte.
//   - a private-use scheme with a dot, lower case, "scheme:/path"; native only.
//
// Never a fragment, user name, wildcard, dot segment, backslash, or any byte
// that two parsers could read differently.
func redirectFault(kind store.ClientType, raw string) string {
	if kind == store.ClientService {
		return "service clients have no redirect URI"
	}
	if len(raw) > 2048 || !visibleASCII(raw) {
		return "must be a URI of at most 2048 visible ASCII characters"
	}
	if strings.Contains(raw, "*") {
		return "must not hold a wildcard"
	}
	if strings.Contains(raw, "#") {
		return "must not hold a fragment"
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" {
		return "must be an absolute URI"
	}
	if !strings.HasPrefix(raw, u.Scheme+":") { // url.Parse lower-cases it
		return "must have a lower-case scheme"
	}
	if u.User != nil || strings.Contains(u.Host, "@") {
		return "must not hold a user name"
	}
	if dotSegment(u.EscapedPath()) {
		return "must not hold . or .. segments"
	}
	switch {
	case u.Scheme == "https":
		return httpsFault(u)
	case u.Scheme == "http":
		return httpFault(u)
	case kind != store.ClientNative:
		return "must be https: only native clients may use another scheme"
	case !privateScheme.MatchString(u.Scheme):
		return "must have a scheme that is the app's domain reversed, such as com.example.app"
	case u.Opaque != "" || u.Host != "" || strings.HasPrefix(raw, u.Scheme+"://") || !strings.HasPrefix(u.Path, "/"):
		return "must be written with one slash after the scheme, such as com.example.app:/callback"
	}
	return ""
}

func httpsFault(u *url.URL) string {
	host := u.Hostname()
	switch {
	case u.Opaque != "" || host == "":
		return "must name a host"
	case strings.HasPrefix(u.Host, "["):
		return "must not name an IP address"
	case host == "localhost" || strings.HasSuffix(host, ".localhost"):
		return "must not be https on localhost: use http"
	case !dnsHost.MatchString(host) || !strings.Contains(host, ".") || len(host) > 253:
		return "must name a full host name in lower case, no IP address"
	case u.Port() == "443":
		return "must leave the default port out"
	}
	if _, err := idna.Lookup.ToASCII(host); err != nil {
		return "must name a valid host"
	}
	return portFault(u)
}

func httpFault(u *url.URL) string {
	host := u.Hostname()
	loopback := u.Host == "127.0.0.1" || strings.HasPrefix(u.Host, "127.0.0.1:") || u.Host == "[::1]" || strings.HasPrefix(u.Host, "[::1]:")
	switch {
	case loopback:
	case host == "localhost":
	default:
		return "must be https: http is for 127.0.0.1, [::1] and localhost only"
	}
	return portFault(u)
}

func portFault(u *url.URL) string {
	if strings.HasSuffix(u.Host, ":") {
		return "must not end its host with a colon"
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.ParseUint(p, 10, 16); err != nil || n == 0 || strconv.FormatUint(n, 10) != p {
			return "must have a port between 1 and 65535"
		}
	}
	return ""
}

func dotSegment(path string) bool {
	for s := range strings.SplitSeq(path, "/") {
		s = strings.ReplaceAll(strings.ToLower(s), "%2e", ".")
		if s == "." || s == ".." {
			return true
		}
	}
	return false
}
