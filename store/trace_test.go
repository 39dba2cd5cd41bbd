package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
	"gatehouse/store/bolt"
	"gatehouse/store/storetest"
)

// openTraces opens a store that keeps few traces.
func openTraces(t testing.TB, capacity int) (*store.Store, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "traces.db")
	engine, err := bolt.Open(context.Background(), path, bolt.Options{InsecureNoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(context.Background(), engine, store.Config{Keyring: storetest.Keyring(t), Traces: capacity})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, path
}

type traceable struct{ fault store.TraceFault }

func (e traceable) Error() string                { return "x" }
func (e traceable) TraceFault() store.TraceFault { return e.fault }

// recordLogin hands over one request of a login.
func recordLogin(s *store.Store, words string, fn func(context.Context, *store.Recorder)) {
	r := s.Traces.Recorder()
	r.Begin(words, time.Now())
	fn(store.WithTrace(context.Background(), r), r)
	r.Close()
}

func failLogin(s *store.Store, words string) {
	recordLogin(s, words, func(ctx context.Context, r *store.Recorder) {
		store.Step(ctx, store.StepRoute, store.Int("candidates", 1)).Done(nil)
		store.Step(ctx, store.StepVerify, store.Algorithm("alg", "ES256")).Done(traceable{store.TraceFault{Code: "id_token_nonce", Blame: "provider", Why: "nonce is missing"}})
		r.Outcome(store.OutcomeFailed)
	})
}

func find(t testing.TB, s *store.Store, words string) (tr store.Trace, err error) {
	t.Helper()
	s.Traces.Flush(context.Background())
	err = s.View(context.Background(), func(tx store.Tx) (err error) {
		tr, err = s.Traces.Find(tx, words)
		return err
	})
	return tr, err
}

func all(t testing.TB, s *store.Store, f store.TraceFilter) (found []store.Trace) {
	t.Helper()
	s.Traces.Flush(context.Background())
	err := s.View(context.Background(), func(tx store.Tx) error {
		for page := (store.Page{Limit: 100}); ; {
			some, next, err := s.Traces.List(tx, f, page)
			found = append(found, some...)
			if err != nil || next == "" {
				return err
			}
			page.Cursor = next
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Ten thousand failed logins of strangers leave the file as big as it was, and
// the proven logins where they were.
func TestTrace_RingNeverGrows(t *testing.T) {
	t.Parallel()
	s, path := openTraces(t, 400)
	recordLogin(s, "proven-login-stays", func(ctx context.Context, r *store.Recorder) {
		store.Step(ctx, store.StepAdmit).Done(nil)
		r.Proven()
		r.About(store.About{User: "u1"})
		r.Outcome(store.OutcomeSignedIn)
	})
	size := func() int64 {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	var before int64
	for i := range 10_000 {
		failLogin(s, fmt.Sprintf("fail-%d-x", i))
		if i%200 == 199 {
			s.Traces.Flush(t.Context())
		}
		if i == 1_000 {
			before = size()
		}
	}
	if d := s.Traces.Dropped(); d != 0 {
		t.Fatalf("%d dropped", d)
	}
	if after := size(); after > before*3/2 {
		t.Errorf("the file grew from %d to %d bytes", before, after)
	}
	if got := all(t, s, store.TraceFilter{Outcome: store.OutcomeFailed}); len(got) != 200 || got[0].Words != "fail-9999-x" {
		t.Errorf("%d failed logins are kept, the newest is %s; want 200, the last", len(got), got[0].Words)
	}
	if _, err := find(t, s, "fail-10-x"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an old one is still there: %v", err)
	}
	if got := all(t, s, store.TraceFilter{User: "u1"}); len(got) != 1 {
		t.Error("strangers pushed a proven login out")
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// What comes faster than it can be kept is dropped and counted, and strangers
// fill only their part of the queue.
func TestTrace_QueueIsBounded(t *testing.T) {
	t.Parallel()
	s, _ := openTraces(t, 4000)
	for i := range 3000 { // far less than the writer's pause
		failLogin(s, fmt.Sprintf("flood-%d-x", i))
	}
	recordLogin(s, "one-true-login", func(ctx context.Context, r *store.Recorder) {
		store.Step(ctx, store.StepAdmit).Done(nil)
		r.Proven()
	})
	if _, err := find(t, s, "one-true-login"); err != nil {
		t.Errorf("a flood of strangers kept a proven login out: %v", err)
	}
	if s.Traces.Dropped() == 0 {
		t.Error("nothing was dropped")
	}
}

func TestTrace_RequestsOfOneLoginMerge(t *testing.T) {
	t.Parallel()
	s, _ := openTraces(t, 100)
	const words = "amber-river-otter"
	recordLogin(s, words, func(ctx context.Context, r *store.Recorder) {
		r.About(store.About{Client: "app"})
		store.Step(ctx, store.StepRoute)
		store.Step(ctx, store.StepLeave) // ends the one before
		store.Note(ctx, store.Host("host", "https://user:hunter2@login.acme.test/path?x=hunter2"))
	})
	if tr, err := find(t, s, words); err != nil || tr.Outcome != store.OutcomeRunning || len(tr.Steps) != 2 {
		t.Fatalf("%+v %v", tr, err)
	}
	recordLogin(s, words, func(ctx context.Context, r *store.Recorder) {
		store.Step(ctx, store.StepVerify).Done(errors.New("hunter2 must not be told"))
		r.Outcome(store.OutcomeFailed)
	})
	tr, err := find(t, s, words)
	if err != nil || tr.Outcome != store.OutcomeFailed || tr.Code != "internal" || tr.FailedAt != store.StepVerify || tr.Blame != "ours" {
		t.Fatalf("%+v %v", tr, err)
	}
	recordLogin(s, words, func(ctx context.Context, r *store.Recorder) {
		store.Step(ctx, store.StepIssue).Done(nil)
		r.Proven()
		r.About(store.About{User: "u1", Connection: "acme"})
		r.Outcome(store.OutcomeSignedIn)
	})
	failLogin(s, words) // the back button: what is signed in stays so
	tr, err = find(t, s, words)
	if err != nil || tr.Outcome != store.OutcomeSignedIn || tr.Code != "" || len(tr.Steps) != 6 || tr.ClientID != "app" || !strings.HasPrefix(tr.Slot, "proven/") {
		t.Fatalf("%+v %v", tr, err)
	}
	raw, _ := json.Marshal(tr)
	if strings.Contains(string(raw), "hunter2") {
		t.Errorf("a secret is in the trace: %s", raw)
	}
	for name, f := range map[string]store.TraceFilter{
		"user": {User: "u1"}, "connection": {Connection: "acme"}, "client": {Client: "app"}, "outcome": {Outcome: store.OutcomeSignedIn},
		"since": {Since: time.Now().Add(-time.Minute)}, "until": {Until: time.Now().Add(time.Minute)},
	} {
		if got := all(t, s, f); len(got) != 1 {
			t.Errorf("by %s: %d found", name, len(got))
		}
	}
	for name, f := range map[string]store.TraceFilter{
		"user": {User: "u2"}, "both": {User: "u1", Connection: "globex"}, "outcome": {Outcome: store.OutcomeFailed},
		"since": {Since: time.Now().Add(time.Minute)}, "until": {Until: time.Now().Add(-time.Minute)},
	} {
		if got := all(t, s, f); len(got) != 0 {
			t.Errorf("by another %s: %d found", name, len(got))
		}
	}
}

func TestTrace_Bounds(t *testing.T) {
	t.Parallel()
	s, _ := openTraces(t, 100)
	const words = "big-big-big"
	for range 30 {
		recordLogin(s, words, func(ctx context.Context, r *store.Recorder) {
			for range 10 {
				step := store.Step(ctx, store.StepVerify)
				for range 50 {
					step.Add(store.Quoted("text", profile.Untrusted(strings.Repeat("<b>\u202e\n", 1000))))
				}
				step.Done(traceable{store.TraceFault{Code: "no such code", Blame: "nobody", Why: strings.Repeat("w", 9999)}})
			}
			r.Outcome(store.OutcomeFailed)
		})
	}
	tr, err := find(t, s, words)
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := json.Marshal(tr)
	if len(raw) > 9<<10 || len(tr.Steps) > 40 || tr.Omitted != 260 {
		t.Errorf("%d bytes, %d steps, %d omitted", len(raw), len(tr.Steps), tr.Omitted)
	}
	if tr.Code != "internal" || tr.Blame != "ours" {
		t.Errorf("a code outside the list was recorded: %s of %s", tr.Code, tr.Blame)
	}
}

func TestTrace_CloseKeepsTheRest(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "traces.db")
	engine, err := bolt.Open(context.Background(), path, bolt.Options{InsecureNoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	ring := storetest.Keyring(t)
	s, err := store.Open(t.Context(), engine, store.Config{Keyring: ring})
	if err != nil {
		t.Fatal(err)
	}
	failLogin(s, "kept-at-stop")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if engine, err = bolt.Open(t.Context(), path, bolt.Options{}); err != nil {
		t.Fatal(err)
	}
	if s, err = store.Open(t.Context(), engine, store.Config{Keyring: ring}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, err := find(t, s, "kept-at-stop"); err != nil {
		t.Error(err)
	}
}

// Z1: what does not fit a detail's type is not told.
func TestZ1_TraceDetailsAreTyped(t *testing.T) {
	t.Parallel()
	s, _ := openTraces(t, 100)
	const secret = "s3cr3t-VALUE/with+more=="
	recordLogin(s, "typed-details-only", func(ctx context.Context, r *store.Recorder) {
		store.Hide(ctx, "hidden-secret")
		store.Step(ctx, store.StepReturn,
			store.Enum("decision", secret, "a", "b"), store.Host("host", "https://u:"+url.PathEscape(secret)+"@login.test/"+secret), store.ConnectionID(secret), store.ClientID(secret),
			store.Hash("kid", secret), store.Algorithm("alg", secret), store.Rule("rule", secret), store.Attribute(secret, true),
			store.Names("parameters", map[string][]string{secret: {secret}, "code": {secret}}),
			store.Quoted("text", "the provider repeats hidden-secret"),
		).Done(traceable{store.TraceFault{Code: secret, Blame: secret, Why: "again: hidden-secret"}})
		r.About(store.About{User: secret, Client: secret})
	})
	tr, err := find(t, s, "typed-details-only")
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := json.Marshal(tr)
	if strings.Contains(string(raw), "s3cr3t") || strings.Contains(string(raw), "hidden-secret") {
		t.Errorf("a secret is in the trace: %s", raw)
	}
}

func TestTraceWords(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("trace_words.txt")
	if err != nil {
		t.Fatal(err)
	}
	list := strings.Fields(string(raw))
	word := regexp.MustCompile(`\A[a-z]{3,9}\z`)
	if len(list) < 2048 || !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
		t.Errorf("%d words, sorted %v", len(list), slices.IsSorted(list))
	}
	for _, w := range list {
		if !word.MatchString(w) {
			t.Errorf("%q is no short word", w)
		}
	}
	s, _ := openTraces(t, 10)
	seen := map[string]bool{}
	for range 200 {
		words := s.Traces.NewWords(t.Context())
		if seen[words] || store.CleanWords(words) != words || store.CleanWords(strings.ToUpper(strings.ReplaceAll(words, "-", " "))) != words {
			t.Errorf("%q", words)
		}
		seen[words] = true
	}
	for _, bad := range []string{"", "a", "a-b", "a-b-c-d", "a-b-ç", "../../etc", strings.Repeat("a", 70) + "-b-c"} {
		if got := store.CleanWords(bad); got != "" {
			t.Errorf("%q is taken for %q", bad, got)
		}
	}
}

// A recorder that is not there costs nothing and breaks nothing.
func TestTrace_WithoutRecorder(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	span := store.Step(ctx, store.StepRoute, store.Bool("x", true))
	span.Add(store.Bool("x", true))
	span.Warn()
	span.Done(errors.New("x"))
	store.Note(ctx, store.Bool("x", true))
	store.Hide(ctx, "secret")
	store.EndStep(ctx, nil)
	r := store.TraceOf(ctx)
	r.Begin("a-b-c", time.Now())
	r.Outcome(store.OutcomeFailed)
	r.About(store.About{})
	r.Proven()
	r.Close()
	if r.Words() != "" || r.Failed() {
		t.Error("no recorder has words")
	}
}
