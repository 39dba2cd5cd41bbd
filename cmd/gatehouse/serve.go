package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"

	"gatehouse/broker"
	"gatehouse/broker/admin"
	"gatehouse/broker/keys"
	"gatehouse/broker/local"
	"gatehouse/broker/session"
	"gatehouse/federation"
	"gatehouse/federation/rehearsal"
	"gatehouse/notify"
	"gatehouse/provisioning"
	"gatehouse/provisioning/ownership"
	"gatehouse/store"
	"gatehouse/templates"
)

func newServeCommand(env environment) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the broker",
		Long: `Run the broker: the public listener for browsers and apps, and the admin
listener for console, API, metrics and health. SIGTERM or Ctrl-C stops it after
the requests in flight are answered.

It makes neither key nor data: run "gatehouse init" once before.`,
		Example: "  gatehouse serve --config /etc/gatehouse.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := loadConfig(path, env.Environ)
			if err != nil {
				return err
			}
			return serve(cmd.Context(), cfg, env)
		},
	}
	addConfigFlag(cmd, &path)
	return cmd
}

// serve runs one Gatehouse until ctx ends.
func serve(ctx context.Context, cfg *config, env environment) (err error) {
	logger := newLogger(cfg.Log, env.Stderr)
	for _, w := range cfg.warnings {
		logger.Warn(w)
	}
	st, err := openStore(ctx, cfg, env.Environ)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	g, err := assemble(ctx, cfg, st, logger)
	if err != nil {
		return err
	}
	defer g.close()
	public, err := listen(ctx, "listen", cfg.Listen)
	if err != nil {
		return err
	}
	private, err := listen(ctx, "admin.listen", cfg.Admin.Listen)
	if err != nil {
		return errors.Join(err, public.Close())
	}
	return g.run(ctx, public, private, func() error {
		settle(env)
		return g.announce(ctx, env)
	})
}

// settle sets the garbage collector for a small, busy heap: with a few
// megabytes alive, the default collects every few requests. What start-up used
// goes back to the system. GOGC in the environment overrules it.
func settle(env environment) {
	if !slices.ContainsFunc(env.Environ, func(v string) bool { return strings.HasPrefix(v, "GOGC=") }) {
		debug.SetGCPercent(400)
	}
	debug.FreeOSMemory()
}

func listen(ctx context.Context, field, address string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return l, nil
}

// gatehouse is one assembled broker.
type gatehouse struct {
	cfg         *config
	logger      *slog.Logger
	store       *store.Store
	federation  *federation.Federation
	provisioner *provisioning.Provisioner
	keys        *keys.Ring
	broker      *broker.Broker
	ownership   *ownership.Checker
	public      http.Handler
	admin       http.Handler
	console     *admin.Handler
	publicTLS   *tls.Config
	adminTLS    *tls.Config
	notifier    *notify.Notifier
	ready       *readiness
	errors      *prometheus.CounterVec // of background tasks
}

// assemble is the only wiring: it makes each part once and hands it to the
// parts that need it.
func assemble(ctx context.Context, cfg *config, d *data, logger *slog.Logger) (*gatehouse, error) {
	st := d.Store
	g := &gatehouse{cfg: cfg, logger: logger, store: st, ready: &readiness{store: st}}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	g.errors = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "gatehouse_background_errors_total", Help: "Background tasks that failed and will be tried again.",
	}, []string{"task"})
	registry.MustRegister(g.errors)
	registry.MustRegister(engineMetrics(d.engine)...)

	var err error
	if g.publicTLS, err = loadTLS("tls", cfg.TLS, logger); err != nil {
		return nil, err
	}
	if g.adminTLS, err = loadTLS("admin.tls", cfg.Admin.TLS, logger); err != nil {
		return nil, err
	}
	secure := cfg.derived.issuer.Scheme == "https"
	publicPages, err := templates.New(templates.Config{StrictTransport: secure})
	if err != nil {
		return nil, err
	}
	adminPages := publicPages // parsed templates take megabytes: one set where it fits both
	if adminSecure := cfg.derived.admin.Scheme == "https"; adminSecure != secure {
		if adminPages, err = templates.New(templates.Config{StrictTransport: adminSecure}); err != nil {
			return nil, err
		}
	}
	network, err := federation.ParseNetworkPolicy(cfg.Network.AllowPrivate)
	if err != nil {
		return nil, err
	}
	if g.keys, err = keys.Open(ctx, keys.Config{Store: st, Now: st.Now}); err != nil {
		return nil, err
	}
	sessions, err := session.New(session.Config{
		Store: st, Issuer: cfg.Issuer, Now: st.Now,
		Idle: cfg.Lifetimes.SessionIdle, Absolute: cfg.Lifetimes.SessionAbsolute,
	})
	if err != nil {
		return nil, err
	}
	g.federation = federation.New(federation.Config{
		Store: st, PublicURL: cfg.Issuer, Network: network, Now: st.Now, Logger: logger, Metrics: registry,
	})
	g.ownership = newOwnership(cfg, d, logger)
	provisioner := provisioning.New(provisioning.Config{Store: st, Federation: g.federation, Now: st.Now})
	g.provisioner = provisioner
	tests := rehearsal.New(st.Now)
	accounts := local.New(local.Config{Store: st, Issuer: cfg.Issuer, End: provisioner.EndUser, Now: st.Now})
	factorOptional := cfg.Admin.SecondFactor == "optional"
	g.broker, err = broker.New(broker.Config{
		Store: st, Federation: g.federation, Provisioner: provisioner, Templates: publicPages,
		Keys: g.keys, Sessions: sessions, Issuer: cfg.Issuer, PublicHosts: cfg.PublicHosts, Rehearsals: tests, Now: st.Now, Logger: logger, Metrics: registry,
		Accounts: accounts, SecondFactorOptional: factorOptional,
		Lifetimes: broker.Lifetimes{
			AccessToken: cfg.Lifetimes.AccessToken, Code: cfg.Lifetimes.Code,
			RefreshIdle: cfg.Lifetimes.RefreshIdle, RefreshAbsolute: cfg.Lifetimes.RefreshAbsolute,
		},
	})
	if err != nil {
		return nil, err
	}
	if g.notifier, err = newNotifier(cfg, st, g.federation, provisioner, logger, registry); err != nil {
		return nil, err
	}
	console, err := admin.New(admin.Config{
		Public: g.broker, Keys: g.keys, Settings: settingsOf(cfg),
		Notifier: g.notifier,
		Store:    st, Provisioner: provisioner, Federation: g.federation, Templates: adminPages,
		BaseURL: cfg.Admin.URL, PublicIssuer: cfg.Issuer, Rehearsals: tests, Ownership: g.ownership, Now: st.Now, Logger: logger, Version: buildVersion(),
		Accounts: accounts, SecondFactorOptional: factorOptional, SessionIdle: cfg.Lifetimes.ConsoleIdle, SessionAbsolute: cfg.Lifetimes.ConsoleAbsolute,
	})
	if err != nil {
		return nil, err
	}

	g.console = console
	if err := console.EnsureConsoleClient(ctx); err != nil {
		return nil, err
	}
	requests := newRequestMetrics(registry)
	proxy := proxyRule{trusted: cfg.derived.proxies, header: cfg.Proxy.Header}
	g.public = g.outer("public", requests, publicPages, &guard{
		hosts: publicHosts(cfg), proxy: proxy, next: g.broker,
		onlyProxies: secure && g.publicTLS == nil && len(proxy.trusted) > 0,
	})
	g.admin = g.outer("admin", requests, adminPages, &guard{
		proxy: proxy, next: g.operations(registry, console), // the console checks hosts itself
	})
	return g, nil
}

