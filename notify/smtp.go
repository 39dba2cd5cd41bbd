package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"

	"gatehouse/store"
)

// Ways to protect the connection to the mail server.
const (
	TLSStart    = "starttls" // required: without it nothing is sent
	TLSImplicit = "implicit"
	TLSNone     = "none" // loopback only
)

// How long a mail server may take.
const (
	smtpConnect = 15 * time.Second // connect, and each command
	smtpWhole   = time.Minute      // one mail, all in all
)

// SMTPConfig says how mails are handed to a mail server. Server, From and TLS
// are required.
type SMTPConfig struct {
	Server   string // host:port
	TLS      string // TLSStart, TLSImplicit or TLSNone
	From     Sender
	Username string // empty: no sign-in
	Password store.Secret
	// Roots are the authorities trusted for it; nil: the system's.
	Roots *x509.CertPool
}

type smtpTransport struct {
	cfg  SMTPConfig
	host string
	port int
}

// NewSMTP makes a Transport to a mail server. It makes no connection yet.
func NewSMTP(cfg SMTPConfig) (Transport, error) {
	host, port, err := net.SplitHostPort(cfg.Server)
	if err != nil {
		return nil, fmt.Errorf("notify: mail server: %w", err)
	}
	n, err := strconv.Atoi(port)
	if err != nil || host == "" || n < 1 || n > 65535 {
		return nil, errors.New("notify: the mail server is not host:port")
	}
	if ip := net.ParseIP(host); cfg.TLS == TLSNone && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, errors.New("notify: without TLS only a mail server on this machine may be used")
	}
	return &smtpTransport{cfg: cfg, host: host, port: n}, nil
}

// LogValue implements slog.LogValuer: no password.
func (t *smtpTransport) LogValue() slog.Value { return slog.StringValue("smtp " + t.cfg.Server) }

// Send implements Transport. One connection serves one mail: mails are few, and
// a connection that is kept is one that dies at the wrong moment.
func (t *smtpTransport) Send(ctx context.Context, m Message) error {
	msg, err := compose(t.cfg.From, m)
	if err != nil {
		return &SendError{Permanent: true, Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, smtpWhole)
	defer cancel()
	dialed := &dialer{tls: t.cfg.TLS == TLSImplicit, config: t.tls(), made: make(chan net.Conn, 1)}
	defer dialed.close()
	client, err := gomail.NewClient(t.host, t.options(dialed)...)
	if err != nil {
		return &SendError{Permanent: true, Err: err}
	}
	// A server that says nothing is hung up on when the time is over.
	defer context.AfterFunc(ctx, dialed.close)()
	connection, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return &SendError{Unreachable: true, Err: err}
	}
	err = client.SendWithSMTPClient(connection, msg)
	_ = client.CloseWithSMTPClient(connection) // whether it says goodbye changes nothing
	if msg.IsDelivered() {
		return nil
	}
	if err == nil {
		err = errors.New("the mail server did not take the mail")
	}
	var refused *gomail.SendError
	if errors.As(err, &refused) && refused.ErrorCode() > 0 {
		return &SendError{Permanent: refused.ErrorCode() >= 500, Err: err}
	}
	return &SendError{Unreachable: true, Err: err}
}

func (t *smtpTransport) tls() *tls.Config {
	return &tls.Config{ServerName: t.host, MinVersion: tls.VersionTLS12, RootCAs: t.cfg.Roots}
}

func (t *smtpTransport) options(d *dialer) []gomail.Option {
	options := []gomail.Option{
		gomail.WithPort(t.port), gomail.WithTimeout(smtpConnect), gomail.WithTLSConfig(t.tls()),
		gomail.WithDialContextFunc(d.dial), gomail.WithHELO(t.cfg.From.Address.Domain()), gomail.WithoutNoop(),
	}
	switch t.cfg.TLS {
	case TLSImplicit:
		options = append(options, gomail.WithSSL())
	case TLSNone:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if t.cfg.Username != "" {
		// The password itself travels only inside TLS, or on this machine:
		// PLAIN and LOGIN of go-mail refuse everything else.
		options = append(options, gomail.WithUsername(t.cfg.Username), gomail.WithPassword(t.cfg.Password.Reveal()),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin))
	}
	return options
}

// dialer keeps the connection it made, because go-mail leaves it open when the
// conversation fails before the first mail.
type dialer struct {
	tls    bool
	config *tls.Config
	made   chan net.Conn // holds the one connection until it is closed
}

func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	connect := net.Dialer{Timeout: smtpConnect}
	conn, err := connect.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.made <- conn
	if !d.tls {
		return conn, nil
	}
	secured := tls.Client(conn, d.config)
	return secured, secured.HandshakeContext(ctx)
}

func (d *dialer) close() {
	select {
	case conn := <-d.made:
		_ = conn.Close()
	default:
	}
}
