package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
	"gatehouse/templates"
)

func recipients(sent []Message, kind string) (to []string) {
	for _, m := range sent {
		if m.Kind == kind {
			to = append(to, m.To.String())
		}
	}
	return to
}

func sameStrings(a, b []string) bool {
	seen := map[string]int{}
	for _, s := range a {
		seen[s]++
	}
	for _, s := range b {
		seen[s]--
	}
	for _, n := range seen {
		if n != 0 {
			return false
		}
	}
	return true
}

var link = regexp.MustCompile(`https://\S+`)

// TestApproversAreTold: each approver gets a link of their own, and nobody else
// gets anything.
func TestApproversAreTold(t *testing.T) {
	t.Parallel()
	box := &outbox{}
	w := newWorld(t, box)
	w.person("unproven", store.RoleAdmin, "", false)
	w.person("plain", store.RoleUser, "", true)
	expires := w.clock.read().Add(14*24*time.Hour + time.Millisecond)
	w.request("r1", func(r *store.AccessRequest) { r.Typed = "see https://evil.test/login or evil.test" })
	w.work()
	sent := box.take()
	if got := recipients(sent, templates.MailRequestWaiting); !sameStrings(got, []string{"olga@people.test", "adam@people.test"}) || len(sent) != 2 {
		t.Fatalf("told: %v of %d", got, len(sent))
	}
	links := map[string]bool{}
	for _, m := range sent {
		for _, want := range []string{"Nina Neu", "nina@acme.test", "vouched for", "Acme sign-in", "Field Notes"} {
			if !strings.Contains(m.Text, want) || !strings.Contains(m.HTML, want) {
				t.Errorf("the mail does not say %q:\n%s", want, m.Text)
			}
		}
		found := link.FindAllString(m.Text, -1)
		if len(found) != 1 || !strings.HasPrefix(found[0], "https://admin.example/decide/") {
			t.Fatalf("links: %q", found)
		}
		links[found[0]] = true
		token := strings.TrimPrefix(found[0], "https://admin.example/decide/")
		w.view(func(tx store.Tx) error {
			l, err := w.store.DecisionLinks.Get(tx, store.HashToken(token))
			if err == nil && (l.RequestID != "r1" || l.UserID+"@people.test" != m.To.String() || !l.ExpiresAt.Equal(expires)) {
				t.Errorf("the link is %+v", l)
			}
			return err
		})
		if strings.Contains(w.log.String(), token) {
			t.Error("the log holds the link")
		}
	}
	if len(links) != 2 {
		t.Error("approvers share a link")
	}
	if w.events() != 0 || len(w.waiting()) != 0 {
		t.Errorf("%d events and %d mails are left", w.events(), len(w.waiting()))
	}
	for _, personal := range []string{"nina", "Nina", "olga@", "people.test/", "evil"} {
		if strings.Contains(w.log.String(), personal) {
			t.Errorf("the log says %q:\n%s", personal, w.log.String())
		}
	}
}

// TestG8_NobodyIsToldOfTheirOwnRequest: not by user, identity or address.
func TestG8_NobodyIsToldOfTheirOwnRequest(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*world, *store.AccessRequest){
		"user":    func(_ *world, r *store.AccessRequest) { r.Kind, r.UserID = store.RequestApp, "adam" },
		"address": func(_ *world, r *store.AccessRequest) { r.Snapshot.Email = "Adam@people.test" },
		"identity": func(w *world, r *store.AccessRequest) {
			w.update(func(tx store.Tx) error {
				return w.store.Identities.Insert(tx, store.Identity{ConnectionID: "acme", Issuer: "https://idp.test", Subject: "r1", UserID: "adam"})
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			box := &outbox{}
			w := newWorld(t, box)
			var r store.AccessRequest
			change(w, &r)
			w.request("r1", func(into *store.AccessRequest) {
				into.Kind, into.UserID = r.Kind, r.UserID
				if r.Snapshot.Email != "" {
					into.Snapshot.Email = r.Snapshot.Email
				}
			})
			w.work()
			if got := recipients(box.take(), templates.MailRequestWaiting); !sameStrings(got, []string{"olga@people.test"}) {
				t.Errorf("told: %v", got)
			}
		})
	}
}

