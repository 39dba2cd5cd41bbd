package mockidp

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Provider is one OpenID Connect provider. It is safe for concurrent use.
type Provider struct {
	cfg     Config
	issuer  string
	prefix  string // path of the issuer, "" at the root
	cookie  string // session cookie name, different per issuer
	mux     *http.ServeMux
	keys    *keyring
	people  *people
	faults  *faults
	log     *recorder
	auto    atomic.Pointer[string]
	clients map[string]Client

	discovery []byte // the correct document, encoded once

	pending    *expiring[authRequest]
	pushed     *expiring[url.Values]
	assertions *expiring[struct{}] // jti of client assertions
	codes      *expiring[*codeGrant]
	access     *expiring[*login]
	refresh    *expiring[*login]
	sessions   *expiring[*session]
	lastSeen   atomic.Pointer[string] // nonce of the login before, for other_nonce

	closed    chan struct{}
	closeOnce sync.Once
}

// Bounds of what is kept in memory; the oldest entry goes first.
const (
	maxPending = 10_000
	maxTokens  = 100_000
)

// New checks the configuration and makes a provider. Its error joins every fault
// (*ConfigError).
func New(cfg Config) (*Provider, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("mock provider configuration: %w", err)
	}
	ring, err := newKeyring(cfg.SigningAlg)
	if err != nil {
		return nil, fmt.Errorf("making the signing key: %w", err)
	}
	u, err := url.Parse(cfg.Issuer)
	if err != nil {
		return nil, fmt.Errorf("reading the issuer: %w", err)
	}
	p := &Provider{
		cfg:        cfg,
		issuer:     cfg.Issuer,
		prefix:     u.Path,
		cookie:     cookieName(cfg.Issuer),
		keys:       ring,
		people:     newPeople(cfg.Domain, cfg.Users),
		faults:     newFaults(),
		log:        newRecorder(cfg.Shape.PKCENames.Verifier, cfg.Shape.Profile.TokenName),
		clients:    map[string]Client{},
		pending:    newExpiring[authRequest](maxPending, 10*time.Minute, cfg.Now),
		pushed:     newExpiring[url.Values](maxPending, pushedTTL, cfg.Now),
		assertions: newExpiring[struct{}](maxTokens, 2*time.Hour, cfg.Now),
		codes:      newExpiring[*codeGrant](maxTokens, cfg.CodeTTL, cfg.Now),
		access:     newExpiring[*login](maxTokens, cfg.AccessTokenTTL, cfg.Now),
		refresh:    newExpiring[*login](maxTokens, 30*24*time.Hour, cfg.Now),
		sessions:   newExpiring[*session](maxTokens, cfg.SessionTTL, cfg.Now),
		closed:     make(chan struct{}),
	}
	for _, c := range cfg.Clients {
		p.clients[c.ID] = c
	}
	p.SetAuto(cfg.AutoLogin)
	for _, f := range cfg.Faults {
		if err := p.SetFault(f, 0); err != nil {
			return nil, err
		}
	}
	if p.discovery, err = json.Marshal(p.discoveryDocument()); err != nil {
		return nil, fmt.Errorf("encoding the discovery document: %w", err)
	}
	p.routes()
	return p, nil
}

// Issuer is the exact issuer identifier.
func (p *Provider) Issuer() string { return p.issuer }

// Close ends every request that hangs or is slow. Serving again is not possible.
func (p *Provider) Close() {
	p.closeOnce.Do(func() { close(p.closed) })
}

// SetAuto switches the no-page mode, see Config.AutoLogin; "" brings the page back.
func (p *Provider) SetAuto(user string) { p.auto.Store(&user) }

// SetUser adds or replaces a person. The profile must not be changed afterwards.
func (p *Provider) SetUser(name string, profile map[string]any) error {
	if problem := checkUsername(name); problem != "" {
		return fmt.Errorf("user %q: %s", name, problem)
	}
	p.people.set(name, profile)
	return nil
}

// RotateKeys makes a fresh signing key; see Rotation for what happens to the others.
func (p *Provider) RotateKeys(r Rotation) (kid string, err error) { return p.keys.rotate(r) }

// Requests is what came in since the start or the last ClearRequests.
func (p *Provider) Requests() Requests { return p.log.snapshot() }

// ClearRequests forgets what came in.
func (p *Provider) ClearRequests() { p.log.clear() }

func (p *Provider) routes() {
	p.mux = http.NewServeMux()
	for pattern, e := range map[string]struct {
		name  string
		serve http.HandlerFunc
	}{
		"GET /.well-known/openid-configuration": {"discovery", p.serveDiscovery},
		"GET /jwks":                             {"jwks", p.serveJWKS},
		"GET /authorize":                        {"authorize", p.serveAuthorize},
		"POST /authorize":                       {"authorize", p.serveAuthorize},
		"POST /par":                             {"pushed_authorization", p.servePushed},
		"POST /login":                           {"login", p.serveLogin},
		"POST /token":                           {"token", p.serveToken},
		"GET /userinfo":                         {"userinfo", p.serveUserinfo},
		"POST /userinfo":                        {"userinfo", p.serveUserinfo},
		"POST /introspect":                      {"introspect", p.serveIntrospect},
		"POST /revoke":                          {"revoke", p.serveRevoke},
		"GET /style.css":                        {"style", p.serveStyle},
		"GET /logout":                           {"logout", p.serveLogout},
		"POST /logout":                          {"logout", p.serveLogout},
	} {
		p.mux.HandleFunc(pattern, p.recorded(e.name, e.serve))
	}
	p.shapeRoutes(func(pattern, name string, serve http.HandlerFunc) { p.mux.HandleFunc(pattern, p.recorded(name, serve)) })
	p.controlRoutes()
}

// maxForm bounds request bodies; nothing legitimate comes near.
const maxForm = 64 << 10

// ServeHTTP serves the provider under its issuer's path, and /mock/ also at the root.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Referrer-Policy", "no-referrer")
	if r.Body != nil {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	}
	if p.prefix == "" || strings.HasPrefix(r.URL.Path, "/mock/") {
		p.mux.ServeHTTP(w, r)
		return
	}
	http.StripPrefix(p.prefix, p.mux).ServeHTTP(w, r)
}

// recorded parses the form once, keeps what came in and hands on.
func (p *Provider) recorded(endpoint string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			p.log.add(p.cfg.Now(), endpoint, r)
			http.Error(w, "The request cannot be read.", http.StatusBadRequest)
			return
		}
		p.log.add(p.cfg.Now(), endpoint, r)
		p.cfg.Logger.Debug("request", "endpoint", endpoint, "method", r.Method)
		next(w, r)
	}
}

// endpoint is the absolute URL of a path of this provider.
func (p *Provider) endpoint(path string) string { return p.issuer + path }

// writeJSON sends a document that must not be cached.
func writeJSON(w http.ResponseWriter, status int, doc any) {
	body, err := json.Marshal(doc)
	if err != nil {
		http.Error(w, "The answer cannot be encoded.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	writeBody(w, status, "application/json", body)
}

func writeBody(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	// The client may be gone; there is nobody left to tell.
	_, _ = w.Write(body)
}

// single is the only value of a parameter; a repeated one is no value (RFC 6749, section 3.1).
func single(v url.Values, name string) string {
	if vs := v[name]; len(vs) == 1 {
		return vs[0]
	}
	return ""
}

// repeated is the first parameter that occurs twice, except those that may.
func repeated(v url.Values, allowed ...string) string {
	var names []string
	for name, vs := range v {
		if len(vs) > 1 && !slices.Contains(allowed, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return slices.Min(names)
}
