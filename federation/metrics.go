package federation

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are optional: a nil *metrics counts nothing. Labels are connection
// ids (admins make them), endpoint names and our own codes: bounded.
type metrics struct {
	logins   *prometheus.CounterVec
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	if r == nil {
		return nil
	}
	m := &metrics{
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_federation_returns_total",
			Help: "Logins that came back from a provider, by connection and outcome (ok or an error code).",
		}, []string{"connection", "outcome"}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_upstream_requests_total",
			Help: "Requests to providers, by connection, endpoint and outcome (ok or an error code).",
		}, []string{"connection", "endpoint", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "gatehouse_upstream_request_seconds",
			Help:    "Duration of requests to providers, by endpoint.",
			Buckets: []float64{.005, .02, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"endpoint"}),
	}
	r.MustRegister(m.logins, m.requests, m.seconds)
	return m
}

func (m *metrics) returned(connection string, err error) {
	if m != nil {
		m.logins.WithLabelValues(connection, outcomeLabel(err)).Inc()
	}
}

func (m *metrics) requested(connection, endpoint string, took time.Duration, err error) {
	if m != nil {
		m.requests.WithLabelValues(connection, endpoint, outcomeLabel(err)).Inc()
		m.seconds.WithLabelValues(endpoint).Observe(took.Seconds())
	}
}

func outcomeLabel(err error) string {
	if err == nil {
		return "ok"
	}
	if e, ok := AsError(err); ok {
		return e.Code
	}
	return "internal"
}
