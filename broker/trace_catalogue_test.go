package broker

import (
	_ "embed"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/federation/mockidp"
	"gatehouse/profile"
	"gatehouse/store"
)

// traceCatalogue says what the trace of a login must name for each fault of the
// mock provider: step and code, or the outcome of a login that does not fail.
//
//go:embed testdata/trace_catalogue.txt
var traceCatalogue string

// TestIssue3_TraceCatalogue makes a real login against a provider with each
// fault and holds what the trace names against the catalogue: at least 95 %
// exactly, and all with a code of the documented list.
func TestIssue3_TraceCatalogue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rows := strings.Split(strings.TrimSpace(traceCatalogue), "\n")
	listed := map[string]bool{}
	var mu sync.Mutex
	exact, failing := 0, 0
	check := func(row string) {
		f := strings.Fields(row)
		tr, err := w.faulty(t, f[0])
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			t.Errorf("%s: %v", f[0], err)
			return
		}
		got := string(tr.Outcome)
		if tr.Code != "" {
			failing++
			got = string(tr.FailedAt) + " " + tr.Code
			if known := store.TraceCodeOf(tr.Code); known.Code != tr.Code || known.Do == "" || tr.Blame == "" {
				t.Errorf("%s: %q of %q is not of the documented list", f[0], tr.Code, tr.Blame)
			}
		}
		if want := strings.Join(f[1:], " "); got != want {
			t.Logf("miss: %s: got %s, want %s", f[0], got, want)
			return
		}
		exact++
	}
	// Those that wait for a time-out wait beside the others.
	var running sync.WaitGroup
	var quick []string
	for _, row := range rows {
		name := strings.Fields(row)[0]
		listed[name] = true
		if strings.HasSuffix(name, "_hang") || strings.HasSuffix(name, "_drip") {
			running.Go(func() { check(row) })
			continue
		}
		quick = append(quick, row)
	}
	work := make(chan string)
	for range 6 {
		running.Go(func() {
			for row := range work {
				check(row)
			}
		})
	}
	for _, row := range quick {
		work <- row
	}
	close(work)
	running.Wait()
	for _, f := range mockidp.Faults() {
		if !listed[f.Name] && f.Stage != mockidp.StageRefresh && f.Stage != mockidp.StageAuthorize {
			t.Errorf("fault %s is not in the catalogue", f.Name)
		}
	}
	t.Logf("catalogue: %d of %d exact (%.1f %%), %d of them failures", exact, len(rows), 100*float64(exact)/float64(len(rows)), failing)
	if exact*100 < len(rows)*95 || failing < 60 {
		t.Errorf("%d of %d are exact, %d fail: at least 95 %% and 60 are demanded", exact, len(rows), failing)
	}
}

// faulty makes a company of its own, whose provider has one fault, and a login
// through it. It returns the trace.
func (w *world) faulty(t *testing.T, fault string) (store.Trace, error) {
	id := "c-" + strings.ReplaceAll(fault, "_", "-")
	domain := id + ".test"
	idp := mockidp.Start(t, mockidp.Config{Domain: domain, AutoLogin: "*", Now: w.clock.now, HugeSize: 2 << 20, SlowDelay: 20 * time.Millisecond})
	err := w.store.Update(t.Context(), func(tx store.Tx) error {
		if err := w.store.Organizations.Insert(tx, store.Organization{ID: id, Title: id, Join: store.JoinAutomatic}); err != nil {
			return err
		}
		if err := w.store.Domains.Insert(tx, store.Domain{Name: domain, OrganizationID: id, State: store.DomainAsserted}); err != nil {
			return err
		}
		return w.store.Connections.Insert(tx, store.Connection{
			ID: id, OrganizationID: id, Kind: store.KindOIDC, Title: id, Domains: []string{domain},
			Issuer: idp.URL, ClientID: "gatehouse", ClientSecret: store.Seal("mock-secret"), ClientAuth: store.AuthHeader,
			Scopes: []string{"openid", "profile", "email", "phone"}, UseUserinfo: true,
			Selectors: profile.DefaultSelectors(), AllowPrivateNetwork: true,
		})
	})
	if err != nil {
		return store.Trace{}, err
	}
	if fault == "other_nonce" || fault == "alg_hs256_oct" { // they need a login before
		if fault == "alg_hs256_oct" {
			idp.SetFault("jwks_oct_key", 0)
		}
		if _, err := w.visit(domain, idp.URL); err != nil {
			return store.Trace{}, err
		}
	}
	idp.SetFault(fault, 0)
	if _, err := w.visit(domain, idp.URL); err != nil {
		return store.Trace{}, err
	}
	found, err := w.traces(store.TraceFilter{Connection: id})
	if err != nil || len(found) == 0 {
		return store.Trace{}, fmt.Errorf("no trace: %w", err)
	}
	return found[0], nil
}

// visit is a browser that follows a login as far as it goes.
func (w *world) visit(domain, provider string) (*http.Response, error) {
	params, _ := w.ask("native")
	params.Set("login_hint", "alice@"+domain)
	client := w.browser().client
	next := w.url + pathAuthorize + "?" + params.Encode()
	for range 12 {
		resp, err := client.Get(next)
		if err != nil {
			return nil, err
		}
		_ = resp.Body.Close()
		loc, err := resp.Location()
		if err != nil || !strings.HasPrefix(loc.String(), w.url) && !strings.HasPrefix(loc.String(), provider) {
			return resp, nil //nolint:nilerr // a page, or off to the app
		}
		next = loc.String()
	}
	return nil, fmt.Errorf("too many redirects")
}

// traces looks traces up.
func (w *world) traces(f store.TraceFilter) (found []store.Trace, err error) {
	w.store.Traces.Flush(w.t.Context())
	err = w.store.View(w.t.Context(), func(tx store.Tx) (err error) {
		if found, _, err = w.store.Traces.List(tx, f, store.Page{Limit: 100}); err != nil {
			return err
		}
		for i := range found {
			if found[i], err = w.store.Traces.Find(tx, found[i].Words); err != nil {
				return err
			}
		}
		return nil
	})
	return slices.Clip(found), err
}
