package mockidp

import (
	"net/http"
	"strings"
)

// serveUserinfo answers the claims of the access token's person (OpenID Connect Core
// 1.0, section 5.3). The token comes as header or form parameter (RFC 6750).
func (p *Provider) serveUserinfo(w http.ResponseWriter, r *http.Request) {
	token, way := bearer(r)
	l, ok := p.access.get(token)
	var own []active
	if ok {
		own = l.faults
	}
	hit, fine := p.faultsOf(w, r, StageUserinfo, own)
	if !fine || p.answered(w, r, hit) {
		return
	}
	switch {
	case way == 0:
		w.Header().Set("WWW-Authenticate", `Bearer realm="mockidp"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	case way > 1:
		bearerError(w, http.StatusBadRequest, "invalid_request", "the token is sent in more than one way")
		return
	case !ok || l.person == "":
		bearerError(w, http.StatusUnauthorized, "invalid_token", "the token is unknown or expired")
		return
	}
	doc := p.claims(l)
	edit(p, doc, hit)
	writeJSON(w, http.StatusOK, doc)
}

// bearer is the access token and in how many ways it was sent.
func bearer(r *http.Request) (token string, ways int) {
	if scheme, t, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		token, ways = strings.TrimSpace(t), ways+1
	}
	if t := single(r.PostForm, "access_token"); t != "" {
		token, ways = t, ways+1
	}
	return token, ways
}

func bearerError(w http.ResponseWriter, status int, code, description string) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="mockidp", error="`+code+`", error_description="`+description+`"`)
	writeJSON(w, status, map[string]any{"error": code, "error_description": description})
}
