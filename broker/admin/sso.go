package admin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
)

const (
	cookieCompany = "gh_console_company" // a sign-in at the public listener is under way
	callbackPath  = "/signin/callback"
	// companyLoginFor is how long such a sign-in may take.
	companyLoginFor = 10 * time.Minute
	// authTimeSlack covers rounding to seconds between the two listeners.
	authTimeSlack = 2 * time.Second
)

// Sentences of a sign-in through the company that came to nothing.
const (
	sayCompanyStale   = "This sign-in took too long or was begun in another browser. Try again."
	sayCompanyRefused = "The sign-in at your company did not succeed. Try again, or use your console account."
	sayCompanyNoRole  = "You are signed in, but not an admin, owner or approver of your company. Ask one of its owners."
)

// errNoRole: a person signed in who has nothing to do here.
var errNoRole = errors.New("admin: no role in the organization")

// companyLogin is what the browser keeps, sealed, while its person signs in at
// the public listener. It is bound to the browser by being its cookie, and to
// the answer by State and Nonce.
type companyLogin struct {
	State    string    `json:"s"`
	Nonce    string    `json:"n"`
	Verifier string    `json:"v"`
	Next     string    `json:"x"`
	Again    bool      `json:"a,omitempty"` // proves a second time who is signed in
	At       time.Time `json:"t"`
}

// EnsureConsoleClient registers the console as an app of the public listener,
// or corrects its address. It appears in no list and nobody can change it: a
// person signs in to the console with their company as to any other app.
func (h *Handler) EnsureConsoleClient(ctx context.Context) error {
	want := store.Client{
		ID: store.ConsoleClient, Name: "Gatehouse console", Type: store.ClientSPA, AuthMethod: "none",
		RedirectURIs: []string{h.callbackURL()}, GrantTypes: []string{"authorization_code"}, Scopes: []string{"openid"},
	}
	current := func(tx store.Tx) (have store.Client, same bool, err error) {
		have, err = h.store.Clients.Get(tx, want.ID)
		if errors.Is(err, store.ErrNotFound) {
			return have, false, nil
		}
		return have, err == nil && !have.Disabled && slices.Equal(have.RedirectURIs, want.RedirectURIs), err
	}
	same := false
	if err := h.store.View(ctx, func(tx store.Tx) (err error) {
		_, same, err = current(tx)
		return err
	}); err != nil || same {
		return err
	}
	return h.store.Change(ctx, store.Actor{UserID: "system", Via: "system"}, func(ch *store.Change) error {
		have, _, err := current(ch.Tx)
		if err != nil {
			return err
		}
		if have.ID == "" {
			err = h.store.Clients.Insert(ch.Tx, want)
		} else {
			want.Meta = have.Meta
			err = h.store.Clients.Put(ch.Tx, want)
		}
		if err != nil {
			return err
		}
		return ch.Record("client.console", "client/"+want.ID, map[string]any{"redirect_uris": want.RedirectURIs})
	})
}

func (h *Handler) callbackURL() string {
	return strings.TrimSuffix(h.base.String(), "/") + callbackPath
}

// goCompany sends the browser to the public listener. again=1 asks for a fresh
// proof by somebody who is signed in.
func (h *Handler) goCompany(w http.ResponseWriter, r *http.Request, p Principal) {
	if h.public == nil {
		h.pageError(w, r, p, store.ErrNotFound)
		return
	}
	login := companyLogin{
		State: randomValue(), Nonce: randomValue(), Verifier: randomValue(), Next: localPath(r.URL.Query().Get("next")),
		Again: p.SignedIn() && r.URL.Query().Get("again") == "1", At: h.now().UTC(),
	}
	raw, err := json.Marshal(login)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	h.cookies.set(w, cookieCompany, base64.RawURLEncoding.EncodeToString(h.company.Seal(raw, []byte(cookieCompany))), int(companyLoginFor.Seconds()))
	challenge := sha256.Sum256([]byte(login.Verifier))
	q := url.Values{
		"client_id": {store.ConsoleClient}, "redirect_uri": {h.callbackURL()}, "response_type": {"code"}, "scope": {"openid"},
		"state": {login.State}, "nonce": {login.Nonce},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}
	if login.Again {
		q.Set("prompt", "login")
		q.Set("max_age", "0")
		if p.connection != "" {
			q.Set("connection", p.connection)
		}
	}
	http.Redirect(w, r, h.issuer+"/oauth2/authorize?"+q.Encode(), http.StatusSeeOther)
}

