package federation

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

// Posts that are no part of a login: webhooks. They share the address policy
// and the bare transports of the outgoing client (SECURITY-CASES H1 to H3), and
// nothing else: no connection, no breaker, no trace.

// maxPostAnswer is how much of an answer is read; nobody looks at it.
const maxPostAnswer = 64 << 10

// CheckPostURL says in words why Post will never reach a URL; nil when it may.
func (f *Federation) CheckPostURL(raw string, allowPrivate bool) error {
	_, _, err := f.client.policy.reachOf(raw, allowPrivate)
	return err
}

// Post sends a body and returns status and header of the answer, whatever they
// are; redirects are not followed. allowPrivate lets it reach what the operator
// lists, and plain http there. Errors are fixed sentences that tell neither the
// answer nor an address: who wrote the URL may not be allowed to know the
// network it is resolved in.
func (f *Federation) Post(ctx context.Context, raw string, allowPrivate bool, header http.Header, body []byte) (int, http.Header, error) {
	target, reach, err := f.client.policy.reachOf(raw, allowPrivate)
	if err != nil {
		return 0, nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(body))
	if err != nil {
		return 0, nil, errors.New("it is not a URL that can be asked")
	}
	for name, values := range header {
		req.Header[name] = values
	}
	req.Header.Set("User-Agent", "Gatehouse")
	resp, err := f.client.transports[reach].RoundTrip(req)
	if err != nil {
		return 0, nil, postFault(err)
	}
	defer resp.Body.Close()
	// Read, so that the connection can be used again; an endless answer is not.
	if _, err := io.CopyN(io.Discard, resp.Body, maxPostAnswer); err != nil && !errors.Is(err, io.EOF) {
		return resp.StatusCode, resp.Header, postFault(err)
	}
	return resp.StatusCode, resp.Header, nil
}

func postFault(err error) error {
	var refused *addressError
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var timeout net.Error
	switch {
	case errors.As(err, &refused):
		return errors.New("its name leads to an address that is not allowed")
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return errors.New("it did not answer in time")
	case errors.As(err, &dns):
		return errors.New("its host name is not known")
	case errors.As(err, &unknown):
		return errors.New("its certificate is signed by nobody this machine trusts")
	case errors.As(err, &certificate):
		return fmt.Errorf("its certificate is not valid: %s", quoted(certificate.Err.Error()))
	}
	return errors.New("no connection, or it broke off")
}
