package store

import (
	"time"
)

// Trace is what happened in one login, step by step, for the admin who is asked
// why it failed. It is redacted by construction: everything in it came through
// the constructors in trace_detail.go.
type Trace struct {
	// Key sorts the newest first.
	Key string `json:"key"`
	// Slot of the ring that it lies in; the login that comes round to the slot
	// again replaces it.
	Slot string `json:"slot"`
	// Words are the correlation id, as amber-river-otter.
	Words     string    `json:"words"`
	StartedAt time.Time `json:"started_at"`
	UpdatedAt time.Time `json:"updated_at"`
	Outcome   Outcome   `json:"outcome"`
	// FailedAt, Code and Blame are of the step at which it ended, if it failed.
	FailedAt StepName `json:"failed_at,omitempty"`
	Code     string   `json:"code,omitempty"`
	Blame    string   `json:"blame,omitempty"`

	ClientID       string `json:"client,omitempty"`
	ConnectionID   string `json:"connection,omitempty"`
	OrganizationID string `json:"organization,omitempty"`
	UserID         string `json:"user,omitempty"`
	RequestID      string `json:"request,omitempty"` // the access request that waits

	// Proven: a provider vouched for the person. Until then a stranger can have
	// made all of it, and it lies in a ring that pushes out no proven login.
	Proven bool        `json:"proven,omitempty"`
	Steps  []TraceStep `json:"steps,omitempty"` // kept apart; see Traces.Find
	// Omitted counts the steps that were too many to keep.
	Omitted int `json:"omitted,omitempty"`
}

// Outcome of a login.
type Outcome string

// Outcomes.
const (
	OutcomeRunning   Outcome = "running"   // under way, or given up without a word
	OutcomeSignedIn  Outcome = "signed_in" // the app got its code
	OutcomeWaiting   Outcome = "waiting"   // for an admin's decision
	OutcomeRefused   Outcome = "refused"   // provisioning or an admin said no
	OutcomeCancelled Outcome = "cancelled" // by the person
	OutcomeFailed    Outcome = "failed"
)

// Outcomes lists them all.
func Outcomes() []Outcome {
	return []Outcome{OutcomeRunning, OutcomeSignedIn, OutcomeWaiting, OutcomeRefused, OutcomeCancelled, OutcomeFailed}
}

// StepName names a step of a login.
type StepName string

// Steps, in their order.
const (
	StepAuthorize StepName = "authorize" // what the app asked for
	StepRoute     StepName = "route"     // which connection
	StepLeave     StepName = "leave"     // off to the provider
	StepReturn    StepName = "return"    // back from it
	StepRedeem    StepName = "redeem"    // the provider's code
	StepVerify    StepName = "verify"    // its ID token
	StepProfile   StepName = "profile"   // userinfo
	StepSelect    StepName = "select"    // attributes
	StepAdmit     StepName = "admit"     // provisioning
	StepIssue     StepName = "issue"     // our code for the app
	StepToken     StepName = "token"     // the app redeems it
)

// StepNames lists them in their order.
func StepNames() []StepName {
	return []StepName{
		StepAuthorize, StepRoute, StepLeave, StepReturn, StepRedeem, StepVerify, StepProfile, StepSelect,
		StepAdmit, StepIssue, StepToken,
	}
}

// How a step ended.
const (
	StepOK   = "ok"
	StepWarn = "warn"
	StepFail = "fail"
)

// TraceStep is one step. Blame is "ours", "provider", "app" or "user".
type TraceStep struct {
	Name    StepName      `json:"name"`
	At      time.Time     `json:"at"`
	Micros  int64         `json:"micros"`
	Outcome string        `json:"outcome"`
	Code    string        `json:"code,omitempty"`
	Blame   string        `json:"blame,omitempty"`
	Why     string        `json:"why,omitempty"`
	Details []TraceDetail `json:"details,omitempty"`
}

// TraceDetail is one typed fact of a step, as text.
type TraceDetail struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Bounds of a trace.
const (
	maxTraceSteps   = 40
	maxStepDetails  = 24
	maxTraceBytes   = 7 << 10 // of steps; with the rest a record stays below 8 KiB
	maxDetail       = 120
	maxWhy          = 240
	traceCapacity   = 5000
	traceOpenShare  = 5 // in ten of the slots are for what strangers can make
	traceQueue      = 2048
	traceOpenQueue  = 512
	traceBatch      = 256
	traceGather     = 250 * time.Millisecond
	traceMaxExamine = 2000
)

// size estimates what the step takes as JSON.
func (s *TraceStep) size() int {
	n := 130 + len(s.Name) + len(s.Code) + len(s.Blame) + jsonSize(s.Why)
	for _, d := range s.Details {
		n += 24 + len(d.Name) + jsonSize(d.Value)
	}
	return n
}

// jsonSize is how long a text is with what encoding/json escapes.
func jsonSize(s string) int {
	n := len(s)
	for i := range len(s) {
		switch c := s[i]; {
		case c < 0x20, c == '<', c == '>', c == '&':
			n += 5
		case c == '"', c == '\\':
			n++
		}
	}
	return n
}

// add merges what a later request of the same login recorded into t.
func (t *Trace) add(e *Trace) {
	t.Steps = append(t.Steps, e.Steps...)
	t.Omitted += e.Omitted
	t.trim()
	for _, f := range []struct {
		to   *string
		from string
	}{
		{&t.ClientID, e.ClientID},
		{&t.ConnectionID, e.ConnectionID},
		{&t.OrganizationID, e.OrganizationID},
		{&t.UserID, e.UserID},
		{&t.RequestID, e.RequestID},
	} {
		if f.from != "" {
			*f.to = f.from
		}
	}
	t.Proven = t.Proven || e.Proven
	if e.UpdatedAt.After(t.UpdatedAt) {
		t.UpdatedAt = e.UpdatedAt
	}
	switch {
	case t.Outcome == OutcomeSignedIn && e.Outcome != OutcomeSignedIn && e.FailedAt != StepToken:
		return // an old page that is sent again fails, and changes nothing
	case e.Outcome == OutcomeRunning && t.Outcome != OutcomeFailed:
		return
	}
	t.Outcome, t.FailedAt, t.Code, t.Blame = e.Outcome, e.FailedAt, e.Code, e.Blame
}

// trim keeps the bounds. The latest step always stays: it tells how it ended.
func (t *Trace) trim() {
	if over := len(t.Steps) - maxTraceSteps; over > 0 {
		last := t.Steps[len(t.Steps)-1]
		t.Steps = append(t.Steps[:maxTraceSteps-1:maxTraceSteps-1], last)
		t.Omitted += over
	}
	total := 0
	for i := range t.Steps {
		total += t.Steps[i].size()
	}
	if total <= maxTraceBytes {
		return // as with every login that is no attempt to fill us up
	}
	// The earlier steps give way: first their details, then their words.
	const bare = 150 // a step without either
	left := maxTraceBytes - len(t.Steps)*bare
	if len(t.Steps) > 0 {
		last := &t.Steps[len(t.Steps)-1]
		for len(last.Details) > 0 && last.size() > maxTraceBytes/3 {
			last.Details = last.Details[:len(last.Details)-1]
		}
		left -= last.size()
	}
	for i := range t.Steps[:max(len(t.Steps)-1, 0)] {
		s := &t.Steps[i]
		if s.size()-bare > left {
			s.Details = nil
		}
		if s.size()-bare > left {
			s.Why = ""
		}
		left -= max(s.size()-bare, 0)
	}
}
