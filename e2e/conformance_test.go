package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// conformance is one run of one module of the conformance suite: a browser of
// its own, two static clients, and a response mode.
type conformance struct {
	*testing.T
	world  *tlsWorld
	client *app // client_secret_basic
	second *app // client_secret_basic, another client
	posts  *app // client_secret_post
	b      *browser
	meta   map[string]any
	keys   keySet
}

// module is a test module of the suite. skip says, by the suite's own rules,
// why it does not run against us; run then asserts that the reason holds.
type module struct {
	name string
	skip string
	run  func(c *conformance)
}

// TestConformance asks of Gatehouse what the OpenID Foundation's suite asks of
// an OpenID Provider: the plans Config, Basic and Form Post Basic, with static
// clients. A WARNING of the suite is a failure here. See docs/conformance.md.
func TestConformance(t *testing.T) {
	t.Parallel()
	w := startTLSWorld(t)
	w.registerForConformance(t)
	table := &results{}
	t.Cleanup(func() { t.Logf("\n%s", table) }) // after all modules
	runPlan(t, w, table, "config", "query", configModules())
	runPlan(t, w, table, "basic", "query", basicModules())
	runPlan(t, w, table, "formpost", "form_post", basicModules())
}

func runPlan(t *testing.T, w *tlsWorld, table *results, plan, mode string, modules []module) {
	t.Helper()
	t.Run(plan, func(t *testing.T) {
		t.Parallel()
		for i, m := range modules {
			table.add(plan, i, m)
			t.Run(m.name, func(t *testing.T) {
				t.Parallel()
				t.Cleanup(func() { table.ended(plan, i, t.Failed()) })
				m.run(w.conformance(t, mode))
			})
		}
	})
}

// The suite's callback; the browser stops there.
const callbackBase = "https://suite.conformance.test/test/a/gatehouse"

func (w *tlsWorld) registerForConformance(t *testing.T) {
	t.Helper()
	w.api.call(http.StatusCreated, http.MethodPost, "/organizations", map[string]any{"id": "conformance", "title": "Conformance", "join": "automatic"})
	w.api.call(http.StatusCreated, http.MethodPost, "/organizations/conformance/domains", map[string]any{"name": "conformance.test", "asserted": true})
	w.api.call(http.StatusCreated, http.MethodPost, "/connections", map[string]any{
		"id": "conformance", "organization": "conformance", "title": "Conformance", "domains": []string{"conformance.test"},
		"issuer": w.upstream, "client_id": "gatehouse", "client_secret": "mock-secret", "allow_private_network": true,
		"scopes": []string{"openid", "profile", "email", "phone"}, "selectors": selectors(),
	})
}

// newClient registers one static client as the suite asks for it.
func (w *tlsWorld) newClient(t *testing.T, method, mode string) *app {
	t.Helper()
	id := shared.fresh("suite")
	a := *w.api
	a.t = t
	secret := a.createClient(map[string]any{
		"id": id, "type": "web", "name": "Conformance suite", "redirect_uris": []string{callbackBase + "/callback"},
		"post_logout_redirect_uris": []string{callbackBase + "/post_logout_redirect"}, "auth_method": method,
		"id_token_alg": "RS256", "insecure_pkce_optional": true, "response_modes": []string{"query", "form_post"},
		"scopes": []string{"openid", "profile", "email", "phone", "offline_access"},
	})
	c := newAppAt(t, w.issuer, w.secrets, w.tls, id, secret, callbackBase+"/callback")
	c.post, c.scope = method == "client_secret_post", "openid"
	if mode != "query" {
		c.responseMode = mode
	}
	return c
}

func (w *tlsWorld) conformance(t *testing.T, mode string) *conformance {
	c := &conformance{
		T: t, world: w, client: w.newClient(t, "client_secret_basic", mode), second: w.newClient(t, "client_secret_basic", mode),
		posts: w.newClient(t, "client_secret_post", mode), b: newBrowser(t, w.secrets, w.tls, callbackBase),
	}
	c.discover()
	return c
}

// results is the table of a run.
type results struct {
	mu   sync.Mutex
	rows []result
}

type result struct {
	plan    string
	index   int
	module  module
	verdict string
}

func (r *results) add(plan string, index int, m module) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rows = append(r.rows, result{plan, index, m, "not run"})
}

func (r *results) ended(plan string, index int, failed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.rows {
		row := &r.rows[i]
		if row.plan != plan || row.index != index {
			continue
		}
		switch {
		case failed:
			row.verdict = "FAILED"
		case row.module.skip != "":
			row.verdict = "skipped: " + row.module.skip
		default:
			row.verdict = "passed"
		}
	}
}

// String is one line per module, and the sums.
func (r *results) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	slices.SortStableFunc(r.rows, func(a, b result) int {
		if a.plan != b.plan {
			return strings.Compare(a.plan, b.plan)
		}
		return a.index - b.index
	})
	sums := map[string]int{}
	var b strings.Builder
	for _, row := range r.rows {
		word, _, _ := strings.Cut(row.verdict, ":")
		sums[word]++
		fmt.Fprintf(&b, "%-9s %-85s %s\n", row.plan, row.module.name, row.verdict)
	}
	fmt.Fprintf(&b, "%d modules: %d passed, %d skipped by the suite's rules, %d failed, %d not run\n",
		len(r.rows), sums["passed"], sums["skipped"], sums["FAILED"], sums["not run"])
	return b.String()
}
