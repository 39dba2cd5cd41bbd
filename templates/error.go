package templates

import "net/http"

// ErrorKind picks the fixed words of an error page. The words are in texts.go.
type ErrorKind string

// Kinds of error pages. An unknown kind is shown as ErrorInternal.
const (
	ErrorRedirectURI           ErrorKind = "redirect_uri"             // not registered for this client
	ErrorUnknownClient         ErrorKind = "unknown_client"           // client_id missing, unknown or disabled
	ErrorRequestInvalid        ErrorKind = "request_invalid"          // malformed, duplicate parameters, no PKCE
	ErrorRequestURI            ErrorKind = "request_uri"              // unknown, used or expired request_uri
	ErrorRequestTooLarge       ErrorKind = "request_too_large"        // does not fit a cookie; use PAR
	ErrorLoginExpired          ErrorKind = "login_expired"            // login cookie too old or already used
	ErrorOtherBrowser          ErrorKind = "other_browser"            // answer came to a browser that did not ask
	ErrorFormExpired           ErrorKind = "form_expired"             // csrf field missing or wrong
	ErrorConnectionChanged     ErrorKind = "connection_changed"       // settings changed in mid-flight
	ErrorProviderFailed        ErrorKind = "provider_failed"          // wrong nonce, signature, audience, …
	ErrorProviderUnavailable   ErrorKind = "provider_unavailable"     // timeout, 5xx, breaker open
	ErrorProviderDenied        ErrorKind = "provider_denied"          // the provider or the person said no there
	ErrorWrongCompany          ErrorKind = "wrong_company"            // the connection may not vouch for this domain
	ErrorNotAdmitted           ErrorKind = "not_admitted"             // policy off, disabled user, …
	ErrorAppMissing            ErrorKind = "app_missing"              // the app requires assignment
	ErrorInvitationOther       ErrorKind = "invitation_other"         // the person has another address than the invited one
	ErrorInvitationGone        ErrorKind = "invitation_gone"          // accepted, revoked, sent anew or expired
	ErrorRequestExpired        ErrorKind = "request_expired"          // nobody decided about the access request in time
	ErrorPostLogoutRedirectURI ErrorKind = "post_logout_redirect_uri" // not registered
	ErrorIDTokenHint           ErrorKind = "id_token_hint"            // not ours or altered
	ErrorForbidden             ErrorKind = "forbidden"                // console: role too small
	ErrorNotFound              ErrorKind = "not_found"
	ErrorMethodNotAllowed      ErrorKind = "method_not_allowed"
	ErrorConflict              ErrorKind = "conflict" // somebody else was first
	ErrorTooMany               ErrorKind = "too_many" // throttled
	ErrorInternal              ErrorKind = "internal"
)

// ErrorPage is a dead end with a way out. Words are fixed per kind: no text of
// the request or of an upstream ever appears on it (O7, V1). Elements: code
// id="correlation", link id="back", link id="restart".
type ErrorPage struct {
	Kind        ErrorKind
	App         App
	Correlation string
	// Back is a registered address of the app (http, https or
	// a private-use scheme such as com.example.app:/); "" leaves the link out.
	Back string
	// Restart is a same-origin address at which to start again; "" leaves it out.
	Restart string
	// Own is the organization's wording, or empty.
	Own OwnText
}

// errorView is what the template sees.
type errorView struct {
	ErrorPage
	Title, Say, Developer string
}

// Error draws the page.
func (t *Templates) Error(w http.ResponseWriter, status int, p ErrorPage) error {
	view := errorView{ErrorPage: p}
	key := "error." + string(p.Kind)
	if t.words[key+".title"] == "" {
		key = "error." + string(ErrorInternal)
	}
	view.Title, view.Say, view.Developer = t.words[key+".title"], t.words[key+".say"], t.words[key+".developer"]
	return t.render(w, status, "error", policySelf(), view)
}
