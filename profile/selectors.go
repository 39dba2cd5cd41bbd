package profile

// Source names the document a selector reads.
type Source string

// Sources. The empty Source looks in the ID token first, then in the profile:
// what the provider signed is never overridden by what it merely answered
// (SECURITY-CASES U3). An email_verified without a source of its own is read
// from the document the e-mail came from, and from no other.
const (
	FromIDToken       Source = "id_token"
	FromProfile       Source = "profile"
	FromTokenResponse Source = "token_response"
)

// Selector is one attribute's query as the admin wrote it.
type Selector struct {
	Path   string `json:"path"` // RFC 9535, or the shorthand name.first, email[0]
	Source Source `json:"source,omitempty"`
}

// Selectors of a connection. An empty path leaves the attribute out;
// FederationID is required.
type Selectors struct {
	FederationID  Selector `json:"federation_id,omitzero"`
	FirstName     Selector `json:"first_name,omitzero"`
	LastName      Selector `json:"last_name,omitzero"`
	DisplayName   Selector `json:"display_name,omitzero"`
	Email         Selector `json:"email,omitzero"`
	EmailVerified Selector `json:"email_verified,omitzero"`
	Phone         Selector `json:"phone,omitzero"`
	Picture       Selector `json:"picture,omitzero"`
	// Custom attributes by name, e.g. "groups": {path: "$.user.groups[*]"}.
	Custom map[string]Selector `json:"custom,omitempty"`
}
