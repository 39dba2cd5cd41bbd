package main

import (
	"bytes"
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/broker/admin"
	"gatehouse/federation"
	"gatehouse/provisioning"
	"gatehouse/store"
	"gatehouse/store/storetest"
	"gatehouse/templates"
)

// TestTraceCommand: a login as a picture in text, found by its words however
// they are typed.
func TestTraceCommand(t *testing.T) {
	t.Parallel()
	st := storetest.Open(t)
	server := httptest.NewUnstartedServer(nil)
	fed := federation.New(federation.Config{Store: st, PublicURL: "https://login.example"})
	t.Cleanup(fed.Close)
	pages, err := templates.New(templates.Config{})
	must(t, err)
	base := "http://" + server.Listener.Addr().String()
	handler, err := admin.New(admin.Config{
		Store: st, Federation: fed, Templates: pages, BaseURL: base,
		Provisioner: provisioning.New(provisioning.Config{Store: st, Federation: fed}),
	})
	must(t, err)
	server.Config.Handler = handler.AsOperator()
	server.Start()
	t.Cleanup(server.Close)

	r := st.Traces.Recorder()
	r.Begin("amber-river-otter", time.Now())
	ctx := store.WithTrace(context.Background(), r)
	r.About(store.About{Client: "demo", Connection: "acme"})
	store.Step(ctx, store.StepRoute, store.Int("candidates", 1)).Done(nil)
	store.Step(ctx, store.StepVerify, store.Passed("signature"), store.Passed("issuer")).Done(expiredFault{})
	r.Outcome(store.OutcomeFailed)
	r.Close()

	token := filepath.Join(t.TempDir(), "token")
	must(t, os.WriteFile(token, []byte("gh_any"), 0o600))
	call := func(args ...string) (string, int) {
		var out, errs bytes.Buffer
		status := run(t.Context(), append(args, "--url", base, "--token-file", token), nil, &out, &errs)
		return out.String() + errs.String(), status
	}
	for _, args := range [][]string{{"trace", "amber-river-otter"}, {"trace", "Amber", "river", "otter"}} {
		got, status := call(args...)
		if status != 0 {
			t.Fatalf("status %d: %s", status, got)
		}
		for _, text := range []string{
			"amber-river-otter  failed", "Gatehouse  ✓ route", "Provider   ✗ verify", "id_token_expired", "checked=signature,issuer",
			"– not reached", "Whose fault: the provider", "What to do:  Compare the clocks.", "expired 1h ago",
		} {
			if !strings.Contains(got, text) {
				t.Errorf("%v does not say %q:\n%s", args, text, got)
			}
		}
		if strings.Contains(got, "\x1b") {
			t.Error("what a provider says steers the terminal")
		}
	}
	if got, status := call("trace", "amber-river-otter", "--json"); status != 0 || !strings.Contains(got, `"code": "id_token_expired"`) {
		t.Errorf("status %d: %s", status, got)
	}
	if got, status := call("trace", "list", "--outcome", "failed", "--connection", "acme"); status != 0 || !strings.Contains(got, "amber-river-otter") {
		t.Errorf("status %d: %s", status, got)
	}
	if got, status := call("trace", "no-such-words"); status != 3 {
		t.Errorf("status %d: %s", status, got)
	}
	if got, status := call("trace"); status != 2 {
		t.Errorf("status %d: %s", status, got)
	}
}

type expiredFault struct{}

func (expiredFault) Error() string { return "x" }
func (expiredFault) TraceFault() store.TraceFault {
	return store.TraceFault{Code: "id_token_expired", Why: "expired 1h ago \x1b[31m by our clock"}
}
