package mockidp

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// codeGrant is what an authorization code stands for.
type codeGrant struct {
	login       *login
	redirectURI string
	challenge   string
	used        atomic.Bool
}

// serveToken is the token endpoint (RFC 6749, section 3.2).
func (p *Provider) serveToken(w http.ResponseWriter, r *http.Request) {
	v := r.PostForm
	grant, own := single(v, "grant_type"), []active(nil)
	// The login's own faults count before anything is judged or used up.
	switch grant {
	case "authorization_code":
		if g, ok := p.codes.get(single(v, "code")); ok {
			own = g.login.faults
		}
	case "refresh_token":
		if l, ok := p.refresh.get(single(v, "refresh_token")); ok {
			own = l.faults
		}
	}
	hit, ok := p.faultsOf(w, r, StageToken, own)
	if !ok {
		return
	}
	if grant == "refresh_token" {
		hit = append(hit, p.faults.take(StageRefresh, own)...)
	}
	if p.answered(w, r, hit) {
		return
	}
	client, bad := p.authenticateClient(r)
	if bad != nil {
		p.tokenError(w, r, *bad)
		return
	}
	var l *login
	switch grant {
	case "authorization_code":
		l, bad = p.redeemCode(client, v)
	case "refresh_token":
		l, bad = p.redeemRefresh(client, v)
	case "client_credentials":
		l, bad = p.clientCredentials(client, v)
	case "":
		bad = &problem{"invalid_request", "grant_type is missing"}
	default:
		l, bad = p.directGrant(client, grant, v)
	}
	if bad != nil {
		p.tokenError(w, r, *bad)
		return
	}
	doc, err := p.tokens(l, v, hit)
	if err != nil {
		p.cfg.Logger.Error("making tokens", "error", err)
		writeJSON(w, http.StatusInternalServerError, map[string]any{"error": "server_error"})
		return
	}
	writeJSON(w, http.StatusOK, doc)
}

// tokens makes the successful answer (RFC 6749, section 5.1).
func (p *Provider) tokens(l *login, v url.Values, hit []active) (map[string]any, error) {
	access := p.access.add(l)
	doc := map[string]any{
		"access_token": access, "token_type": "Bearer", "expires_in": int64(p.cfg.AccessTokenTTL / time.Second),
		"scope": strings.Join(l.scope, " "),
	}
	switch {
	case l.person == "":
	case single(v, "grant_type") == "refresh_token" && !p.cfg.RotateRefreshTokens:
	case p.cfg.AlwaysRefreshToken || l.has("offline_access"):
		doc["refresh_token"] = p.refresh.add(l)
	}
	if l.person != "" && !p.cfg.Shape.PlainOAuth2 && l.has("openid") {
		id, err := p.mint(l, access, append(hit, p.faults.take(StageIDToken, l.faults)...))
		if err != nil {
			return nil, err
		}
		doc["id_token"] = id
		if l.nonce != "" {
			p.lastSeen.Store(&l.nonce)
		}
	}
	if l.person != "" {
		p.shapeToken(doc, l)
	}
	edit(p, doc, hit)
	return doc, nil
}

func (p *Provider) redeemCode(client Client, v url.Values) (*login, *problem) {
	g, ok := p.codes.get(single(v, "code"))
	if !ok || g.login.client != client.ID {
		return nil, &problem{"invalid_grant", "the code is unknown, expired or of another client"}
	}
	if g.used.Swap(true) {
		// A code seen twice was stolen by one of the two: its tokens end (RFC 6749, section 4.1.2).
		mine := func(l *login) bool { return l.grant == g }
		p.access.removeFunc(mine)
		p.refresh.removeFunc(mine)
		return nil, &problem{"invalid_grant", "the code was used before"}
	}
	if single(v, "redirect_uri") != g.redirectURI {
		return nil, &problem{"invalid_grant", "redirect_uri differs from the authorize request"}
	}
	verifier := single(v, p.cfg.Shape.PKCENames.Verifier)
	if g.challenge == "" {
		if verifier != "" { // PKCE downgrade (RFC 9700, section 4.8.2)
			return nil, &problem{"invalid_grant", "code_verifier without code_challenge"}
		}
		return g.login, nil
	}
	sum := sha256.Sum256([]byte(verifier))
	want := base64.RawURLEncoding.EncodeToString(sum[:])
	if len(verifier) < 43 || len(verifier) > 128 || subtle.ConstantTimeCompare([]byte(want), []byte(g.challenge)) != 1 {
		return nil, &problem{"invalid_grant", "code_verifier does not fit code_challenge"}
	}
	return g.login, nil
}

func (p *Provider) redeemRefresh(client Client, v url.Values) (*login, *problem) {
	token := single(v, "refresh_token")
	l, ok := p.refresh.get(token)
	if !ok || l.client != client.ID {
		return nil, &problem{"invalid_grant", "the refresh token is unknown, expired or of another client"}
	}
	if p.cfg.RotateRefreshTokens {
		if _, ok := p.refresh.take(token); !ok {
			return nil, &problem{"invalid_grant", "the refresh token was used before"}
		}
	}
	// A refreshed ID token carries no nonce here (OpenID Connect Core 1.0, section 12.2: SHOULD NOT).
	fresh := *l
	fresh.nonce = ""
	if scope := strings.Fields(single(v, "scope")); len(scope) > 0 {
		for _, s := range scope {
			if !l.has(s) {
				return nil, &problem{"invalid_scope", "the scope is wider than what was granted"}
			}
		}
		fresh.scope = scope
	}
	return &fresh, nil
}

func (p *Provider) clientCredentials(client Client, v url.Values) (*login, *problem) {
	if slices.Contains(client.methods(), "none") {
		return nil, &problem{"unauthorized_client", "a public client has no credentials"}
	}
	return &login{client: client.ID, scope: strings.Fields(single(v, "scope"))}, nil
}

// tokenError answers an error of token, introspection and revocation (RFC 6749, section 5.2).
func (p *Provider) tokenError(w http.ResponseWriter, r *http.Request, bad problem) {
	status := http.StatusBadRequest
	if bad.code == "invalid_client" {
		status = http.StatusUnauthorized
		if r.Header.Get("Authorization") != "" {
			w.Header().Set("WWW-Authenticate", `Basic realm="mockidp"`)
		}
	}
	writeJSON(w, status, map[string]any{"error": bad.code, "error_description": bad.description})
}
