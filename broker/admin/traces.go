package admin

import (
	"context"
	"time"

	"gatehouse/store"
)

// traceView is a login as its trace tells it.
type traceView struct {
	Words        string          `json:"words" doc:"Correlation id, as amber-river-otter"`
	StartedAt    time.Time       `json:"started_at"`
	UpdatedAt    time.Time       `json:"updated_at"`
	Outcome      store.Outcome   `json:"outcome" enum:"running,signed_in,waiting,refused,cancelled,failed"`
	FailedAt     store.StepName  `json:"failed_at,omitempty" doc:"Step at which it ended"`
	Code         string          `json:"code,omitempty" doc:"Exact cause; docs/traces.md lists all"`
	Blame        string          `json:"blame,omitempty" doc:"Whose fault: ours, provider, app or user"`
	Means        string          `json:"means,omitempty"`
	Do           string          `json:"do,omitempty" doc:"What to do about it"`
	Client       string          `json:"client,omitempty"`
	Connection   string          `json:"connection,omitempty"`
	Organization string          `json:"organization,omitempty"`
	User         string          `json:"user,omitempty"`
	Request      string          `json:"request,omitempty" doc:"The access request that waits or waited"`
	Steps        []traceStepView `json:"steps,omitempty" doc:"Only of a single trace"`
	Omitted      int             `json:"omitted,omitempty" doc:"Steps that were too many to keep"`
}

// traceStepView is one step.
type traceStepView struct {
	Name    store.StepName      `json:"name"`
	At      time.Time           `json:"at"`
	Millis  float64             `json:"millis"`
	Outcome string              `json:"outcome" enum:"ok,warn,fail"`
	Code    string              `json:"code,omitempty"`
	Blame   string              `json:"blame,omitempty"`
	Why     string              `json:"why,omitempty"`
	Means   string              `json:"means,omitempty"`
	Do      string              `json:"do,omitempty"`
	Details []store.TraceDetail `json:"details,omitempty"`
}

// viewTrace is the trace without its steps.
func viewTrace(t store.Trace) traceView {
	v := traceView{
		Words: t.Words, StartedAt: t.StartedAt, UpdatedAt: t.UpdatedAt, Outcome: t.Outcome, FailedAt: t.FailedAt, Code: t.Code, Blame: t.Blame,
		Client: t.ClientID, Connection: t.ConnectionID, Organization: t.OrganizationID, User: t.UserID, Request: t.RequestID, Omitted: t.Omitted,
	}
	if t.Code != "" {
		known := store.TraceCodeOf(t.Code)
		v.Means, v.Do = known.Means, known.Do
	}
	return v
}

func viewTraceSteps(t store.Trace) traceView {
	v := viewTrace(t)
	for _, s := range t.Steps {
		step := traceStepView{
			Name: s.Name, At: s.At, Millis: float64(s.Micros) / 1000, Outcome: s.Outcome, Code: s.Code, Blame: s.Blame, Why: s.Why, Details: s.Details,
		}
		if s.Code != "" {
			known := store.TraceCodeOf(s.Code)
			step.Means, step.Do = known.Means, known.Do
		}
		v.Steps = append(v.Steps, step)
	}
	return v
}

type traceListInput struct {
	Paging
	Words      string    `query:"words" maxLength:"80" doc:"Only the login with this correlation id"`
	User       string    `query:"user" maxLength:"100" doc:"Only logins of this user id"`
	Connection string    `query:"connection" maxLength:"100" doc:"Only logins through this connection"`
	Client     string    `query:"client" maxLength:"100" doc:"Only logins for this app"`
	Outcome    string    `query:"outcome" enum:"running,signed_in,waiting,refused,cancelled,failed" doc:"Only logins that ended so"`
	Since      time.Time `query:"since" doc:"Only logins that began then or later"`
	Until      time.Time `query:"until" doc:"Only logins that began then or earlier"`
}

type tracePath struct {
	Words string `path:"words" maxLength:"80" doc:"Correlation id; any case, spaces for hyphens"`
}

type traceOutput struct{ Body traceView }

func (h *Handler) routeTraces(t *table) {
	endpoint(t, Admin, operation{Method: "GET", Path: "/traces", In: anywhere, Name: "list-traces", Summary: "List traces of logins, newest first", Tag: "traces"},
		func(ctx context.Context, _ Principal, in *traceListInput) (*pageOutput[traceView], error) {
			page, err := h.listTraces(ctx, *in)
			return &pageOutput[traceView]{page}, err
		})
	endpoint(t, Admin, operation{Method: "GET", Path: "/traces/{words}", In: byObject, Name: "get-trace", Summary: "Show the trace of one login, step by step", Tag: "traces"},
		func(ctx context.Context, _ Principal, in *tracePath) (*traceOutput, error) {
			tr, err := h.trace(ctx, in.Words)
			return &traceOutput{viewTraceSteps(tr)}, err
		})
}

func (h *Handler) trace(ctx context.Context, words string) (tr store.Trace, err error) {
	h.store.Traces.Flush(ctx)
	err = h.store.View(ctx, func(tx store.Tx) (err error) {
		tr, err = h.store.Traces.Find(tx, store.CleanWords(words))
		return err
	})
	return tr, err
}

func (h *Handler) listTraces(ctx context.Context, in traceListInput) (Page[traceView], error) {
	h.store.Traces.Flush(ctx)
	filter := store.TraceFilter{
		User: in.User, Connection: in.Connection, Client: in.Client, Outcome: store.Outcome(in.Outcome), Since: in.Since, Until: in.Until,
	}
	name := "traces?" + in.Words + "\n" + in.User + "\n" + in.Connection + "\n" + in.Client + "\n" + in.Outcome + "\n" + in.Since.String() + "\n" + in.Until.String()
	read := func(tx store.Tx, p store.Page) ([]store.Trace, string, error) {
		return h.store.Traces.List(tx, filter, p)
	}
	if in.Words != "" {
		read = func(tx store.Tx, _ store.Page) ([]store.Trace, string, error) {
			return h.store.Traces.ByWords(tx, filter, in.Words)
		}
	}
	return listOf(ctx, h, in.Paging, listing[store.Trace]{
		name: name, all: read, owners: func(_ store.Tx, t store.Trace) (belonging, error) { return belongsTo(t.OrganizationID), nil },
	}, plain(viewTrace))
}
