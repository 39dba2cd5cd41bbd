package admin

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"gatehouse/broker/local"
	"gatehouse/store"
	"gatehouse/templates"
)

// signInPolicy is what the configuration says about the console's sign-in.
type signInPolicy struct {
	factorOptional bool
	idle, absolute time.Duration
}

func newSignInPolicy(cfg Config) signInPolicy {
	p := signInPolicy{factorOptional: cfg.SecondFactorOptional, idle: cfg.SessionIdle, absolute: cfg.SessionAbsolute}
	if p.idle <= 0 {
		p.idle = sessionIdle
	}
	if p.absolute <= 0 {
		p.absolute = sessionAbsolute
	}
	return p
}

func (h *Handler) showSignIn(w http.ResponseWriter, r *http.Request, p Principal) {
	next := localPath(r.URL.Query().Get("next"))
	if p.SignedIn() {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	h.drawSignIn(w, r, http.StatusOK, "", "", next)
}

func (h *Handler) drawSignIn(w http.ResponseWriter, r *http.Request, status int, email, fault, next string) {
	binding, csrf := h.anonymous(w, r)
	page := templates.SignInPage{
		Action: "/signin", CSRF: csrf, Email: clip(email), Error: fault, Fields: []templates.Field{{Name: "next", Value: next}}, Forgot: "/forgot",
	}
	if h.public != nil {
		page.Company = "/signin/company?" + url.Values{"next": {next}}.Encode()
	}
	passkey, err := h.askPasskey(r, "", binding, "/signin/passkey", csrf, page.Fields)
	if err != nil {
		h.pageError(w, r, Principal{}, err)
		return
	}
	page.Passkey = passkey
	h.drawn(r, h.in(r, Principal{}).SignIn(w, status, page))
}

// askPasskey begins a ceremony for a page: nil where there can be none.
func (h *Handler) askPasskey(r *http.Request, userID, binding, action, csrf string, fields []templates.Field) (*templates.Passkey, error) {
	if h.rp == nil {
		return nil, nil //nolint:nilnil // no form on the page
	}
	c, err := h.accounts.AskPasskey(r.Context(), h.rp, userID, binding)
	if err != nil {
		return nil, err
	}
	return &templates.Passkey{Action: action, CSRF: csrf, Options: c.Options, Ticket: c.Ticket, Fields: fields}, nil
}

// Sentences of a sign-in. All failures look the same to the person, except for
// the pause, which known and unknown logins get alike.
const (
	sayPaused  = "Too many tries. Wait half a minute and try again."
	sayWrong   = "The address or the password is not right."
	sayPasskey = "This passkey does not sign you in here."
	sayCode    = "The code is not right. Each code counts once: wait for the next one."
)

// refusedProof answers a proof that does not count by drawing the page again.
// It reports false for errors that are something else.
func (h *Handler) refusedProof(w http.ResponseWriter, r *http.Request, err error, wrong string, again func(status int, say string)) bool {
	paused := errors.Is(err, local.ErrPaused)
	if !paused && !errors.Is(err, local.ErrWrong) {
		return false
	}
	// Never what was typed: people type passwords into the wrong field.
	h.log.WarnContext(r.Context(), "console sign-in refused", "error", err, "from", remoteHost(r), "request_id", r.Header.Get("X-Request-Id"))
	switch {
	case paused:
		w.Header().Set("Retry-After", "30")
		again(http.StatusTooManyRequests, sayPaused)
	case principalFrom(r.Context()).SignedIn(): // who is signed in is not unauthorized
		again(http.StatusUnprocessableEntity, wrong)
	default:
		again(http.StatusUnauthorized, wrong)
	}
	return true
}

func (h *Handler) doSignIn(w http.ResponseWriter, r *http.Request, _ Principal) {
	email, next := r.PostForm.Get("email"), localPath(r.PostForm.Get("next"))
	proof, err := h.accounts.SignIn(r.Context(), local.Try{
		Login: email, Password: r.PostForm.Get("password"), From: remoteHost(r), Known: h.cookies.read(r, cookieKnown),
	})
	if err == nil {
		h.arrive(w, r, proof, next)
		return
	}
	if !h.refusedProof(w, r, err, sayWrong, func(status int, say string) { h.drawSignIn(w, r, status, email, say, next) }) {
		h.pageError(w, r, Principal{}, err)
	}
}

// doSignInPasskey signs whoever holds the passkey in: with its PIN or finger it
// is two factors at once.
func (h *Handler) doSignInPasskey(w http.ResponseWriter, r *http.Request, _ Principal) {
	next := localPath(r.PostForm.Get("next"))
	if h.rp == nil {
		h.pageError(w, r, Principal{}, store.ErrNotFound)
		return
	}
	binding, _ := h.anonymous(w, r)
	used, err := h.accounts.CheckPasskey(r.Context(), h.rp, binding, r.PostForm.Get("ticket"), r.PostForm.Get("answer"), remoteHost(r))
	if err == nil {
		err = h.startSession(w, r, next, begin{
			proof: local.Proof{UserID: used.UserID}, amr: used.AMR, factor: true,
			use: func(tx store.Tx) error { return h.accounts.UsePasskey(tx, used) },
		})
		if err == nil {
			return
		}
	}
	if !h.refusedProof(w, r, err, sayPasskey, func(status int, say string) { h.drawSignIn(w, r, status, "", say, next) }) {
		h.pageError(w, r, Principal{}, err)
	}
}

// arrive goes on from a password that was right: to the second factor, to
// setting one up where the role needs it, or in.
func (h *Handler) arrive(w http.ResponseWriter, r *http.Request, proof local.Proof, next string) {
	var has local.Factors
	var must bool
	err := h.store.View(r.Context(), func(tx store.Tx) (err error) {
		if has, err = h.accounts.Factors(tx, proof.UserID, h.rp); err != nil {
			return err
		}
		must, err = h.needsFactor(tx, proof.UserID)
		return err
	})
	switch {
	case err != nil:
		h.pageError(w, r, Principal{}, err)
	case has.Any():
		h.goHalf(w, r, proof, next, "/signin/factor")
	case must:
		h.goHalf(w, r, proof, next, "/signin/enrol")
	default:
		// Who has no factor has proven all there is: that counts as fresh.
		if err := h.startSession(w, r, next, begin{proof: proof, amr: []string{"pwd"}, factor: true}); err != nil {
			if !h.refusedProof(w, r, err, sayWrong, func(status int, say string) { h.drawSignIn(w, r, status, "", say, next) }) {
				h.pageError(w, r, Principal{}, err)
			}
		}
	}
}

// needsFactor reports whether a person's roles, of the platform or in any
// organization, demand a second factor.
func (h *Handler) needsFactor(tx store.Tx, userID string) (bool, error) {
	if h.policy.factorOptional {
		return false, nil
	}
	u, err := h.store.Users.Get(tx, userID)
	if err != nil {
		return false, err
	}
	companies, err := h.companiesOf(tx, userID)
	p := Principal{Role: u.PlatformRole, companies: companies}
	return p.highest() >= rankAdmin, err
}

// begin is what a session begins with.
type begin struct {
	proof  local.Proof
	amr    []string
	factor bool // everything the person has to prove is proven
	// use makes single-use proofs count, and what came with them, in the same Update.
	use func(store.Tx) error
}

// startSession begins a session and goes on to next.
func (h *Handler) startSession(w http.ResponseWriter, r *http.Request, next string, b begin) error {
	if _, err := h.beginSession(w, r, b); err != nil {
		return err
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

// beginSession signs a person in with a new session id; the one the browser
// brought along, if any, ends (L1). A sign-in is in the audit. Errors of
// package local mean that the proof does not count any more.
func (h *Handler) beginSession(w http.ResponseWriter, r *http.Request, b begin) (keyHash string, err error) {
	s, value := h.draftSession(b.proof.UserID)
	s.AMR = b.amr
	if b.factor {
		s.FactorAt = s.AuthTime
	}
	old := h.cookies.session(r)
	actor := store.Actor{UserID: b.proof.UserID, Via: viaConsole, From: remoteHost(r), RequestID: r.Header.Get("X-Request-Id")}
	err = h.store.Change(r.Context(), actor, func(ch *store.Change) error {
		if err := h.accounts.Arrived(ch.Tx, b.proof); err != nil {
			return err
		}
		if b.use != nil {
			if err := b.use(ch.Tx); err != nil {
				return err
			}
		}
		if old != "" {
			if s, err := h.store.Sessions.Get(ch.Tx, store.HashToken(old)); err == nil && s.Console {
				if err := h.store.Sessions.Delete(ch.Tx, s.KeyHash); err != nil {
					return err
				}
			}
		}
		if err := h.store.Sessions.Insert(ch.Tx, s); err != nil {
			return err
		}
		return ch.Record("session.start", "session/"+s.SID, map[string]any{"user": b.proof.UserID, "console": true, "amr": b.amr})
	})
	if err != nil {
		return "", err
	}
	h.cookies.set(w, cookieSession, value, 0)
	h.cookies.set(w, cookieForm, "", -1)
	h.cookies.set(w, cookieHalf, "", -1)
	h.cookies.set(w, cookieKnown, h.accounts.KnownBrowser(b.proof.UserID), int(local.KnownFor.Seconds()))
	return s.KeyHash, nil
}

func (h *Handler) doSignOut(w http.ResponseWriter, r *http.Request, p Principal) {
	err := h.store.Change(r.Context(), p.actor(), func(ch *store.Change) error {
		s, err := h.store.Sessions.Get(ch.Tx, p.credential.sessionHash)
		if err != nil {
			return err
		}
		if err := h.store.Sessions.Delete(ch.Tx, s.KeyHash); err != nil {
			return err
		}
		return ch.Record("session.end", "session/"+s.SID, map[string]any{"user": p.UserID, "console": true})
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		h.pageError(w, r, p, err)
		return
	}
	h.cookies.set(w, cookieSession, "", -1)
	http.Redirect(w, r, "/signin", http.StatusSeeOther)
}

// localPath keeps only a path of this host: never another site after sign-in.
func localPath(v string) string {
	if !strings.HasPrefix(v, "/") || strings.HasPrefix(v, "//") || strings.ContainsAny(v, "\\\r\n\t") || len(v) > 512 ||
		strings.HasPrefix(v, "/signin") || strings.HasPrefix(v, "/setup") || strings.HasPrefix(v, "/confirm") {
		return "/"
	}
	return v
}

func clip(s string) string {
	if len(s) > 254 {
		return ""
	}
	return s
}
