package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"gatehouse/broker/local"
	"gatehouse/profile"
	"gatehouse/provisioning"
	"gatehouse/store"
)

// Errors of this package; problemFor gives each its status.
var (
	errUnauthorized = errors.New("admin: not signed in")
	errForbidden    = errors.New("admin: not allowed")
	errPaused       = errors.New("admin: too many tries")
	errScope        = errors.New("admin: outside the token's scopes")
	errCompany      = errors.New("admin: signed in with the company")
	errStanding     = errors.New("admin: the caller's role changed")
	errLastOwner    = errors.New("admin: the last owner stays")
	errInUse        = errors.New("admin: still in use")
	errPrecondition = errors.New("admin: If-Match does not match")
	errCursor       = errors.New("admin: bad cursor")
)

// problem makes an RFC 9457 answer with a fixed sentence.
func problem(status int, detail string, errs ...*huma.ErrorDetail) *huma.ErrorModel {
	return &huma.ErrorModel{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Errors: errs}
}

// problemFor turns an error into what the client gets. Only sentences written
// here leave the process; causes go to the log.
func (h *Handler) problemFor(ctx context.Context, err error) *huma.ErrorModel {
	var ready *huma.ErrorModel
	var decided *provisioning.DecidedError
	var closed *provisioning.NotAllowedError
	var faults []*profile.FieldError
	switch {
	case errors.As(err, &ready):
		return ready
	case errors.Is(err, errUnauthorized):
		return problem(http.StatusUnauthorized, "Sign in, or send an API token in the Authorization header.")
	case errors.Is(err, errForbidden):
		return problem(http.StatusForbidden, "Your role does not allow this.")
	case errors.Is(err, local.ErrNoAccount):
		return problem(http.StatusConflict, "There is no local account: sign-in is with a company's identity provider.")
	case errors.Is(err, errStepUp):
		p := problem(http.StatusForbidden, "This change is dangerous. Confirm that it is you: open /confirm in the console, then try again.")
		p.Type = typeStepUp
		return p
	case errors.Is(err, errPaused):
		return problem(http.StatusTooManyRequests, "Too many tries. Wait half a minute and try again.")
	case errors.Is(err, errScope):
		return problem(http.StatusForbidden, "This API token's scopes do not cover it. Make one with the scope you need.")
	case errors.Is(err, errCompany):
		return problem(http.StatusForbidden, "You are signed in with your company. Your console account is changed only by who signs in with it.")
	case errors.Is(err, errStanding):
		return problem(http.StatusConflict, "Your role changed in the meantime. Try again.")
	case errors.Is(err, errCursor):
		return problem(http.StatusBadRequest, "The cursor is not one of this list. Start again without a cursor.",
			&huma.ErrorDetail{Location: "query.cursor", Message: "is not a cursor of this list"})
	case errors.Is(err, errPrecondition):
		return problem(http.StatusPreconditionFailed, "Someone changed this in the meantime. Read it again and repeat your change.")
	case errors.Is(err, provisioning.ErrLastIdentity):
		return problem(http.StatusConflict, "This is the only way the person can sign in. Remove the user instead, or have them add another one first.")
	case errors.Is(err, provisioning.ErrNotCandidate):
		return problem(http.StatusConflict, "This is not a person of the organization whose proven address is that of the request. Approve it as a newcomer, or have the person link it on their account page.")
	case errors.Is(err, provisioning.ErrLinked):
		return problem(http.StatusConflict, "This identity belongs to a person already.")
	case errors.Is(err, errLastOwner), errors.Is(err, provisioning.ErrLastOwner):
		return problem(http.StatusConflict, "This is the last owner. Make someone else an owner first.")
	case errors.Is(err, errInUse):
		return problem(http.StatusConflict, "Something still belongs to it. Remove its connections, domains and members first.")
	case errors.As(err, &decided):
		return problem(http.StatusConflict, fmt.Sprintf("This request was already %s by %s at %s.",
			decided.State, decided.By, decided.At.UTC().Format("2006-01-02 15:04:05 UTC")))
	case errors.As(err, &closed):
		return problem(http.StatusConflict, "Nobody can come in this way any more: the connection or organization is off, or the domain is no longer theirs.")
	case errors.Is(err, provisioning.ErrDecided):
		return problem(http.StatusConflict, "This request is already decided.")
	case errors.Is(err, provisioning.ErrExpired):
		return problem(http.StatusConflict, "This request has expired. The person can ask again by signing in.")
	case errors.Is(err, provisioning.ErrSnapshot):
		return problem(http.StatusConflict, "The provider says something else about this person than before. Look at the request again and decide on what it shows now (snapshot).")
	case errors.Is(err, provisioning.ErrTalk):
		return problem(http.StatusConflict, "Nothing more can be asked: the request has as many messages as it may have.")
	case errors.Is(err, provisioning.ErrInvited):
		return problem(http.StatusConflict, "An open invitation waits for this address already. Send that one again, or revoke it.")
	case errors.Is(err, provisioning.ErrInvitationGone):
		return problem(http.StatusConflict, "This invitation was accepted or revoked, or the address was invited anew. Make another one.")
	case errors.Is(err, provisioning.ErrInvitationLimit):
		return problem(http.StatusTooManyRequests, "The organization has sent as many invitations as it may in a day. Go on tomorrow.")
	case errors.Is(err, provisioning.ErrResendPause):
		return problem(http.StatusTooManyRequests, "This invitation was mailed less than ten minutes ago, or ten times already. Wait, or make another one.")
	case errors.Is(err, provisioning.ErrOwnRequest):
		return problem(http.StatusForbidden, "Nobody decides their own request. Ask another admin.")
	case errors.Is(err, store.ErrNotFound):
		return problem(http.StatusNotFound, "There is no such thing, or it was deleted.")
	case errors.Is(err, store.ErrExists):
		return problem(http.StatusConflict, "It exists already. Choose another name.")
	case errors.Is(err, store.ErrTombstone):
		return problem(http.StatusConflict, "This name belonged to something that was deleted. Names are never given out twice: choose another.")
	case errors.Is(err, store.ErrStale):
		return problem(http.StatusConflict, "Someone changed this in the meantime. Read it again and repeat your change.")
	case errors.Is(err, store.ErrUnavailable):
		h.log.ErrorContext(ctx, "store cannot write", "error", err)
		return problem(http.StatusServiceUnavailable, "Nothing can be saved right now. Try again in a moment.")
	case ctx.Err() != nil:
		return problem(http.StatusServiceUnavailable, "The request ended before it was done. Try again.")
	}
	if faults = fieldErrors(err); len(faults) > 0 {
		details := make([]*huma.ErrorDetail, len(faults))
		for i, f := range faults {
			msg := f.Problem
			if f.Fix != "" {
				msg += " (" + f.Fix + ")"
			}
			details[i] = &huma.ErrorDetail{Location: "body." + f.Path, Message: msg}
		}
		return problem(http.StatusUnprocessableEntity, "Some fields are not acceptable.", details...)
	}
	h.log.ErrorContext(ctx, "admin request failed", "error", err, "request_id", principalFrom(ctx).requestID)
	return problem(http.StatusInternalServerError, "Something went wrong here. Try again; if it stays, look for the request id in the log.")
}

