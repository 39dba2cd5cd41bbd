package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"html"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// mailServer takes mails by SMTP over loopback (RFC 5321), and shows them as a
// webmail does: on a site that is not ours.
type mailServer struct {
	t        testing.TB
	address  string
	webmail  string
	mu       sync.Mutex
	mails    []letter
	sessions sync.WaitGroup
}

// letter is a mail as it came over the wire.
type letter struct {
	number            int // in the webmail
	from, to, subject string
	text, html        string
	header            mail.Header
}

func startMailServer(t testing.TB) *mailServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &mailServer{t: t, address: l.Addr().String()}
	site := httptest.NewServer(http.HandlerFunc(s.show))
	s.webmail = site.URL
	s.sessions.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.sessions.Go(func() {
				defer func() { _ = conn.Close() }()
				if err := s.session(textproto.NewConn(conn)); err != nil && t.Context().Err() == nil {
					t.Errorf("SMTP session: %v", err)
				}
			})
		}
	})
	t.Cleanup(func() {
		site.Close()
		_ = l.Close()
		s.sessions.Wait()
	})
	return s
}

// session is one client's, to its QUIT.
func (s *mailServer) session(c *textproto.Conn) error {
	if err := c.PrintfLine("220 mail.test ready"); err != nil {
		return err
	}
	var from, to string
	for {
		line, err := c.ReadLine()
		if err != nil {
			return err
		}
		verb, rest, _ := strings.Cut(line, " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			err = c.PrintfLine("250-mail.test\r\n250-SIZE 1000000\r\n250 8BITMIME")
		case "MAIL":
			from, to = inAngles(rest), ""
			err = c.PrintfLine("250 2.1.0 ok")
		case "RCPT":
			if to != "" {
				err = c.PrintfLine("452 4.5.3 one at a time")
				break
			}
			to = inAngles(rest)
			err = c.PrintfLine("250 2.1.5 ok")
		case "DATA":
			if err = c.PrintfLine("354 go on"); err != nil {
				return err
			}
			raw, rerr := c.ReadDotBytes()
			if rerr != nil {
				return rerr
			}
			if err = s.take(from, to, raw); err != nil {
				return err
			}
			err = c.PrintfLine("250 2.0.0 taken")
		case "NOOP", "RSET":
			err = c.PrintfLine("250 2.0.0 ok")
		case "QUIT":
			return c.PrintfLine("221 2.0.0 bye")
		default:
			err = c.PrintfLine("502 5.5.1 what?")
		}
		if err != nil {
			return err
		}
	}
}

func inAngles(s string) string {
	_, s, _ = strings.Cut(s, "<")
	s, _, _ = strings.Cut(s, ">")
	return s
}

func (s *mailServer) take(from, to string, raw []byte) error {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	got := letter{from: from, to: to, header: m.Header}
	if got.subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		return err
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		return fmt.Errorf("a mail of type %q (%w)", kind, err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		var body io.Reader = bufio.NewReader(part)
		if part.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
			body = quotedprintable.NewReader(body)
		}
		content, err := io.ReadAll(body)
		if err != nil {
			return err
		}
		switch kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type")); kind {
		case "text/plain":
			got.text = string(content)
		case "text/html":
			got.html = string(content)
		default:
			return fmt.Errorf("a mail with a part of type %q", kind)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	got.number = len(s.mails)
	s.mails = append(s.mails, got)
	return nil
}

// show is the webmail: /NUMBER is a mail.
func (s *mailServer) show(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
	if err != nil || n < 0 || n >= len(s.mails) {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'") // whatever a mail loads is a complaint
	_, _ = io.WriteString(w, s.mails[n].html)
}

// to waits for the mail to an address with these words in its text, and takes
// it out of the pigeon hole: the next call waits for the next one.
func (s *mailServer) to(t testing.TB, address, words string) (found letter) {
	t.Helper()
	eventually(t, patience, fmt.Sprintf("a mail to %s about %q", address, words), func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for i, m := range s.mails {
			if m.to == address && strings.Contains(m.text, words) {
				found, s.mails[i].to = m, ""
				return true
			}
		}
		return false
	})
	return found
}

var linkInText = regexp.MustCompile(`https?://\S+`)

// link is the one that the mail is about; text and HTML must agree on it.
func (m letter) link(t testing.TB) string {
	t.Helper()
	found := linkInText.FindString(m.text)
	if found == "" || !strings.Contains(m.html, `href="`+html.EscapeString(found)+`"`) {
		t.Fatalf("the mail %q has no link, or another one in HTML:\n%s\n%s", m.subject, m.text, m.html)
	}
	return found
}

// sent is when the mail says it was made.
func (m letter) sent(t testing.TB) time.Time {
	t.Helper()
	at, err := m.header.Date()
	if err != nil {
		t.Fatal(err)
	}
	return at
}
