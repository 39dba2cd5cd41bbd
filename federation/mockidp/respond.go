package mockidp

import (
	"net/http"
	"net/url"
	"strings"
)

func (p *Provider) respondError(w http.ResponseWriter, r *http.Request, req authRequest, bad problem) {
	p.respond(w, r, req, url.Values{"error": {bad.code}, "error_description": {bad.description}})
}

// respond sends the parameters to the redirect URI, by redirect or by form post
// (OAuth 2.0 Form Post Response Mode 1.0). The redirect URI is proven.
func (p *Provider) respond(w http.ResponseWriter, r *http.Request, req authRequest, params url.Values) {
	if req.state != "" {
		params.Set("state", req.state)
	}
	if !p.cfg.OmitIssParameter {
		params.Set("iss", p.issuer) // RFC 9207
	}
	for _, f := range p.faults.take(StageCallback, req.faults) {
		f.callback(p, params, f.value)
	}
	w.Header().Set("Cache-Control", "no-store")
	if req.responseMode == "form_post" {
		p.formPostPage(w, req.redirectURI, params)
		return
	}
	sep := "?"
	if strings.Contains(req.redirectURI, "?") {
		sep = "&"
	}
	w.Header().Set("Location", req.redirectURI+sep+params.Encode())
	w.WriteHeader(http.StatusSeeOther)
}
