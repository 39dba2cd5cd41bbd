package templates

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// The content policy of every page (V1, B8, W11). Nothing inline, nothing from
// elsewhere but pictures, never framed; form-action is added per page.
const pagePolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data: https:; " +
	"connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"

// The content policy of what is not a page: should a browser ever show it, it
// can load nothing.
const barePolicy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// SetHeaders puts the security headers of a response that is not a page (JSON,
// redirects, plain errors) on h. Call it before the handler runs; a handler
// whose answer may be cached overwrites Cache-Control.
func (t *Templates) SetHeaders(h http.Header) { t.setHeaders(h, barePolicy) }

func (t *Templates) setHeaders(h http.Header, csp string) {
	h.Set("Content-Security-Policy", csp)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")                     // for browsers without frame-ancestors
	h.Set("Referrer-Policy", "no-referrer")              // C9: no code or state in a Referer
	h.Set("Cross-Origin-Opener-Policy", "same-origin")   // L9: an opener keeps no handle on us
	h.Set("Cross-Origin-Resource-Policy", "same-origin") // nobody embeds our answers
	h.Set("Cache-Control", "no-store")
	if t.config.StrictTransport {
		h.Set("Strict-Transport-Security", "max-age=63072000")
	}
}

// policySelf is for pages whose forms end at our own host.
func policySelf() string { return pagePolicy + "; form-action 'self'" }

// policyTo is for pages whose POST may be answered by a redirect to somewhere
// else. Chromium applies form-action to every hop after the POST: a provider
// with a live session sends the browser on through hosts we cannot know and
// back to the app, all in the one navigation. So without targets the directive
// is left out, and with targets the caller vouches that they are all there are.
func policyTo(targets []string) string {
	if len(targets) == 0 {
		return pagePolicy
	}
	return pagePolicy + "; form-action 'self'" + formSources(targets)
}

// policyOnly is for a form that leaves at once: the targets and nothing else,
// not even ourselves (V5).
func policyOnly(targets []string) string { return pagePolicy + "; form-action" + formSources(targets) }

// formSources lists the targets as CSP sources, each with a space before it.
func formSources(targets []string) string {
	var sources []string
	for _, target := range targets {
		if s := formSource(target); s != "" && !slices.Contains(sources, " "+s) {
			sources = append(sources, " "+s)
		}
	}
	return strings.Join(sources, "")
}

// formSource reduces a URL to what CSP can name: the origin of an http(s) URL,
// the scheme of any other ("com.example.app:"). "" when it is neither, so that
// nothing a client registered can add a directive of its own.
func formSource(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" {
		return ""
	}
	switch u.Scheme {
	case "javascript", "data", "blob", "vbscript", "file", "filesystem", "about":
		return ""
	case "http", "https":
		if strings.HasPrefix(u.Host, "[") {
			return u.Scheme + ":" // CSP cannot name an IPv6 host
		}
		if u.Host == "" || strings.Trim(u.Host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:_") != "" {
			return ""
		}
		return u.Scheme + "://" + u.Host
	}
	return u.Scheme + ":" // url.Parse admits letters, digits, "+", "-", "." only
}
