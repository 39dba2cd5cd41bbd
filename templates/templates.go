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
	"slices"
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

// Templates draws pages in one language. It is made once and is safe for
// concurrent use; In and With give the same for another language or look.
type Templates struct {
	*site
	*catalogue
	brand Brand
}

// site is what all languages share.
type site struct {
	config   Config
	assets   assets
	buffers  sync.Pool
	inOthers map[string]*Templates // by language
}

// catalogue is one language: its words and the pages made of them. A page is
// parsed when it is first drawn: parsed templates take megabytes, and hardly
// anybody visits all pages in all languages.
type catalogue struct {
	language string
	words    words
	spoken   *spoken // see say; nil for English
	pages    map[string]*page
}

type page struct {
	once   sync.Once
	parsed *template.Template
	err    error
}

// New checks all templates in all languages. It fails only on a bad Config or a
// broken template.
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
	shared := &site{
		config: c, assets: files, inOthers: map[string]*Templates{},
		buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }},
	}
	for _, language := range Languages() {
		t := &Templates{site: shared, catalogue: &catalogue{language: language, words: wordsIn(language), spoken: spokenIn(language), pages: map[string]*page{}}}
		t.words["product"] = literal(c.Product)
		for layout, names := range pageFiles() {
			for _, name := range names {
				if err := t.check(layout, "parts", "request_parts", name); err != nil {
					return nil, fmt.Errorf("templates: page %s in %s: %w", name, language, err)
				}
				t.pages[name] = &page{}
			}
		}
		shared.inOthers[language] = t
	}
	return shared.inOthers[fallback], nil
}

// In gives the same pages in a language of Languages; in English when it is
// not one of them.
func (t *Templates) In(language string) *Templates {
	other := t.inOthers[language]
	if other == nil {
		other = t.inOthers[fallback]
	}
	if other.language == t.language {
		return t
	}
	return other.With(t.brand)
}

// With gives the same pages in the look of an organization.
func (t *Templates) With(b Brand) *Templates {
	if b == (Brand{}) && t.brand == b {
		return t
	}
	return &Templates{site: t.site, catalogue: t.catalogue, brand: b}
}

// pageFiles lists the pages by the layout they are set in.
func pageFiles() map[string][]string {
	return map[string][]string{
		"public": {
			"email_entry", "chooser", "no_route", "waiting", "refused", "error",
			"signed_out", "logout_confirm", "form_post", "consent", "sign_in", "setup", "test_start", "test_end", "app_missing", "invitation", "welcome", "account", "is_it_you",
			"local_sign_in", "factor", "enrol", "recovery", "forgot", "new_password", "prove", "local_note",
		},
		"console": {"overview", "requests", "request", "list", "detail", "traces", "trace", "form", "test_login", "routing"},
	}
}

// check finds what would keep a page from being drawn, short of escaping, at a
// fraction of the memory.
func (t *Templates) check(names ...string) error {
	for _, name := range names {
		if _, err := t.source(name); err != nil {
			return err
		}
	}
	return nil
}

// source is a file with words and asset addresses in their places.
func (t *Templates) source(name string) (string, error) {
	raw, err := htmlFiles.ReadFile("html/" + name + ".html")
	if err != nil {
		return "", err
	}
	worded, err := t.fill(string(raw))
	if err != nil {
		return "", fmt.Errorf("%s.html: %w", name, err)
	}
	return worded, nil
}

// page parses a page at its first visit.
func (t *Templates) page(name string) (*template.Template, error) {
	p := t.pages[name]
	if p == nil {
		return nil, fmt.Errorf("templates: there is no page %q", name)
	}
	p.once.Do(func() {
		for layout, names := range pageFiles() {
			if slices.Contains(names, name) {
				p.parsed, p.err = t.parse(layout, "parts", "request_parts", name)
			}
		}
	})
	return p.parsed, p.err
}

// parse reads the named files and has html/template work out the escaping.
func (t *Templates) parse(names ...string) (*template.Template, error) {
	page := template.New(names[0]).Option("missingkey=error").Funcs(template.FuncMap{
		"name": cleanName, "line": cleanLine, "text": cleanText, "draft": cleanDraft,
		"https": httpsOnly, "link": contactLink, "applink": appLink, "say": t.say, "fault": t.sayFault, "sentence": t.saySentence, "masked": t.sayMask,
		"explain": t.explainScope, "stamp": stampIn(t.language), "iso": iso,
	})
	for _, name := range names {
		worded, err := t.source(name)
		if err != nil {
			return nil, err
		}
		if _, err := page.Parse(worded); err != nil {
			return nil, err
		}
	}
	// An empty page need not render, but escaping must be decided without error.
	if err := page.Execute(io.Discard, sheet{}); err != nil && strings.Contains(err.Error(), "html/template") {
		return nil, err
	}
	return page, nil
}

// sheet is what a layout draws: the page's own struct, and the look.
type sheet struct {
	Page any
	Look look
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
	page, err := t.page(name)
	if err != nil {
		return err
	}
	if err := page.Execute(b, sheet{Page: data, Look: t.look()}); err != nil {
		return fmt.Errorf("draw page %s: %w", name, err)
	}
	h := w.Header()
	t.setHeaders(h, csp)
	h.Set("Content-Language", t.language)
	h.Set("Vary", "Accept-Language")
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
