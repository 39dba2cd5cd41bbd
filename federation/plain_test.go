package federation

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/net/html"

	"gatehouse/federation/mockidp"
	"gatehouse/profile"
	"gatehouse/store"
)

// plainConnection is a plain OAuth 2.0 connection with endpoints by hand.
func plainConnection(issuer string) store.Connection {
	return store.Connection{
		Meta: store.Meta{Revision: 1}, ID: "acme", OrganizationID: "acme", Title: "Acme", Kind: store.KindOAuth2,
		Domains:   []string{"acme.test"},
		Endpoints: store.Endpoints{Authorize: issuer + "/authorize", Token: issuer + "/token"},
		ClientID:  "gatehouse", ClientSecret: store.Seal("mock-secret"), AllowPrivateNetwork: true,
		Profile: store.ProfileSource{Kind: store.ProfileURL, URL: issuer + "/userinfo"},
		Selectors: profile.Selectors{
			FederationID: profile.Selector{Path: "id", Source: profile.FromProfile},
			Email:        profile.Selector{Path: "email", Source: profile.FromProfile},
		},
	}
}

// plainPeople are alice as a plain OAuth 2.0 provider knows her.
func plainPeople() map[string]map[string]any {
	return map[string]map[string]any{"alice": {"id": "a-1", "email": "alice@acme.test"}}
}

// set changes the connection and checks it as saving does.
func (w *world) set(change func(*store.Connection)) {
	w.t.Helper()
	change(&w.conn)
	w.conn.Revision++
	if err := w.CheckConnection(&w.conn); err != nil {
		w.t.Fatalf("CheckConnection: %v", err)
	}
}

func newPlainWorld(t testing.TB, shape mockidp.Shape, change func(*store.Connection)) *world {
	t.Helper()
	shape.PlainOAuth2 = true
	w := newWorld(t, mockidp.Config{Shape: shape, Users: plainPeople()})
	w.conn = plainConnection(w.idp.URL)
	w.set(func(c *store.Connection) {
		if change != nil {
			change(c)
		}
	})
	return w
}

// last is the latest request at an endpoint of the provider.
func (w *world) last(endpoint string) mockidp.Request {
	w.t.Helper()
	all := w.idp.Requests().Of(endpoint)
	if len(all) == 0 {
		w.t.Fatalf("no request came to %s", endpoint)
	}
	return all[len(all)-1]
}

// posted is what a provider's form_post page would post.
func (w *world) posted(d Departure) url.Values {
	w.t.Helper()
	req, err := http.NewRequest(http.MethodGet, d.URL, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	resp, err := w.browser.RoundTrip(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	doc, err := html.Parse(strings.NewReader(string(raw)))
	if err != nil {
		w.t.Fatal(err)
	}
	form := url.Values{}
	for n := range doc.Descendants() {
		name, value := "", ""
		for _, a := range n.Attr {
			switch a.Key {
			case "name":
				name = a.Val
			case "value":
				value = a.Val
			}
		}
		if n.Data == "input" && name != "" {
			form.Add(name, value)
		}
	}
	if len(form) == 0 {
		w.t.Fatalf("no form on the page: %s", raw)
	}
	return form
}

func clientKeyPair(t *testing.T, alg string) (store.Sealed, *jose.JSONWebKeySet) {
	t.Helper()
	secret, err := NewClientKey(alg)
	if err != nil {
		t.Fatal(err)
	}
	conn := store.Connection{PrivateKey: store.Seal(secret), ClientAuthAlg: alg}
	raw, err := ClientKeySet(conn)
	if err != nil {
		t.Fatal(err)
	}
	set := &jose.JSONWebKeySet{}
	if err := json.Unmarshal(raw, set); err != nil {
		t.Fatal(err)
	}
	return conn.PrivateKey, set
}

// visitAnywhere is visit, wherever the browser is sent back to.
func (w *world) visitAnywhere(d Departure) url.Values {
	w.t.Helper()
	req, err := http.NewRequest(http.MethodGet, d.URL, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	resp, err := w.browser.RoundTrip(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		w.t.Fatal(err)
	}
	return back.Query()
}

func keyNamed(set *jose.JSONWebKeySet, id string) *jose.JSONWebKeySet {
	out := &jose.JSONWebKeySet{Keys: slices.Clone(set.Keys)}
	out.Keys[0].KeyID = id
	return out
}

func hinted(name, want string) func(*testing.T, *world, VerifiedIdentity) {
	return func(t *testing.T, w *world, _ VerifiedIdentity) {
		t.Helper()
		if got := w.last("authorize").Param(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func requests(a string, n int, b string, m int) func(*testing.T, *world, VerifiedIdentity) {
	return func(t *testing.T, w *world, _ VerifiedIdentity) {
		t.Helper()
		if w.count(a) != n || w.count(b) != m {
			t.Errorf("requests %v, want %d %s and %d %s", w.idp.Requests().Counts, n, a, m, b)
		}
		// Issue 3 §5.7: at most one request more than the least.
		total := 0
		for _, c := range maps.All(w.idp.Requests().Counts) {
			total += c
		}
		if want := 2 + profileRequests(&w.conn); total > want+1 {
			t.Errorf("%d requests for a login that needs %d", total, want)
		}
	}
}
