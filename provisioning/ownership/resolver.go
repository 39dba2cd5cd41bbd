package ownership

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// Resolver asks DNS for TXT records. The zero value asks the servers of the
// system.
type Resolver struct {
	// Server is host:port of the one server to ask; "" the system's.
	Server string
	// Timeout of one question with its repetitions; 5 s if zero.
	Timeout time.Duration
}

// Answer is what DNS said to a claim.
type Answer struct {
	Outcome Outcome
	// Says is what an admin should know, in a sentence; "" when all is well.
	Says string
	// Challenge is what was looked for, At when it was asked: an answer counts
	// for nothing else.
	Challenge string
	At        time.Time
}

// Outcome of a look at DNS.
type Outcome int

// Outcomes. The zero value changes nothing.
const (
	Unknown Outcome = iota // DNS could not be asked
	Proven                 // the record is there
	Missing                // DNS says that it is not
)

// Ask looks for the challenge of a domain at the record's own name and at the
// domain itself. Missing needs a definite answer for both (NXDOMAIN, or records
// without the value); an error, a time-out or a server failure is Unknown.
func (r Resolver) Ask(ctx context.Context, domain, challenge string, at time.Time) Answer {
	a := Answer{Outcome: Missing, Challenge: challenge, At: at, Says: "There is no TXT record with the value at " + RecordName(domain) + " or " + domain + "."}
	for _, name := range []string{RecordName(domain), domain} {
		values, err := r.texts(ctx, name)
		switch {
		case err != nil:
			if a.Outcome != Unknown {
				a.Outcome, a.Says = Unknown, fmt.Sprintf("DNS could not be asked for %s: %s.", name, err)
			}
		case proves(values, challenge):
			return Answer{Outcome: Proven, Challenge: challenge, At: at}
		case a.Outcome == Missing && foreign(values):
			a.Says = "The record at " + name + " has another value: perhaps an older one, or another organization's."
		}
	}
	return a
}

// What keeps DNS from answering, in words.
var (
	errSlow    = errors.New("it did not answer in time")
	errRefuses = errors.New("the server answered with an error")
)

// texts are the TXT values at a name, the strings of a record joined; none when
// DNS says that there are none.
func (r Resolver) texts(ctx context.Context, name string) ([]string, error) {
	timeout := r.Timeout
	if timeout <= 0 {
		timeout = 5 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	resolver := &net.Resolver{PreferGo: true}
	if r.Server != "" {
		resolver.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, r.Server)
		}
	}
	values, err := resolver.LookupTXT(ctx, name+".") // rooted: no search list
	var dns *net.DNSError
	switch {
	case err == nil:
		return values, nil
	case errors.As(err, &dns) && dns.IsNotFound:
		return nil, nil
	case ctx.Err() != nil, errors.As(err, &dns) && dns.IsTimeout:
		return nil, errSlow
	}
	return nil, errRefuses
}
