package main

import (
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const requestIDHeader = "X-Request-Id"

// observer is the outermost layer of a listener: it names each request, logs it
// in one line, counts it and turns a panic into a page.
type observer struct {
	listener string // "public" or "admin", in log and metrics
	logger   *slog.Logger
	metrics  *requestMetrics
	now      func() time.Time
	// failed answers a request whose handler panicked before it wrote anything.
	failed func(w http.ResponseWriter, requestID string)
	next   http.Handler
}

// requestMetrics count requests by route pattern, never by path: the number of
// series is the number of routes, whatever strangers ask for.
type requestMetrics struct {
	total    *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight *prometheus.GaugeVec
	panics   prometheus.Counter
}

func newRequestMetrics(reg prometheus.Registerer) *requestMetrics {
	m := &requestMetrics{
		total: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_http_requests_total", Help: "Requests answered.",
		}, []string{"listener", "route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "gatehouse_http_request_duration_seconds", Help: "Time from the request's head to the answer's end.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"listener", "route"}),
		inFlight: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "gatehouse_http_requests_in_flight", Help: "Requests being answered.",
		}, []string{"listener"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "gatehouse_http_panics_total", Help: "Handlers that panicked: each is a defect.",
		}),
	}
	reg.MustRegister(m.total, m.duration, m.inFlight, m.panics)
	return m
}

// ServeHTTP implements http.Handler.
func (o *observer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := o.now()
	id := rand.Text()
	r.Header.Set(requestIDHeader, id) // a caller's own id is worth nothing (log forging)
	w.Header().Set(requestIDHeader, id)
	answer := &answerWriter{ResponseWriter: w}

	inFlight := o.metrics.inFlight.WithLabelValues(o.listener)
	inFlight.Inc()
	defer inFlight.Dec()
	defer func() {
		// A failed handler's answer is written here, then everything is logged.
		if fault := recover(); fault != nil {
			o.panicked(answer, id, fault)
			o.record(r, answer, id, start)
			if answer.aborted {
				panic(http.ErrAbortHandler) // net/http cuts the connection: half an answer is not an answer
			}
			return
		}
		o.record(r, answer, id, start)
	}()
	o.next.ServeHTTP(answer, r)
}

// panicked logs the stack, which goes nowhere else (SECURITY-CASES FT24).
func (o *observer) panicked(w *answerWriter, id string, fault any) {
	if err, ok := fault.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		w.aborted = true
		return
	}
	o.metrics.panics.Inc()
	o.logger.Error("handler panicked", "request_id", id, "panic", fault, "stack", string(debug.Stack()))
	if w.status != 0 {
		w.aborted = true
		return
	}
	clear(w.Header())
	w.Header().Set(requestIDHeader, id)
	o.failed(w, id)
}

func (o *observer) record(r *http.Request, w *answerWriter, id string, start time.Time) {
	took := o.now().Sub(start)
	status := w.status
	switch {
	case w.aborted && status == 0:
		status = 499 // nothing was answered
	case status == 0:
		status = http.StatusOK
	}
	route := r.Pattern
	if route == "" || route == "/" {
		route = "other"
	}
	o.metrics.total.WithLabelValues(o.listener, route, strconv.Itoa(status)).Inc()
	o.metrics.duration.WithLabelValues(o.listener, route).Observe(took.Seconds())
	level := slog.LevelInfo
	if status >= 500 {
		level = slog.LevelError
	}
	// No query string, no header, no body: codes, tokens and addresses of
	// people travel there.
	o.logger.Log(r.Context(), level, "request",
		"listener", o.listener, "request_id", id, "method", short(r.Method, 16), "path", loggedPath(r),
		"status", status, "ms", float64(took.Microseconds())/1000, "bytes", w.bytes, "ip", addrOf(r.RemoteAddr).String())
}

// loggedPath is the path as asked for, except that a variable part which can be
// a secret is replaced by its name in the pattern.
func loggedPath(r *http.Request) string {
	for _, name := range []string{"token", "secret", "code"} {
		if strings.Contains(r.Pattern, "{"+name) {
			_, path, _ := strings.Cut(r.Pattern, "/")
			return "/" + path
		}
	}
	return short(r.URL.Path, 200)
}

func short(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// answerWriter remembers what was answered.
type answerWriter struct {
	http.ResponseWriter
	status  int
	bytes   int64
	aborted bool
}

// WriteHeader implements http.ResponseWriter.
func (w *answerWriter) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements io.Writer.
func (w *answerWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Flush implements http.Flusher.
func (w *answerWriter) Flush() {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap serves http.ResponseController (deadlines).
func (w *answerWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func newLogger(cfg logConfig, w io.Writer) *slog.Logger {
	level := slog.LevelInfo
	_ = level.UnmarshalText([]byte(cfg.Level)) // checked with the configuration
	options := &slog.HandlerOptions{Level: level}
	if cfg.Format == "text" {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}
