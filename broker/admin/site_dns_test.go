package admin_test

import (
	"net"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// siteDNS is a DNS server with TXT records; it fails every question while down.
type siteDNS struct {
	address string

	mu    sync.Mutex
	texts map[string]string
	down  bool
}

func newSiteDNS(t *testing.T) *siteDNS {
	t.Helper()
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &siteDNS{address: packets.LocalAddr().String(), texts: map[string]string{}}
	var running sync.WaitGroup
	running.Go(func() {
		buffer := make([]byte, 2048)
		for {
			n, from, err := packets.ReadFrom(buffer)
			if err != nil {
				return
			}
			var p dnsmessage.Parser
			h, err := p.Start(buffer[:n])
			if err != nil {
				continue
			}
			q, err := p.Question()
			if err != nil {
				continue
			}
			_, _ = packets.WriteTo(d.answer(h, q), from)
		}
	})
	t.Cleanup(func() {
		_ = packets.Close()
		running.Wait()
	})
	return d
}

func (d *siteDNS) answer(h dnsmessage.Header, q dnsmessage.Question) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	value, there := d.texts[strings.ToLower(q.Name.String())]
	header := dnsmessage.Header{ID: h.ID, Response: true, RecursionAvailable: true}
	if d.down {
		header.RCode = dnsmessage.RCodeServerFailure
	} else if !there {
		header.RCode = dnsmessage.RCodeNameError
	}
	b := dnsmessage.NewBuilder(nil, header)
	_ = b.StartQuestions()
	_ = b.Question(q)
	_ = b.StartAnswers()
	if there && !d.down {
		_ = b.TXTResource(dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET}, dnsmessage.TXTResource{TXT: []string{value}})
	}
	out, _ := b.Finish()
	return out
}

func (d *siteDNS) set(name, value string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.texts[name+"."] = value
}

func (d *siteDNS) fail(down bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.down = down
}
