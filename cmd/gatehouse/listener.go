package main

import (
	"net"
	"net/netip"
	"slices"
	"sync"
)

// cappedListener bounds how many connections one address holds, so that a
// single host can neither use up the file descriptors nor keep thousands of
// half-open handshakes (SECURITY-CASES W5). IPv6 counts by /64: one customer
// has at least that much. Connections over the cap are closed unanswered.
type cappedListener struct {
	net.Listener
	limit  int
	exempt []netip.Prefix // trusted proxies speak for many

	mu   sync.Mutex
	open map[netip.Prefix]int
}

func newCappedListener(l net.Listener, limit int, exempt []netip.Prefix) *cappedListener {
	return &cappedListener{Listener: l, limit: limit, exempt: exempt, open: map[netip.Prefix]int{}}
}

// Accept implements net.Listener.
func (l *cappedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		addr := addrOf(conn.RemoteAddr().String())
		if !addr.IsValid() || contains(l.exempt, addr) {
			return conn, nil
		}
		network := networkOf(addr)
		if !l.enter(network) {
			_ = conn.Close()
			continue
		}
		return &cappedConn{Conn: conn, leave: sync.OnceFunc(func() { l.leave(network) })}, nil
	}
}

func (l *cappedListener) enter(network netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[network] >= l.limit {
		return false
	}
	l.open[network]++
	return true
}

func (l *cappedListener) leave(network netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[network]--; l.open[network] <= 0 {
		delete(l.open, network)
	}
}

type cappedConn struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (c *cappedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}

// addrOf reads the address out of "host:port"; invalid when it is none.
func addrOf(hostport string) netip.Addr {
	ap, err := netip.ParseAddrPort(hostport)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

func networkOf(addr netip.Addr) netip.Prefix {
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(addr, bits).Masked()
}

func contains(list []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(addr) })
}
