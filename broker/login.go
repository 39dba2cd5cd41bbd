package broker

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"gatehouse/broker/session"
	"gatehouse/federation"
	"gatehouse/profile"
	"gatehouse/store"
	"gatehouse/templates"
)

// login is one login under way in one tab. It lives only in the sealed cookie
// of the browser that started it; the store hears of it when somebody has
// proven who they are.
type login struct {
	ID          string           `json:"-"`
	Correlation string           `json:"n"` // what the person can tell the admin
	CSRF        string           `json:"c"`
	Params      string           `json:"q"` // the app's request
	HintSubject string           `json:"h,omitempty"`
	Started     time.Time        `json:"t"`
	Host        string           `json:"o,omitempty"` // branded host it began at
	Email       string           `json:"e,omitempty"` // typed or hinted, for routing only
	Flow        *federation.Flow `json:"f,omitempty"` // under way at a provider
	Waiting     *waiting         `json:"w,omitempty"` // for an admin's decision
	Consent     string           `json:"s,omitempty"` // session (by hash) that is asked
	Local       *localLogin      `json:"l,omitempty"` // with an account that lives here
	Asking      *asking          `json:"a,omitempty"` // may ask for the app
	// Own is where the login leads when no app began it; Invitation is HashToken
	// of the mailed link that was opened in this browser.
	Own        string  `json:"p,omitempty"`
	Invitation string  `json:"i,omitempty"`
	Failed     *failed `json:"x,omitempty"` // to be told to the app by form
	// Link makes it one that adds a sign-in to an account; Suggested is what a
	// newcomer proved who may be somebody already.
	Link      *linking   `json:"k,omitempty"`
	Suggested *suggested `json:"g,omitempty"`
	// Rehearsal makes it a test login, by the test's id. No app waits at its
	// end, and no page but the callback takes it.
	Rehearsal string `json:"r,omitempty"`
}

// waiting is a person who proved who they are and waits to be let in.
type waiting struct {
	RequestID string    `json:"r"`
	AuthTime  time.Time `json:"t"`
	AMR       []string  `json:"m,omitempty"`
}

type failed struct {
	Code        string `json:"c"`
	Description string `json:"d"`
}

// startLogin opens a login for a proven request: straight to the provider when
// the request already says which, else to the e-mail page.
func (b *Broker) startLogin(w http.ResponseWriter, r *http.Request, req *request) {
	lg := b.newLogin(r, req)
	b.asked(r, lg, req)
	if !req.LoginHint.IsZero() || req.Connection != "" || req.Organization != "" {
		lg.Email = req.LoginHint.String()
		if b.route(w, r, lg, req) {
			return
		}
	}
	if err := b.saveLogin(w, r, lg); err != nil {
		b.refuseLogin(w, r, req, err)
		return
	}
	b.seeOther(w, lg, pathLogin+"?tx="+lg.ID)
}

func (b *Broker) newLogin(r *http.Request, req *request) *login {
	return &login{
		ID: b.sessions.NewLoginID(), Correlation: b.store.Traces.NewWords(r.Context()), CSRF: store.NewID(),
		Params: req.Params.Encode(), Own: req.Own, HintSubject: req.HintSubject, Started: b.now(), Host: b.hostOf(r),
	}
}

func (b *Broker) saveLogin(w http.ResponseWriter, r *http.Request, lg *login) error {
	return b.sessions.SaveLogin(w, r, lg.ID, lg.Started, lg)
}

// refuseLogin answers when a login cannot be kept: a request too big for a
// cookie is the app's fault and says so.
func (b *Broker) refuseLogin(w http.ResponseWriter, r *http.Request, req *request, err error) {
	if errors.Is(err, session.ErrTooBig) {
		b.refusePage(w, r, &pageError{Kind: pageTooLarge, Status: http.StatusRequestEntityTooLarge, cause: err})
		return
	}
	b.refuse(w, r, req, errServer(err))
}

// seeOther redirects within the login's own host.
func (b *Broker) seeOther(w http.ResponseWriter, lg *login, path string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", b.homeOf(lg.Host)+path)
	w.WriteHeader(http.StatusSeeOther)
}

