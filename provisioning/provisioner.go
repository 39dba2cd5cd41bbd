package provisioning

import (
	"time"

	"gatehouse/federation"
	"gatehouse/store"
)

// Config of a Provisioner. Store and Federation are required.
type Config struct {
	Store *store.Store
	// Federation is asked which connection may vouch for an address.
	Federation *federation.Federation
	// Now defaults to the store's clock.
	Now func() time.Time
	// RequestTTL is how long an access request waits for a decision; default
	// 14 days.
	RequestTTL time.Duration
	// RefusalRest is how long a refused person is answered with the refusal
	// before they may ask again; default 24 hours.
	RefusalRest time.Duration
	// MaxPendingPerConnection bounds the queue a provider's users can fill;
	// default 1,000.
	MaxPendingPerConnection int
	// MaxInvitationsPerDay bounds what one organization sends; default 5,000.
	MaxInvitationsPerDay int
}

// Provisioner is safe for concurrent use and holds no state of its own.
type Provisioner struct {
	table       table
	store       *store.Store
	federation  *federation.Federation
	now         func() time.Time
	requestTTL  time.Duration
	refusalRest time.Duration
	maxPending  int
	maxInvited  int
}

// New makes a Provisioner.
func New(cfg Config) *Provisioner {
	p := &Provisioner{
		table: newTable(), store: cfg.Store, federation: cfg.Federation, now: cfg.Now,
		requestTTL: cfg.RequestTTL, refusalRest: cfg.RefusalRest, maxPending: cfg.MaxPendingPerConnection,
		maxInvited: cfg.MaxInvitationsPerDay,
	}
	if p.now == nil {
		p.now = cfg.Store.Now
	}
	if p.requestTTL <= 0 {
		p.requestTTL = 14 * 24 * time.Hour
	}
	if p.refusalRest <= 0 {
		p.refusalRest = 24 * time.Hour
	}
	if p.maxPending <= 0 {
		p.maxPending = 1000
	}
	if p.maxInvited <= 0 {
		p.maxInvited = 5000
	}
	return p
}

// Prepared is what a decision needs besides the identity: random ids, made
// before the transaction, whose function may run more than once, and what the
// login carries in its sealed cookie.
type Prepared struct {
	UserID, RequestID string
	// InvitationHash is HashToken of the invitation's link by which the login
	// began, or "".
	InvitationHash string
	// NoApp: the login began at a page of ours, and no app gets anything.
	NoApp bool
	// Language of the person (BCP 47), kept with an access request; or "".
	Language string
}

// Prepare makes fresh ids. They are never derived from anything upstream
// (SECURITY-CASES N5).
func Prepare() Prepared {
	return Prepared{UserID: store.NewID(), RequestID: store.NewID()}
}
