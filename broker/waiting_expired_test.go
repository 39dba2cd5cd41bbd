package broker

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"gatehouse/store"
)

// Nobody decides in time: the waiting page is told and says so, the app gets
// access_denied with a handle that knows, and a new sign-in asks anew.
func TestG6_RequestExpiresWhileSomebodyWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.editOrganization("globex", func(o *store.Organization) { o.RequestDays = 1 })
	params, _ := w.ask("native")
	params.Set("login_hint", "bob@globex.test")
	waits := func() (*browser, answer) {
		t.Helper()
		b := w.browser()
		page := b.follow(b.get(w.url + pathAuthorize + "?" + params.Encode()))
		if page.Request.URL.Path != pathWaiting {
			t.Fatalf("ended at %s", page.Request.URL)
		}
		return b, page
	}
	waits()
	id := w.pending()[0].ID
	w.clock.add(20 * time.Hour) // the first browser is closed by now
	b, page := waits()
	if all := w.pending(); len(all) != 1 || all[0].ID != id {
		t.Fatalf("%+v", all)
	}
	w.clock.add(5 * time.Hour)

	if stream := b.get(w.url + pathEvents + "?" + page.Request.URL.RawQuery).body; !strings.Contains(stream, "event: decided\n") {
		t.Errorf("the waiting page is told %q", stream)
	}
	page = b.get(page.Request.URL.String())
	if page.StatusCode != http.StatusForbidden || !strings.Contains(page.body, "Nobody decided in time") {
		t.Fatalf("%d:\n%s", page.StatusCode, page.body)
	}
	link := regexp.MustCompile(`id="back" href="([^"]+)"`).FindStringSubmatch(page.body)
	if link == nil {
		t.Fatalf("no way back to the app:\n%s", page.body)
	}
	back, err := url.Parse(html.UnescapeString(link[1]))
	if err != nil || back.Query().Get("error") != "access_denied" {
		t.Fatalf("back to the app with %s (%v)", link[1], err)
	}
	if status, body := w.stateOf(back.Query().Get("access_request")); status != http.StatusOK || body["state"] != "expired" {
		t.Errorf("the app is told %d %v", status, body)
	}
	waits()
	if again := w.pending(); len(again) != 1 || again[0].ID == id {
		t.Errorf("asking once more: %+v", again)
	}
}
