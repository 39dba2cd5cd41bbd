package broker

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"gatehouse/federation"
	"gatehouse/store"
	"gatehouse/templates"
)

// Kinds of pages a request can end on before anything is proven.
const (
	pageClient      = string(templates.ErrorUnknownClient)
	pageRedirectURI = string(templates.ErrorRedirectURI)
	pageRepeated    = string(templates.ErrorRequestInvalid)
	pagePKCE        = string(templates.ErrorRequestInvalid)
	pageInvalid     = string(templates.ErrorRequestInvalid)
	pageTooLarge    = string(templates.ErrorRequestTooLarge)
	pageExpired     = string(templates.ErrorLoginExpired)
	pageForm        = string(templates.ErrorFormExpired)
	pageNotFound    = string(templates.ErrorNotFound)
	pageInternal    = string(templates.ErrorInternal)
)

// formFault turns a fault of readForm into a page.
func formFault(err error) *pageError {
	switch {
	case errors.Is(err, errTooLarge):
		return &pageError{Kind: pageTooLarge, Status: http.StatusRequestEntityTooLarge, cause: err}
	case errors.Is(err, errMediaType):
		return &pageError{Kind: pageInvalid, Status: http.StatusUnsupportedMediaType, cause: err}
	}
	return &pageError{Kind: pageInvalid, Status: http.StatusBadRequest, cause: err}
}

// refusePage draws an error page on the requested URL.
func (b *Broker) refusePage(w http.ResponseWriter, r *http.Request, e *pageError) {
	attrs := []any{"page", e.Kind, "request_id", requestID(r), "path", r.URL.Path}
	level := slog.LevelInfo
	if e.cause != nil {
		attrs = append(attrs, "cause", store.Scrub(r.Context(), e.cause.Error()))
	}
	if e.Status >= 500 {
		level = slog.LevelError
	}
	if store.TraceOf(r.Context()).Words() != "" {
		b.failed(r, store.OutcomeFailed, e)
	}
	b.logger.Log(r.Context(), level, "page refused", logged(r.Context(), attrs)...)
	b.drawn(r, b.in(r).Error(w, e.Status, templates.ErrorPage{
		Kind: templates.ErrorKind(e.Kind), Correlation: correlation(r),
	}))
}

// drawn logs a page that could not be drawn or sent.
func (b *Broker) drawn(r *http.Request, err error) {
	if err != nil && r.Context().Err() == nil {
		b.logger.Error("page not drawn", "cause", err.Error(), "request_id", requestID(r), "path", r.URL.Path)
	}
}

// app is what pages say about a client.
func app(c store.Client) templates.App {
	return templates.App{Name: c.Name, LogoURL: c.LogoURI, PolicyURL: c.PolicyURI, TermsURL: c.TermsURI}
}

// failure is a login that went wrong after it was proven whose it is: what the
// person sees and what the app is told.
type failure struct {
	page   templates.ErrorKind
	status int
	app    *oauthError
}

// providerFailure sorts what went wrong at a provider. An outage is told as
// one, never as a refusal (SECURITY-CASES Q2).
func providerFailure(err error) failure {
	ferr, ok := federation.AsError(err)
	switch {
	case !ok:
		return failure{templates.ErrorInternal, http.StatusServiceUnavailable, errUnavailable(err)}
	case ferr.Code == federation.CodeConnectionChanged:
		return failure{templates.ErrorConnectionChanged, http.StatusConflict, errUnavailable(err)}
	case ferr.Temporary:
		return failure{
			templates.ErrorProviderUnavailable, http.StatusServiceUnavailable,
			(&oauthError{Code: "temporarily_unavailable", Description: "The identity provider cannot be reached right now.", Status: 503}).because(err),
		}
	case ferr.Blame == federation.BlameUser:
		return failure{templates.ErrorProviderDenied, http.StatusForbidden, errAccessDenied("Sign-in was cancelled or refused at the identity provider.").because(err)}
	case ferr.Blame == federation.BlameApp:
		return failure{templates.ErrorRequestInvalid, http.StatusBadRequest, errInvalidRequest("The identity provider does not accept the request.").because(err)}
	}
	return failure{templates.ErrorProviderFailed, http.StatusBadGateway, errAccessDenied("The identity provider's answer was not accepted.").because(err)}
}

// turnedAway: the person is proven, and may not come in.
func (f failure) turnedAway() bool {
	switch f.page {
	case templates.ErrorNotAdmitted, templates.ErrorWrongCompany, templates.ErrorAppMissing, templates.ErrorInvitationOther, templates.ErrorRequestExpired:
		return true
	}
	return false
}

// fail ends a login on a page with its correlation id, and a way back to the
// app that carries the OAuth error. Nothing was written.
func (b *Broker) fail(w http.ResponseWriter, r *http.Request, lg *login, req *request, f failure) {
	b.metrics.login("failed")
	outcome := store.OutcomeFailed
	if f.turnedAway() {
		outcome = store.OutcomeRefused
	}
	b.failed(r, outcome, f.app)
	attrs := []any{"login", lg.Correlation, "request_id", requestID(r), "client", req.Client.ID, "page", string(f.page), "error", f.app.Code}
	if f.app.cause != nil {
		attrs = append(attrs, "cause", store.Scrub(r.Context(), f.app.cause.Error()))
	}
	if lg.Flow != nil {
		attrs = append(attrs, "connection", lg.Flow.ConnectionID)
		b.knowsConnection(r, lg.Flow.ConnectionID)
	}
	b.logger.WarnContext(context.WithoutCancel(r.Context()), "login failed", attrs...)
	back := ""
	if req.Own == "" {
		back = responseURL(req.RedirectURI, b.responseParams(req, errorParams(r, f.app)))
	}
	if req.FormPost {
		// The app wants a POST: our own page sends it.
		lg.Failed = &failed{Code: f.app.Code, Description: f.app.Description + reference(r)}
		if err := b.saveLogin(w, r, lg); err == nil {
			back = b.homeOf(lg.Host) + pathBack + "?tx=" + lg.ID
		}
	} else {
		b.sessions.ClearLogin(w, lg.ID)
	}
	b.drawn(r, b.in(r).Error(w, f.status, templates.ErrorPage{
		Kind: f.page, App: app(req.Client), Correlation: lg.Correlation, Back: back, Own: b.ownText(r, textOf(f.page)),
	}))
}
