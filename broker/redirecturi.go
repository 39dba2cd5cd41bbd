package broker

import (
	"strconv"
	"strings"

	"gatehouse/store"
)

// matchRedirectURI is the one place that decides whether a client may have an
// answer sent to uri: byte for byte a registered one (RFC 9700 §4.1.3), or,
// for native clients, a registered loopback IP literal at any port (RFC 8252
// §7.3). Nothing is normalised, decoded or defaulted.
func matchRedirectURI(c store.Client, uri string) bool {
	for _, registered := range c.RedirectURIs {
		if registered == uri {
			return true
		}
		if c.Type == store.ClientNative {
			if want, ok := withoutLoopbackPort(registered); ok {
				if got, ok := withoutLoopbackPort(uri); ok && got == want {
					return true
				}
			}
		}
	}
	return false
}

// withoutLoopbackPort strips the port from an http URI of a loopback IP
// literal; false for anything else, so that user info, other spellings of the
// address and other schemes never get here (SECURITY-CASES R4-R6).
func withoutLoopbackPort(uri string) (string, bool) {
	for _, host := range []string{"http://127.0.0.1", "http://[::1]"} {
		rest, ok := strings.CutPrefix(uri, host)
		if !ok {
			continue
		}
		if port, ok := strings.CutPrefix(rest, ":"); ok {
			end := 0
			for end < len(port) && port[end] >= '0' && port[end] <= '9' {
				end++
			}
			n, err := strconv.Atoi(port[:end])
			if err != nil || n < 1 || n > 65535 || port[0] == '0' {
				return "", false
			}
			rest = port[end:]
		}
		if rest != "" && rest[0] != '/' {
			return "", false
		}
		return host + rest, true
	}
	return "", false
}
