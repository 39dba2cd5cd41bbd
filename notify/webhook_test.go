package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
)

// receiver is somebody's HTTP server; answer decides what it says.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	posts  []post
	answer func(http.ResponseWriter, *http.Request)
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		r.mu.Lock()
		r.posts = append(r.posts, post{req.Header.Clone(), body})
		answer := r.answer
		r.mu.Unlock()
		if answer != nil {
			answer(w, req)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answering(fn func(http.ResponseWriter, *http.Request)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = fn
}

func (r *receiver) take() []post {
	r.mu.Lock()
	defer r.mu.Unlock()
	posts := r.posts
	r.posts = nil
	return posts
}

func (w *world) webhook(id, url string, change func(*store.Webhook)) store.Secret {
	w.t.Helper()
	secret := NewSecret()
	hook := store.Webhook{ID: id, URL: url, Events: []string{store.EventUserCreated}, AllowPrivateNetwork: true, Secret: store.Seal(secret)}
	if change != nil {
		change(&hook)
	}
	w.update(func(tx store.Tx) error { return w.store.Webhooks.Insert(tx, hook) })
	return secret
}

func (w *world) edit(id string, change func(*store.Webhook)) {
	w.t.Helper()
	w.update(func(tx store.Tx) error {
		hook, err := w.store.Webhooks.Get(tx, id)
		if err != nil {
			return err
		}
		change(&hook)
		return w.store.Webhooks.Put(tx, hook)
	})
}

func (w *world) created(user string) {
	w.t.Helper()
	w.clock.add(time.Millisecond)
	w.tell(store.Event{Kind: store.EventUserCreated, OrganizationID: "acme", Subject: user, Detail: map[string]string{"connection": "acme"}})
}

// verified is what a receiver does, written from the Standard Webhooks
// specification: it knows nothing of the code it checks.
func verified(p post, secret store.Secret, now time.Time) error {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret.Reveal(), "whsec_"))
	if err != nil {
		return err
	}
	id, stamp := p.header.Get("webhook-id"), p.header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || id == "" || strings.Contains(id, ".") {
		return fmt.Errorf("id %q or timestamp %q is not one", id, stamp)
	}
	if d := now.Sub(time.Unix(seconds, 0)); d > 5*time.Minute || d < -5*time.Minute {
		return fmt.Errorf("the timestamp is %s off", d)
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", id, stamp, p.body)
	want := base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for signed := range strings.SplitSeq(p.header.Get("webhook-signature"), " ") {
		if version, got, ok := strings.Cut(signed, ","); ok && version == "v1" && got == want {
			return nil
		}
	}
	return fmt.Errorf("no signature fits")
}

func TestWebhookIsCalledAndSigned(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t, nil), newReceiver(t)
	secret := w.webhook("all", r.URL+"/hook?x=1", nil)
	w.webhook("other", r.URL, func(h *store.Webhook) { h.OrganizationID = "globex" })
	w.webhook("off", r.URL, func(h *store.Webhook) { h.Disabled = true })
	w.webhook("wants other", r.URL, func(h *store.Webhook) { h.Events = []string{store.EventDisabled} })
	w.created("adam")
	w.work()
	posts := r.take()
	if len(posts) != 1 {
		t.Fatalf("%d calls", len(posts))
	}
	must(t, verified(posts[0], secret, w.clock.read()))
	got := posts[0].payload(t)
	for name, want := range map[string]string{"user": "adam", "organization": "acme", "status": "active", "connection": "acme"} {
		if got.Data[name] != want {
			t.Errorf("%s is %q, want %q", name, got.Data[name], want)
		}
	}
	if got.Type != store.EventUserCreated || !got.Timestamp.Equal(w.clock.read().Add(-time.Second)) || posts[0].header.Get("Content-Type") != "application/json" {
		t.Errorf("got %+v, %v", got, posts[0].header)
	}
	if strings.Contains(string(posts[0].body), "@") {
		t.Errorf("the payload holds an address: %s", posts[0].body)
	}
	all := w.deliveries()
	if len(all) != 1 || all[0].State != store.DeliveryDelivered || len(all[0].Attempts) != 1 || all[0].Attempts[0].Status != 200 {
		t.Errorf("kept: %+v", all)
	}
	if strings.Contains(w.log.String(), secret.Reveal()) || strings.Contains(w.log.String(), "adam") {
		t.Error("the log says too much")
	}
}

