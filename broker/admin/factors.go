package admin

import (
	"errors"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"

	"gatehouse/broker/local"
	"gatehouse/store"
	"gatehouse/templates"
)

// routeAccount is what people do with their own credentials: signing in beyond
// the password, confirming, and "Your account". Only a person at a browser gets
// here; the API has no such routes, so that a token that leaked never becomes
// an account.
func (h *Handler) routeAccount(t *table) {
	page(t, Anyone, "POST", "/signin/passkey", "sign-in-passkey", h.doSignInPasskey)
	page(t, Anyone, "GET", "/signin/factor", "sign-in-factor", h.showFactor)
	page(t, Anyone, "POST", "/signin/factor", "sign-in-factor-post", h.doFactor)
	page(t, Anyone, "GET", "/signin/enrol", "sign-in-enrol", h.showEnrol)
	page(t, Anyone, "POST", "/signin/enrol", "sign-in-enrol-post", h.doEnrol)
	page(t, Anyone, "GET", "/forgot", "forgot", h.showForgot)
	page(t, Anyone, "POST", "/forgot", "forgot-post", h.doForgot)

	page(t, SignedIn, "GET", "/confirm", "confirm", h.showConfirm)
	page(t, SignedIn, "POST", "/confirm", "confirm-post", h.doConfirm)
	page(t, SignedIn, "POST", "/recovery-kept", "recovery-kept", h.doRecoveryKept)

	page(t, SignedIn, "GET", "/account", "account", h.showAccount)
	page(t, SignedIn, "GET", "/account/password", "account-password", h.showPassword).local()
	page(t, SignedIn, "POST", "/account/password", "account-password-post", h.doPassword).does("change-own-password").local()
	page(t, SignedIn, "GET", "/account/totp", "account-totp", h.showOwnEnrol).local()
	page(t, SignedIn, "POST", "/account/totp", "account-totp-post", h.doOwnEnrol).dangerous().local()
	page(t, SignedIn, "POST", "/account/totp/remove", "account-totp-remove", h.doRemoveTOTP).dangerous().local()
	page(t, SignedIn, "GET", "/account/passkeys", "account-passkey", h.showOwnEnrol).local()
	page(t, SignedIn, "POST", "/account/passkeys", "account-passkey-post", h.doOwnEnrol).dangerous().local()
	page(t, SignedIn, "POST", "/account/passkeys/{passkey}/remove", "account-passkey-remove", h.doRemovePasskey).dangerous().local()
	page(t, SignedIn, "POST", "/account/recovery", "account-recovery", h.doRecovery).dangerous().local()
	page(t, SignedIn, "POST", "/account/language", "account-language", h.doLanguage)
	page(t, SignedIn, "POST", "/account/sessions/{session}/end", "account-session-end", h.doEndOwnSession)
	page(t, Approver, "GET", "/account/tokens", "account-token", h.showNewToken).in(anywhere).does("list-tokens")
	page(t, Approver, "POST", "/account/tokens", "account-token-post", h.doNewToken).in(anywhere).does("create-token").dangerous()
	page(t, SignedIn, "POST", "/account/tokens/{token}/delete", "account-token-delete", h.doDeleteToken).does("delete-token")
}

// ownAccount is everything "Your account" shows.
type ownAccount struct {
	login    string
	password bool
	has      local.Factors
	passkeys []store.Passkey
	sessions []store.Session
	tokens   []store.APIToken
	must     bool
}

func (h *Handler) readAccount(r *http.Request, p Principal) (a ownAccount, err error) {
	err = h.store.View(r.Context(), func(tx store.Tx) error {
		a = ownAccount{}
		if a.login, a.password, err = h.accounts.Login(tx, p.UserID); err != nil && !errors.Is(err, local.ErrNoAccount) {
			return err
		}
		if a.has, err = h.accounts.Factors(tx, p.UserID, h.rp); err != nil {
			return err
		}
		if a.passkeys, err = h.accounts.Passkeys(tx, p.UserID); err != nil {
			return err
		}
		if a.must, err = h.needsFactor(tx, p.UserID); err != nil {
			return err
		}
		for s, err := range h.store.Sessions.AllByIndex(tx, "user", p.UserID) {
			if err != nil {
				return err
			}
			if s.Valid(h.now()) {
				a.sessions = append(a.sessions, s)
			}
		}
		a.tokens, _, err = h.store.APITokens.ByIndex(tx, "user", p.UserID, store.Page{Limit: tokensPerUser})
		return err
	})
	return a, err
}

func (h *Handler) showAccount(w http.ResponseWriter, r *http.Request, p Principal) {
	h.drawAccount(w, r, http.StatusOK, p, "")
}

