package federation

import (
	"errors"
	"fmt"
)

// Blame says whose fault a failed login is, for traces and for the sentence a
// person gets.
type Blame string

// Who is to blame.
const (
	BlameOurs     Blame = "ours"     // Gatehouse, its operator, or the connection's record
	BlameProvider Blame = "provider" // the upstream provider
	BlameApp      Blame = "app"      // the app that asked
	BlameUser     Blame = "user"     // the person, e.g. pressed cancel or waited too long
)

// Codes of [Error], stable: logs, traces, metrics and docs name faults by them.
const (
	// The login itself.
	CodeLoginExpired       = "login_expired"       // more than 15 minutes since the departure
	CodeStateMismatch      = "state_mismatch"      // state missing or not this login's
	CodeConnectionMismatch = "connection_mismatch" // came back on another connection's callback
	CodeConnectionChanged  = "connection_changed"  // edited since the departure: start again
	CodeConnectionDisabled = "connection_disabled" // switched off
	CodeConnectionInvalid  = "connection_invalid"  // the record cannot work; CheckConnection says why
	CodeRequestInvalid     = "request_invalid"     // our caller's mistake
	CodeHostUnknown        = "host_unknown"        // begun at a host that the connection does not list
	CodeGrantUnfit         = "grant_unfit"         // a browser at a connection without one, or the other way round
	CodeFreshUnprovable    = "fresh_unprovable"    // a recent sign-in was demanded of a provider that cannot prove one

	CodeAbandoned = "abandoned" // the browser went away while we asked the provider

	// The callback's parameters.
	CodeCallbackMalformed  = "callback_malformed"   // repeated, oversized or missing parameters
	CodeCallbackIssuer     = "callback_issuer"      // RFC 9207 iss wrong, or missing although announced
	CodeDeniedByUser       = "denied_by_user"       // access_denied
	CodeInteraction        = "interaction_needed"   // login_required, consent_required, …
	CodeProviderTemporary  = "provider_temporary"   // server_error, temporarily_unavailable
	CodeProviderRefused    = "provider_refused"     // invalid_request, unauthorized_client, invalid_scope, …
	CodeProviderOtherError = "provider_other_error" // an error code of its own

	// Reaching the provider.
	CodeAddressRefused   = "address_refused"      // network policy
	CodeURLRefused       = "url_refused"          // not https, or not a usable URL
	CodeUnreachable      = "provider_unreachable" // DNS, TCP or TLS
	CodeTimeout          = "provider_timeout"
	CodeSuspended        = "provider_suspended"   // circuit breaker open
	CodeBusy             = "provider_busy"        // too many logins wait for this provider
	CodeUnavailable      = "provider_unavailable" // 5xx or 429
	CodeRedirectRefused  = "redirect_refused"
	CodeResponseStatus   = "response_status"
	CodeResponseType     = "response_type" // content type or encoding
	CodeResponseTooLarge = "response_too_large"
	CodeResponseInvalid  = "response_invalid" // not the JSON it must be

	// Discovery and keys.
	CodeDiscoveryIssuer   = "discovery_issuer"
	CodeDiscoveryEndpoint = "discovery_endpoint"
	CodeDiscoveryInvalid  = "discovery_invalid"
	CodeKeysInvalid       = "keys_invalid"

	// The token endpoint.
	CodeCodeRefused          = "code_refused"        // invalid_grant
	CodeClientRejected       = "client_rejected"     // invalid_client, unauthorized_client
	CodeTokenError           = "token_error"         // any other OAuth error
	CodeCredentialsRefused   = "credentials_refused" // of a login without a browser
	CodeAssertionRefused     = "assertion_refused"   // the assertion is not one of its connection
	CodeRefreshRefused       = "refresh_refused"     // a definite no: invalid_grant
	CodeRefreshMismatch      = "refresh_mismatch"    // a definite no: another person, issuer or client came back
	CodeTokenResponseInvalid = "token_response_invalid"

	// The ID token.
	CodeIDTokenMissing         = "id_token_missing"
	CodeIDTokenMalformed       = "id_token_malformed"
	CodeIDTokenAlgorithm       = "id_token_algorithm"
	CodeIDTokenHeader          = "id_token_header" // crit, b64, zip, encryption
	CodeIDTokenType            = "id_token_type"   // typ of another kind of token
	CodeIDTokenKeyUnknown      = "id_token_key_unknown"
	CodeIDTokenKeyUnfit        = "id_token_key_unfit"
	CodeIDTokenKeyAmbiguous    = "id_token_key_ambiguous"
	CodeIDTokenSignature       = "id_token_signature"
	CodeIDTokenIssuer          = "id_token_issuer"
	CodeIDTokenAudience        = "id_token_audience"
	CodeIDTokenAuthorizedParty = "id_token_authorized_party"
	CodeIDTokenExpired         = "id_token_expired"
	CodeIDTokenTimes           = "id_token_times" // not yet valid, issued in the future or too long ago, not numbers
	CodeIDTokenLifetime        = "id_token_lifetime"
	CodeIDTokenSubject         = "id_token_subject"
	CodeIDTokenNonce           = "id_token_nonce"
	CodeIDTokenAccessTokenHash = "id_token_access_token_hash"
	CodeIDTokenAuthTime        = "id_token_auth_time"
	CodeIDTokenACR             = "id_token_acr"
	CodeIDTokenRejected        = "id_token_rejected" // go-oidc's second opinion differs

	// Userinfo and attributes.
	CodeUserinfoInvalid    = "userinfo_invalid"
	CodeUserinfoSubject    = "userinfo_subject"
	CodeProfileURLAbsent   = "profile_url_absent"  // the response does not hold the profile's URL
	CodeProfileURLRefused  = "profile_url_refused" // it leads elsewhere than to the provider
	CodeAttributesInvalid  = "attributes_invalid"
	CodeFederationIDAbsent = "federation_id_absent"
)

// Error is a login that failed here. Its text is fit for logs and traces: it
// holds no secret, and text of the provider only quoted and cut. Err, when
// present, is the cause.
type Error struct {
	Code      string
	Blame     Blame
	Temporary bool // the same login may succeed later without a change of ours
	Err       error

	oauth string // the provider's own error code, when the token endpoint gave one
}

// Error implements error.
func (e *Error) Error() string {
	if e.Err == nil {
		return "federation: " + e.Code
	}
	return "federation: " + e.Code + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// AsError finds the *Error in err's chain.
func AsError(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

func fault(blame Blame, code, format string, args ...any) *Error {
	return &Error{Code: code, Blame: blame, Err: fmt.Errorf(format, args...)}
}

func temporary(code, format string, args ...any) *Error {
	e := fault(BlameProvider, code, format, args...)
	e.Temporary = true
	return e
}

// quoted shows text of the provider: one line, cut, no control characters.
func quoted(s string) string {
	const most = 80
	if len(s) > most {
		return fmt.Sprintf("%+q… (%d bytes)", s[:most], len(s))
	}
	return fmt.Sprintf("%+q", s)
}
