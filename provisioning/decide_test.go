package provisioning

import (
	"fmt"
	"strings"
	"testing"
)

// everyFact calls fn with every combination of facts there is: more than half a
// million.
func everyFact(fn func(facts)) {
	var f facts
	for f.closed = closedNothing; f.closed <= closedClientFor; f.closed++ {
		for f.email = emailNone; f.email <= emailForeign; f.email++ {
			for f.proof = proofAbsent; f.proof <= proofDenied; f.proof++ {
				for f.person = personNew; f.person <= personMember; f.person++ {
					for f.invitation = invitationNone; f.invitation <= invitationOther; f.invitation++ {
						for f.rule = ruleNone; f.rule <= ruleAutomatic; f.rule++ {
							for f.policy = policyOff; f.policy <= policyAutomatic; f.policy++ {
								for f.app = appOpen; f.app <= appAskable; f.app++ {
									for f.request = requestNone; f.request <= requestRefused; f.request++ {
										for _, f.catchAll = range []bool{false, true} {
											for _, f.queueFull = range []bool{false, true} {
												fn(f)
											}
										}
									}
								}
							}
						}
					}
				}
			}
		}
	}
}

// oracle is the promise written down a second time, the other way round: each
// way in is one whole condition that needs no order, and whoever has none of
// them is refused for the gravest cause.
type oracle struct{ f facts }

func (o oracle) arrived() bool {
	return o.f.closed == closedNothing && o.f.email != emailForeign && o.f.invitation != invitationOther
}

// says is what newcomers are told: the rule's word, or the policy's.
func (o oracle) says() string {
	if o.f.rule != ruleNone {
		return map[ruleFact]string{ruleOff: "off", ruleRequest: "request", ruleAutomatic: "automatic"}[o.f.rule]
	}
	return map[policyFact]string{policyOff: "off", policyRequest: "request", policyAutomatic: "automatic"}[o.f.policy]
}

func (o oracle) doubtful() bool {
	switch o.f.email {
	case emailNone:
		return o.f.rule == ruleNone
	default:
		return o.f.proof == proofDenied || o.f.catchAll && o.f.proof == proofAbsent
	}
}

func (o oracle) newcomer() bool { return o.f.person == personNew && o.f.invitation == invitationNone }

func (o oracle) asks() bool {
	return o.newcomer() && (o.says() == "request" || o.says() == "automatic" && o.f.app != appMissing && (o.doubtful() || o.f.app == appAskable))
}

func (o oracle) ways() map[Kind]bool {
	in := o.arrived()
	return map[Kind]bool{
		SignedIn:  in && o.f.person == personMember && o.f.app == appOpen,
		Activated: in && o.f.invitation == invitationProven && (o.f.person == personNew || o.f.person == personStranger) && o.f.app == appOpen,
		Created:   in && o.newcomer() && o.says() == "automatic" && o.f.app == appOpen && !o.doubtful(),
		Pending: in && (o.f.person == personMember && o.f.app != appOpen && o.f.request == requestPending ||
			o.asks() && (o.f.request == requestPending || o.f.request == requestNone && !o.f.queueFull)),
	}
}

func (o oracle) causes() []struct {
	holds  bool
	reason string
} {
	f := o.f
	return []struct {
		holds  bool
		reason string
	}{
		{f.closed == closedIdentity, "no_identity"},
		{f.closed == closedConnection, "connection_disabled"},
		{f.closed == closedOrganization, "organization_disabled"},
		{f.closed == closedSignIn, "sign_in_off"},
		{f.closed == closedClient, "client_disabled"},
		{f.closed == closedClientFor, "client_not_allowed"},
		{f.email == emailForeign, "email_domain_not_owned"},
		{f.invitation == invitationOther, "invitation_other_address"},
		{f.person == personRemoved, "user_removed"},
		{f.person == personDisabled, "user_disabled"},
		{f.person == personStranger && f.invitation == invitationNone, "not_a_member"},
		{f.person == personNew && f.invitation == invitationNone && o.says() == "off", "join_off"},
		{(o.asks() || f.person == personMember) && f.request == requestRefused, "request_refused"},
		{o.asks() && f.queueFull, "queue_full"},
		{f.app != appOpen, "app_not_assigned"},
	}
}