// companyCallback takes the answer of the public listener. Whatever is wrong
// with it, the browser gets the sign-in page again and no session.
func (h *Handler) companyCallback(w http.ResponseWriter, r *http.Request, p Principal) {
	login, ok := h.companyLogin(r)
	h.cookies.set(w, cookieCompany, "", -1)
	q := r.URL.Query()
	if !ok || len(q["state"]) != 1 || q.Get("state") != login.State || len(q["iss"]) != 1 || q.Get("iss") != h.issuer {
		h.drawSignIn(w, r, http.StatusBadRequest, "", sayCompanyStale, "/")
		return
	}
	if q.Has("error") || len(q["code"]) != 1 {
		h.drawSignIn(w, r, http.StatusForbidden, "", sayCompanyRefused, login.Next)
		return
	}
	claims, err := h.redeem(r, q.Get("code"), login)
	if err == nil {
		err = h.startCompanySession(w, r, claims, login)
	}
	switch {
	case errors.Is(err, errNoRole):
		h.drawSignIn(w, r, http.StatusForbidden, "", sayCompanyNoRole, login.Next)
	case err != nil:
		h.log.WarnContext(r.Context(), "console sign-in with the company failed", "error", err, "request_id", r.Header.Get("X-Request-Id"))
		h.drawSignIn(w, r, http.StatusForbidden, "", sayCompanyRefused, login.Next)
	default:
		http.Redirect(w, r, login.Next, http.StatusSeeOther)
	}
}

// companyLogin opens the cookie of a sign-in that is under way.
func (h *Handler) companyLogin(r *http.Request) (login companyLogin, ok bool) {
	box, err := base64.RawURLEncoding.DecodeString(h.cookies.read(r, cookieCompany))
	if err != nil {
		return companyLogin{}, false
	}
	raw, _, err := h.company.Open(box, []byte(cookieCompany))
	if err != nil || json.Unmarshal(raw, &login) != nil || login.State == "" {
		return companyLogin{}, false
	}
	return login, h.now().Sub(login.At) < companyLoginFor
}

// companyClaims is what the console reads of an ID token of ours.
type companyClaims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience string   `json:"aud"`
	Nonce    string   `json:"nonce"`
	Expires  int64    `json:"exp"`
	AuthTime int64    `json:"auth_time"`
	Session  string   `json:"sid"`
	AMR      []string `json:"amr"`
}

