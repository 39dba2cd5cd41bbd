package store

// JoinPolicy says what happens to a newcomer of an organization.
type JoinPolicy string

// The join policies (DESIGN §8). The zero value admits nobody new.
const (
	JoinOff       JoinPolicy = "off"
	JoinRequest   JoinPolicy = "request"
	JoinAutomatic JoinPolicy = "automatic"
)

// Organization is a company using the platform. Its ID is a slug chosen once
// and never reused.
type Organization struct {
	Meta
	ID       string     `json:"id"`
	Title    string     `json:"title"`
	Disabled bool       `json:"disabled,omitempty"`
	Join     JoinPolicy `json:"join"`
	// JoinActor is the user id of the admin who switched Join on; automatic
	// users are recorded as created by this admin.
	JoinActor        string   `json:"join_actor,omitempty"`
	AutomaticGroups  []string `json:"automatic_groups,omitempty"`
	AutomaticClients []string `json:"automatic_clients,omitempty"`
	// Contact is shown to people who wait or were refused (plain text).
	Contact string `json:"contact,omitempty"`
}

// DomainState is how far an organization's claim to a domain has come.
type DomainState string

// Domain states: only verified and asserted domains route and admit.
const (
	DomainPending  DomainState = "pending"
	DomainVerified DomainState = "verified" // DNS TXT record seen
	DomainAsserted DomainState = "asserted" // by the operator
)

// Domain is an e-mail domain of an organization, in canonical A-label form
// without wildcard; it covers itself and, for routing rules that say so, its
// sub-domains. Key: Name and OrganizationID (see DomainKey).
type Domain struct {
	Meta
	Name           string      `json:"name"`
	OrganizationID string      `json:"organization"`
	State          DomainState `json:"state"`
	Challenge      string      `json:"challenge,omitempty"` // TXT value that proves it
}

// Owned reports whether the claim is proven.
func (d Domain) Owned() bool { return d.State == DomainVerified || d.State == DomainAsserted }

// DomainKey is the key of the claim of organization on name.
func DomainKey(name, organization string) string { return joinKey(name, organization) }
