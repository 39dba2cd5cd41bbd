package provisioning

import (
	"slices"

	"gatehouse/store"
)

// Kind is what was decided.
type Kind string

// Kinds. Nobody is linked by signing in: the account page does that, with
// proof.
const (
	SignedIn  Kind = "signed_in"
	Created   Kind = "created"
	Linked    Kind = "linked"
	Activated Kind = "activated" // an invitation was accepted
	Pending   Kind = "pending"
	Refused   Kind = "refused"
)

// Decision is the one answer to a verified identity.
type Decision struct {
	Kind           Kind
	UserID         string // signed in, created, activated
	OrganizationID string
	// Request is the one that waits (pending) or was refused.
	Request store.AccessRequest
	Reason  Reason // of a refusal
	Why     string // the rule in words, for trace and log; no personal data
	// MayAsk: the app has to be given by an admin, and the person may ask for
	// it. Asker is who would ask.
	MayAsk bool
	Asker  string
	// Row of the table in docs/admission.md, from 1.
	Row int
}

// facts are everything a decision depends on, read from the store and the
// verified identity by factsOf, and nothing else: deciding is a pure function.
type facts struct {
	closed     closedFact
	email      emailFact
	proof      proofFact
	catchAll   bool // the connection takes any domain ("*")
	person     personFact
	invitation invitationFact
	rule       ruleFact
	policy     policyFact
	app        appFact
	request    requestFact
	queueFull  bool
}

// closedFact is the first thing on the way in that is closed.
type closedFact int

const (
	closedNothing closedFact = iota
	closedIdentity
	closedConnection
	closedOrganization
	closedSignIn
	closedClient
	closedClientFor
)

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

// personFact is whose (connection, issuer, subject) it is.
type personFact int

const (
	personNew      personFact = iota // nobody's
	personRemoved                    // a deleted user's
	personDisabled                   // a disabled user's
	personStranger                   // an active user's who is no member of the connection's organization
	personMember                     // a member's
)

type invitationFact int

const (
	invitationNone   invitationFact = iota
	invitationProven                // an open one, and the invited address is proven, by the provider or by the mailed link
	invitationOther                 // the login began with the link of one for another address
)

// ruleFact is what the first admission rule that matches says.
type ruleFact int

const (
	ruleNone ruleFact = iota
	ruleOff
	ruleRequest
	ruleAutomatic
)

// policyFact is the join policy in force: the domain's own, else the
// connection's, else the organization's. Whatever is no policy is off.
type policyFact int

const (
	policyOff policyFact = iota
	policyRequest
	policyAutomatic
)

// appFact is how the person stands to the app they came for.
type appFact int

const (
	appOpen    appFact = iota // it needs no assignment, or they have it or would get it
	appMissing                // it needs one, and the organization lets nobody ask
	appAskable                // it needs one, and the organization lets people ask
)

type requestFact int

const (
	requestNone requestFact = iota
	requestPending
	requestRefused // not long ago
)

// row is one line of the table of docs/admission.md, which is made from it.
type row struct {
	when   string // in words, for the docs
	fits   func(facts) bool
	kind   Kind
	reason Reason
	why    string
	cases  string // of SECURITY-CASES
}

// table is the only place that lets anybody in: the first row that fits
// decides. Rows 1–8 are the same for people who are known and who are not (N2,
// E11). No row looks anybody up by address: an address that is somebody's
// already changes nothing here (N3), it is linked on the account page only.
type table []row

