package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"gatehouse/profile"
	"gatehouse/provisioning"
	"gatehouse/store"
)

// Errors of this package; problemFor gives each its status.
var (
	errUnauthorized = errors.New("admin: not signed in")
	errForbidden    = errors.New("admin: not allowed")
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
	case errors.Is(err, errCursor):
		return problem(http.StatusBadRequest, "The cursor is not one of this list. Start again without a cursor.",
			&huma.ErrorDetail{Location: "query.cursor", Message: "is not a cursor of this list"})
	case errors.Is(err, errPrecondition):
		return problem(http.StatusPreconditionFailed, "Someone changed this in the meantime. Read it again and repeat your change.")
	case errors.Is(err, errLastOwner):
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
	out.Type = "about:blank"
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
