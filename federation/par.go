package federation

import (
	"context"
	"net/http"
	"net/url"

	"gatehouse/profile"
	"gatehouse/store"
)

// maxRequestURI bounds the reference to a pushed request.
const maxRequestURI = 2048

// pushes reports whether the authorization request goes to the provider
// directly: its discovery document demands it, or the record does (RFC 9126 §5,
// §6: a provider may demand it of single clients and not say so).
func pushes(conn *store.Connection, md metadata) bool {
	return conn.PushAuthorization || md.pushRequired
}

// push sends the authorization request to the provider before the browser goes
// there, and returns what the browser carries instead: the client's id and a
// reference (RFC 9126 §4). Neither browser nor history sees the parameters, and
// nobody on the way can change them. Errors are *Error.
func (f *Federation) push(ctx context.Context, conn *store.Connection, u *upstream, md metadata, asked url.Values) (url.Values, error) {
	form, head := url.Values{}, http.Header{}
	for name, values := range asked {
		form[name] = values
	}
	if err := f.authenticate(conn, u, form, head); err != nil {
		return nil, err
	}
	head.Set("Accept", "application/json")
	head.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := f.do(ctx, conn, u, request{
		endpoint: "pushed_authorization", method: http.MethodPost, url: md.push, header: head, body: []byte(form.Encode()),
	})
	if err != nil {
		return nil, err
	}
	reference, err := readPushed(resp)
	if err != nil {
		return nil, err
	}
	store.Hide(ctx, reference)
	return url.Values{"client_id": {conn.ClientID}, "request_uri": {reference}}, nil
}

// readPushed checks the answer of RFC 9126 §2.2; 200 is let pass for 201. The
// reference is taken as it is: it only goes back to where it came from.
func readPushed(resp response) (requestURI string, err error) {
	o, err := resp.object("pushed_authorization", profile.Limits{Bytes: 64 << 10}, "application/json")
	accepted := resp.status == http.StatusCreated || resp.status == http.StatusOK
	if err != nil {
		if !accepted {
			err = fault(BlameProvider, CodeResponseStatus, "pushed authorization endpoint answered %d without an OAuth error", resp.status)
		}
		return "", err
	}
	if e, present := o["error"]; present {
		s, _ := e.(string)
		return "", pushFault(s)
	}
	if !accepted {
		return "", fault(BlameProvider, CodeResponseStatus, "pushed authorization endpoint answered %d without an OAuth error", resp.status)
	}
	reference, _ := o["request_uri"].(string)
	if u, err := url.Parse(reference); err != nil || u.Scheme == "" || !visible(reference, maxRequestURI) {
		return "", fault(BlameProvider, CodeResponseInvalid, "the answer to the pushed request has no request_uri")
	}
	return reference, nil
}

// pushFault maps the errors of RFC 9126 §2.3: those of the token endpoint about
// the client, and those of the authorize endpoint about the request.
func pushFault(code string) error {
	if code == "invalid_client" {
		return tokenError(code)
	}
	return callbackFault(code)
}
