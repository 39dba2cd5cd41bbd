package admin

import (
	"context"
	"slices"
	"strings"
	"time"

	"gatehouse/store"
)

// Bounds of the overview: it is no place to walk a million records.
const (
	mostCounted   = 999
	mostCounts    = 20_000 // of logins
	mostFailing   = 20
	failingLogins = 3 // in the last hour, before a connection counts as failing
)

type overviewInput struct {
	Days int `query:"days" minimum:"1" maximum:"90" default:"1" doc:"How far back logins are counted; by hour for one day, else by day"`
}

type overviewOutput struct{ Body overviewView }

// overviewView is what the console's first page shows.
type overviewView struct {
	Waiting       int           `json:"waiting" doc:"Access requests that wait for a decision; counted up to 999"`
	Organizations int           `json:"organizations"`
	Connections   int           `json:"connections"`
	Clients       int           `json:"clients"`
	Logins        []loginsView  `json:"logins" doc:"Oldest first"`
	Failing       []failingView `json:"failing" doc:"Connections through which half of the logins of the last hour failed, or whose provider does not answer"`
}

// loginsView counts the logins that ended in one hour or day.
type loginsView struct {
	At       time.Time        `json:"at"`
	Outcomes map[string]int64 `json:"outcomes" doc:"signed_in, waiting, refused, cancelled, failed"`
}

type failingView struct {
	Connection string `json:"connection"`
	Title      string `json:"title"`
	Failed     int64  `json:"failed" doc:"Logins of the last hour that failed"`
	Logins     int64  `json:"logins" doc:"Logins of the last hour"`
	Silent     bool   `json:"silent" doc:"Its provider failed several times in a row and is left alone for a moment"`
}

func (h *Handler) routeOverview(t *table) {
	endpoint(t, Approver, operation{Method: "GET", Path: "/overview", In: anywhere, Name: "show-overview", Summary: "Waiting requests, logins over time, failing connections", Tag: "overview"},
		func(ctx context.Context, p Principal, in *overviewInput) (*overviewOutput, error) {
			v, err := h.overview(ctx, p, in.Days)
			return &overviewOutput{v}, err
		})
}

// overview counts what the caller may see. An approver sees what waits.
func (h *Handler) overview(ctx context.Context, p Principal, days int) (v overviewView, err error) {
	h.store.Traces.Flush(ctx)
	v.Logins, v.Failing = []loginsView{}, []failingView{}
	now := h.now().UTC()
	err = h.store.View(ctx, func(tx store.Tx) error {
		if v.Waiting, err = h.waiting(tx, p); err != nil || p.highest() < rankAdmin {
			return err
		}
		if err := h.countRecords(tx, p, &v); err != nil {
			return err
		}
		since := now.Add(-time.Duration(days)*24*time.Hour + time.Hour)
		counts, err := h.store.LoginCountsSince(tx, since, mostCounts)
		if err != nil {
			return err
		}
		counts = slices.DeleteFunc(counts, func(c store.LoginCount) bool { return !Admin.Allows(p, Object{c.OrganizationID}) })
		v.Logins = loginsOverTime(counts, since, now, days)
		v.Failing, err = h.failing(tx, p, counts, now)
		return err
	})
	return v, err
}

// waiting counts the requests the caller may decide.
func (h *Handler) waiting(tx store.Tx, p Principal) (n int, err error) {
	if Approver.Allows(p, Object{}) {
		return h.store.AccessRequests.CountByIndex(tx, "state", store.RequestPending, mostCounted)
	}
	for _, organization := range p.organizationsAt(Approver) {
		some, err := h.store.AccessRequests.CountByIndex(tx, "organization_state", store.OrganizationState(organization, store.RequestPending), mostCounted)
		if err != nil {
			return 0, err
		}
		n += some
	}
	return min(n, mostCounted), nil
}

func (h *Handler) countRecords(tx store.Tx, p Principal, v *overviewView) error {
	clients, _, err := h.shownClients(tx, store.Page{Limit: mostCounted})
	if err != nil {
		return err
	}
	if Admin.Allows(p, Object{}) {
		v.Clients = len(clients)
		organizations, _, err := h.store.Organizations.List(tx, store.Page{Limit: mostCounted})
		if err != nil {
			return err
		}
		connections, _, err := h.store.Connections.List(tx, store.Page{Limit: mostCounted})
		v.Organizations, v.Connections = len(organizations), len(connections)
		return err
	}
	theirs := p.organizationsAt(Admin)
	v.Organizations = len(theirs)
	for _, organization := range theirs {
		n, err := h.store.Connections.CountByIndex(tx, "organization", organization, mostCounted)
		if err != nil {
			return err
		}
		v.Connections += n
	}
	for _, c := range clients {
		if len(c.Organizations) == 0 || slices.ContainsFunc(c.Organizations, func(id string) bool { return slices.Contains(theirs, id) }) {
			v.Clients++
		}
	}
	return nil
}

// loginsOverTime sums counts up to points of equal distance, empty ones too.
func loginsOverTime(counts []store.LoginCount, since, now time.Time, days int) []loginsView {
	step := time.Hour
	if days > 1 {
		step = 24 * time.Hour
	}
	var out []loginsView
	for at := since.Truncate(step); !at.After(now); at = at.Add(step) {
		out = append(out, loginsView{At: at, Outcomes: map[string]int64{}})
	}
	for _, c := range counts {
		i := int(c.Hour.Sub(out[0].At) / step)
		if i < 0 || i >= len(out) {
			continue
		}
		for outcome, n := range c.Outcomes {
			out[i].Outcomes[outcome] += n
		}
	}
	return out
}

// failing are the connections to look at: those with many failed logins in this
// hour and the one before, and those whose provider is left alone.
func (h *Handler) failing(tx store.Tx, p Principal, counts []store.LoginCount, now time.Time) ([]failingView, error) {
	found := map[string]*failingView{}
	of := func(id string) *failingView {
		if found[id] == nil {
			found[id] = &failingView{Connection: id}
		}
		return found[id]
	}
	for _, c := range counts {
		if c.ConnectionID == "" || now.Sub(c.Hour) >= 2*time.Hour {
			continue
		}
		f := of(c.ConnectionID)
		for outcome, n := range c.Outcomes {
			f.Logins += n
			if outcome == string(store.OutcomeFailed) {
				f.Failed += n
			}
		}
	}
	for _, id := range h.federation.Silent() {
		of(id).Silent = true
	}
	out := []failingView{}
	for id, f := range found {
		c, err := h.store.Connections.Get(tx, id)
		if err != nil || !Admin.Allows(p, Object{c.OrganizationID}) { // deleted since, or somebody else's
			continue
		}
		if f.Title = c.Title; f.Silent || f.Failed >= failingLogins && 2*f.Failed >= f.Logins {
			out = append(out, *f)
		}
	}
	slices.SortFunc(out, func(a, b failingView) int { return strings.Compare(a.Connection, b.Connection) })
	return out[:min(len(out), mostFailing)], nil
}
