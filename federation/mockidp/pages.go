package mockidp

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// Pages are filled by replacing {{NAME}} with escaped text in one pass. html/template
// is the templates package's alone; these three pages have no logic that needs it.
var (
	//go:embed pages/login.html
	loginHTML string
	//go:embed pages/message.html
	messageHTML string
	//go:embed pages/form_post.html
	formPostHTML string
	//go:embed pages/style.css
	styleCSS string
)

const formPostScript = "document.forms[0].submit()"

func (p *Provider) loginPage(w http.ResponseWriter, status int, tx string, client Client, name, problem string) {
	alert, described := "", ""
	if problem != "" {
		alert = `<p class="problem" id="problem" role="alert">` + html.EscapeString(problem) + `</p>`
		described = ` aria-invalid="true" aria-describedby="problem"`
	}
	p.page(w, status, loginHTML, "", map[string]string{
		"TITLE": p.cfg.Title, "CLIENT": client.ID, "ACTION": p.endpoint("/login"), "TX": tx, "NAME": name, "DOMAIN": p.cfg.Domain,
	}, map[string]string{"ALERT": alert, "DESCRIBED": described})
}

// errorPage answers a request that must not be redirected.
func (p *Provider) errorPage(w http.ResponseWriter, text string) {
	p.messagePage(w, http.StatusBadRequest, "This cannot be done", text)
}

func (p *Provider) messagePage(w http.ResponseWriter, status int, heading, text string) {
	p.page(w, status, messageHTML, "", map[string]string{"TITLE": p.cfg.Title, "HEADING": heading, "TEXT": text}, nil)
}

func (p *Provider) formPostPage(w http.ResponseWriter, redirectURI string, params url.Values) {
	var fields strings.Builder
	for _, name := range slices.Sorted(maps.Keys(params)) {
		for _, value := range params[name] {
			fmt.Fprintf(&fields, "<input type=\"hidden\" name=\"%s\" value=\"%s\">\n", html.EscapeString(name), html.EscapeString(value))
		}
	}
	sum := sha256.Sum256([]byte(formPostScript))
	script := "script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; "
	p.page(w, http.StatusOK, formPostHTML, script, map[string]string{"TITLE": p.cfg.Title, "ACTION": redirectURI},
		map[string]string{"FIELDS": fields.String(), "SCRIPT": formPostScript})
}

// page fills a page with escaped text and with markup that is already safe.
func (p *Provider) page(w http.ResponseWriter, status int, page, script string, text, markup map[string]string) {
	pairs := []string{"{{STYLE}}", html.EscapeString(p.endpoint("/style.css"))}
	for name, value := range text {
		pairs = append(pairs, "{{"+name+"}}", html.EscapeString(printable(value)))
	}
	for name, value := range markup {
		pairs = append(pairs, "{{"+name+"}}", value)
	}
	h := w.Header()
	// No form-action: browsers apply it to the redirects that follow the form too, and
	// those lead to the application and wherever that goes next.
	h.Set("Content-Security-Policy", "default-src 'none'; "+script+"style-src 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	writeBody(w, status, "text/html; charset=utf-8", []byte(strings.NewReplacer(pairs...).Replace(page)))
}

// printable takes out what could make a page show something else than it says.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

func (p *Provider) serveStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "public, max-age=300")
	writeBody(w, http.StatusOK, "text/css; charset=utf-8", []byte(styleCSS))
}
