package federation

import (
	"strings"
	"testing"

	"gatehouse/profile"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

// town is a store with organizations and connections.
type town struct {
	*Federation
	t testing.TB
}

func newTown(t testing.TB) *town {
	t.Helper()
	return &town{newFederation(t, Config{Store: storetest.Open(t)}), t}
}

func (w *town) update(fn func(tx store.Tx) error) {
	w.t.Helper()
	if err := w.store.Update(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

// org makes an organization that owns domains; a leading ? leaves one pending.
func (w *town) org(id string, domains ...string) {
	w.t.Helper()
	w.update(func(tx store.Tx) error {
		if err := w.store.Organizations.Insert(tx, store.Organization{ID: id, Title: id}); err != nil {
			return err
		}
		for i, d := range domains {
			state := []store.DomainState{store.DomainVerified, store.DomainAsserted}[i%2]
			if name, pending := strings.CutPrefix(d, "?"); pending {
				d, state = name, store.DomainPending
			}
			if err := w.store.Domains.Insert(tx, store.Domain{Name: d, OrganizationID: id, State: state}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *town) connection(id, org string, rules ...string) {
	w.t.Helper()
	w.update(func(tx store.Tx) error {
		return w.store.Connections.Insert(tx, store.Connection{ID: id, OrganizationID: org, Domains: rules})
	})
}

func (w *town) disable(connection, organization string) {
	w.t.Helper()
	w.update(func(tx store.Tx) error {
		if connection != "" {
			c, err := w.store.Connections.Get(tx, connection)
			if err != nil {
				return err
			}
			c.Disabled = true
			return w.store.Connections.Put(tx, c)
		}
		o, err := w.store.Organizations.Get(tx, organization)
		if err != nil {
			return err
		}
		o.Disabled = true
		return w.store.Organizations.Put(tx, o)
	})
}

// route answers "rule: candidates".
func (w *town) route(email string, narrow Query) string {
	w.t.Helper()
	var out string
	if err := w.store.View(w.t.Context(), func(tx store.Tx) error {
		if email != "" {
			narrow.Email = address(w.t, email)
		}
		r, err := w.Route(tx, narrow)
		var ids []string
		for _, c := range r.Candidates {
			ids = append(ids, c.ID)
		}
		out = r.Rule + ": " + strings.Join(ids, " ")
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *town) owns(connection, email string) bool {
	w.t.Helper()
	var ok bool
	if err := w.store.View(w.t.Context(), func(tx store.Tx) error {
		var err error
		ok, err = w.Owns(tx, store.Connection{ID: connection}, address(w.t, email))
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return ok
}

func TestE7_LabelBoundaries(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.org("corp", "corp.com")
	w.connection("wild", "corp", "*.corp.com")
	w.connection("deep", "corp", "*.eu.corp.com")
	w.connection("exact", "corp", "de.eu.corp.com")
	for email, want := range map[string]string{
		"a@corp.com":                ": ", // the apex is not a sub-domain
		"a@evilcorp.com":            ": ",
		"a@x.corp.com.evil.com":     ": ",
		"a@com":                     "refused",
		"a@b.corp.com":              "*.corp.com: wild",
		"a@c.b.corp.com":            "*.corp.com: wild",
		"a@eu.corp.com":             "*.corp.com: wild",
		"a@X.EU.corp.com":           "*.eu.corp.com: deep",
		"a@de.eu.corp.com":          "de.eu.corp.com: exact",
		"a@x.de.eu.corp.com":        "*.eu.corp.com: deep",
		"a@f.e.d.c.b.a.eu.corp.com": "*.eu.corp.com: deep",
	} {
		if want == "refused" {
			if _, err := profile.ParseEmail(email); err == nil {
				t.Errorf("%s is an address", email)
			}
			continue
		}
		if got := w.route(email, Query{}); got != want {
			t.Errorf("%s: %q, want %q", email, got, want)
		}
	}
}

func TestE7_SeveralOfOneLevel(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.org("corp", "corp.com")
	w.org("corp2", "corp.com")
	w.org("liar", "?corp.com")
	w.connection("b", "corp", "corp.com")
	w.connection("a", "corp", "corp.com")
	w.connection("c", "corp2", "corp.com")
	w.connection("d", "liar", "corp.com")
	w.connection("e", "corp", "*")
	if got, want := w.route("x@corp.com", Query{}), "corp.com: a b c"; got != want {
		t.Errorf("got %q, want %q: all of the level, no unproven claim, no catch-all", got, want)
	}
	if got, want := w.route("x@corp.com", Query{OrganizationID: "corp2"}), "corp.com: c"; got != want {
		t.Errorf("narrowed: %q, want %q", got, want)
	}
	if w.owns("d", "x@corp.com") || w.owns("e", "x@corp.com") || !w.owns("a", "x@corp.com") || !w.owns("c", "x@corp.com") {
		t.Error("Owns disagrees with the route")
	}
}

func TestE9_OnlyTheOwnerVouches(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.org("acme", "acme.test")
	w.org("globex", "globex.test")
	w.connection("acme", "acme", "acme.test", "*.acme.test")
	w.connection("globex", "globex", "globex.test", "acme.test") // claims what it has not proven
	for email, want := range map[string]string{"a@acme.test": "acme", "a@x.acme.test": "acme", "a@globex.test": "globex", "a@elsewhere.test": ""} {
		for _, c := range []string{"acme", "globex", "nobody"} {
			if got := w.owns(c, email); got != (c == want) {
				t.Errorf("%s vouches for %s: %v", c, email, got)
			}
		}
	}
	if err := w.store.View(t.Context(), func(tx store.Tx) error {
		if ok, err := w.Owns(tx, store.Connection{ID: "acme"}, profile.Email{}); ok || err != nil {
			t.Errorf("no address: %v, %v", ok, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestE10_CatchAll(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.org("corp", "corp.com")
	w.org("platform")
	w.connection("corp", "corp", "corp.com", "*.eu.corp.com")
	w.connection("any", "platform", "*")
	check := func(email, route string, any bool) {
		t.Helper()
		if got := w.route(email, Query{}); got != route {
			t.Errorf("%s: %q, want %q", email, got, route)
		}
		if got := w.owns("any", email); got != any {
			t.Errorf("catch-all vouches for %s: %v, want %v", email, got, any)
		}
	}
	check("ceo@corp.com", "corp.com: corp", false)
	check("ceo@x.eu.corp.com", "*.eu.corp.com: corp", false)
	check("ceo@us.corp.com", "*: any", true) // no connection's domain
	check("a@elsewhere.test", "*: any", true)
	w.disable("corp", "")
	check("ceo@corp.com", "corp.com: ", false) // disabled, and still its own
	w.disable("", "platform")
	check("a@elsewhere.test", "*: ", true)
}

func TestE11_NarrowedQueriesAndAllowLists(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.org("acme", "acme.test")
	w.org("globex", "globex.test")
	w.connection("acme", "acme", "acme.test")
	w.connection("acme2", "acme")
	w.connection("globex", "globex", "globex.test")
	for name, c := range map[string]struct {
		email string
		q     Query
		want  string
	}{
		"nothing asked":                  {"", Query{}, ": "},
		"connection by name":             {"", Query{ConnectionID: "globex"}, "connection: globex"},
		"unknown connection":             {"", Query{ConnectionID: "none"}, ": "},
		"connection of another org":      {"", Query{ConnectionID: "globex", OrganizationID: "acme"}, "connection: "},
		"organization":                   {"", Query{OrganizationID: "acme"}, "organization: acme acme2"},
		"unknown organization":           {"", Query{OrganizationID: "none"}, "organization: "},
		"address and foreign connection": {"a@acme.test", Query{ConnectionID: "globex"}, "acme.test: "},
		"client of other connections":    {"a@acme.test", Query{Client: store.Client{Connections: []string{"globex"}}}, "acme.test: "},
		"client of other organizations":  {"", Query{ConnectionID: "acme", Client: store.Client{Organizations: []string{"globex"}}}, "connection: "},
		"client that may":                {"a@acme.test", Query{Client: store.Client{Connections: []string{"acme"}, Organizations: []string{"acme"}}}, "acme.test: acme"},
	} {
		if got := w.route(c.email, c.q); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestE12_DisabledIsNowhere(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	w.org("acme", "acme.test")
	w.connection("a", "acme", "acme.test")
	w.connection("b", "acme", "acme.test")
	w.disable("a", "")
	for _, q := range []Query{{}, {OrganizationID: "acme"}} {
		email := "x@acme.test"
		if q.OrganizationID != "" {
			email = ""
		}
		if got := w.route(email, q); !strings.HasSuffix(got, ": b") {
			t.Errorf("%+v: %q, want b alone", q, got)
		}
	}
	if got := w.route("", Query{ConnectionID: "a"}); got != "connection: " {
		t.Errorf("named: %q", got)
	}
	w.disable("", "acme")
	if got := w.route("x@acme.test", Query{}); got != "acme.test: " {
		t.Errorf("disabled organization: %q", got)
	}
}

func BenchmarkRoute(b *testing.B) {
	w := newTown(b)
	w.org("acme", "acme.test")
	w.connection("acme", "acme", "*.acme.test")
	e := address(b, "alice@a.b.c.acme.test")
	if err := w.store.View(b.Context(), func(tx store.Tx) error {
		for b.Loop() {
			if _, err := w.Route(tx, Query{Email: e}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
}
