package notify

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"gatehouse/store"
	"gatehouse/templates"
)

// Bounds of the queues: a stranger can make events, but not a full disk.
const (
	// maxMails is how many mails wait; beyond it the oldest are dropped.
	maxMails = 10_000
	// maxDeliveries is how many deliveries of one webhook are kept, waiting or
	// done; beyond it the oldest are dropped.
	maxDeliveries = 5_000
)

// Poster sends a webhook's request: it decides which addresses may be reached,
// follows no redirect, and gives errors that may be shown to whoever wrote the
// URL.
type Poster interface {
	Post(ctx context.Context, url string, allowPrivate bool, header http.Header, body []byte) (status int, answer http.Header, err error)
}

// Transport sends one mail, or says why not; see [Permanent] and [Unreachable].
type Transport interface {
	Send(ctx context.Context, m Message) error
}

// Config of a Notifier. Store, Mails, Issuer and AdminURL are required.
type Config struct {
	Store *store.Store
	// Mails draws them.
	Mails *templates.Mails
	// Transport sends mails; nil: mails are off and what would be mailed is dropped.
	Transport Transport
	// Via says in words how mails are sent, for the console.
	Via string
	// Poster sends webhooks; nil: none are sent.
	Poster Poster
	// Told names the user ids that are told of an access request.
	Told func(store.Tx, store.AccessRequest) ([]string, error)
	// Issuer and AdminURL begin the links of mails.
	Issuer, AdminURL string
	// Now defaults to time.Now, Logger to one that discards, Metrics to none.
	Now     func() time.Time
	Logger  *slog.Logger
	Metrics prometheus.Registerer
	// Every is the pause between two looks at the store; a second when zero.
	Every time.Duration
}

// Notifier is safe for concurrent use. It sends nothing until Run.
type Notifier struct {
	store     *store.Store
	mails     *templates.Mails
	transport Transport
	via       string
	poster    Poster
	told      func(store.Tx, store.AccessRequest) ([]string, error)
	issuer    string
	adminURL  string
	now       func() time.Time
	log       *slog.Logger
	metrics   *metrics
	every     time.Duration
	wake      chan struct{}

	mailQueue *queue
	hookQueue *queue
	stuck     map[string]int // failed tries per event; of the one goroutine in Run
	trimmed   time.Time      // when logs were cut to size; likewise
}

// New makes a Notifier.
func New(cfg Config) (*Notifier, error) {
	if cfg.Store == nil || cfg.Mails == nil || cfg.Issuer == "" || cfg.AdminURL == "" {
		return nil, errors.New("notify: Store, Mails, Issuer and AdminURL are required")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Told == nil {
		cfg.Told = func(store.Tx, store.AccessRequest) ([]string, error) { return nil, nil }
	}
	if cfg.Every <= 0 {
		cfg.Every = time.Second
	}
	return &Notifier{
		store: cfg.Store, mails: cfg.Mails, transport: cfg.Transport, via: cfg.Via, poster: cfg.Poster, told: cfg.Told,
		issuer: strings.TrimSuffix(cfg.Issuer, "/"), adminURL: strings.TrimSuffix(cfg.AdminURL, "/"),
		now: cfg.Now, log: cfg.Logger, metrics: newMetrics(cfg.Metrics), every: cfg.Every,
		wake: make(chan struct{}, 1), stuck: map[string]int{},
		mailQueue: newQueue(4, 4), hookQueue: newQueue(16, 2),
	}, nil
}

// MailsOn reports whether mails are sent, and via says how.
func (n *Notifier) MailsOn() (on bool, via string) { return n.transport != nil, n.via }

// Wake makes Run look at once. It never blocks.
func (n *Notifier) Wake() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// Run tells until ctx ends, then waits for what is being sent.
func (n *Notifier) Run(ctx context.Context) {
	ticker := time.NewTicker(n.every)
	defer ticker.Stop()
	var sending sync.WaitGroup
	defer sending.Wait()
	for {
		if err := n.step(ctx, &sending); err != nil && ctx.Err() == nil {
			n.metrics.failed("queue")
			n.log.Error("notices cannot be looked through; it will be tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-n.wake:
		case <-ticker.C:
		}
	}
}

// step is one look: events become mails and deliveries, and what is due is
// handed to goroutines of their own, so that a slow server holds up nothing.
func (n *Notifier) step(ctx context.Context, sending *sync.WaitGroup) error {
	made, err := n.drain(ctx)
	return errors.Join(err, n.mail(ctx, sending, made.mails), n.deliver(ctx, sending, made.deliveries))
}