// TestSecretRotation: both secrets sign for a while, then only the new one.
func TestSecretRotation(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t, nil), newReceiver(t)
	older := w.webhook("all", r.URL, nil)
	newer := NewSecret()
	w.edit("all", func(h *store.Webhook) {
		h.PreviousSecret, h.PreviousUntil, h.Secret = h.Secret, w.clock.read().Add(time.Hour), store.Seal(newer)
	})
	w.created("adam")
	w.work()
	p := r.take()[0]
	must(t, verified(p, older, w.clock.read()))
	must(t, verified(p, newer, w.clock.read()))
	w.clock.add(time.Hour)
	w.created("olga")
	w.work()
	p = r.take()[0]
	must(t, verified(p, newer, w.clock.read()))
	if verified(p, older, w.clock.read()) == nil {
		t.Error("the old secret signs for ever")
	}
	p.body = append(p.body, ' ')
	if verified(p, newer, w.clock.read()) == nil {
		t.Error("the signature does not cover the body")
	}
}

// TestDeliveriesAreTriedForADay: with longer and longer pauses, the same id and
// body each time, a fresh timestamp, and an end.
func TestDeliveriesAreTriedForADay(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t, nil), newReceiver(t)
	secret := w.webhook("all", r.URL, nil)
	r.answering(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	w.created("adam")
	began := w.clock.read()
	for w.clock.read().Sub(began) < 36*time.Hour {
		w.work()
		for _, p := range r.take() {
			must(t, verified(p, secret, w.clock.read()))
		}
		w.clock.add(5 * time.Minute)
	}
	d := w.deliveries()[0]
	if d.State != store.DeliveryFailed || d.Tries != 10 || len(d.Attempts) != maxAttempts || d.Attempts[9].Status != 500 {
		t.Fatalf("kept: %+v", d)
	}
	if last := d.Attempts[9].At.Sub(began); last < 20*time.Hour || last > 30*time.Hour {
		t.Errorf("the last try was after %s", last)
	}
	pauses := []time.Duration{}
	for i, a := range d.Attempts[1:] {
		pauses = append(pauses, a.At.Sub(d.Attempts[i].At))
	}
	if !slices.IsSorted(pauses) {
		t.Errorf("the pauses are %v", pauses)
	}
}

// TestReceiverComesBack: what was lost on the way arrives once it answers, with
// the id it had; Retry-After is heeded.
func TestReceiverComesBack(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t, nil), newReceiver(t)
	w.webhook("all", r.URL, nil)
	r.answering(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "600")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	w.created("adam")
	w.work()
	first := r.take()
	r.answering(nil)
	w.clock.add(9 * time.Minute)
	w.work()
	if early := r.take(); len(early) > 0 {
		t.Error("it was called before the time it asked for")
	}
	w.clock.add(time.Minute)
	w.work()
	again := r.take()
	if len(first) != 1 || len(again) != 1 || first[0].header.Get("webhook-id") != again[0].header.Get("webhook-id") || string(first[0].body) != string(again[0].body) {
		t.Errorf("%d and %d calls", len(first), len(again))
	}
}

// TestGoneSwitchesOff: 410 means that nobody wants to hear any more (Standard
// Webhooks); it is recorded who switched it off.
func TestGoneSwitchesOff(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t, nil), newReceiver(t)
	w.webhook("all", r.URL, nil)
	r.answering(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) })
	w.created("adam")
	w.created("olga")
	w.work()
	w.clock.add(time.Hour)
	w.work()
	w.created("paul")
	w.work()
	w.view(func(tx store.Tx) error {
		h, err := w.store.Webhooks.Get(tx, "all")
		if !h.Disabled {
			t.Error("it is still on")
		}
		return err
	})
	for _, d := range w.deliveries() {
		if d.State != store.DeliveryFailed {
			t.Errorf("kept: %+v", d)
		}
	}
	if n := len(w.deliveries()); n != 2 {
		t.Errorf("%d deliveries", n)
	}
}

