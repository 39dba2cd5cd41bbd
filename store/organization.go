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
	ID       string `json:"id"`
	Title    string `json:"title"`
	Disabled bool   `json:"disabled,omitempty"`
	// SignInOff switches single sign-on off: nobody signs in through the
	// organization's connections, and tokens that came that way stop working.
	SignInOff bool `json:"sign_in_off,omitempty"`

	// Join is the policy for newcomers; a domain or a connection may have its own.
	Join JoinPolicy `json:"join"`
	// JoinActor is the user id of the admin who switched Join on; automatic
	// users are recorded as created by this admin.
	JoinActor string `json:"join_actor,omitempty"`
	// What newcomers get. DefaultRole is RoleUser when empty.
	DefaultRole      string   `json:"default_role,omitempty"`
	AutomaticGroups  []string `json:"automatic_groups,omitempty"`
	AutomaticClients []string `json:"automatic_clients,omitempty"`
	// Rules decide about newcomers before Join does, in their order.
	Rules []AdmissionRule `json:"rules,omitempty"`
	// Approvers are the user ids told of access requests; empty: every admin
	// and owner of the organization. A domain may have its own.
	Approvers []string `json:"approvers,omitempty"`
	// RequestDays is how long a request waits; 0 takes the server's default.
	RequestDays int `json:"request_days,omitempty"`
	// AppRequests lets people ask for apps that require assignment.
	AppRequests bool `json:"app_requests,omitempty"`

	// Contact is shown to people who wait or were refused (plain text).
	Contact string `json:"contact,omitempty"`
	Brand   Brand  `json:"brand,omitzero"`
	Links   Links  `json:"links,omitzero"`
	// Languages of the organization's people (BCP 47), the first is the default.
	Languages []string `json:"languages,omitempty"`
	// Texts replace sentences of pages, by key and language.
	Texts []Text `json:"texts,omitempty"`
}

// Brand is how pages look when they know the organization.
type Brand struct {
	Logo   string `json:"logo,omitempty"`   // https URL
	Accent string `json:"accent,omitempty"` // "#rrggbb"
}

// Links are shown before sign-in; https URLs or mailto.
type Links struct {
	Privacy       string `json:"privacy,omitempty"`
	Help          string `json:"help,omitempty"`
	RequestAccess string `json:"request_access,omitempty"`
}

// Keys of Text.
const (
	TextWaiting     = "waiting"      // the waiting room
	TextRefused     = "refused"      // refused by an admin or a rule
	TextNotAdmitted = "not_admitted" // join policy off, not a member, disabled
	TextAppMissing  = "app_missing"  // an app that requires assignment
	TextExpired     = "expired"      // nobody decided in time
)

// Text is an organization's own wording of a page; plain text, empty parts
// keep the default.
type Text struct {
	Key      string `json:"key"`
	Language string `json:"language"`
	Title    string `json:"title,omitempty"`
	Sentence string `json:"sentence,omitempty"`
	Next     string `json:"next,omitempty"`
	Contact  string `json:"contact,omitempty"`
}

// AdmissionRule decides by an exact value: of a connection's selected attribute
// it admits, queues or refuses newcomers (SECURITY-CASES G1, G3). A missing
// attribute matches nothing.
type AdmissionRule struct {
	Name         string `json:"name"`
	ConnectionID string `json:"connection"`
	// Attribute is "email", "groups", … as the connection's selectors name it.
	Attribute string `json:"attribute"`
	Value     string `json:"value"` // exact, case-sensitive
	// Join says what happens: automatic, request or off.
	Join JoinPolicy `json:"join"`
	// Role, groups and apps given besides the organization's, when admitted.
	Role    string   `json:"role,omitempty"`
	Groups  []string `json:"groups,omitempty"`
	Clients []string `json:"clients,omitempty"`
}