// TestPlatformOwnersAreTheLastResort: a request is never waiting where nobody
// hears of it.
func TestPlatformOwnersAreTheLastResort(t *testing.T) {
	t.Parallel()
	box := &outbox{}
	w := newWorld(t, box)
	for _, id := range []string{"olga", "adam"} {
		w.update(func(tx store.Tx) error {
			u, err := w.store.Users.Get(tx, id)
			u.Status = store.UserDisabled
			return joined(err, w.store.Users.Put(tx, u))
		})
	}
	w.request("r1", nil)
	w.work()
	if got := recipients(box.take(), templates.MailRequestWaiting); !sameStrings(got, []string{"paul@people.test"}) {
		t.Errorf("told: %v", got)
	}
}

// TestThePersonIsTold: at a vouched-for address only, in their language.
func TestThePersonIsTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind, event string
		change      func(*store.AccessRequest)
		want        []string // of the text; nil: no mail
	}{
		"approved":     {templates.MailRequestApproved, store.EventApproved, func(r *store.AccessRequest) { r.State = store.RequestApproved }, []string{"angenommen", "Acme & Söhne", "nina@acme.test", "help@acme.test"}},
		"refused":      {templates.MailRequestRefused, store.EventRefused, func(r *store.AccessRequest) { r.State, r.Reason = store.RequestRefused, "Wrong team." }, []string{"abgelehnt", "> Wrong team."}},
		"asked":        {templates.MailRequestAsked, store.EventAsked, func(r *store.AccessRequest) { r.Messages = []store.RequestMessage{{By: "olga", Text: "Which team?"}} }, []string{"> Which team?"}},
		"not vouched":  {templates.MailRequestApproved, store.EventApproved, func(r *store.AccessRequest) { r.EmailVerified = false }, nil},
		"no address":   {templates.MailRequestApproved, store.EventApproved, func(r *store.AccessRequest) { r.Snapshot.Email = "nina at acme" }, nil},
		"app":          {templates.MailRequestApproved, store.EventApproved, func(r *store.AccessRequest) { r.Kind, r.UserID = store.RequestApp, "adam" }, []string{"adam@people.test"}},
		"app, unknown": {templates.MailRequestApproved, store.EventApproved, func(r *store.AccessRequest) { r.Kind, r.UserID = store.RequestApp, "gone" }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			box := &outbox{}
			w := newWorld(t, box)
			w.request("r1", c.change)
			w.work()
			box.take()
			w.tell(store.Event{Kind: c.event, OrganizationID: "acme", Subject: "r1"})
			w.work()
			sent := box.take()
			if (len(sent) == 1) != (c.want != nil) {
				t.Fatalf("%d mails were sent", len(sent))
			}
			for _, want := range c.want {
				if sent[0].Kind != c.kind || !strings.Contains(sent[0].Text, want) {
					t.Errorf("%s does not say %q:\n%s", sent[0].Kind, want, sent[0].Text)
				}
			}
		})
	}
}

// TestTheAskerHearsTheAnswer: nobody else, with a link that works.
func TestTheAskerHearsTheAnswer(t *testing.T) {
	t.Parallel()
	box := &outbox{}
	w := newWorld(t, box)
	w.request("r1", func(r *store.AccessRequest) {
		r.Messages = []store.RequestMessage{{By: "adam", Text: "Which team?"}, {Text: "Logistics"}}
	})
	w.work()
	box.take()
	w.tell(store.Event{Kind: store.EventAnswered, OrganizationID: "acme", Subject: "r1"})
	w.work()
	sent := box.take()
	if got := recipients(sent, templates.MailRequestAnswered); !sameStrings(got, []string{"adam@people.test"}) || !strings.Contains(sent[0].Text, "> Logistics") {
		t.Errorf("told: %v", got)
	}
}