// TestH1_WebhookAddresses and H2, H3: where a webhook may not go it does not
// go, and who wrote the URL learns nothing about the network it is called from.
func TestH1_WebhookAddresses(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	inside := newReceiver(t)
	r.answering(func(w http.ResponseWriter, req *http.Request) {
		http.Redirect(w, req, inside.URL, http.StatusTemporaryRedirect)
	})
	_, port, _ := strings.Cut(strings.TrimPrefix(r.URL, "http://"), ":")
	for name, c := range map[string]struct {
		url     string
		private bool
		want    string
	}{
		"loopback":            {r.URL, false, "not https"},
		"loopback by https":   {"https://127.0.0.1:" + port, false, "not allowed"},
		"loopback by name":    {"https://localhost:" + port, false, "its name leads to an address that is not allowed"},
		"mapped":              {"https://[::ffff:127.0.0.1]:" + port, false, "not allowed"},
		"metadata":            {"https://169.254.169.254/latest", false, "not allowed"},
		"metadata, private":   {"http://169.254.169.254/latest", true, "not allowed"},
		"private, not listed": {"https://10.1.2.3/", false, "not allowed"},
		"number":              {"https://2130706433/", false, "not allowed"},
		"user name":           {"https://a:b@127.0.0.1/", true, "user name"},
		"file":                {"file:///etc/passwd", true, "absolute URL"},
		"redirect":            {r.URL, true, "it answered 307"},
		"nobody there":        {"http://127.0.0.1:1/", true, "no connection"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			w.webhook("all", c.url, func(h *store.Webhook) { h.AllowPrivateNetwork = c.private })
			w.created("adam")
			w.work()
			d := w.deliveries()
			if len(d) != 1 || len(d[0].Attempts) != 1 || d[0].State != store.DeliveryPending {
				t.Fatalf("kept: %+v", d)
			}
			got := d[0].Attempts[0].Error
			if name == "number" && strings.Contains(got, "host name is not known") {
				return // a resolver that takes it for a name
			}
			if !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if name == "loopback by name" && (strings.Contains(got, "127.0.0.1") || strings.Contains(got, "::1")) {
				t.Errorf("the log of deliveries resolves names for strangers: %q", got)
			}
		})
	}
	t.Cleanup(func() {
		if len(inside.take()) > 0 {
			t.Error("the redirect was followed")
		}
	})
}

// TestSlowReceiverHoldsUpNobody: one that hangs is given up; the others are
// called meanwhile.
func TestSlowReceiverHoldsUpNobody(t *testing.T) {
	t.Parallel()
	w, quick, slow := newWorld(t, nil), newReceiver(t), newReceiver(t)
	release := make(chan struct{})
	slow.answering(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	w.webhook("slow", slow.URL, nil)
	w.webhook("quick", quick.URL, nil)
	for i := range 6 {
		w.created(fmt.Sprintf("u%d", i))
	}
	ctx, cancel := context.WithCancel(t.Context())
	var sending sync.WaitGroup
	must(t, w.step(ctx, &sending))
	for len(quick.posts0()) < 6 {
		time.Sleep(time.Millisecond)
	}
	if n := len(slow.posts0()); n > 2 {
		t.Errorf("%d calls hang at one receiver", n)
	}
	cancel() // stopping ends the calls; what was not answered is told again later
	sending.Wait()
	close(release)
	slow.answering(nil)
	slow.take()
	w.clock.add(deliveryLease)
	w.work()
	if n := len(slow.take()); n != 6 {
		t.Errorf("%d of 6 were told in the end", n)
	}
}

func (r *receiver) posts0() []post {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.posts)
}

// TestEndlessAnswerIsNotRead: a receiver cannot fill our memory or keep us.
func TestEndlessAnswerIsNotRead(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t, nil), newReceiver(t)
	w.webhook("all", r.URL, nil)
	r.answering(func(w http.ResponseWriter, req *http.Request) {
		for req.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 32<<10)); err != nil {
				return
			}
		}
	})
	w.created("adam")
	w.work()
	if d := w.deliveries()[0]; d.State != store.DeliveryDelivered {
		t.Errorf("kept: %+v", d)
	}
}

// TestSeveralProcessesDeliverOnce, as long as none dies.
func TestSeveralProcessesDeliverOnce(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t, nil), newReceiver(t)
	w.webhook("all", r.URL, nil)
	both := []*Notifier{w.Notifier, w.notifier(nil), w.notifier(nil)}
	for i := range 10 {
		w.created(fmt.Sprintf("u%d", i))
	}
	w.clock.add(time.Second)
	var together sync.WaitGroup
	for _, n := range both {
		together.Go(func() {
			var sending sync.WaitGroup
			if err := n.step(t.Context(), &sending); err != nil {
				t.Error(err)
			}
			sending.Wait()
		})
	}
	together.Wait()
	for range 3 {
		w.work()
	}
	ids := map[string]int{}
	for _, p := range r.take() {
		ids[p.header.Get("webhook-id")]++
	}
	if len(ids) != 10 {
		t.Errorf("%d of 10 arrived", len(ids))
	}
	for id, n := range ids {
		if n != 1 {
			t.Errorf("%s came %d times", id, n)
		}
	}
}

