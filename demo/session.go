package demo

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Cookie names. Ports of one host share cookies, so they are ours alone.
const (
	browserCookie = "gatehouse_demo_browser" // ties a login to the browser that began it
	sessionCookie = "gatehouse_demo_session"
)

// session is one signed-in person. mu guards the rest, and makes two refreshes
// at once take turns: the second would spend a refresh token that is spent.
type session struct {
	mu       sync.Mutex
	subject  string
	token    *oauth2.Token
	idToken  string // raw
	userinfo json.RawMessage
	renewals int
}

// session finds who is signed in.
func (a *App) session(r *http.Request) (*session, bool) {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return nil, false
	}
	return a.sessions.get(c.Value)
}

// browser returns this browser's mark, setting it if there is none.
func (a *App) browser(w http.ResponseWriter, r *http.Request) string {
	if c, err := r.Cookie(browserCookie); err == nil && len(c.Value) >= 20 && len(c.Value) <= 64 {
		return c.Value
	}
	mark := rand.Text()
	a.setCookie(w, browserCookie, mark)
	return mark
}

func (a *App) setCookie(w http.ResponseWriter, name, value string) {
	c := &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, Secure: a.secure, SameSite: http.SameSiteLaxMode}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// errSubject is an answer about somebody else than who signed in.
var errSubject = errors.New("the answer is about another person")

// accept checks a token response and takes it over. nonce is "" on a refresh,
// where the ID token may be missing and must not change the person. The caller
// holds mu.
func (s *session) accept(ctx context.Context, d *discovered, token *oauth2.Token, nonce string) error {
	raw, ok := token.Extra("id_token").(string)
	switch {
	case ok:
		id, err := d.provider.Verifier(&oidc.Config{ClientID: d.oauth2.ClientID}).Verify(ctx, raw)
		if err != nil {
			return fmt.Errorf("ID token: %w", err)
		}
		if nonce != "" && id.Nonce != nonce {
			return errors.New("ID token: wrong nonce")
		}
		if s.subject != "" && id.Subject != s.subject {
			return fmt.Errorf("ID token: %w", errSubject)
		}
		if id.AccessTokenHash != "" {
			if err := id.VerifyAccessToken(token.AccessToken); err != nil {
				return fmt.Errorf("ID token: %w", err)
			}
		}
		s.subject, s.idToken = id.Subject, raw
	case nonce != "":
		return errors.New("no ID token in the answer")
	}
	s.token = token
	info, err := d.provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return fmt.Errorf("userinfo: %w", err)
	}
	if info.Subject != s.subject {
		return fmt.Errorf("userinfo: %w", errSubject)
	}
	if err := info.Claims(&s.userinfo); err != nil {
		return fmt.Errorf("userinfo: %w", err)
	}
	return nil
}
