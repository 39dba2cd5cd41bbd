package mockidp

import (
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/go-jose/go-jose/v4"
)

// serveLogout ends the browser's session (OpenID Connect RP-Initiated Logout 1.0). It
// asks nothing: signing out of a mock provider harms nobody.
func (p *Provider) serveLogout(w http.ResponseWriter, r *http.Request) {
	v := r.Form
	id := single(v, "client_id")
	if hint := single(v, "id_token_hint"); hint != "" {
		claims, ok := p.hintClaims(hint)
		aud, _ := claims["aud"].(string)
		if !ok || (id != "" && id != aud) {
			p.errorPage(w, "The id_token_hint is not an ID token of this provider for this application.")
			return
		}
		id = aud
	}
	p.endSession(w, r)
	target := single(v, "post_logout_redirect_uri")
	client, known := p.clients[id]
	if target == "" || !known || !client.uriAllowed(target, client.PostLogoutRedirectURIs) {
		p.messagePage(w, http.StatusOK, "Signed out", "You are signed out here. You can close this page.")
		return
	}
	if u, err := url.Parse(target); err == nil {
		if state := single(v, "state"); state != "" {
			q := u.Query()
			q.Set("state", state)
			u.RawQuery = q.Encode()
		}
		w.Header().Set("Location", u.String())
		w.WriteHeader(http.StatusSeeOther)
	}
}

// hintClaims reads an ID token of ours that came back; it may have expired.
func (p *Provider) hintClaims(token string) (map[string]any, bool) {
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(p.cfg.SigningAlg)})
	if err != nil || len(jws.Signatures) != 1 {
		return nil, false
	}
	key := p.keys.lookup(jws.Signatures[0].Header.KeyID)
	if key == nil {
		return nil, false
	}
	payload, err := jws.Verify(key.private.Public())
	var claims map[string]any
	if err != nil || json.Unmarshal(payload, &claims) != nil || claims["iss"] != p.issuer {
		return nil, false
	}
	return claims, true
}

func (p *Provider) hintSubject(token string) (any, bool) {
	claims, ok := p.hintClaims(token)
	return claims["sub"], ok
}
