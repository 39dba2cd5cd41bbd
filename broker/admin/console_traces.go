package admin

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"gatehouse/store"
	"gatehouse/templates"
)

// showTraces lists logins, newest first, by the filter in the address.
func (h *Handler) showTraces(w http.ResponseWriter, r *http.Request, p Principal) {
	q := r.URL.Query()
	in := traceListInput{
		Paging: paging(r), Words: q.Get("words"), User: q.Get("user"), Connection: q.Get("connection"), Client: q.Get("client"),
		Outcome: q.Get("outcome"), Since: day(q.Get("since"), 0), Until: day(q.Get("until"), 1),
	}
	found, err := h.listTraces(r.Context(), in)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	list := templates.ListPage{
		Title: "Logins", Columns: []string{"Words", "Began", "Outcome", "Cause", "At fault", "Connection", "App"},
		Empty: templates.Empty{Title: "No login found", Text: "Only the latest logins are kept. Check the words, or search for less."},
	}
	for _, t := range found.Items {
		list.Rows = append(list.Rows, templates.Row{URL: "/traces/" + t.Words, Cells: []templates.Cell{
			templates.CodeCell(t.Words), templates.TimeCell(t.StartedAt), outcomeCell(t.Outcome), templates.CodeCell(t.Code),
			templates.WordCell(blameWords(t.Blame)), templates.CodeCell(t.Connection), templates.CodeCell(t.Client),
		}})
	}
	if found.Next != "" {
		onward := url.Values{"cursor": {found.Next}}
		for _, name := range traceFilters() {
			if v := q.Get(name); v != "" {
				onward.Set(name, v)
			}
		}
		list.Next = r.URL.Path + "?" + onward.Encode()
	}
	if len(q) > 0 {
		list.First = r.URL.Path
	}
	page := templates.TracesPage{
		Frame: h.frame(r, p), Find: "/find/trace", List: list,
		Filter: templates.TraceFilter{Words: in.Words, Connection: in.Connection, User: in.User, Since: q.Get("since"), Until: q.Get("until")},
	}
	for _, o := range store.Outcomes() {
		page.Filter.Outcomes = append(page.Filter.Outcomes, templates.Option{Value: string(o), Title: outcomeWords(o), Selected: string(o) == in.Outcome})
	}
	h.drawn(r, h.templates.Traces(w, http.StatusOK, page))
}

func traceFilters() []string {
	return []string{"words", "user", "connection", "client", "outcome", "since", "until"}
}

// findTraces leads the filled form to its list: straight to the one login when
// the words are known.
func (h *Handler) findTraces(w http.ResponseWriter, r *http.Request, p Principal) {
	q := url.Values{}
	for _, name := range traceFilters() {
		if v := strings.TrimSpace(r.PostForm.Get(name)); v != "" && len(v) <= 100 {
			q.Set(name, v)
		}
	}
	if words := store.CleanWords(q.Get("words")); words != "" {
		if t, err := h.trace(r.Context(), words); err == nil && p.sees(t.OrganizationID) {
			http.Redirect(w, r, "/traces/"+words, http.StatusSeeOther)
			return
		}
	}
	to := "/traces"
	if len(q) > 0 {
		to += "?" + q.Encode()
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// day reads a date; the zero time when there is none. after 1 is its end.
func day(s string, after int) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return time.Time{}
	}
	return t.AddDate(0, 0, after)
}

// showTrace draws one login.
func (h *Handler) showTrace(w http.ResponseWriter, r *http.Request, p Principal) {
	t, err := h.trace(r.Context(), r.PathValue("words"))
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	page := templates.TracePage{
		Frame: h.frame(r, p), Words: t.Words, State: outcomeCell(t.Outcome), Back: "/traces", Started: t.StartedAt,
		Facts: h.traceFacts(r.Context(), t), Hops: hops(t), Omitted: t.Omitted,
	}
	if t.Code != "" {
		page.Verdict = verdict(t.Code, t.Blame)
		page.Verdict.Title = "Failed at " + string(t.FailedAt) + "."
	}
	for _, s := range t.Steps {
		step := templates.TraceStep{
			Title: stepTitle(s.Name), Way: way(s.Name), Took: took(s.Micros), At: s.At, Code: s.Code, Why: s.Why,
			State: templates.BadgeCell("✓ ok", templates.ToneGood),
		}
		switch s.Outcome {
		case store.StepFail:
			step.State, step.Verdict = templates.BadgeCell("✗ failed", templates.ToneBad), verdict(s.Code, s.Blame)
		case store.StepWarn:
			step.State = templates.BadgeCell("! warning", templates.ToneWarn)
		}
		for _, d := range s.Details {
			label := strings.ReplaceAll(d.Name, "_", " ")
			if n := len(step.Details); n > 0 && step.Details[n-1].Label == label { // as the checks of an ID token
				step.Details[n-1].Value += ", " + d.Value
				continue
			}
			step.Details = append(step.Details, templates.Fact{Label: label, Value: d.Value})
		}
		page.Steps = append(page.Steps, step)
	}
	h.drawn(r, h.templates.Trace(w, http.StatusOK, page))
}

