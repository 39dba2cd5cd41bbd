package broker

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"gatehouse/broker/session"
	"gatehouse/store"
	"gatehouse/templates"
)

// logoutRequest is an RP-initiated logout (OpenID Connect RP-Initiated Logout
// §2) after its parameters were checked.
type logoutRequest struct {
	client   store.Client
	hint     idTokenHint // zero without id_token_hint
	redirect string      // registered, and proven by the hint; else ""
	state    string
}

// logout ends the browser's session. With a hint that names it, at once; else
// it asks first, so that a mere link or image signs nobody out (O2).
func (b *Broker) logout(w http.ResponseWriter, r *http.Request) {
	if !allowMethods(w, r, http.MethodGet, http.MethodPost) {
		return
	}
	f, err := readForm(r)
	if err != nil || len(f.repeated) > 0 {
		b.refusePage(w, r, formFault(err))
		return
	}
	lr, page := b.parseLogout(r.Context(), f)
	if page != nil {
		b.refusePage(w, r, page)
		return
	}
	sess, err := b.sessions.Load(r)
	if err != nil && !errors.Is(err, session.ErrNone) {
		b.refusePage(w, r, &pageError{Kind: pageInternal, Status: http.StatusServiceUnavailable, cause: err})
		return
	}
	signedIn := err == nil
	confirmed := r.Method == http.MethodPost && hmac.Equal([]byte(f.Get("csrf")), []byte(b.logoutToken(sess)))
	hinted := lr.hint.Subject != "" && signedIn && lr.hint.Subject == sess.UserID && (lr.hint.SID == "" || lr.hint.SID == sess.SID)
	switch {
	case signedIn && f.Get("cancel") != "" && confirmed:
		b.seeOther(w, &login{Host: b.hostOf(r)}, pathSignedOut+"?stay=1")
		return
	case signedIn && !hinted && !confirmed:
		b.confirmLogout(w, r, lr, f, sess)
		return
	case signedIn:
		if err := b.endSession(r.Context(), sess); err != nil {
			b.refusePage(w, r, &pageError{Kind: pageInternal, Status: http.StatusServiceUnavailable, cause: err})
			return
		}
	}
	b.sessions.Clear(w)
	b.metrics.login("logout")
	if lr.redirect == "" {
		b.drawn(r, b.in(r).SignedOut(w, http.StatusOK, templates.SignedOutPage{App: app(lr.client)}))
		return
	}
	target := lr.redirect
	if lr.state != "" {
		target = responseURL(lr.redirect, url.Values{"state": {lr.state}})
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusSeeOther)
}

// parseLogout proves what the request claims. A hint that is not ours, or was
// altered, is an error page; an expired one is fine (O3). A redirect URI counts
// only together with a hint of a client that registered it (O1).
func (b *Broker) parseLogout(ctx context.Context, f form) (logoutRequest, *pageError) {
	lr := logoutRequest{state: f.Get("state")}
	id := f.Get("client_id")
	if raw := f.Get("id_token_hint"); raw != "" {
		hint, err := b.readIDTokenHint(raw)
		if err != nil || len(hint.Audience) != 1 || (id != "" && id != hint.Audience[0]) {
			return lr, &pageError{Kind: string(templates.ErrorIDTokenHint), Status: http.StatusBadRequest, cause: err}
		}
		lr.hint, id = hint, hint.Audience[0]
	}
	if id != "" {
		err := b.store.View(ctx, func(tx store.Tx) (err error) {
			lr.client, err = b.store.Clients.Get(tx, id)
			return err
		})
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return lr, &pageError{Kind: pageInternal, Status: http.StatusServiceUnavailable, cause: err}
		}
	}
	if uri := f.Get("post_logout_redirect_uri"); uri != "" {
		if lr.hint.Subject == "" || !slices.Contains(lr.client.PostLogoutRedirectURIs, uri) {
			return lr, &pageError{Kind: string(templates.ErrorPostLogoutRedirectURI), Status: http.StatusBadRequest}
		}
		lr.redirect = uri
	}
	return lr, nil
}

func (b *Broker) confirmLogout(w http.ResponseWriter, r *http.Request, lr logoutRequest, f form, sess store.Session) {
	page := templates.LogoutConfirmPage{
		App: app(lr.client), Action: b.homeOf(b.hostOf(r)) + pathLogout, Cancel: b.homeOf(b.hostOf(r)) + pathLogout, CSRF: b.logoutToken(sess),
	}
	for _, name := range []string{"id_token_hint", "post_logout_redirect_uri", "state", "client_id"} {
		if v := f.Get(name); v != "" {
			page.Fields = append(page.Fields, templates.Field{Name: name, Value: v})
		}
	}
	b.drawn(r, b.in(r).LogoutConfirm(w, http.StatusOK, page))
}

// logoutToken binds the confirmation form to the session it ends.
func (b *Broker) logoutToken(s store.Session) string {
	m := hmac.New(sha256.New, b.formKey)
	m.Write([]byte("logout\x00" + s.KeyHash))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// endSession ends a session and the grants it gave, in one update. What refresh
// login kept of the provider is revoked there afterwards.
func (b *Broker) endSession(ctx context.Context, s store.Session) error {
	return b.endUpstream(ctx, s.KeyHash, func(tx store.Tx) error {
		err := b.provisioner.EndSession(tx, s.KeyHash)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	})
}

// signedOut is where a person who chose to stay signed in, or who came without
// an app, ends up.
func (b *Broker) signedOut(w http.ResponseWriter, r *http.Request) {
	if _, err := b.sessions.Load(r); err == nil {
		b.refusePage(w, r, &pageError{Kind: string(templates.ErrorNotFound), Status: http.StatusNotFound})
		return
	}
	b.drawn(r, b.in(r).SignedOut(w, http.StatusOK, templates.SignedOutPage{}))
}