// newOwnership makes what proves domains, also for commands on the data.
func newOwnership(cfg *config, d *data, logger *slog.Logger) *ownership.Checker {
	return ownership.New(ownership.Config{
		Store: d.Store, Resolver: ownership.Resolver{Server: cfg.DNS.Resolver}, Grace: cfg.DNS.Grace, Now: d.Now, Logger: logger,
	})
}

// publicHosts are the values of Host that the public listener answers to.
func publicHosts(cfg *config) []string {
	hosts := []string{canonicalHost(cfg.derived.issuer.Host)}
	for _, origin := range cfg.PublicHosts {
		if u, problem := originURL(origin); problem == "" { // checked at load
			hosts = append(hosts, canonicalHost(u.Host))
		}
	}
	return hosts
}

// outer puts the layers around a listener's handler that hold for every answer.
func (g *gatehouse) outer(listener string, metrics *requestMetrics, pages *templates.Templates, next http.Handler) http.Handler {
	return &observer{
		listener: listener, logger: g.logger, metrics: metrics, now: time.Now,
		failed: func(w http.ResponseWriter, id string) {
			_ = pages.Error(w, http.StatusInternalServerError, templates.ErrorPage{Kind: templates.ErrorInternal, Correlation: id})
		},
		next: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			pages.SetHeaders(w.Header()) // pages and endpoints set stricter or looser ones over these
			next.ServeHTTP(w, r)
		}),
	}
}

// run serves until ctx ends or a listener fails, and returns when everything it
// started is gone. beside are further sites that live as long (the development
// environment's). started is called once all listeners answer.
func (g *gatehouse) run(ctx context.Context, public, private net.Listener, started func() error, beside ...site) error {
	capped := newCappedListener(public, g.cfg.Network.ConnectionsPerAddress, g.cfg.derived.proxies)
	sites := append([]site{
		{name: "public", listener: capped, handler: g.public, tls: g.publicTLS},
		{name: "admin", listener: private, handler: g.admin, tls: g.adminTLS},
	}, beside...)
	tasks := g.startTasks()
	group := startSites(g.logger, sites...)
	g.ready.serving.Store(true)
	g.logger.Info("gatehouse is up", "version", buildVersion(), "issuer", g.cfg.Issuer,
		"public", public.Addr().String(), "admin", private.Addr().String())
	err := started()
	switch {
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		err = nil // asked to stop while it was starting: no failure
	case err == nil:
		select {
		case <-ctx.Done():
		case err = <-group.failed:
		}
	}
	g.logger.Info("stopping")
	g.ready.serving.Store(false) // first, so that balancers look elsewhere (FT22)
	g.broker.Close()             // streams end now; other requests finish
	err = errors.Join(err, group.stop())
	tasks()
	g.logger.Info("stopped")
	return err
}

func (g *gatehouse) close() {
	g.broker.Close()
	g.federation.Close()
}

// announce prints the one-time link with which the first owner makes an
// account. It goes to the terminal, not to the log.
func (g *gatehouse) announce(ctx context.Context, env environment) error {
	token, needed, err := admin.EnsureSetupLink(ctx, g.store)
	if err != nil || !needed {
		return err
	}
	say(env, "There is no owner account yet. Make it here, within 24 hours:\n\n  %s\n", admin.SetupURL(g.cfg.Admin.URL, token))
	return nil
}
