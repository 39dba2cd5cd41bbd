package main

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipeListener hands out in-memory connections that seem to come from anywhere.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

type pipeConn struct {
	net.Conn
	from net.Addr
}

func (c pipeConn) RemoteAddr() net.Addr { return c.from }

// dial connects from an address.
func (l *pipeListener) dial(from string) net.Conn {
	near, far := net.Pipe()
	l.conns <- pipeConn{far, net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(from), 1))}
	return near
}

func alive(c net.Conn) bool {
	_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
	_, err := c.Read(make([]byte, 1))
	return !errors.Is(err, io.EOF)
}

func TestW5_ConnectionsPerAddress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		pipes := newPipeListener()
		l := newCappedListener(pipes, 2, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})
		accepted := make(chan net.Conn, 100)
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				accepted <- c
			}
		}()
		open := func(from string) bool { return alive(pipes.dial(from)) }
		for _, c := range []struct {
			from string
			want bool
		}{
			{"203.0.113.1", true},
			{"203.0.113.1", true},
			{"203.0.113.1", false}, // third
			{"::ffff:203.0.113.1", false},
			{"203.0.113.2", true},
			{"2001:db8::1", true},
			{"2001:db8::2", true},
			{"2001:db8::3", false}, // one /64 is one customer
			{"2001:db8:0:1::3", true},
			{"10.0.0.1", true},
			{"10.0.0.1", true},
			{"10.0.0.1", true}, // a trusted proxy
		} {
			if got := open(c.from); got != c.want {
				t.Errorf("%s: got open %v, want %v", c.from, got, c.want)
			}
		}
		first := <-accepted
		_ = first.Close()
		_ = first.Close() // twice counts once
		if !open("203.0.113.1") {
			t.Error("a closed connection did not make room")
		}
		if open("203.0.113.1") {
			t.Error("closing twice made room twice")
		}
		_ = l.Close()
		synctest.Wait()
	})
}

// TestW5_SlowClientsLoseTheirConnection: a head that never ends, a body that
// never comes and a connection that only idles each cost us seconds, not for ever.
func TestW5_SlowClientsLoseTheirConnection(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		send  string
		after time.Duration
	}{
		"nothing":   {"", readHeaderTimeout},
		"half head": {"GET / HTTP/1.1\r\nHost: x\r\nA: ", readHeaderTimeout},
		"half body": {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab", readTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := newPipeListener()
				group := startSites(quiet(), site{name: "x", listener: l, handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if _, err := io.ReadAll(r.Body); err != nil {
						w.WriteHeader(http.StatusRequestTimeout)
					}
				})})
				conn := l.dial("203.0.113.1")
				begin := time.Now()
				_, err := io.WriteString(conn, c.send)
				must(t, err)
				_, _ = io.Copy(io.Discard, conn) // until the server closes
				if took := time.Since(begin); took < c.after || took > c.after+2*time.Second {
					t.Errorf("closed after %s, want about %s", took, c.after)
				}
				must(t, group.stop())
			})
		})
	}
}

func TestW5_HugeHead(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	group := startSites(quiet(), site{name: "x", listener: l, handler: http.NotFoundHandler()})
	big := make([]byte, 64<<10)
	for i := range big {
		big[i] = 'a'
	}
	if got := rawStatus(t, l.Addr().String(), "GET / HTTP/1.1\r\nHost: x\r\nA: "+string(big)+"\r\n\r\n"); got != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("got %d, want 431", got)
	}
	must(t, group.stop())
}
