package federation

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"gatehouse/profile"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

// labelTree is the independent matcher: a tree of labels from the right, walked
// once per name. It shares neither data nor method with the rulebooks.
type labelTree struct {
	children  map[string]*labelTree
	exact     []int32 // connections, by place, whose rule is this name
	wild      []int32 // whose rule is *. and this name
	organizer []string
}

func (n *labelTree) at(name string) *labelTree {
	labels := strings.Split(name, ".")
	slices.Reverse(labels)
	for _, l := range labels {
		if n.children == nil {
			n.children = map[string]*labelTree{}
		}
		if n.children[l] == nil {
			n.children[l] = &labelTree{}
		}
		n = n.children[l]
	}
	return n
}

// plant leaves out at once what its organization has not proven at the rule's
// name or above it.
func plant(conns []store.Connection, domains []store.Domain) *labelTree {
	root := &labelTree{}
	for _, d := range domains {
		if d.State == store.DomainVerified || d.State == store.DomainAsserted {
			n := root.at(d.Name)
			n.organizer = append(n.organizer, d.OrganizationID)
		}
	}
	for i, c := range conns {
		for _, rule := range c.Domains {
			if rule == "*" {
				root.wild = append(root.wild, int32(i))
				continue
			}
			name := strings.TrimPrefix(rule, "*.")
			owned, n := false, root
			labels := strings.Split(name, ".")
			slices.Reverse(labels)
			for _, l := range labels {
				if n = n.children[l]; n == nil {
					break
				}
				owned = owned || slices.Contains(n.organizer, c.OrganizationID)
			}
			if !owned {
				continue
			}
			n = root.at(name)
			if name == rule {
				n.exact = append(n.exact, int32(i))
			} else {
				n.wild = append(n.wild, int32(i))
			}
		}
	}
	return root
}

// find returns the places of the connections that win; one rule given twice by
// a connection counts once.
func (n *labelTree) find(name string) []int32 {
	best := n.wild
	for end := len(name); ; {
		i := strings.LastIndexByte(name[:end], '.')
		if n = n.children[name[i+1:end]]; n == nil {
			return best
		}
		if i < 0 {
			if len(n.exact) > 0 {
				return n.exact
			}
			return best
		}
		if len(n.wild) > 0 {
			best = n.wild
		}
		end = i
	}
}

// city is many connections with rules that get in each other's way.
func city(rng *rand.Rand, organizations int, stars bool) (conns []store.Connection, domains []store.Domain, name func(*rand.Rand) string) {
	name = func(rng *rand.Rand) string {
		var b strings.Builder
		for range 1 + rng.IntN(4) {
			b.WriteString([]string{"a", "b", "ab", "eu", "xn--bcher-kva"}[rng.IntN(5)])
			b.WriteByte('.')
		}
		b.WriteString([]string{"com", "test", "co.uk", "ab"}[rng.IntN(4)])
		return b.String()
	}
	for o := range organizations {
		org := "org" + strconv.Itoa(o)
		var owned []string
		for range rng.IntN(5) {
			d := name(rng)
			if slices.Contains(owned, d) {
				continue
			}
			owned = append(owned, d)
			state := []store.DomainState{store.DomainVerified, store.DomainAsserted, store.DomainVerified, store.DomainPending}[rng.IntN(4)]
			domains = append(domains, store.Domain{Name: d, OrganizationID: org, State: state})
		}
		for c := range 1 + rng.IntN(3) {
			conn := store.Connection{ID: fmt.Sprintf("%s-%d", org, c), OrganizationID: org, Disabled: rng.IntN(8) == 0}
			for range rng.IntN(6) {
				rule := name(rng)
				if len(owned) > 0 && rng.IntN(2) == 0 {
					rule = owned[rng.IntN(len(owned))]
				}
				if rng.IntN(3) == 0 {
					rule = "*." + rule
				}
				if stars && rng.IntN(300) == 0 {
					rule = "*"
				}
				conn.Domains = append(conn.Domains, rule)
			}
			slices.Sort(conn.Domains)
			conn.Domains = slices.Compact(conn.Domains)
			conns = append(conns, conn)
		}
	}
	return conns, domains, name
}

