package demo

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Config says where the broker is and who the app is.
type Config struct {
	Issuer       string // of the broker; it need not be up yet
	ClientID     string
	ClientSecret string // "" for a public client
	// BaseURL is where browsers find the app, without a path. "/callback" below
	// it must be a registered redirect URI, "/" a registered post-logout one.
	BaseURL     string
	HTTPClient  *http.Client     // for calls to the broker; one with a 10 s limit if nil
	MaxSessions int              // kept at once, the oldest goes first; 1000 if zero
	Now         func() time.Time // time.Now if nil
}

// App is the demo app.
type App struct {
	config   Config
	secure   bool // BaseURL is https
	handler  http.Handler
	broker   broker
	logins   *bounded[login]    // begun and not back yet, by state
	sessions *bounded[*session] // by cookie
}

// Lifetimes of what the app remembers.
const (
	loginLifetime   = 15 * time.Minute
	sessionLifetime = 12 * time.Hour
)

// New makes the app. Nothing is fetched before somebody signs in.
func New(c Config) (*App, error) {
	base, err := url.Parse(c.BaseURL)
	if err != nil || (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" || strings.Trim(base.Path, "/") != "" || base.RawQuery != "" {
		return nil, fmt.Errorf("demo: base URL %q must be http(s)://host without a path", c.BaseURL)
	}
	if c.Issuer == "" || c.ClientID == "" {
		return nil, errors.New("demo: issuer and client id are needed")
	}
	c.BaseURL = base.Scheme + "://" + base.Host
	if c.HTTPClient == nil {
		c.HTTPClient = &http.Client{Timeout: 10 * time.Second}
	}
	if c.MaxSessions <= 0 {
		c.MaxSessions = 1000
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	a := &App{
		config:   c,
		secure:   base.Scheme == "https",
		broker:   broker{config: c},
		logins:   newBounded[login](c.MaxSessions, loginLifetime, c.Now),
		sessions: newBounded[*session](c.MaxSessions, sessionLifetime, c.Now),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.home)
	mux.HandleFunc("GET /style.css", style)
	mux.HandleFunc("POST /signin", a.signIn)
	mux.HandleFunc("GET /callback", a.callback)
	mux.HandleFunc("POST /refresh", a.refresh)
	mux.HandleFunc("POST /signout", a.signOut)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		drawError(w, failure{Status: http.StatusNotFound, Title: "There is nothing here", Say: "The address is wrong."})
	})
	a.handler = http.NewCrossOriginProtection().Handler(mux) // no other site can press our buttons
	return a, nil
}

// ServeHTTP answers the app's visitors.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	// No form-action: Chromium would apply it to every redirect of the login.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	a.handler.ServeHTTP(w, r)
}

// home shows the sign-in button, or the tokens of who is signed in.
func (a *App) home(w http.ResponseWriter, r *http.Request) {
	if s, ok := a.session(r); ok {
		s.mu.Lock()
		v := s.view()
		s.mu.Unlock()
		drawTokens(w, v)
		return
	}
	drawSignIn(w, a.config.Issuer)
}
