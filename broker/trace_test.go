package broker

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"gatehouse/store"
)

var wordsPattern = regexp.MustCompile(`\A[a-z]{3,9}-[a-z]{3,9}-[a-z]{3,9}\z`)

func stepsOf(tr store.Trace) (names []string) {
	for _, s := range tr.Steps {
		names = append(names, string(s.Name))
	}
	return names
}

func (w *world) onlyTrace(f store.TraceFilter) store.Trace {
	w.t.Helper()
	found, err := w.traces(f)
	if err != nil || len(found) != 1 {
		w.t.Fatalf("%d traces, want 1: %v", len(found), err)
	}
	return found[0]
}

func TestTrace_GoodLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signedIn("native")
	tr := w.onlyTrace(store.TraceFilter{})
	want := []string{"authorize", "route", "leave", "return", "redeem", "verify", "profile", "select", "admit", "issue", "token"}
	if got := stepsOf(tr); !slices.Equal(got, want) {
		t.Errorf("steps %v, want %v", got, want)
	}
	if tr.Outcome != store.OutcomeSignedIn || tr.Code != "" || tr.UserID == "" || tr.ConnectionID != "acme" || tr.ClientID != "native" || !wordsPattern.MatchString(tr.Words) {
		t.Errorf("got %+v", tr)
	}
	details := map[string][]string{}
	for _, s := range tr.Steps {
		if s.Outcome != store.StepOK || s.At.IsZero() {
			t.Errorf("step %+v", s)
		}
		for _, d := range s.Details {
			details[string(s.Name)+"."+d.Name] = append(details[string(s.Name)+"."+d.Name], d.Value)
		}
	}
	for name, value := range map[string]string{
		"route.rule": "acme.test", "route.candidates": "1", "leave.pkce": "yes", "leave.nonce": "yes", "return.iss": "yes", "redeem.status": "200",
		"verify.alg": "ES256", "profile.status": "200", "admit.decision": "created", "issue.scopes": "6", "leave.connection": "acme",
	} {
		if got := details[name]; len(got) != 1 || got[0] != value {
			t.Errorf("%s is %v, want %s", name, got, value)
		}
	}
	if got := details["verify.checked"]; !slices.Equal(got, []string{"signature", "issuer", "audience", "times", "subject", "nonce", "authentication"}) {
		t.Errorf("checked %v", got)
	}
	for _, name := range []string{"redeem.bytes", "redeem.took", "profile.host", "leave.parameters", "select.attributes", "verify.kid"} {
		if len(details[name]) != 1 || details[name][0] == "" {
			t.Errorf("%s is %v", name, details[name])
		}
	}
	if raw, _ := json.Marshal(tr); len(raw) > 6<<10 {
		t.Errorf("a plain login takes %d bytes", len(raw))
	}
}

// The words stand on the page, in the log and in what the app is told.
func TestTrace_WordsAreEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.acme.SetFault("wrong_nonce", 1)
	params, _ := w.ask("native")
	b := w.browser()
	page := b.follow(b.get(w.url + pathAuthorize + "?" + params.Encode()))
	tr := w.onlyTrace(store.TraceFilter{})
	if tr.Outcome != store.OutcomeFailed || tr.FailedAt != store.StepVerify || tr.Code != "id_token_nonce" || tr.Blame != "provider" {
		t.Errorf("got %+v", tr)
	}
	if page.StatusCode != http.StatusBadGateway || !strings.Contains(page.body, `<code id="correlation">`+tr.Words+`</code>`) {
		t.Errorf("the page does not show %s:\n%s", tr.Words, page.body)
	}
	if !strings.Contains(html.UnescapeString(page.body), url.QueryEscape(" Reference: "+tr.Words+".")) {
		t.Errorf("the way back to the app does not name %s", tr.Words)
	}
	if !strings.Contains(w.logs.String(), `"login":"`+tr.Words+`"`) {
		t.Error("the log does not name the login")
	}
}

