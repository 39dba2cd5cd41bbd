package federation

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gatehouse/store"
)

// The independent matcher: reads every rule, compares label lists from the
// right, scores and keeps the best.
func naiveOwners(conns []store.Connection, domains []store.Domain, domain string) []string {
	labels := func(s string) []string { l := strings.Split(s, "."); slices.Reverse(l); return l }
	under := func(base, name []string) bool { return len(name) >= len(base) && slices.Equal(base, name[:len(base)]) }
	host := labels(domain)
	best, ids := 0, map[string]bool{}
	for _, c := range conns {
		for _, rule := range c.Domains {
			score := 0
			base := labels(strings.TrimPrefix(rule, "*."))
			switch {
			case rule == "*":
				score = 1
			case strings.HasPrefix(rule, "*."):
				if len(host) > len(base) && under(base, host) {
					score = 10 + len(base)
				}
			case rule == domain:
				score = 1000
			}
			proven := rule == "*" || slices.ContainsFunc(domains, func(d store.Domain) bool {
				return d.OrganizationID == c.OrganizationID && d.State != store.DomainPending && under(labels(d.Name), base)
			})
			if score == 0 || !proven || score < best {
				continue
			}
			if score > best {
				best, ids = score, map[string]bool{}
			}
			ids[c.ID] = true
		}
	}
	var out []string
	for id := range ids {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

func TestE7_AgreesWithAnIndependentMatcher(t *testing.T) {
	t.Parallel()
	for round := range 6 {
		rng := rand.New(rand.NewPCG(uint64(round), 7))
		name := func() string {
			l := make([]string, 1+rng.IntN(4))
			for i := range l {
				l[i] = []string{"a", "b", "ab"}[rng.IntN(3)]
			}
			return strings.Join(append(l, []string{"test", "com"}[rng.IntN(2)]), ".")
		}
		w := newTown(t)
		var conns []store.Connection
		var domains []store.Domain
		for o := range 6 {
			org := fmt.Sprintf("org%d", o)
			var owned []string
			for range rng.IntN(4) {
				d, state := name(), store.DomainVerified
				if slices.ContainsFunc(owned, func(x string) bool { return strings.TrimPrefix(x, "?") == d }) {
					continue
				}
				if rng.IntN(4) == 0 {
					state = store.DomainPending
					owned = append(owned, "?"+d)
				} else {
					owned = append(owned, d)
				}
				domains = append(domains, store.Domain{Name: d, OrganizationID: org, State: state})
			}
			w.org(org, owned...)
			for c := range 1 + rng.IntN(3) {
				conn := store.Connection{ID: fmt.Sprintf("%s-%d", org, c), OrganizationID: org}
				for range rng.IntN(5) {
					rule := []string{"", "*."}[rng.IntN(2)] + name()
					if rng.IntN(12) == 0 {
						rule = "*"
					}
					conn.Domains = append(conn.Domains, rule)
				}
				conns = append(conns, conn)
				w.connection(conn.ID, org, conn.Domains...)
			}
		}
		matched := 0
		if err := w.store.View(t.Context(), func(tx store.Tx) error {
			for range 3000 {
				domain := name()
				found, err := winners(matches(w.rulebook(tx), domain, false))
				if err != nil {
					return err
				}
				var got []string
				for _, c := range found {
					got = append(got, c.ID)
				}
				want := naiveOwners(conns, domains, domain)
				if !slices.Equal(got, want) {
					t.Fatalf("round %d, %s: got %v, want %v\nconnections %+v\ndomains %+v", round, domain, got, want, conns, domains)
				}
				if len(want) > 0 {
					matched++
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if matched == 0 {
			t.Errorf("round %d tested nothing", round)
		}
	}
}

// winners are the connections of the rule that wins, disabled ones included.
func winners(all iter.Seq2[match, error]) (out []*store.Connection, err error) {
	for m, err := range all {
		if err != nil {
			return nil, err
		}
		if m.standing == wins {
			out = append(out, m.conn)
		}
	}
	return out, nil
}