// fieldErrors collects every *profile.FieldError of a tree of joined errors;
// nil when the tree holds anything else, so that no cause is lost.
func fieldErrors(err error) []*profile.FieldError {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var out []*profile.FieldError
		for _, e := range joined.Unwrap() {
			part := fieldErrors(e)
			if part == nil {
				return nil
			}
			out = append(out, part...)
		}
		return out
	}
	var f *profile.FieldError
	if errors.As(err, &f) {
		return []*profile.FieldError{f}
	}
	return nil
}

// fault is a field error of ours. The problem never repeats the value.
func fault(path, format string, args ...any) *profile.FieldError {
	return &profile.FieldError{Path: path, Problem: fmt.Sprintf(format, args...)}
}

// writeProblem answers outside of huma: guards, unknown routes, wrong hosts.
func (h *Handler) writeProblem(w http.ResponseWriter, r *http.Request, p *huma.ErrorModel) {
	p.Instance = instance(r.Header.Get("X-Request-Id"))
	if p.Status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="gatehouse"`)
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

func instance(requestID string) string {
	if requestID == "" {
		return ""
	}
	return "urn:gatehouse:request:" + requestID
}

// scrub is huma's response transformer: it takes rejected values out of every
// error (they may be secrets) and names the request.
func scrub(ctx huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	out := *m
	if out.Type != typeStepUp {
		out.Type = "about:blank"
	}
	out.Instance = instance(ctx.Header("X-Request-Id"))
	out.Errors = nil
	for _, d := range m.Errors {
		if d == nil {
			continue
		}
		msg := d.Message
		if value, ok := d.Value.(string); ok && value != "" && strings.Contains(msg, value) {
			msg = "is not acceptable"
		}
		out.Errors = append(out.Errors, &huma.ErrorDetail{Message: msg, Location: d.Location})
	}
	return &out, nil
}
