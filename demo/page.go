package demo

import (
	_ "embed" // for the style sheet
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"strings"
	"time"
)

//go:embed style.css
var styleSheet string

func style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	fmt.Fprint(w, styleSheet)
}

// failure is what an error page says.
type failure struct {
	Status            int
	Title, Say        string
	Code, Description string // error and error_description, as they came
}

// view is what the token page shows.
type view struct {
	Name, Subject              string
	IDToken, AccessToken       string // decoded, or as they are
	Userinfo                   string
	RawIDToken, RawAccessToken string
	Expires                    time.Time
	HasRefreshToken            bool
	Renewals                   int
}

// view copies what is shown. The caller holds mu.
func (s *session) view() view {
	v := view{
		Name: s.subject, Subject: s.subject, RawIDToken: s.idToken, RawAccessToken: s.token.AccessToken,
		Userinfo: indent(s.userinfo), Expires: s.token.Expiry, HasRefreshToken: s.token.RefreshToken != "", Renewals: s.renewals,
	}
	var claims struct {
		Name  string `json:"name"`
		Email string `json:"email"`
	}
	if json.Unmarshal(s.userinfo, &claims) == nil { // names of another type are not shown
		if claims.Email != "" {
			v.Name = claims.Email
		}
		if claims.Name != "" {
			v.Name = claims.Name
		}
	}
	var ok bool
	if v.IDToken, ok = decode(s.idToken); !ok {
		v.IDToken = s.idToken
	}
	if v.AccessToken, ok = decode(s.token.AccessToken); !ok {
		v.AccessToken = s.token.AccessToken
	}
	return v
}

// draw writes a page. Every %s in body that is not markup of ours has been
// through html.EscapeString; there are no scripts, and values stand only between
// tags and in double-quoted attributes that are not addresses.
func draw(w http.ResponseWriter, status int, title, body string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>%s · Demo app</title>
<link rel="stylesheet" href="/style.css">
<link rel="icon" href="data:,">
</head>
<body>
<header><p><span aria-hidden="true">◆</span> Demo app</p></header>
<main>
%s</main>
<footer><p>An app that signs its users in with Gatehouse. It is here to look at and to try.</p></footer>
</body>
</html>
`, html.EscapeString(title), body)
}

func drawSignIn(w http.ResponseWriter, issuer string) {
	draw(w, http.StatusOK, "Sign in", fmt.Sprintf(`<section class="card narrow">
<h1>Who are you?</h1>
<p class="soft">This app keeps no passwords. You sign in at your company, by way of <code>%s</code>.</p>
<form method="post" action="/signin">
<label for="hint">Work e-mail address <span class="soft">(optional)</span></label>
<input id="hint" name="login_hint" type="text" inputmode="email" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="254">
<button class="main" id="signin" type="submit">Sign in</button>
</form>
</section>
`, html.EscapeString(issuer)))
}

func drawError(w http.ResponseWriter, f failure) {
	var b strings.Builder
	fmt.Fprintf(&b, "<section class=\"card narrow\">\n<h1>%s</h1>\n<p class=\"soft\">%s</p>\n", html.EscapeString(f.Title), html.EscapeString(f.Say))
	if f.Code != "" {
		fmt.Fprintf(&b, "<div class=\"fault\" role=\"alert\"><dl>\n<div><dt>error</dt><dd id=\"error\">%s</dd></div>\n", html.EscapeString(cut(f.Code, 100)))
		if f.Description != "" {
			fmt.Fprintf(&b, "<div><dt>error_description</dt><dd id=\"error_description\">%s</dd></div>\n", html.EscapeString(cut(f.Description, 1000)))
		}
		b.WriteString("</dl></div>\n")
	}
	b.WriteString("<p><a class=\"main\" id=\"restart\" href=\"/\">Back to the start</a></p>\n</section>\n")
	draw(w, f.Status, f.Title, b.String())
}

func drawTokens(w http.ResponseWriter, v view) {
	var b strings.Builder
	renewed := ""
	if v.Renewals > 0 {
		renewed = fmt.Sprintf(` · refreshed <span id="renewals">%d</span>×`, v.Renewals)
	}
	fmt.Fprintf(&b, `<div class="top">
<div><h1>Hello, <bdi id="name">%s</bdi></h1>
<p class="soft">Access token good until <time datetime="%s">%s</time>%s</p></div>
<div class="buttons">
`, html.EscapeString(cut(v.Name, 80)), v.Expires.UTC().Format(time.RFC3339), v.Expires.UTC().Format("15:04:05 UTC"), renewed)
	if v.HasRefreshToken {
		b.WriteString("<form method=\"post\" action=\"/refresh\"><button id=\"refresh\" type=\"submit\">Refresh</button></form>\n")
	}
	b.WriteString("<form method=\"post\" action=\"/signout\"><button id=\"signout\" type=\"submit\">Sign out</button></form>\n</div>\n</div>\n")
	for _, t := range []struct{ id, title, what, text, raw string }{
		{"id_token", "ID token", "Who signed in, and how. For this app only.", v.IDToken, v.RawIDToken},
		{"access_token", "Access token", "What this app shows to its API.", v.AccessToken, v.RawAccessToken},
		{"userinfo", "Userinfo", "What Gatehouse says about the person, asked with the access token.", v.Userinfo, ""},
	} {
		fmt.Fprintf(&b, `<section class="card" aria-labelledby="%[1]s_title">
<h2 id="%[1]s_title">%[2]s</h2>
<p class="soft">%[3]s</p>
<pre id="%[1]s" tabindex="0" aria-labelledby="%[1]s_title">%[4]s</pre>
`, t.id, t.title, t.what, html.EscapeString(t.text))
		if t.raw != t.text && t.raw != "" {
			fmt.Fprintf(&b, "<details><summary>As it came</summary><p><code id=\"%s_raw\">%s</code></p></details>\n", t.id, html.EscapeString(t.raw))
		}
		b.WriteString("</section>\n")
	}
	draw(w, http.StatusOK, "Signed in", b.String())
}

// cut keeps an answer from filling the page, and drops what is not printable.
func cut(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
	if runes := []rune(s); len(runes) > limit {
		return string(runes[:limit]) + "…"
	}
	return s
}
