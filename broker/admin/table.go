package admin

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Route is one line of the route table.
type Route struct {
	Method string
	Path   string // ServeMux pattern without the method
	Level  Level
	In     Scope
	Page   bool // a console page, not the API
	Name   string
	// Does are the API operations a page stands for; empty only for pages that
	// exceptions in the parity test explain.
	Does []string
	// Dangerous routes ask people at a browser for a fresh proof (see stepup.go).
	Dangerous bool
	// Local pages are about the console account. Who signed in with their company
	// is kept out: whoever runs its provider could make themselves a key to the
	// account's other roles there.
	Local bool

	tag               string
	namesOrganization bool
}

// in sets the scope of a page; without it a page is for the platform's people.
func (r *Route) in(s Scope) *Route {
	r.In = s
	return r
}

// does names the API operations that a page stands for.
func (r *Route) does(operations ...string) *Route {
	r.Does = operations
	return r
}

// markPages makes forms dangerous that stand for dangerous operations.
func (t *table) markPages() {
	risky := map[string]bool{}
	for _, r := range t.routes {
		risky[r.Name] = r.Dangerous && !r.Page
	}
	for _, r := range t.routes {
		if r.Page && !safe(r.Method) && slices.ContainsFunc(r.Does, func(op string) bool { return risky[op] }) {
			r.Dangerous = true
		}
	}
}

// dangerous makes a page ask for a fresh proof first. Forms whose operations are
// dangerous do so anyway.
func (r *Route) dangerous() *Route {
	r.Dangerous = true
	return r
}

// local keeps who signed in with their company out of a page.
func (r *Route) local() *Route {
	r.Local = true
	return r
}

// table registers routes. Both ways in, endpoint and page, take the access
// level as an argument: a route without one does not compile.
type table struct {
	h      *Handler
	mux    *http.ServeMux
	api    huma.API
	routes []*Route
}

// operation is what an API route says about itself in OpenAPI.
type operation struct {
	Method, Path string // Path below /api/v1
	In           Scope
	Name         string // operation id
	Summary      string
	Status       int // of success; 200 when zero
	Tag          string
	Dangerous    bool  // sessions need a fresh proof
	MaxBody      int64 // bytes; 256 KiB when zero
}

// inBody is what the input of a byBody route knows: the organization that its
// body names.
type inBody interface{ organization() string }

// endpoint adds an API route. The guard runs before the body is read.
func endpoint[I, O any](t *table, level Level, op operation, fn func(context.Context, Principal, *I) (*O, error)) {
	path := "/api/v1" + op.Path
	route := t.add(&Route{Method: op.Method, Path: path, Level: level, In: op.In, Name: op.Name, Dangerous: op.Dangerous, tag: op.Tag})
	_, route.namesOrganization = any((*I)(nil)).(inBody)
	if op.Status == 0 {
		op.Status = http.StatusOK
	}
	middlewares := huma.Middlewares{t.h.guardAPI(route)}
	var parameters []*huma.Param
	if op.Method == http.MethodPost {
		middlewares = append(middlewares, t.h.idempotent)
		parameters = append(parameters, idempotencyParameter())
	}
	if op.MaxBody == 0 {
		op.MaxBody = 256 << 10
	}
	huma.Register(t.api, huma.Operation{
		OperationID: op.Name, Method: op.Method, Path: path, Summary: op.Summary,
		Tags: []string{op.Tag}, DefaultStatus: op.Status, MaxBodyBytes: op.MaxBody,
		Extensions:                   map[string]any{"x-access": level.String(), "x-scope": op.In.String()},
		Security:                     security(level),
		RejectUnknownQueryParameters: true,
		Middlewares:                  middlewares,
		Parameters:                   parameters,
	}, func(ctx context.Context, in *I) (*O, error) {
		p := principalFrom(ctx)
		if named, ok := any(in).(inBody); ok && op.In == byBody {
			p = p.within(named.organization())
			if err := t.h.allowed(ctx, p); err != nil {
				return nil, t.h.problemFor(ctx, err)
			}
		}
		out, err := fn(ctx, p, in)
		if err != nil {
			return nil, t.h.problemFor(ctx, err)
		}
		return out, nil
	})
}

