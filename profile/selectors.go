package profile

// Source names the document a selector reads.
type Source string

// Sources. The empty Source looks in the ID token first, then in the profile:
// what the provider signed is never overridden by what it merely answered
// (SECURITY-CASES U3). An email_verified without a source of its own is read
// from the document the e-mail came from, and from no other; likewise the
// custom phone_number_verified from that of the phone number.
const (
	FromIDToken       Source = "id_token"
	FromProfile       Source = "profile"
	FromTokenResponse Source = "token_response"
)

// Cardinality is how many values a selector takes. A list that a path selects
// counts as its elements, one level deep (but for federation_id and the two
// proofs, email_verified and phone_number_verified, where a list is no value).
type Cardinality string

// Cardinalities. Empty is One for standard attributes and List for custom ones.
const (
	// One takes exactly one value; several are left out with a warning.
	One Cardinality = "one"
	// First takes the first in document order; members of objects, which have
	// no order, go by name. Not for identity and proof: an order can change.
	First Cardinality = "first"
	// List takes all; for custom attributes.
	List Cardinality = "list"
)

// Selector is one attribute's query as the admin wrote it.
type Selector struct {
	Path   string `json:"path"` // RFC 9535, or the shorthand name.first, email[0]
	Source Source `json:"source,omitempty"`
	// Cardinality has to be said when a standard attribute's path could select
	// several values ($.emails[?@.primary==true].email).
	Cardinality Cardinality `json:"cardinality,omitempty"`
	// Missing lists texts that stand for "no value", such as "N/A"; a number
	// is compared as it was written. null and the empty text always do.
	Missing []string `json:"missing,omitempty"`
	// TrueAs lists texts and numbers that mean true, for email_verified of
	// providers that send no JSON boolean: "true" at Apple, "1" at Microsoft.
	// Any other text or number then means false.
	TrueAs []string `json:"true_as,omitempty"`
	// Optional: finding nothing is usual, and not reported as a miss.
	Optional bool `json:"optional,omitempty"`
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

// DefaultSelectors are the standard claims of OpenID Connect Core §5.1. Those
// that are no standard attribute here are custom ones under their own name, so
// that userinfo can answer with them; few providers send them, so their absence
// is not reported.
func DefaultSelectors() Selectors {
	custom := map[string]Selector{}
	for _, name := range []string{
		"middle_name", "nickname", "preferred_username", "profile", "website",
		"gender", "birthdate", "zoneinfo", "locale", namePhoneVerified,
	} {
		custom[name] = Selector{Path: name, Cardinality: One, Optional: true}
	}
	return Selectors{
		FederationID:  Selector{Path: "sub", Source: FromIDToken},
		FirstName:     Selector{Path: "given_name"},
		LastName:      Selector{Path: "family_name"},
		DisplayName:   Selector{Path: "name"},
		Email:         Selector{Path: "email"},
		EmailVerified: Selector{Path: "email_verified"},
		Phone:         Selector{Path: "phone_number"},
		Picture:       Selector{Path: "picture"},
		Custom:        custom,
	}
}