func TestTrace_WaitingRoom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	params, _ := w.ask("native")
	params.Set("login_hint", "bob@globex.test")
	b := w.browser()
	page := b.follow(b.get(w.url + pathAuthorize + "?" + params.Encode()))
	tr := w.onlyTrace(store.TraceFilter{Outcome: store.OutcomeWaiting})
	if tr.RequestID == "" || !strings.Contains(page.body, tr.Words) {
		t.Errorf("got %+v", tr)
	}
	w.change(func(ch *store.Change) error {
		_, err := w.provisioner.Refuse(ch, tr.RequestID, "admin", "Not you.")
		return err
	})
	if page = b.get(page.Request.URL.String()); page.StatusCode != http.StatusForbidden {
		t.Fatalf("status %d", page.StatusCode)
	}
	if tr = w.onlyTrace(store.TraceFilter{}); tr.Outcome != store.OutcomeRefused || tr.Code != "request_refused" || tr.FailedAt != store.StepAdmit {
		t.Errorf("got %+v", tr)
	}
}

// Faults of the app, of the person and of what nobody has set up.
func TestTrace_OtherFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(url.Values)
		want   string
	}{
		"unknown domain": {func(v url.Values) { v.Set("login_hint", "x@nowhere.test") }, "failed route no_route user"},
		"bad scope":      {func(v url.Values) { v.Set("scope", "openid nonsense") }, "failed authorize invalid_scope app"},
		"response type":  {func(v url.Values) { v.Set("response_type", "token") }, "failed authorize unsupported_response_type app"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			params, _ := w.ask("native")
			c.change(params)
			b := w.browser()
			b.follow(b.get(w.url + pathAuthorize + "?" + params.Encode()))
			tr := w.onlyTrace(store.TraceFilter{})
			if got := fmt.Sprint(tr.Outcome, " ", tr.FailedAt, " ", tr.Code, " ", tr.Blame); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	t.Run("wrong verifier", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		code, _ := w.login("native")
		got := w.redeem("native", code, strings.Repeat("x", 50))
		tr := w.onlyTrace(store.TraceFilter{})
		if tr.FailedAt != store.StepToken || tr.Code != "invalid_grant" || tr.Blame != "app" {
			t.Errorf("got %+v", tr)
		}
		if !strings.Contains(got.ErrorDescription, "Reference: "+tr.Words) {
			t.Errorf("description %q", got.ErrorDescription)
		}
	})
	t.Run("prompt none", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		params, _ := w.ask("native")
		params.Set("prompt", "none")
		w.browser().authorize(params)
		if found, err := w.traces(store.TraceFilter{}); err != nil || len(found) != 0 {
			t.Errorf("what asks again and again left %d traces, %v", len(found), err)
		}
	})
}

// A second app in the same browser is a login of its own.
func TestTrace_SingleSignOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	for _, client := range []string{"native", "web"} {
		params, _ := w.ask(client)
		b.authorize(params)
	}
	tr := w.onlyTrace(store.TraceFilter{Client: "web"})
	if got := stepsOf(tr); !slices.Equal(got, []string{"authorize", "issue"}) || tr.Outcome != store.OutcomeSignedIn || tr.UserID == "" {
		t.Errorf("got %v %+v", got, tr)
	}
}

