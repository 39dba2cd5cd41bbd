package federation

import (
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"gatehouse/federation/mockidp"
	"gatehouse/profile"
	"gatehouse/store"
)

// TestProfileSources_CountRequests: a login asks the provider for nothing that
// its profile source does not need: the token, the profile, and what names the
// profile's URL. An OpenID provider's documents are read once for all logins.
// `make bench` prints the same of the real program.
func TestProfileSources_CountRequests(t *testing.T) {
	t.Parallel()
	for kind, c := range map[string]struct {
		shape  mockidp.ProfileShape
		source func(issuer string) store.ProfileSource
		want   map[string]int // of one login, beside the token request
		id     profile.Selector
	}{
		store.ProfileNone: {
			source: func(string) store.ProfileSource { return store.ProfileSource{Kind: store.ProfileNone} },
		},
		store.ProfileURL: {
			shape: mockidp.ProfileShape{Path: "/me"},
			source: func(issuer string) store.ProfileSource {
				return store.ProfileSource{Kind: store.ProfileURL, URL: issuer + "/me"}
			},
			want: map[string]int{"profile": 1},
		},
		store.ProfileURLInURL: {
			shape: mockidp.ProfileShape{In: "url_in_url", Path: "/me"},
			source: func(issuer string) store.ProfileSource {
				return store.ProfileSource{Kind: store.ProfileURLInURL, URL: issuer + "/link", URLSelector: profile.Selector{Path: "profile_url"}}
			},
			want: map[string]int{"profile_link": 1, "profile": 1},
		},
		store.ProfileTokenResponse: {
			shape:  mockidp.ProfileShape{In: "token_response", Member: "user"},
			source: func(string) store.ProfileSource { return store.ProfileSource{Kind: store.ProfileTokenResponse} },
			id:     profile.Selector{Path: "user.email", Source: profile.FromProfile},
		},
		store.ProfileURLInTokenResponse: {
			shape: mockidp.ProfileShape{In: "url_in_token_response", Path: "/me"},
			source: func(string) store.ProfileSource {
				return store.ProfileSource{Kind: store.ProfileURLInTokenResponse, URLSelector: profile.Selector{Path: "profile_url"}}
			},
			want: map[string]int{"profile": 1},
		},
	} {
		for _, plain := range []bool{false, true} {
			if plain && kind == store.ProfileNone {
				continue // without an ID token somebody has to say who it is
			}
			t.Run(map[bool]string{false: "oidc/", true: "oauth2/"}[plain]+kind, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, mockidp.Config{Users: plainPeople(), Shape: mockidp.Shape{PlainOAuth2: plain, Profile: c.shape}})
				once := map[string]int{"discovery": 1, "jwks": 1}
				if plain {
					w.conn, once = plainConnection(w.idp.URL), nil
					if c.id.Path != "" {
						w.conn.Selectors = profile.Selectors{FederationID: c.id}
					}
				}
				w.set(func(conn *store.Connection) {
					conn.UseUserinfo, conn.Profile = false, c.source(w.idp.URL)
				})
				const logins = 3
				for range logins {
					if _, err := w.login(); err != nil {
						t.Fatal(err)
					}
				}
				got := w.idp.Requests().Counts
				delete(got, "authorize") // the browser's
				want := map[string]int{"token": logins}
				for endpoint, n := range c.want {
					want[endpoint] = n * logins
				}
				maps.Copy(want, once)
				if !maps.Equal(got, want) {
					t.Errorf("%d logins made the requests %v, want %v", logins, got, want)
				}
			})
		}
	}
}

// TestQ4_SixtyFourHangingLogins: with the waits of production, as many logins
// as one provider may hold hang at one of its endpoints. Logins at the other
// connections, more at a time than are left anywhere, all come through meanwhile.
func TestQ4_SixtyFourHangingLogins(t *testing.T) {
	t.Parallel()
	const hanging, others = 64, 24
	for _, endpoint := range []string{"token", "userinfo", "jwks"} {
		t.Run(endpoint, func(t *testing.T) {
			t.Parallel()
			f := newFederation(t, Config{})
			f.timing.request, f.timing.step = time.Minute, time.Minute // the test decides when it ends
			if f.timing.slots != hanging {
				t.Fatalf("a provider has %d slots; this test is about %d", f.timing.slots, hanging)
			}
			slow := newWorld(t, mockidp.Config{})
			slow.Federation = f
			good := []*world{newWorld(t, mockidp.Config{}), newWorld(t, mockidp.Config{})}
			for i, w := range good {
				w.Federation, w.conn.ID = f, []string{"globex", "initech"}[i]
			}
			slow.idp.SetFault(endpoint+"_hang", 0)
			var ended [hanging]error
			var stuck, passing sync.WaitGroup
			for i := range hanging {
				d, err := slow.depart(DepartRequest{})
				if err != nil {
					t.Fatal(err)
				}
				params := slow.visit(d)
				stuck.Go(func() { _, ended[i] = slow.Return(f.background, slow.conn, d.Flow, params) })
			}
			held := hanging
			if endpoint == "jwks" {
				held = 1 // all wait for one fetch of the keys
			}
			waitFor(t, func() bool { return slow.count(endpoint) == held })
			var failed [others]error
			for i := range others {
				passing.Go(func() { _, failed[i] = good[i%len(good)].login() })
			}
			passing.Wait()
			if i := slices.IndexFunc(failed[:], func(err error) bool { return err != nil }); i >= 0 {
				t.Errorf("a login elsewhere: %v", failed[i])
			}
			if n := len(f.upstream(&slow.conn).slots); n != held {
				t.Errorf("%d requests hang, want %d", n, held)
			}
			for _, w := range good {
				if n := len(f.upstream(&w.conn).slots); n != 0 {
					t.Errorf("%d slots of %s are taken", n, w.conn.ID)
				}
			}
			slow.idp.Stop() // whoever hangs is let go
			stuck.Wait()
			if i := slices.Index(ended[:], nil); i >= 0 {
				t.Error("a login came through the provider that hangs")
			}
		})
	}
}
