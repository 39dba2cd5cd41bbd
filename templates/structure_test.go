package templates

import (
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// parsePage parses the body as a browser would and returns all elements.
func parsePage(t testing.TB, w *httptest.ResponseRecorder) []*html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(w.Body.String()))
	if err != nil {
		t.Fatal(err)
	}
	var all []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			all = append(all, n)
		}
	}
	return all
}

func attr(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func byID(nodes []*html.Node, id string) *html.Node {
	for _, n := range nodes {
		if got, _ := attr(n, "id"); got == id {
			return n
		}
	}
	return nil
}

// TestPages holds every page to the rules all share.
func TestPages(t *testing.T) {
	t.Parallel()
	pages := newTemplates(t)
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			nodes := parsePage(t, drawn(t, pages, s))
			checkInert(t, nodes)
			checkAccessible(t, nodes)
			for _, n := range nodes {
				if n.Data != "form" {
					continue
				}
				if method, _ := attr(n, "method"); method != "post" {
					t.Errorf("form method is %q, want post", method)
				}
				if id, _ := attr(n, "id"); id == "form_post" {
					continue // goes to the app, which gets no token of ours
				}
				if !strings.Contains(render(n), `name="csrf" value="token-1"`) && s.name != "email_entry_bare" {
					t.Errorf("form does not carry the csrf token: %s", render(n))
				}
				if c := strings.Count(render(n), `name="csrf"`); c != 1 {
					t.Errorf("form has %d csrf fields, want 1: %s", c, render(n))
				}
			}
		})
	}
}

func render(n *html.Node) string {
	var b strings.Builder
	_ = html.Render(&b, n)
	return b.String()
}

// checkInert: nothing inline that a content policy would have to allow.
func checkInert(t *testing.T, nodes []*html.Node) {
	t.Helper()
	for _, n := range nodes {
		switch n.Data {
		case "style", "iframe", "object", "embed", "base":
			t.Errorf("<%s> on the page", n.Data)
		case "script":
			if src, _ := attr(n, "src"); !strings.HasPrefix(src, "/static/") || n.FirstChild != nil {
				t.Errorf("script is not one of our files: %s", render(n))
			}
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "srcdoc" {
				t.Errorf("inline %s=%q on <%s>", a.Key, a.Val, n.Data)
			}
		}
	}
}

// checkAccessible: one h1, a title, a language, labels, and no dangling ids.
func checkAccessible(t *testing.T, nodes []*html.Node) {
	t.Helper()
	count, ids, labels := map[string]int{}, map[string]bool{}, map[string]bool{}
	for _, n := range nodes {
		count[n.Data]++
		if id, ok := attr(n, "id"); ok {
			if ids[id] {
				t.Errorf("id %q twice", id)
			}
			ids[id] = true
		}
		if n.Data == "label" {
			f, _ := attr(n, "for")
			labels[f] = textOf(n) != ""
		}
	}
	for _, tag := range []string{"h1", "title", "main"} {
		if count[tag] != 1 {
			t.Errorf("%d <%s>, want exactly 1", count[tag], tag)
		}
	}
	for _, n := range nodes {
		switch n.Data {
		case "html":
			if lang, _ := attr(n, "lang"); lang != "en" {
				t.Errorf("html lang=%q", lang)
			}
		case "h1", "title", "button", "a":
			if textOf(n) == "" {
				t.Errorf("<%s> without words: %s", n.Data, render(n))
			}
		case "input", "textarea":
			if kind, _ := attr(n, "type"); kind == "hidden" {
				continue
			}
			if id, _ := attr(n, "id"); !labels[id] {
				t.Errorf("no label for %s", render(n))
			}
		case "img":
			if _, ok := attr(n, "alt"); !ok {
				t.Errorf("picture without alt: %s", render(n))
			}
		}
		for _, ref := range []string{"aria-describedby", "aria-labelledby", "for"} {
			refs, _ := attr(n, ref)
			for _, id := range strings.Fields(refs) {
				if !ids[id] {
					t.Errorf("%s=%q leads nowhere", ref, id)
				}
			}
		}
	}
}

