package ownership_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"gatehouse/provisioning/ownership"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

// world is a store, a clock and a real DNS server.
type world struct {
	*testing.T
	dns     *dnsServer
	store   *store.Store
	checker *ownership.Checker
	mu      sync.Mutex
	at      time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, dns: newDNSServer(t), at: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
	w.store = storetest.OpenAt(t, w.now)
	w.checker = ownership.New(ownership.Config{
		Store: w.store, Now: w.now, Resolver: ownership.Resolver{Server: w.dns.address, Timeout: 300 * time.Millisecond},
	})
	return w
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

// claim keeps a pending claim and returns its challenge.
func (w *world) claim(organization, name string) string {
	w.Helper()
	d := store.Domain{Name: name, OrganizationID: organization, State: store.DomainPending, Challenge: ownership.NewChallenge()}
	if err := w.store.Update(w.Context(), func(tx store.Tx) error { return w.store.Domains.Insert(tx, d) }); err != nil {
		w.Fatal(err)
	}
	return d.Challenge
}

func (w *world) domain(organization, name string) (d store.Domain) {
	w.Helper()
	err := w.store.View(w.Context(), func(tx store.Tx) (err error) {
		d, err = w.store.Domains.Get(tx, store.DomainKey(name, organization))
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return d
}

// round lets time pass and looks at all claims that are due.
func (w *world) round(after time.Duration) {
	w.Helper()
	w.pass(after)
	if err := w.checker.CheckDue(w.Context()); err != nil {
		w.Fatal(err)
	}
}

func (w *world) wantState(organization, name string, want store.DomainState) store.Domain {
	w.Helper()
	d := w.domain(organization, name)
	if d.State != want {
		w.Fatalf("%s of %s is %s (%s), want %s", name, organization, d.State, d.CheckError, want)
	}
	return d
}

func (w *world) events() (kinds []string) {
	w.Helper()
	err := w.store.View(w.Context(), func(tx store.Tx) error {
		for e, err := range w.store.Events.All(tx) {
			if err != nil {
				return err
			}
			kinds = append(kinds, e.Kind+" "+e.Detail["domain"])
		}
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	return kinds
}

// TestDomain_ProvenLapsedRestoredLost is the life of a claim against a real
// DNS server.
func TestDomain_ProvenLapsedRestoredLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	challenge := w.claim("acme", "acme.test")

	w.round(0)
	if d := w.wantState("acme", "acme.test", store.DomainPending); d.CheckedAt.IsZero() || !strings.Contains(d.CheckError, "_gatehouse-challenge.acme.test") {
		t.Errorf("after the first look: %+v", d)
	}
	w.dns.set("_gatehouse-challenge.acme.test", "something else", challenge)
	w.round(6 * time.Minute)
	d := w.wantState("acme", "acme.test", store.DomainVerified)
	if !d.VerifiedAt.Equal(w.now()) || d.CheckError != "" {
		t.Errorf("verified: %+v", d)
	}

	// An outage of any length takes nothing away.
	w.dns.behave(func(s *dnsServer) { s.rcode = dnsmessage.RCodeServerFailure })
	for range 20 {
		w.round(25 * time.Hour)
	}
	if d = w.wantState("acme", "acme.test", store.DomainVerified); !d.MissingSince.IsZero() || !strings.Contains(d.CheckError, "error") {
		t.Errorf("after an outage: %+v", d)
	}
	w.dns.behave(func(s *dnsServer) { s.mute = true })
	w.round(2 * time.Hour)
	if d = w.wantState("acme", "acme.test", store.DomainVerified); !d.MissingSince.IsZero() || !strings.Contains(d.CheckError, "in time") {
		t.Errorf("after silence: %+v", d)
	}
	w.dns.behave(func(*dnsServer) {})

	// Missing: shown and told at once, enforced after the grace.
	w.dns.set("_gatehouse-challenge.acme.test")
	w.round(2 * time.Hour)
	if d = w.wantState("acme", "acme.test", store.DomainVerified); !d.MissingSince.Equal(w.now()) {
		t.Errorf("missing: %+v", d)
	}
	if got := w.events(); len(got) != 1 || got[0] != "domain.lapsing acme.test" {
		t.Errorf("told %q", got)
	}
	w.round(6 * 24 * time.Hour)
	w.wantState("acme", "acme.test", store.DomainVerified)
	// An outage at the end of the grace does not lapse it either.
	w.dns.behave(func(s *dnsServer) { s.rcode = dnsmessage.RCodeServerFailure })
	w.round(2 * 24 * time.Hour)
	w.wantState("acme", "acme.test", store.DomainVerified)
	w.dns.behave(func(*dnsServer) {})
	w.round(2 * time.Hour)
	if d = w.wantState("acme", "acme.test", store.DomainLapsed); d.Owned() {
		t.Error("a lapsed domain counts as owned")
	}

	// Returned: restored by itself. The apex counts, too.
	w.dns.set("acme.test", "v=spf1 -all", `"`+challenge+`"`)
	w.round(2 * time.Hour)
	if d = w.wantState("acme", "acme.test", store.DomainVerified); !d.MissingSince.IsZero() {
		t.Errorf("restored: %+v", d)
	}

	// Lost: gone again, and somebody else proves it meanwhile.
	w.dns.set("acme.test")
	w.round(25 * time.Hour)
	w.round(8 * 24 * time.Hour)
	w.wantState("acme", "acme.test", store.DomainLapsed)
	other := w.claim("globex", "acme.test")
	w.dns.set("_gatehouse-challenge.acme.test", other, challenge)
	w.round(0)
	w.wantState("globex", "acme.test", store.DomainVerified)
	w.round(2 * time.Hour)
	if d = w.wantState("acme", "acme.test", store.DomainLapsed); !strings.Contains(d.CheckError, "another organization") {
		t.Errorf("lost: %+v", d)
	}
	if got := w.events(); len(got) != 2 {
		t.Errorf("told %q", got)
	}
}

// TestDomain_OneOrganizationOnly: two organizations with records at one domain;
// the first keeps it, the other is told why not.
func TestDomain_OneOrganizationOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acme, globex := w.claim("acme", "both.test"), w.claim("globex", "both.test")
	w.dns.set("_gatehouse-challenge.both.test", acme, globex)
	w.round(0)
	w.round(6 * time.Minute)
	a, g := w.domain("acme", "both.test"), w.domain("globex", "both.test")
	if a.Owned() == g.Owned() {
		t.Fatalf("acme %s, globex %s: want exactly one to hold it", a.State, g.State)
	}
	loser := a
	if a.Owned() {
		loser = g
	}
	if !strings.Contains(loser.CheckError, "another organization") {
		t.Errorf("the other is told %q", loser.CheckError)
	}
}

func TestDomain_WhatProvesNothing(t *testing.T) {
	t.Parallel()
	for name, put := range map[string]func(w *world, challenge string){
		"nothing":     func(*world, string) {},
		"other value": func(w *world, _ string) { w.dns.set("_gatehouse-challenge.acme.test", ownership.NewChallenge()) },
		"upper case":  func(w *world, c string) { w.dns.set("_gatehouse-challenge.acme.test", strings.ToUpper(c)) },
		"prefix":      func(w *world, c string) { w.dns.set("_gatehouse-challenge.acme.test", c[:len(c)-1]) },
		"longer":      func(w *world, c string) { w.dns.set("_gatehouse-challenge.acme.test", c+"x", "x"+c, c+" "+c) },
		"sub-domain": func(w *world, c string) {
			w.dns.set("_gatehouse-challenge.www.acme.test", c)
			w.dns.set("www.acme.test", c)
		},
		"parent":          func(w *world, c string) { w.dns.set("_gatehouse-challenge.test", c); w.dns.set("test", c) },
		"another company": func(w *world, _ string) { w.dns.set("_gatehouse-challenge.acme.test", w.claim("globex", "acme.test")) },
		"name as value": func(w *world, _ string) {
			w.dns.set("_gatehouse-challenge.acme.test", "gatehouse-domain=", "acme.test", "")
		},
		"alias of itself": func(w *world, _ string) { w.dns.behave(func(s *dnsServer) { s.loop = true }) },
		"wrong id": func(w *world, c string) {
			w.dns.set("_gatehouse-challenge.acme.test", c)
			w.dns.behave(func(s *dnsServer) {
				s.alter = func(_ dnsmessage.Header, b []byte) []byte { b[0] ^= 0xff; return b }
			})
		},
		"other question": func(w *world, c string) {
			w.dns.set("_gatehouse-challenge.acme.test", c)
			w.dns.behave(func(s *dnsServer) {
				s.alter = func(_ dnsmessage.Header, b []byte) []byte { b[13] ^= 0x01; return b }
			})
		},
		"cut off": func(w *world, c string) {
			w.dns.set("_gatehouse-challenge.acme.test", c)
			w.dns.behave(func(s *dnsServer) { s.alter = func(_ dnsmessage.Header, b []byte) []byte { return b[:len(b)-5] } })
		},
		"refused": func(w *world, c string) {
			w.dns.set("_gatehouse-challenge.acme.test", c)
			w.dns.behave(func(s *dnsServer) { s.rcode = dnsmessage.RCodeRefused })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c := w.claim("acme", "acme.test")
			put(w, c)
			w.round(0)
			if d := w.wantState("acme", "acme.test", store.DomainPending); d.CheckError == "" || d.CheckedAt.IsZero() {
				t.Errorf("nothing is said: %+v", d)
			}
		})
	}
}

// TestDomain_HugeAnswer: far more records than fit a packet come over TCP, and
// the value is found among them.
func TestDomain_HugeAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.claim("acme", "acme.test")
	values := make([]string, 0, 200)
	for range 199 {
		values = append(values, strings.Repeat("x", 250))
	}
	w.dns.set("acme.test", append(values, c)...)
	w.round(0)
	w.wantState("acme", "acme.test", store.DomainVerified)
	if w.dns.overTCP == 0 {
		t.Error("nothing came over TCP")
	}
}

// TestDomain_AnswerCountsOnlyForItsClaim: what DNS said about a claim that was
// given up and made again, or that was looked at later, is dropped.
func TestDomain_AnswerCountsOnlyForItsClaim(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.dns.set("_gatehouse-challenge.acme.test", w.claim("acme", "acme.test"))
	key := store.DomainKey("acme.test", "acme")
	old := w.domain("acme", "acme.test")
	answer := w.checker.Ask(t.Context(), old)
	apply := func(a ownership.Answer) error {
		return w.store.Update(t.Context(), func(tx store.Tx) error {
			_, _, err := w.checker.Apply(tx, key, a)
			return err
		})
	}
	if err := w.store.Update(t.Context(), func(tx store.Tx) error { return w.store.Domains.Delete(tx, key) }); err != nil {
		t.Fatal(err)
	}
	if err := apply(answer); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("answer for a claim that is gone: %v", err)
	}
	w.claim("acme", "acme.test")
	if err := apply(answer); !errors.Is(err, ownership.ErrOutdated) {
		t.Errorf("answer for the claim before: %v", err)
	}
	w.wantState("acme", "acme.test", store.DomainPending)

	early := w.checker.Ask(t.Context(), w.domain("acme", "acme.test"))
	w.round(time.Minute)
	if err := apply(early); !errors.Is(err, ownership.ErrOutdated) {
		t.Errorf("an answer older than the last: %v", err)
	}
}

