package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/demo"
	"gatehouse/federation/mockidp"
	"gatehouse/notify"
	"gatehouse/store"
	"gatehouse/store/bolt"
)

// devOptions are the flags of `gatehouse dev`.
type devOptions struct {
	dir     string
	verbose bool
	smtp    string          // mail server; "" writes mails to files
	ports   map[string]*int // by site name
}

// Names of the development environment's sites; NAME-port is the flag.
const (
	devBroker = "broker"
	devAdmin  = "admin"
	devDemo   = "demo"
)

func newDevCommand(env environment) *cobra.Command {
	o := devOptions{ports: map[string]*int{}}
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run a broker with mock companies and a demo app on this machine",
		Long: `Run everything a first login needs, in one process: the broker, three mock
identity providers and a demo app, each on its own port of this machine, with
organizations, connections, clients and an owner account already there.

What it prints stands in dev.json of the data folder as well, for scripts. The
data stays: a second start finds the same secrets and people. Delete the folder
to begin anew. Nothing of this is fit for production.`,
		Example: "  gatehouse dev\n  gatehouse dev --broker-port 8000 --data /tmp/gatehouse",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return dev(cmd.Context(), o, env) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.dir, "data", filepath.Join("var", "dev"), "folder for data, key, log and dev.json")
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "log to standard error instead of gatehouse.log in the data folder")
	flags.StringVar(&o.smtp, "smtp", "", "send mails to a mail server on this machine, such as Mailpit at 127.0.0.1:1025, instead of writing them to files")
	port := func(name string, value int, what string) {
		o.ports[name] = flags.Int(name+"-port", value, "port of "+what+"; 0 takes any free one")
	}
	port(devBroker, 9000, "the broker")
	port(devAdmin, 9001, "the admin console and API")
	for _, c := range devCompanies() {
		port(c.Name, c.port, "the identity provider of "+c.title)
	}
	port(devDemo, 9200, "the demo app")
	return cmd
}

// dev runs the development environment until ctx ends.
func dev(ctx context.Context, o devOptions, env environment) (err error) {
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return err
	}
	listeners, err := o.listen(ctx)
	if err != nil {
		return err
	}
	defer func() {
		for _, l := range listeners {
			_ = l.Close() // those that were served are closed already
		}
	}()
	cfg, err := o.config(listeners)
	if err != nil {
		return err
	}
	logger, closeLog, err := o.logger(cfg, env)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeLog()) }()
	st, err := o.openData(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	g, err := assemble(ctx, cfg, st, logger)
	if err != nil {
		return err
	}
	defer g.close()

	state, err := seed(ctx, g, o.plan(cfg, listeners))
	if err != nil {
		return fmt.Errorf("fill the data: %w", err)
	}
	beside, closeBeside, err := devSites(state, listeners, logger)
	if err != nil {
		return err
	}
	defer closeBeside()
	started := func() error {
		if err := state.write(o.stateFile()); err != nil {
			return err
		}
		_, err := fmt.Fprint(env.Stdout, state.screen(o.smtp))
		return err
	}
	return g.run(ctx, listeners[devBroker], listeners[devAdmin], started, beside...)
}

// listen opens every port before anything else happens, so that a taken one is
// told before data is touched and port 0 is known where URLs are made.
func (o devOptions) listen(ctx context.Context) (map[string]net.Listener, error) {
	listeners := map[string]net.Listener{}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(o.ports)) {
		port := o.ports[name]
		var lc net.ListenConfig
		l, err := lc.Listen(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(*port)))
		switch {
		case errors.Is(err, syscall.EADDRINUSE):
			errs = append(errs, fmt.Errorf("port %d is taken: stop what uses it, or choose another with --%s-port (0 takes any free one)", *port, name))
		case err != nil:
			errs = append(errs, fmt.Errorf("--%s-port: %w", name, err))
		default:
			listeners[name] = l
		}
	}
	if len(errs) > 0 {
		for _, l := range listeners {
			_ = l.Close()
		}
		return nil, errors.Join(errs...)
	}
	return listeners, nil
}

func localURL(l net.Listener) string {
	_, port, _ := net.SplitHostPort(l.Addr().String()) // a TCP listener's address always splits
	return "http://localhost:" + port
}

