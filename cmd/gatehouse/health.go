package main

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"gatehouse/store"
	"gatehouse/store/bolt"
)

// operations adds metrics and health to the admin listener; they are on no
// other (SECURITY-CASES Z11). Health answers under any host name because probes
// use addresses; metrics answer to addresses and to names the operator knows,
// not to a name an attacker's DNS points here.
func (g *gatehouse) operations(registry *prometheus.Registry, console http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if reason := g.ready.why(r.Context()); reason != "" {
			plain(w, http.StatusServiceUnavailable, reason)
			return
		}
		plain(w, http.StatusOK, "ready")
	})
	metrics := promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		if !g.knownAdminHost(r.Host) {
			refuse(w, http.StatusMisdirectedRequest, "Add this host to admin.hosts to read metrics under it.")
			return
		}
		metrics.ServeHTTP(w, r)
	})
	mux.Handle("/", console)
	return mux
}

func (g *gatehouse) knownAdminHost(host string) bool {
	host = canonicalHost(host)
	if addrOf(host).IsValid() {
		return true
	}
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return true
	}
	return host == canonicalHost(g.cfg.derived.admin.Host) || slices.Contains(g.cfg.Admin.Hosts, host)
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n"))
}

// readiness says whether requests should be sent here.
type readiness struct {
	store   *store.Store
	serving atomic.Bool
}

// why is empty when ready. It never depends on an upstream provider: one that is
// down harms its own users only.
func (r *readiness) why(ctx context.Context) string {
	if !r.serving.Load() {
		return "not serving"
	}
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	err := r.store.View(ctx, func(tx store.Tx) error {
		_, _, err := r.store.SigningKeys.List(tx, store.Page{Limit: 1})
		return err
	})
	if err != nil {
		return "the data cannot be read"
	}
	return ""
}

// engineMetrics show how many updates share one commit to the disk.
func engineMetrics(engine *bolt.Engine) []prometheus.Collector {
	return []prometheus.Collector{
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "gatehouse_store_updates_total", Help: "Updates acknowledged after changing something.",
		}, func() float64 { return float64(engine.Stats().Updates) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "gatehouse_store_commits_total", Help: "Commits to the disk that the updates shared.",
		}, func() float64 { return float64(engine.Stats().Commits) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "gatehouse_store_bytes", Help: "Size of the data file.",
		}, func() float64 { return float64(engine.Stats().Bytes) }),
	}
}
