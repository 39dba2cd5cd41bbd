package store

import "gatehouse/profile"

// ConnectionKind is the protocol spoken with the upstream provider.
type ConnectionKind string

// Connection kinds.
const (
	KindOIDC   ConnectionKind = "oidc"
	KindOAuth2 ConnectionKind = "oauth2"
)

// Ways for us to authenticate at an upstream token endpoint.
const (
	AuthHeader        = "header"          // client_secret_basic
	AuthForm          = "form"            // client_secret_post
	AuthPrivateKeyJWT = "private_key_jwt" // RFC 7523 §2.2
	AuthNone          = "none"
)

// Connection is one configured upstream identity provider. Its ID is a slug
// that appears in the callback path /login/callback/{id}; it is chosen once and
// never reused. Meta.Revision pins a login to what it started with.
type Connection struct {
	Meta
	ID             string         `json:"id"`
	OrganizationID string         `json:"organization"`
	Kind           ConnectionKind `json:"kind"`
	Preset         string         `json:"preset,omitempty"`
	Title          string         `json:"title"`
	Picture        string         `json:"picture,omitempty"`
	Disabled       bool           `json:"disabled,omitempty"`

	// Domains are the routing rules: "acme.test", "*.acme.test" (sub-domains
	// at any depth, not the apex) or "*" (any domain no other connection owns).
	Domains []string `json:"domains"`

	// Issuer with discovery; single endpoints here override discovery.
	Issuer    string    `json:"issuer"`
	Endpoints Endpoints `json:"endpoints,omitzero"`

	ClientID     string   `json:"client_id"`
	ClientSecret Sealed   `json:"client_secret,omitzero"`
	ClientAuth   string   `json:"client_auth,omitempty"` // AuthHeader when empty
	Scopes       []string `json:"scopes"`

	// Both on by default: the zero value is the safe one.
	InsecureNoPKCE  bool `json:"insecure_no_pkce,omitempty"`
	InsecureNoNonce bool `json:"insecure_no_nonce,omitempty"`

	// LoginHint sends the address as login_hint unless set to "off".
	LoginHint string `json:"login_hint,omitempty"`

	// UseUserinfo fetches the userinfo endpoint as the profile document.
	UseUserinfo bool `json:"use_userinfo"`

	// Selectors read the attributes from ID token and profile.
	Selectors profile.Selectors `json:"selectors"`

	// TrustEmail: "verified" (default) trusts an address only with
	// email_verified true; "always" when the operator vouches for the provider.
	TrustEmail string `json:"trust_email,omitempty"`

	// AllowPrivateNetwork lets this connection reach loopback and private
	// addresses that the operator's configuration lists; never by itself.
	AllowPrivateNetwork bool `json:"allow_private_network,omitempty"`

	// Algorithms accepted on ID tokens; empty means ES256, RS256, PS256 and
	// their longer siblings, EdDSA; never "none" or HS*.
	Algorithms []string `json:"algorithms,omitempty"`

	// ACRValues are asked of the provider and then required of its answer.
	ACRValues []string `json:"acr_values,omitempty"`
}

// Endpoints of a provider; empty ones come from discovery.
type Endpoints struct {
	Authorize  string `json:"authorize,omitempty"`
	Token      string `json:"token,omitempty"`
	Userinfo   string `json:"userinfo,omitempty"`
	JWKS       string `json:"jwks,omitempty"`
	EndSession string `json:"end_session,omitempty"`
}