// config is an ordinary configuration, judged like one from a file.
func (o devOptions) config(listeners map[string]net.Listener) (*config, error) {
	cfg := defaultConfig()
	cfg.Issuer = localURL(listeners[devBroker])
	cfg.Listen = listeners[devBroker].Addr().String()
	cfg.Admin.Listen = listeners[devAdmin].Addr().String()
	cfg.Admin.URL = localURL(listeners[devAdmin])
	cfg.Data = filepath.Join(o.dir, "gatehouse.db")
	cfg.Network.AllowPrivate = []string{"127.0.0.0/8", "::1/128"} // the mock companies live here
	cfg.Admin.SecondFactor = "optional"                           // a newcomer is in within a minute
	if o.smtp != "" {
		cfg.Mail.SMTP, cfg.Mail.TLS, cfg.Mail.From = o.smtp, notify.TLSNone, "gatehouse@localhost.localdomain"
	} else {
		cfg.Mail.Directory = filepath.Join(o.dir, "mail")
	}
	if found := cfg.check(origins{}); len(found) > 0 {
		return nil, found
	}
	return &cfg, nil
}

func (o devOptions) stateFile() string { return filepath.Join(o.dir, "dev.json") }

// logger writes to a file of this start, because the terminal shows the screen.
func (o devOptions) logger(cfg *config, env environment) (*slog.Logger, func() error, error) {
	if o.verbose {
		return newLogger(cfg.Log, env.Stderr), func() error { return nil }, nil
	}
	f, err := os.OpenFile(filepath.Join(o.dir, "gatehouse.log"), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, nil, err
	}
	return newLogger(cfg.Log, f), f.Close, nil
}

// openData makes key and data at the first start.
func (o devOptions) openData(ctx context.Context, cfg *config) (*data, error) {
	dataExists, err := exists(cfg.Data)
	if err != nil {
		return nil, err
	}
	keyExists, err := exists(cfg.MasterKeyFile)
	if err != nil {
		return nil, err
	}
	switch {
	case dataExists && !keyExists:
		return nil, fmt.Errorf("%s is gone, and %s opens with no other key: bring it back, or delete the folder to begin anew", cfg.MasterKeyFile, cfg.Data)
	case !keyExists:
		if _, err := store.CreateKeyFile(cfg.MasterKeyFile); err != nil {
			return nil, err
		}
	}
	keyring, err := loadKeyring(cfg, nil) // a variable meant for production does not apply here
	if err != nil {
		return nil, err
	}
	st, err := openData(ctx, cfg, keyring)
	if errors.Is(err, bolt.ErrLocked) {
		return nil, fmt.Errorf("%w: another `gatehouse dev` runs in %s; stop it, or choose another folder with --data", err, o.dir)
	}
	return st, err
}

// devSites are the parties around the broker.
func devSites(state *devState, listeners map[string]net.Listener, logger *slog.Logger) (sites []site, closeAll func(), err error) {
	transport := &http.Transport{} // of its own: the demo app is another party, and no proxy is asked
	var providers []*mockidp.Provider
	closeAll = func() {
		for _, p := range providers {
			p.Close()
		}
		transport.CloseIdleConnections()
	}
	for _, c := range devCompanies() {
		provider, err := mockidp.New(mockidp.Config{
			Issuer: localURL(listeners[c.Name]), Domain: c.peopleDomain, Title: c.title, Users: c.people(),
			Clients: []mockidp.Client{{
				ID: devUpstreamClient, Secret: devUpstreamSecret, RedirectPrefixes: []string{state.Issuer + "/"},
				PostLogoutRedirectURIs: []string{state.Issuer + "/"},
			}},
			Logger: logger.With("site", c.Name),
		})
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		providers = append(providers, provider)
		sites = append(sites, site{name: c.Name, listener: listeners[c.Name], handler: provider})
	}
	app, err := demo.New(demo.Config{
		Issuer: state.Issuer, ClientID: devWebClient, ClientSecret: state.client(devWebClient).Secret,
		BaseURL: state.Demo, HTTPClient: &http.Client{Transport: transport, Timeout: 10 * time.Second},
	})
	if err != nil {
		closeAll()
		return nil, nil, err
	}
	return append(sites, site{name: devDemo, listener: listeners[devDemo], handler: app}), closeAll, nil
}
