package broker

import (
	"net/http"
	"net/url"
	"strings"

	"gatehouse/templates"
)

// respond sends an authorization response to the app: code or error, in the
// response mode it asked for, always with `iss` (RFC 9207 §2). Only a request
// whose client and redirect URI are proven gets here.
func (b *Broker) respond(w http.ResponseWriter, r *http.Request, req *request, params url.Values) {
	if req.Own != "" {
		b.respondOwn(w, r, req, params)
		return
	}
	params = b.responseParams(req, params)
	if req.FormPost {
		page := templates.FormPostPage{App: app(req.Client), Action: req.RedirectURI}
		for _, name := range []string{"code", "error", "error_description", "access_request", "state", "iss"} {
			if v := params.Get(name); v != "" {
				page.Fields = append(page.Fields, templates.Field{Name: name, Value: v})
			}
		}
		b.drawn(r, b.in(r).FormPost(w, http.StatusOK, page))
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", responseURL(req.RedirectURI, params))
	w.WriteHeader(http.StatusSeeOther) // never 307: RFC 9700 §4.12
}

func (b *Broker) responseParams(req *request, params url.Values) url.Values {
	if req.State != "" {
		params.Set("state", req.State)
	}
	params.Set("iss", b.issuer)
	return params
}

// responseURL appends to the registered URI without touching a byte of it.
func responseURL(redirect string, params url.Values) string {
	sep := "?"
	if strings.Contains(redirect, "?") {
		sep = "&"
	}
	return redirect + sep + params.Encode()
}

// respondError sends an OAuth error to the app.
func (b *Broker) respondError(w http.ResponseWriter, r *http.Request, req *request, e *oauthError) {
	b.logRefusal(r, e)
	b.respond(w, r, req, errorParams(r, e))
}

func errorParams(r *http.Request, e *oauthError) url.Values {
	params := url.Values{"error": {e.Code}, "error_description": {e.Description + reference(r)}}
	if e.accessRequest != "" {
		params.Set("access_request", e.accessRequest)
	}
	return params
}

// refuse answers a failed authorization request: a page until client and
// redirect URI are proven, an error to the app from then on.
func (b *Broker) refuse(w http.ResponseWriter, r *http.Request, req *request, err error) {
	if page, ok := err.(*pageError); ok {
		b.refusePage(w, r, page)
		return
	}
	if req == nil {
		b.refusePage(w, r, &pageError{Kind: pageInternal, Status: http.StatusServiceUnavailable, cause: err})
		return
	}
	e := asOAuth(err)
	b.refused(r, req, e)
	b.respondError(w, r, req, e)
}
