package broker

import (
	"errors"
	"net/http"

	"github.com/ory/fosite"
)

// oauthError is an error in the words of OAuth 2.0. Description is a fixed
// sentence for the app's developer; cause is for the log only.
type oauthError struct {
	Code        string
	Description string
	Status      int // of a direct answer; redirects ignore it
	// accessRequest is the handle by which the app may ask how the person's
	// access request stands; or "".
	accessRequest string
	cause         error
}

func (e *oauthError) Error() string { return e.Code + ": " + e.Description }
func (e *oauthError) Unwrap() error { return e.cause }

// because adds what happened, for the log.
func (e *oauthError) because(err error) *oauthError {
	c := *e
	c.cause = err
	return &c
}

// The errors we answer with: RFC 6749 §4.1.2.1 and §5.2, OpenID Connect Core
// §3.1.2.6, RFC 6750 §3.1.
func errInvalidRequest(description string) *oauthError {
	return &oauthError{Code: "invalid_request", Description: description, Status: http.StatusBadRequest}
}

func errInvalidScope(description string) *oauthError {
	return &oauthError{Code: "invalid_scope", Description: description, Status: http.StatusBadRequest}
}

func errInvalidGrant(description string) *oauthError {
	return &oauthError{Code: "invalid_grant", Description: description, Status: http.StatusBadRequest}
}

func errInvalidClient() *oauthError {
	return &oauthError{Code: "invalid_client", Description: "Client authentication failed: check client_id, the secret and the registered authentication method.", Status: http.StatusUnauthorized}
}

func errAccessDenied(description string) *oauthError {
	return &oauthError{Code: "access_denied", Description: description, Status: http.StatusForbidden}
}

func errUnavailable(err error) *oauthError {
	return &oauthError{Code: "temporarily_unavailable", Description: "The server cannot do this right now. Try again in a moment.", Status: http.StatusServiceUnavailable, cause: err}
}

func errServer(err error) *oauthError {
	return &oauthError{Code: "server_error", Description: "Something went wrong on our side.", Status: http.StatusInternalServerError, cause: err}
}

func errCode(code, description string) *oauthError {
	return &oauthError{Code: code, Description: description, Status: http.StatusBadRequest}
}

// asOAuth turns any error into an answer. fosite's own errors keep their code
// but never their hint: hints echo what the caller sent (SECURITY-CASES A8).
func asOAuth(err error) *oauthError {
	var ours *oauthError
	if errors.As(err, &ours) {
		return ours
	}
	var theirs *fosite.RFC6749Error
	if !errors.As(err, &theirs) {
		return errServer(err)
	}
	switch theirs.ErrorField {
	case "invalid_grant":
		return errInvalidGrant("The code or refresh token is not valid: it is unknown, expired, used, or belongs to another request.").because(err)
	case "invalid_client":
		return errInvalidClient().because(err)
	case "invalid_scope":
		return errInvalidScope("A requested scope is not allowed for this client.").because(err)
	case "unauthorized_client":
		return errCode("unauthorized_client", "This client may not use this grant type.").because(err)
	case "invalid_request":
		if errors.Is(err, fosite.ErrInvalidRequest) {
			return errInvalidRequest("The request is not complete or contains a value that is not allowed.").because(err)
		}
	case "unsupported_response_type", "unsupported_response_mode", "access_denied", "login_required",
		"consent_required", "interaction_required", "request_not_supported", "request_uri_not_supported":
		return errCode(theirs.ErrorField, "The request cannot be answered as asked.").because(err)
	}
	return errServer(err)
}
