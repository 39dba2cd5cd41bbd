package broker

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/ory/fosite"

	"gatehouse/provisioning"
	"gatehouse/store"
)

// issued is a code made and collected in the request's unit, but not committed.
type issued struct{ params url.Values }

// gate asks provisioning on a snapshot whether this user may use this client
// through this connection. The transaction that issues asks again.
func (b *Broker) gate(ctx context.Context, user, client, connection string) (s provisioning.Standing, err error) {
	err = b.store.View(ctx, func(tx store.Tx) error {
		s, err = b.provisioner.Authorize(tx, user, client, connection)
		return err
	})
	return s, err
}

// makeCode has fosite make an authorization code for a person signed in by the
// session; its writes are in the context's unit afterwards.
func (b *Broker) makeCode(ctx context.Context, req *request, by store.Session) (issued, error) {
	cl := &client{req.Client}
	now := b.now().UTC()
	offline := req.hasScope(scopeOffline) && slices.Contains(cl.GrantTypes, "refresh_token")
	grant := store.Grant{
		ID: store.NewID(), UserID: by.UserID, ClientID: cl.ID, ConnectionID: by.ConnectionID, OrganizationID: by.OrganizationID,
		SessionKey: by.KeyHash, SID: by.SID, Scopes: req.Scopes, Audience: req.Audience, Nonce: req.Params.Get("nonce"),
		AuthTime: by.AuthTime, RequestedAt: now, ACR: by.ACR, AMR: by.AMR,
		UserinfoClaims: req.UserinfoClaims, IDTokenClaims: req.IDTokenClaims,
		Offline: offline, CreatedAt: now, Trace: store.TraceOf(ctx).Words(),
	}
	accessLife := cl.GetEffectiveLifespan("", fosite.AccessToken, b.lifetimes.AccessToken)
	grant.ExpiresAt = now.Add(b.lifetimes.Code + accessLife)
	if offline {
		grant.Salt = store.NewID()
		grant.ExpiresAt = now.Add(cl.refreshAbsolute(b.lifetimes.RefreshAbsolute))
	}
	// Unless it is redeemed, a code leaves nothing behind for long.
	grant.KeepUntil = now.Add(b.lifetimes.Code + 10*time.Minute)

	ar := &fosite.AuthorizeRequest{
		ResponseTypes: fosite.Arguments{"code"}, HandledResponseTypes: fosite.Arguments{}, State: req.State,
		ResponseMode: fosite.ResponseModeQuery, DefaultResponseMode: fosite.ResponseModeQuery,
		Request: fosite.Request{
			ID: grant.ID, RequestedAt: now, Client: cl, Form: req.Params,
			RequestedScope: req.Scopes, GrantedScope: req.Scopes,
			RequestedAudience: req.Audience, GrantedAudience: req.Audience,
		},
	}
	var err error
	if ar.RedirectURI, err = url.Parse(req.RedirectURI); err != nil {
		return issued{}, errServer(err)
	}
	sess := &tokenSession{grant: grant, challenge: req.Params.Get("code_challenge")}
	resp, err := b.provider.NewAuthorizeResponse(ctx, ar, sess)
	if err != nil {
		return issued{}, err
	}
	return issued{url.Values{"code": {resp.GetCode()}}}, nil
}

// issueToSession answers from a live session: code and touched session in one
// update. lg is nil unless a login page (consent) came before.
func (b *Broker) issueToSession(w http.ResponseWriter, r *http.Request, req *request, lg *login, by store.Session, extra ...func(store.Tx) error) {
	b.resumed(r, req, lg, by)
	step := store.Step(r.Context(), store.StepIssue, store.ClientID(req.Client.ID), store.Int("scopes", len(req.Scopes)), store.Bool("session", true))
	ctx, u := withUnit(r.Context())
	made, err := b.makeCode(ctx, req, by)
	if err != nil {
		b.refuse(w, r, req, asOAuth(err))
		return
	}
	err = b.store.Update(ctx, func(tx store.Tx) error {
		// Ended in the meantime, by whatever: then it issues nothing (L4).
		live, err := b.store.Sessions.Get(tx, by.KeyHash)
		if errors.Is(err, store.ErrNotFound) || (err == nil && !live.Valid(b.now())) {
			return errCode("login_required", "The session has ended. Sign in again.")
		}
		if err != nil {
			return err
		}
		touched, err := b.touch(tx, &live)
		if err != nil {
			return err
		}
		if touched {
			if err := b.store.Sessions.Put(tx, live); err != nil {
				return err
			}
		}
		if lg != nil {
			if err := b.spendLogin(tx, lg); err != nil {
				return err
			}
		}
		for _, write := range extra {
			if err := write(tx); err != nil {
				return err
			}
		}
		return u.apply(tx)
	})
	var oerr *oauthError
	switch {
	case errors.Is(err, errLoginUsed):
		b.refusePage(w, r, &pageError{Kind: pageExpired, Status: http.StatusBadRequest, cause: err})
		return
	case errors.Is(err, provisioning.ErrNotAllowed):
		b.refuse(w, r, req, errAccessDenied("The person may not use this app.").because(err))
		return
	case errors.As(err, &oerr):
		b.refuse(w, r, req, oerr)
		return
	case err != nil:
		b.refuse(w, r, req, errUnavailable(err))
		return
	}
	step.Done(nil)
	store.TraceOf(r.Context()).Outcome(store.OutcomeSignedIn)
	b.metrics.login("session")
	if lg != nil {
		b.sessions.ClearLogin(w, lg.ID)
	}
	b.respond(w, r, req, made.params)
}