// TestE7_TenMillionAddresses: the matcher and an independent one agree. It is
// the matcher of logins, reading a rulebook in memory; that the store's rulebook
// says the same is TestE7_AgreesWithAnIndependentMatcher and
// TestExplain_IsRoute. Under the race detector there are 200,000.
func TestE7_TenMillionAddresses(t *testing.T) {
	t.Parallel()
	start := time.Now()
	// Two cities: in one some connections take everybody.
	var books [2]*rulesInMemory
	var trees [2]*labelTree
	place := map[*store.Connection]int32{}
	var name func(*rand.Rand) string
	for c := range books {
		var conns []store.Connection
		var domains []store.Domain
		conns, domains, name = city(rand.New(rand.NewPCG(uint64(c), 7)), 300, c == 1)
		books[c], trees[c] = compileRules(conns, domains), plant(conns, domains)
		for i := range conns {
			place[&conns[i]] = int32(i)
		}
	}
	workers := runtime.GOMAXPROCS(0)
	var group sync.WaitGroup
	routed := make([]int, workers)
	for w := range workers {
		group.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(w), 42))
			got := make([]int32, 0, 16)
			var address profile.Email
			for i := range (generatedAddresses + workers - 1) / workers {
				domain := name(rng)
				if i%1000 == 0 { // one in a thousand goes through the parser of addresses
					var err error
					if address, err = profile.ParseEmail("alice@" + domain); err != nil {
						t.Errorf("%s: %v", domain, err)
						return
					}
					domain = address.Domain()
				}
				got = got[:0]
				for m := range matches(books[i&1], domain, false) {
					if m.standing == wins {
						got = append(got, place[m.conn])
					}
				}
				if want := trees[i&1].find(domain); !slices.Equal(got, want) {
					t.Errorf("%s: got %v, want %v", domain, got, want)
					return
				}
				if len(got) > 0 {
					routed[w]++
				}
			}
		})
	}
	group.Wait()
	total := 0
	for _, n := range routed {
		total += n
	}
	if total < generatedAddresses/10 || total > generatedAddresses*99/100 {
		t.Errorf("%d of %d addresses are routed: this tests too little", total, generatedAddresses)
	}
	t.Logf("%d addresses, %d of them routed, %d connections, in %s on %d processors", generatedAddresses, total, len(place), time.Since(start).Round(time.Millisecond), workers)
}