func (h *Handler) drawAccount(w http.ResponseWriter, r *http.Request, status int, p Principal, problem string) {
	a, err := h.readAccount(r, p)
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	page := templates.DetailPage{Frame: h.frame(r, p), Title: "Your account", Word: true, Groups: []templates.Group{
		{Title: "Sign-in", Items: []templates.Item{
			{Label: "E-mail address", Values: []templates.Cell{templates.CodeCell(a.login)}},
			{Label: "Password", Values: []templates.Cell{isSet(a.password, "set", "none")}},
			{Label: "Authenticator app", Values: []templates.Cell{isSet(a.has.TOTP, "set up", "none")}},
			{Label: "Recovery codes left", Values: []templates.Cell{templates.TextCell(strconv.Itoa(a.has.Recovery))}},
		}},
		{Title: "Passkeys"},
		{Title: "Sessions"},
		{Title: "API tokens"},
	}}
	page.Frame.Problem = problem
	if a.password {
		page.Links = append(page.Links, templates.Link{ID: "password", Title: "Change the password", URL: "/account/password"})
	}
	page.Links = append(page.Links, templates.Link{ID: "totp", Title: "Set up an authenticator app", URL: "/account/totp"})
	if h.rp != nil {
		page.Links = append(page.Links, templates.Link{ID: "passkey", Title: "Make a passkey", URL: "/account/passkeys"})
	}
	page.Links = append(page.Links, templates.Link{ID: "token", Title: "Make an API token", URL: "/account/tokens"})
	if !a.has.Any() {
		page.Warnings = append(page.Warnings, "Your password alone signs you in. Set up an authenticator app or make a passkey.")
	} else if a.has.Recovery == 0 {
		page.Warnings = append(page.Warnings, "You have no recovery codes left. Without them a lost device locks you out.")
	}
	h.addOwnThings(&page, a, p)
	page.Groups = slices.DeleteFunc(page.Groups, func(g templates.Group) bool { return len(g.Items) == 0 })
	languageChoices(&page, p)
	h.drawn(r, h.templates.Detail(w, status, page))
}

// addOwnThings lists passkeys, sessions and tokens with what can be done with them.
func (h *Handler) addOwnThings(page *templates.DetailPage, a ownAccount, p Principal) {
	for _, k := range a.passkeys {
		page.Groups[1].Items = append(page.Groups[1].Items, templates.Item{Label: k.Name, Values: []templates.Cell{templates.CodeCell(k.RPID), templates.TimeCell(k.LastUsedAt)}})
		page.Actions = append(page.Actions, templates.Action{
			ID: "remove-" + k.ID, Title: "Remove passkey " + k.Name, URL: "/account/passkeys/" + url.PathEscape(k.ID) + "/remove", Danger: true, Warning: "It does not sign you in any more.",
		})
	}
	for _, s := range a.sessions {
		where := "App sign-in"
		if s.Console {
			where = "Console"
		}
		item := templates.Item{Label: where, Values: []templates.Cell{templates.TimeCell(s.LastSeenAt)}}
		if s.KeyHash == p.credential.sessionHash {
			item.Values = append(item.Values, templates.BadgeCell("this one", templates.ToneGood))
		} else {
			page.Actions = append(page.Actions, templates.Action{ID: "end-" + s.SID, Title: "End session of " + stampOf(s), URL: "/account/sessions/" + s.SID + "/end"})
		}
		page.Groups[2].Items = append(page.Groups[2].Items, item)
	}
	for _, t := range a.tokens {
		id := t.Hash[:tokenIDLength]
		page.Groups[3].Items = append(page.Groups[3].Items, templates.Item{Label: t.Name, Values: []templates.Cell{templates.TimeCell(t.ExpiresAt)}})
		page.Actions = append(page.Actions, templates.Action{ID: "token-" + id, Title: "Revoke token " + t.Name, URL: "/account/tokens/" + id + "/delete", Danger: true, Warning: "What uses it stops working at once."})
	}
	if a.has.Any() {
		page.Actions = append(page.Actions, templates.Action{ID: "recovery", Title: "Make new recovery codes", URL: "/account/recovery", Warning: "The old ones stop working."})
	}
	if a.has.TOTP {
		page.Actions = append(page.Actions, templates.Action{ID: "remove-totp", Title: "Remove the authenticator app", URL: "/account/totp/remove", Danger: true, Warning: "Its codes do not count any more."})
	}
}

func stampOf(s store.Session) string { return s.CreatedAt.UTC().Format("2006-01-02 15:04 UTC") }

func isSet(is bool, yes, no string) templates.Cell {
	if is {
		return templates.BadgeCell(yes, templates.ToneGood)
	}
	return templates.WordCell(no)
}

// ownEnrolling is the page of the account page's ways to a new factor, by the
// last part of the path.
func (h *Handler) ownEnrolling(r *http.Request, p Principal) enrolling {
	return enrolling{
		userID: p.UserID, binding: p.credential.sessionHash, csrf: h.csrf.token(p.credential.sessionHash),
		action: r.URL.Path, back: "/account", passkeyOnly: path.Base(r.URL.Path) == "passkeys",
	}
}