func newTable() table {
	closed := func(c closedFact) func(facts) bool { return func(f facts) bool { return f.closed == c } }
	person := func(p personFact) func(facts) bool { return func(f facts) bool { return f.person == p } }
	// joins: the rule's word goes before the policy's.
	joins := func(f facts) policyFact {
		if f.rule != ruleNone {
			return policyFact(f.rule - ruleOff)
		}
		return f.policy
	}
	invited := func(f facts) bool { return f.invitation == invitationProven }
	automatic := func(f facts) bool { return joins(f) == policyAutomatic }
	unproven := func(f facts) bool { return f.proof == proofDenied || f.proof == proofAbsent && f.catchAll }
	// queued: what asks an admin, be it by policy or because something lacks.
	queued := func(f facts) bool {
		return joins(f) == policyRequest || automatic(f) && (f.email == emailNone && f.rule == ruleNone || f.email != emailNone && unproven(f) || f.app == appAskable)
	}
	missing := func(f facts) bool { return f.app != appOpen }
	is := func(fits ...func(facts) bool) func(facts) bool {
		return func(f facts) bool {
			return !slices.ContainsFunc(fits, func(fit func(facts) bool) bool { return !fit(f) })
		}
	}
	refusedLately := func(f facts) bool { return f.request == requestRefused }
	waits := func(f facts) bool { return f.request == requestPending }
	full := func(f facts) bool { return f.queueFull }
	always := func(facts) bool { return true }

	return table{
		{"there is no verified identity", closed(closedIdentity), Refused, ReasonNoIdentity, "there is no verified identity", ""},
		{"the connection is off or gone", closed(closedConnection), Refused, ReasonConnection, "the connection is switched off or deleted", "E12"},
		{"the organization is off or gone", closed(closedOrganization), Refused, ReasonOrganization, "the organization is switched off or deleted", "E12"},
		{"the organization's sign-in is off", closed(closedSignIn), Refused, ReasonSignInOff, "the organization has switched signing in off", "E12"},
		{"the app is off or gone", closed(closedClient), Refused, ReasonClient, "the app is switched off or deleted", "E12"},
		{"the app is not for this organization or connection", closed(closedClientFor), Refused, ReasonClientNotAllowed, "the app is not for this organization or connection", "E11"},
		{"the e-mail's domain is not the connection's", func(f facts) bool { return f.email == emailForeign }, Refused, ReasonForeignEmail, "the e-mail's domain does not belong to the connection", "E9, E10, E13"},
		{"the login began with an invitation for another address", func(f facts) bool { return f.invitation == invitationOther }, Refused, ReasonInvitationOther, "the invitation is for another address than the provider's", ""},

		{"known, the user was deleted", person(personRemoved), Refused, ReasonUserRemoved, "the identity's user was deleted", "N8"},
		{"known, the user is disabled", person(personDisabled), Refused, ReasonUserDisabled, "the user is disabled", "G6"},
		{"known, not a member, not invited", is(person(personStranger), func(f facts) bool { return !invited(f) }), Refused, ReasonNotMember, "the user is not a member of the connection's organization", ""},
		{"known member, the app is not theirs, a request for it waits", is(person(personMember), missing, waits), Pending, "", "the app has to be given, and a request for it waits already", "G6"},
		{"known member, the app is not theirs, and a request for it was refused not long ago", is(person(personMember), missing, refusedLately), Refused, ReasonRefused, "the app has to be given, and an admin refused it not long ago", ""},
		{"known member, the app is not theirs", is(person(personMember), missing), Refused, ReasonAppNotAssigned, "the app has to be given to the person, and was not", "G6"},
		{"known member", person(personMember), SignedIn, "", "the identity is known, its user active and a member", ""},

		{"invited at a proven address, but not to the app they came for", is(invited, missing), Refused, ReasonAppNotAssigned, "the invitation does not give the app", ""},
		{"invited at a proven address", invited, Activated, "", "an open invitation for the proven address", "G1"},

		{"newcomer, the rule or else the policy takes nobody", func(f facts) bool { return joins(f) == policyOff }, Refused, ReasonJoinOff, "the organization takes no newcomers", "G11"},
		{"newcomer, automatic, the app would not be theirs and nobody may ask for it", is(automatic, func(f facts) bool { return f.app == appMissing }), Refused, ReasonAppNotAssigned, "newcomers join automatically, but without the app they came for", ""},
		{"newcomer whom rule or policy has ask, or whom an admin must look at, refused not long ago", is(queued, refusedLately), Refused, ReasonRefused, "newcomers ask, and an admin refused this one not long ago", ""},
		{"the same, a request waits", is(queued, waits), Pending, "", "newcomers ask, and a request waits already", "G7"},
		{"the same, too many wait at the connection", is(queued, full), Refused, ReasonQueueFull, "newcomers ask, but too many wait at this connection", ""},
		{"newcomer, rule or policy says request", func(f facts) bool { return joins(f) == policyRequest }, Pending, "", "the organization takes newcomers by request", "G6"},
		{"newcomer, automatic by policy, no e-mail: no domain speaks for them", func(f facts) bool { return f.email == emailNone && f.rule == ruleNone }, Pending, "", "newcomers join automatically, but this one has no e-mail whose domain would speak for them", "G3"},
		{"newcomer, automatic, e-mail denied (`false`): neither locked out nor trusted", func(f facts) bool { return f.email != emailNone && f.proof == proofDenied }, Pending, "", "newcomers join automatically, but the provider says the e-mail is not verified", "N2"},
		{"newcomer, automatic, e-mail proof absent at a connection that takes any domain", func(f facts) bool { return f.email != emailNone && unproven(f) }, Pending, "", "newcomers join automatically, but the provider serves any domain and does not say that the e-mail is verified", "N2"},
		{"newcomer, automatic, the app has to be given by an admin", func(f facts) bool { return f.app == appAskable }, Pending, "", "newcomers join automatically, but the app they came for has to be given by an admin", ""},
		{"newcomer, a rule says automatic", func(f facts) bool { return f.rule == ruleAutomatic }, Created, "", "an admission rule lets the newcomer in", "G1"},
		{"newcomer, the policy says automatic", always, Created, "", "the organization takes newcomers of its domains automatically", "G1"},
	}
}

// decide finds the first row that fits. Newcomers who get through to the last
// row are there by policy; no facts fall out of the table.
func (t table) decide(f facts) Decision {
	for i := range t {
		r := &t[i]
		if r.fits(f) {
			return Decision{
				Kind: r.kind, Reason: r.reason, Why: r.why, Row: i + 1,
				MayAsk: r.reason == ReasonAppNotAssigned && f.person == personMember && f.app == appAskable && !f.queueFull,
			}
		}
	}
	return Decision{Kind: Refused, Reason: ReasonNoIdentity, Why: "no row of the table fits"}
}
