package store

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"gatehouse/profile"
)

// Recorder collects the steps of one login during one HTTP request. It travels
// in the request's context. All its methods do nothing on a nil Recorder, and
// what is collected goes nowhere until Begin says which login it is.
type Recorder struct {
	traces *Traces
	mu     sync.Mutex
	entry  Trace
	steps  []*Span // parallel to entry.Steps
	hidden []string
}

type recorderKey struct{}

// Recorder begins recording a request.
func (t *Traces) Recorder() *Recorder { return &Recorder{traces: t} }

// WithTrace puts the recorder into a context.
func WithTrace(ctx context.Context, r *Recorder) context.Context {
	return context.WithValue(ctx, recorderKey{}, r)
}

// TraceOf is the context's recorder, or nil.
func TraceOf(ctx context.Context) *Recorder {
	r, _ := ctx.Value(recorderKey{}).(*Recorder)
	return r
}

// Begin says which login the request belongs to.
func (r *Recorder) Begin(words string, started time.Time) {
	if r == nil || words == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entry.Words, r.entry.StartedAt = words, started.UTC()
}

// Words is the login's correlation id; "" when the request belongs to none.
func (r *Recorder) Words() string {
	if r == nil {
		return ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.entry.Words
}

// About says who and what the login is about; empty values change nothing.
type About struct{ Client, Connection, Organization, User, Request string }

// About adds to what the login is found by.
func (r *Recorder) About(a About) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range []struct {
		to   *string
		from string
	}{
		{&r.entry.ClientID, a.Client},
		{&r.entry.ConnectionID, a.Connection},
		{&r.entry.OrganizationID, a.Organization},
		{&r.entry.UserID, a.User},
		{&r.entry.RequestID, a.Request},
	} {
		if f.from != "" {
			*f.to = idText(f.from)
		}
	}
}

// Proven says that a provider vouched for the person.
func (r *Recorder) Proven() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entry.Proven = true
}

// Outcome says how the login ended, as far as this request knows.
func (r *Recorder) Outcome(o Outcome) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entry.Outcome = o
}

// Failed reports whether a step of this request failed.
func (r *Recorder) Failed() bool {
	if r == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.entry.Steps {
		if r.entry.Steps[i].Outcome == StepFail {
			return true
		}
	}
	return false
}

// Hide names secrets of this login. They are nowhere recorded anyway; should a
// provider repeat one in a text that is quoted, it is struck out there too.
func Hide(ctx context.Context, secrets ...string) {
	r := TraceOf(ctx)
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range secrets {
		if len(s) >= 6 && len(r.hidden) < 16 {
			r.hidden = append(r.hidden, s)
		}
	}
}