// metropolis is a store with many companies, each with one connection of as
// many rules as it is given, and one connection for everybody.
func metropolis(t testing.TB, companies, rules int) (*Federation, []string) {
	t.Helper()
	f := newFederation(t, Config{Store: storetest.Open(t)})
	var domains []string
	for from := 0; from < companies; from += 500 {
		if err := f.store.Update(t.Context(), func(tx store.Tx) error {
			for i := from; i < min(from+500, companies); i++ {
				id := "company" + strconv.Itoa(i)
				if err := f.store.Organizations.Insert(tx, store.Organization{ID: id, Title: id}); err != nil {
					return err
				}
				conn := store.Connection{ID: id, OrganizationID: id, Title: id, Issuer: "https://" + id + ".test", Selectors: profile.DefaultSelectors()}
				for d := range rules / 2 {
					domain := fmt.Sprintf("d%d.%s.com", d, id)
					conn.Domains = append(conn.Domains, domain, "*."+domain)
				}
				if err := f.store.Domains.Insert(tx, store.Domain{Name: id + ".com", OrganizationID: id, State: store.DomainVerified}); err != nil {
					return err
				}
				if err := f.store.Connections.Insert(tx, conn); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.store.Update(t.Context(), func(tx store.Tx) error {
		if err := f.store.Organizations.Insert(tx, store.Organization{ID: "all", Title: "all"}); err != nil {
			return err
		}
		return f.store.Connections.Insert(tx, store.Connection{ID: "all", OrganizationID: "all", Domains: []string{"*"}})
	}); err != nil {
		t.Fatal(err)
	}
	for i := range companies {
		domains = append(domains, fmt.Sprintf("d%d.company%d.com", i%5, i), fmt.Sprintf("eu.x.d%d.company%d.com", i%5, i), fmt.Sprintf("nobody%d.com", i))
	}
	return f, domains
}

// BenchmarkRoute_Rules answers whole routing queries out of the store with 50,000
// rules, as a login does. The limit is 100 µs for 99 of 100.
func BenchmarkRoute_Rules(b *testing.B) {
	for _, size := range []struct{ companies, rules int }{{100, 10}, {500, 100}, {4000, 12}, {5000, 10}} {
		b.Run(fmt.Sprintf("rules=%d/connections=%d", size.companies*size.rules, size.companies), func(b *testing.B) {
			f, domains := metropolis(b, size.companies, size.rules)
			var took []time.Duration
			rng := rand.New(rand.NewPCG(1, 1))
			if err := f.store.View(b.Context(), func(tx store.Tx) error {
				for b.Loop() {
					q := Query{Email: address(b, "alice@"+domains[rng.IntN(len(domains))])}
					start := time.Now()
					r, err := f.Route(tx, q)
					took = append(took, time.Since(start))
					if err != nil || len(r.Candidates) != 1 {
						b.Fatalf("%v: %v, %v", q.Email, r, err)
					}
				}
				return nil
			}); err != nil {
				b.Fatal(err)
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1e3, "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1e3, "p99-µs")
		})
	}
}

// TestRoute_ReadsLittle: however many rules there are, an answer looks up one
// index entry per label and decodes what it needs to know: the one connection
// that wins, the claims to the rule's domain and those above it, one organization.
func TestRoute_ReadsLittle(t *testing.T) {
	t.Parallel()
	for _, size := range []struct{ companies, rules int }{{2, 2}, {100, 10}, {20, 200}} {
		f, _ := metropolis(t, size.companies, size.rules)
		for domain, want := range map[string]reads{
			"d0.company1.com":      {scans: 1, connections: 1, domains: 1, organizations: 1},
			"eu.x.d0.company1.com": {scans: 3, connections: 1, domains: 1, organizations: 1}, // itself, *.x.…, *.d0.…
			"nobody.com":           {scans: 3, connections: 1, organizations: 1},             // "*" needs no claim
		} {
			view(t, f, func(tx store.Tx) error {
				counted := &countingTx{Tx: tx}
				_, err := f.Route(counted, Query{Email: address(t, "a@"+domain)})
				if counted.reads != want {
					t.Errorf("%d companies with %d rules: %s: read %+v, want %+v", size.companies, size.rules, domain, counted.reads, want)
				}
				return err
			})
		}
	}
}

// TestRoute_CopiesOnlyWhatItAnswers: what was looked at before is neither
// decoded nor copied again, but for the winner, however large its record is.
func TestRoute_CopiesOnlyWhatItAnswers(t *testing.T) {
	t.Parallel()
	const losers = 200
	f, _ := metropolis(t, 2, 10)
	if err := f.store.Update(t.Context(), func(tx store.Tx) error {
		for i := range losers { // connections of one rule that prove nothing
			c := store.Connection{ID: "loser" + strconv.Itoa(i), OrganizationID: "all", Domains: []string{"d0.company1.com"}, Selectors: profile.DefaultSelectors()}
			if err := f.store.Connections.Insert(tx, c); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	view(t, f, func(tx store.Tx) error {
		q := Query{Email: address(t, "a@d0.company1.com")}
		route := func() Routing {
			r, err := f.Route(tx, q)
			if err != nil || len(r.Candidates) != 1 || r.Candidates[0].ID != "company1" {
				t.Fatalf("%+v, %v", r, err)
			}
			return r
		}
		r := route()
		bytes := allocated(20, func() { route() }) / losers
		if size := uint64(unsafe.Sizeof(store.Connection{})); bytes > size {
			t.Errorf("%d bytes for each of %d connections that lose: their records (%d bytes and more) are copied", bytes, losers, size)
		}
		// The winner is the caller's own.
		r.Candidates[0].Domains[0], r.Candidates[0].Selectors.Custom["nickname"] = "altered.test", profile.Selector{}
		e, err := f.Explain(tx, q)
		if err != nil {
			return err
		}
		e.Considered[0].Connection.Domains[0] = "altered.test"
		again := route().Candidates[0]
		if again.Domains[0] != "d0.company1.com" || again.Selectors.Custom["nickname"].Path == "" {
			t.Error("changing an answer changed what is kept")
		}
		return nil
	})
}

// allocated is the bytes that one of n calls allocates.
func allocated(n uint64, fn func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range n {
		fn()
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / n
}

func view(t *testing.T, f *Federation, fn func(tx store.Tx) error) {
	t.Helper()
	if err := f.store.View(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

// countingTx counts what is read.
type countingTx struct {
	store.Tx
	reads
}

type reads struct{ scans, connections, domains, organizations, others int }

func (c *countingTx) Get(bucket string, key []byte) ([]byte, error) {
	v, err := c.Tx.Get(bucket, key)
	switch {
	case v == nil: // asked for and not there: nothing to decode
	case bucket == "connections":
		c.connections++
	case bucket == "domains":
		c.domains++
	case bucket == "organizations":
		c.organizations++
	default:
		c.others++
	}
	return v, err
}

func (c *countingTx) Scan(bucket string, from, to []byte, fn func(k, v []byte) (bool, error)) error {
	c.scans++
	return c.Tx.Scan(bucket, from, to, fn)
}