// page adds a console route. What it returns takes the scope and the operations
// the page stands for.
func page(t *table, level Level, method, path, name string, fn func(http.ResponseWriter, *http.Request, Principal)) *Route {
	route := t.add(&Route{Method: method, Path: path, Level: level, Page: true, Name: name})
	t.mux.Handle(method+" "+path, t.h.guardPage(route, fn))
	return route
}

func (t *table) add(r *Route) *Route {
	if r.Level < Anyone || r.Level > Owner {
		panic("admin: route without an access level: " + r.Method + " " + r.Path)
	}
	t.routes = append(t.routes, r)
	return r
}

// finish checks the table when every route is in it.
func (t *table) finish() ([]Route, error) {
	t.markPages()
	out := make([]Route, len(t.routes))
	for i, r := range t.routes {
		if err := r.checkScope(); err != nil {
			return nil, err
		}
		out[i] = *r
	}
	return out, nil
}

func security(l Level) []map[string][]string {
	if l == Anyone {
		return []map[string][]string{}
	}
	return []map[string][]string{{"token": {}}, {"session": {}}}
}

// guardAPI finds the caller, asks the gate, and for browsers the form token.
func (h *Handler) guardAPI(route *Route) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		p, err := h.authenticate(r, gateOf(route, r), false)
		if err == nil && p.Via == viaConsole && !safe(r.Method) && !h.csrf.valid(r.Header.Get("X-Csrf-Token"), p.credential.sessionHash) {
			err = problem(http.StatusForbidden, "Browsers send the X-CSRF-Token header with every change; whoami tells its value.")
		}
		if err == nil && route.Dangerous {
			err = h.fresh(p)
		}
		if err != nil {
			h.writeProblem(w, r, h.problemFor(r.Context(), err))
			return
		}
		if p.credential.sessionHash != "" {
			h.touch(r.Context(), p.credential.sessionHash)
		}
		next(huma.WithValue(ctx, principalKey, p))
	}
}

// guardPage does the same for pages; a visitor is sent to the sign-in page.
func (h *Handler) guardPage(route *Route, fn func(http.ResponseWriter, *http.Request, Principal)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := h.authenticate(r, gateOf(route, r), true)
		switch {
		case errors.Is(err, errUnauthorized) && r.Method == http.MethodGet:
			http.Redirect(w, r, "/signin?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
			return
		case err == nil && route.Local && p.connection != "":
			err = errCompany
		}
		if err != nil {
			h.pageError(w, r, p, err)
			return
		}
		if !safe(r.Method) {
			if status := h.checkForm(w, r, p); status != 0 {
				h.pageProblem(w, r, p, problem(status, formSentence(status)))
				return
			}
		}
		if route.Dangerous && h.fresh(p) != nil {
			h.goConfirm(w, r)
			return
		}
		if p.credential.sessionHash != "" {
			h.touch(r.Context(), p.credential.sessionHash)
		}
		fn(w, r.WithContext(context.WithValue(r.Context(), principalKey, p)), p)
	})
}

func safe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// notFound answers what no route matches: 405 with Allow when the path exists
// under another method, else 404.
func (t *table) notFound(w http.ResponseWriter, r *http.Request) {
	var allow []string
	for _, m := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		probe := r.Clone(r.Context())
		probe.Method = m
		if _, pattern := t.mux.Handler(probe); strings.HasPrefix(pattern, m+" ") {
			allow = append(allow, m)
		}
	}
	p := problem(http.StatusNotFound, "There is nothing at this address.")
	if len(allow) > 0 && !slices.Contains(allow, r.Method) {
		w.Header().Set("Allow", strings.Join(allow, ", "))
		p = problem(http.StatusMethodNotAllowed, "This address does not take that method.")
	}
	if strings.HasPrefix(r.URL.Path, "/api/") {
		t.h.writeProblem(w, r, p)
		return
	}
	t.h.pageProblem(w, r, Principal{}, p)
}
