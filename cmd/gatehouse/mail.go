package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"gatehouse/federation"
	"gatehouse/notify"
	"gatehouse/provisioning"
	"gatehouse/store"
	"gatehouse/templates"
)

// mailPasswordVariable holds the password of the mail server.
const mailPasswordVariable = "GATEHOUSE_MAIL_PASSWORD"

// mailSecrets is what the check of the configuration keeps for mails.
type mailSecrets struct {
	from     notify.Sender
	password string // of the variable
}

// mail judges the section of that name.
func (c *checker) mail() {
	m := &c.cfg.Mail
	c.oneOf("mail.tls", m.TLS, notify.TLSStart, notify.TLSImplicit, notify.TLSNone)
	switch {
	case m.SMTP == "" && m.Directory == "":
		for field, value := range map[string]string{"mail.from": m.From, "mail.username": m.Username, "mail.password_file": m.PasswordFile, "mail.ca_file": m.CAFile} {
			if value != "" {
				c.report(field, "it has no mail server to go with", "set mail.smtp, or remove it")
			}
		}
		return
	case m.SMTP != "" && m.Directory != "":
		c.report("mail.directory", "it excludes mail.smtp: mails are either sent or written to files", "remove one of them")
	}
	c.mailServer()
	if m.From == "" && m.SMTP == "" {
		m.From = "gatehouse@localhost.localdomain" // nobody answers a file
	}
	if m.From == "" {
		c.report("mail.from", "it is missing", "set the sender of all mails, such as no-reply@example.com")
		return
	}
	from, err := notify.ParseSender(m.From)
	if err != nil {
		c.report("mail.from", "it is not a sender", `write it as no-reply@example.com or "Example sign-in <no-reply@example.com>"`)
	}
	c.cfg.derived.mail.from = from
}

func (c *checker) mailServer() {
	m := &c.cfg.Mail
	if m.SMTP == "" {
		return
	}
	host, port, err := net.SplitHostPort(m.SMTP)
	switch {
	case err != nil || !hostName.MatchString(net.JoinHostPort(strings.ToLower(host), port)):
		c.report("mail.smtp", fmt.Sprintf("%q is not a mail server", m.SMTP), "write host:port, such as smtp.example.com:587")
	case m.TLS == notify.TLSNone && host != "localhost" && (net.ParseIP(host) == nil || !net.ParseIP(host).IsLoopback()):
		c.report("mail.tls", "none would send mails, and the links in them, readable by everyone on the way", "take starttls or implicit")
	}
	secret := m.PasswordFile != "" || c.cfg.derived.mail.password != ""
	switch {
	case m.Username != "" && !secret:
		c.report("mail.password_file", "it is missing beside username", "name a file with the password, or set "+mailPasswordVariable)
	case m.Username == "" && m.PasswordFile != "":
		c.report("mail.username", "it is missing beside password_file", "name who signs in to the mail server")
	}
}

// mailTransport makes what sends mails, and says how in words; nil when the
// configuration names no way.
func mailTransport(cfg *config) (transport notify.Transport, via string, err error) {
	m := cfg.Mail
	switch {
	case m.Directory != "":
		transport, err = notify.NewDirectory(m.Directory, cfg.derived.mail.from)
		return transport, "files in " + m.Directory, err
	case m.SMTP == "":
		return nil, "", nil
	}
	c := notify.SMTPConfig{
		Server: m.SMTP, TLS: m.TLS, From: cfg.derived.mail.from, Username: m.Username, Password: store.Secret(cfg.derived.mail.password),
	}
	if m.PasswordFile != "" && c.Password == "" {
		raw, err := os.ReadFile(m.PasswordFile)
		if err != nil {
			return nil, "", fmt.Errorf("mail.password_file: %w", err)
		}
		if c.Password = store.Secret(strings.TrimSpace(string(raw))); c.Password == "" {
			return nil, "", errors.New("mail.password_file: the file is empty")
		}
	}
	if m.CAFile != "" {
		raw, err := os.ReadFile(m.CAFile)
		if err != nil {
			return nil, "", fmt.Errorf("mail.ca_file: %w", err)
		}
		c.Roots = x509.NewCertPool()
		if !c.Roots.AppendCertsFromPEM(raw) {
			return nil, "", errors.New("mail.ca_file: there is no PEM certificate in it")
		}
	}
	transport, err = notify.NewSMTP(c)
	return transport, m.SMTP, err
}

// newNotifier makes what tells of events. It sends nothing until it runs.
func newNotifier(cfg *config, st *store.Store, fed *federation.Federation, p *provisioning.Provisioner, logger *slog.Logger, registry prometheus.Registerer) (*notify.Notifier, error) {
	mails, err := templates.NewMails("")
	if err != nil {
		return nil, err
	}
	transport, via, err := mailTransport(cfg)
	if err != nil {
		return nil, err
	}
	return notify.New(notify.Config{
		Store: st, Mails: mails, Transport: transport, Via: via, Poster: fed, Told: p.Told,
		Issuer: cfg.Issuer, AdminURL: cfg.Admin.URL, Now: st.Now, Logger: logger, Metrics: registry,
	})
}
