package broker

import (
	"net/http"

	"gatehouse/templates"
)

// metadata is the provider's configuration (OpenID Connect Discovery §3,
// RFC 8414 §2). It is made once: nothing in it depends on a request, least of
// all on its Host header.
type metadata struct {
	Issuer                   string   `json:"issuer"`
	Authorization            string   `json:"authorization_endpoint"`
	Token                    string   `json:"token_endpoint"`
	Userinfo                 string   `json:"userinfo_endpoint"`
	JWKS                     string   `json:"jwks_uri"`
	Introspection            string   `json:"introspection_endpoint"`
	Revocation               string   `json:"revocation_endpoint"`
	EndSession               string   `json:"end_session_endpoint"`
	ScopesSupported          []string `json:"scopes_supported"`
	ResponseTypes            []string `json:"response_types_supported"`
	ResponseModes            []string `json:"response_modes_supported"`
	GrantTypes               []string `json:"grant_types_supported"`
	SubjectTypes             []string `json:"subject_types_supported"`
	IDTokenAlgs              []string `json:"id_token_signing_alg_values_supported"`
	TokenAuthMethods         []string `json:"token_endpoint_auth_methods_supported"`
	IntrospectionAuthMethods []string `json:"introspection_endpoint_auth_methods_supported"`
	RevocationAuthMethods    []string `json:"revocation_endpoint_auth_methods_supported"`
	ChallengeMethods         []string `json:"code_challenge_methods_supported"`
	Claims                   []string `json:"claims_supported"`
	ClaimTypes               []string `json:"claim_types_supported"`
	ACRValues                []string `json:"acr_values_supported"`
	Prompts                  []string `json:"prompt_values_supported"`
	RequestObjectAlgs        []string `json:"request_object_signing_alg_values_supported"`
	ClaimsParameter          bool     `json:"claims_parameter_supported"`
	RequestParameter         bool     `json:"request_parameter_supported"`
	RequestURIParameter      bool     `json:"request_uri_parameter_supported"`
	ResponseIss              bool     `json:"authorization_response_iss_parameter_supported"`
	UILocales                []string `json:"ui_locales_supported"`
}

func (b *Broker) newMetadata() metadata {
	secrets := []string{"client_secret_basic", "client_secret_post"}
	return metadata{
		Issuer:        b.issuer,
		Authorization: b.issuer + pathAuthorize, Token: b.issuer + pathToken, Userinfo: b.issuer + pathUserinfo,
		JWKS: b.issuer + pathJWKS, Introspection: b.issuer + pathIntrospect, Revocation: b.issuer + pathRevoke,
		EndSession:      b.issuer + pathLogout,
		ScopesSupported: Scopes(), ResponseTypes: []string{"code"}, ResponseModes: []string{"query", "form_post"},
		GrantTypes:   []string{"authorization_code", "refresh_token", "client_credentials", grantConnection},
		SubjectTypes: []string{"public"}, IDTokenAlgs: []string{"ES256", "RS256"},
		TokenAuthMethods: append([]string{"none"}, secrets...), IntrospectionAuthMethods: secrets,
		RevocationAuthMethods: append([]string{"none"}, secrets...),
		ChallengeMethods:      []string{"S256"}, Claims: b.claimNames(), ClaimTypes: []string{"normal"},
		ACRValues: []string{acrFederated}, Prompts: promptValues(),
		// Listed without "none" although request objects are refused, so that no
		// client takes silence for "unsigned is fine" (OIDC-DEMANDS Basic 33-36).
		RequestObjectAlgs: []string{"RS256", "ES256"},
		ClaimsParameter:   true, ResponseIss: true, UILocales: templates.Languages(),
	}
}

// discovery serves both well-known documents.
func (b *Broker) discovery(w http.ResponseWriter, r *http.Request) {
	b.public(w, r, b.discoveryJSON)
}

// jwks serves our public keys. The lead time of a new key is far longer than
// the hour a relying party may keep this (SECURITY-CASES K2).
func (b *Broker) jwks(w http.ResponseWriter, r *http.Request) { b.public(w, r, b.keys.JWKS()) }

// public serves a document anyone may read and keep for an hour.
func (b *Broker) public(w http.ResponseWriter, r *http.Request, body []byte) {
	if !allowMethods(w, r, http.MethodGet, http.MethodHead) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write(body)
}
