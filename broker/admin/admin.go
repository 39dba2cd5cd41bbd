package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"gatehouse/broker/local"
	"gatehouse/federation"
	"gatehouse/federation/rehearsal"
	"gatehouse/notify"
	"gatehouse/provisioning"
	"gatehouse/provisioning/ownership"
	"gatehouse/store"
	"gatehouse/templates"
)

// Config of the admin listener. Store, Provisioner, Federation,
// Templates and BaseURL are required.
type Config struct {
	Store       *store.Store
	Provisioner *provisioning.Provisioner
	Federation  *federation.Federation
	Templates   *templates.Templates
	// BaseURL is where browsers and the command line reach this listener, e.g.
	// "https://admin.example". Requests for another host get 421.
	BaseURL string
	// Public is the handler of the public listener in this process, where people
	// sign in to the console with their company; nil: they cannot.
	Public http.Handler
	// Keys are our signing keys; nil: they are shown and not rotated.
	Keys SigningKeys
	// Settings are what the settings page shows of the configuration.
	Settings []Setting
	// PublicIssuer is the issuer of the public listener, shown in the console.
	PublicIssuer string
	// Notifier sends mails and webhooks; nil: nothing is sent.
	Notifier *notify.Notifier
	// Rehearsals are the test logins, shared with the public listener; nil: no
	// public listener runs beside, and there are none.
	Rehearsals *rehearsal.Book
	// Ownership proves domains; nil: one that asks the system's DNS.
	Ownership *ownership.Checker
	// Accounts keeps passwords and factors, shared with the public listener;
	// nil: one of its own.
	Accounts *local.Accounts
	// SecondFactorOptional lets owners and admins sign in with a password alone.
	SecondFactorOptional bool
	// A console session ends after SessionIdle without use (30 minutes when
	// zero), and after SessionAbsolute in any case (12 hours).
	SessionIdle, SessionAbsolute time.Duration

	Now     func() time.Time
	Logger  *slog.Logger
	Version string
}

// Handler is the admin listener.
type Handler struct {
	store       *store.Store
	provisioner *provisioning.Provisioner
	federation  *federation.Federation
	templates   *templates.Templates
	base        *url.URL
	issuer      string
	rehearsals  *rehearsal.Book
	notifier    *notify.Notifier
	version     string
	now         func() time.Time
	log         *slog.Logger

	ownership *ownership.Checker

	keys     SigningKeys
	fromFile []Setting
	public   http.Handler
	company  *store.Sealer // of the cookie of a sign-in with the company

	cursors  cursors
	cookies  cookies
	csrf     formTokens
	accounts *local.Accounts
	rp       *local.RelyingParty // nil: no passkeys at a network address
	halves   *store.Sealer       // of sign-ins that lack the second factor
	policy   signInPolicy

	routes  []Route
	openapi []byte
	serve   http.Handler // everything behind the host check
}

// New makes the admin listener's handler.
func New(cfg Config) (*Handler, error) {
	base, err := url.Parse(cfg.BaseURL)
	if err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http" {
		return nil, errors.New("admin: BaseURL is not an http or https URL")
	}
	if cfg.Store == nil || cfg.Provisioner == nil || cfg.Federation == nil || cfg.Templates == nil {
		return nil, errors.New("admin: Store, Provisioner, Federation and Templates are required")
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Notifier == nil {
		if cfg.Notifier, err = silent(cfg); err != nil {
			return nil, err
		}
	}
	h := &Handler{
		notifier: cfg.Notifier,
		store:    cfg.Store, provisioner: cfg.Provisioner, federation: cfg.Federation, templates: cfg.Templates,
		base: base, issuer: cfg.PublicIssuer, rehearsals: cfg.Rehearsals, version: cfg.Version, now: cfg.Now, log: cfg.Logger,
		cursors: newCursors(cfg.Store.Keyring()), cookies: newCookies(base.Scheme == "https"),
		csrf: newFormTokens(cfg.Store.Keyring()), accounts: cfg.Accounts, halves: cfg.Store.Keyring().Sealer("admin/half"),
		policy: newSignInPolicy(cfg),
	}
	if h.ownership = cfg.Ownership; h.ownership == nil {
		h.ownership = ownership.New(ownership.Config{Store: cfg.Store, Now: cfg.Now})
	}
	if h.accounts == nil {
		h.accounts = local.New(local.Config{Store: cfg.Store, Issuer: cfg.PublicIssuer, End: cfg.Provisioner.EndUser, Now: cfg.Now})
	}
	if h.rp, err = local.NewRelyingParty(cfg.BaseURL); err != nil {
		return nil, fmt.Errorf("admin: %w", err)
	}
	h.keys, h.fromFile = cfg.Keys, cfg.Settings
	h.public, h.company = cfg.Public, cfg.Store.Keyring().Sealer("admin/company")
	mux := http.NewServeMux()
	t := &table{h: h, mux: mux, api: newAPI(mux, strings.TrimSuffix(cfg.BaseURL, "/"), cfg.Version)}
	h.routeAPI(t)
	h.routePages(t)
	tidySchemas(t.api)
	if h.openapi, err = json.Marshal(t.api.OpenAPI()); err != nil {
		return nil, fmt.Errorf("admin: openapi: %w", err)
	}
	if h.routes, err = t.finish(); err != nil {
		return nil, err
	}
	mux.HandleFunc("/", t.notFound)

	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.refuse(w, r, problem(http.StatusForbidden, "This request came from another site."))
	}))
	h.serve = secure(cross.Handler(h.jsonOnly(mux)))
	return h, nil
}

