package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// page is what a browser shows.
type page struct {
	url    *url.URL
	status int
	header http.Header
	body   string
	root   *html.Node
	// callback is set, and the rest mostly not, when the browser went on to the app.
	callback *callback
}

// form is one HTML form, ready to be sent by one of its buttons.
type form struct {
	action *url.URL
	method string
	fields url.Values
}

func parsePage(t testing.TB, resp *http.Response, body string) *page {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatalf("%s is not HTML: %v", resp.Request.URL, err)
	}
	return &page{url: resp.Request.URL, status: resp.StatusCode, header: resp.Header, body: body, root: root}
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func hasAttr(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

// find gives the first element that fits, nil if there is none.
func find(n *html.Node, fits func(*html.Node) bool) *html.Node {
	if n == nil {
		return nil
	}
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && fits(d) {
			return d
		}
	}
	return nil
}

// byID gives the element with an id, nil if there is none.
func (p *page) byID(id string) *html.Node {
	return find(p.root, func(n *html.Node) bool { return attr(n, "id") == id })
}

// text of the element with an id, "" when there is none.
func (p *page) text(id string) string { return textOf(p.byID(id)) }

func textOf(n *html.Node) string {
	if n == nil {
		return ""
	}
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func (p *page) title() string {
	return textOf(find(p.root, func(n *html.Node) bool { return n.Data == "h1" }))
}

// form finds the form of a button and its fields, as they would be sent.
func (p *page) form(t testing.TB, button string) *form {
	t.Helper()
	b := p.byID(button)
	if b == nil {
		t.Fatalf("%s (%d, %q) has no button #%s:\n%s", p.url, p.status, p.title(), button, p.body)
	}
	node := b
	for node != nil && node.Data != "form" {
		node = node.Parent
	}
	if node == nil {
		t.Fatalf("#%s of %s is in no form", button, p.url)
	}
	f := p.read(t, node)
	if name := attr(b, "name"); name != "" {
		f.fields.Set(name, attr(b, "value"))
	}
	return f
}

func (p *page) read(t testing.TB, node *html.Node) *form {
	t.Helper()
	action, err := p.url.Parse(attr(node, "action"))
	if err != nil {
		t.Fatalf("%s: form action: %v", p.url, err)
	}
	f := &form{action: action, method: strings.ToUpper(attr(node, "method")), fields: url.Values{}}
	if f.method == "" {
		f.method = http.MethodGet
	}
	for n := range node.Descendants() {
		name := attr(n, "name")
		if n.Type != html.ElementNode || name == "" || hasAttr(n, "disabled") {
			continue
		}
		switch n.Data {
		case "input":
			kind := attr(n, "type")
			if kind == "submit" || kind == "button" || ((kind == "checkbox" || kind == "radio") && !hasAttr(n, "checked")) {
				continue
			}
			f.fields.Add(name, attr(n, "value"))
		case "textarea":
			f.fields.Add(name, textOf(n))
		}
	}
	return f
}

// autoSubmit is the form that the page's script sends at once: the form_post
// page of OAuth 2.0 Form Post Response Mode.
func (p *page) autoSubmit() *form {
	node := p.byID("form_post")
	if node == nil || node.Data != "form" {
		return nil
	}
	script := find(p.root, func(n *html.Node) bool { return n.Data == "script" && strings.Contains(attr(n, "src"), "form_post") })
	if script == nil {
		return nil
	}
	action, err := p.url.Parse(attr(node, "action"))
	if err != nil {
		return nil
	}
	f := &form{action: action, method: strings.ToUpper(attr(node, "method")), fields: url.Values{}}
	for n := range node.Descendants() {
		if n.Type == html.ElementNode && n.Data == "input" && attr(n, "name") != "" {
			f.fields.Add(attr(n, "name"), attr(n, "value"))
		}
	}
	return f
}
