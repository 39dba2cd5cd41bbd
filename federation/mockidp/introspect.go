package mockidp

import (
	"net/http"
	"strings"
)

// serveIntrospect says what a token is worth (RFC 7662); only its own client learns it.
func (p *Provider) serveIntrospect(w http.ResponseWriter, r *http.Request) {
	client, bad := p.authenticateClient(r)
	if bad != nil {
		p.tokenError(w, r, *bad)
		return
	}
	token := single(r.PostForm, "token")
	l, ok := p.access.get(token)
	if !ok {
		l, ok = p.refresh.get(token)
	}
	if !ok || l.client != client.ID {
		writeJSON(w, http.StatusOK, map[string]any{"active": false})
		return
	}
	doc := map[string]any{"active": true, "client_id": l.client, "iss": p.issuer, "scope": strings.Join(l.scope, " "), "token_type": "Bearer"}
	if l.person != "" {
		doc["sub"] = p.claims(l)["sub"]
		doc["username"] = l.person
	}
	writeJSON(w, http.StatusOK, doc)
}

// serveRevoke ends a token (RFC 7009). A refresh token takes its access tokens along.
func (p *Provider) serveRevoke(w http.ResponseWriter, r *http.Request) {
	client, bad := p.authenticateClient(r)
	if bad != nil {
		p.tokenError(w, r, *bad)
		return
	}
	token := single(r.PostForm, "token")
	if l, ok := p.access.get(token); ok && l.client == client.ID {
		p.access.remove(token)
	}
	if l, ok := p.refresh.get(token); ok && l.client == client.ID {
		p.refresh.remove(token)
		p.access.removeFunc(func(a *login) bool { return a.grant == l.grant })
	}
	w.WriteHeader(http.StatusOK)
}
