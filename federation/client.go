package federation

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
)

const maxBody = 1 << 20

// client is the one outgoing HTTP client. It holds a transport per reach, so
// that a pooled connection to a private address is never lent to a connection
// that may not go there. Transports are used bare: no redirects, no cookies, no
// proxy from the environment, no transparent decompression, and no retry of a
// request whose bytes went out.
type client struct {
	policy     NetworkPolicy
	metrics    *metrics
	transports [reachListed + 1]*http.Transport
}

func newClient(p NetworkPolicy, m *metrics) *client {
	c := &client{policy: p, metrics: m}
	for r := range c.transports {
		c.transports[r] = &http.Transport{
			DialContext:            c.dialer(reach(r)),
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    5 * time.Second,
			ResponseHeaderTimeout:  9 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
			DisableCompression:     true,
			ForceAttemptHTTP2:      true,
			MaxIdleConns:           512,
			MaxIdleConnsPerHost:    64, // as many as the bulkhead lets run
			// Shorter than common servers' own, so that a code is rarely sent
			// into a connection that the other side is just closing.
			IdleConnTimeout: 25 * time.Second,
		}
	}
	return c
}

func (c *client) close() {
	for _, t := range c.transports {
		t.CloseIdleConnections()
	}
}

// addressError: the dialer met an address the policy does not permit.
type addressError struct{ addr netip.Addr }

func (e *addressError) Error() string { return "address " + e.addr.String() + " is not allowed" }

// dialer checks each resolved address in Control, after name resolution and
// before the first packet.
func (c *client) dialer(r reach) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		d := net.Dialer{
			Timeout: 4 * time.Second, KeepAlive: 15 * time.Second,
			ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
				ap, err := netip.ParseAddrPort(address)
				if err != nil {
					return err
				}
				if !c.policy.permits(host, ap.Addr(), r) {
					return &addressError{ap.Addr()}
				}
				return nil
			},
		}
		return d.DialContext(ctx, network, addr)
	}
}

// request to a provider. endpoint names it in metrics and errors.
type request struct {
	endpoint string
	method   string
	url      string
	// query is added to the URL's own. It is apart because it may hold an
	// access token: url is quoted in errors, query never.
	query  url.Values
	header http.Header
	body   []byte
}

// response of a provider, read to its end; status is 2xx or 4xx except 429.
type response struct {
	status int
	header http.Header
	body   []byte
}

// do makes one request within the connection's bulkhead and breaker. It is
// never repeated. Errors are *Error.
func (f *Federation) do(ctx context.Context, conn *store.Connection, u *upstream, req request) (response, error) {
	start := time.Now()
	resp, err := f.guarded(ctx, conn, u, req)
	f.metrics.requested(conn.ID, req.endpoint, time.Since(start), err)
	f.seen.answered(req, resp)
	store.Note(ctx, store.Host("host", req.url), store.Int("status", resp.status), store.Int("bytes", len(resp.body)), store.Millis("took", time.Since(start)))
	return resp, err
}

func (f *Federation) guarded(ctx context.Context, conn *store.Connection, u *upstream, req request) (response, error) {
	target, reach, err := f.client.policy.reachOf(req.url, conn.AllowPrivateNetwork)
	if err != nil {
		return response{}, fault(BlameOurs, CodeURLRefused, "%s endpoint %s: %w", req.endpoint, quoted(req.url), err)
	}
	if err := u.acquire(ctx, f.timing.bulkhead); err != nil {
		return response{}, err
	}
	defer u.release()
	probe, ok := u.breaker.enter()
	if !ok {
		return response{}, temporary(CodeSuspended, "not asked: it failed repeatedly just now")
	}
	if len(req.query) > 0 {
		q := target.Query()
		for name, values := range req.query {
			q[name] = values
		}
		target.RawQuery = q.Encode()
	}
	limited, cancel := context.WithTimeout(ctx, f.timing.request)
	defer cancel()
	httpReq, err := http.NewRequestWithContext(limited, req.method, target.String(), bytes.NewReader(req.body))
	if err != nil {
		u.breaker.done(probe, abandoned)
		return response{}, fault(BlameOurs, CodeURLRefused, "%s endpoint cannot be asked", req.endpoint)
	}
	if len(req.body) == 0 {
		httpReq.Body, httpReq.GetBody = http.NoBody, nil
	}
	for name, values := range req.header {
		httpReq.Header[name] = values
	}
	httpReq.Header.Set("User-Agent", "Gatehouse")
	resp, err := f.client.roundTrip(f.client.transports[reach], httpReq, req.endpoint)
	if err != nil && ctx.Err() == context.Canceled {
		u.breaker.done(probe, abandoned)
		return response{}, fault(BlameUser, CodeAbandoned, "the browser went away")
	}
	u.breaker.done(probe, health(err))
	return resp, err
}