// Scrub strikes out of a text for the log what Hide named.
func Scrub(ctx context.Context, text string) string {
	r := TraceOf(ctx)
	if r == nil {
		return text
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.scrub(text)
}

// Span is a step under way.
type Span struct {
	r     *Recorder
	at    int // in entry.Steps
	begun time.Time
	ended bool
}

// Step begins a step, and so ends the one before it, well. End it with Done,
// with EndStep, or by beginning the next.
func Step(ctx context.Context, name StepName, details ...Detail) *Span {
	r := TraceOf(ctx)
	if r == nil {
		return nil
	}
	now := r.traces.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if last := r.last(); last != nil {
		last.finish(now, TraceFault{}, false)
	}
	if len(r.entry.Steps) >= maxTraceSteps {
		r.entry.Omitted++
		return nil
	}
	s := &Span{r: r, at: len(r.entry.Steps), begun: now}
	r.entry.Steps = append(r.entry.Steps, TraceStep{Name: name, At: now.UTC().Truncate(time.Microsecond), Outcome: StepOK})
	r.steps = append(r.steps, s)
	s.add(details)
	return s
}

// last is the step under way, or nil.
func (r *Recorder) last() *Span {
	if n := len(r.steps); n > 0 && !r.steps[n-1].ended {
		return r.steps[n-1]
	}
	return nil
}

// EndStep ends the step that is under way in ctx, if there is one, as Done does.
func EndStep(ctx context.Context, err error) {
	r := TraceOf(ctx)
	if r == nil {
		return
	}
	r.mu.Lock()
	last := r.last()
	r.mu.Unlock()
	last.Done(err)
}

// Note adds details to the step that is under way in ctx.
func Note(ctx context.Context, details ...Detail) {
	r := TraceOf(ctx)
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if last := r.last(); last != nil {
		last.add(details)
	}
}

// Add adds details.
func (s *Span) Add(details ...Detail) {
	if s == nil {
		return
	}
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	s.add(details)
}

func (s *Span) add(details []Detail) {
	if s.at >= len(s.r.entry.Steps) {
		return // the request is over
	}
	step := &s.r.entry.Steps[s.at]
	for _, d := range details {
		if len(step.Details) >= maxStepDetails {
			return
		}
		step.Details = append(step.Details, TraceDetail{d.name, s.r.scrub(d.value)})
	}
}

func (r *Recorder) scrub(text string) string {
	for _, secret := range r.hidden {
		if strings.Contains(text, secret) {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}

// Warn marks a step that went on although something was missing.
func (s *Span) Warn() {
	if s == nil {
		return
	}
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	if s.at < len(s.r.entry.Steps) && s.r.entry.Steps[s.at].Outcome == StepOK {
		s.r.entry.Steps[s.at].Outcome = StepWarn
	}
}

// Done ends the step, well when err is nil. Code, blame and words come from the
// Traceable in err's chain; the text of anything else stays out.
func (s *Span) Done(err error) {
	if s == nil {
		return
	}
	var f TraceFault
	if err != nil {
		f = faultOf(err)
	}
	s.end(f, err != nil)
}

// Explain ends the step with a decision's words: a failure when it has a code.
func (s *Span) Explain(d Traceable) {
	if s == nil {
		return
	}
	f := d.TraceFault()
	s.end(f, f.Code != "")
}

func (s *Span) end(f TraceFault, failed bool) {
	now := s.r.traces.now()
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	s.finish(now, f, failed)
}

// finish is end for those who hold the recorder's lock.
func (s *Span) finish(now time.Time, f TraceFault, failed bool) {
	if s.ended || s.at >= len(s.r.entry.Steps) {
		return
	}
	s.ended = true
	step := &s.r.entry.Steps[s.at]
	step.Micros = max(now.Sub(s.begun).Microseconds(), 0)
	if f.Why != "" {
		step.Why = profile.Untrusted(s.r.scrub(f.Why)).Clean(maxWhy)
	}
	if !failed {
		return
	}
	known := TraceCodeOf(f.Code)
	step.Outcome, step.Code, step.Blame = StepFail, known.Code, known.Blame
	switch f.Blame {
	case "ours", "provider", "app", "user":
		step.Blame = f.Blame
	}
}

func faultOf(err error) TraceFault {
	var t Traceable
	if errors.As(err, &t) {
		return t.TraceFault()
	}
	switch {
	case errors.Is(err, context.Canceled):
		return TraceFault{Code: "abandoned"}
	case errors.Is(err, ErrUnavailable), errors.Is(err, ErrClosed), errors.Is(err, context.DeadlineExceeded):
		return TraceFault{Code: "store_unavailable"}
	}
	return TraceFault{Code: "internal"}
}

// Close ends the request: what it recorded goes to the background writer.
func (r *Recorder) Close() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if last := r.last(); last != nil {
		last.finish(r.traces.now(), TraceFault{}, false)
	}
	e := r.entry
	r.entry, r.steps = Trace{}, nil
	if e.Words == "" || len(e.Steps) == 0 && e.Outcome == "" {
		return
	}
	if e.Outcome == "" {
		e.Outcome = OutcomeRunning
	}
	e.UpdatedAt = r.traces.now().UTC()
	switch e.Outcome {
	case OutcomeFailed, OutcomeRefused, OutcomeCancelled:
		for _, s := range e.Steps { // the last one that failed
			if s.Outcome == StepFail {
				e.FailedAt, e.Code, e.Blame = s.Name, s.Code, s.Blame
			}
		}
	default:
	}
	r.traces.submit(&e)
}
