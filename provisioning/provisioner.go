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
}

// Provisioner is safe for concurrent use and holds no state of its own.
type Provisioner struct {
	store       *store.Store
	federation  *federation.Federation
	now         func() time.Time
	requestTTL  time.Duration
	refusalRest time.Duration
	maxPending  int
}

// New makes a Provisioner.
func New(cfg Config) *Provisioner {
	p := &Provisioner{
		store: cfg.Store, federation: cfg.Federation, now: cfg.Now,
		requestTTL: cfg.RequestTTL, refusalRest: cfg.RefusalRest, maxPending: cfg.MaxPendingPerConnection,
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
	return p
}

// Prepared are the random ids a decision may need, made before the
// transaction: its function may run more than once.
type Prepared struct{ UserID, RequestID string }

// Prepare makes fresh ids. They are never derived from anything upstream
// (SECURITY-CASES N5).
func Prepare() Prepared {
	return Prepared{UserID: store.NewID(), RequestID: store.NewID()}
}
