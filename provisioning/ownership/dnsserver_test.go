package ownership_test

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// dnsServer is a real DNS server on UDP and TCP, on one port of this machine.
type dnsServer struct {
	address string

	mu      sync.Mutex
	texts   map[string][]string // by name, lower case, with the final dot
	rcode   dnsmessage.RCode    // of every answer, unless success
	mute    bool                // no answer at all
	alter   func(request dnsmessage.Header, answer []byte) []byte
	loop    bool // every name is an alias of itself
	asked   map[string]int
	overTCP int
}

func newDNSServer(t testing.TB) *dnsServer {
	t.Helper()
	s := &dnsServer{texts: map[string][]string{}, asked: map[string]int{}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = listener.Addr().String()
	packets, err := net.ListenPacket("udp", s.address)
	if err != nil {
		t.Skip("the UDP port beside a free TCP port is taken")
	}
	var running sync.WaitGroup
	running.Go(func() { s.serveUDP(packets) })
	running.Go(func() { s.serveTCP(listener, &running) })
	t.Cleanup(func() {
		_ = packets.Close()
		_ = listener.Close()
		running.Wait()
	})
	return s
}

func (s *dnsServer) set(name string, values ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.texts[strings.ToLower(name)+"."] = values
}

func (s *dnsServer) behave(change func(*dnsServer)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rcode, s.mute, s.alter, s.loop = dnsmessage.RCodeSuccess, false, nil, false
	change(s)
}

func (s *dnsServer) serveUDP(packets net.PacketConn) {
	buffer := make([]byte, 4096)
	for {
		n, from, err := packets.ReadFrom(buffer)
		if err != nil {
			return
		}
		if answer := s.answer(buffer[:n], 1232); answer != nil {
			_, _ = packets.WriteTo(answer, from)
		}
	}
}

func (s *dnsServer) serveTCP(listener net.Listener, running *sync.WaitGroup) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		running.Go(func() {
			defer func() { _ = conn.Close() }()
			var size [2]byte
			if _, err := io.ReadFull(conn, size[:]); err != nil {
				return
			}
			question := make([]byte, binary.BigEndian.Uint16(size[:]))
			if _, err := io.ReadFull(conn, question); err != nil {
				return
			}
			s.mu.Lock()
			s.overTCP++
			s.mu.Unlock()
			if answer := s.answer(question, 65535); answer != nil {
				binary.BigEndian.PutUint16(size[:], uint16(len(answer)))
				_, _ = conn.Write(append(size[:], answer...))
			}
		})
	}
}

func (s *dnsServer) answer(raw []byte, most int) []byte {
	var p dnsmessage.Parser
	header, err := p.Start(raw)
	if err != nil {
		return nil
	}
	q, err := p.Question()
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	name := strings.ToLower(q.Name.String())
	s.asked[name]++
	if s.mute {
		return nil
	}
	values, known := s.texts[name]
	build := func(truncated bool) []byte {
		h := dnsmessage.Header{ID: header.ID, Response: true, RecursionAvailable: true, RCode: s.rcode, Truncated: truncated}
		if !known && !s.loop && s.rcode == dnsmessage.RCodeSuccess {
			h.RCode = dnsmessage.RCodeNameError
		}
		b := dnsmessage.NewBuilder(nil, h)
		_ = b.StartQuestions()
		_ = b.Question(q)
		_ = b.StartAnswers()
		rh := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 1}
		if s.loop {
			_ = b.CNAMEResource(rh, dnsmessage.CNAMEResource{CNAME: q.Name})
		}
		if !truncated {
			for _, v := range values {
				var parts []string
				for len(v) > 255 {
					parts, v = append(parts, v[:255]), v[255:]
				}
				_ = b.TXTResource(rh, dnsmessage.TXTResource{TXT: append(parts, v)})
			}
		}
		out, _ := b.Finish()
		return out
	}
	out := build(false)
	if len(out) > most {
		out = build(true)
	}
	if s.alter != nil {
		out = s.alter(header, out)
	}
	return out
}