func (h *Handler) showOwnEnrol(w http.ResponseWriter, r *http.Request, p Principal) {
	if err := h.fresh(p); err != nil { // before the work, not after it
		h.goConfirm(w, r)
		return
	}
	e := h.ownEnrolling(r, p)
	if e.passkeyOnly && h.rp == nil {
		h.pageError(w, r, p, store.ErrNotFound)
		return
	}
	h.drawEnrol(w, r, http.StatusOK, e)
}

// doOwnEnrol keeps a new factor. With the first one come recovery codes.
func (h *Handler) doOwnEnrol(w http.ResponseWriter, r *http.Request, p Principal) {
	e := h.ownEnrolling(r, p)
	keep, _, err := h.enrolPosted(r, e)
	codes, first := local.NewRecoveryCodes(), false
	var hash string
	if err == nil {
		hash, err = h.renewSession(w, r, p, "factor.add", func(tx store.Tx) error {
			has, err := h.accounts.Factors(tx, p.UserID, h.rp)
			if err != nil {
				return err
			}
			if err := keep(tx); err != nil {
				return err
			}
			if first = has.Recovery == 0; !first {
				return nil
			}
			return h.accounts.KeepRecoveryCodes(tx, p.UserID, codes)
		})
	}
	switch {
	case err == nil && first:
		h.drawRecovery(w, r, h.csrf.token(hash), "/account", codes)
	case err == nil:
		http.Redirect(w, r, "/account?done=saved-factor", http.StatusSeeOther)
	case errors.Is(err, local.ErrTooMany):
		h.drawAccount(w, r, http.StatusConflict, p, "There are twenty passkeys already. Remove one first.")
	default:
		wrong := "The code is not right. Check the clock of your phone."
		if e.passkeyOnly {
			wrong = "The browser's answer was not accepted. Try again."
		}
		again := func(status int, say string) {
			e.say, e.ticket = say, r.PostForm.Get("ticket")
			h.drawEnrol(w, r, status, e)
		}
		if !h.refusedProof(w, r, err, wrong, again) {
			h.pageError(w, r, p, err)
		}
	}
}

// errLastFactor: the role needs one.
var errLastFactor = problem(http.StatusConflict, "Your role needs a second factor. Set another one up before you remove this one.")

// removeFactor takes a factor away and looks that one is left where the role
// needs one.
func (h *Handler) removeFactor(w http.ResponseWriter, r *http.Request, p Principal, what string, remove func(store.Tx) error) {
	err := h.change(r.Context(), p, func(ch *store.Change) error {
		if err := remove(ch.Tx); err != nil {
			return err
		}
		has, err := h.accounts.Factors(ch.Tx, p.UserID, h.rp)
		if err != nil {
			return err
		}
		must, err := h.needsFactor(ch.Tx, p.UserID)
		if err != nil {
			return err
		}
		if must && !has.Any() {
			return errLastFactor
		}
		return ch.Record("factor.remove", "user/"+p.UserID, map[string]any{"factor": what})
	})
	h.backToAccount(w, r, p, err, "removed-factor")
}

// backToAccount answers a change of the account page.
func (h *Handler) backToAccount(w http.ResponseWriter, r *http.Request, p Principal, err error, done string) {
	if err == nil {
		http.Redirect(w, r, "/account?done="+done, http.StatusSeeOther)
		return
	}
	if m := h.problemFor(r.Context(), err); m.Status == http.StatusConflict {
		h.drawAccount(w, r, m.Status, p, m.Detail)
		return
	}
	h.pageError(w, r, p, err)
}

func (h *Handler) doRemoveTOTP(w http.ResponseWriter, r *http.Request, p Principal) {
	h.removeFactor(w, r, p, "totp", func(tx store.Tx) error { return h.accounts.RemoveTOTP(tx, p.UserID) })
}

func (h *Handler) doRemovePasskey(w http.ResponseWriter, r *http.Request, p Principal) {
	h.removeFactor(w, r, p, "passkey", func(tx store.Tx) error { return h.accounts.RemovePasskey(tx, p.UserID, r.PathValue("passkey")) })
}

func (h *Handler) doRecovery(w http.ResponseWriter, r *http.Request, p Principal) {
	codes := local.NewRecoveryCodes()
	err := h.change(r.Context(), p, func(ch *store.Change) error {
		if err := h.accounts.KeepRecoveryCodes(ch.Tx, p.UserID, codes); err != nil {
			return err
		}
		return ch.Record("factor.recovery_codes", "user/"+p.UserID, nil)
	})
	if err != nil {
		h.pageError(w, r, p, err)
		return
	}
	h.drawRecovery(w, r, h.csrf.token(p.credential.sessionHash), "/account", codes)
}
