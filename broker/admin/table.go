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
	Page   bool // a console page, not the API
	Name   string
}

// table registers routes. Both ways in, endpoint and page, take the access
// level as an argument: a route without one does not compile.
type table struct {
	h      *Handler
	mux    *http.ServeMux
	api    huma.API
	routes []Route
}

// operation is what an API route says about itself in OpenAPI.
type operation struct {
	Method, Path string // Path below /api/v1
	Name         string // operation id
	Summary      string
	Status       int // of success; 200 when zero
	Tag          string
}

// endpoint adds an API route. The guard runs before the body is read.
func endpoint[I, O any](t *table, level Level, op operation, fn func(context.Context, Principal, *I) (*O, error)) {
	path := "/api/v1" + op.Path
	t.add(Route{Method: op.Method, Path: path, Level: level, Name: op.Name})
	if op.Status == 0 {
		op.Status = http.StatusOK
	}
	huma.Register(t.api, huma.Operation{
		OperationID: op.Name, Method: op.Method, Path: path, Summary: op.Summary,
		Tags: []string{op.Tag}, DefaultStatus: op.Status, MaxBodyBytes: 256 << 10,
		Extensions:                   map[string]any{"x-access": level.String()},
		Security:                     security(level),
		RejectUnknownQueryParameters: true,
		Middlewares:                  huma.Middlewares{t.h.guardAPI(level)},
	}, func(ctx context.Context, in *I) (*O, error) {
		out, err := fn(ctx, principalFrom(ctx), in)
		if err != nil {
			return nil, t.h.problemFor(ctx, err)
		}
		return out, nil
	})
}

// page adds a console route.
func page(t *table, level Level, method, path, name string, fn func(http.ResponseWriter, *http.Request, Principal)) {
	t.add(Route{Method: method, Path: path, Level: level, Page: true, Name: name})
	t.mux.Handle(method+" "+path, t.h.guardPage(level, fn))
}

func (t *table) add(r Route) {
	if r.Level < Anyone || r.Level > Owner {
		panic("admin: route without an access level: " + r.Method + " " + r.Path)
	}
	t.routes = append(t.routes, r)
}

func security(l Level) []map[string][]string {
	if l == Anyone {
		return []map[string][]string{}
	}
	return []map[string][]string{{"token": {}}, {"session": {}}}
}

// guardAPI finds the caller, checks the level, and for browsers the form token.
func (h *Handler) guardAPI(level Level) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		p, err := h.authenticate(r)
		if err == nil {
			err = h.check(level, p)
		}
		if err == nil && p.Via == viaConsole && !safe(r.Method) && !h.csrf.valid(r.Header.Get("X-Csrf-Token"), p.credential.sessionHash) {
			err = problem(http.StatusForbidden, "Browsers send the X-CSRF-Token header with every change; whoami tells its value.")
		}
		if err != nil {
			h.writeProblem(w, r, h.problemFor(r.Context(), err))
			return
		}
		p.required = level
		if p.credential.sessionHash != "" {
			h.touch(r.Context(), p.credential.sessionHash)
		}
		next(huma.WithValue(ctx, principalKey, p))
	}
}

func (h *Handler) check(level Level, p Principal) error {
	switch {
	case level.Allows(p, Object{}):
		return nil
	case !p.SignedIn():
		return errUnauthorized
	}
	return errForbidden
}

// guardPage does the same for pages; a visitor is sent to the sign-in page.
func (h *Handler) guardPage(level Level, fn func(http.ResponseWriter, *http.Request, Principal)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := h.authenticate(r)
		if err == nil && p.credential.tokenHash != "" {
			p = Principal{} // pages are for browsers
		}
		if err == nil {
			err = h.check(level, p)
		}
		switch {
		case errors.Is(err, errUnauthorized) && r.Method == http.MethodGet:
			http.Redirect(w, r, "/signin?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
			return
		case err != nil:
			h.pageError(w, r, p, err)
			return
		}
		p.required = level
		if !safe(r.Method) {
			if status := h.checkForm(w, r, p); status != 0 {
				h.pageProblem(w, r, p, problem(status, formSentence(status)))
				return
			}
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
