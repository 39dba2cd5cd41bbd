package broker

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ory/fosite"
	"github.com/prometheus/client_golang/prometheus"

	"gatehouse/broker/keys"
	"gatehouse/broker/local"
	"gatehouse/broker/session"
	"gatehouse/federation"
	"gatehouse/federation/rehearsal"
	"gatehouse/provisioning"
	"gatehouse/store"
	"gatehouse/templates"
)

// Lifetimes of what the broker issues; a zero field takes its default. Clients
// may have their own.
type Lifetimes struct {
	Code            time.Duration // 60 s
	AccessToken     time.Duration // 15 min
	IDToken         time.Duration // 15 min
	RefreshIdle     time.Duration // 30 days unused
	RefreshAbsolute time.Duration // 180 days whatever happens
	// RefreshGrace is how long the same refresh request may be repeated by a
	// client that did not get the answer. 30 s.
	RefreshGrace time.Duration
}

func (l *Lifetimes) defaults() {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&l.Code, time.Minute},
		{&l.AccessToken, 15 * time.Minute},
		{&l.IDToken, 15 * time.Minute},
		{&l.RefreshIdle, 30 * 24 * time.Hour},
		{&l.RefreshAbsolute, 180 * 24 * time.Hour},
		{&l.RefreshGrace, 30 * time.Second},
	} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
}

// Config of a Broker. Everything but Now, Logger, Metrics and Lifetimes is
// required.
type Config struct {
	Store       *store.Store
	Federation  *federation.Federation
	Provisioner *provisioning.Provisioner
	Templates   *templates.Templates
	Keys        *keys.Ring
	Sessions    *session.Manager
	// Issuer is our URL: without query, fragment or trailing slash.
	Issuer string
	// PublicHosts are further origins of ours, such as https://login.brand.test,
	// at which branded apps sign people in. The issuer stays the same.
	PublicHosts []string
	// Rehearsals are the test logins that the admin listener hands out links
	// for; nil: there are none.
	Rehearsals *rehearsal.Book
	// Accounts keeps passwords and factors, shared with the admin listener; nil:
	// one of its own.
	Accounts *local.Accounts
	// SecondFactorOptional lets admins and owners with a local account sign in
	// with a password alone.
	SecondFactorOptional bool

	Lifetimes Lifetimes
	Now       func() time.Time
	Logger    *slog.Logger
	Metrics   prometheus.Registerer
}

// Broker is the public listener's handler.
type Broker struct {
	store       *store.Store
	federation  *federation.Federation
	provisioner *provisioning.Provisioner
	templates   *templates.Templates
	keys        *keys.Ring
	sessions    *session.Manager
	issuer      string
	hosts       map[string]string // branded hosts, with their base URL
	rehearsals  *rehearsal.Book
	lifetimes   Lifetimes
	now         func() time.Time
	logger      *slog.Logger
	metrics     *metrics
	accounts    *local.Accounts
	rp          *local.RelyingParty // nil: no passkeys at a network address

	factorOptional bool

	provider      *fosite.Fosite
	asking        queue // providers, at refresh
	guesses       *guesses
	claims        []claim
	discoveryJSON []byte
	refreshKeys   [][]byte // active first
	formKey       []byte
	handleKeys    [][]byte // of access requests' handles, active first
	handler       http.Handler

	watchers  atomic.Int64
	closing   chan struct{}
	closeOnce sync.Once
}

// New makes a Broker.
func New(c Config) (*Broker, error) {
	if c.Store == nil || c.Federation == nil || c.Provisioner == nil || c.Templates == nil || c.Keys == nil || c.Sessions == nil {
		return nil, errors.New("broker: incomplete configuration")
	}
	u, err := url.Parse(c.Issuer)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(c.Issuer, "/") {
		return nil, fmt.Errorf("broker: issuer %q is not a URL without query, fragment and trailing slash", c.Issuer)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.Lifetimes.defaults()
	b := &Broker{
		rehearsals: c.Rehearsals, store: c.Store, federation: c.Federation, provisioner: c.Provisioner, templates: c.Templates,
		keys: c.Keys, sessions: c.Sessions, issuer: c.Issuer, lifetimes: c.Lifetimes, now: c.Now, logger: c.Logger,
		guesses: newGuesses(c.Now), claims: claims(), closing: make(chan struct{}),
		handleKeys: c.Store.Keyring().Derive("access-request"), refreshKeys: c.Store.Keyring().Derive("refresh-token"), formKey: c.Store.Keyring().Derive("form")[0],
	}
	if b.accounts = c.Accounts; b.accounts == nil {
		b.accounts = local.New(local.Config{Store: c.Store, Issuer: c.Issuer, End: c.Provisioner.EndUser, Now: c.Now})
	}
	b.factorOptional = c.SecondFactorOptional
	if b.rp, err = local.NewRelyingParty(c.Issuer); err != nil {
		return nil, err
	}
	if b.hosts, err = brandedHosts(c.PublicHosts, u); err != nil {
		return nil, err
	}
	if b.metrics, err = newMetrics(c.Metrics); err != nil {
		return nil, err
	}
	if err = registerTraces(c.Metrics, c.Store.Traces); err != nil {
		return nil, err
	}
	if b.discoveryJSON, err = json.Marshal(b.newMetadata()); err != nil {
		return nil, err
	}
	b.provider = b.newProvider(&strategy{b}, &storage{b})
	b.handler = http.StripPrefix(strings.TrimSuffix(u.Path, "/"), b.mux())
	return b, nil
}

// ServeHTTP implements http.Handler.
func (b *Broker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.templates.SetHeaders(w.Header())
	b.handler.ServeHTTP(w, r)
}

// Close ends the event streams of waiting browsers, so that a graceful stop
// need not wait for them. Requests in flight go on.
func (b *Broker) Close() { b.closeOnce.Do(func() { close(b.closing) }) }
