package federation

import (
	"crypto/subtle"
	"net/url"

	"gatehouse/store"
)

// The callback's parameters that mean something, and how long each may be.
func callbackLimits() map[string]int {
	return map[string]int{
		"code": 4096, "state": 256, "iss": 2048, "error": 256,
		"error_description": 8192, "error_uri": 8192, "session_state": 4096, "scope": 8192,
	}
}

// checkFlow: is this flow, of this connection, as it is now, still running?
func (f *Federation) checkFlow(conn *store.Connection, flow Flow) error {
	switch age := f.now().Sub(flow.StartedAt); {
	case flow.ConnectionID != conn.ID || conn.ID == "":
		return fault(BlameUser, CodeConnectionMismatch, "the login left by another connection")
	case conn.Disabled:
		return fault(BlameOurs, CodeConnectionDisabled, "connection is switched off")
	case flow.Revision != conn.Revision:
		return fault(BlameOurs, CodeConnectionChanged, "connection was edited meanwhile (revision %d, now %d)", flow.Revision, conn.Revision)
	// Not only too old: begun in the future means the clock was set back, and
	// what is over must not live again (K1).
	case age >= FlowLifetime || age < -skew:
		return fault(BlameUser, CodeLoginExpired, "the login is older than %s", FlowLifetime)
	case flow.State == "":
		return fault(BlameOurs, CodeRequestInvalid, "flow without state")
	case flow.Nonce == "" && usesNonce(conn), flow.Verifier == "" && !conn.InsecureNoPKCE:
		return fault(BlameOurs, CodeRequestInvalid, "flow without nonce or PKCE verifier")
	}
	return nil
}

// checkCallback reads the parameters of a callback and returns the code. The
// state comes first: without it nothing else is this login's business.
func checkCallback(issuer string, md metadata, flow Flow, params url.Values) (code string, err error) {
	state := params["state"]
	if len(state) != 1 || subtle.ConstantTimeCompare([]byte(state[0]), []byte(flow.State)) != 1 {
		return "", fault(BlameUser, CodeStateMismatch, "state is missing, repeated or another login's")
	}
	for name, limit := range callbackLimits() {
		switch values := params[name]; {
		case len(values) > 1:
			return "", fault(BlameProvider, CodeCallbackMalformed, "%s is there %d times", name, len(values))
		case len(values) == 1 && len(values[0]) > limit:
			return "", fault(BlameProvider, CodeCallbackMalformed, "%s has %d bytes, at most %d are read", name, len(values[0]), limit)
		}
	}
	// RFC 9207: whose answer is this? Errors are checked too (§2.4).
	switch iss, present := params["iss"]; {
	case present && issuer == "":
		// A plain OAuth 2.0 provider whose issuer nobody knows: there is nothing
		// to compare with, and each connection has a callback of its own.
	case present && iss[0] != issuer:
		return "", fault(BlameProvider, CodeCallbackIssuer, "%s", issuerDifference(issuer, iss[0]))
	case !present && md.issParameter:
		return "", fault(BlameProvider, CodeCallbackIssuer, "iss is missing, and the provider announced that it sends it")
	}
	if e, present := params["error"]; present {
		return "", callbackFault(e[0]) // also beside a code (S6)
	}
	code = params.Get("code")
	if code == "" {
		return "", fault(BlameProvider, CodeCallbackMalformed, "neither code nor error")
	}
	return code, nil
}

// callbackFault maps the error codes of RFC 6749 §4.1.2.1 and OpenID Connect
// Core §3.1.2.6. The provider's error_description is not repeated.
func callbackFault(code string) error {
	switch code {
	case "access_denied":
		return fault(BlameUser, CodeDeniedByUser, "access_denied")
	case "login_required", "interaction_required", "consent_required", "account_selection_required":
		return fault(BlameProvider, CodeInteraction, "%s", code)
	case "temporarily_unavailable", "server_error":
		return temporary(CodeProviderTemporary, "%s", code)
	case "invalid_request", "unauthorized_client", "unsupported_response_type", "invalid_scope",
		"invalid_request_uri", "invalid_request_object", "request_not_supported", "request_uri_not_supported",
		"registration_not_supported":
		return fault(BlameOurs, CodeProviderRefused, "%s: compare the connection with the provider's registration", code)
	}
	return fault(BlameProvider, CodeProviderOtherError, "error %s", quoted(code))
}