// Z1, O7, V1: what the harness planted is in no trace, log line, metric, and on
// no error page, also when the provider repeats it.
func TestZ1_CanariesInNoTrace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	canaries := map[string]string{"client secret at the provider": "mock-secret", "client secret": webSecret}
	plant := func(name, value string) {
		if len(value) >= 6 {
			canaries[name+" "+value[:3]] = value
		}
	}
	params, verifier := w.ask("native")
	params.Set("login_hint", "canary.person@acme.test")
	plant("e-mail", "canary.person")
	plant("state", params.Get("state"))
	plant("nonce", params.Get("nonce"))
	plant("verifier", verifier)
	b := w.browser()
	got := b.authorize(params)
	plant("code", got.Get("code"))
	tk := w.redeem("native", got.Get("code"), verifier)
	plant("access token", tk.Access)
	plant("refresh token", tk.Refresh)
	plant("ID token", tk.ID)
	var pages []answer
	for _, fault := range []string{
		"wrong_callback_iss:mock-secret", "wrong_iss:mock-secret", "error_unknown", "huge_error_description", "token_json_error", "wrong_nonce",
		"bad_signature", "userinfo_wrong_sub", "wrong_state", "kid_sql", "typ_at_jwt", "bad_email", "script_name", "foreign_email",
	} {
		w.acme.ClearFaults()
		w.acme.SetFault(fault, 0)
		params, verifier := w.ask("native")
		params.Set("login_hint", "canary.person@acme.test")
		plant("state", params.Get("state"))
		plant("nonce", params.Get("nonce"))
		plant("verifier", verifier)
		other := w.browser()
		other.client.Transport = locations(func(v url.Values) {
			for _, name := range []string{"code", "state", "nonce", "code_challenge", "tx"} {
				if v.Get("iss") == w.acme.URL || v.Get("redirect_uri") != "" || name == "tx" { // not "never-issued" and the like
					plant("upstream "+name, v.Get(name))
				}
			}
		})
		pages = append(pages, other.follow(other.get(w.url+pathAuthorize+"?"+params.Encode())))
		for _, c := range other.client.Jar.Cookies(mustURL(t, w.url)) {
			plant("cookie", c.Value)
		}
	}
	for _, c := range b.client.Jar.Cookies(mustURL(t, w.url)) {
		plant("cookie", c.Value)
	}
	found, err := w.traces(store.TraceFilter{})
	if err != nil || len(found) < 15 {
		t.Fatalf("%d traces, %v", len(found), err)
	}
	traces, _ := json.Marshal(found)
	reg := prometheus.NewRegistry()
	if err := registerTraces(reg, w.store.Traces); err != nil {
		t.Fatal(err)
	}
	metrics, _ := reg.Gather()
	places := map[string]string{"traces": string(traces), "log": w.logs.String(), "metrics": fmt.Sprint(metrics)}
	if len(canaries) < 60 {
		t.Errorf("only %d canaries", len(canaries))
	}
	for name, secret := range canaries {
		for place, text := range places {
			if strings.Contains(text, secret) {
				at := strings.Index(text, secret)
				t.Errorf("%s is in the %s: …%s…", name, place, text[max(at-120, 0):min(at+80, len(text))])
			}
		}
		if strings.HasPrefix(name, "state") || strings.HasPrefix(name, "e-mail") || strings.HasPrefix(name, "upstream tx") {
			continue // the app's state belongs into the way back to it
		}
		for _, p := range pages {
			if strings.Contains(p.body, secret) {
				t.Errorf("%s is on the page %s", name, p.Request.URL.Path)
			}
		}
	}
	for _, bad := range []string{"eyJ", "<script", "onerror", "\u202e", "\\u202e", "X-Evil"} {
		if bytes.Contains(traces, []byte(bad)) {
			t.Errorf("%q is in a trace", bad)
		}
	}
}

// locations calls fn with the parameters of every redirect.
type locations func(url.Values)

// RoundTrip implements http.RoundTripper.
func (fn locations) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		if u, err := resp.Location(); err == nil {
			fn(u.Query())
		}
	}
	return resp, err
}

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// BenchmarkTrace is what recording costs: the steps of one whole login and
// their way into the store. Hold it against BenchmarkLogin.
func BenchmarkTrace(b *testing.B) {
	w := newWorld(b)
	w.signedIn("native")
	found, err := w.traces(store.TraceFilter{})
	if err != nil || len(found) != 1 {
		b.Fatal(err)
	}
	steps := found[0].Steps
	i := 0
	for b.Loop() {
		i++
		// Three requests of one login, as a person makes them.
		for at, part := range [][]store.TraceStep{steps[:3], steps[3:10], steps[10:]} {
			rec := w.store.Traces.Recorder()
			ctx := store.WithTrace(b.Context(), rec)
			if at == 0 {
				rec.Begin(w.store.Traces.NewWords(ctx), w.clock.now())
			}
			rec.Begin(fmt.Sprintf("bench-%d-x", i), w.clock.now())
			rec.About(store.About{Client: "native", Connection: "acme", Organization: "acme", User: "u"})
			rec.Proven()
			for _, s := range part {
				span := store.Step(ctx, s.Name)
				for range s.Details {
					span.Add(store.Int("bytes", 12345))
				}
				span.Done(nil)
			}
			rec.Outcome(store.OutcomeSignedIn)
			rec.Close()
		}
		if i%64 == 0 {
			w.store.Traces.Flush(b.Context())
		}
	}
	w.store.Traces.Flush(b.Context())
	if d := w.store.Traces.Dropped(); d > 0 {
		b.Logf("%d dropped", d)
	}
}
