package provisioning

import "gatehouse/store"

// Kind is what was decided.
type Kind string

// Kinds. Linked and activated come with account linking and invitations.
const (
	SignedIn  Kind = "signed_in"
	Created   Kind = "created"
	Linked    Kind = "linked"
	Activated Kind = "activated"
	Pending   Kind = "pending"
	Refused   Kind = "refused"
)

// Decision is the one answer to a verified identity.
type Decision struct {
	Kind           Kind
	UserID         string // signed in, created
	OrganizationID string
	// Request is the one that waits (pending) or was refused.
	Request store.AccessRequest
	Reason  Reason // of a refusal
	Why     string // the rule in words, for trace and log; no personal data
}

// facts are everything a decision depends on, read from the store and the
// verified identity by factsOf, and nothing else: decide is a pure function.
type facts struct {
	valid         bool
	connection    bool // exists and is on; so the next two
	organization  bool
	client        bool
	clientAllowed bool // the app is for this organization and connection
	email         emailFact
	proof         proofFact
	catchAll      bool // the connection takes any domain ("*")
	known         bool // (connection, issuer, subject) is somebody's
	user          userFact
	member        bool // of the connection's organization
	policy        store.JoinPolicy
	request       requestFact
	queueFull     bool
}

type emailFact int

const (
	emailNone    emailFact = iota
	emailOwned             // the connection may vouch for the domain
	emailForeign           // it may not
)

type proofFact int

const (
	proofAbsent proofFact = iota // the provider did not say, and nobody vouches for it
	proofGiven                   // JSON true, or the operator vouches for the provider
	proofDenied                  // JSON false
)

type userFact int

const (
	userNone userFact = iota
	userActive
	userDisabled
)

type requestFact int

const (
	requestNone requestFact = iota
	requestPending
	requestRefused // not long ago
)

// decide is the only place that lets anybody in. The first row that fits
// decides; rows 1–6 are the same for people who are known and who are not
// (SECURITY-CASES N2, E11).
//
//	     fact                                              decision   reason, case
//	 1   no verified identity                              refused    no_identity
//	 2   connection off or gone                            refused    connection_disabled (E12)
//	 3   organization off or gone                          refused    organization_disabled
//	 4   app off or gone                                   refused    client_disabled
//	 5   app not for this organization or connection       refused    client_not_allowed (E11)
//	 6   e-mail of a domain the connection does not own    refused    email_domain_not_owned (E9, E10)
//	 7   known, user deleted                               refused    user_removed (N8)
//	 8   known, user disabled                              refused    user_disabled
//	 9   known, not a member                               refused    not_a_member
//	10   known                                             signed in
//	11   newcomer, join policy not request or automatic    refused    join_off (G11)
//	12   newcomer, refused not long ago, policy request    refused    request_refused
//	     or row 15 or 16 fits
//	13   newcomer, policy request, a request waits         pending    the same request (G7)
//	14   newcomer, policy request                          pending    or queue_full
//	15   newcomer, automatic, no e-mail                    pending    or queue_full: no domain speaks for them
//	16   newcomer, automatic, e-mail denied (false); or    pending    or queue_full: neither locked out nor trusted
//	     absent at a connection that takes any domain
//	17   newcomer, automatic                               created    with role user (G1)
//
// A person whom row 10 signs in with an unproven address keeps it as
// unverified. A dedicated connection is the company's own provider: its
// identity admits, and many send no email_verified, so absent is enough there.
func decide(f facts) (Kind, Reason, string) {
	switch {
	case !f.valid:
		return Refused, ReasonNoIdentity, "there is no verified identity"
	case !f.connection:
		return Refused, ReasonConnection, "the connection is switched off or deleted"
	case !f.organization:
		return Refused, ReasonOrganization, "the organization is switched off or deleted"
	case !f.client:
		return Refused, ReasonClient, "the app is switched off or deleted"
	case !f.clientAllowed:
		return Refused, ReasonClientNotAllowed, "the app is not for this organization or connection"
	case f.email == emailForeign:
		return Refused, ReasonForeignEmail, "the e-mail's domain does not belong to the connection"
	case f.known:
		return decideKnown(f)
	case f.policy != store.JoinRequest && f.policy != store.JoinAutomatic:
		return Refused, ReasonJoinOff, "the organization takes no newcomers"
	case f.policy == store.JoinRequest:
		return queue(f, "the organization takes newcomers by request")
	case f.email == emailNone:
		return queue(f, "newcomers join automatically, but this one has no e-mail whose domain would speak for them")
	case f.proof == proofDenied:
		return queue(f, "newcomers join automatically, but the provider says the e-mail is not verified")
	case f.proof == proofAbsent && f.catchAll:
		return queue(f, "newcomers join automatically, but the provider serves any domain and does not say that the e-mail is verified")
	}
	return Created, "", "the organization takes newcomers of its domains automatically"
}

func decideKnown(f facts) (Kind, Reason, string) {
	switch {
	case f.user == userNone:
		return Refused, ReasonUserRemoved, "the identity's user was deleted"
	case f.user == userDisabled:
		return Refused, ReasonUserDisabled, "the user is disabled"
	case !f.member:
		return Refused, ReasonNotMember, "the user is not a member of the connection's organization"
	}
	return SignedIn, "", "the identity is known, its user active and a member"
}

func queue(f facts, why string) (Kind, Reason, string) {
	switch {
	case f.request == requestRefused:
		return Refused, ReasonRefused, why + "; an admin refused this one not long ago"
	case f.request == requestPending:
		return Pending, "", why + "; a request waits already"
	case f.queueFull:
		return Refused, ReasonQueueFull, why + "; too many wait at this connection"
	}
	return Pending, "", why
}
