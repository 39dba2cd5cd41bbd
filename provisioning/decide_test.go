package provisioning

import (
	"testing"

	"gatehouse/store"
)

// everyFact calls fn with every combination of facts there is.
func everyFact(fn func(facts)) {
	bools := []bool{false, true}
	for _, valid := range bools {
		for _, connection := range bools {
			for _, organization := range bools {
				for _, client := range bools {
					for _, allowed := range bools {
						for email := emailNone; email <= emailForeign; email++ {
							for proof := proofAbsent; proof <= proofDenied; proof++ {
								for _, catchAll := range bools {
									for _, known := range bools {
										for user := userNone; user <= userDisabled; user++ {
											for _, member := range bools {
												for _, policy := range []store.JoinPolicy{"", store.JoinOff, store.JoinRequest, store.JoinAutomatic, "typo"} {
													for request := requestNone; request <= requestRefused; request++ {
														for _, full := range bools {
															fn(facts{valid, connection, organization, client, allowed, email, proof, catchAll, known, user, member, policy, request, full})
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
		}
	}
}

// rows is the table of decide's comment, written down a second time: what must
// be so for a row to fit, and its answer. The first that fits counts.
func rows() []struct {
	fits   func(facts) bool
	kind   Kind
	reason Reason
} {
	newcomer := func(f facts) bool { return !f.known }
	asks := func(f facts) bool { return newcomer(f) && f.policy == "request" }
	automatic := func(f facts) bool { return newcomer(f) && f.policy == "automatic" }
	doubtful := func(f facts) bool {
		return automatic(f) && (f.email == emailNone || f.proof == proofDenied || f.catchAll && f.proof != proofGiven)
	}
	queues := func(f facts) bool { return asks(f) || doubtful(f) }
	return []struct {
		fits   func(facts) bool
		kind   Kind
		reason Reason
	}{
		{func(f facts) bool { return !f.valid }, "refused", "no_identity"},
		{func(f facts) bool { return !f.connection }, "refused", "connection_disabled"},
		{func(f facts) bool { return !f.organization }, "refused", "organization_disabled"},
		{func(f facts) bool { return !f.client }, "refused", "client_disabled"},
		{func(f facts) bool { return !f.clientAllowed }, "refused", "client_not_allowed"},
		{func(f facts) bool { return f.email == emailForeign }, "refused", "email_domain_not_owned"},
		{func(f facts) bool { return f.known && f.user == userNone }, "refused", "user_removed"},
		{func(f facts) bool { return f.known && f.user == userDisabled }, "refused", "user_disabled"},
		{func(f facts) bool { return f.known && !f.member }, "refused", "not_a_member"},
		{func(f facts) bool { return f.known }, "signed_in", ""},
		{func(f facts) bool { return !asks(f) && !automatic(f) }, "refused", "join_off"},
		{func(f facts) bool { return queues(f) && f.request == requestRefused }, "refused", "request_refused"},
		{func(f facts) bool { return queues(f) && f.request == requestPending }, "pending", ""},
		{func(f facts) bool { return queues(f) && f.queueFull }, "refused", "queue_full"},
		{queues, "pending", ""},
		{automatic, "created", ""},
	}
}

func TestDecideIsItsTable(t *testing.T) {
	t.Parallel()
	table, n := rows(), 0
	hits := make([]int, len(table))
	everyFact(func(f facts) {
		n++
		kind, reason, why := decide(f)
		for i, row := range table {
			if !row.fits(f) {
				continue
			}
			hits[i]++
			if kind != row.kind || reason != row.reason {
				t.Fatalf("%+v: got %s %s, row %d says %s %s", f, kind, reason, i+1, row.kind, row.reason)
			}
			break
		}
		if why == "" || (kind == Refused) != (reason != "") {
			t.Fatalf("%+v: %s with reason %q and why %q", f, kind, reason, why)
		}
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
	everyFact(func(f facts) {
		kind, _, _ := decide(f)
		in := kind == SignedIn || kind == Created
		for promise, broken := range map[string]bool{
			"nothing off lets anybody in or wait": kind != Refused && !(f.valid && f.connection && f.organization && f.client && f.clientAllowed),
			"a foreign address never enters":      kind != Refused && f.email == emailForeign,
			"known people are never newcomers":    f.known && (kind == Created || kind == Pending),
			"newcomers are never signed in":       !f.known && kind == SignedIn,
			"disabled people stay out":            in && f.known && (f.user != userActive || !f.member),
			"policy off creates nobody":           kind == Created && f.policy != store.JoinAutomatic,
			"policy off queues nobody":            kind == Pending && f.policy != store.JoinAutomatic && f.policy != store.JoinRequest,
			"no address, no automatic join":       kind == Created && f.email != emailOwned,
			"false is no automatic join":          kind == Created && f.proof == proofDenied,
			"the queue stays bounded":             kind == Pending && f.queueFull && f.request != requestPending,
		} {
			if broken {
				t.Fatalf("%s: %+v gave %s", promise, f, kind)
			}
		}
	})
}

// The claim that a newcomer brings decides the same as the claim of someone
// known: what is refused to one for the address is refused to the other.
func TestN2_OneCheckForNewAndKnown(t *testing.T) {
	t.Parallel()
	everyFact(func(f facts) {
		if !f.known {
			return
		}
		known, reason, _ := decide(f)
		f.known, f.policy, f.request, f.queueFull = false, store.JoinAutomatic, requestNone, false
		fresh, freshReason, _ := decide(f)
		if (reason == ReasonForeignEmail) != (freshReason == ReasonForeignEmail) {
			t.Fatalf("%+v: known %s %s, newcomer %s %s", f, known, reason, fresh, freshReason)
		}
	})
}

func TestReasonsHaveSentences(t *testing.T) {
	t.Parallel()
	seen := map[string]Reason{}
	everyFact(func(f facts) {
		_, r, _ := decide(f)
		if r != "" {
			seen[r.Sentence()] = r
		}
	})
	for text := range seen {
		if len(text) < 20 || text[len(text)-1] != '.' {
			t.Errorf("%q is no sentence", text)
		}
	}
	if Reason("").Sentence() != "" {
		t.Error("no reason has a sentence")
	}
}
