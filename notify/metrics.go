package notify

import "github.com/prometheus/client_golang/prometheus"

// metrics of the queues and what came of them. No label holds an address.
type metrics struct {
	waiting    *prometheus.GaugeVec
	mails      *prometheus.CounterVec
	deliveries *prometheus.CounterVec
	dropped    *prometheus.CounterVec
	failures   *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	m := &metrics{
		waiting: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "gatehouse_notices_waiting", Help: "Events, mails and webhook deliveries that wait, as last counted.",
		}, []string{"queue"}),
		mails: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_mails_total", Help: "Attempts to send a mail, by kind and result (sent, deferred, refused, expired).",
		}, []string{"kind", "result"}),
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_webhook_deliveries_total", Help: "Attempts to call a webhook, by kind of event and result (delivered, deferred, failed).",
		}, []string{"kind", "result"}),
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_notices_dropped_total", Help: "Events, mails and deliveries thrown away because too many waited or they could not be told.",
		}, []string{"queue"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_notice_failures_total", Help: "Failures of our own while telling, by part.",
		}, []string{"part"}),
	}
	if r != nil {
		r.MustRegister(m.waiting, m.mails, m.deliveries, m.dropped, m.failures)
	}
	return m
}

func (m *metrics) failed(part string) { m.failures.WithLabelValues(part).Inc() }
