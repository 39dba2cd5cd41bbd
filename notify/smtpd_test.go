package notify

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"
)

// smtpd is a mail server: real SMTP over loopback (RFC 5321), with STARTTLS
// (RFC 3207) and AUTH PLAIN (RFC 4954).
type smtpd struct {
	t        testing.TB
	address  string
	cert     tls.Certificate
	roots    *x509.CertPool
	implicit bool
	plain    bool // offers no STARTTLS
	user     string
	password string
	taken    chan string // mails, whole

	mu       sync.Mutex
	answer   func(command string) string // replaces an answer; "hang" says nothing any more
	listener net.Listener
	open     map[net.Conn]bool
	sessions sync.WaitGroup
	commands []string
}

func newSMTPD(t testing.TB, change func(*smtpd)) *smtpd {
	t.Helper()
	s := &smtpd{t: t, taken: make(chan string, 100), open: map[net.Conn]bool{}}
	s.cert, s.roots = certificate(t)
	if change != nil {
		change(s)
	}
	s.start("127.0.0.1:0")
	t.Cleanup(s.stop)
	return s
}

func certificate(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail.test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool
}

func (s *smtpd) start(address string) {
	s.t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	s.listener, s.address = l, l.Addr().String()
	s.mu.Unlock()
	s.sessions.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.open[conn] = true
			s.mu.Unlock()
			s.sessions.Go(func() {
				s.serve(conn)
				_ = conn.Close()
				s.mu.Lock()
				delete(s.open, conn)
				s.mu.Unlock()
			})
		}
	})
}

// stop is a power cut.
func (s *smtpd) stop() {
	s.mu.Lock()
	_ = s.listener.Close()
	for c := range s.open {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.sessions.Wait()
}

func (s *smtpd) answering(fn func(command string) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = fn
}

func (s *smtpd) reply(command, usual string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commands = append(s.commands, command)
	if s.answer != nil {
		if other := s.answer(command); other != "" {
			return other
		}
	}
	return usual
}

func (s *smtpd) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

func (s *smtpd) serve(conn net.Conn) {
	secured := s.implicit
	config := &tls.Config{Certificates: []tls.Certificate{s.cert}}
	if s.implicit {
		conn = tls.Server(conn, config)
	}
	r := textproto.NewReader(bufio.NewReader(conn))
	signedIn := s.user == ""
	say := func(command, usual string) bool {
		line := s.reply(command, usual)
		if line == "hang" {
			_, _ = r.ReadLine() // until the other side gives up
			return false
		}
		_, err := fmt.Fprint(conn, line+"\r\n")
		return err == nil
	}
	if !say("connect", "220 mail.test ready") {
		return
	}
	for {
		line, err := r.ReadLine()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(line, " ")
		verb = strings.ToUpper(verb)
		ok := true
		switch {
		case verb == "EHLO":
			features := []string{"mail.test", "SIZE 1000000", "ENHANCEDSTATUSCODES"}
			if !secured && !s.plain {
				features = append(features, "STARTTLS")
			}
			if s.user != "" && secured {
				features = append(features, "AUTH PLAIN LOGIN")
			}
			for i, f := range features {
				sep := "-"
				if i == len(features)-1 {
					sep = " "
				}
				_, _ = fmt.Fprint(conn, "250"+sep+f+"\r\n")
			}
		case verb == "STARTTLS" && !s.plain:
			if ok = say(verb, "220 go"); ok {
				conn = tls.Server(conn, config)
				r = textproto.NewReader(bufio.NewReader(conn))
				secured = true
			}
		case verb == "AUTH":
			raw, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN "))
			signedIn = string(raw) == "\x00"+s.user+"\x00"+s.password
			answer := "235 2.7.0 welcome"
			if !signedIn {
				answer = "535 5.7.8 wrong password"
			}
			ok = say(verb, answer)
		case verb == "MAIL" && !signedIn:
			ok = say(verb, "530 5.7.0 sign in first")
		case verb == "MAIL", verb == "RCPT", verb == "RSET", verb == "NOOP":
			ok = say(verb, "250 2.1.0 ok")
		case verb == "DATA":
			if ok = say(verb, "354 go on"); !ok {
				break
			}
			body, err := r.ReadDotBytes()
			if err != nil {
				return
			}
			answer := s.reply("dot", "250 2.0.0 taken")
			if strings.HasPrefix(answer, "250") {
				s.taken <- string(body)
			}
			_, err = fmt.Fprint(conn, answer+"\r\n")
			ok = err == nil
		case verb == "QUIT":
			_, _ = fmt.Fprint(conn, "221 bye\r\n")
			return
		default:
			ok = say(verb, "502 5.5.1 what?")
		}
		if !ok {
			return
		}
	}
}
