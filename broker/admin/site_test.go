package admin_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/broker/admin"
	"gatehouse/federation"
	"gatehouse/federation/rehearsal"
	"gatehouse/profile"
	"gatehouse/provisioning"
	"gatehouse/provisioning/ownership"
	"gatehouse/store"
	"gatehouse/store/storetest"
	"gatehouse/templates"
)

// site is a real admin listener on a real store.
type site struct {
	t       *testing.T
	store   *store.Store
	handler *admin.Handler
	server  *httptest.Server
	clock   *clock
	log     *lockedBuffer
	tests   *rehearsal.Book
	dns     *siteDNS
}

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
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

func newSite(t *testing.T) *site {
	t.Helper()
	return newSiteOn(t, nil)
}

// newSiteOn is newSite on a store that is there already; nil: a fresh one.
func newSiteOn(t *testing.T, on *store.Store) *site {
	t.Helper()
	s := &site{t: t, clock: &clock{at: time.Now()}, log: &lockedBuffer{}, store: on}
	if on == nil {
		s.store = storetest.OpenAt(t, s.clock.now)
	}
	s.server = httptest.NewUnstartedServer(nil)
	base := "http://" + s.server.Listener.Addr().String()
	fed := federation.New(federation.Config{Store: s.store, PublicURL: "https://login.example", Now: s.clock.now})
	t.Cleanup(fed.Close)
	pages, err := templates.New(templates.Config{})
	if err != nil {
		t.Fatal(err)
	}
	s.tests, s.dns = rehearsal.New(s.clock.now), newSiteDNS(t)
	s.handler, err = admin.New(admin.Config{
		Rehearsals: s.tests,
		Ownership:  ownership.New(ownership.Config{Store: s.store, Resolver: ownership.Resolver{Server: s.dns.address}, Now: s.clock.now}),
		Store:      s.store, Federation: fed, Templates: pages, BaseURL: base, PublicIssuer: "https://login.example",
		Provisioner: provisioning.New(provisioning.Config{Store: s.store, Federation: fed, Now: s.clock.now}),
		Now:         s.clock.now, Logger: jsonLogger(s.log), Version: "test", SecondFactorOptional: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.server.Config.Handler = s.handler
	s.server.Start()
	t.Cleanup(s.server.Close)
	return s
}

func (s *site) update(fn func(store.Tx) error) {
	s.t.Helper()
	if err := s.store.Update(s.t.Context(), fn); err != nil {
		s.t.Fatal(err)
	}
}

// user keeps a user with a platform role ("" for a plain one).
func (s *site) user(role string) store.User {
	s.t.Helper()
	u := store.User{ID: store.NewID(), Status: store.UserActive, PlatformRole: role}
	u.Attributes = profile.Attributes{DisplayName: "User " + u.ID[:4], Email: strings.ToLower(u.ID[:8]) + "@staff.example"}
	s.update(func(tx store.Tx) error { return s.store.Users.Insert(tx, u) })
	u.Revision = 1
	return u
}

// session signs a user in without the page and returns the cookie's value.
func (s *site) session(userID string, edit ...func(*store.Session)) string {
	s.t.Helper()
	value := store.NewID() + store.NewID()
	now := s.clock.now()
	rec := store.Session{
		KeyHash: store.HashToken(value), SID: store.NewID(), UserID: userID, Console: true, AuthTime: now, FactorAt: now,
		CreatedAt: now, LastSeenAt: now, IdleExpiresAt: now.Add(30 * time.Minute), ExpiresAt: now.Add(12 * time.Hour),
	}
	for _, fn := range edit {
		fn(&rec)
	}
	s.update(func(tx store.Tx) error { return s.store.Sessions.Insert(tx, rec) })
	return value
}

// token keeps an API token and returns it.
func (s *site) token(userID string, life time.Duration) string {
	s.t.Helper()
	value := "gh_" + store.NewID() + store.NewID()
	now := s.clock.now()
	s.update(func(tx store.Tx) error {
		return s.store.APITokens.Insert(tx, store.APIToken{
			Hash: store.HashToken(value), Name: "test", UserID: userID, CreatedAt: now, ExpiresAt: now.Add(life),
		})
	})
	return value
}

// caller sends requests as one principal.
type caller struct {
	s      *site
	cookie string // session cookie value
	token  string
	csrf   string
	client *http.Client
}

func (s *site) as(role string) *caller {
	s.t.Helper()
	return &caller{s: s, token: s.token(s.user(role).ID, time.Hour)}
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) json(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("answer %d is not JSON: %v\n%s", a.status, err, a.body)
	}
	return v
}

func (a answer) at(t *testing.T, path string) any {
	t.Helper()
	var v any = a.json(t)
	for part := range strings.SplitSeq(path, ".") {
		m, _ := v.(map[string]any)
		v = m[part]
	}
	return v
}

// api calls /api/v1 with a JSON body (nil for none) and headers in pairs.
func (c *caller) api(method, path string, body any, headers ...string) answer {
	c.s.t.Helper()
	var r io.Reader
	if body != nil {
		if raw, ok := body.(string); ok {
			r = strings.NewReader(raw)
		} else {
			b, err := json.Marshal(body)
			if err != nil {
				c.s.t.Fatal(err)
			}
			r = bytes.NewReader(b)
		}
	}
	req, err := http.NewRequestWithContext(c.s.t.Context(), method, c.s.server.URL+"/api/v1"+path, r)
	if err != nil {
		c.s.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return c.send(req)
}

func (c *caller) send(req *http.Request) answer {
	c.s.t.Helper()
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if c.cookie != "" {
		req.AddCookie(&http.Cookie{Name: "gh_console", Value: c.cookie})
	}
	if c.csrf != "" {
		req.Header.Set("X-Csrf-Token", c.csrf)
	}
	client := c.client
	if client == nil {
		client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	res, err := client.Do(req)
	if err != nil {
		c.s.t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // read to the end below
	body, err := io.ReadAll(res.Body)
	if err != nil {
		c.s.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, body}
}

// browser is a caller with a cookie jar that reads form tokens out of pages.
func (s *site) browser() *caller {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &caller{s: s, client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

var csrfField = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

func (c *caller) get(path string) answer {
	c.s.t.Helper()
	req, err := http.NewRequestWithContext(c.s.t.Context(), "GET", c.s.server.URL+path, nil)
	if err != nil {
		c.s.t.Fatal(err)
	}
	return c.send(req)
}

// post sends a form with the token found on the page at from.
func (c *caller) post(path, from string, fields url.Values) answer {
	c.s.t.Helper()
	if fields == nil {
		fields = url.Values{}
	}
	if from != "" {
		m := csrfField.FindSubmatch(c.get(from).body)
		if m == nil {
			c.s.t.Fatalf("page %s has no form token", from)
		}
		fields.Set("csrf", string(m[1]))
	}
	req, err := http.NewRequestWithContext(c.s.t.Context(), "POST", c.s.server.URL+path, strings.NewReader(fields.Encode()))
	if err != nil {
		c.s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c.send(req)
}

// want fails unless the answer has the status.
func want(t *testing.T, a answer, status int) answer {
	t.Helper()
	if a.status != status {
		t.Fatalf("got status %d, want %d\n%s", a.status, status, a.body)
	}
	return a
}
