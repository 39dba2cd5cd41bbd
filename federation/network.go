package federation

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// NetworkPolicy is what the operator lets connections reach beyond the public
// internet. A connection uses it only with AllowPrivateNetwork. The zero value
// allows nothing more.
type NetworkPolicy struct {
	// Prefixes of addresses, e.g. 10.1.0.0/16. Multicast and unspecified
	// addresses stay refused.
	Prefixes []netip.Prefix
	// Hosts are names, lower-case, whose addresses may be private or loopback
	// (never link-local: no name leads to a cloud's metadata service).
	Hosts []string
}

// ParseNetworkPolicy reads the operator's list: prefixes, addresses and names.
func ParseNetworkPolicy(entries []string) (NetworkPolicy, error) {
	var p NetworkPolicy
	for _, e := range entries {
		if prefix, err := netip.ParsePrefix(e); err == nil {
			if prefix.Masked() != prefix {
				return p, fmt.Errorf("federation: network %q has bits beyond its length: write %s", e, prefix.Masked())
			}
			p.Prefixes = append(p.Prefixes, prefix)
			continue
		}
		if ip, err := netip.ParseAddr(e); err == nil {
			p.Prefixes = append(p.Prefixes, netip.PrefixFrom(ip, ip.BitLen()))
			continue
		}
		host := canonicalHost(e)
		if host == "" || strings.ContainsAny(host, "/:*@ ") {
			return p, fmt.Errorf("federation: %q is neither a network like 10.1.0.0/16, an address nor a host name", e)
		}
		p.Hosts = append(p.Hosts, host)
	}
	return p, nil
}

func canonicalHost(h string) string { return strings.ToLower(strings.TrimSuffix(h, ".")) }

// empty reports whether nothing is listed.
func (p NetworkPolicy) empty() bool { return len(p.Prefixes) == 0 && len(p.Hosts) == 0 }

// reach is how far a request may go.
type reach int

const (
	reachPublic         reach = iota // public addresses
	reachPublicOrListed              // https with AllowPrivateNetwork
	reachListed                      // plain http: only what the operator lists
)

// permits decides about one resolved address, at the moment of dialing: a name
// that changes its mind between a check and the dial gains nothing (H1, H2).
func (p NetworkPolicy) permits(host string, ip netip.Addr, r reach) bool {
	ip = ip.Unmap().WithZone("")
	if !ip.IsValid() || ip.IsUnspecified() || ip.IsMulticast() {
		return false
	}
	listed := slices.ContainsFunc(p.Prefixes, func(n netip.Prefix) bool { return n.Contains(ip) }) ||
		!ip.IsLinkLocalUnicast() && slices.Contains(p.Hosts, canonicalHost(host))
	switch r {
	case reachListed:
		return listed
	case reachPublicOrListed:
		return listed || public(ip)
	default:
		return public(ip)
	}
}

// public reports whether an address is globally reachable unicast by the IANA
// special-purpose registries. IPv6 is an allow-list of 2000::/3 without what
// embeds or tunnels IPv4 (NAT64 64:ff9b::/96 and fc00::/7 lie outside anyway).
func public(ip netip.Addr) bool {
	if ip.Is4() {
		return !slices.ContainsFunc(specialIPv4(), func(n netip.Prefix) bool { return n.Contains(ip) })
	}
	return netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20}), 3).Contains(ip) &&
		!slices.ContainsFunc(specialIPv6(), func(n netip.Prefix) bool { return n.Contains(ip) })
}

func v4(a, b, c, d byte, bits int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{a, b, c, d}), bits)
}

func specialIPv4() []netip.Prefix {
	return []netip.Prefix{
		v4(0, 0, 0, 0, 8),      // this network
		v4(10, 0, 0, 0, 8),     // private
		v4(100, 64, 0, 0, 10),  // carrier-grade NAT
		v4(127, 0, 0, 0, 8),    // loopback
		v4(169, 254, 0, 0, 16), // link-local, metadata services
		v4(172, 16, 0, 0, 12),  // private
		v4(192, 0, 0, 0, 24),   // protocol assignments
		v4(192, 0, 2, 0, 24),   // documentation
		v4(192, 88, 99, 0, 24), // 6to4 relays
		v4(192, 168, 0, 0, 16), // private
		v4(198, 18, 0, 0, 15),  // benchmarking
		v4(198, 51, 100, 0, 24),
		v4(203, 0, 113, 0, 24),
		v4(224, 0, 0, 0, 4), // multicast
		v4(240, 0, 0, 0, 4), // reserved, broadcast
	}
}

func v6(a, b, c, d byte, bits int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom16([16]byte{a, b, c, d}), bits)
}

func specialIPv6() []netip.Prefix {
	return []netip.Prefix{
		v6(0x20, 0x01, 0x00, 0x00, 23), // protocol assignments, Teredo, ORCHID
		v6(0x20, 0x01, 0x0d, 0xb8, 32), // documentation
		v6(0x20, 0x02, 0x00, 0x00, 16), // 6to4
		v6(0x3f, 0xff, 0x00, 0x00, 20), // documentation
	}
}

// reachOf decides from a URL alone how far a request to it may go; err says in
// our words why it may not be made at all.
func (p NetworkPolicy) reachOf(raw string, allowPrivate bool) (*url.URL, reach, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Opaque != "" || u.Hostname() == "" || strings.HasSuffix(u.Host, ":"):
		return nil, 0, fmt.Errorf("it is not an absolute URL")
	case u.User != nil:
		return nil, 0, fmt.Errorf("it holds a user name or password")
	case u.Fragment != "" || strings.HasSuffix(raw, "#"):
		return nil, 0, fmt.Errorf("it holds a fragment")
	}
	private := allowPrivate && !p.empty()
	r := reachPublic
	switch {
	case u.Scheme == "https" && private:
		r = reachPublicOrListed
	case u.Scheme == "https":
	case u.Scheme == "http" && private:
		r = reachListed
	default:
		return nil, 0, fmt.Errorf("it is not https")
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !p.permits(u.Hostname(), ip, r) {
		return nil, 0, fmt.Errorf("it names an address that is not allowed")
	}
	return u, r, nil
}
