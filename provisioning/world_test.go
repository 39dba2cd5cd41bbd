package provisioning

import (
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"testing"
	"time"

	"gatehouse/federation"
	"gatehouse/federation/mockidp"
	"gatehouse/profile"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

// world is a real store, a real federation and real providers over HTTP. Acme
// owns acme.test; the catch-all "any" belongs to the organization "public".
type world struct {
	t     testing.TB
	store *store.Store
	fed   *federation.Federation
	p     *Provisioner
	idps  map[string]*mockidp.Running // by connection id

	mu     sync.Mutex
	offset time.Duration // of the provisioner's clock
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.offset)
}

func (w *world) later(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.offset += d
}

func newWorld(t testing.TB, join store.JoinPolicy) *world {
	t.Helper()
	w := &world{t: t, store: storetest.Open(t), idps: map[string]*mockidp.Running{}}
	w.fed = federation.New(federation.Config{
		Store: w.store, PublicURL: "http://gatehouse.test",
		Network: federation.NetworkPolicy{Prefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
	})
	t.Cleanup(w.fed.Close)
	w.p = New(Config{Store: w.store, Federation: w.fed, Now: w.now})
	w.update(func(tx store.Tx) error {
		for _, o := range []store.Organization{
			{ID: "acme", Title: "Acme", Join: join, JoinActor: "owner-1", AutomaticGroups: []string{"newcomers"}},
			{ID: "public", Title: "Public", Join: join},
		} {
			if err := w.store.Organizations.Insert(tx, o); err != nil {
				return err
			}
		}
		if err := w.store.Domains.Insert(tx, store.Domain{Name: "acme.test", OrganizationID: "acme", State: store.DomainAsserted}); err != nil {
			return err
		}
		return w.store.Clients.Insert(tx, store.Client{ID: "app", Name: "App", Type: store.ClientNative})
	})
	w.connect("acme", "acme", "acme.test")
	return w
}

// connect adds a connection with a provider of its own.
func (w *world) connect(id, organization string, domains ...string) store.Connection {
	w.t.Helper()
	idp := mockidp.Start(w.t, mockidp.Config{
		Domain:  "acme.test",
		Clients: []mockidp.Client{{ID: "gatehouse", Secret: "mock-secret", InsecureAnyRedirect: true}},
	})
	w.idps[id] = idp
	sel := profile.DefaultSelectors()
	sel.Custom = map[string]profile.Selector{"teams": {Path: "groups"}}
	c := store.Connection{
		ID: id, OrganizationID: organization, Kind: store.KindOIDC, Title: id, Domains: domains,
		Issuer: idp.URL, ClientID: "gatehouse", ClientSecret: store.Seal("mock-secret"),
		UseUserinfo: true, AllowPrivateNetwork: true, Selectors: sel,
	}
	if err := w.fed.CheckConnection(&c); err != nil {
		w.t.Fatal(err)
	}
	w.update(func(tx store.Tx) error { return w.store.Connections.Insert(tx, c) })
	return w.connection(id)
}

func (w *world) connection(id string) (c store.Connection) {
	w.t.Helper()
	w.view(func(tx store.Tx) (err error) {
		c, err = w.store.Connections.Get(tx, id)
		return err
	})
	return c
}

func (w *world) view(fn func(store.Tx) error) {
	w.t.Helper()
	if err := w.store.View(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) update(fn func(store.Tx) error) {
	w.t.Helper()
	if err := w.store.Update(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) change(actor string, fn func(*store.Change) error) error {
	return w.store.Change(w.t.Context(), store.Actor{UserID: actor, Via: "console"}, fn)
}

// person describes who signs in at a connection's provider as name.
func (w *world) person(connection, name string, claims map[string]any) {
	w.t.Helper()
	w.idps[connection].SetUser(name, claims)
}

// signIn goes the whole way through the connection's provider as name.
func (w *world) signIn(connection, name string) federation.VerifiedIdentity {
	w.t.Helper()
	conn := w.connection(connection)
	dep, err := w.fed.Depart(w.t.Context(), conn, federation.DepartRequest{Tx: "tx-1"})
	if err != nil {
		w.t.Fatal(err)
	}
	w.idps[connection].SetAuto(name)
	browser := http.Client{
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, dep.URL, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := browser.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	back, err := url.Parse(res.Header.Get("Location"))
	if err != nil || back.Query().Get("code") == "" {
		w.t.Fatalf("provider answered %s to %q, %v", res.Status, res.Header.Get("Location"), err)
	}
	id, err := w.fed.Return(w.t.Context(), conn, dep.Flow, back.Query())
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// admit previews and admits, and wants both to say the same.
func (w *world) admit(id federation.VerifiedIdentity) Decision {
	w.t.Helper()
	pr := Prepare()
	var preview, d Decision
	w.view(func(tx store.Tx) (err error) {
		preview, err = w.p.Preview(tx, id, store.Client{ID: "app"}, pr)
		return err
	})
	w.update(func(tx store.Tx) (err error) {
		d, err = w.p.Admit(tx, id, store.Client{ID: "app"}, pr)
		return err
	})
	if preview.Kind != d.Kind || preview.UserID != d.UserID || preview.Reason != d.Reason || preview.Request.ID != d.Request.ID {
		w.t.Errorf("preview says %+v, admit %+v", preview, d)
	}
	return d
}

// login is signIn and admit.
func (w *world) login(connection, name string) Decision {
	w.t.Helper()
	return w.admit(w.signIn(connection, name))
}

func (w *world) wantKind(d Decision, kind Kind, reason Reason) Decision {
	w.t.Helper()
	if d.Kind != kind || d.Reason != reason {
		w.t.Fatalf("got %s %s (%s), want %s %s", d.Kind, d.Reason, d.Why, kind, reason)
	}
	return d
}

func (w *world) user(id string) (u store.User) {
	w.t.Helper()
	w.view(func(tx store.Tx) (err error) {
		u, err = w.store.Users.Get(tx, id)
		return err
	})
	return u
}

// counts of users, identities and waiting requests.
func (w *world) counts() (users, identities, pending int) {
	w.t.Helper()
	w.view(func(tx store.Tx) error {
		for _, err := range w.store.Users.All(tx) {
			if err != nil {
				return err
			}
			users++
		}
		for _, err := range w.store.Identities.All(tx) {
			if err != nil {
				return err
			}
			identities++
		}
		n, err := w.store.AccessRequests.CountByIndex(tx, "state", store.RequestPending, 10_000)
		pending = n
		return err
	})
	return users, identities, pending
}

// authorize asks the gate for app.
func (w *world) authorize(user, connection string) (Standing, error) {
	var s Standing
	err := w.store.View(w.t.Context(), func(tx store.Tx) (err error) {
		s, err = w.p.Authorize(tx, user, "app", connection)
		return err
	})
	return s, err
}
