package notify

import (
	"context"
	"errors"
	"mime"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/profile"
)

func transportTo(t testing.TB, s *smtpd, change func(*SMTPConfig)) Transport {
	t.Helper()
	cfg := SMTPConfig{Server: s.address, TLS: TLSStart, From: sender(t), Roots: s.roots}
	if change != nil {
		change(&cfg)
	}
	transport, err := NewSMTP(cfg)
	must(t, err)
	return transport
}

func aMessage(t testing.TB) Message {
	t.Helper()
	to, err := profile.ParseEmail("nina@acme.test")
	must(t, err)
	return Message{
		ID: "M1", Kind: "test", To: to, Subject: "Grüße", Text: "Hallo\n", HTML: "<p>Hallo</p>", At: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC),
	}
}

func TestSMTPSendsOverTLS(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		server func(*smtpd)
		config func(*SMTPConfig)
	}{
		"starttls":              {nil, nil},
		"implicit":              {func(s *smtpd) { s.implicit = true }, func(c *SMTPConfig) { c.TLS = TLSImplicit }},
		"none, on this machine": {func(s *smtpd) { s.plain = true }, func(c *SMTPConfig) { c.TLS = TLSNone }},
		"signed in": {
			func(s *smtpd) { s.user, s.password = "gatehouse", "pass-canary" },
			func(c *SMTPConfig) { c.Username, c.Password = "gatehouse", "pass-canary" },
		},
		"signed in, implicit": {
			func(s *smtpd) { s.implicit, s.user, s.password = true, "gatehouse", "pass-canary" },
			func(c *SMTPConfig) { c.TLS, c.Username, c.Password = TLSImplicit, "gatehouse", "pass-canary" },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSMTPD(t, c.server)
			must(t, transportTo(t, s, c.config).Send(t.Context(), aMessage(t)))
			m := parse(t, <-s.taken)
			subject, err := new(mime.WordDecoder).DecodeHeader(m.header.Get("Subject"))
			must(t, err)
			for header, want := range map[string]string{
				"From": `"Gatehouse" <no-reply@login.example>`, "To": "<nina@acme.test>", "Message-Id": "<M1@login.example>", "Auto-Submitted": "auto-generated",
			} {
				if got := m.header.Get(header); got != want {
					t.Errorf("%s: got %q, want %q", header, got, want)
				}
			}
			if subject != "Grüße" || m.text != "Hallo\n" || m.html != "<p>Hallo</p>" {
				t.Errorf("got %q, %q, %q", subject, m.text, m.html)
			}
		})
	}
}

// TestSMTPNeverInTheClear: a server, or somebody on the way, that takes
// STARTTLS out of the conversation gets neither mail nor password.
func TestSMTPNeverInTheClear(t *testing.T) {
	t.Parallel()
	s := newSMTPD(t, func(s *smtpd) { s.plain, s.user, s.password = true, "gatehouse", "x" })
	err := transportTo(t, s, func(c *SMTPConfig) { c.Username, c.Password = "gatehouse", "x" }).Send(t.Context(), aMessage(t))
	var why *SendError
	if !errors.As(err, &why) || !why.Unreachable || why.Permanent {
		t.Fatalf("got %v", err)
	}
	s.stop()
	for _, c := range s.commands {
		if c != "connect" && c != "EHLO" && c != "QUIT" {
			t.Errorf("%s was said in the clear", c)
		}
	}
	if _, err := NewSMTP(SMTPConfig{Server: "mail.example:25", TLS: TLSNone, From: sender(t)}); err == nil {
		t.Error("a server elsewhere may be used without TLS")
	}
}

func TestSMTPFaults(t *testing.T) {
	t.Parallel()
	at := func(command, answer string) func(string) string {
		return func(c string) string {
			if c == command {
				return answer
			}
			return ""
		}
	}
	for name, c := range map[string]struct {
		answer      func(string) string
		config      func(*SMTPConfig)
		permanent   bool
		unreachable bool
	}{
		"recipient unknown":    {answer: at("RCPT", "550 5.1.1 no such person"), permanent: true},
		"refused at the end":   {answer: at("dot", "554 5.7.1 looks like spam"), permanent: true},
		"greylisted":           {answer: at("RCPT", "451 4.7.1 later")},
		"full":                 {answer: at("dot", "452 4.2.2 full")},
		"busy":                 {answer: at("connect", "421 4.3.2 busy"), unreachable: true},
		"hangs at once":        {answer: at("connect", "hang"), unreachable: true},
		"hangs at MAIL":        {answer: at("MAIL", "hang"), unreachable: true},
		"hangs at DATA":        {answer: at("DATA", "hang"), unreachable: true},
		"another's key":        {config: func(c *SMTPConfig) { c.Roots = nil }, unreachable: true},
		"wrong password stays": {config: func(c *SMTPConfig) { c.Username, c.Password = "gatehouse", "wrong" }, unreachable: true},
		"nobody there":         {config: func(c *SMTPConfig) { c.Server = "127.0.0.1:1" }, unreachable: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSMTPD(t, func(s *smtpd) {
				if strings.HasPrefix(name, "wrong") {
					s.user, s.password = "gatehouse", "right"
				}
			})
			s.answering(c.answer)
			limit := 10 * time.Second
			if strings.HasPrefix(name, "hangs") {
				limit = 300 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			err := transportTo(t, s, c.config).Send(ctx, aMessage(t))
			var why *SendError
			if !errors.As(err, &why) || why.Permanent != c.permanent || why.Unreachable != c.unreachable {
				t.Errorf("got %#v", err)
			}
			if len(s.taken) > 0 {
				t.Error("the mail was taken all the same")
			}
			s.sessionsEnd(t) // go-mail leaves connections open when the conversation fails early
		})
	}
}

// sessionsEnd waits until the server has no connection left.
func (s *smtpd) sessionsEnd(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	_ = s.listener.Close()
	s.mu.Unlock()
	done := make(chan struct{})
	go func() { s.sessions.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Errorf("%d connections stay open", s.connections())
	}
}

func TestDirectoryIsForTheOwnerOnly(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mail")
	d, err := NewDirectory(path, sender(t))
	must(t, err)
	m := aMessage(t)
	m.Kind = "../../test"
	must(t, d.Send(t.Context(), m))
	files, err := os.ReadDir(path)
	must(t, err)
	if len(files) != 1 || !strings.HasSuffix(files[0].Name(), ".eml") {
		t.Fatalf("got %v", files)
	}
	info, err := files[0].Info()
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the file is readable for others: %v", info.Mode())
	}
	raw, err := os.ReadFile(filepath.Join(path, files[0].Name()))
	must(t, err)
	if got := parse(t, string(raw)).text; got != "Hallo\n" {
		t.Errorf("got %q", got)
	}
}
