package store

import "gatehouse/profile"

// ConnectionKind is the protocol spoken with the upstream provider.
type ConnectionKind string

// Connection kinds.
const (
	KindOIDC   ConnectionKind = "oidc"
	KindOAuth2 ConnectionKind = "oauth2"
	// KindLocal is an organization's local accounts: password, passkey, TOTP,
	// kept here. Its identities have our issuer and the user id as subject.
	KindLocal ConnectionKind = "local"
)

// Grants by which an app's user can sign in at a connection. The empty Grant is
// the authorization code; the others have no browser.
const (
	GrantPassword          = "password"
	GrantJWTBearer         = "jwt_bearer" // RFC 7523 §2.1
	GrantExtension         = "extension"
	GrantClientCredentials = "client_credentials"
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
// never reused. Meta.Revision pins a login to what it started with. The zero
// value of every field is the safe or the usual choice.
type Connection struct {
	Meta
	ID             string         `json:"id"`
	OrganizationID string         `json:"organization"`
	Kind           ConnectionKind `json:"kind"`
	Preset         string         `json:"preset,omitempty"`
	Title          string         `json:"title"` // what people see at sign-in
	Picture        string         `json:"picture,omitempty"`
	Disabled       bool           `json:"disabled,omitempty"`

	// Domains are the routing rules: "acme.test", "*.acme.test" (sub-domains
	// at any depth, not the apex) or "*" (any domain no other connection owns).
	Domains []string `json:"domains"`
	// Join is this connection's own policy for newcomers; empty takes the
	// organization's.
	Join JoinPolicy `json:"join,omitempty"`
	// AllowPublicDomains says yes to gmail.com and its like in Domains.
	AllowPublicDomains bool `json:"allow_public_domains,omitempty"`

	// Issuer with discovery; single endpoints here override discovery, all of
	// them replace it.
	Issuer    string    `json:"issuer,omitempty"`
	Endpoints Endpoints `json:"endpoints,omitzero"`

	ClientID     string `json:"client_id"`
	ClientSecret Sealed `json:"client_secret,omitzero"`
	ClientAuth   string `json:"client_auth,omitempty"` // AuthHeader when empty
	// ClientAuthAlg signs private_key_jwt assertions: ES256 when empty.
	ClientAuthAlg string `json:"client_auth_alg,omitempty"`
	// PrivateKey (PKCS #8 DER) signs assertions, or Apple's secret.
	PrivateKey Sealed `json:"private_key,omitzero"`
	// Apple makes the client secret: a JWT signed with PrivateKey.
	Apple *AppleKey `json:"apple,omitempty"`

	Scopes []string `json:"scopes,omitempty"`

	// Both on by default: the zero value is the safe one.
	InsecureNoPKCE  bool      `json:"insecure_no_pkce,omitempty"`
	InsecureNoNonce bool      `json:"insecure_no_nonce,omitempty"`
	PKCENames       PKCENames `json:"pkce_names,omitzero"`
	// PushAuthorization sends the authorization request to the provider directly
	// (RFC 9126), also where its discovery document does not demand it.
	PushAuthorization bool `json:"push_authorization,omitempty"`
	// ResponseMode is "" (query) or "form_post".
	ResponseMode string `json:"response_mode,omitempty"`

	// LoginHint sends the address on, in the form Hint says, unless "off".
	LoginHint  string     `json:"login_hint,omitempty"`
	Hint       Hint       `json:"hint,omitzero"`
	DomainHint DomainHint `json:"domain_hint,omitzero"`
	// PublicHosts are further hosts of ours (https://login.brand.test) at which
	// the callback is registered with the provider.
	PublicHosts []string `json:"public_hosts,omitempty"`
	// Parameters are sent along with requests to the provider.
	Parameters []Parameter `json:"parameters,omitempty"`

	// UseUserinfo fetches the userinfo endpoint as the profile document of an
	// OpenID connection. Profile says otherwise for all others.
	UseUserinfo bool          `json:"use_userinfo"`
	Profile     ProfileSource `json:"profile,omitzero"`
	// Selectors read the attributes from ID token, profile and token response.
	Selectors profile.Selectors `json:"selectors,omitzero"`

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

	// Grant by which people sign in here; see the constants.
	Grant              string `json:"grant,omitempty"`
	ExtensionGrantType string `json:"extension_grant_type,omitempty"` // of GrantExtension
	// AssertionConnection is whose token GrantJWTBearer presents.
	AssertionConnection string `json:"assertion_connection,omitempty"`

	// RefreshLogin asks the provider, with its refresh token, at each platform
	// refresh. Its "no" ends the grant; an outage is tolerated for
	// RefreshOutageSeconds (0: one hour).
	RefreshLogin         bool  `json:"refresh_login,omitempty"`
	RefreshOutageSeconds int64 `json:"refresh_outage_seconds,omitempty"`
	// Bounds on browser sessions begun here; 0 takes the server's.
	MaxSessionSeconds  int64 `json:"max_session_seconds,omitempty"`
	IdleSessionSeconds int64 `json:"idle_session_seconds,omitempty"`
	// ServerOnly keeps public and native clients out.
	ServerOnly bool `json:"server_only,omitempty"`
	// ConcurrentLogins is "" (unlimited), "one_per_app" or "one": a new login
	// ends the person's others.
	ConcurrentLogins string `json:"concurrent_logins,omitempty"`
}

// Endpoints of a provider; empty ones come from discovery.
type Endpoints struct {
	Authorize  string `json:"authorize,omitempty"`
	Token      string `json:"token,omitempty"`
	Userinfo   string `json:"userinfo,omitempty"`
	JWKS       string `json:"jwks,omitempty"`
	EndSession string `json:"end_session,omitempty"`
	Revocation string `json:"revocation,omitempty"`
	// PushedAuthorization takes authorization requests (RFC 9126).
	PushedAuthorization string `json:"pushed_authorization,omitempty"`
}

// AppleKey names the key of "Sign in with Apple" whose signature is the secret.
type AppleKey struct {
	TeamID string `json:"team_id"`
	KeyID  string `json:"key_id"`
}

// PKCENames renames the parameters of RFC 7636 for providers that do not
// follow it; empty ones keep their names.
type PKCENames struct {
	Challenge string `json:"challenge,omitempty"`
	Method    string `json:"method,omitempty"`
	Verifier  string `json:"verifier,omitempty"`
}

// Hint is how the address is sent on.
type Hint struct {
	Parameter string `json:"parameter,omitempty"` // login_hint when empty
	// Format is "" (whole address), "local", "domain" or "template".
	Format string `json:"format,omitempty"`
	// Template of Format "template", such as "{local}@corp.{domain}".
	Template string `json:"template,omitempty"`
}

// DomainHint tells the provider the company: hd at Google, domain_hint at
// Microsoft. Value "" sends the domain of the address.
type DomainHint struct {
	Parameter string `json:"parameter,omitempty"`
	Value     string `json:"value,omitempty"`
}

// Where a Parameter's value comes from.
const (
	FromConstant      = "constant"
	FromConfiguration = "configuration" // Value: client_id, client_secret, scope or grant_type
	FromRequest       = "request"       // Value: a name on the client's ForwardParameters
	FromSession       = "session"       // Value: <connection>.<profile|security>.<attribute>
)

// Parameter is sent along with requests to the provider.
type Parameter struct {
	Name   string `json:"name"`
	Source string `json:"source"`
	Value  string `json:"value"`
	// In lists the requests: authorize, token, refresh, profile.
	In []string `json:"in"`
	// As is query (the only one for authorize), header or form.
	As string `json:"as,omitempty"`
}

// Kinds of profile source (DESIGN §7). The empty kind is the userinfo endpoint
// where UseUserinfo says so, else none.
const (
	ProfileNone               = "none"
	ProfileURL                = "url"
	ProfileURLInURL           = "url_in_url"
	ProfileTokenResponse      = "token_response"
	ProfileURLInTokenResponse = "url_in_token_response"
	// ProfilePosted is the field `user` that Apple posts beside the code at a
	// person's first login. It came through the browser: names only.
	ProfilePosted = "posted_user"
)

// ProfileSource says where the profile document comes from.
type ProfileSource struct {
	Kind string `json:"kind,omitempty"`
	URL  string `json:"url,omitempty"`
	// URLSelector finds the profile's URL inside the response.
	URLSelector profile.Selector `json:"url_selector,omitzero"`
	// TokenAs is header (Bearer, the default), form or query; TokenName its name.
	TokenAs   string `json:"token_as,omitempty"`
	TokenName string `json:"token_name,omitempty"`
	Method    string `json:"method,omitempty"` // GET (default) or POST
	// AllowedHosts a URL out of a response may name beside the provider's own
	// registrable domain.
	AllowedHosts []string `json:"allowed_hosts,omitempty"`
}
