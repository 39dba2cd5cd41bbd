package e2e

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// knownMetadata are the names of RFC 8414 and of the registries that extend it;
// the suite warns about every other.
func knownMetadata() []string {
	return strings.Fields(`
issuer authorization_endpoint token_endpoint userinfo_endpoint jwks_uri registration_endpoint scopes_supported
response_types_supported response_modes_supported grant_types_supported acr_values_supported subject_types_supported
id_token_signing_alg_values_supported id_token_encryption_alg_values_supported id_token_encryption_enc_values_supported
userinfo_signing_alg_values_supported userinfo_encryption_alg_values_supported userinfo_encryption_enc_values_supported
request_object_signing_alg_values_supported request_object_encryption_alg_values_supported
request_object_encryption_enc_values_supported token_endpoint_auth_methods_supported
token_endpoint_auth_signing_alg_values_supported display_values_supported claim_types_supported claims_supported
service_documentation claims_locales_supported ui_locales_supported claims_parameter_supported
request_parameter_supported request_uri_parameter_supported require_request_uri_registration op_policy_uri op_tos_uri
revocation_endpoint revocation_endpoint_auth_methods_supported revocation_endpoint_auth_signing_alg_values_supported
introspection_endpoint introspection_endpoint_auth_methods_supported
introspection_endpoint_auth_signing_alg_values_supported code_challenge_methods_supported signed_metadata
device_authorization_endpoint end_session_endpoint check_session_iframe frontchannel_logout_supported
frontchannel_logout_session_supported backchannel_logout_supported backchannel_logout_session_supported
tls_client_certificate_bound_access_tokens mtls_endpoint_aliases pushed_authorization_request_endpoint
require_pushed_authorization_requests authorization_response_iss_parameter_supported dpop_signing_alg_values_supported
prompt_values_supported authorization_signing_alg_values_supported`)
}

var (
	scopeToken  = regexp.MustCompile(`^[\x21\x23-\x5B\x5D-\x7E]+$`)
	languageTag = regexp.MustCompile(`^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$`)
)

// configModules is the plan Config.
func configModules() []module {
	return []module{{name: "oidcc-discovery-endpoint-verification", run: func(c *conformance) {
		issuer := c.world.issuer
		c.url("issuer", issuer)
		for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"} {
			if _, header := c.getJSON(issuer + path); header.Get("Access-Control-Allow-Origin") != "*" {
				c.Errorf("%s cannot be read by an app in a browser", path)
			}
		}
		known := knownMetadata()
		for name, v := range c.meta {
			if !slices.Contains(known, name) {
				c.Errorf("unknown name %s", name)
			}
			if strings.HasSuffix(name, "_endpoint") || strings.HasSuffix(name, "_uri") {
				if s, ok := v.(string); ok {
					c.url(name, s)
				} else {
					c.Errorf("%s is not a string", name)
				}
			}
			if strings.HasSuffix(name, "_locales_supported") {
				c.each(name, languageTag)
			}
		}
		if c.meta["issuer"] != issuer {
			c.Errorf("issuer: got %v, want %s", c.meta["issuer"], issuer)
		}
		for _, name := range []string{"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint"} {
			if c.meta[name] == nil {
				c.Errorf("%s is missing", name)
			}
		}
		for _, want := range [][2]string{
			{"response_types_supported", "code"},
			{"subject_types_supported", "public"},
			{"id_token_signing_alg_values_supported", "RS256"},
			{"request_object_signing_alg_values_supported", "RS256"},
			{"scopes_supported", "openid"},
			{"grant_types_supported", "authorization_code"},
			{"code_challenge_methods_supported", "S256"},
			{"claims_supported", "sub"},
			{"response_modes_supported", "form_post"},
			{"token_endpoint_auth_methods_supported", "client_secret_basic"},
			{"token_endpoint_auth_methods_supported", "client_secret_post"},
		} {
			if !c.supports(want[0], want[1]) {
				c.Errorf("%s has no %s: %v", want[0], want[1], c.meta[want[0]])
			}
		}
		c.each("scopes_supported", scopeToken)
		if len(c.keys.Keys) == 0 {
			c.Error("JWKS is empty")
		}
		for _, alg := range []string{"RS256", "ES256"} {
			if !slices.ContainsFunc(c.keys.Keys, func(k jsonWebKey) bool { return k.Algorithm == alg }) {
				c.Errorf("JWKS has no %s key", alg)
			}
		}
	}}}
}

func (c *conformance) url(name, raw string) {
	c.Helper()
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		c.Errorf("%s: %q is not an https URL without query and fragment", name, raw)
	}
}

// each demands a list of texts that fit.
func (c *conformance) each(name string, fits *regexp.Regexp) {
	c.Helper()
	list, ok := c.meta[name].([]any)
	if !ok || len(list) == 0 {
		c.Errorf("%s is not a list", name)
	}
	for _, v := range list {
		if s, _ := v.(string); !fits.MatchString(s) {
			c.Errorf("%s: %v", name, v)
		}
	}
}
