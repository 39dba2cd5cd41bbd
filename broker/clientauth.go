package broker

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/ory/fosite"

	"gatehouse/store"
)

// authenticateClient implements fosite.ClientAuthenticationStrategy and serves
// the introspection and revocation endpoints too: one way in for all. The
// record, not the request, says which method counts (RFC 6749 §2.3; SECURITY-
// CASES I8, I9). Unknown clients cost the same comparison as known ones, and
// every failure is the same answer.
func (b *Broker) authenticateClient(ctx context.Context, r *http.Request, form url.Values) (fosite.Client, error) {
	id, secret, method, oerr := presentedCredentials(r, form)
	if oerr != nil {
		return nil, oerr
	}
	if !b.guesses.allow(id, r.RemoteAddr) {
		return nil, &oauthError{Code: "invalid_client", Description: "Too many failed attempts. Wait a minute.", Status: http.StatusTooManyRequests}
	}
	var rec store.Client
	err := b.store.View(ctx, func(tx store.Tx) (err error) {
		rec, err = b.store.Clients.Get(tx, id)
		return err
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, errUnavailable(err)
	}
	known := err == nil && !rec.Disabled && rec.AuthMethod == method
	proven := b.secretMatches(rec, secret)
	if method == "none" {
		proven = rec.Public() && secret == ""
	}
	if !known || !proven {
		b.guesses.failed(id, r.RemoteAddr)
		return nil, errInvalidClient()
	}
	return &client{rec}, nil
}

// secretMatches compares with every secret of the client, and with one dummy
// when there is none, in constant time (SECURITY-CASES Y6).
func (b *Broker) secretMatches(c store.Client, secret string) bool {
	got := []byte(store.HashToken(secret))
	secrets := c.Secrets
	if len(secrets) == 0 { // one comparison all the same; no secret hashes to this
		secrets = []store.ClientSecret{{Hash: strings.Repeat("x", len(got))}}
	}
	match := 0
	for _, s := range secrets {
		live := 1
		if !s.ExpiresAt.IsZero() && !b.now().Before(s.ExpiresAt) {
			live = 0
		}
		match |= subtle.ConstantTimeCompare(got, []byte(s.Hash)) & live
	}
	return match == 1 && secret != ""
}

// presentedCredentials reads the one authentication method of a request
// (RFC 6749 §2.3.1); two at once are refused.
func presentedCredentials(r *http.Request, form url.Values) (id, secret, method string, oerr *oauthError) {
	if len(r.Header.Values("Authorization")) > 1 {
		return "", "", "", errInvalidRequest("The Authorization header was sent twice.")
	}
	basicID, basicSecret, isBasic := r.BasicAuth()
	if !isBasic && r.Header.Get("Authorization") != "" {
		return "", "", "", errInvalidClient()
	}
	if form.Get("client_assertion") != "" || form.Get("client_assertion_type") != "" {
		return "", "", "", errInvalidClient()
	}
	if !isBasic {
		id, secret = form.Get("client_id"), form.Get("client_secret")
		if id == "" {
			return "", "", "", errInvalidClient()
		}
		if secret == "" {
			return id, "", "none", nil
		}
		return id, secret, "client_secret_post", nil
	}
	if form.Get("client_secret") != "" {
		return "", "", "", errInvalidRequest("Use one way of client authentication, not two.")
	}
	// Both halves are form-encoded inside Basic (RFC 6749 §2.3.1).
	id, err := url.QueryUnescape(basicID)
	if err != nil {
		return "", "", "", errInvalidClient()
	}
	if secret, err = url.QueryUnescape(basicSecret); err != nil {
		return "", "", "", errInvalidClient()
	}
	if posted := form.Get("client_id"); posted != "" && posted != id {
		return "", "", "", errInvalidRequest("client_id in the body differs from the one in the Authorization header.")
	}
	return id, secret, "client_secret_basic", nil
}