// Routes is the route table, for docs and tests.
func (h *Handler) Routes() []Route { return slices.Clone(h.routes) }

// OpenAPI is the document served at /api/v1/openapi.json.
func (h *Handler) OpenAPI() []byte { return slices.Clone(h.openapi) }

// ServeHTTP answers the network. Another Host than ours gets 421: DNS
// rebinding, or a proxy that mixes listeners up.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.EqualFold(r.Host, h.base.Host) {
		secure(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h.writeProblem(w, r, problem(http.StatusMisdirectedRequest, "This is not the address of the admin listener."))
		})).ServeHTTP(w, r)
		return
	}
	h.serve.ServeHTTP(w, r)
}

// OperatorTransport serves API requests in this process as the operator, for
// the command line working on the data without the network. The right comes
// from a context value of an unexported type: no request can bring it along.
func (h *Handler) OperatorTransport() http.RoundTripper { return operatorTransport{h} }

// AsOperator is the handler behind OperatorTransport.
func (h *Handler) AsOperator() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.serve.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), operatorKey, true)))
	})
}

type operatorTransport struct{ h *Handler }

func (t operatorTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.Host, in.RemoteAddr, in.RequestURI = t.h.base.Host, "local", r.URL.RequestURI()
	if in.Body == nil {
		in.Body = http.NoBody
	}
	in.Header.Del("Authorization")
	in.Header.Del("Cookie")
	rec := &recorder{header: http.Header{}, status: http.StatusOK}
	t.h.AsOperator().ServeHTTP(rec, in)
	return &http.Response{
		Status: http.StatusText(rec.status), StatusCode: rec.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: rec.header, Body: io.NopCloser(&rec.body), ContentLength: int64(rec.body.Len()), Request: r,
	}, nil
}

// recorder keeps an answer made in this process.
type recorder struct {
	header http.Header
	status int
	wrote  bool
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if !r.wrote {
		r.status, r.wrote = status, true
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	r.wrote = true
	return r.body.Write(b)
}

// refuse answers with a problem for the API and a page for browsers.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, p *huma.ErrorModel) {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		h.writeProblem(w, r, p)
		return
	}
	h.pageProblem(w, r, Principal{}, p)
}

// secure sets what every answer carries (B2: no CORS header; B8: never framed).
// Referrer-Policy is same-origin because no-referrer makes browsers send
// "Origin: null" with our own forms.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		head.Set("Cross-Origin-Opener-Policy", "same-origin")
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
		head.Set("X-Frame-Options", "DENY")
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("Referrer-Policy", "same-origin")
		head.Set("Cache-Control", "no-store")
		next.ServeHTTP(referrerWriter{w}, r)
	})
}

// referrerWriter keeps our Referrer-Policy over the pages' stricter one.
type referrerWriter struct{ http.ResponseWriter }

func (w referrerWriter) WriteHeader(status int) {
	w.Header().Set("Referrer-Policy", "same-origin")
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap serves http.ResponseController.
func (w referrerWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// routeAPI is the table of the API, one resource per file.
func (h *Handler) routeAPI(t *table) {
	h.routeWhoami(t)
	h.routeOrganizations(t)
	h.routeDomains(t)
	h.routeConnections(t)
	h.routeSchemas(t)
	h.routeTestLogins(t)
	h.routeRouting(t)
	h.routeClients(t)
	h.routeUsers(t)
	h.routeMembers(t)
	h.routeRequestLinks(t)
	h.routeLocalAccounts(t)
	h.routeRequests(t)
	h.routeInvitations(t)
	h.routeSessions(t)
	h.routeGrants(t)
	h.routeAudit(t)
	h.routeConfiguration(t)
	h.routeTraces(t)
	h.routeTokens(t)
	h.routeOverview(t)
	h.routeKeys(t)
	h.routeSettings(t)
	h.routeWebhooks(t)
	h.routeMails(t)
}