// resume opens the login a page belongs to and proves the app's request again:
// a client disabled meanwhile gets no further. On failure it has answered.
func (b *Broker) resume(w http.ResponseWriter, r *http.Request, tx string) (*login, *request, bool) {
	lg := &login{}
	if err := b.sessions.LoadLogin(r, tx, lg); err != nil {
		b.refusePage(w, r, &pageError{Kind: pageExpired, Status: http.StatusBadRequest, cause: err})
		return nil, nil, false
	}
	if lg.Rehearsal != "" {
		b.refusePage(w, r, &pageError{Kind: pageExpired, Status: http.StatusBadRequest, cause: errRehearsal})
		return nil, nil, false
	}
	lg.ID = tx
	b.recording(r, lg, store.Client{})
	params, err := url.ParseQuery(lg.Params)
	if err != nil {
		b.refusePage(w, r, &pageError{Kind: pageExpired, Status: http.StatusBadRequest, cause: err})
		return nil, nil, false
	}
	if lg.Own != "" {
		return lg, &request{Own: lg.Own, Params: params, Organization: params.Get("organization"), Connection: params.Get("connection"), Prompt: strings.Fields(params.Get("prompt"))}, true
	}
	req, err := b.parseRequest(r.Context(), form{Values: params})
	if err != nil {
		b.refuse(w, r, req, err)
		return nil, nil, false
	}
	req.HintSubject = lg.HintSubject
	b.recording(r, lg, req.Client)
	store.Hide(r.Context(), req.State, req.Params.Get("nonce"))
	return lg, req, true
}

// posted opens the login of a page that was posted and proves that the form
// came from that page: same origin (checked in routes.go) and its own token.
// A cancel button is answered here. On failure it has answered.
func (b *Broker) posted(w http.ResponseWriter, r *http.Request) (*login, *request, form, bool) {
	f, err := readForm(r)
	if err != nil || len(f.repeated) > 0 {
		b.refusePage(w, r, formFault(err))
		return nil, nil, f, false
	}
	lg, req, ok := b.resume(w, r, f.Get("tx"))
	if !ok {
		return nil, nil, f, false
	}
	if subtle.ConstantTimeCompare([]byte(f.Get("csrf")), []byte(lg.CSRF)) != 1 {
		b.refusePage(w, r, &pageError{Kind: pageForm, Status: http.StatusForbidden})
		return nil, nil, f, false
	}
	if f.Get("cancel") != "" {
		b.sessions.ClearLogin(w, lg.ID)
		if lg.Waiting != nil {
			b.forgetWaiting(r.Context(), lg)
		}
		b.metrics.login("cancelled")
		b.failed(r, store.OutcomeCancelled, traceFault{store.TraceFault{Code: "cancelled"}})
		b.respondError(w, r, req, b.withHandle(errAccessDenied("The person cancelled."), lg, req))
		return nil, nil, f, false
	}
	return lg, req, f, true
}

// loginPage shows and takes the work e-mail address.
func (b *Broker) loginPage(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		b.loginPosted(w, r)
		return
	}
	lg, req, ok := b.resume(w, r, r.URL.Query().Get("tx"))
	if ok {
		b.drawn(r, b.in(r).EmailEntry(w, http.StatusOK, b.emailPage(lg, req, lg.Email, "")))
	}
}

func (b *Broker) emailPage(lg *login, req *request, email, problem string) templates.EmailEntryPage {
	here := b.homeOf(lg.Host) + pathLogin + "?tx=" + lg.ID
	return templates.EmailEntryPage{App: app(req.Client), Action: here, Cancel: here, CSRF: lg.CSRF, Email: email, Error: problem}
}

func (b *Broker) loginPosted(w http.ResponseWriter, r *http.Request) {
	lg, req, f, ok := b.posted(w, r)
	if !ok {
		return
	}
	email, err := profile.ParseEmail(f.Get("email"))
	if err != nil {
		typed := f.Get("email")
		if len(typed) > 254 {
			typed = ""
		}
		b.drawn(r, b.in(r).EmailEntry(w, http.StatusBadRequest, b.emailPage(lg, req, typed, err.Error())))
		return
	}
	lg.Email = email.String()
	if !b.route(w, r, lg, req) {
		b.drawn(r, b.in(r).NoRoute(w, http.StatusNotFound, b.noRoutePage(lg, req, email)))
	}
}

func (b *Broker) noRoutePage(lg *login, req *request, email profile.Email) templates.NoRoutePage {
	here := b.homeOf(lg.Host) + pathLogin + "?tx=" + lg.ID
	return templates.NoRoutePage{
		App: app(req.Client), Email: email.String(), Domain: email.Domain(), Action: here, Cancel: here, CSRF: lg.CSRF,
	}
}
