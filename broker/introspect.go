package broker

import (
	"errors"
	"net/http"
	"slices"
	"strings"
)

// introspection is an active answer (RFC 7662 §2.2).
type introspection struct {
	Active bool `json:"active"`
	accessClaims
	TokenType string `json:"token_type"`
}

// introspect is the introspection endpoint (RFC 7662) for confidential clients:
// about tokens made for them or to them. Everything else, refresh tokens
// included, is just not active.
func (b *Broker) introspect(w http.ResponseWriter, r *http.Request) {
	f, oerr := readBodyForm(w, r)
	if oerr != nil {
		b.writeOAuthError(w, r, oerr)
		return
	}
	caller, err := b.authenticateClient(r.Context(), r, f.Values)
	if err != nil {
		b.writeOAuthError(w, r, err)
		return
	}
	if caller.IsPublic() {
		b.writeOAuthError(w, r, errInvalidClient())
		return
	}
	token := f.Get("token")
	if token == "" {
		b.writeOAuthError(w, r, errInvalidRequest("token is missing."))
		return
	}
	inactive := map[string]bool{"active": false}
	a, err := b.readAccessToken(r.Context(), token)
	switch {
	case errors.Is(err, errInactive):
		writeJSON(w, http.StatusOK, inactive)
	case err != nil:
		b.writeOAuthError(w, r, errUnavailable(err))
	case !mayIntrospect(caller.(*client), a):
		writeJSON(w, http.StatusOK, inactive)
	default:
		a.Scope = strings.Join(a.Scopes, " ")
		writeJSON(w, http.StatusOK, introspection{Active: true, accessClaims: a.accessClaims, TokenType: "Bearer"})
	}
}

// mayIntrospect: the client the token was issued to, or one it is meant for
// (SECURITY-CASES I13).
func mayIntrospect(c *client, a access) bool {
	return a.ClientID == c.ID || slices.Contains(a.Audience, c.ID)
}
