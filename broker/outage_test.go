package broker

import (
	"net/http"
	"strings"
	"testing"
)

// A provider that is down is told as an outage, on a page with its reference,
// and harms nobody else's login (Q2, Q4, FT11).
func TestQ2_ProviderDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.acme.Stop()
	b := w.browser()
	a := b.follow(b.get(w.url + pathAuthorize + "?" + w.edited("native").Encode()))
	if a.StatusCode != http.StatusServiceUnavailable || !strings.Contains(a.body, "error=temporarily_unavailable") || !strings.Contains(a.body, `id="correlation"`) {
		t.Errorf("got %d:\n%s", a.StatusCode, a.body)
	}
	page := b.follow(b.get(w.url + pathAuthorize + "?" + w.edited("native", "login_hint", "alice@globex.test").Encode()))
	if page.Request.URL.Path != pathWaiting {
		t.Errorf("globex ended at %s", page.Request.URL)
	}
}
