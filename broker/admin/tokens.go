package admin

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"

	"gatehouse/store"
)

// tokenPrefix makes a leaked token recognizable to secret scanners.
const tokenPrefix = "gh_"

// Lifetime of an API token, in days.
const (
	tokenDefaultDays = 90
	tokenMaxDays     = 366
	tokensPerUser    = 50
)

// tokenView is an API token without the token.
type tokenView struct {
	ID   string `json:"id" doc:"The first characters of the token's SHA-256"`
	Name string `json:"name"`
	User string `json:"user"`
	// Organization that its user's role is narrowed to.
	Organization string    `json:"organization,omitempty" doc:"Its user's role counts in this organization only"`
	Scopes       []string  `json:"scopes" doc:"What its user's role is narrowed to; empty: not at all"`
	CreatedAt    time.Time `json:"created_at"`
	ExpiresAt    time.Time `json:"expires_at"`
}

// tokenIDLength of a hash is enough to name a token and useless to use it.
const tokenIDLength = 24

func viewToken(t store.APIToken) tokenView {
	return tokenView{ID: t.Hash[:tokenIDLength], Name: t.Name, User: t.UserID, Scopes: listed(t.Scopes), Organization: t.OrganizationID, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt}
}

type createTokenInput struct {
	Body struct {
		Name   string   `json:"name" minLength:"1" maxLength:"100"`
		Days   int      `json:"days,omitempty" minimum:"1" maximum:"366" doc:"Until it expires; 90 when absent"`
		User   string   `json:"user,omitempty" maxLength:"64" doc:"Operator only: whose role the token has"`
		Scopes []string `json:"scopes,omitempty" maxItems:"50" doc:"Narrow it: connections:read, users:write (includes reading), *:read; absent: all that the role may"`
	}
}

type tokenOutput struct {
	Body struct {
		Token  tokenView `json:"token"`
		Secret string    `json:"secret" doc:"Shown this once; send it as Authorization: Bearer"`
	}
}

// TokenPath names an API token.
type TokenPath struct {
	ID string `path:"token" minLength:"24" maxLength:"24" pattern:"^[0-9a-f]+$"`
}

func (h *Handler) routeTokens(t *table) {
	endpoint(t, SignedIn, operation{Method: "GET", Path: "/tokens", Name: "list-tokens", Summary: "List your API tokens; owners see everyone's", Tag: "tokens"},
		func(ctx context.Context, p Principal, in *Paging) (*pageOutput[tokenView], error) {
			page, err := h.listTokens(ctx, p, *in)
			return &pageOutput[tokenView]{page}, err
		})
	endpoint(t, SignedIn, operation{Method: "POST", Path: "/tokens", Name: "create-token", Dangerous: true, Summary: "Make an API token with your role, shown once", Status: http.StatusCreated, Tag: "tokens"}, h.createToken)
	endpoint(t, SignedIn, operation{Method: "DELETE", Path: "/tokens/{token}", Name: "delete-token", Summary: "Revoke an API token", Status: http.StatusNoContent, Tag: "tokens"}, h.deleteToken)
}

// listTokens lists the caller's own; to platform owners everyone's.
func (h *Handler) listTokens(ctx context.Context, p Principal, in Paging) (Page[tokenView], error) {
	l := listing[store.APIToken]{name: "tokens/" + p.UserID + "/" + p.Role, all: h.store.APITokens.List, checked: true}
	if !Owner.Allows(p, Object{}) {
		l.all = func(tx store.Tx, pg store.Page) ([]store.APIToken, string, error) {
			return h.store.APITokens.ByIndex(tx, "user", p.UserID, pg)
		}
	}
	return listOf(ctx, h, in, l, plain(viewToken))
}

// createToken refuses callers that are tokens themselves: a stolen token must
// not be able to outlive its revocation.
func (h *Handler) createToken(ctx context.Context, p Principal, in *createTokenInput) (*tokenOutput, error) {
	owner := p.UserID
	switch {
	case p.credential.tokenHash != "":
		return nil, problem(http.StatusForbidden, "A token cannot make tokens. Sign in to the console, or use the command line on the server.")
	case p.UserID == Operator && in.Body.User == "":
		return nil, fault("user", "is required: whose role the token has")
	case p.UserID == Operator:
		owner = in.Body.User
	case in.Body.User != "" && in.Body.User != p.UserID, p.highest() == rankNone:
		return nil, errForbidden
	}
	var f faults
	f.text("name", in.Body.Name, 100, true)
	h.checkTokenScopes(&f, in.Body.Scopes)
	if err := f.join(); err != nil {
		return nil, err
	}
	if in.Body.Days == 0 {
		in.Body.Days = tokenDefaultDays
	}
	plain, now := NewAPIToken(), h.now().UTC()
	t := store.APIToken{
		Hash: store.HashToken(plain), Name: in.Body.Name, UserID: owner, Scopes: in.Body.Scopes, OrganizationID: p.only,
		CreatedAt: now, ExpiresAt: now.AddDate(0, 0, min(in.Body.Days, tokenMaxDays)),
	}
	out := &tokenOutput{}
	out.Body.Token, out.Body.Secret = viewToken(t), plain
	return out, h.change(ctx, p, func(ch *store.Change) error {
		u, err := h.store.Users.Get(ch.Tx, owner)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		companies, err := h.companiesOf(ch.Tx, owner)
		if err != nil {
			return err
		}
		if u.Status != store.UserActive || u.PlatformRole == "" && len(companies) == 0 {
			return fault("user", "must be an active owner, admin or approver")
		}
		have, _, err := h.store.APITokens.ByIndex(ch.Tx, "user", owner, store.Page{Limit: tokensPerUser})
		if err != nil {
			return err
		}
		if len(have) >= tokensPerUser {
			return problem(http.StatusConflict, "There are 50 tokens already. Delete some that are no longer needed.")
		}
		if err := h.store.APITokens.Insert(ch.Tx, t); err != nil {
			return err
		}
		return ch.Record("token.create", "token/"+viewToken(t).ID, difference(nil, viewToken(t)))
	})
}

func (h *Handler) deleteToken(ctx context.Context, p Principal, in *TokenPath) (*none, error) {
	return nil, h.change(ctx, p, func(ch *store.Change) error {
		t, err := h.tokenByID(ch.Tx, in.ID)
		if err != nil {
			return err
		}
		if t.UserID != p.UserID && !Owner.Allows(p, Object{}) {
			return store.ErrNotFound // not even that it exists
		}
		if err := h.store.APITokens.Delete(ch.Tx, t.Hash); err != nil {
			return err
		}
		return ch.Record("token.delete", "token/"+in.ID, difference(viewToken(t), nil))
	})
}

// tokenByID finds the token whose hash begins with id: keys are in order, so
// the first one after id is it or there is none.
func (h *Handler) tokenByID(tx store.Tx, id string) (store.APIToken, error) {
	found, _, err := h.store.APITokens.List(tx, store.Page{Cursor: base64.RawURLEncoding.EncodeToString([]byte(id)), Limit: 1})
	if err != nil {
		return store.APIToken{}, err
	}
	if len(found) == 0 || !strings.HasPrefix(found[0].Hash, id) {
		return store.APIToken{}, store.ErrNotFound
	}
	return found[0], nil
}
