package admin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
	"gatehouse/templates"
)

func (h *Handler) showSignIn(w http.ResponseWriter, r *http.Request, p Principal) {
	next := localPath(r.URL.Query().Get("next"))
	if p.SignedIn() {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	h.drawSignIn(w, r, http.StatusOK, "", "", next)
}

func (h *Handler) drawSignIn(w http.ResponseWriter, r *http.Request, status int, email, fault, next string) {
	h.drawn(r, h.templates.SignIn(w, status, templates.SignInPage{
		Action: "/signin", CSRF: h.anonymousToken(w, r), Email: clip(email), Error: fault,
		Fields: []templates.Field{{Name: "next", Value: next}},
	}))
}

// Outcomes of a sign-in. All but success look the same to the person, except
// for the pause, which known and unknown logins get alike.
var (
	errWrong  = errors.New("admin: wrong address or password")
	errPaused = errors.New("admin: too many tries")
)

func (h *Handler) doSignIn(w http.ResponseWriter, r *http.Request, _ Principal) {
	email, next := r.PostForm.Get("email"), localPath(r.PostForm.Get("next"))
	userID, err := h.signIn(r.Context(), signInTry{
		login: email, password: r.PostForm.Get("password"), from: remoteHost(r), known: h.cookies.read(r, cookieKnown),
	})
	if errors.Is(err, errPaused) || errors.Is(err, errWrong) { // never what was typed: people type passwords into the wrong field
		h.log.WarnContext(r.Context(), "console sign-in refused", "error", err, "from", remoteHost(r), "request_id", r.Header.Get("X-Request-Id"))
	}
	switch {
	case errors.Is(err, errPaused):
		w.Header().Set("Retry-After", "30")
		h.drawSignIn(w, r, http.StatusTooManyRequests, email, "Too many tries. Wait half a minute and try again.", next)
	case errors.Is(err, errWrong):
		h.drawSignIn(w, r, http.StatusUnauthorized, email, "The address or the password is not right.", next)
	case err != nil:
		h.pageError(w, r, Principal{}, err)
	default:
		h.startSession(w, r, userID, next)
	}
}

type signInTry struct {
	login, password, from string
	known                 string // cookie of a browser that signed in before
}

// signIn proves a password. Every try costs one argon2id hash and one write,
// whether or not the login exists (Y2).
func (h *Handler) signIn(ctx context.Context, try signInTry) (userID string, err error) {
	if !h.limits.network(try.from) {
		return "", errPaused
	}
	var pw store.Password
	var active bool
	email, err := profile.ParseEmail(strings.TrimSpace(try.login))
	if err != nil || len(try.password) > maxPassword {
		return "", errWrong // says nothing about who exists: no address of anyone
	}
	if err := h.store.View(ctx, func(tx store.Tx) (err error) {
		if pw, err = h.store.Passwords.ByUnique(tx, "login", email.Key()); err != nil {
			return err
		}
		u, err := h.store.Users.Get(tx, pw.UserID)
		active = u.Status == store.UserActive
		return err
	}); err != nil && !errors.Is(err, store.ErrNotFound) {
		return "", err
	}
	stored := attempts{pw.Failures, pw.LastFailure}
	// A browser this person signed in from before has a count of its own.
	lane := h.known.read(try.known, pw.UserID, h.now())
	if lane != "" {
		stored = attempts{}
	} else {
		lane = "login:" + store.HashToken(email.Key())
	}
	if !h.limits.try(lane, stored) {
		return "", errPaused
	}
	ok, err := h.passwords.verify(ctx, pw.Hash, try.password)
	if err != nil {
		return "", err
	}
	if !ok || !active {
		return "", errors.Join(errWrong, h.noteFailure(ctx, pw.UserID))
	}
	h.limits.succeeded(lane)
	return pw.UserID, nil
}

// noteFailure keeps the count in the account's record, or, for a login that
// does not exist, in one row of fixed size, so that both take as long.
func (h *Handler) noteFailure(ctx context.Context, userID string) error {
	return h.store.Update(ctx, func(tx store.Tx) error {
		if userID == "" {
			raw, err := json.Marshal(map[string]time.Time{"last_failure": h.now().UTC()})
			if err != nil {
				return err
			}
			return tx.Put("console_unknown", []byte("throttle"), raw)
		}
		pw, err := h.store.Passwords.Get(tx, userID)
		if err != nil {
			return err
		}
		pw.Failures, pw.LastFailure = pw.Failures+1, h.now().UTC()
		return h.store.Passwords.Put(tx, pw)
	})
}

// startSession signs a person in with a new session id; the one the browser
// brought along, if any, ends (L1). A sign-in is in the audit.
func (h *Handler) startSession(w http.ResponseWriter, r *http.Request, userID, next string) {
	s, value := h.draftSession(userID)
	old := h.cookies.session(r)
	actor := store.Actor{UserID: userID, Via: viaConsole, From: remoteHost(r), RequestID: r.Header.Get("X-Request-Id")}
	err := h.store.Change(r.Context(), actor, func(ch *store.Change) error {
		u, err := h.store.Users.Get(ch.Tx, userID)
		if err != nil {
			return err
		}
		if u.Status != store.UserActive {
			return errForbidden
		}
		if old != "" {
			if s, err := h.store.Sessions.Get(ch.Tx, store.HashToken(old)); err == nil && s.Console {
				if err := h.store.Sessions.Delete(ch.Tx, s.KeyHash); err != nil {
					return err
				}
			}
		}
		pw, err := h.store.Passwords.Get(ch.Tx, userID)
		if err != nil {
			return err
		}
		if pw.Failures > 0 {
			pw.Failures = 0
			if err := h.store.Passwords.Put(ch.Tx, pw); err != nil {
				return err
			}
		}
		if err := h.store.Sessions.Insert(ch.Tx, s); err != nil {
			return err
		}
		return ch.Record("session.start", "session/"+s.SID, map[string]any{"user": userID, "console": true})
	})
	if err != nil {
		h.pageError(w, r, Principal{}, err)
		return
	}
	h.cookies.set(w, cookieSession, value, 0)
	h.cookies.set(w, cookieForm, "", -1)
	h.cookies.set(w, cookieKnown, h.known.make(userID, h.now()), int(knownFor.Seconds()))
	http.Redirect(w, r, next, http.StatusSeeOther)
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
		strings.HasPrefix(v, "/signin") || strings.HasPrefix(v, "/setup") {
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