// redeem exchanges the code at the token endpoint in this process: no network,
// no secret. The token comes straight from its issuer, which stands for its
// signature (OpenID Connect Core §3.1.3.7 rule 6); everything else is checked.
func (h *Handler) redeem(r *http.Request, code string, login companyLogin) (companyClaims, error) {
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {h.callbackURL()},
		"client_id": {store.ConsoleClient}, "code_verifier": {login.Verifier},
	}
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, h.issuer+"/oauth2/token", bytes.NewBufferString(form.Encode()))
	if err != nil {
		return companyClaims{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.RemoteAddr, req.RequestURI = r.RemoteAddr, req.URL.RequestURI()
	rec := &recorder{header: http.Header{}, status: http.StatusOK}
	h.public.ServeHTTP(rec, req)
	if rec.status != http.StatusOK {
		return companyClaims{}, fmt.Errorf("admin: the token endpoint answered %d", rec.status)
	}
	var answer struct {
		IDToken string `json:"id_token"`
	}
	if err := json.Unmarshal(rec.body.Bytes(), &answer); err != nil {
		return companyClaims{}, fmt.Errorf("admin: the token endpoint's answer: %w", err)
	}
	return h.readClaims(answer.IDToken, login)
}

func (h *Handler) readClaims(token string, login companyLogin) (c companyClaims, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return companyClaims{}, errors.New("admin: no ID token")
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return companyClaims{}, fmt.Errorf("admin: ID token: %w", err)
	}
	if _, err := profile.ParseJSON(raw, profile.Limits{Bytes: 64 << 10, Depth: 8}); err != nil {
		return companyClaims{}, fmt.Errorf("admin: ID token: %w", err)
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return companyClaims{}, fmt.Errorf("admin: ID token: %w", err)
	}
	fresh := !login.Again || !time.Unix(c.AuthTime, 0).Before(login.At.Add(-authTimeSlack))
	if c.Issuer != h.issuer || c.Audience != store.ConsoleClient || c.Nonce != login.Nonce || c.Subject == "" || c.Session == "" ||
		!h.now().Before(time.Unix(c.Expires, 0)) || !fresh {
		return companyClaims{}, errors.New("admin: the ID token is not the one asked for")
	}
	return c, nil
}

// startCompanySession signs a person in who has proven themselves at their
// company, with a new session id (L1). The session hangs on the public one:
// signing out there, the gate's no and a lost role end it.
func (h *Handler) startCompanySession(w http.ResponseWriter, r *http.Request, c companyClaims, login companyLogin) error {
	s, value := h.draftSession(c.Subject)
	s.AMR, s.AuthTime, s.Parent = c.AMR, time.Unix(c.AuthTime, 0).UTC(), c.Session
	if login.Again {
		s.FactorAt = s.AuthTime
	}
	old := h.cookies.session(r)
	actor := store.Actor{UserID: c.Subject, Via: viaConsole, From: remoteHost(r), RequestID: r.Header.Get("X-Request-Id")}
	err := h.store.Change(r.Context(), actor, func(ch *store.Change) error {
		parent, err := h.store.Sessions.ByUnique(ch.Tx, "sid", c.Session)
		if err != nil {
			return err
		}
		s.ConnectionID, s.OrganizationID = parent.ConnectionID, parent.OrganizationID
		if old != "" {
			if was, err := h.store.Sessions.Get(ch.Tx, store.HashToken(old)); err == nil && was.Console {
				if err := h.store.Sessions.Delete(ch.Tx, was.KeyHash); err != nil {
					return err
				}
			}
		}
		if err := h.store.Sessions.Insert(ch.Tx, s); err != nil {
			return err
		}
		p, err := h.resolve(ch.Tx, credential{sessionHash: s.KeyHash})
		if err != nil {
			return err
		}
		if p.highest() == rankNone {
			return errNoRole
		}
		return ch.Record("session.start", "session/"+s.SID, map[string]any{
			"user": c.Subject, "console": true, "connection": s.ConnectionID, "organization": s.OrganizationID,
		})
	})
	if err != nil {
		return err
	}
	h.cookies.set(w, cookieSession, value, 0)
	h.cookies.set(w, cookieForm, "", -1)
	return nil
}

// throughCompany asks, at every request, whether a session that came through a
// company still holds: its person is still signed in there, and the gate would
// let them in. ErrNotFound when not.
func (h *Handler) throughCompany(tx store.Tx, s store.Session) error {
	parent, err := h.store.Sessions.ByUnique(tx, "sid", s.Parent)
	if err != nil {
		return err
	}
	if parent.Console || parent.UserID != s.UserID || parent.ConnectionID != s.ConnectionID || !parent.Valid(h.now()) {
		return store.ErrNotFound
	}
	if _, err := h.provisioner.Authorize(tx, s.UserID, store.ConsoleClient, s.ConnectionID); err != nil {
		return errors.Join(store.ErrNotFound, err)
	}
	return nil
}
