package main

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// traceAnswer is what the admin API says about one login.
type traceAnswer struct {
	Words      string      `json:"words"`
	StartedAt  time.Time   `json:"started_at"`
	Outcome    string      `json:"outcome"`
	FailedAt   string      `json:"failed_at"`
	Code       string      `json:"code"`
	Blame      string      `json:"blame"`
	Means      string      `json:"means"`
	Do         string      `json:"do"`
	Client     string      `json:"client"`
	Connection string      `json:"connection"`
	User       string      `json:"user"`
	Request    string      `json:"request"`
	Steps      []traceStep `json:"steps"`
	Omitted    int         `json:"omitted"`
}

type traceStep struct {
	Name    string  `json:"name"`
	Millis  float64 `json:"millis"`
	Outcome string  `json:"outcome"`
	Code    string  `json:"code"`
	Why     string  `json:"why"`
	Details []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"details"`
}

func newTraceCommand(r *remote) *cobra.Command {
	cmd := group("trace WORDS", "Traces: what happened in a login",
		r.newListCommand(listing{
			use: "list", short: "List logins, newest first; --since and --until take times as 2026-11-21T08:00:00Z", path: "/traces",
			columns: []column{{"words", "words"}, {"began", "started_at"}, {"outcome", "outcome"}, {"step", "failed_at"}, {"cause", "code"}, {"blame", "blame"}, {"connection", "connection"}, {"app", "client"}, {"user", "user"}},
			filters: []column{{"user", "user"}, {"connection", "connection"}, {"client", "client"}, {"outcome", "outcome"}, {"since", "since"}, {"until", "until"}},
		}),
	)
	cmd.Long = `Show the trace of one login, found by the three words that the person saw or
the app was told: each hop with its time, what failed, whose fault it is and
what to do. No trace holds a secret, a token or an e-mail address.`
	cmd.Example = "  gatehouse trace amber-river-otter\n  gatehouse trace list --connection acme --outcome failed"
	cmd.Args = cobra.RangeArgs(1, 3) // amber-river-otter, or with spaces
	calls(cmd, "GET /traces/~")
	cmd.RunE = r.run(func(cmd *cobra.Command, args []string) error {
		path := "/traces/" + url.PathEscape(strings.Join(args, "-"))
		if r.json {
			var raw map[string]any
			if err := r.call(cmd.Context(), "GET", path, nil, &raw); err != nil {
				return err
			}
			return printJSON(cmd.OutOrStdout(), raw)
		}
		var t traceAnswer
		if err := r.call(cmd.Context(), "GET", path, nil, &t); err != nil {
			return err
		}
		_, err := io.WriteString(cmd.OutOrStdout(), line(drawTrace(t)))
		return err
	})
	return cmd
}

// drawTrace is the login as a picture of hops, in text.
func drawTrace(t traceAnswer) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n", t.Words, strings.ReplaceAll(t.Outcome, "_", " "))
	fmt.Fprintf(&b, "began %s", t.StartedAt.UTC().Format("2006-01-02 15:04:05 UTC"))
	for _, f := range []struct{ label, value string }{{"app", t.Client}, {"connection", t.Connection}, {"user", t.User}, {"request", t.Request}} {
		if f.value != "" {
			fmt.Fprintf(&b, " · %s %s", f.label, f.value)
		}
	}
	b.WriteString("\n\n")
	for i, place := range []struct {
		title string
		steps string
	}{
		{"App", " authorize "},
		{"Gatehouse", " route leave "},
		{"Provider", " return redeem verify profile "},
		{"Gatehouse", " select admit "},
		{"App", " issue token "},
	} {
		if i > 0 {
			b.WriteString("    ↓\n")
		}
		drawPlace(&b, place.title, place.steps, t.Steps)
	}
	if t.Omitted > 0 {
		fmt.Fprintf(&b, "\n%d further steps were too many to keep.\n", t.Omitted)
	}
	if t.Code != "" {
		fmt.Fprintf(&b, "\nFailed at %s: %s\n%s\nWhose fault: %s\nWhat to do:  %s\n", t.FailedAt, t.Code, t.Means, blameWords(t.Blame), t.Do)
	}
	return b.String()
}

func drawPlace(b *strings.Builder, title, names string, steps []traceStep) {
	empty := true
	for _, s := range steps {
		if !strings.Contains(names, " "+s.Name+" ") {
			continue
		}
		mark := map[string]string{"ok": "✓", "fail": "✗"}[s.Outcome]
		if mark == "" {
			mark = "!"
		}
		fmt.Fprintf(b, "  %-10s %s %-9s %9.1f ms  %s", title, mark, s.Name, s.Millis, s.Code)
		title, empty = "", false
		for i, d := range s.Details {
			if d.Name == "checked" && i > 0 && s.Details[i-1].Name == "checked" {
				fmt.Fprintf(b, ",%s", d.Value)
				continue
			}
			value := d.Value
			if strings.Contains(value, " ") {
				value = "(" + value + ")"
			}
			fmt.Fprintf(b, " %s=%s", d.Name, value)
		}
		b.WriteString("\n")
		if s.Why != "" {
			fmt.Fprintf(b, "  %-10s   %s\n", "", strings.ReplaceAll(s.Why, "\n", " "))
		}
	}
	if empty {
		fmt.Fprintf(b, "  %-10s – not reached\n", title)
	}
}

func blameWords(blame string) string {
	switch blame {
	case "ours":
		return "ours (Gatehouse, its settings, or this connection's)"
	case "provider":
		return "the provider"
	case "app":
		return "the app"
	case "user":
		return "the person"
	}
	return blame
}