func TestDecideIsItsTable(t *testing.T) {
	t.Parallel()
	table, n := newTable(), 0
	hits := make([]int, len(table))
	everyFact(func(f facts) {
		n++
		d, o := table.decide(f), oracle{f}
		want, wantReason := Refused, ""
		for kind, open := range o.ways() {
			if open && want != Refused {
				t.Fatalf("%+v: the oracle knows two ways, %s and %s", f, want, kind)
			}
			if open {
				want = kind
			}
		}
		if want == Refused {
			for _, c := range o.causes() {
				if c.holds {
					wantReason = c.reason
					break
				}
			}
		}
		if d.Kind != want || string(d.Reason) != wantReason {
			t.Fatalf("%+v: row %d says %s %s, the oracle %s %s", f, d.Row, d.Kind, d.Reason, want, wantReason)
		}
		if d.Row == 0 || d.Why == "" {
			t.Fatalf("%+v: fell out of the table: %+v", f, d)
		}
		hits[d.Row-1]++
	})
	for i, h := range hits {
		if h == 0 {
			t.Errorf("row %d never fits", i+1)
		}
	}
	t.Logf("%d combinations of facts", n)
}

// What must never be, said without the table.
func TestDecidePromises(t *testing.T) {
	t.Parallel()
	table := newTable()
	everyFact(func(f facts) {
		d := table.decide(f)
		kind := d.Kind
		in := kind == SignedIn || kind == Created || kind == Activated
		broken := ""
		says := func(promise string, is bool) {
			if is {
				broken = promise
			}
		}
		says("nothing closed lets anybody in or wait", kind != Refused && f.closed != closedNothing)
		says("a foreign address never enters (E9, E10)", kind != Refused && f.email == emailForeign)
		says("known people are never newcomers", f.person != personNew && kind == Created)
		says("newcomers are never signed in", f.person == personNew && kind == SignedIn)
		says("disabled and deleted people stay out", kind != Refused && (f.person == personDisabled || f.person == personRemoved))
		says("no membership without an invitation", in && f.person == personStranger && kind != Activated)
		says("off creates and queues nobody (G11)", (kind == Created || kind == Pending && f.person == personNew) && f.policy == policyOff && f.rule == ruleNone)
		says("a rule that says off creates and queues nobody", (kind == Created || kind == Pending && f.person == personNew) && f.rule == ruleOff)
		says("nobody is created without automatic", kind == Created && f.rule != ruleAutomatic && (f.rule != ruleNone || f.policy != policyAutomatic))
		says("no address and no rule, no automatic join", kind == Created && f.email == emailNone && f.rule == ruleNone)
		says("false is no automatic join", kind == Created && f.email != emailNone && f.proof == proofDenied)
		says("the queue stays bounded", kind == Pending && f.queueFull && f.request != requestPending)
		says("an app that has to be given is not had", in && f.app != appOpen)
		says("an invitation counts for its own address", kind == Activated && f.invitation != invitationProven)
		says("another address spends nothing and enters nobody", kind != Refused && f.invitation == invitationOther)
		says("a refusal has a reason, nothing else has one", (kind == Refused) != (d.Reason != ""))
		says("nobody is linked by signing in (N3)", kind == Linked)
		if broken != "" {
			t.Fatalf("%s: %+v gave %s", broken, f, kind)
		}
	})
}

// What is refused for the address to somebody known is refused to a newcomer
// with the same claim, and the other way round.
func TestN2_OneCheckForNewAndKnown(t *testing.T) {
	t.Parallel()
	table := newTable()
	everyFact(func(f facts) {
		if f.person == personNew {
			return
		}
		known := table.decide(f).Reason
		f.person, f.policy, f.rule, f.request, f.queueFull = personNew, policyAutomatic, ruleNone, requestNone, false
		fresh := table.decide(f).Reason
		if (known == ReasonForeignEmail) != (fresh == ReasonForeignEmail) || (known == ReasonInvitationOther) != (fresh == ReasonInvitationOther) {
			t.Fatalf("%+v: known %s, newcomer %s", f, known, fresh)
		}
	})
}

func TestReasonsHaveSentences(t *testing.T) {
	t.Parallel()
	seen := map[string]Reason{}
	for _, r := range newTable() {
		if r.reason != "" {
			seen[r.reason.Sentence()] = r.reason
		}
	}
	for text := range seen {
		if len(text) < 20 || text[len(text)-1] != '.' {
			t.Errorf("%q is no sentence", text)
		}
	}
	if Reason("").Sentence() != "" {
		t.Error("no reason has a sentence")
	}
	if len(seen) < 13 {
		t.Errorf("only %d sentences for %d rows", len(seen), len(newTable()))
	}
}

// markdown is the table as docs/admission.md shows it.
func (t table) markdown() string {
	var b strings.Builder
	b.WriteString("| row | when (the first row that fits decides) | decision | reason | case |\n|---|---|---|---|---|\n")
	for i, r := range t {
		reason := "–"
		if r.reason != "" {
			reason = "`" + string(r.reason) + "`"
		}
		fmt.Fprintf(&b, "| %d | %s | %s | %s | %s |\n", i+1, r.when, strings.ReplaceAll(string(r.kind), "_", " "), reason, r.cases)
	}
	return b.String()
}
