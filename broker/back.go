package broker

import (
	"net/http"
	"net/url"
)

// back posts the error of a failed login to an app that asked for form_post:
// the error page can only link, so it links here.
func (b *Broker) back(w http.ResponseWriter, r *http.Request) {
	lg, req, ok := b.resume(w, r, r.URL.Query().Get("tx"))
	if !ok {
		return
	}
	if lg.Failed == nil {
		b.refusePage(w, r, &pageError{Kind: pageExpired, Status: http.StatusBadRequest})
		return
	}
	b.sessions.ClearLogin(w, lg.ID)
	b.respond(w, r, req, url.Values{"error": {lg.Failed.Code}, "error_description": {lg.Failed.Description}})
}