// TestDomain_Schedule: how often DNS is asked.
func TestDomain_Schedule(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.claim("acme", "acme.test")
	asked := func(rounds int, every time.Duration) int {
		before := w.count()
		for range rounds {
			w.round(every)
		}
		return w.count() - before
	}
	if got := asked(12, 5*time.Minute); got != 12 {
		t.Errorf("in the first hour asked %d times, want 12", got)
	}
	w.pass(24 * time.Hour)
	if got := asked(12, 10*time.Minute); got != 2 {
		t.Errorf("in two hours of the second day asked %d times, want 2", got)
	}
	w.dns.set("_gatehouse-challenge.acme.test", c)
	w.round(time.Hour)
	if got := asked(24, time.Hour); got != 1 {
		t.Errorf("on a day of a proven domain asked %d times, want 1", got)
	}
	// Nobody is asked about what the operator asserts.
	d := w.domain("acme", "acme.test")
	d.State, d.Challenge = store.DomainAsserted, ""
	if err := w.store.Update(t.Context(), func(tx store.Tx) error { return w.store.Domains.Put(tx, d) }); err != nil {
		t.Fatal(err)
	}
	if got := asked(3, 25*time.Hour); got != 0 {
		t.Errorf("asked %d times about an asserted domain", got)
	}
}

func (w *world) count() int {
	w.dns.mu.Lock()
	defer w.dns.mu.Unlock()
	return w.dns.asked["_gatehouse-challenge.acme.test."]
}

// TestDomain_StopTakesNothingAway: a look that is cut short by a stop keeps nothing.
func TestDomain_StopTakesNothingAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.claim("acme", "acme.test")
	w.dns.behave(func(s *dnsServer) { s.mute = true })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = w.checker.CheckDue(ctx)
	if d := w.domain("acme", "acme.test"); !d.CheckedAt.IsZero() {
		t.Errorf("kept %+v", d)
	}
}

func TestE10_ProvableDomains(t *testing.T) {
	t.Parallel()
	for domain, ok := range map[string]bool{
		"acme.test": true, "mail.acme.test": true, "acme.co.uk": true, "xn--bcher-kva.example": true,
		"gmail.com": false, "team.gmail.com": false, "web.de": false, "co.uk": false, "com": false, "github.io": false, "test": false,
	} {
		if problem := ownership.Provable(domain); (problem == "") != ok {
			t.Errorf("%s: %q", domain, problem)
		}
	}
}
