package mockidp

import (
	"net/http"
	"strings"
)

// serveUserinfo answers the claims of the access token's person (OpenID Connect Core
// 1.0, section 5.3). The token comes as header or form parameter (RFC 6750).
func (p *Provider) serveUserinfo(w http.ResponseWriter, r *http.Request) {
	l, hit, ok := p.profileLogin(w, r)
	if !ok {
		return
	}
	doc := p.claims(l)
	edit(p, doc, hit)
	writeJSON(w, http.StatusOK, doc)
}

// profileLogin finds whose profile is asked for, after the faults of the stage.
// False: the request is answered.
func (p *Provider) profileLogin(w http.ResponseWriter, r *http.Request) (l *login, hit []active, ok bool) {
	if m := p.cfg.Shape.Profile.Method; m != "" && r.Method != m {
		w.Header().Set("Allow", m)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return nil, nil, false
	}
	token, way := p.presented(r)
	l, known := p.access.get(token)
	var own []active
	if known {
		own = l.faults
	}
	hit, fine := p.faultsOf(w, r, StageUserinfo, own)
	if !fine || p.answered(w, r, hit) {
		return nil, nil, false
	}
	switch {
	case way == 0:
		w.Header().Set("WWW-Authenticate", `Bearer realm="mockidp"`)
		w.WriteHeader(http.StatusUnauthorized)
	case way > 1:
		bearerError(w, http.StatusBadRequest, "invalid_request", "the token is sent in more than one way")
	case !known || l.person == "":
		bearerError(w, http.StatusUnauthorized, "invalid_token", "the token is unknown or expired")
	default:
		return l, hit, true
	}
	return nil, nil, false
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
