package broker

import (
	"errors"
	"net/http"
	"slices"
	"strings"
)

// userinfo is the UserInfo endpoint (OpenID Connect Core §5.3): GET, or POST
// with the token in the header or the form, never in the URL.
func (b *Broker) userinfo(w http.ResponseWriter, r *http.Request) {
	if !allowMethods(w, r, http.MethodGet, http.MethodPost) {
		return
	}
	token, oerr := bearerToken(r)
	if oerr != nil {
		b.writeBearerError(w, r, http.StatusBadRequest, oerr.Code, oerr.Description)
		return
	}
	if token == "" {
		b.writeBearerError(w, r, http.StatusUnauthorized, "", "")
		return
	}
	a, err := b.readAccessToken(r.Context(), token)
	switch {
	case errors.Is(err, errInactive) || (err == nil && a.grant.ID == ""):
		b.writeBearerError(w, r, http.StatusUnauthorized, "invalid_token", "The access token is not valid: it is unknown, expired or revoked.")
		return
	case err != nil:
		b.writeOAuthError(w, r, errUnavailable(err))
		return
	case !slices.Contains(a.Scopes, scopeOpenID):
		b.writeBearerError(w, r, http.StatusForbidden, "insufficient_scope", "The access token was not granted the scope openid.")
		return
	}
	body := map[string]any{"sub": a.grant.UserID}
	b.addClaims(body, personOf(a.standing), a.Scopes, a.grant.UserinfoClaims)
	writeJSON(w, http.StatusOK, body)
}

// bearerToken takes the token from the one place it was sent in (RFC 6750 §2);
// "" when there is none.
func bearerToken(r *http.Request) (string, *oauthError) {
	if r.URL.Query().Has("access_token") {
		return "", errInvalidRequest("Send the access token in the Authorization header, not in the URL.")
	}
	var found []string
	for _, h := range r.Header.Values("Authorization") {
		if scheme, token, ok := strings.Cut(h, " "); ok && strings.EqualFold(scheme, "Bearer") {
			found = append(found, strings.TrimSpace(token))
		}
	}
	if r.Method == http.MethodPost && r.Header.Get("Content-Type") != "" && r.ContentLength != 0 {
		f, err := readForm(r)
		if err != nil || len(f.repeated) > 0 {
			return "", errInvalidRequest("The form cannot be read.")
		}
		if t := f.Get("access_token"); t != "" {
			found = append(found, t)
		}
	}
	switch len(found) {
	case 0:
		return "", nil
	case 1:
		return found[0], nil
	}
	return "", errInvalidRequest("Send the access token once.")
}
