package broker

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"gatehouse/broker/session"
	"gatehouse/federation"
	"gatehouse/profile"
	"gatehouse/store"
)

// Bounds of the parameters that an app forwards: they travel in the login's cookie.
const (
	maxForwarded      = 16
	maxForwardedValue = 1024
	maxForwardedTotal = 2048
)

// forwarded are the app's own parameters that its record lets connections pass
// on; those of the protocol never.
func forwarded(c store.Client, f form) (map[string]string, *oauthError) {
	var out map[string]string
	total := 0
	for i, name := range c.ForwardParameters {
		v := f.Get(name)
		if v == "" || i >= maxForwarded || slices.Contains(kept(), name) || slices.Contains(protocolParameters(), name) {
			continue
		}
		if total += len(v); len(v) > maxForwardedValue || total > maxForwardedTotal {
			return nil, errInvalidRequest("A parameter for the identity provider is too long.")
		}
		if out == nil {
			out = map[string]string{}
		}
		out[name] = v
	}
	return out, nil
}

// protocolParameters mean something to us at one endpoint or the other.
func protocolParameters() []string {
	return []string{
		"client_secret", "client_assertion", "client_assertion_type", "grant_type", "code", "code_verifier", "refresh_token",
		"username", "password", "assertion", "request", "request_uri", "id_token_hint", "registration",
	}
}

// sessionLookup reads attributes of the browser's live session and of its
// person's identities, for parameters that a connection takes from there. It
// asks the store only when a connection does.
func (b *Broker) sessionLookup(r *http.Request) federation.Lookup {
	return func(connection, kind, attribute string) (string, bool) {
		sess, err := b.sessions.Load(r)
		if err != nil {
			if !errors.Is(err, session.ErrNone) {
				b.logger.Error("session not read", "cause", err.Error(), "request_id", requestID(r))
			}
			return "", false
		}
		return b.personLookup(r, sess)(connection, kind, attribute)
	}
}

func (b *Broker) personLookup(r *http.Request, sess store.Session) federation.Lookup {
	return func(connection, kind, attribute string) (value string, ok bool) {
		err := b.store.View(r.Context(), func(tx store.Tx) error {
			for i, err := range b.store.Identities.AllByIndex(tx, "user", sess.UserID) {
				if err != nil {
					return err
				}
				if i.ConnectionID != connection {
					continue
				}
				if kind == "profile" {
					value = profileAttribute(i.Attributes, attribute)
				} else {
					value = securityAttribute(i, sess, attribute)
				}
				return nil
			}
			return nil
		})
		return value, err == nil && value != ""
	}
}

func profileAttribute(a profile.Attributes, name string) string {
	switch name {
	case "federation_id":
		return a.FederationID
	case "first_name":
		return a.FirstName
	case "last_name":
		return a.LastName
	case "display_name":
		return a.DisplayName
	case "email":
		return a.Email
	case "phone":
		return a.Phone
	case "picture":
		return a.Picture
	}
	return strings.Join(a.Custom[name], " ")
}

func securityAttribute(i store.Identity, sess store.Session, name string) string {
	switch {
	case name == "subject":
		return i.Subject
	case name == "issuer":
		return i.Issuer
	case sess.ConnectionID != i.ConnectionID:
		return "" // what follows is of the session, which began elsewhere
	case name == "auth_time":
		return sess.AuthTime.UTC().Format("2006-01-02T15:04:05Z")
	case name == "acr":
		return sess.ACR
	case name == "amr":
		return strings.Join(sess.AMR, " ")
	}
	return ""
}
