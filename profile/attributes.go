package profile

// Attributes are what a connection's selectors found. Everything in here was
// written by the provider or its user: it is data, never a decision.
type Attributes struct {
	// FederationID is the selected subject; for OpenID connections the ID
	// token's sub.
	FederationID string `json:"federation_id,omitempty"`
	FirstName    string `json:"first_name,omitempty"`
	LastName     string `json:"last_name,omitempty"`
	DisplayName  string `json:"display_name,omitempty"`
	// Email is canonical (Email.String) or empty.
	Email   string `json:"email,omitempty"`
	Phone   string `json:"phone,omitempty"`
	Picture string `json:"picture,omitempty"` // https URL
	// Custom attributes by name; single values are lists of one.
	Custom map[string][]string `json:"custom,omitempty"`
}
