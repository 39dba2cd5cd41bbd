package federation

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gatehouse/profile"
	"gatehouse/store"
)

// Config of a Federation. Store and PublicURL are required.
type Config struct {
	Store *store.Store
	// PublicURL is Gatehouse's own issuer; callback URLs are made from it.
	PublicURL string
	// Network is what the operator allows beyond the public internet. The zero
	// value allows public addresses over https only.
	Network NetworkPolicy
	// Now defaults to time.Now, Logger to one that discards, Metrics to none.
	Now     func() time.Time
	Logger  *slog.Logger
	Metrics prometheus.Registerer
}

// Federation is safe for concurrent use. Close ends its background refreshes.
type Federation struct {
	store     *store.Store
	publicURL string
	now       func() time.Time
	logger    *slog.Logger
	metrics   *metrics
	client    *client
	timing    timing
	seen      *Seen // of a rehearsal

	background context.Context // of refreshes that outlive the request that asked
	stop       context.CancelFunc
	running    sync.WaitGroup
	revoking   chan struct{} // slots

	mu        sync.Mutex
	upstreams map[string]*upstream // by connection id
}

// timing holds the waits, in one place so that tests can shorten them.
type timing struct {
	request   time.Duration // one upstream request, all phases
	step      time.Duration // all upstream requests of one Depart or Return
	bulkhead  time.Duration // wait for a free slot of the connection
	slots     int           // parallel requests per connection
	failures  int           // in a row until the breaker opens
	rest      time.Duration // the breaker stays open
	keyPause  time.Duration // between JWKS fetches provoked by tokens
	failPause time.Duration // between attempts at a document that cannot be had
	patience  time.Duration // wait for a newer document while an older one will do
}

func defaultTiming() timing {
	return timing{
		request: 10 * time.Second, step: 15 * time.Second, bulkhead: 2 * time.Second, slots: 64,
		failures: 5, rest: 15 * time.Second, keyPause: 30 * time.Second, failPause: 5 * time.Second, patience: 2 * time.Second,
	}
}

// New makes a Federation. It makes no request: Gatehouse starts with every
// provider down.
func New(cfg Config) *Federation {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	f := &Federation{
		store: cfg.Store, publicURL: strings.TrimSuffix(cfg.PublicURL, "/"),
		now: cfg.Now, logger: cfg.Logger, metrics: newMetrics(cfg.Metrics),
		timing: defaultTiming(), upstreams: map[string]*upstream{}, revoking: make(chan struct{}, maxRevocations),
	}
	f.client = newClient(cfg.Network, f.metrics)
	f.background, f.stop = context.WithCancel(context.Background())
	return f
}

// spawn runs fn on behalf of the Federation, which waits for it in Close; false
// when it is closed already.
func (f *Federation) spawn(fn func(context.Context)) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.background.Err() != nil {
		return false
	}
	f.running.Go(func() { fn(f.background) })
	return true
}

// Close cancels refreshes in flight, waits for them, and drops idle connections.
func (f *Federation) Close() {
	f.mu.Lock()
	f.stop()
	f.mu.Unlock()
	f.running.Wait()
	f.client.close()
}

// Forget drops everything cached of a connection: discovery, keys, compiled
// selectors, breaker (SECURITY-CASES K4). Other processes drop theirs when the
// record's revision changes.
func (f *Federation) Forget(connectionID string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.upstreams, connectionID)
}

// upstream is the state of one connection at one revision: an edit starts from
// nothing, on every node that reads the new record.
type upstream struct {
	revision  int64
	slots     chan struct{}
	breaker   *breaker
	metadata  *cached[metadata]
	keys      *cached[keySet]
	selectors func() (*selection, error)
	urls      func() (*profile.URLSelector, error) // finds the profile's URL in a response
	clientKey func() (*clientKey, error)
	apple     *appleSecrets
}

func (f *Federation) upstream(conn *store.Connection) *upstream {
	f.mu.Lock()
	defer f.mu.Unlock()
	u := f.upstreams[conn.ID]
	if u == nil || u.revision != conn.Revision {
		u = f.newUpstream(conn)
		f.upstreams[conn.ID] = u
	}
	return u
}

func (f *Federation) newUpstream(conn *store.Connection) *upstream {
	return &upstream{
		revision:  conn.Revision,
		slots:     make(chan struct{}, f.timing.slots),
		breaker:   &breaker{now: f.now, failures: f.timing.failures, rest: f.timing.rest},
		metadata:  &cached[metadata]{fresh: time.Hour, stale: 24 * time.Hour, pause: f.timing.failPause},
		keys:      &cached[keySet]{fresh: 15 * time.Minute, stale: 24 * time.Hour, pause: f.timing.failPause, provoked: f.timing.keyPause},
		selectors: sync.OnceValues(func() (*selection, error) { return compileSelection(conn.Selectors) }),
		urls:      sync.OnceValues(func() (*profile.URLSelector, error) { return compileURLSelector(conn.Profile) }),
		clientKey: sync.OnceValues(func() (*clientKey, error) { return loadClientKey(conn) }),
		apple:     &appleSecrets{},
	}
}
