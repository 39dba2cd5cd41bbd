package provisioning

import (
	"errors"

	"gatehouse/store"
)

// Reason is why someone was not let in: a stable code for logs, traces and the
// API. The empty Reason is "let in".
type Reason string

// Reasons.
const (
	ReasonNoIdentity       Reason = "no_identity"              // not a verified identity: a mistake of ours
	ReasonConnection       Reason = "connection_disabled"      // switched off, or deleted
	ReasonOrganization     Reason = "organization_disabled"    // switched off, or deleted
	ReasonClient           Reason = "client_disabled"          // switched off, or deleted
	ReasonClientNotAllowed Reason = "client_not_allowed"       // the app is not for this organization or connection
	ReasonForeignEmail     Reason = "email_domain_not_owned"   // the connection may not vouch for the address's domain
	ReasonSignInOff        Reason = "sign_in_off"              // the organization switched signing in off
	ReasonAppNotAssigned   Reason = "app_not_assigned"         // the app has to be given to the person
	ReasonInvitationOther  Reason = "invitation_other_address" // the invitation is for another address
	ReasonUserRemoved      Reason = "user_removed"             // the identity's user was deleted
	ReasonUserDisabled     Reason = "user_disabled"            // switched off by an admin
	ReasonNotMember        Reason = "not_a_member"             // no membership in the connection's organization
	ReasonNoIdentityHere   Reason = "identity_removed"         // the user has no identity at this connection any more
	ReasonJoinOff          Reason = "join_off"                 // the organization takes no newcomers
	ReasonQueueFull        Reason = "queue_full"               // too many requests wait at this connection
	ReasonRefused          Reason = "request_refused"          // an admin said no; the request's Reason has the admin's sentence
	ReasonExpired          Reason = "request_expired"          // nobody decided in time
	ReasonRequestGone      Reason = "request_not_found"        // the access request was deleted
)

// Sentence is the fixed text a person sees: what happened and what to do next.
func (r Reason) Sentence() string {
	switch r {
	case "":
		return ""
	case ReasonConnection:
		return "Signing in through this provider is switched off. Ask your company's administrator."
	case ReasonOrganization:
		return "Your organization is switched off here. Ask its administrator."
	case ReasonSignInOff:
		return "Your organization has switched signing in off for now. Ask its administrator."
	case ReasonAppNotAssigned:
		return "This app has not been given to you. Ask your administrator for it."
	case ReasonInvitationOther:
		return "You signed in with another address than the invited one. Sign in with the invited address, or ask for an invitation to this one."
	case ReasonClient:
		return "This app is switched off. Ask the people who run it."
	case ReasonClientNotAllowed:
		return "This app is not available to your organization. Ask your administrator."
	case ReasonForeignEmail:
		return "Your provider returned an e-mail address that belongs to another organization. Sign in with your own organization's address."
	case ReasonUserRemoved, ReasonNotMember, ReasonNoIdentityHere:
		return "You no longer have access to this organization. Ask its administrator to let you in again."
	case ReasonUserDisabled:
		return "Your account is switched off. Ask your administrator."
	case ReasonJoinOff:
		return "This organization lets nobody in by itself. Ask its administrator for an account."
	case ReasonQueueFull:
		return "Too many people are waiting to be let in. Try again later, or ask your administrator."
	case ReasonRefused:
		return "Your request for access was refused."
	case ReasonExpired:
		return "Nobody decided your request for access in time. Sign in again to ask once more."
	case ReasonRequestGone:
		return "Your request for access no longer exists. Sign in again to ask once more."
	}
	return "You could not be signed in. Start again."
}

// ErrNotAllowed is what every *NotAllowedError is.
var ErrNotAllowed = errors.New("provisioning: not allowed")

// NotAllowedError is the gate's refusal, or an approval that cannot be made.
type NotAllowedError struct{ Reason Reason }

// Error implements error; it names the code, for logs.
func (e *NotAllowedError) Error() string { return "provisioning: not allowed: " + string(e.Reason) }

// Unwrap makes errors.Is(err, ErrNotAllowed) true.
func (e *NotAllowedError) Unwrap() error { return ErrNotAllowed }

// TraceFault implements store.Traceable.
func (e *NotAllowedError) TraceFault() store.TraceFault {
	return store.TraceFault{Code: string(e.Reason)}
}

// TraceFault implements store.Traceable: a refusal has the code of its reason.
func (d Decision) TraceFault() store.TraceFault {
	return store.TraceFault{Code: string(d.Reason), Why: d.Why}
}

func notAllowed(r Reason) error { return &NotAllowedError{r} }