// TestPages_StableIDs: what browser tests and the conformance suite press.
func TestPages_StableIDs(t *testing.T) {
	t.Parallel()
	want := map[string][]string{
		"email_entry":    {"email", "submit", "cancel", "policy", "terms"},
		"chooser":        {"connection-acme-staff", "connection-acme-labs", "restart", "cancel"},
		"no_route":       {"email", "submit", "cancel", "contact"},
		"waiting":        {"status", "cancel", "correlation"},
		"refused":        {"reason", "submit", "correlation"},
		"error":          {"back", "restart", "correlation"},
		"signed_out":     {"back"},
		"logout_confirm": {"submit", "cancel"},
		"form_post":      {"form_post", "submit"},
		"consent":        {"submit", "cancel"},
		"sign_in":        {"email", "password", "submit"},
		"local_sign_in":  {"email", "password", "submit", "forgot", "join", "restart", "passkey", "use-passkey", "cancel"},
		"factor":         {"code", "submit", "use-passkey", "cancel"},
		"factor_confirm": {"password", "submit", "back"},
		"enrol":          {"qr", "secret", "code", "submit", "use-passkey"},
		"recovery":       {"codes", "submit"},
		"forgot_sent":    {"sent"},
		"new_password":   {"password", "password_again", "submit"},
		"prove":          {"password", "submit"},
		"setup":          {"email", "password", "password_again", "submit"},
		"requests":       {"approve-req_1", "refuse-req_1", "reason-req_1", "approve-req_2", "next", "other", "signout"},
		"request":        {"approve-req_1", "refuse-req_1", "reason-req_1", "back", "problem"},
		"list":           {"first", "next"},
		"detail":         {"action-signout", "action-disable", "back"},
		"overview":       {"notice"},
		"traces":         {"words", "outcome", "connection", "user", "since", "until", "find", "next"},
		"routing":        {"form", "address", "client", "submit", "answer", "outcome", "findings"},
		"routing_wrong":  {"faults", "fault-address", "fault-client"},
		"routing_empty":  {"first-step"},
		"trace":          {"verdict", "hops", "steps", "back"},
	}
	pages := newTemplates(t)
	for _, s := range samples() {
		nodes := parsePage(t, drawn(t, pages, s))
		for _, id := range want[s.name] {
			if byID(nodes, id) == nil {
				t.Errorf("%s: no element with id %q", s.name, id)
			}
		}
		delete(want, s.name)
	}
	for name := range want {
		t.Errorf("no sample of page %s", name)
	}
}

func TestEmailEntry_Field(t *testing.T) {
	t.Parallel()
	pages := newTemplates(t)
	w := httptest.NewRecorder()
	p := EmailEntryPage{Action: "/login?tx=a&b=c", Email: "alice@acme.test", Error: "This is not an e-mail address."}
	if err := pages.EmailEntry(w, 422, p); err != nil {
		t.Fatal(err)
	}
	nodes := parsePage(t, w)
	for name, want := range map[string]string{
		"name": "email", "type": "email", "autocomplete": "username", "value": "alice@acme.test",
		"aria-invalid": "true", "aria-describedby": "error",
	} {
		if got, _ := attr(byID(nodes, "email"), name); got != want {
			t.Errorf("email field %s=%q, want %q", name, got, want)
		}
	}
	if got, _ := attr(byID(nodes, "email").Parent, "action"); got != p.Action {
		t.Errorf("form goes to %q, want %q", got, p.Action)
	}
	if got := textOf(byID(nodes, "error")); got != p.Error {
		t.Errorf("sentence is %q", got)
	}
	if w.Code != 422 || byID(nodes, "cancel") != nil {
		t.Errorf("status %d; a cancel button without an address", w.Code)
	}
}

func TestWaiting_GoesOnWithoutScript(t *testing.T) {
	t.Parallel()
	pages := newTemplates(t)
	w := httptest.NewRecorder()
	p := WaitingPage{Events: "/login/waiting/events?tx=a&x=1", Next: "/login/waiting?tx=a&x=1"}
	if err := pages.Waiting(w, 200, p); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(w.Body.String(), `<noscript><meta http-equiv="refresh" content="4"></noscript>`) {
		t.Error("no reload for browsers without JavaScript")
	}
	status := byID(parsePage(t, w), "status")
	if got, _ := attr(status, "data-events-url"); got != p.Events {
		t.Errorf("events at %q", got)
	}
	if got, _ := attr(status, "data-next-url"); got != p.Next {
		t.Errorf("next is %q", got)
	}
}
