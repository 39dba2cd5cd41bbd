package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/mail"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/federation"
	"gatehouse/profile"
	"gatehouse/store"
	"gatehouse/store/storetest"
	"gatehouse/templates"
)

// clock is a clock that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a notifier over a real store, with the real outgoing client.
type world struct {
	t     testing.TB
	clock *clock
	store *store.Store
	*Notifier
	log *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func sender(t testing.TB) Sender {
	t.Helper()
	s, err := ParseSender("Gatehouse <no-reply@login.example>")
	must(t, err)
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// newWorld has the organization acme with the owner olga, the admin adam and
// the platform owner paul. Mails go to transport.
func newWorld(t testing.TB, transport Transport) *world {
	t.Helper()
	c := &clock{now: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)}
	w := &world{t: t, clock: c, store: storetest.OpenAt(t, c.read), log: &lockedBuffer{}}
	w.Notifier = w.notifier(transport)
	w.update(func(tx store.Tx) error {
		return joined(
			w.store.Organizations.Insert(tx, store.Organization{ID: "acme", Title: "Acme & Söhne", Contact: "help@acme.test", Languages: []string{"de"}}),
			w.store.Connections.Insert(tx, store.Connection{ID: "acme", OrganizationID: "acme", Title: "Acme sign-in"}),
			w.store.Clients.Insert(tx, store.Client{ID: "notes", Name: "Field Notes", Type: store.ClientNative}),
		)
	})
	w.person("olga", store.RoleOwner, "", true)
	w.person("adam", store.RoleAdmin, "", true)
	w.person("paul", "", store.RoleOwner, true)
	return w
}

func joined(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *world) notifier(transport Transport) *Notifier {
	w.t.Helper()
	mails, err := templates.NewMails("")
	must(w.t, err)
	fed := federation.New(federation.Config{
		Store: w.store, PublicURL: "https://login.example",
		Network: federation.NetworkPolicy{Prefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
	})
	w.t.Cleanup(fed.Close)
	n, err := New(Config{
		Store: w.store, Mails: mails, Transport: transport, Poster: fed, Told: w.told,
		Issuer: "https://login.example", AdminURL: "https://admin.example", Now: w.clock.read,
		Logger: slog.New(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	must(w.t, err)
	return n
}

// told are the owners and admins of the organization.
func (w *world) told(tx store.Tx, r store.AccessRequest) (ids []string, err error) {
	for m, err := range w.store.Memberships.AllByIndex(tx, "organization", r.OrganizationID) {
		if err != nil {
			return nil, err
		}
		if m.Role != store.RoleUser {
			ids = append(ids, m.UserID)
		}
	}
	return ids, nil
}

func (w *world) update(fn func(store.Tx) error) {
	w.t.Helper()
	must(w.t, w.store.Update(context.Background(), fn))
}

func (w *world) view(fn func(store.Tx) error) {
	w.t.Helper()
	must(w.t, w.store.View(context.Background(), fn))
}

func (w *world) person(name, role, platform string, proven bool) {
	w.t.Helper()
	w.update(func(tx store.Tx) error {
		err := w.store.Users.Insert(tx, store.User{
			ID: name, Status: store.UserActive, PlatformRole: platform, EmailVerified: proven, Language: "en",
			Attributes: profile.Attributes{DisplayName: name, Email: name + "@people.test"},
		})
		if err != nil || role == "" {
			return err
		}
		return w.store.Memberships.Insert(tx, store.Membership{OrganizationID: "acme", UserID: name, Role: role})
	})
}

// request keeps an access request of a newcomer and tells of it.
func (w *world) request(id string, change func(*store.AccessRequest)) {
	w.t.Helper()
	w.clock.add(time.Millisecond) // events are told in the order of their time
	w.update(func(tx store.Tx) error {
		r := store.AccessRequest{
			ID: id, OrganizationID: "acme", ConnectionID: "acme", Issuer: "https://idp.test", Subject: id, ClientID: "notes",
			Snapshot: profile.Attributes{DisplayName: "Nina Neu", Email: "nina@acme.test"}, EmailVerified: true, State: store.RequestPending,
			Language: "de-AT", ExpiresAt: w.clock.read().Add(14 * 24 * time.Hour),
		}
		if change != nil {
			change(&r)
		}
		if err := w.store.AccessRequests.Insert(tx, r); err != nil {
			return err
		}
		return w.store.Tell(tx, store.Event{Kind: store.EventRequested, OrganizationID: "acme", Subject: id})
	})
}

func (w *world) tell(e store.Event) {
	w.t.Helper()
	w.update(func(tx store.Tx) error { return w.store.Tell(tx, e) })
}

// work does one step, a second after the one before, and waits for what it
// sends.
func (w *world) work() {
	w.t.Helper()
	w.clock.add(time.Second)
	stepOf(w.t, w.Notifier)
}

func stepOf(t testing.TB, n *Notifier) {
	t.Helper()
	var sending sync.WaitGroup
	must(t, n.step(context.Background(), &sending))
	sending.Wait()
}

func (w *world) waiting() (mails []store.Mail) {
	w.t.Helper()
	w.view(func(tx store.Tx) error {
		for m, err := range w.store.Mails.All(tx) {
			if err != nil {
				return err
			}
			mails = append(mails, m)
		}
		return nil
	})
	return mails
}

func (w *world) deliveries() (all []store.Delivery) {
	w.t.Helper()
	w.view(func(tx store.Tx) error {
		for d, err := range w.store.Deliveries.All(tx) {
			if err != nil {
				return err
			}
			all = append(all, d)
		}
		return nil
	})
	return all
}

func (w *world) events() (n int) {
	w.t.Helper()
	w.view(func(tx store.Tx) error {
		found, _, err := w.store.Events.List(tx, store.Page{Limit: 100})
		n = len(found)
		return err
	})
	return n
}

// outbox is a Transport that keeps what it is given; fail says why not.
type outbox struct {
	mu   sync.Mutex
	sent []Message
	fail func(Message) error
}

func (o *outbox) Send(_ context.Context, m Message) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail != nil {
		if err := o.fail(m); err != nil {
			return err
		}
	}
	o.sent = append(o.sent, m)
	return nil
}

func (o *outbox) take() []Message {
	o.mu.Lock()
	defer o.mu.Unlock()
	sent := o.sent
	o.sent = nil
	return sent
}

func (o *outbox) failing(fn func(Message) error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fail = fn
}

// parsed is a mail as a mail program reads it.
type parsed struct {
	header     mail.Header
	text, html string
}

func parse(t testing.TB, raw string) parsed {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(raw))
	must(t, err)
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	must(t, err)
	if kind != "multipart/alternative" {
		t.Fatalf("the mail is %s", kind)
	}
	out := parsed{header: m.Header}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if err == io.EOF {
			return out
		}
		must(t, err)
		if got := p.Header.Get("Content-Transfer-Encoding"); got != "quoted-printable" {
			t.Fatalf("a part is encoded as %s", got)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(p))
		must(t, err)
		text := strings.ReplaceAll(string(body), "\r\n", "\n")
		if strings.HasPrefix(p.Header.Get("Content-Type"), "text/plain") {
			out.text = text
		} else {
			out.html = text
		}
	}
}

// post is one call of a webhook.
type post struct {
	header http.Header
	body   []byte
}

func (p post) payload(t testing.TB) (out struct {
	Type      string
	Timestamp time.Time
	Data      map[string]string
},
) {
	t.Helper()
	must(t, json.Unmarshal(p.body, &out))
	return out
}