// TestInvitationCarriesItsLink, to the invited address only, and a link that
// was replaced is not sent.
func TestInvitationCarriesItsLink(t *testing.T) {
	t.Parallel()
	box := &outbox{}
	w := newWorld(t, box)
	w.update(func(tx store.Tx) error {
		return w.store.Invitations.Insert(tx, store.Invitation{
			ID: "i1", OrganizationID: "acme", Email: "nina@acme.test", Role: store.RoleUser, InvitedBy: "olga", State: store.InvitationOpen,
			Hash: store.HashToken("token-two"), ExpiresAt: w.clock.read().Add(time.Hour), KeepUntil: w.clock.read().Add(24 * time.Hour),
		})
	})
	for _, token := range []store.Secret{"token-one", "token-two"} {
		w.tell(store.Event{Kind: store.EventInvited, OrganizationID: "acme", Subject: "i1", Secret: store.Seal(token)})
	}
	w.work()
	sent := box.take()
	want := "https://login.example/invitation?" + url.Values{"t": []string{"token-two"}}.Encode()
	if len(sent) != 1 || sent[0].To.String() != "nina@acme.test" || link.FindString(sent[0].Text) != want {
		t.Fatalf("sent %d: %v", len(sent), sent)
	}
	if strings.Contains(w.log.String(), "token-") {
		t.Error("the log holds the link")
	}
}

func TestLapsingDomainIsToldToOwners(t *testing.T) {
	t.Parallel()
	box := &outbox{}
	w := newWorld(t, box)
	w.update(func(tx store.Tx) error {
		return w.store.Domains.Insert(tx, store.Domain{Name: "acme.test", OrganizationID: "acme", State: store.DomainVerified, Challenge: "gatehouse-domain=ABC"})
	})
	w.tell(store.Event{Kind: store.EventDomainLapse, OrganizationID: "acme", Subject: store.DomainKey("acme.test", "acme"), Detail: map[string]string{"until": "2026-11-27T09:00:00Z"}})
	w.work()
	sent := box.take()
	if got := recipients(sent, templates.MailDomainLapsing); !sameStrings(got, []string{"olga@people.test", "paul@people.test"}) {
		t.Fatalf("told: %v", got)
	}
	for _, want := range []string{"acme.test", "gatehouse-domain=ABC", "27 Nov 2026"} {
		if !strings.Contains(sent[0].Text, want) {
			t.Errorf("the mail does not say %q:\n%s", want, sent[0].Text)
		}
	}
}

// TestManyRequestsBecomeOneMail: an approver cannot be flooded.
func TestManyRequestsBecomeOneMail(t *testing.T) {
	t.Parallel()
	box := &outbox{}
	w := newWorld(t, box)
	for i := range 50 {
		w.request(fmt.Sprintf("r%d", i), func(r *store.AccessRequest) { r.Snapshot.Email = fmt.Sprintf("n%d@acme.test", i) })
	}
	w.work()
	sent := box.take()
	if got := len(recipients(sent, templates.MailRequestWaiting)); got != 2*digestAfter || len(sent) != got {
		t.Fatalf("%d mails, %d of them about one request", len(sent), got)
	}
	links := 0
	w.view(func(tx store.Tx) error {
		found, _, err := w.store.DecisionLinks.List(tx, store.Page{Limit: 200})
		links = len(found)
		return err
	})
	if links != 2*digestAfter {
		t.Errorf("%d links were kept", links)
	}
	w.clock.add(digestWindow)
	w.work()
	sent = box.take()
	if got := recipients(sent, templates.MailRequestDigest); !sameStrings(got, []string{"olga@people.test", "adam@people.test"}) || len(sent) != 2 {
		t.Fatalf("digests: %v of %d", got, len(sent))
	}
	if !strings.Contains(sent[0].Text, "50 ") || link.FindString(sent[0].Text) != "https://admin.example/requests?organization=acme" {
		t.Errorf("the digest says:\n%s", sent[0].Text)
	}
	w.request("late", nil)
	w.work()
	if got := recipients(box.take(), templates.MailRequestWaiting); len(got) != 2 {
		t.Errorf("in the next window: %v", got)
	}
}

