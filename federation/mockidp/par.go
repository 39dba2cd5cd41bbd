package mockidp

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// requestURIPrefix is the form RFC 9126, section 2.2 suggests for references.
const requestURIPrefix = "urn:ietf:params:oauth:request_uri:"

// pushedTTL is how long a pushed request may wait for its browser.
const pushedTTL = time.Minute

// servePushed takes an authorization request from the client itself (RFC 9126,
// section 2). What the request says is judged when the browser brings it.
func (p *Provider) servePushed(w http.ResponseWriter, r *http.Request) {
	client, bad := p.authenticateClient(r)
	switch {
	case bad != nil:
		p.tokenError(w, r, *bad)
		return
	case r.PostForm.Has("request_uri"):
		p.tokenError(w, r, problem{"invalid_request", "request_uri cannot be pushed"})
		return
	case !client.redirectAllowed(single(r.PostForm, "redirect_uri")):
		p.tokenError(w, r, problem{"invalid_request", "the redirect_uri is not registered"})
		return
	}
	asked := maps.Clone(r.PostForm)
	for _, name := range []string{"client_secret", "client_assertion", "client_assertion_type"} {
		asked.Del(name)
	}
	asked.Set("client_id", client.ID)
	writeJSON(w, http.StatusCreated, map[string]any{
		"request_uri": requestURIPrefix + p.pushed.add(asked), "expires_in": int(pushedTTL / time.Second),
	})
}

// pulled are the parameters of an authorize request, pushed or not. A pushed one
// is good once, for the client that pushed it, and nothing beside it counts but
// the faults (RFC 9126, section 4). False: it is not there, or it had to be pushed.
func (p *Provider) pulled(v url.Values) (url.Values, bool) {
	reference, ours := strings.CutPrefix(single(v, "request_uri"), requestURIPrefix)
	if !ours {
		return v, !p.cfg.RequirePAR
	}
	asked, ok := p.pushed.take(reference)
	if !ok || asked.Get("client_id") != single(v, "client_id") {
		return v, false
	}
	if faults, present := v["fault"]; present {
		asked["fault"] = faults
	}
	return asked, true
}
