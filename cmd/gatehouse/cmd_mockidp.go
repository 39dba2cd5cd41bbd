package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/federation/mockidp"
)

// newMockIDPCommand runs one mock identity provider, for people's own test suites.
func newMockIDPCommand() *cobra.Command {
	var file, addr, issuer, domain string
	var example bool
	cmd := &cobra.Command{
		Use:   "mockidp",
		Short: "Run a mock OpenID Connect provider with switchable faults, for tests",
		Long: `Run a complete OpenID Connect provider that signs anybody in without a password
and misbehaves when told to. It is for tests and demos: never let it be reachable
by people who matter.

docs/mockidp.md describes its users, its faults and its control API.`,
		Example: "  gatehouse mockidp --example > users.yaml\n  gatehouse mockidp --config users.yaml --addr :9101",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if example {
				_, err := io.WriteString(cmd.OutOrStdout(), mockidp.ExampleConfig)
				return err
			}
			cfg, err := readMockIDPConfig(file)
			if err != nil {
				return err
			}
			if issuer != "" {
				cfg.Issuer = issuer
			}
			if domain != "" {
				cfg.Domain = domain
			}
			return serveMockIDP(cmd.Context(), cmd.OutOrStdout(), addr, cfg)
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "YAML file with users, clients and faults; - reads standard input")
	cmd.Flags().StringVar(&addr, "addr", "localhost:9101", "address to listen on; port 0 takes a free one")
	cmd.Flags().StringVar(&issuer, "issuer", "", "issuer URL (default: from the address)")
	cmd.Flags().StringVar(&domain, "domain", "", "e-mail domain of its people (default: acme.test)")
	cmd.Flags().BoolVar(&example, "example", false, "print a commented configuration and stop")
	return cmd
}

func readMockIDPConfig(file string) (mockidp.Config, error) {
	if file == "" {
		return mockidp.Config{}, nil
	}
	source, err := os.ReadFile(file)
	if file == "-" {
		source, err = io.ReadAll(os.Stdin)
	}
	if err != nil {
		return mockidp.Config{}, fmt.Errorf("reading the mock provider's configuration: %w", err)
	}
	cfg, err := mockidp.ParseConfig(source)
	if err != nil {
		return mockidp.Config{}, fmt.Errorf("%s:\n%w", file, err)
	}
	return cfg, nil
}

// serveMockIDP serves until ctx ends. It prints one line once it answers.
func serveMockIDP(ctx context.Context, out io.Writer, addr string, cfg mockidp.Config) error {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("listening on %s: %w", addr, err)
	}
	if cfg.Issuer == "" {
		host, _, err := net.SplitHostPort(addr)
		if err != nil || host == "" {
			host = "localhost"
		}
		_, port, err := net.SplitHostPort(ln.Addr().String())
		if err != nil {
			return errors.Join(fmt.Errorf("reading the listener's port: %w", err), ln.Close())
		}
		cfg.Issuer = "http://" + net.JoinHostPort(host, port)
	}
	provider, err := mockidp.New(cfg)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	server := &http.Server{Handler: provider, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	if _, err := fmt.Fprintf(out, "mock identity provider ready: %s (anybody signs in without a password)\n", provider.Issuer()); err != nil {
		provider.Close()
		return errors.Join(err, server.Close(), ignoreClosed(<-served))
	}
	select {
	case err := <-served:
		provider.Close()
		return fmt.Errorf("serving the mock provider: %w", err)
	case <-ctx.Done():
	}
	provider.Close() // ends what hangs, so that the server can stop
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(stopping); err != nil {
		return errors.Join(fmt.Errorf("stopping the mock provider: %w", err), server.Close(), ignoreClosed(<-served))
	}
	return ignoreClosed(<-served)
}

// ignoreClosed is the error of Serve, except the one that says it was asked to stop.
func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
