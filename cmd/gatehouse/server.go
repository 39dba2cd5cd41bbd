package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits of every listener (SECURITY-CASES W5): a client that sends or takes
// nothing for this long loses its connection.
const (
	readHeaderTimeout = 10 * time.Second // also bounds the TLS handshake
	readTimeout       = 30 * time.Second
	writeTimeout      = 60 * time.Second // the longest step asks an upstream for 15 s
	idleTimeout       = 60 * time.Second
	maxHeaderBytes    = 48 << 10 // several sealed login cookies of 4 KiB
)

// How long a stop may take: requests in flight on the main listener get the
// first, what is left of the process the second. Together at most 20 s (FT22).
const (
	drainTimeout = 17 * time.Second
	closeTimeout = 2 * time.Second
)

// site is one listener and what answers on it.
type site struct {
	name     string
	listener net.Listener
	handler  http.Handler
	tls      *tls.Config // nil: plain HTTP
}

func (s site) server(logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           s.handler,
		TLSConfig:         s.tls,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		// "OPTIONS *" goes through our layers like everything else.
		DisableGeneralOptionsHandler: true,
		// Failed handshakes and broken requests are the clients' business.
		ErrorLog: slog.NewLogLogger(logger.With("listener", s.name).Handler(), slog.LevelDebug),
	}
}

// siteGroup serves several sites. They start together and stop one after the
// other in their order, so that health answers (on a later site) while the
// first still finishes its requests.
type siteGroup struct {
	sites   []site
	servers []*http.Server
	failed  chan error
	running sync.WaitGroup
}

func startSites(logger *slog.Logger, sites ...site) *siteGroup {
	g := &siteGroup{sites: sites, failed: make(chan error, len(sites))}
	for _, s := range sites {
		server := s.server(logger)
		g.servers = append(g.servers, server)
		g.running.Go(func() {
			var err error
			if s.tls != nil {
				err = server.ServeTLS(s.listener, "", "")
			} else {
				err = server.Serve(s.listener)
			}
			if !errors.Is(err, http.ErrServerClosed) {
				g.failed <- fmt.Errorf("%s listener: %w", s.name, err)
			}
		})
	}
	return g
}

// stop closes the listeners, waits for requests in flight and then for the
// serving goroutines. Requests that take too long are cut off and reported.
func (g *siteGroup) stop() error {
	var errs error
	for i, server := range g.servers {
		timeout := closeTimeout
		if i == 0 {
			timeout = drainTimeout
		}
		if err := shutdown(server, timeout); err != nil {
			errs = errors.Join(errs, fmt.Errorf("%s listener: %w", g.sites[i].name, err))
		}
	}
	g.running.Wait()
	return errs
}

func shutdown(server *http.Server, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("requests did not end within %s and were cut off", timeout), server.Close())
	}
	return nil
}