func (h *Handler) traceFacts(ctx context.Context, t store.Trace) []templates.Item {
	code := func(label, s string) templates.Item {
		if s == "" {
			return templates.Item{Label: label}
		}
		return templates.Item{Label: label, Values: []templates.Cell{templates.CodeCell(s)}}
	}
	user := templates.Item{Label: "Person"}
	if t.UserID != "" {
		name := t.UserID
		_ = h.store.View(ctx, func(tx store.Tx) error { // without a name the id stays
			name = h.nameByID(tx, t.UserID)
			return nil
		})
		user.Values = []templates.Cell{templates.LinkCell(name, "/users/"+url.PathEscape(t.UserID))}
	}
	facts := []templates.Item{code("App", t.ClientID), code("Connection", t.ConnectionID), code("Organization", t.OrganizationID), user}
	if t.RequestID != "" {
		facts = append(facts, templates.Item{Label: "Access request", Values: []templates.Cell{templates.LinkCell(t.RequestID, "/requests/"+url.PathEscape(t.RequestID))}})
	}
	return facts
}

func verdict(code, blame string) templates.Verdict {
	known := store.TraceCodeOf(code)
	return templates.Verdict{Blame: blameWords(blame), Means: known.Means, Do: known.Do}
}

// hops sorts the steps to the places a login passes through.
func hops(t store.Trace) []templates.Hop {
	places := []struct {
		title string
		steps []store.StepName
	}{
		{"App", []store.StepName{store.StepAuthorize}},
		{"Gatehouse", []store.StepName{store.StepRoute, store.StepLeave}},
		{"Provider", []store.StepName{store.StepReturn, store.StepRedeem, store.StepVerify, store.StepProfile}},
		{"Gatehouse", []store.StepName{store.StepSelect, store.StepAdmit}},
		{"App", []store.StepName{store.StepIssue, store.StepToken}},
	}
	out := make([]templates.Hop, len(places))
	for i, place := range places {
		hop := templates.Hop{Title: place.title, State: "not reached"}
		for _, name := range place.steps {
			for _, s := range t.Steps {
				if s.Name != name {
					continue
				}
				hop.State, hop.Tone = "✓ ok", templates.ToneGood
				hop.Steps = append(hop.Steps, templates.Fact{Label: string(s.Name), Value: took(s.Micros)})
				if s.Outcome == store.StepFail { // what came later may have gone well
					hop.State, hop.Tone = "✗ failed", templates.ToneBad
				}
			}
		}
		if n := len(hop.Steps); n > 4 {
			hop.Steps, hop.More = hop.Steps[:3], n-3
		}
		out[i] = hop
	}
	return out
}

func took(micros int64) string {
	switch {
	case micros < 1000:
		return fmt.Sprintf("%d µs", micros)
	case micros < 10_000:
		return fmt.Sprintf("%.1f ms", float64(micros)/1000)
	case micros < 10_000_000:
		return fmt.Sprintf("%d ms", micros/1000)
	}
	return fmt.Sprintf("%d s", micros/1_000_000)
}

func stepTitle(s store.StepName) string { return strings.ToUpper(string(s[:1])) + string(s[1:]) }

// way is between whom a step happens.
func way(s store.StepName) string {
	switch s {
	case store.StepAuthorize, store.StepToken:
		return "App → Gatehouse"
	case store.StepLeave:
		return "Gatehouse → Provider"
	case store.StepReturn:
		return "Provider → Gatehouse"
	case store.StepRedeem, store.StepProfile:
		return "Gatehouse ⇄ Provider"
	case store.StepIssue:
		return "Gatehouse → App"
	}
	return "Gatehouse"
}

func outcomeWords(o store.Outcome) string { return strings.ReplaceAll(string(o), "_", " ") }

func outcomeCell(o store.Outcome) templates.Cell {
	tone := templates.ToneNone
	switch o {
	case store.OutcomeSignedIn:
		tone = templates.ToneGood
	case store.OutcomeWaiting:
		tone = templates.ToneWarn
	case store.OutcomeFailed, store.OutcomeRefused:
		tone = templates.ToneBad
	}
	return templates.BadgeCell(outcomeWords(o), tone)
}

// blameWords says whose fault it is.
func blameWords(blame string) string {
	switch blame {
	case "ours":
		return "this service or its settings"
	case "provider":
		return "the provider"
	case "app":
		return "the app"
	case "user":
		return "the person"
	}
	return ""
}
