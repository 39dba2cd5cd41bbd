package templates

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

//go:embed html/*.html
var htmlFiles embed.FS

// Config says what is the same on every page.
type Config struct {
	// Product is the name in the footer and in window titles; "Gatehouse" if empty.
	Product string
	// BasePath is put before "/static/" when the issuer has a path, as in
	// "/auth". Empty, or it begins with a slash and does not end with one.
	BasePath string
	// StrictTransport adds Strict-Transport-Security to every response. Set it
	// when the issuer is https, never for plain-HTTP development.
	StrictTransport bool
}

// Templates draws pages. It is made once and is safe for concurrent use.
type Templates struct {
	config  Config
	assets  assets
	words   words
	pages   map[string]*template.Template
	buffers sync.Pool
}

// New parses all templates. It fails only on a bad Config or a broken template.
func New(c Config) (*Templates, error) {
	if c.Product == "" {
		c.Product = "Gatehouse"
	}
	if c.BasePath != "" && (c.BasePath[0] != '/' || path.Clean(c.BasePath) != c.BasePath || c.BasePath == "/") {
		return nil, fmt.Errorf("templates: base path %q must begin with a slash and not end with one", c.BasePath)
	}
	files, err := loadAssets(c.BasePath)
	if err != nil {
		return nil, err
	}
	t := &Templates{
		config:  c,
		assets:  files,
		words:   english(),
		pages:   make(map[string]*template.Template),
		buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }},
	}
	t.words["product"] = literal(c.Product)
	for layout, names := range pageFiles() {
		for _, name := range names {
			if t.pages[name], err = t.parse(layout, "parts", "request_parts", name); err != nil {
				return nil, fmt.Errorf("templates: page %s: %w", name, err)
			}
		}
	}
	return t, nil
}

// pageFiles lists the pages by the layout they are set in.
func pageFiles() map[string][]string {
	return map[string][]string{
		"public": {
			"email_entry", "chooser", "no_route", "waiting", "refused", "error",
			"signed_out", "logout_confirm", "form_post", "consent", "sign_in", "setup", "test_start", "test_end",
		},
		"console": {"overview", "requests", "request", "list", "detail", "traces", "trace", "form", "test_login"},
	}
}

// parse reads the named files, puts words and asset addresses in their places,
// and has html/template work out the escaping now rather than at the first visit.
func (t *Templates) parse(names ...string) (*template.Template, error) {
	page := template.New(names[0]).Option("missingkey=error").Funcs(template.FuncMap{
		"name": cleanName, "line": cleanLine, "text": cleanText, "draft": cleanDraft,
		"https": httpsOnly, "applink": appLink,
		"explain": t.explainScope, "stamp": stamp, "iso": iso,
	})
	for _, name := range names {
		source, err := htmlFiles.ReadFile("html/" + name + ".html")
		if err != nil {
			return nil, err
		}
		worded, err := t.fill(string(source))
		if err != nil {
			return nil, fmt.Errorf("%s.html: %w", name, err)
		}
		if _, err := page.Parse(worded); err != nil {
			return nil, err
		}
	}
	// An empty page need not render, but escaping must be decided without error.
	if err := page.Execute(io.Discard, nil); err != nil && strings.Contains(err.Error(), "html/template") {
		return nil, err
	}
	return page, nil
}

var placeholder = regexp.MustCompile(`\[\[([^\]]+)\]\]`)

// fill replaces [[key]] by the words of that key and [[/file]] by the address
// of a static file. Doing this before parsing keeps both free at run time, and
// lets a sentence hold template actions where its language wants them.
func (t *Templates) fill(source string) (string, error) {
	var missing []string
	out := placeholder.ReplaceAllStringFunc(source, func(m string) string {
		key := m[2 : len(m)-2]
		if key[0] == '/' {
			if url, ok := t.assets.urls[key[1:]]; ok {
				return url
			}
		} else if s, ok := t.words[key]; ok {
			return s
		}
		missing = append(missing, key)
		return ""
	})
	if len(missing) > 0 {
		return "", fmt.Errorf("no words for %q", missing)
	}
	return out, nil
}

// literal makes text from the configuration fit to be put into a template.
func literal(s string) string {
	return strings.ReplaceAll(template.HTMLEscapeString(cleanName(s)), "{", "&#123;")
}

// render draws the page into a pooled buffer and then writes headers, status
// and body at once, so an error leaves w untouched for the caller's fallback.
func (t *Templates) render(w http.ResponseWriter, status int, name, csp string, data any) error {
	b := t.buffers.Get().(*bytes.Buffer)
	defer t.putBuffer(b)
	b.Reset()
	if err := t.pages[name].Execute(b, data); err != nil {
		return fmt.Errorf("draw page %s: %w", name, err)
	}
	h := w.Header()
	t.setHeaders(h, csp)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("send page %s: %w", name, err)
	}
	return nil
}

// putBuffer gives b back, unless one huge list would keep its memory for good.
func (t *Templates) putBuffer(b *bytes.Buffer) {
	if b.Cap() <= 256<<10 {
		t.buffers.Put(b)
	}
}
