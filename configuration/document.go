package configuration

import "gatehouse/store"

// Version is the one version of documents that this program reads and writes.
const Version = 1

// States of a Domain. A proof by DNS stays with the installation: a claim that
// is proven here is a claim like any other in the document.
const (
	StateAsserted = "asserted"
	StateClaimed  = "claimed"
)

// Document is a whole configuration. A section that is nil is not managed by
// the document; an empty one says that there are none.
type Document struct {
	Version       int            `json:"version"`
	Organizations []Organization `json:"organizations,omitzero"`
	Domains       []Domain       `json:"domains,omitzero"`
	Connections   []Connection   `json:"connections,omitzero"`
	Clients       []Client       `json:"clients,omitzero"`
	Webhooks      []Webhook      `json:"webhooks,omitzero"`
}

// absent is a member of a record that documents do not have.
type absent struct{}

// noMeta hides what the store counts by itself.
type noMeta struct {
	Revision  *absent `json:"revision,omitempty"`
	CreatedAt *absent `json:"created_at,omitempty"`
	UpdatedAt *absent `json:"updated_at,omitempty"`
}

// Organization is the whole record.
type Organization struct {
	store.Organization
	noMeta
	// JoinActor, when absent, stays as long as Join does; else it is whoever
	// applies the document.
	JoinActor *string `json:"join_actor,omitempty"`
}

// Domain is an organization's claim.
type Domain struct {
	Organization string           `json:"organization"`
	Name         string           `json:"name"`
	State        string           `json:"state"`
	Join         store.JoinPolicy `json:"join,omitempty"`
	Approvers    []string         `json:"approvers,omitempty"`
}

// Connection is the whole record with its secrets by reference.
type Connection struct {
	store.Connection
	noMeta
	ClientSecret *Secret `json:"client_secret,omitempty"`
	PrivateKey   *Secret `json:"private_key,omitempty"`
}

// Client is the whole record of an app, its secret by reference.
type Client struct {
	store.Client
	noMeta
	Secrets      *absent `json:"secrets,omitempty"`
	ClientSecret *Secret `json:"client_secret,omitempty"`
}

// Webhook is the whole record with its secret by reference.
type Webhook struct {
	store.Webhook
	noMeta
	PreviousSecret *absent `json:"previous_secret,omitempty"`
	PreviousUntil  *absent `json:"previous_until,omitempty"`
	Secret         *Secret `json:"secret,omitempty"`
}

// Secret says where a secret is; it never is the secret.
type Secret struct {
	// From is "keep" (the stored one stays), "none" (there is none any more),
	// "env:NAME" or "file:PATH".
	From string `json:"from"`
}

// References that name no place.
const (
	SecretKeep = "keep"
	SecretNone = "none"
)
