package broker

import (
	"net/http"
	"net/url"

	"gatehouse/templates"
)

// respondOwn ends a login that no app began: at the page it was for, or on a
// page that says why not.
func (b *Broker) respondOwn(w http.ResponseWriter, r *http.Request, req *request, params url.Values) {
	switch params.Get("error") {
	case "":
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Location", b.homeOf(b.hostOf(r))+req.Own)
		w.WriteHeader(http.StatusSeeOther)
	case "access_denied":
		b.drawn(r, b.in(r).Error(w, http.StatusForbidden, templates.ErrorPage{Kind: templates.ErrorProviderDenied, Correlation: correlation(r)}))
	default:
		b.drawn(r, b.in(r).Error(w, http.StatusBadRequest, templates.ErrorPage{Kind: templates.ErrorInternal, Correlation: correlation(r)}))
	}
}