// TestDeliveriesAreBounded: the log of a busy webhook does not grow for ever.
func TestDeliveriesAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.webhook("all", "https://127.0.0.1/", nil)
	var newest string
	for range 3 {
		w.update(func(tx store.Tx) error {
			for range (maxDeliveries + 30) / 3 {
				w.clock.add(time.Millisecond)
				d := w.newDelivery("all", store.EventUserCreated, []byte("{}"))
				d.State, d.NextAt, newest = store.DeliveryDelivered, time.Time{}, d.ID
				if err := w.store.Deliveries.Insert(tx, d); err != nil {
					return err
				}
			}
			return nil
		})
	}
	w.work()
	all := w.deliveries()
	if len(all) != maxDeliveries || all[len(all)-1].ID != newest {
		t.Errorf("%d are kept, the newest is %s", len(all), all[len(all)-1].ID)
	}
}

// TestPayloadsAreAsDocumented: every kind of event, with records as they are,
// gives what its schema promises, and nothing that is not for strangers.
func TestPayloadsAreAsDocumented(t *testing.T) {
	t.Parallel()
	w, r := newWorld(t, nil), newReceiver(t)
	secret := w.webhook("all", r.URL, func(h *store.Webhook) {
		h.Events = nil
		for _, k := range EventKinds() {
			h.Events = append(h.Events, k.Kind)
		}
	})
	w.request("r1", func(r *store.AccessRequest) {
		r.State, r.DecidedBy, r.Role, r.UserID = store.RequestApproved, "olga", store.RoleUser, "adam"
		r.Snapshot = profile.Attributes{DisplayName: "canary-name", Email: "canary@acme.test"}
		r.Reason, r.Typed = "canary-reason", "canary-typed"
	})
	w.update(func(tx store.Tx) error {
		return joined(
			w.store.Invitations.Insert(tx, store.Invitation{ID: "i1", OrganizationID: "acme", Email: "canary@acme.test", Role: store.RoleUser, State: store.InvitationOpen, InvitedBy: "olga", Hash: "h", ExpiresAt: w.clock.read().Add(time.Hour), KeepUntil: w.clock.read().Add(time.Hour)}),
			w.store.Domains.Insert(tx, store.Domain{Name: "acme.test", OrganizationID: "acme", State: store.DomainVerified, Challenge: "canary-challenge", MissingSince: w.clock.read()}),
		)
	})
	subjects := map[string]string{"user": "adam", "invitation": "i1", "domain": store.DomainKey("acme.test", "acme"), "access_request": "r1"}
	for _, k := range EventKinds()[1:] { // the request told of itself
		noun, _, _ := strings.Cut(k.Kind, ".")
		w.clock.add(time.Millisecond)
		w.tell(store.Event{
			Kind: k.Kind, OrganizationID: "acme", Subject: subjects[noun], Secret: store.Seal("canary-token"),
			Detail: map[string]string{"link": "https://canary-link", "extra": "fine"},
		})
	}
	w.work()
	posts := map[string]post{}
	for _, p := range r.take() {
		must(t, verified(p, secret, w.clock.read()))
		posts[p.payload(t).Type] = p
	}
	for _, k := range EventKinds() {
		p, ok := posts[k.Kind]
		if !ok {
			t.Errorf("%s was not told", k.Kind)
			continue
		}
		if strings.Contains(string(p.body), "canary") {
			t.Errorf("%s says too much: %s", k.Kind, p.body)
		}
		data := p.payload(t).Data
		documented := map[string]bool{"extra": true}
		for _, f := range k.Fields {
			documented[f.Name] = true
			if f.Always && data[f.Name] == "" {
				t.Errorf("%s: %s is missing", k.Kind, f.Name)
			}
		}
		for name := range data {
			if !documented[name] {
				t.Errorf("%s: %s is not documented", k.Kind, name)
			}
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"", "5", "-1", "99999999999999999999", "Fri, 20 Nov 2026 10:00:00 GMT", " 7 ", "1e9", "\x00"} {
		f.Add(s)
	}
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		if got := retryAfter(http.Header{"Retry-After": {s}}, now); got < 0 || got > mostRetryAfter {
			t.Errorf("%q asks for %s", s, got)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "120": 2 * time.Minute, "999999": 12 * time.Hour, "-5": 0, "soon": 0,
		"Fri, 20 Nov 2026 09:10:00 GMT": 10 * time.Minute, "Fri, 20 Nov 2020 09:10:00 GMT": 0,
	} {
		if got := retryAfter(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("%q: got %s, want %s", value, got, want)
		}
	}
}
