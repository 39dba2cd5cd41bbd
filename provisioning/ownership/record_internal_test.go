package ownership

import (
	"strings"
	"testing"
	"time"

	"gatehouse/store"
)

// FuzzProves: nothing but the value itself, with spaces or one pair of quotes
// around it, proves a claim.
func FuzzProves(f *testing.F) {
	challenge := "gatehouse-domain=ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	for _, s := range []string{"", challenge, " " + challenge, `"` + challenge + `"`, `""`, `"`, strings.ToLower(challenge), challenge + "\x00", "gatehouse-domain="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, v string) {
		bare := strings.Trim(v, " \t\"")
		if proves([]string{v}, challenge) && bare != challenge {
			t.Errorf("%q proves", v)
		}
		if proves([]string{v}, "") {
			t.Errorf("%q proves an empty challenge", v)
		}
	})
}

// TestJudge_NothingButDefiniteAnswers walks every state and answer: what is
// unknown never changes a state, and what is missing never makes one better.
func TestJudge_NothingButDefiniteAnswers(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	for _, state := range []store.DomainState{store.DomainPending, store.DomainVerified, store.DomainLapsed, store.DomainAsserted} {
		for _, missing := range []time.Time{{}, now.Add(-time.Hour), now.Add(-Grace)} {
			for _, outcome := range []Outcome{Unknown, Proven, Missing} {
				for _, taken := range []bool{false, true} {
					d := store.Domain{State: state, MissingSince: missing}
					got := judge(d, Answer{Outcome: outcome, At: now}, taken, Grace).State
					want := state
					switch {
					case state == store.DomainAsserted, outcome == Unknown:
					case outcome == Proven && (state == store.DomainVerified || !taken):
						want = store.DomainVerified
					case outcome == Missing && state == store.DomainVerified && missing.Equal(now.Add(-Grace)):
						want = store.DomainLapsed
					}
					if got != want {
						t.Errorf("%s, missing since %v, outcome %d, taken %v: %s, want %s", state, missing, outcome, taken, got, want)
					}
				}
			}
		}
	}
}