// TestMailServerDownThenUp is the whole way with a real server: nothing is
// lost, nothing is sent twice.
func TestMailServerDownThenUp(t *testing.T) {
	t.Parallel()
	s := newSMTPD(t, nil)
	w := newWorld(t, transportTo(t, s, nil))
	s.stop()
	w.request("r1", nil)
	w.work()
	for _, m := range w.waiting() {
		if m.LastError == "" && m.Attempts > 0 || m.Failed {
			t.Errorf("got %+v", m)
		}
	}
	if n := len(w.waiting()); n != 2 || w.events() != 0 {
		t.Fatalf("%d mails wait", n)
	}
	w.clock.add(2 * time.Second)
	w.work() // the server is left alone for a while
	w.clock.add(time.Minute)
	w.work()
	s.start(s.address)
	w.clock.add(10 * time.Minute)
	w.work()
	if n := len(w.waiting()); n != 0 {
		t.Fatalf("%d mails still wait: %+v", n, w.waiting())
	}
	to := []string{parse(t, <-s.taken).header.Get("To"), parse(t, <-s.taken).header.Get("To")}
	if !sameStrings(to, []string{"<olga@people.test>", "<adam@people.test>"}) || len(s.taken) != 0 {
		t.Errorf("taken: %v and %d more", to, len(s.taken))
	}
}

// TestMailsEnd: a refusal for good stays to be seen and is not tried again; a
// refusal for now is tried until the mail's time is over.
func TestMailsEnd(t *testing.T) {
	t.Parallel()
	box := &outbox{}
	w := newWorld(t, box)
	put := func(id string, expires time.Duration) {
		w.update(func(tx store.Tx) error {
			return w.store.Mails.Insert(tx, store.Mail{ID: id, Kind: templates.MailTest, To: id + "@people.test", CreatedAt: w.clock.read(), ExpiresAt: w.clock.read().Add(expires)})
		})
	}
	put("good", time.Hour)
	put("bad", 48*time.Hour)
	put("later", 2*time.Hour)
	tries := map[string]int{}
	box.failing(func(m Message) error {
		tries[m.ID]++
		switch m.ID {
		case "bad":
			return &SendError{Permanent: true, Err: errors.New("550 5.1.1 <bad@people.test> who?\r\nX: y")}
		case "later":
			return &SendError{Err: errors.New("451 later")}
		}
		return nil
	})
	for range 8 * 60 {
		w.work()
		w.clock.add(time.Minute)
	}
	left := w.waiting()
	if len(left) != 1 || left[0].ID != "bad" || !left[0].Failed || left[0].LastError != "550 5.1.1 <bad@people.test> who?  X: y" {
		t.Errorf("left: %+v", left)
	}
	if tries["good"] != 1 || tries["bad"] != 1 || tries["later"] != 4 {
		t.Errorf("tries: %v", tries)
	}
	if strings.Contains(w.log.String(), "who?") || strings.Contains(w.log.String(), "@people.test") {
		t.Errorf("the log holds an address:\n%s", w.log.String())
	}
	put("unknown", time.Hour)
	w.update(func(tx store.Tx) error {
		return w.store.Mails.Insert(tx, store.Mail{ID: "odd", Kind: "no-such-kind", To: "a@people.test", ExpiresAt: w.clock.read().Add(time.Hour)})
	})
	w.clock.add(time.Minute)
	w.work()
	for _, m := range w.waiting() {
		if m.ID == "odd" && !m.Failed {
			t.Errorf("got %+v", m)
		}
	}
}

// TestSeveralProcessesSendOnce: two notifiers on one store.
func TestSeveralProcessesSendOnce(t *testing.T) {
	t.Parallel()
	box := &outbox{}
	w := newWorld(t, box)
	both := []*Notifier{w.Notifier, w.notifier(box), w.notifier(box)}
	for i := range 8 {
		w.request(fmt.Sprintf("r%d", i), nil)
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
		w.clock.add(time.Second)
		w.work()
		if got := recipients(box.take(), templates.MailRequestWaiting); len(got) != 2 {
			t.Fatalf("round %d: sent %v", i, got)
		}
	}
}

// TestMailsAreBounded: what a stranger makes wait is thrown away, the oldest
// first.
func TestMailsAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	var all []waitingMail
	w.update(func(tx store.Tx) error {
		for i := range 20 {
			m := store.Mail{ID: fmt.Sprintf("m%02d", i), Kind: templates.MailTest, To: "a@people.test", CreatedAt: w.clock.read().Add(time.Duration(20-i) * time.Second), ExpiresAt: w.clock.read().Add(time.Hour)}
			all = append(all, waitingMail{m.ID, m.CreatedAt})
			if err := w.store.Mails.Insert(tx, m); err != nil {
				return err
			}
		}
		return nil
	})
	for i := range maxMails - 15 {
		all = append(all, waitingMail{fmt.Sprintf("gone%d", i), w.clock.read().Add(time.Hour)})
	}
	must(t, w.dropMails(t.Context(), all))
	left := w.waiting()
	if len(left) != 15 || left[14].ID != "m14" {
		t.Errorf("%d are left, the last is %s", len(left), left[len(left)-1].ID)
	}
}

