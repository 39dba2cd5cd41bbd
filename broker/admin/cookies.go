package admin

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"

	"gatehouse/store"
)

// Cookie names on an https listener get the prefix __Host-.
const (
	cookieSession = "gh_console"
	cookieForm    = "gh_console_form"  // who an anonymous form was shown to
	cookieKnown   = "gh_console_known" // a browser that signed in before
	cookieHalf    = "gh_console_half"  // a password was right, the second factor is not there yet
)

// cookies knows the names and attributes of the console's cookies.
type cookies struct {
	secure bool
	prefix string
}

func newCookies(secure bool) cookies {
	if secure {
		return cookies{secure: true, prefix: "__Host-"}
	}
	return cookies{}
}

func (c cookies) read(r *http.Request, name string) string {
	found := r.CookiesNamed(c.prefix + name)
	if len(found) != 1 { // two of one name: one was planted
		return ""
	}
	if v := found[0].Value; len(v) <= 2048 {
		return v
	}
	return ""
}

func (c cookies) session(r *http.Request) string { return c.read(r, cookieSession) }

// set writes a cookie; maxAge 0 lasts until the browser closes, below 0 removes.
// Lax, not Strict: a link to a request in a chat must open for who is signed in;
// changes are guarded by the form token and the Origin check.
func (c cookies) set(w http.ResponseWriter, name, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: c.prefix + name, Value: value, Path: "/", MaxAge: maxAge,
		Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// randomValue is 256 random bits, base64url.
func randomValue() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// formTokens ties every form to the session (or, before sign-in, to the form
// cookie) it was shown to: an HMAC, nothing is stored.
type formTokens struct{ keys [][]byte }

func newFormTokens(k *store.Keyring) formTokens { return formTokens{k.Derive("admin/form")} }

func (f formTokens) token(binding string) string { return tokenMAC(f.keys[0], binding) }

func (f formTokens) valid(token, binding string) bool {
	if binding == "" || token == "" {
		return false
	}
	ok := false
	for _, k := range f.keys {
		ok = hmac.Equal([]byte(tokenMAC(k, binding)), []byte(token)) || ok
	}
	return ok
}

func tokenMAC(key []byte, binding string) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(binding))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}
