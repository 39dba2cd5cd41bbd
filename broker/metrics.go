package broker

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"gatehouse/store"
)

// metrics counts what the broker decides. Labels come from fixed lists.
type metrics struct {
	logins *prometheus.CounterVec
	tokens *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		logins: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_logins_total", Help: "Logins by how they ended.",
		}, []string{"outcome"}),
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_token_requests_total", Help: "Requests to the token endpoint by grant type and answer.",
		}, []string{"grant_type", "answer"}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.logins, m.tokens} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// registerTraces counts what was not kept of traces.
func registerTraces(reg prometheus.Registerer, t *store.Traces) error {
	if reg == nil {
		return nil
	}
	count := func(name, help string, n func() uint64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(n()) })
	}
	return errors.Join(
		reg.Register(count("gatehouse_traces_dropped_total", "Parts of login traces that were not kept because too much came at once.", t.Dropped)),
		reg.Register(count("gatehouse_traces_failed_total", "Parts of login traces that were not kept because the store could not write.", t.Failed)),
	)
}

func (m *metrics) login(outcome string) { m.logins.WithLabelValues(outcome).Inc() }

// token counts an answer; a grant type nobody knows is "other".
func (m *metrics) token(grantType string, err error) {
	switch grantType {
	case "authorization_code", "refresh_token", "client_credentials":
	default:
		grantType = "other"
	}
	answer := "ok"
	if err != nil {
		answer = asOAuth(err).Code
	}
	m.tokens.WithLabelValues(grantType, answer).Inc()
}
