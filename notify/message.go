package notify

import (
	"errors"
	"fmt"
	"net/mail"
	"time"

	gomail "github.com/wneessen/go-mail"

	"gatehouse/profile"
)

// Message is one mail ready for a Transport.
type Message struct {
	ID, Kind            string
	To                  profile.Email
	Subject, Text, HTML string
	At                  time.Time
}

// Sender is what stands in From.
type Sender struct {
	Name    string
	Address profile.Email
}

// ParseSender reads "Gatehouse <no-reply@example.com>" or a bare address.
func ParseSender(s string) (Sender, error) {
	a, err := mail.ParseAddress(s)
	if err != nil {
		return Sender{}, errors.New(`write it as no-reply@example.com or "Example sign-in <no-reply@example.com>"`)
	}
	address, err := profile.ParseEmail(a.Address)
	if err != nil {
		return Sender{}, err
	}
	return Sender{Name: profile.Untrusted(a.Name).Clean(80), Address: address}, nil
}

// compose makes the MIME message. go-mail encodes headers (RFC 2047) and
// folds them; what comes in here holds no line break in the first place (V3).
func compose(from Sender, m Message) (*gomail.Msg, error) {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(&mail.Address{Name: from.Name, Address: from.Address.String()})
	msg.ToMailAddress(&mail.Address{Address: m.To.String()})
	msg.Subject(profile.Untrusted(m.Subject).Clean(200))
	msg.SetDateWithValue(m.At)
	// The same mail sent twice is the same message to mail programs.
	msg.SetMessageIDWithValue(m.ID + "@" + from.Address.Domain())
	// No holiday notes come back (RFC 3834).
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	if len(msg.GetFrom()) != 1 || len(msg.GetTo()) != 1 {
		return nil, fmt.Errorf("notify: mail %s has no sender or recipient", m.ID)
	}
	return msg, nil
}

// SendError is why a mail was not sent.
type SendError struct {
	// Permanent: this mail will never be taken.
	Permanent bool
	// Unreachable: the server could not be spoken to, so it is no use to try
	// the next mail at once.
	Unreachable bool
	// Err is what happened; it may hold the server's own words, and addresses,
	// so it is for the queue's page and not for the log.
	Err error
}

// Error implements error.
func (e *SendError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *SendError) Unwrap() error { return e.Err }