// TestMailsOff: events are told by webhook only, and nothing piles up.
func TestMailsOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.request("r1", nil)
	w.work()
	if w.events() != 0 || len(w.waiting()) != 0 {
		t.Errorf("%d events and %d mails are left", w.events(), len(w.waiting()))
	}
	if _, err := w.TestMailTo(profile.Email{}, "en"); !errors.Is(err, ErrMailsOff) {
		t.Errorf("a test: %v", err)
	}
}

// TestV3_HostileNamesInMails: what people call themselves is text, in every
// part and header of a mail that really went over the wire.
func TestV3_HostileNamesInMails(t *testing.T) {
	t.Parallel()
	s := newSMTPD(t, nil)
	w := newWorld(t, transportTo(t, s, nil))
	const evil = "Eve\r\nBcc: victim@evil.test\r\n\r\n<img src=x onerror=alert(1)>\u202egnp.exe http://evil.test/x www.evil.test {{.Link}}"
	w.update(func(tx store.Tx) error {
		o, err := w.store.Organizations.Get(tx, "acme")
		o.Title, o.Contact = evil, evil
		return joined(err, w.store.Organizations.Put(tx, o))
	})
	w.request("r1", func(r *store.AccessRequest) {
		r.Snapshot = profile.Attributes{DisplayName: evil, Email: "eve@evil.test\r\nX: y"}
		r.Subject, r.Typed = evil, evil
	})
	w.work()
	for range 2 {
		raw := <-s.taken
		m := parse(t, raw)
		for name := range m.header {
			if !strings.Contains("From To Subject Date Message-Id Mime-Version Content-Type Auto-Submitted X-Auto-Response-Suppress", name) {
				t.Errorf("there is a header %s", name)
			}
		}
		for _, bad := range []string{"<img", "\u202e", "http://evil", "www.evil", "evil.test/x"} {
			if strings.Contains(m.text, "\n"+bad) || bad != "<img" && strings.Contains(m.text, bad) || strings.Contains(m.html, bad) {
				t.Errorf("the mail holds %q:\n%s\n%s", bad, m.text, m.html)
			}
		}
		if !strings.Contains(m.html, "&lt;img") {
			t.Error("the name is not there at all")
		}
	}
}

// TestEventThatCannotBeTold is dropped after a while, and does not hold up
// what comes after it.
func TestEventThatCannotBeTold(t *testing.T) {
	t.Parallel()
	box := &outbox{}
	w := newWorld(t, box)
	broken := true
	w.Notifier.told = func(tx store.Tx, r store.AccessRequest) ([]string, error) {
		if broken && r.ID == "r1" {
			return nil, io.ErrUnexpectedEOF
		}
		return w.told(tx, r)
	}
	w.request("r1", nil)
	w.request("r2", nil)
	for range maxStuck - 1 {
		var sending sync.WaitGroup
		if err := w.step(t.Context(), &sending); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("got %v", err)
		}
	}
	w.work()
	if got := recipients(box.take(), templates.MailRequestWaiting); len(got) != 2 || w.events() != 0 {
		t.Errorf("told: %v, %d events are left", got, w.events())
	}
}

// TestRun is the whole machine: woken, it tells; stopped, it is gone.
func TestRun(t *testing.T) {
	t.Parallel()
	told := make(chan Message, 10)
	box := &outbox{fail: func(m Message) error { told <- m; return nil }}
	w := newWorld(t, box)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	w.Notifier.every = time.Hour
	go func() { defer close(ended); w.Run(ctx) }()
	w.request("r1", nil)
	for len(told) == 0 {
		w.clock.add(time.Second)
		w.Wake()
		select {
		case m := <-told:
			told <- m
		case <-time.After(10 * time.Millisecond):
		}
	}
	cancel()
	<-ended
}