// health is what an error says about the provider being alive.
func health(err error) outcome {
	if e, ok := AsError(err); ok {
		switch e.Code {
		case CodeUnreachable, CodeTimeout, CodeUnavailable:
			return dead
		}
	}
	return alive
}

func (c *client) roundTrip(t *http.Transport, req *http.Request, endpoint string) (response, error) {
	resp, err := t.RoundTrip(req)
	if err != nil {
		return response{}, transportFault(endpoint, err)
	}
	defer resp.Body.Close()
	switch s := resp.StatusCode; {
	case s >= 500 || s == http.StatusTooManyRequests:
		return response{}, temporary(CodeUnavailable, "%s endpoint answered %d", endpoint, s)
	case s >= 300 && s < 400:
		return response{}, fault(BlameProvider, CodeRedirectRefused, "%s endpoint answered %d; redirects are not followed", endpoint, s)
	case s < 200:
		return response{}, fault(BlameProvider, CodeResponseStatus, "%s endpoint answered %d", endpoint, s)
	}
	if enc := resp.Header.Get("Content-Encoding"); enc != "" && enc != "identity" {
		return response{}, fault(BlameProvider, CodeResponseType, "%s endpoint compressed its answer unasked (%s)", endpoint, quoted(enc))
	}
	if resp.ContentLength > maxBody {
		return response{}, fault(BlameProvider, CodeResponseTooLarge, "%s endpoint announced %d bytes; at most %d are read", endpoint, resp.ContentLength, maxBody)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	switch {
	case err != nil:
		return response{}, transportFault(endpoint, err)
	case len(body) > maxBody:
		return response{}, fault(BlameProvider, CodeResponseTooLarge, "%s endpoint sent more than %d bytes", endpoint, maxBody)
	}
	return response{resp.StatusCode, resp.Header, body}, nil
}

func transportFault(endpoint string, err error) error {
	var refused *addressError
	var timeout net.Error
	switch {
	case errors.As(err, &refused):
		return fault(BlameOurs, CodeAddressRefused, "%s endpoint: %w", endpoint, refused)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return temporary(CodeTimeout, "%s endpoint did not answer in time", endpoint)
	}
	return temporary(CodeUnreachable, "%s endpoint: %s", endpoint, quoted(err.Error()))
}

// acquire takes a slot of the connection's bulkhead: however slow a provider
// is, it holds at most these many of our requests (SECURITY-CASES Q4).
func (u *upstream) acquire(ctx context.Context, wait time.Duration) error {
	select {
	case u.slots <- struct{}{}:
		return nil
	default:
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case u.slots <- struct{}{}:
		return nil
	case <-timer.C:
	case <-ctx.Done():
	}
	return temporary(CodeBusy, "all %d requests to this provider are waiting", cap(u.slots))
}

func (u *upstream) release() { <-u.slots }

// anyJSON among the types of object accepts application/vnd.github+json and its
// like (RFC 6839 §3.1).
const anyJSON = "application/*+json"

// object reads a response as one JSON object of an expected media type.
func (r response) object(endpoint string, limits profile.Limits, types ...string) (map[string]any, error) {
	mt, params, err := mime.ParseMediaType(r.header.Get("Content-Type"))
	known := slices.Contains(types, mt) || slices.Contains(types, anyJSON) && strings.HasPrefix(mt, "application/") && strings.HasSuffix(mt, "+json")
	if err != nil || !known || len(r.header.Values("Content-Type")) != 1 {
		return nil, fault(BlameProvider, CodeResponseType, "%s endpoint sent %s instead of %s", endpoint, quoted(r.header.Get("Content-Type")), types[0])
	}
	if cs := params["charset"]; cs != "" && !bytes.EqualFold([]byte(cs), []byte("utf-8")) {
		return nil, fault(BlameProvider, CodeResponseType, "%s endpoint sent charset %s instead of UTF-8", endpoint, quoted(cs))
	}
	return parseObject(endpoint+" response", CodeResponseInvalid, r.body, limits)
}

func parseObject(what, code string, b []byte, limits profile.Limits) (map[string]any, error) {
	v, err := profile.ParseJSON(b, limits)
	if err != nil {
		return nil, fault(BlameProvider, code, "%s: %w", what, err)
	}
	o, ok := v.(map[string]any)
	if !ok {
		return nil, fault(BlameProvider, code, "%s: %w", what, errNotObject)
	}
	return o, nil
}

var errNotObject = fmt.Errorf("not a JSON object")
