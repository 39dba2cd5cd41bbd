package mockidp

import (
	"encoding/json"
	"net/http"
)

// discoveryDocument is the correct metadata (OpenID Connect Discovery 1.0, section 3).
func (p *Provider) discoveryDocument() map[string]any {
	doc := map[string]any{
		"issuer":                                           p.issuer,
		"authorization_endpoint":                           p.endpoint("/authorize"),
		"token_endpoint":                                   p.endpoint("/token"),
		"userinfo_endpoint":                                p.endpoint("/userinfo"),
		"jwks_uri":                                         p.endpoint("/jwks"),
		"end_session_endpoint":                             p.endpoint("/logout"),
		"introspection_endpoint":                           p.endpoint("/introspect"),
		"revocation_endpoint":                              p.endpoint("/revoke"),
		"pushed_authorization_request_endpoint":            p.endpoint("/par"),
		"require_pushed_authorization_requests":            p.cfg.RequirePAR,
		"scopes_supported":                                 []string{"openid", "profile", "email", "phone", "address", "offline_access"},
		"response_types_supported":                         []string{"code"},
		"response_modes_supported":                         []string{"query", "form_post"},
		"grant_types_supported":                            []string{"authorization_code", "refresh_token", "client_credentials"},
		"subject_types_supported":                          []string{"public"},
		"id_token_signing_alg_values_supported":            []string{p.cfg.SigningAlg},
		"token_endpoint_auth_methods_supported":            authMethods(),
		"token_endpoint_auth_signing_alg_values_supported": assertionAlgs(),
		"code_challenge_methods_supported":                 []string{"S256"},
		"claims_supported": []string{
			"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash",
			"name", "given_name", "family_name", "nickname", "preferred_username", "email", "email_verified", "phone_number",
			"phone_number_verified", "picture", "website", "locale", "zoneinfo", "updated_at", "address", "groups", "department",
		},
		"prompt_values_supported":         []string{"none", "login", "select_account", "consent"},
		"claims_parameter_supported":      false,
		"request_parameter_supported":     false,
		"request_uri_parameter_supported": false,
	}
	if !p.cfg.OmitIssParameter {
		doc["authorization_response_iss_parameter_supported"] = true
	}
	return doc
}

func (p *Provider) serveDiscovery(w http.ResponseWriter, r *http.Request) {
	faults, ok := p.faultsOf(w, r, StageDiscovery, nil)
	if !ok || p.answered(w, r, faults) {
		return
	}
	body := p.discovery
	if len(faults) > 0 {
		doc := p.discoveryDocument()
		edit(p, doc, faults)
		body, _ = json.Marshal(doc) // strings and lists of strings
	}
	w.Header().Set("Cache-Control", "public, max-age=300")
	writeBody(w, http.StatusOK, "application/json", body)
}

func (p *Provider) serveJWKS(w http.ResponseWriter, r *http.Request) {
	faults, ok := p.faultsOf(w, r, StageJWKS, nil)
	if !ok || p.answered(w, r, faults) {
		return
	}
	body := p.keys.jwks()
	if len(faults) > 0 {
		var doc map[string]any
		if err := json.Unmarshal(body, &doc); err != nil {
			http.Error(w, "The keys cannot be read.", http.StatusInternalServerError)
			return
		}
		edit(p, doc, faults)
		body, _ = json.Marshal(doc) // came out of JSON a moment ago
	}
	w.Header().Set("Cache-Control", "public, max-age=300")
	writeBody(w, http.StatusOK, "application/jwk-set+json", body)
}
