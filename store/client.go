package store

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// ClientType is what kind of app a client is (DESIGN §1).
type ClientType string

// Client types. Native and spa clients are public.
const (
	ClientNative  ClientType = "native"
	ClientWeb     ClientType = "web"
	ClientSPA     ClientType = "spa"
	ClientService ClientType = "service"
)

// ConsoleClient is the id of the admin console as an app of ours. It is made at
// start and appears in no list.
const ConsoleClient = "gatehouse-console"

// Client is an app registered to get tokens. Its ID is never reused.
type Client struct {
	Meta
	ID       string     `json:"id"`
	Name     string     `json:"name"`
	Type     ClientType `json:"type"`
	Disabled bool       `json:"disabled,omitempty"`

	// Secrets: any of them authenticates; old ones expire. Empty for public clients.
	Secrets []ClientSecret `json:"secrets,omitempty"`
	// AuthMethod at the token endpoint: "none", "client_secret_basic" or
	// "client_secret_post".
	AuthMethod string `json:"auth_method"`

	RedirectURIs           []string `json:"redirect_uris,omitempty"`
	PostLogoutRedirectURIs []string `json:"post_logout_redirect_uris,omitempty"`
	GrantTypes             []string `json:"grant_types"`
	Scopes                 []string `json:"scopes"`
	Audiences              []string `json:"audiences,omitempty"`
	ResponseModes          []string `json:"response_modes,omitempty"` // query always; form_post if listed

	// Organizations whose people may use the client; empty means all.
	Organizations []string `json:"organizations,omitempty"`
	// Connections that may sign in to it; empty means all.
	Connections []string `json:"connections,omitempty"`

	// RequireAssignment admits only people whose membership lists the client.
	RequireAssignment bool `json:"require_assignment,omitempty"`

	// ThirdParty clients ask the user for consent.
	ThirdParty bool `json:"third_party,omitempty"`
	// InsecurePKCEOptional lets a confidential client leave PKCE out.
	InsecurePKCEOptional bool `json:"insecure_pkce_optional,omitempty"`

	// ForwardParameters are parameters of the app's authorization request that
	// connections may pass on to a provider.
	ForwardParameters []string `json:"forward_parameters,omitempty"`
	// DirectGrants lets a confidential client sign people in without a browser,
	// at connections that allow it.
	DirectGrants bool `json:"direct_grants,omitempty"`

	IDTokenAlg  string `json:"id_token_alg,omitempty"` // ES256 (default) or RS256
	OpaqueToken bool   `json:"opaque_token,omitempty"` // access tokens opaque instead of RFC 9068

	// Lifetimes in seconds; 0 takes the server's default.
	AccessTokenSeconds     int64 `json:"access_token_seconds,omitempty"`
	RefreshIdleSeconds     int64 `json:"refresh_idle_seconds,omitempty"`
	RefreshAbsoluteSeconds int64 `json:"refresh_absolute_seconds,omitempty"`

	// Origins that may read token, userinfo and JWKS answers in a browser (CORS).
	Origins []string `json:"origins,omitempty"`

	LogoURI   string `json:"logo_uri,omitempty"`
	PolicyURI string `json:"policy_uri,omitempty"`
	TermsURI  string `json:"terms_uri,omitempty"`
}

// Public reports whether the client cannot keep a secret.
func (c Client) Public() bool { return c.Type == ClientNative || c.Type == ClientSPA }

// ClientSecret is the SHA-256 of a 256-bit random secret, hex encoded.
type ClientSecret struct {
	Hash      string    `json:"hash"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"` // zero: does not expire
}

// HashToken is how random values of at least 128 bits (client secrets, codes,
// refresh tokens, session ids) are stored: hex SHA-256.
func HashToken(plain string) string {
	sum := sha256.Sum256([]byte(plain))
	return hex.EncodeToString(sum[:])
}
